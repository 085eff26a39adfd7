"""The files of one GTFS feed out of the bytes of a zip; anything that is not one is refused by name."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from harvesters import zips
from harvesters.gtfs.kinds import NotAFeedError, refuse_known_kinds, refuse_unknown_kind
from harvesters.zips import Budget, ZipError

MAX_MEMBERS = 1_000
MAX_BYTES = 1 << 30
"""Of one archive when unpacked; the largest feeds of whole countries stay below."""
MAX_NESTING = 2
CORE = frozenset(("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt"))


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
    """The files of a zip; what is none is refused by its kind."""
    if not content.startswith(b"PK"):
        refuse_known_kinds(content, name, "zip")
        if not zipfile.is_zipfile(io.BytesIO(content)):
            refuse_unknown_kind(content, name, "zip")
    try:
        return zips.unpack(content, name, budget)
    except ZipError as error:
        raise NotAFeedError(error.reason, *error.words) from error


def _is_zip(path: str, content: bytes) -> bool:
    return path.lower().endswith(".zip") or content.startswith(zips.ZIP)


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
