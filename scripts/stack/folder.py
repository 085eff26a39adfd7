"""The folder of one portal's data: who may look into it, and that only one portal works in it."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stack.settings import Settings
from stack.supervisor import StartError, out

DISK_MB = 500
# PostgreSQL and the workers of nginx, which are other users where root starts them, keep out of these.
PRIVATE = ("harvest", "log", "redis", "storage")


def make(told: Settings) -> None:
    """Makes the folders below `var/`; root's go where PostgreSQL, which is not root, may enter.

    Raises:
        StartError: the folder cannot be used; the message says why.
    """
    # What must be closed to others is closed by name; PostgreSQL has to get through the rest.
    os.umask(0o022)
    _refuse_unusable(told.var)
    if os.geteuid() == 0:
        _open_to_servers(told.var)
    for name in (*PRIVATE, "run"):
        (told.var / name).mkdir(parents=True, exist_ok=True)
    for name in PRIVATE:
        (told.var / name).chmod(0o700)
    free = shutil.disk_usage(told.var).free // 1_000_000
    if free < DISK_MB:
        raise StartError(
            f"{told.var} has {free} MB left, {DISK_MB} MB are needed; make room or choose --var"
        )


def _refuse_unusable(var: Path) -> None:
    if var.is_symlink() and not var.exists():
        raise StartError(
            f"{var} is a link to {var.readlink()}, which is not there; bring that folder back, or "
            "delete the link to begin with an empty portal"
        )
    if var.exists() and not var.is_dir():
        raise StartError(f"{var} is a file; a folder is needed, choose another with --var")


def _open_to_servers(var: Path) -> None:
    """Sees to it that users other than root may enter; a new folder in a closed one becomes a link."""
    closed = closed_to_others(var.resolve())
    if not closed:
        return
    if var.exists():
        raise StartError(
            f"{closed} is closed to other users, and PostgreSQL, which root may not run, could not "
            f"enter {var}; open it (chmod a+x {closed}) or choose another folder with --var"
        )
    name = hashlib.sha256(str(var).encode()).hexdigest()[:8]
    open_place = Path("/var/lib") / f"aizu-portal-{name}"
    open_place.mkdir(exist_ok=True)
    var.parent.mkdir(parents=True, exist_ok=True)
    var.symlink_to(open_place)
    out(f"{closed} is closed to other users, so {var} is a link to {open_place}")


def closed_to_others(folder: Path) -> Path | None:
    """The folder, or the first above it, that other users may not enter; None if all may be entered."""
    found = (each for each in (*reversed(folder.parents), folder) if each.exists())
    return next((each for each in found if not each.stat().st_mode & 1), None)


@contextmanager
def only_one(told: Settings) -> Iterator[IO[str]]:
    """Holds the folder's lock while the portal runs; the kernel lets go of it even after kill -9."""
    with _lock_file(told).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"a portal with the data in {told.var} runs already; see --status, or give "
                "this one its own --var and --port"
            ) from None
        lock.truncate(0)
        yield lock


def running_pid(told: Settings) -> int | None:
    """The process that holds the folder's lock, 0 while it installs packages, None if there is none."""
    file = _lock_file(told)
    if not file.exists():
        return None
    with file.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read() or 0)
    return None


def _lock_file(told: Settings) -> Path:
    return told.var / "run" / "serve.lock"


def write_private(file: Path, text: str) -> None:
    """Writes a file that only its owner may read, whole or not at all."""
    half = file.with_name(f"{file.name}.new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    half.replace(file)
