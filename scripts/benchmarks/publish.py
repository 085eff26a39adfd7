"""How fast a day's log of a million rows is published, beside CKAN's own ways, and what a hundred unchanged sources cost."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import ckanapi
import frictionless

from benchmarks import snowplow
from benchmarks.portal import running
from harvesters import cli, jobs, keep
from harvesters import settings as setting
from harvesters.city import load_city
from harvesters.jobs import Job
from stack.settings import ROOT
from stack.supervisor import out

VAR = ROOT / "var" / "bench-publish"
PORT = 5091
LOG, CHANGED = VAR / "log.csv", VAR / "log-changed.csv"
CITY_LOG = VAR / "city-requests.log"
SHARE, BATCH = 20_000, 1_000
"""Rows that CKAN's own ways get, and rows of each of their calls."""
GOAL_ROWS, GOAL_MB, GOAL_S = 100_000, 1024, 2.0
TOWNS, KINDS = 25, ("hydrant", "bus", "library-seats", "snowplow")
LIVE = ("bus-live", "library-seats", "snowplow")
STEPS = ("fetch", "normalise", "validate", "publish")


def measure() -> None:
    """Prints three tables; everything is done as an operator does it, by the command and by HTTP."""
    shutil.rmtree(VAR, ignore_errors=True)
    with running(VAR, PORT):
        for source in LIVE:
            _aizu("pause", source, "--reason", "bench")
        snowplow.write(LOG)
        _write_changed()
        out(f"\n{_machine()}\n")
        ours = [_published("first version", LOG), _published("1 % changed", CHANGED)]
        _beside(min(ours))
        _unchanged()
    shutil.rmtree(VAR, ignore_errors=True)


def _machine() -> str:
    (model,) = set(re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()))
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} × {model}, load {load:.1f} before it began"


def _write_changed() -> None:
    """The same log with another speed in each hundredth row."""
    lines = LOG.read_bytes().splitlines(keepends=True)
    for place in range(1, len(lines), 100):
        cells = lines[place].split(b",")
        lines[place] = b",".join([*cells[:5], b"7", *cells[6:]])
    CHANGED.write_bytes(b"".join(lines))


def _environment() -> dict[str, str]:
    return os.environ | {"AIZU_VAR": str(VAR), "LC_ALL": "en_US.UTF-8", "PYTHONUNBUFFERED": "1"}


def _command(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("aizu")), *words]


def _aizu(*words: str) -> None:
    subprocess.run(_command(*words), env=_environment(), check=True, capture_output=True)


def _published(name: str, log: Path) -> float:
    """Runs the command on a million rows and prints its laps; the seconds."""
    workers = _web_workers()
    for worker in workers:
        Path(f"/proc/{worker}/clear_refs").write_text("5")  # the peak is counted from here
    laps, begun = {}, time.perf_counter()
    command = _command("run", "snowplow", "--from", str(log))
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout, "asked for above"
        for line in run.stdout:
            if (step := line.split()[0]) in STEPS:
                laps[step] = time.perf_counter() - begun
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if run.returncode:
        raise SystemExit(f"aizu run ended with {run.returncode}")
    status_file = keep.folder(VAR, "aizuwakamatsu", "snowplow").status() or {}
    told = status_file["portal_seconds"]
    _print_laps(name, laps, told, seconds)
    mb, peak = used.ru_maxrss / 1024, max(_peak_mb(worker) for worker in workers)
    from_validate = snowplow.ROWS / (seconds - laps["normalise"])
    out(
        f"  {snowplow.ROWS / seconds:,.0f} rows/s from file to portal; {from_validate:,.0f} rows/s from "
        f"validation on (goal {GOAL_ROWS:,}); CPU of the command "
        f"{used.ru_utime + used.ru_stime:.1f} s; peak memory: command {mb:,.0f} MB (goal {GOAL_MB:,}), "
        f"web worker {peak:,.0f} MB\n"
    )
    return seconds


def _print_laps(name: str, laps: dict[str, float], told: dict[str, float], seconds: float) -> None:
    ends = [0.0, *(laps[step] for step in STEPS)]
    own = {step: end - before for step, before, end in zip(STEPS, ends, ends[1:], strict=False)}
    out(f"{name}: {snowplow.ROWS:,} rows, {seconds:.1f} s")
    out("  " + ", ".join(f"{step} {lap:.1f}" for step, lap in own.items()))
    out("  of publish, in the portal: " + ", ".join(f"{n} {lap:.1f}" for n, lap in told.items()))
    out("  (copy goes on beside check and compare; the rest of publish is the upload)")


