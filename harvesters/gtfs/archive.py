"""The files of one GTFS feed out of the bytes of a zip; anything that is not one is refused by name."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NoReturn

from harvesters.gtfs.kinds import NotAFeedError, refuse_known_kinds, refuse_unknown_kind

MAX_MEMBERS = 1_000
MAX_BYTES = 1 << 30
"""Of one archive when unpacked; the largest feeds of whole countries stay below."""
MAX_RATIO = 200
"""Timetables shrink to a tenth or a thirtieth; only made-up files shrink more than this."""
SMALL = 1 << 20
"""Below this a file may shrink as much as it likes."""
MAX_NESTING = 2
CORE = frozenset(("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt"))
METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
ENCRYPTED = 0x1


@dataclass(kw_only=True)
class Budget:
    """What all zips inside one another may unpack together."""

    bytes_left: int
    members_left: int


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One feed: file name to bytes, and the folder or inner zip that it was found in."""

    folder: str
    files: dict[str, bytes]


def open_feed(content: bytes, name: str, choose: str = "") -> Archive:
    """The one feed of a zip, in whatever folder or inner zip it lies; `choose` picks one of several."""
    budget = Budget(bytes_left=MAX_BYTES, members_left=MAX_MEMBERS)
    found = dict(_feeds(content, name, "", budget, MAX_NESTING))
    if choose:
        if choose not in found:
            _refuse_choice(name, choose, list(found))
        return Archive(folder=choose, files=found[choose])
    if len(found) > 1:
        _refuse_several(name, list(found))
    folder, files = next(iter(found.items()))
    return Archive(folder=folder, files=files)


def members(content: bytes, name: str) -> dict[str, bytes]:
    """The files of a zip, whatever they are; bombs and broken zips are refused."""
    return _unpack(content, name, Budget(bytes_left=MAX_BYTES, members_left=MAX_MEMBERS))


