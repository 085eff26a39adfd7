"""How fast two versions of a table of 1,000,000 rows are compared: ours, beside a plain pandas merge."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pandas as pd

from benchmarks.validate import LOG, _log, _peak
from ckanext.aizu.diff import Table, compare
from stack.settings import ROOT
from stack.supervisor import out

VAR = ROOT / "var" / "bench-diff"
ROWS = 1_000_000
GOAL = 5.0
"""Seconds."""
RUNS = 3
"""The best of so many counts, since other programs run beside them."""
FIELDS = {"id": "string"} | {name: kind for name, (kind, _) in LOG.items()}
KEY = ["id"]
CASES: dict[str, tuple[float, list[str]]] = {
    "nothing changed": (0.0, KEY),
    "1 % changed": (0.01, KEY),
    "50 % changed": (0.5, KEY),
    "all new": (1.0, KEY),
    "1 % changed, no key": (0.01, []),
    "50 % changed, no key": (0.5, []),
}


def measure() -> None:
    """Prints a line for each case and tool; each reads the files and counts what differs."""
    VAR.mkdir(parents=True, exist_ok=True)
    rows = _rows()
    before = _written(VAR / "before.csv", rows)
    size = before.stat().st_size / 1e6
    out(f"{ROWS:,} rows, {len(FIELDS)} columns, {size:.0f} MB each; goal {GOAL:g} s")
    out(f"{'':30}seconds  CPU s   peak MB     added   changed   removed    a page")
    for name, (share, key) in CASES.items():
        after = _written(VAR / "after.csv", _changed(rows, share))
        for tool in TOOLS:
            _line(f"{name}, {tool}", _child(tool, key, before, after))
    for path in VAR.iterdir():
        path.unlink()
    VAR.rmdir()


def _line(name: str, told: dict[str, float]) -> None:
    counts = "".join(f"{told[what]:>10,.0f}" for what in ("added", "changed", "removed"))
    page = f"{told['page']:>8.2f} s" if "page" in told else ""
    out(f"  {name:26}{told['seconds']:>9.2f}{told['cpu']:>7.2f}{told['mb']:>10,.0f}{counts}{page}")


def _child(tool: str, key: list[str], *paths: Path) -> dict[str, float]:
    """One tool in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.diff", tool, ",".join(key), *map(str, paths)]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


def _ours(key: list[str], before: Path, after: Path) -> dict[str, float]:
    fields = [{"name": name, "type": kind} for name, kind in FIELDS.items()]
    old, new = (Table(content=path, fields=fields, key=tuple(key)) for path in (before, after))
    lap = _lap()
    diff = compare(old, new)
    told = {what: getattr(diff.counts, what) for what in ("added", "changed", "removed")} | lap()
    lap = _lap()
    list(diff.rows(max(0, len(diff.places) - 100), 100))
    return told | {"page": lap()["seconds"]}


def _pandas(key: list[str], before: Path, after: Path) -> dict[str, float]:
    """An outer merge by key, or by all columns and how often a row was seen before."""
    lap = _lap()
    old, new = (
        pd.read_csv(path, dtype="string", keep_default_na=False) for path in (before, after)
    )
    on = key
    if not key:
        on = [*FIELDS, "nth"]
        for frame in (old, new):
            frame["nth"] = frame.groupby(list(FIELDS)).cumcount()
    both = old.merge(new, on=on, how="outer", suffixes=("", "_new"), indicator=True)
    rest = [name for name in FIELDS if name not in on]
    kept = both[both["_merge"] == "both"]
    differs = pd.DataFrame({name: kept[name] != kept[f"{name}_new"] for name in rest})
    sides = both["_merge"].value_counts()
    changed = int(differs.any(axis=1).sum())
    added, removed = int(sides["right_only"]), int(sides["left_only"])
    return {"added": added, "changed": changed, "removed": removed} | lap()


def _lap() -> Callable[[], dict[str, float]]:
    """Seconds by the clock, and of the processors, which other programs lengthen less."""
    clock, work = time.perf_counter(), time.process_time()
    return lambda: {"seconds": time.perf_counter() - clock, "cpu": time.process_time() - work}


TOOLS: dict[str, Callable[[list[str], Path, Path], dict[str, float]]] = {
    "ours": _ours,
    "pandas": _pandas,
}


def _rows() -> list[list[str]]:
    """The plow log that `scripts/bench validate` uses, with a number for each row."""
    made = itertools.islice(_log(), ROWS)
    return [[f"{number:08d}", *map(str, row)] for number, row in enumerate(made)]


def _changed(rows: list[list[str]], share: float) -> list[list[str]]:
    """The same rows with another speed in a share of them; all of them are new ones if it is 1."""
    if share == 1:
        return [[f"N{row[0]}", *row[1:]] for row in rows]
    random, speed = Random(share), list(FIELDS).index("speed")  # noqa: S311  nothing secret
    return [
        [*row[:speed], "99", *row[speed + 1 :]] if random.random() < share else row for row in rows
    ]


def _written(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    lines = [",".join(row) for row in (list(FIELDS), *rows)]
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    return path


def run(tool: str, key: list[str], before: Path, after: Path) -> dict[str, float]:
    """The best of some runs, with the peak memory of all."""
    told = min((TOOLS[tool](key, before, after) for _ in range(RUNS)), key=lambda t: t["seconds"])
    return told | {"mb": _peak()}


if __name__ == "__main__":
    _, tool, key, *paths = sys.argv
    out(json.dumps(run(tool, key.split(",") if key else [], *map(Path, paths))))
