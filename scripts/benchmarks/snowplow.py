"""How a day's log of the ploughs is read and judged: laps, rows a second, peak memory, beside pandas doing the plain equivalent."""

import csv
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from demo_city import plows
from harvesters.city import load_city
from harvesters.fetch import read_file
from harvesters.sources import snowplow
from harvesters.validate import validate
from stack.settings import ROOT
from stack.supervisor import out

VAR = ROOT / "var" / "bench-snowplow"
ROWS = 1_000_000
STEP_S = 20
"""Each vehicle is heard so often."""
MIDNIGHT = datetime(2026, 1, 19, 15, tzinfo=UTC)
MOST_MB, MOST_S = 1024, 15


def measure() -> None:
    """Prints a table of both, each in a process of its own, so that its peak memory is its own."""
    VAR.mkdir(parents=True, exist_ok=True)
    path = VAR / "log.csv"
    write(path)
    out(f"{ROWS:,} rows, {path.stat().st_size / 1e6:.0f} MB, in CP932 with Japanese local times")
    out(f"  {'':10}{'seconds':>10}{'rows/s':>12}{'peak MB':>10}  laps")
    for tool in ("ours", "pandas"):
        command = [sys.executable, "-m", "benchmarks.snowplow", tool, str(path)]
        told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        total = sum(told["laps"].values())
        laps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in told["laps"].items())
        good = total <= MOST_S and told["mb"] <= MOST_MB
        mark = "" if tool == "pandas" else " ✓" if good else " ✗"
        out(f"  {tool:10}{total:10.1f}{ROWS / total:12,.0f}{told['mb']:10,.0f}  {laps}{mark}")
    out(
        f"  (goal: {MOST_S} s and {MOST_MB:,} MB; pandas: types, UTC, last positions and no checks)"
    )
    path.unlink()
    VAR.rmdir()


def write(path: Path) -> None:
    """The log of a day, as a spreadsheet writes it."""
    start = int(MIDNIGHT.timestamp())
    with path.open("w", encoding="cp932", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(plows.HEADINGS)
        for number in range(ROWS // plows.VEHICLES):
            writer.writerows(plows.rows(start + number * STEP_S))


def _ours(path: Path) -> dict[str, float]:
    city = load_city("aizuwakamatsu")
    feed = city.feeds["snowplow"]
    laps, snapshot = {}, read_file(path)
    start = time.perf_counter()
    package = snowplow.normalise(snapshot, feed, city, lambda name: None)
    laps["normalise"] = time.perf_counter() - start
    start = time.perf_counter()
    verdict = validate(package, feed, city)
    laps["validate"] = time.perf_counter() - start
    if not verdict.valid or package.row_count != ROWS:
        raise SystemExit("the log is not valid")
    return laps


def _pandas(path: Path) -> dict[str, float]:
    """What a script for one vendor would do."""
    start = time.perf_counter()
    frame = pd.read_csv(path, encoding="cp932", dtype={"車両番号": "string"})
    frame["日時"] = pd.to_datetime(frame["日時"]).dt.tz_localize("Asia/Tokyo").dt.tz_convert("UTC")
    frame["ブレード"] = frame["ブレード"].map({"下げ": True, "上げ": False})
    frame = frame.drop_duplicates()
    frame.sort_values("日時").groupby("車両番号").tail(1)
    read = time.perf_counter() - start
    start = time.perf_counter()
    frame.to_csv(VAR / "clean.csv", index=False)
    (VAR / "clean.csv").unlink()
    return {"read": read, "write": time.perf_counter() - start}


def _peak() -> float:
    """In MiB, of this process alone."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) / 1024


TOOLS: dict[str, Callable[[Path], dict[str, float]]] = {"ours": _ours, "pandas": _pandas}


def run(tool: str, path: Path) -> dict[str, Any]:
    """Laps and peak memory of one tool."""
    return {"laps": TOOLS[tool](path), "mb": _peak()}


if __name__ == "__main__":
    out(json.dumps(run(sys.argv[1], Path(sys.argv[2]))))
