"""What runs leave on disk, below `$AIZU_VAR/harvest/<city>/<source>/`; every file whole or not at all."""

import json
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from harvesters.errors import ConfigurationError
from harvesters.fetch import Snapshot


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The folder of one source of one city."""

    path: Path

    def keep_snapshot(self, snapshot: Snapshot) -> Path:
        """Keeps the bytes under their hash, and beside them where and when they came from."""
        content = self.path / "snapshots" / snapshot.sha256
        if not content.exists():
            write_whole(content, snapshot.content)
        about = {
            "url": snapshot.url,
            "filename": snapshot.filename,
            "fetched_at": snapshot.fetched_at.isoformat(),
            "sha256": snapshot.sha256,
            "media_type": snapshot.media_type,
            "etag": snapshot.etag,
            "last_modified": snapshot.last_modified,
        }
        self._write("snapshot.json", about)
        return content

    def last_snapshot(self) -> Snapshot | None:
        """The snapshot kept last, if its bytes are still what they were."""
        about = self._read("snapshot.json")
        if about is None or not re.fullmatch(r"[0-9a-f]{64}", known := about.pop("sha256")):
            return None
        content = self.path / "snapshots" / known
        if not content.is_file() or sha256(data := content.read_bytes()).hexdigest() != known:
            return None
        about["fetched_at"] = datetime.fromisoformat(about["fetched_at"])
        return Snapshot(content=data, **about)

    def keep_report(self, report: dict[str, Any]) -> None:
        """Keeps the report of the last validation."""
        self._write("report.json", report)

    def keep_status(self, status: dict[str, Any]) -> None:
        """Keeps how the last run ended."""
        self._write("status.json", status)

    def status(self) -> dict[str, Any] | None:
        """How the last run ended, if there was one."""
        return self._read("status.json")

    def _write(self, name: str, value: dict[str, Any]) -> None:
        text = json.dumps(value, ensure_ascii=False, indent=1)
        write_whole(self.path / name, text.encode())

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        if not path.is_file():
            return None
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return value


def folder(var: Path, city: str, source: str) -> Folder:
    """Where one source of one city keeps its things."""
    return Folder(path=var / "harvest" / city / source)


def statuses(var: Path) -> list[dict[str, Any]]:
    """How the last run of every source of every city ended."""
    paths = sorted((var / "harvest").glob("*/*/status.json"))
    return [status for path in paths if (status := Folder(path=path.parent).status())]


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside the place and renames, so that an interrupted run leaves no half file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{path} に書けません（{error.strerror}）。AIZU_VAR を確かめてください。",
            f"cannot write {path} ({error.strerror}); check AIZU_VAR",
        ) from error
