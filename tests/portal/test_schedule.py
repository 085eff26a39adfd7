"""The portal harvests by itself: what is due, what somebody asks for, and again after a worker has died."""

import json
import os
import re
import signal
import subprocess
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from redis import Redis

from harvesters import queue
from harvesters.journal import Journal, Key, Note

from .conftest import ROOT, harvest_env
from .copies import eventually

SOURCES = ("bus", "bus-live", "deep-log", "hydrant", "library", "library-seats", "snowplow")
NO_TIMETABLE = "時刻表（bus）がまだない"
BEGAN = datetime.now(UTC).isoformat(timespec="seconds")


def told(portal, source):
    """What `aizu status` tells machines of a source."""
    run = portal.aizu("status", "--json")
    here = ("aizuwakamatsu", source)
    (found,) = [one for one in json.loads(run.stdout) if (one["city"], one["source"]) == here]
    return found


def pid(portal, name):
    """The process of the Procfile's line."""
    return json.loads((portal.var / "run" / "state.json").read_text())["processes"][name]


def test_live_source_is_harvested_by_itself(portal):
    """Since the tests began there was a run that nobody asked for, and the page's last check is newer."""

    def by_itself():
        return [run for run in told(portal, "bus-live")["runs"] if run["slot"] > BEGAN]

    def good():
        return [run for run in by_itself() if (run["state"], run["step"]) == ("ok", "publish")]

    # The newest may have met a portal that other tests have just killed.
    assert eventually(lambda: any(not run["asked_by"] for run in good()), 100), by_itself()
    dataset = portal.api().action.package_show(id="aizuwakamatsu-bus-live")
    assert datetime.fromisoformat(dataset["harvest_checked"]) > datetime.fromisoformat(BEGAN)


def test_run_now_is_done_though_a_worker_has_died(portal):
    """Kill -9 of the worker as soon as the run is asked for: it is started again and does it."""

    def asked():
        return [run for run in told(portal, "library-seats")["runs"] if run["asked_by"]]

    known = asked()[:1]
    before = pid(portal, "live")
    assert portal.aizu("run-now", "library-seats").returncode == 0
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: asked()[:1] not in ([], known), 90)
    run = asked()[0]
    assert (run["state"] in ("ok", "unchanged"), run["step"]) == (True, "publish")
    assert pid(portal, "live") != before


def test_paused_source_waits(portal):
    """Its page stays as it is; the status says who has stopped it and why."""
    stands = told(portal, "hydrant")
    assert stands["waits_for"] == "paused"
    assert stands["paused"]["reason"] == "試験"
    assert "aizu resume hydrant" in portal.aizu("run-now", "hydrant").stderr


@pytest.fixture
def empty_machine(portal, tmp_path):
    """Addresses and a token in the environment, and for each machine a folder that nobody else uses."""
    known = harvest_env(portal.var)
    names = ("AIZU_PORTAL_URL", "AIZU_API_TOKEN", "AIZU_CITY_URL")
    addresses = {name: known[name] for name in names} | {"LANG": "C.UTF-8"}

    def environment(machine, **more):
        kept = {"PATH": os.environ["PATH"], "AIZU_VAR": str(tmp_path / machine)}
        return kept | addresses | more

    return environment


@pytest.fixture
def alone(portal):
    """A journal of its own; the portal's own workers leave the city in peace meanwhile."""
    url = harvest_env(portal.var)["AIZU_REDIS_URL"]
    with Redis.from_url(url) as redis, Redis.from_url(other_database(url)) as other:
        journal = Journal(redis)
        # The hydrants are paused as long as the tests.
        keys = [Key("aizuwakamatsu", source) for source in SOURCES if source != "hydrant"]
        for key in keys:
            journal.pause(key, Note(by="試験", at=journal.now(), reason="試験"))
        other.flushdb()
        yield Journal(other)
        other.flushdb()
        for key in keys:
            journal.resume(key)


def other_database(url):
    return re.sub("/0$", "/7", url)


def test_two_machines_need_nothing_but_addresses(portal, alone, empty_machine, tmp_path):
    """All sources, twice over: both take part, no run is lost, none comes twice, none overlaps another."""
    journal, machines = alone, []
    keys = [Key("aizuwakamatsu", source) for source in SOURCES]
    redis_url = other_database(harvest_env(portal.var)["AIZU_REDIS_URL"])

    def start(machine, *words):
        own = empty_machine(machine, AIZU_REDIS_URL=redis_url)
        with (tmp_path / f"{machine}.log").open("wb") as log:
            command = [ROOT / ".venv/bin/aizu", *words]
            machines.append(
                subprocess.Popen(command, env=own, cwd=tmp_path, stdout=log, stderr=log)
            )

    try:
        start("one", "worker")
        start("two", "worker")
        start("three", "schedule")
        assert eventually(lambda: queue.workers(journal.redis, "batch") == 2)
        for times in (1, 2):
            for key in keys:
                journal.want(key, Note(by="試験", at=journal.now()))
            assert eventually(
                lambda times=times: all(
                    len([run for run in journal.runs(key) if run.asked_by]) == times for key in keys
                ),
                90,
            ), (tmp_path / "one.log").read_text() + (tmp_path / "two.log").read_text()
    finally:
        for process in machines:
            process.terminate()
        codes = [process.wait(20) for process in machines]
    runs = {key: journal.runs(key) for key in keys}
    assert codes == [0, 0, 0]
    for ended in runs.values():
        assert {run.state for run in ended} <= {"ok", "unchanged"}, ended
        assert {run.starts for run in ended} == {1}
        by_time = sorted(ended, key=lambda run: run.started_at)
        assert all(a.ended_at <= b.started_at for a, b in pairwise(by_time))
    workers = {run.worker for ended in runs.values() for run in ended}
    assert len(workers) == 2
    kept = [
        {path.parent.name for path in (tmp_path / machine).glob("harvest/*/*/status.json")}
        for machine in ("one", "two")
    ]
    assert kept[0] | kept[1] == set(SOURCES)


def test_timetable_of_another_machine_is_there_for_the_live_buses(empty_machine, tmp_path):
    """On a machine that has never fetched it, from the version that readers see; once."""

    def told(**more):
        run = subprocess.run(
            [ROOT / ".venv/bin/aizu", "validate", "bus-live"],
            env=empty_machine("new", **more),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout + run.stderr

    assert NO_TIMETABLE in told(AIZU_PORTAL_URL="", AIZU_API_TOKEN="")
    assert NO_TIMETABLE not in told()
    (kept,) = (tmp_path / "new").glob("harvest/aizuwakamatsu/bus/published/snapshots/*")
    before = kept.stat().st_mtime_ns
    assert NO_TIMETABLE not in told()
    assert kept.stat().st_mtime_ns == before
