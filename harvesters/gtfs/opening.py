"""A file that was fetched as a timetable or as real-time messages, and which of the two it is."""

import io
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as pb

from harvesters.fetch import Snapshot
from harvesters.gtfs import archive, feed, realtime
from harvesters.gtfs.realtime_context import Bounds
from harvesters.zips import WORKBOOKS, ZIP

MESSAGE = ".pb"


def open_timetable(snapshot: Snapshot, address: str = "") -> feed.Feed:
    """The timetable; what follows # in the address chooses one of several in the zip."""
    choose = urlsplit(snapshot.url or address).fragment
    return _checked(snapshot.content, snapshot.filename, choose)


@lru_cache(maxsize=1)
def _checked(content: bytes, name: str, choose: str) -> feed.Feed:
    """Kept, since a live feed asks for the same timetable at every poll."""
    return feed.check(content, name, choose=choose)


def open_messages(
    snapshot: Snapshot, timetable: feed.Feed | None = None, bounds: Bounds | None = None
) -> Iterator[realtime.Message]:
    """Each message of a file, which is one message or a zip of several."""
    content, name = snapshot.content, snapshot.filename
    parts = {name: content}
    if content.startswith(ZIP):
        parts = archive.members(content, name)
    for part, message in parts.items():
        yield realtime.check_realtime(
            message, part, now=snapshot.fetched_at, feed=timetable, bounds=bounds
        )


def kind_of(snapshot: Snapshot) -> Literal["timetable", "messages", ""]:
    """What the bytes are, or what the file's name says that they should be; blank: something else."""
    suffix = PurePosixPath(snapshot.filename).suffix.lower()
    if zipfile.is_zipfile(io.BytesIO(snapshot.content)):
        return _kind_of_zip(snapshot.content)
    if suffix == MESSAGE or _is_message(snapshot.content):
        return "messages"
    return "timetable" if suffix == ".zip" else ""


def _kind_of_zip(content: bytes) -> Literal["timetable", "messages", ""]:
    """Tables of GTFS, or a zip with them inside the zip; a workbook is a zip, too."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        paths = [PurePosixPath(name) for name in opened.namelist()]
    if WORKBOOKS & {str(path) for path in paths}:
        return ""
    if any(path.name in archive.CORE or path.suffix.lower() == ".zip" for path in paths):
        return "timetable"
    return "messages" if any(path.suffix.lower() == MESSAGE for path in paths) else ""


def _is_message(content: bytes) -> bool:
    """Bytes that protobuf reads whole as a message with a version; no text does."""
    if not content.startswith(realtime.HEADER):
        return False
    message = pb.FeedMessage()
    try:
        message.ParseFromString(content)
    except DecodeError:
        return False
    return message.IsInitialized() and bool(message.header.gtfs_realtime_version)
