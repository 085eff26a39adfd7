"""How fast a table is judged: ours, Frictionless, pandas and plain Polars, on clean and faulty tables."""

import csv
import io
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import polars as pl
from frictionless import Checklist, Dialect, Schema
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

from harvesters.checks import inside_city, plain_numbers
from harvesters.validate import to_csv
from harvesters.validation.judge import judge
from stack.settings import ROOT
from stack.supervisor import out

VAR = ROOT / "var" / "bench-validate"
SHARES = (0.0, 0.001, 0.1)
FEW = 0.001
SAMPLE = 50_000
"""Rows of a larger table that Frictionless and the comparison of reports are given."""
GOAL = 25
RUNS, ENOUGH = 5, 10.0
"""The best of so many runs counts, since other programs run beside them; fewer if they take long."""
random = Random("tables")  # noqa: S311  nothing secret
TOOLS = ("frictionless", "ours", "harvested", "pandas", "polars")
"""`harvested` is ours as a harvest uses it: from the columns in memory, the writing of the CSV included."""
LIMITED = ("frictionless", "ours")
LIMIT = 1000
"""Errors after which Frictionless stops, unless told otherwise."""

CITY = inside_city(
    latitude="lat", longitude="lon", west=139.79, south=37.28, east=140.13, north=37.61
)
LOG = {
    "time": ("datetime", {"required": True}),
    "vehicle": ("string", {"required": True}),
    "lat": ("number", {"minimum": -90, "maximum": 90}),
    "lon": ("number", {"minimum": -180, "maximum": 180}),
    "heading": ("integer", {"minimum": 0, "maximum": 360}),
    "speed": ("number", {"minimum": 0, "maximum": 120}),
    "task": ("string", {}),
    "source": ("string", {}),
}
LIST = {
    "code": ("string", {"required": True, "pattern": "[0-9]{6}"}),
    "id": ("string", {}),
    "municipality": ("string", {}),
    "kind": ("string", {"required": True}),
    "address": ("string", {}),
    "prefecture": ("string", {}),
    "city": ("string", {}),
    "district": ("string", {}),
    "block": ("string", {}),
    "building": ("string", {}),
    "lat": ("number", {"minimum": -90, "maximum": 90}),
    "lon": ("number", {"minimum": -180, "maximum": 180}),
    "diameter": ("integer", {"minimum": 0, "maximum": 5000}),
    "notes": ("string", {}),
}
TABLES: dict[str, tuple[int, dict[str, Any], list[str]]] = {
    "plow log": (1_000_000, LOG, []),
    "hydrant list": (100_000, LIST, ["id"]),
}
FAULTS = {"lat": "north", "lon": "35.1", "heading": "400", "speed": "-3", "kind": "", "code": "7"}


def measure() -> None:
    """Prints a table for each kind of table and share of faulty rows."""
    VAR.mkdir(parents=True, exist_ok=True)
    for name, (rows, fields, _) in TABLES.items():
        for share in SHARES:
            path = VAR / "table.csv"
            path.write_bytes(_written(name, fields, rows, share))
            sample = VAR / "sample.csv"
            sample.write_bytes(_head(path, min(rows, SAMPLE)))
            _table(name, rows, share, path, sample)
    for path in VAR.iterdir():
        path.unlink()
    VAR.rmdir()


def _table(name: str, rows: int, share: float, path: Path, sample: Path) -> None:
    """Every error is counted: a limit would end the reading of the faulty tables early."""
    out(f"\n{name}: {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, {share:.1%} faulty")
    out("                    rows/s  ratio    rows/CPU s  ratio  peak MB   errors")
    theirs = {"rows": 0.0, "cpu rows": 0.0}
    for tool in TOOLS:
        sampled = tool == "frictionless" and rows > SAMPLE
        told = _child(tool, name, sample if sampled else path)
        count = SAMPLE if sampled else rows
        speed = {"rows": count / told["seconds"], "cpu rows": count / told["cpu"]}
        theirs = speed if tool == "frictionless" else theirs
        ratio = {key: value / theirs[key] for key, value in speed.items()}
        note = f"  (first {SAMPLE:,} rows)" if sampled else ""
        note = f"  (goal: {GOAL} times)" if tool in {"ours", "harvested"} and share <= FEW else note
        out(
            f"  {tool:12}{speed['rows']:12,.0f}{ratio['rows']:7.1f}"
            f"{speed['cpu rows']:14,.0f}{ratio['cpu rows']:7.1f}"
            f"{told['mb']:9,.0f}{told['errors']:>9}{note}"
        )
    out(f"  same report as Frictionless on {SAMPLE:,} rows: {_same_report(name, sample)}")
    if share > FEW:
        laps = {tool: _child(tool, name, path, LIMIT)["seconds"] for tool in LIMITED}
        told_laps = ", ".join(f"{tool} {seconds:.2f} s" for tool, seconds in laps.items())
        out(f"  stopped after {LIMIT:,} errors: {told_laps}")


