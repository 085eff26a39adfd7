"""Runs the lines of the Procfile: starts them in order, restarts what dies, and stops exactly what it started."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import NoReturn

from stack.packages import program, tied

STOP_SECONDS = 15
FIRST_PAUSE, LONGEST_PAUSE, SETTLED_AFTER = 1.0, 60.0, 60.0
LOG_BYTES = 20_000_000
# PostgreSQL takes SIGTERM as "wait until every client has gone"; SIGINT is its orderly fast stop.
STOP_SIGNALS = {"postgres": signal.SIGINT, "nginx": signal.SIGQUIT}


class StartError(Exception):
    """A process did not come up; the message names it, its log and its last words."""


@dataclass(kw_only=True)
class Process:
    """One line of the Procfile and what became of it."""

    name: str
    command: list[str]
    user: str | None
    log: Path
    once: bool = False
    popen: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    not_before: float = 0.0

    @property
    def running(self) -> bool:
        """Whether it lives now."""
        return self.popen is not None and self.popen.poll() is None


@dataclass(kw_only=True)
class Supervisor:
    """The processes of one portal; children die with it, even by `kill -9`."""

    environment: Mapping[str, str]
    logs: Path
    state: Path
    say: Callable[[str], None]
    address: str = ""
    processes: dict[str, Process] = field(default_factory=dict)

    def start(self, name: str, line: str, *, user: str | None = None, once: bool = False) -> None:
        """Starts one line of the Procfile; `$NAME` in it is taken from the environment.

        Args:
            name: of the process, of its log and in messages.
            line: the command.
            user: the ordinary user it runs as when root starts it.
            once: it is meant to end by itself and is not started again.
        """
        command = [Template(word).substitute(self.environment) for word in shlex.split(line)]
        log = self.logs / f"{name}.log"
        process = Process(name=name, command=command, user=user, log=log, once=once)
        self.processes[name] = process
        self._spawn(process)

    def _spawn(self, process: Process) -> None:
        if process.log.exists() and process.log.stat().st_size > LOG_BYTES:
            process.log.replace(process.log.with_suffix(".log.1"))
        binary = self._find(process.command[0])
        drop = (
            [f"--reuid={process.user}", f"--regid={process.user}", "--init-groups"]
            if process.user
            else []
        )
        tie = tied(STOP_SIGNALS.get(process.name, signal.SIGTERM), *drop)
        with process.log.open("ab") as output:
            process.popen = subprocess.Popen(
                [*tie, binary, *process.command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                cwd=self.environment["AIZU_ROOT"],
                start_new_session=True,
            )
        process.started = time.monotonic()
        self.write_state()

    def _find(self, name: str) -> str:
        inside = Path(self.environment["AIZU_VENV"]) / "bin" / name
        return str(inside) if inside.exists() else program(name) or name

    def wait(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Waits until a process answers.

        Raises:
            StartError: it ended, or did not answer in time.
        """
        process = self.processes[name]
        deadline = time.monotonic() + seconds
        while True:
            if not process.running:
                raise StartError(self._last_words(process, "ended at once"))
            # Asked again: what answered may be another program on the same port.
            if ready() and process.running:
                return
            if time.monotonic() > deadline:
                raise StartError(
                    self._last_words(process, f"did not answer within {seconds:.0f} s")
                )
            time.sleep(0.05)

    def _last_words(self, process: Process, what: str) -> str:
        lines = process.log.read_text(errors="replace").strip().splitlines()[-3:]
        return "\n    ".join([f"{process.name} {what}; its log {process.log} ends:", *lines])

    def watch(self) -> NoReturn:
        """Restarts what dies, with growing pauses, until it is interrupted."""
        while True:
            for process in self.processes.values():
                self._look_after(process)
            time.sleep(0.2)

    def _look_after(self, process: Process) -> None:
        now = time.monotonic()
        if process.running or process.once:
            return
        if process.popen is not None:
            code = process.popen.returncode
            _end_group(process.popen.pid)
            if now - process.started > SETTLED_AFTER:
                process.pause = FIRST_PAUSE
            process.not_before = now + process.pause
            process.popen = None
            self.say(
                f"{process.name} ended (exit {code}); starting it again in {process.pause:.0f} s, "
                f"its log: {process.log}"
            )
            process.pause = min(process.pause * 2, LONGEST_PAUSE)
        elif now >= process.not_before:
            self._spawn(process)

    def stop(self) -> None:
        """Stops everything it started, the last first, and waits for the end of each."""
        for process in reversed(self.processes.values()):
            popen = process.popen
            if popen is None or popen.poll() is not None:
                continue
            popen.send_signal(STOP_SIGNALS.get(process.name, signal.SIGTERM))
            try:
                popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.say(f"{process.name} did not stop within {STOP_SECONDS} s and is ended")
            _end_group(popen.pid)
            popen.wait()
        self.state.unlink(missing_ok=True)

    def write_state(self) -> None:
        """Leaves word for `--status`: who runs as which process, and where people reach them."""
        running = {p.name: p.popen.pid for p in self.processes.values() if p.popen}
        temporary = self.state.with_suffix(".new")
        temporary.write_text(json.dumps({"address": self.address, "processes": running}))
        temporary.replace(self.state)


def _end_group(group: int) -> None:
    """Ends what a process has left behind: a worker that was killed leaves its scheduler."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def read_procfile(file: Path) -> dict[str, str]:
    """The lines of a Procfile by name, in their order.

    Raises:
        StartError: a line is not `name: command`.
    """
    lines: dict[str, str] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, command = line.partition(":")
        if not colon or not command.strip():
            raise StartError(f"{file}, line {number}: expected `name: command`, found {line!r}")
        lines[name.strip()] = command.strip()
    return lines


def memory_mb(pid: int) -> float:
    """Memory of a process and its children in MB, shared pages counted once (PSS)."""
    total = 0
    for member in _family(pid):
        try:
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
        except (OSError, ProcessLookupError):
            continue
        total += sum(
            int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
        )
    return total / 1024


def _family(pid: int) -> list[int]:
    family = [pid]
    for member in family:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                family += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return family


def out(line: str) -> None:
    """Prints a line at once, so that it also appears where output is a file."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
