"""Zips: packed alike from alike answers, and unpacked without trust in what they announce."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NoReturn

from harvesters.errors import NotTheListError

ZIP = b"PK\x03\x04"
TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file that is packed, so that equal answers give equal bytes."""
WORKBOOKS = frozenset(("[Content_Types].xml", "mimetype"))
"""Excel and OpenDocument files are zips, too, and hold these."""
MAX_RATIO = 200
"""Timetables shrink to a tenth or a thirtieth; only made-up files shrink more than this."""
SMALL = 1 << 20
"""Below this a file may shrink as much as it likes."""
METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
ENCRYPTED = 0x1


class ZipError(NotTheListError):
    """The zip cannot be read, or should not be; `reason` says in a word why."""

    def __init__(self, reason: str, ja: str, en: str) -> None:
        super().__init__(ja, en)
        self.reason = reason


@dataclass(kw_only=True)
class Budget:
    """What a zip, and all zips inside it, may unpack together."""

    bytes_left: int
    members_left: int


def pack(files: Mapping[str, bytes]) -> bytes:
    """The files by name as one zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, TIME), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(content: bytes, name: str, budget: Budget) -> dict[str, bytes]:
    """Path to bytes; looks at every entry before the first byte is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_bombs(entries, name, budget)
            for entry in entries:
                _refuse_entry(entry, name)
            kept = [entry for entry in entries if not _of_the_desktop(entry.filename)]
            _refuse_twins(kept, name)
            return {_path(entry): archive.read(entry) for entry in kept}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ZipError(
            "truncated",
            f"{name} は zip として始まりますが、途中で切れているか壊れています（{error}）。"
            "もう一度取得してください。",
            f"{name} begins as a zip but was cut off or damaged ({error}); fetch it again",
        ) from error


def is_workbook(content: bytes) -> bool:
    """Whether a zip is one of the kinds that spreadsheets are."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return bool(WORKBOOKS & set(archive.namelist()))
    except zipfile.BadZipFile:
        return False


def _refuse_bombs(entries: list[zipfile.ZipInfo], name: str, budget: Budget) -> None:
    """Python reads no more of an entry than its announced size, so the announcements can be counted."""
    total = sum(entry.file_size for entry in entries)
    budget.bytes_left -= total
    budget.members_left -= len(entries)
    if budget.members_left < 0:
        allowed = budget.members_left + len(entries)
        _refuse_bomb(name, f"ファイルが {allowed} 個より多い", f"more than {allowed} files")
    if budget.bytes_left < 0:
        size = f"{total / 1024**2:,.0f} MiB"
        _refuse_bomb(name, f"展開すると {size}", f"{size} when unpacked")
    for entry in entries:
        if entry.file_size > max(SMALL, MAX_RATIO * entry.compress_size):
            ratio = entry.file_size // max(entry.compress_size, 1)
            _refuse_bomb(
                name,
                f"{entry.filename} が {ratio:,} 倍に膨らむ",
                f"{entry.filename} grows {ratio:,} times",
            )


def _refuse_bomb(name: str, ja: str, en: str) -> NoReturn:
    raise ZipError(
        "zip_bomb",
        f"{name} は開きません。{ja}ため、サーバーを止める目的の zip かもしれません。"
        "提供元に確かめてください。",
        f"{name} is not opened: {en}, as in a zip made to stop a server; ask its publisher",
    )


def _refuse_entry(entry: zipfile.ZipInfo, name: str) -> None:
    path = PurePosixPath(_path(entry))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", str(path)):
        raise ZipError(
            "unsafe_path",
            f"{name} の中のファイル名 {path} は展開先の外を指しています。作り直してください。",
            f"{name} holds the path {path}, which leads out of its folder; make the zip anew",
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ZipError(
            "unsafe_path",
            f"{name} の {path} はリンクです。ファイルそのものを入れてください。",
            f"{path} in {name} is a link; put the file itself into the zip",
        )
    if entry.flag_bits & ENCRYPTED:
        raise ZipError(
            "encrypted",
            f"{name} の {path} は暗号化されています。パスワードなしの zip にしてください。",
            f"{path} in {name} is encrypted; make the zip without a password",
        )
    if entry.compress_type not in METHODS:
        raise ZipError(
            "compression",
            f"{name} の {path} は読めない方式（{entry.compress_type}）で圧縮されています。"
            "ふつうの zip（Deflate）で作り直してください。",
            f"{path} in {name} uses compression method {entry.compress_type}; use Deflate",
        )


def _refuse_twins(entries: list[zipfile.ZipInfo], name: str) -> None:
    paths = [_path(entry) for entry in entries]
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        raise ZipError(
            "duplicate_member",
            f"{name} に {path} が 2 回入っています。どちらか一つだけにしてください。",
            f"{name} holds {path} twice; keep one of them",
        )


def _path(entry: zipfile.ZipInfo) -> str:
    """Zips made by old Japanese Windows name folders in CP932, with backslashes."""
    path = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            path = path.encode("cp437").decode("cp932")
        except UnicodeError:
            path = entry.filename
    return path.replace("\\", "/") if entry.create_system == 0 else path


def _of_the_desktop(path: str) -> bool:
    """What macOS and Windows leave in every zip."""
    parts = PurePosixPath(path).parts
    return parts[0] == "__MACOSX" or parts[-1].startswith("._") or parts[-1] in {
        ".DS_Store", "Thumbs.db", "desktop.ini",
    }  # fmt: skip
