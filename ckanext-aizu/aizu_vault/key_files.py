"""Files of keys: made whole, readable by their owner alone, and refused when others may read them."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


class KeysError(Exception):
    """A key cannot be had.

    KeysError
    ├── ExposedError     others may read a file of keys
    ├── ErasedError      the person's key was destroyed; there is no way back
    └── MasterError      the keys are wrapped by another master key, or were altered
    """


class ExposedError(KeysError):
    """Others may read a file of keys."""


def check_private(path: Path) -> None:
    """Sees that nobody but the owner may read it.

    Raises:
        ExposedError: others may; the message names the file and its mode.
    """
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ExposedError(
            f"{path}: others may read this file of keys (mode {mode:o}); expected 600"
        )


def read_private(path: Path) -> bytes:
    """The content of a file that its owner alone may read, without space around it."""
    check_private(path)
    return path.read_bytes().strip()


def make_private(path: Path, content: bytes) -> None:
    """Makes the file if there is none, whole and readable by its owner alone from the first moment on.

    Of several processes that begin at once one makes it; a key is never replaced.
    """
    if path.exists():
        return
    half = _half(path, content)
    try:
        with suppress(FileExistsError):
            path.hardlink_to(half)
    finally:
        half.unlink()


def write_private(path: Path, content: bytes) -> None:
    """Writes what may change, whole or not at all; a file that says the same already is left alone."""
    if not path.exists() or path.read_bytes() != content:
        _half(path, content).replace(path)


def _half(path: Path, content: bytes) -> Path:
    """The content on disk under another name."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 600
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
    return Path(half)
