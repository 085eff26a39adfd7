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
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import polars as pl
from frictionless import Checklist, Dialect, Schema
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

from harvesters.checks import inside_city, plain_numbers
from harvesters.validation.judge import judge
from stack.settings import ROOT
from stack.supervisor import out

VAR = ROOT / "var" / "bench-validate"
SHARES = (0.0, 0.001, 0.1)
SAMPLE = 50_000
"""Rows of a larger table that Frictionless and the comparison of reports are given."""
GOAL = 25
RUNS, ENOUGH = 5, 10.0
"""The best of so many runs counts, since other programs run beside them; fewer if they take long."""
random = Random("tables")  # noqa: S311  nothing secret
TOOLS = ("frictionless", "ours", "pandas", "polars")

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
    out("                        rows/s   ratio   peak MB   errors  (ratio: to Frictionless)")
    speed = {}
    for tool in TOOLS:
        sampled = tool == "frictionless" and rows > SAMPLE
        told = _child(tool, name, sample if sampled else path)
        speed[tool] = (SAMPLE if sampled else rows) / told["seconds"]
        ratio = speed[tool] / speed["frictionless"]
        note = f"  (first {SAMPLE:,} rows)" if sampled else ""
        out(
            f"  {tool:14}{speed[tool]:14,.0f}{ratio:8.1f}{told['mb']:10,.0f}"
            f"{told['errors']:>9}{note}"
        )
    ratio, same = speed["ours"] / speed["frictionless"], _same_report(name, sample)
    goal = "" if share > 0.001 else f" (goal {GOAL})"
    out(f"  ours / Frictionless {ratio:.1f}{goal}; same report on {SAMPLE:,} rows: {same}")


def _child(tool: str, name: str, path: Path) -> dict[str, Any]:
    """One tool in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.validate", tool, name, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(told.stdout))


def run(tool: str, name: str, path: Path) -> dict[str, Any]:
    """Seconds from bytes in memory to a verdict, peak memory, how many errors were found."""
    act: Callable[[str, bytes], str] = {
        "ours": _ours,
        "frictionless": _frictionless,
        "pandas": _pandas,
        "polars": _polars,
    }[tool]
    act(name, _head(path, 100))  # modules that are loaded when they are first needed
    content = path.read_bytes()
    laps: list[float] = []
    while len(laps) < RUNS and sum(laps) < ENOUGH:
        start = time.perf_counter()
        errors = act(name, content)
        laps.append(time.perf_counter() - start)
    return {"seconds": min(laps), "mb": _peak(), "errors": errors}


def _peak() -> float:
    """Of this process; what getrusage says may be the peak of the process that started it."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) / 1024


def _ours(name: str, content: bytes) -> str:
    report = judge(lambda: _resource(name, content), _checklist(name), 0)
    return str(report.stats["errors"])


def _frictionless(name: str, content: bytes) -> str:
    report = _resource(name, content).validate(_checklist(name), limit_errors=0)
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
    out(json.dumps(run(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