def _feeds(
    content: bytes, name: str, within: str, budget: Budget, nesting: int
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Every folder that holds the tables of a feed, those of inner zips included."""
    files = _unpack(content, name, budget)
    inner = [path for path, part in files.items() if _is_zip(path, part)]
    if inner and not nesting:
        raise NotAFeedError(
            "nested_too_deep",
            f"{name} には zip の中の zip が {MAX_NESTING + 1} 重以上あります。展開して渡してください。",
            f"{name} holds zips more than {MAX_NESTING} deep; unpack it and hand over the feed",
        )
    folders = _folders(files)
    for folder in folders:
        label = "/".join(filter(None, (within, folder)))
        yield label, _in_folder(files, folder)
    for path in inner:
        label = "/".join(filter(None, (within, path)))
        shown = f"{name}/{path}"
        yield from _inner_feeds(files[path], shown, label, budget, nesting, needed=not folders)
    if not folders and not inner:
        _refuse_without_tables(name, list(files))


def _inner_feeds(
    content: bytes, name: str, label: str, budget: Budget, nesting: int, *, needed: bool
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """A zip beside the tables of a feed need not be one; alone it must."""
    try:
        yield from _feeds(content, name, label, budget, nesting - 1)
    except NotAFeedError as error:
        if needed or error.reason != "no_tables":
            raise


def _unpack(content: bytes, name: str, budget: Budget) -> dict[str, bytes]:
    """Path to bytes; looks at every entry before the first byte is unpacked."""
    if not content.startswith(b"PK"):
        refuse_known_kinds(content, name, "zip")
        if not zipfile.is_zipfile(io.BytesIO(content)):
            refuse_unknown_kind(content, name, "zip")
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
        raise NotAFeedError(
            "truncated",
            f"{name} は zip として始まりますが、途中で切れているか壊れています（{error}）。"
            "もう一度取得してください。",
            f"{name} begins as a zip but was cut off or damaged ({error}); fetch it again",
        ) from error


def _refuse_bombs(entries: list[zipfile.ZipInfo], name: str, budget: Budget) -> None:
    """Python reads no more of an entry than its announced size, so the announcements can be counted."""
    total = sum(entry.file_size for entry in entries)
    budget.bytes_left -= total
    budget.members_left -= len(entries)
    if budget.members_left < 0:
        _refuse_bomb(name, f"ファイルが {MAX_MEMBERS} 個より多い", f"more than {MAX_MEMBERS} files")
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
    raise NotAFeedError(
        "zip_bomb",
        f"{name} は開きません。{ja}ため、サーバーを止める目的の zip かもしれません。"
        "提供元に確かめてください。",
        f"{name} is not opened: {en}, as in a zip made to stop a server; ask its publisher",
    )


def _refuse_entry(entry: zipfile.ZipInfo, name: str) -> None:
    path = PurePosixPath(_path(entry))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", str(path)):
        raise NotAFeedError(
            "unsafe_path",
            f"{name} の中のファイル名 {path} は展開先の外を指しています。作り直してください。",
            f"{name} holds the path {path}, which leads out of its folder; make the zip anew",
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise NotAFeedError(
            "unsafe_path",
            f"{name} の {path} はリンクです。ファイルそのものを入れてください。",
            f"{path} in {name} is a link; put the file itself into the zip",
        )
    if entry.flag_bits & ENCRYPTED:
        raise NotAFeedError(
            "encrypted",
            f"{name} の {path} は暗号化されています。パスワードなしの zip にしてください。",
            f"{path} in {name} is encrypted; make the zip without a password",
        )
    if entry.compress_type not in METHODS:
        raise NotAFeedError(
            "compression",
            f"{name} の {path} は読めない方式（{entry.compress_type}）で圧縮されています。"
            "ふつうの zip（Deflate）で作り直してください。",
            f"{path} in {name} uses compression method {entry.compress_type}; use Deflate",
        )


def _refuse_twins(entries: list[zipfile.ZipInfo], name: str) -> None:
    paths = [_path(entry) for entry in entries]
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        raise NotAFeedError(
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


def _is_zip(path: str, content: bytes) -> bool:
    return path.lower().endswith(".zip") or content.startswith(b"PK\x03\x04")


def _folders(files: dict[str, bytes]) -> list[str]:
    """Folders with at least two of the tables that every feed has; else those with any of them."""
    held: dict[str, int] = {}
    for path in files:
        folder, _, file = path.rpartition("/")
        held[folder] = held.get(folder, 0) + (file in CORE)
    most = min(2, max(held.values(), default=0))
    return sorted(folder for folder, count in held.items() if count and count >= most)


def _in_folder(files: dict[str, bytes], folder: str) -> dict[str, bytes]:
    start = f"{folder}/" if folder else ""
    return {
        path.removeprefix(start): content
        for path, content in files.items()
        if path.startswith(start) and not _is_zip(path, content)
    }


def _refuse_without_tables(name: str, paths: list[str]) -> NoReturn:
    inside = ", ".join(sorted(paths)[:8]) or "—"
    raise NotAFeedError(
        "no_tables",
        f"{name} には GTFS の表（stops.txt、stop_times.txt など）がありません。中身: {inside}。"
        "GTFS の zip か確かめてください。",
        f"{name} holds no GTFS table such as stops.txt; it holds: {inside}. Is it the GTFS zip?",
    )


def _refuse_several(name: str, folders: list[str]) -> NoReturn:
    named = ", ".join(folder or "/" for folder in folders)
    example = next(filter(None, folders))
    raise NotAFeedError(
        "several_feeds",
        f"{name} に {len(folders)} 個のフィードがあります: {named}。市のファイルの url の後ろに #{example} のように付けて、どれを使うか選んでください。",
        f"{name} holds {len(folders)} feeds: {named}; choose one by writing it behind the url in the "
        f"city file, as in #{example}",
    )


def _refuse_choice(name: str, choose: str, folders: list[str]) -> NoReturn:
    named = ", ".join(folder or "/" for folder in folders)
    raise NotAFeedError(
        "unknown_feed",
        f"{name} に {choose} はありません。あるのは {named} です。",
        f"{name} holds no {choose}; it holds {named}",
    )
