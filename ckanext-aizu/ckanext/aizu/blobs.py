"""The files of all versions: each content is kept once, under its SHA-256, and never changed."""

import gzip
import hashlib
import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import ckan.plugins.toolkit as tk

MB = 1 << 20
ARRIVING = "arriving"
PACKED = ".gz"
WORTH_PACKING = 0.9
"""Of its size, at most."""
COMPRESSED = (b"PAR1", b"PMTiles", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff")
"""How files begin that do not get smaller, and are not tried again and again."""


def folder() -> Path:
    """Where they are."""
    return Path(tk.config["ckan.storage_path"]) / "versions"


def path(sha256: str) -> Path:
    """The file of this content, whether it is there or not."""
    return folder() / sha256[:2] / sha256


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """Files that came and that no version names yet."""

    place: Path
    sizes: dict[str, int] = field(default_factory=dict)

    def add(self, content: IO[bytes]) -> str:
        """Writes one beside the kept ones; returns its SHA-256."""
        digest, size = hashlib.sha256(), 0
        # Not before somebody keeps others from removing files: who prunes takes it for broken off.
        self.place.mkdir(parents=True, exist_ok=True)
        new = self.place / uuid.uuid4().hex
        content.seek(0)
        with new.open("wb") as file:
            while block := content.read(MB):
                digest.update(block)
                size += file.write(block)
            file.flush()
            os.fsync(file.fileno())
        content.seek(0)
        sha256 = digest.hexdigest()
        new.rename(self.path(sha256))
        self.sizes[sha256] = size
        return sha256

    def path(self, sha256: str) -> Path:
        """The file of a content that came."""
        return self.place / sha256

    def keep(self) -> None:
        """Moves them to the kept ones, to stay there even if the power fails."""
        for sha256 in self.sizes:
            _keep(self.path(sha256), path(sha256))


def _keep(new: Path, kept: Path) -> None:
    if kept.exists():
        new.unlink(missing_ok=True)
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    new.rename(kept)
    _packed(kept).unlink(missing_ok=True)
    for directory in (kept.parent, kept.parent.parent):
        _sync(directory)


def _sync(directory: Path) -> None:
    """Without this a new name may be lost when the power fails, though the content is on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def arriving() -> Iterator[Arrivals]:
    """Room for files that come; those that are not kept go again."""
    place = folder() / ARRIVING / uuid.uuid4().hex
    try:
        yield Arrivals(place=place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def is_kept(sha256: str) -> bool:
    """Whether the content is there, packed or not."""
    return path(sha256).exists() or _packed(path(sha256)).exists()


def opened(sha256: str) -> IO[bytes]:
    """Opens a content for reading.

    Raises:
        FileNotFoundError: it is not kept any more.
    """
    with suppress(FileNotFoundError):
        return path(sha256).open("rb")
    try:
        return cast("IO[bytes]", gzip.open(_packed(path(sha256)), "rb"))
    except FileNotFoundError:
        # Unpacked by somebody in this very moment.
        return path(sha256).open("rb")


def unpack(sha256: str) -> None:
    """Makes a content a plain file again, as those of current versions are.

    Raises:
        FileNotFoundError: it is not kept any more.
    """
    if not path(sha256).exists():
        with arriving() as new, opened(sha256) as content:
            new.add(content)
            new.keep()


def pack(sha256: str) -> bool:
    """Compresses a content that is seldom asked for; says whether it did, for it must get smaller."""
    plain = path(sha256)
    if not plain.exists() or _is_compressed(plain):
        return False
    half = folder() / ARRIVING / f"{uuid.uuid4().hex}{PACKED}"
    half.parent.mkdir(parents=True, exist_ok=True)
    with plain.open("rb") as content, half.open("wb") as file:
        # Without name and time, so that equal content gives equal bytes.
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
            shutil.copyfileobj(content, packed, MB)
        file.flush()
        os.fsync(file.fileno())
    if half.stat().st_size > plain.stat().st_size * WORTH_PACKING:
        half.unlink()
        return False
    half.rename(_packed(plain))
    _sync(plain.parent)
    plain.unlink()
    return True


def _is_compressed(plain: Path) -> bool:
    with plain.open("rb") as content:
        return content.read(max(map(len, COMPRESSED))).startswith(COMPRESSED)


def size(sha256: str) -> int:
    """Bytes on the disk; none if the content is not there."""
    for file in (path(sha256), _packed(path(sha256))):
        with suppress(FileNotFoundError):
            return file.stat().st_size
    return 0


def remove_all_but(named: Collection[str]) -> int:
    """Removes what no version names, and what broke off; returns how many contents went.

    Nobody may be about to name any: see `versions.alone_with_blobs`.
    """
    shutil.rmtree(folder() / ARRIVING, ignore_errors=True)
    gone = [f for f in folder().glob("??/*") if f.name.removesuffix(PACKED) not in named]
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def _packed(plain: Path) -> Path:
    return plain.with_name(plain.name + PACKED)
