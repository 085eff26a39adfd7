"""What runs leave on disk, below `$AIZU_VAR/harvest/<city>/<source>/`; every file whole or not at all."""

import json
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from harvesters.errors import ConfigurationError
from harvesters.fetch import Part, Snapshot
from harvesters.words import Words

SNAPSHOT, STATUS, REPORT = "snapshot.json", "status.json", "report.json"
NEEDED = {
    SNAPSHOT: (
        "url", "filename", "fetched_at", "sha256", "media_type", "etag", "last_modified",
    ),
    STATUS: ("city", "source", "state", "message", "message_en", "checked_at"),
}  # fmt: skip
"""The texts without which a file of ours cannot be used; those in `_at` are instants."""
KEPT_SNAPSHOTS = 10
HALF = ".new-"
"""How the name of a file begins that is not whole yet."""
HALF_FORGOTTEN_S = 3600
"""No run takes so long over a file: who wrote it was killed."""
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The folder of one source of one city."""

    path: Path

    def keep_snapshot(self, snapshot: Snapshot) -> Path:
        """Keeps the bytes under their hash, and beside them where and when they came from."""
        content = self.path / "snapshots" / snapshot.sha256
        write_whole(content, snapshot.content)
        about = {
            "url": snapshot.url,
            "filename": snapshot.filename,
            "fetched_at": snapshot.fetched_at.isoformat(),
            "sha256": snapshot.sha256,
            "media_type": snapshot.media_type,
            "etag": snapshot.etag,
            "last_modified": snapshot.last_modified,
            "parts": [asdict(part) for part in snapshot.parts],
        }
        self._write(SNAPSHOT, about)
        self._prune(snapshot.sha256)
        return content

    def seen_again(self, snapshot: Snapshot) -> None:
        """Notes of a snapshot that is kept that the source still has it: it is forgotten last."""
        with _translated(path := self.path / "snapshots" / snapshot.sha256):
            path.touch()

    def last_snapshot(self) -> Snapshot | None:
        """The snapshot kept last, if its bytes are still what they were."""
        about = self._read(SNAPSHOT)
        if about is None or not HASH.fullmatch(known := about["sha256"]):
            return None
        content = self.path / "snapshots" / known
        if not content.is_file() or sha256(data := content.read_bytes()).hexdigest() != known:
            return None
        told = {key: about[key] for key in NEEDED[SNAPSHOT] if key not in {"sha256", "fetched_at"}}
        when = datetime.fromisoformat(about["fetched_at"])
        return Snapshot(content=data, fetched_at=when, parts=_parts(about), **told)

    def keep_report(self, report: dict[str, Any]) -> None:
        """Keeps the report of the last validation."""
        self._write(REPORT, report)

    def report(self) -> tuple[dict[str, Any], datetime] | None:
        """The report that was kept last, and when; nothing where there is none that can be used."""
        told = self._read(REPORT)
        if told is None or not isinstance(told.get("aizu"), dict):
            return None
        written = (self.path / REPORT).stat().st_mtime
        return told, datetime.fromtimestamp(written, UTC)

    def keep_status(self, status: dict[str, Any]) -> None:
        """Keeps how the last run ended."""
        self._write(STATUS, status)

    def status(self) -> dict[str, Any] | None:
        """How the last run ended, if there was one."""
        return self._read(STATUS)

    def broken(self) -> list[Words]:
        """Says which files of ours are there but cannot be used, and count as absent."""
        paths = [self.path / name for name in NEEDED]
        return [
            Words(f"{path} は壊れているので使いません。", f"{path} is broken and not used.")
            for path in paths
            if path.exists() and self._read(path.name) is None
        ]

    def _write(self, name: str, value: dict[str, Any]) -> None:
        text = json.dumps(value, ensure_ascii=False, indent=1)
        write_whole(self.path / name, text.encode())

    def _read(self, name: str) -> dict[str, Any] | None:
        """A file of ours; nothing where it is absent, cut off or not what we write."""
        try:
            value = json.loads((self.path / name).read_bytes())
        except (OSError, ValueError):
            return None
        return value if _usable(value, NEEDED.get(name, ())) else None

    def _prune(self, named: str) -> None:
        """Forgets the bytes that were not sent again for longest, but never those just named."""
        paths = [path for path in (self.path / "snapshots").iterdir() if HASH.fullmatch(path.name)]
        others = [path for path in paths if path.name != named]
        others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in others[KEPT_SNAPSHOTS - 1 :]:
            path.unlink(missing_ok=True)


def _usable(value: object, needed: Iterable[str]) -> bool:
    if not isinstance(value, dict):
        return False
    texts = {key: value.get(key) for key in needed}
    return all(
        isinstance(text, str) and (not key.endswith("_at") or _instant(text))
        for key, text in texts.items()
    )


def _parts(about: dict[str, Any]) -> tuple[Part, ...]:
    """The answers in a zip; without them all are asked for anew."""
    try:
        return tuple(Part(**part) for part in about.get("parts", []))
    except TypeError:
        return ()


def _instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def folder(var: Path, city: str, source: str) -> Folder:
    """Where one source of one city keeps its things."""
    return Folder(path=var / "harvest" / city / source)


def folders(var: Path) -> list[Folder]:
    """The folders of every source of every city that was ever run."""
    return [Folder(path=path.parent) for path in sorted((var / "harvest").glob("*/*/status.json"))]


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside the place and renames, so that an interrupted run leaves no half file."""
    with _translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _forget_halves(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=HALF)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)


def _forget_halves(folder: Path) -> None:
    """Removes what runs that were killed while they wrote have left."""
    long_ago = time.time() - HALF_FORGOTTEN_S
    for half in folder.glob(f"{HALF}*"):
        with suppress(FileNotFoundError):
            if half.stat().st_mtime < long_ago:
                half.unlink()


def add_to(path: Path, text: str) -> None:
    """Adds to a log."""
    with _translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """A full disk or a closed folder is a matter of the configuration."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{path} に書けません（{error.strerror}）。AIZU_VAR を確かめてください。",
            f"cannot write {path} ({error.strerror}); check AIZU_VAR",
        ) from error
