"""Other portals on the machine of the tests: started, looked at and stopped as an operator does."""

import json
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVE = ROOT / "scripts" / "serve"
START_S, STOP_S = 120, 40


def serve(*words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs scripts/serve to its end."""
    return subprocess.run(
        [SERVE, *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=START_S,
        env={**os.environ, **environment},
    )


def free_port() -> int:
    """A port below those that the kernel lends to clients."""
    for port in random.sample(range(20000, 30000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("a hundred ports are taken")


def eventually(true: Callable[[], object], seconds: float = STOP_S) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.2)
    return False


@dataclass
class Copy:
    """A second portal on the same machine."""

    var: Path
    port: int = field(default_factory=free_port)
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *words: str) -> str:
        """Starts it and returns what it printed until it was ready."""
        self.begin(*words)
        return self.ready()

    def begin(self, *words: str) -> None:
        """Starts it and does not wait."""
        process = subprocess.Popen(
            [SERVE, "--var", self.var, "--port", str(self.port), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(process)

    def ready(self) -> str:
        """What it prints until it is ready."""
        printed = ""
        for line in self.running[-1].stdout or ():
            printed += line
            if line.startswith("Ctrl-C"):
                return printed
        raise AssertionError(printed)

    def end(self) -> None:
        """Stops it and deletes its folder."""
        serve("--stop", "--var", str(self.var))
        for process in self.running:
            process.communicate(timeout=STOP_S)
        shutil.rmtree(self.var, ignore_errors=True)

    def pids(self) -> dict[str, int]:
        """Its processes by name, as `--status` knows them."""
        state = json.loads((self.var / "run" / "state.json").read_text())
        return dict(state["processes"])

    def children(self) -> list[int]:
        """Processes that work for this copy, found by its folder in their command or environment."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if f"AIZU_VAR={self.var.resolve()}\0".encode() in environment:
                found.append(int(folder.name))
        return found
