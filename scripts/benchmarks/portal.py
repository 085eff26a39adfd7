"""How long the portal takes to start, first and again, and how fast its pages answer."""

import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from stack.settings import ROOT
from stack.supervisor import out

VAR = ROOT / "var" / "bench"
PORT = 5090
REQUESTS, WARM_UP = 60, 5
HYDRANT = "aizuwakamatsu-hydrant"
ADDRESSES = {
    "home": "/",
    "search page": "/dataset/?q=消火栓",
    "dataset page": f"/dataset/{HYDRANT}",
    "package_search": '/api/3/action/package_search?q=消火栓&facet.field=["organization","groups"]',
    "package_show": f"/api/3/action/package_show?id={HYDRANT}",
}


def measure() -> None:
    """Prints laps of two starts, memory, and p50 and p95 of each address."""
    shutil.rmtree(VAR, ignore_errors=True)
    out("First start (packages in place, empty folder)")
    with running(VAR, PORT):
        pass
    out("\nSecond start")
    with running(VAR, PORT):
        time.sleep(8)  # the harvest that follows a start would be measured with the pages
        out("\nMemory (PSS)")
        out(_serve("--status").stdout.rstrip())
        out(f"\nAnswers, one after another, {REQUESTS} each       p50        p95")
        for name, path in ADDRESSES.items():
            times = _times(f"http://127.0.0.1:{PORT}{path}")
            p95 = statistics.quantiles(times, n=20)[-1]
            out(f"  {name:40} {statistics.median(times):7.1f} ms {p95:7.1f} ms")
    shutil.rmtree(VAR, ignore_errors=True)


@contextmanager
def running(var: Path, port: int) -> Iterator[None]:
    """A portal of its own, as scripts/serve starts it."""
    command = [str(ROOT / "scripts" / "serve"), "--var", str(var), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None, "asked for above"
    try:
        for line in process.stdout:
            out(line.rstrip())
            if line.startswith("Ready"):
                break
        yield
    finally:
        process.terminate()
        process.communicate()


def _serve(*words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(ROOT, "scripts", "serve")), "--var", str(VAR), "--port", str(PORT), *words]
    return subprocess.run(command, capture_output=True, text=True)


def _times(url: str) -> list[float]:
    """Milliseconds of each request after the warm-up, over one connection."""
    found = []
    with requests.Session() as session:
        for _ in range(REQUESTS + WARM_UP):
            start = time.perf_counter()
            session.get(url, timeout=60).raise_for_status()
            found.append((time.perf_counter() - start) * 1000)
    return found[WARM_UP:]