def _web_workers() -> list[int]:
    """Processes of gunicorn that serve this portal."""
    found = subprocess.run(["pgrep", "-f", f"gunicorn .*{VAR}/"], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def _peak_mb(pid: int) -> float:
    (kb,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kb) / 1024


def _beside(ours: float) -> None:
    """CKAN's own ways to fill a table, with a share of the rows that we have published."""
    known = setting.read({"AIZU_VAR": str(VAR)})
    portal = ckanapi.RemoteCKAN(known.portal_url, apikey=known.api_token, user_agent="bench")
    dataset = portal.action.package_show(id="aizuwakamatsu-snowplow")
    resource = next(one for one in dataset["resources"] if one["kind"] == "table")
    path = VAR / "share.csv"
    whole = (VAR / "storage" / "versions").glob(f"??/{resource['hash'].removeprefix('sha256:')}")
    with next(whole).open("rb") as source:
        path.write_bytes(b"".join(next(source) for _ in range(SHARE + 1)))
    fields = portal.action.datastore_search(resource_id=resource["id"], limit=0)["fields"][1:]
    ways: dict[str, Callable[[], None]] = {
        "datastore_upsert by ckanapi": lambda: _upsert(portal, dataset, path, fields),
        "Frictionless, then upsert": lambda: _validate_and_upsert(portal, dataset, path, fields),
    }
    out(f"  {'':32}{'rows':>10}{'seconds':>10}{'rows/s':>12}{'ours is':>12}")
    rate = snowplow.ROWS / ours
    out(f"  {'aizu run':32}{snowplow.ROWS:>10,}{ours:>10.1f}{rate:>12,.0f}")
    for name, way in ways.items():
        begun = time.perf_counter()
        way()
        seconds = time.perf_counter() - begun
        times = f"{rate * seconds / SHARE:,.0f} ×"
        out(f"  {name:32}{SHARE:>10,}{seconds:>10.1f}{SHARE / seconds:>12,.0f}{times:>12}")


def _upsert(
    portal: ckanapi.RemoteCKAN, dataset: dict[str, Any], path: Path, fields: list[dict[str, str]]
) -> None:
    """As its documentation has it: a table with a key, and rows in batches."""
    key = ["vehicle", "observed_at"]
    plain = [{"id": one["id"], "type": one["type"]} for one in fields]
    made = portal.action.datastore_create(
        resource={"package_id": dataset["id"], "name": "bench"}, fields=plain, primary_key=key
    )
    rows = list(_rows(path))
    for first in range(0, len(rows), BATCH):
        portal.action.datastore_upsert(
            resource_id=made["resource_id"],
            records=rows[first : first + BATCH],
            method="upsert",
            force=True,
        )
    portal.action.resource_delete(id=made["resource_id"])


def _rows(path: Path) -> Iterator[dict[str, str | None]]:
    with path.open(encoding="utf-8-sig") as file:
        headings = file.readline().rstrip().split(",")
        for line in file:
            cells = [cell or None for cell in line.rstrip("\r\n").split(",")]
            yield dict(zip(headings, cells, strict=True))


def _validate_and_upsert(
    portal: ckanapi.RemoteCKAN, dataset: dict[str, Any], path: Path, fields: list[dict[str, str]]
) -> None:
    """As ckanext-validation goes about it, by the schema that ours is judged by."""
    feed = load_city("aizuwakamatsu").feeds["snowplow"]
    fields_of = [field.descriptor() for field in feed.dataset.fields]
    schema = frictionless.Schema.from_descriptor({"fields": fields_of})
    report = frictionless.validate(path.name, schema=schema, basepath=str(path.parent))
    if not report.valid:
        raise SystemExit("the share of the log is not valid")
    _upsert(portal, dataset, path, fields)


def _unchanged() -> None:
    """A hundred datasets of made-up towns, published once; then all are looked at again by one command."""
    with _still_city() as url:
        child = [sys.executable, "-m", "benchmarks.publish", url]
        subprocess.run(child, env=_environment(), check=True, capture_output=True)
        CITY_LOG.write_text("")
        begun = time.perf_counter()
        done = subprocess.run(child, env=_environment(), check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        asked = [json.loads(line) for line in CITY_LOG.read_text().splitlines()]
    inside, cpu = map(float, done.stdout.splitlines()[-1].split())
    conditional = [one for one in asked if "If-None-Match" in one and one["status"] == 304]
    sources = TOWNS * len(KINDS)
    mark = "✓" if inside < GOAL_S and len(asked) == len(conditional) == sources else "✗"
    out(
        f"\n{sources} unchanged sources: {seconds:.1f} s with the start of the program, {inside:.1f} s without, "
        f"of which {cpu:.1f} s of a processor (goal {GOAL_S:g}); {len(asked)} requests to the city, {len(conditional)} of them conditional "
        f"and answered by 304; one call to the portal {mark}"
    )


@contextmanager
def _still_city() -> Iterator[str]:
    command = [
        str(ROOT / "scripts" / "demo-city"),
        "--port",
        "0",
        "--still",
        "--log",
        str(CITY_LOG),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as city:
        assert city.stdout, "asked for above"
        yield city.stdout.readline().split()[-1].rstrip("/")
        city.terminate()


def _towns(url: str) -> list[Job]:
    """Every source of every town, all from the server of the demonstration city."""
    current = replace(setting.read(), city_url=url)
    made = jobs.of_city(current, "aizuwakamatsu", list(KINDS), cli.teller("en"), cli.progress)
    return [
        replace(
            job,
            city=replace(job.city, id=f"town{number}"),
            folder=keep.folder(VAR, f"town{number}", job.source.name),
        )
        for number in range(TOWNS)
        for job in made
    ]


def run(url: str) -> int:
    """What `aizu run --all` does, for all the towns; on the last line its seconds, and those of a processor."""
    chosen = _towns(url)
    begun, worked = time.perf_counter(), time.process_time()
    code = cli.harvest_all(chosen, "en")
    out(f"{time.perf_counter() - begun:.3f} {time.process_time() - worked:.3f}")
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