def _child(tool: str, name: str, path: Path, limit: int = 0) -> dict[str, Any]:
    """One tool in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.validate", tool, name, str(path), str(limit)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(told.stdout))


def run(tool: str, name: str, path: Path, limit: int) -> dict[str, Any]:
    """Seconds from bytes in memory to a verdict, peak memory, how many errors were found."""
    acts: dict[str, Callable[[str, Any], str]] = {
        "ours": partial(_ours, limit=limit),
        "harvested": _harvested,
        "frictionless": partial(_frictionless, limit=limit),
        "pandas": _pandas,
        "polars": _polars,
    }
    act = acts[tool]
    prepare = _columns if tool == "harvested" else bytes
    act(name, prepare(_head(path, 100)))  # modules that are loaded when they are first needed
    content = prepare(path.read_bytes())
    laps: list[float] = []
    used: list[float] = []
    while len(laps) < RUNS and sum(laps) < ENOUGH:
        start, cpu = time.perf_counter(), time.process_time()
        errors = act(name, content)
        laps.append(time.perf_counter() - start)
        used.append(time.process_time() - cpu)
    return {"seconds": min(laps), "cpu": min(used), "mb": _peak(), "errors": errors}


def _peak() -> float:
    """Of this process; what getrusage says may be the peak of the process that started it."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) / 1024


def _ours(name: str, content: bytes, limit: int = 0) -> str:
    report = judge(lambda: _resource(name, content), _checklist(name), limit)
    return str(report.stats["errors"])


def _columns(content: bytes) -> pl.DataFrame:
    return pl.read_csv(content, infer_schema=False).fill_null("")


def _harvested(name: str, frame: pl.DataFrame) -> str:
    content = to_csv(frame)
    report = judge(lambda: _resource(name, content), _checklist(name), 0, written=frame)
    return str(report.stats["errors"])


def _frictionless(name: str, content: bytes, limit: int = 0) -> str:
    report = _resource(name, content).validate(_checklist(name), limit_errors=limit)
    return str(report.stats["errors"])


def _same_report(name: str, path: Path) -> str:
    content = path.read_bytes()
    reports = [
        judge(lambda: _resource(name, content), _checklist(name)).to_descriptor(),
        _resource(name, content).validate(_checklist(name)).to_descriptor(),
    ]
    for report in reports:
        for stats in (report["stats"], report["tasks"][0]["stats"]):
            del stats["seconds"]
    return "yes" if reports[0] == reports[1] else "NO"


def _resource(name: str, content: bytes) -> TableResource:
    _, fields, key = TABLES[name]
    described = [
        {"name": column, "type": kind, "constraints": constraints}
        for column, (kind, constraints) in fields.items()
    ]
    return TableResource(
        name="table",
        data=content,
        scheme="buffer",
        format="csv",
        encoding="utf-8-sig",
        dialect=Dialect(controls=[CsvControl(delimiter=",", line_terminator="\r\n")]),
        schema=Schema.from_descriptor({"fields": described, "primaryKey": key}),
    )


def _checklist(name: str) -> Checklist:
    numbers = [
        column for column, (kind, _) in TABLES[name][1].items() if kind in {"number", "integer"}
    ]
    return Checklist(checks=[plain_numbers(columns=numbers), CITY])


def _pandas(name: str, content: bytes) -> str:
    """Types alone; it stops at the first cell that is of another type."""
    types = {"number": "float64", "integer": "Int64"}
    fields = TABLES[name][1]
    dtypes = {column: types.get(kind, "string") for column, (kind, _) in fields.items()}
    try:
        pd.read_csv(io.BytesIO(content), dtype=dtypes, encoding="utf-8-sig")
    except ValueError:
        return "stops"
    return "types"


def _polars(name: str, content: bytes) -> str:
    """Types and bounds of numbers as bare expressions: no messages, no keys, no proof of parity."""
    frame = pl.read_csv(content, infer_schema=False)
    wrong = []
    for column, (kind, constraints) in TABLES[name][1].items():
        if kind in {"number", "integer"}:
            number = pl.col(column).cast(pl.Float64, strict=False)
            bounds = constraints["minimum"], constraints["maximum"]
            wrong.append(~number.is_between(*bounds) | number.is_null())
        elif constraints.get("required"):
            wrong.append(pl.col(column).is_null())
    return str(frame.select(pl.any_horizontal(wrong).sum()).item())


def _written(name: str, fields: dict[str, Any], rows: int, share: float) -> bytes:
    """A table of invented places; the same bytes whenever it is made."""
    random.seed(name)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(fields)
    made = _log() if name == "plow log" else _list()
    step = round(1 / share) if share else 0
    columns = list(fields)
    faults = itertools.cycle([(columns.index(k), v) for k, v in FAULTS.items() if k in fields])
    for number, row in enumerate(itertools.islice(made, rows), 1):
        if step and number % step == 0:
            place, value = next(faults)
            row[place] = value
        writer.writerow(row)
    return text.getvalue().encode("utf-8-sig")


def _log() -> Iterator[list[Any]]:
    """250 vehicles, each heard every 20 seconds or so."""
    for number in itertools.count():
        second = number * 86_400 // 1_000_000 % 86_400
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        yield [f"2026-01-20T{clock}Z", f"95{number % 250:04d}", *_position(),
               random.randrange(360), f"{random.uniform(0, 40):.1f}", "plow", "avl"]  # fmt: skip


def _list() -> Iterator[list[Any]]:
    for number in itertools.count(1):
        block = f"{number % 9 + 1}番{number % 30 + 1}号"
        yield ["072028", f"{number:06d}", "会津若松市", "消火栓", f"福島県会津若松市追手町{block}",
               "福島県", "会津若松市", "追手町", block, "", *_position(), 100, ""]  # fmt: skip


def _position() -> tuple[str, str]:
    return f"{random.uniform(37.3, 37.6):.6f}", f"{random.uniform(139.8, 140.1):.6f}"


def _head(path: Path, rows: int) -> bytes:
    with path.open("rb") as file:
        return b"".join(itertools.islice(file, rows + 1))


if __name__ == "__main__":
    out(json.dumps(run(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
