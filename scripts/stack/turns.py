"""Portals of one machine start one after another: each chooses ports that are free, and opens them."""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stack.supervisor import out

TURN_SECONDS = 120


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Lets the portals of a machine choose and open their ports one after another."""
    lock = _machine_lock()
    try:
        if lock is not None:
            _wait_for_turn(lock)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _machine_lock() -> int | None:
    """One file for all users, opened so that nobody can lead us elsewhere; None where that fails."""
    file = Path(tempfile.gettempdir()) / "aizu-portal.lock"
    try:
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        # Another user's file can be locked, too, where it is only read.
        return os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None


def _wait_for_turn(lock: int) -> None:
    """Takes the lock; whoever holds it too long is no longer waited for."""
    deadline = time.monotonic() + TURN_SECONDS
    told = False
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                out("  another portal of this machine is starting; waiting for it …")
            told = True
            time.sleep(0.1)
        else:
            return
