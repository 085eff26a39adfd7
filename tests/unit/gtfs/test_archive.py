"""One feed comes out of a zip however it is wrapped; what is no feed is refused by name."""

import gzip
import io
import stat
import struct
import zipfile

import pytest

from harvesters.errors import HarvestError
from harvesters.gtfs import NotAFeedError, archive, check

from .conftest import TODAY, town_files, zipped

GOOD = zipped(town_files())


def within(folder):
    """The good feed in a folder."""
    return {f"{folder}/{name}": content for name, content in town_files().items()}


def marked(*, flags=0, method=None):
    """The good feed with other flags or another compression method in every header."""
    content = bytearray(GOOD)
    for signature, flag_at, method_at in ((b"PK\x03\x04", 6, 8), (b"PK\x01\x02", 8, 10)):
        place = content.find(signature)
        while place >= 0:
            content[place + flag_at] |= flags
            if method is not None:
                struct.pack_into("<H", content, place + method_at, method)
            place = content.find(signature, place + 4)
    return bytes(content)


def link():
    """A zip whose stops.txt is a symbolic link."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        entry = zipfile.ZipInfo("stops.txt")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(entry, "/etc/passwd")
        made.writestr("routes.txt", "route_id\n")
    return content.getvalue()


def nested(times):
    """The good feed in a zip in a zip …"""
    content = GOOD
    for _ in range(times):
        content = zipped({"inner.zip": content})
    return content


def twice():
    """A zip with two files of one name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("stops.txt", "stop_id\nA\n")
        with pytest.warns(UserWarning, match="Duplicate name"):
            made.writestr("stops.txt", "stop_id\nB\n")
    return content.getvalue()


REFUSED = {
    "empty": lambda: b"",
    "html": lambda: b"<!DOCTYPE html><html><title>503</title>Service Unavailable</html>",
    "json": lambda: b'{"error": "not found"}',
    "xml": lambda: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "gzip": lambda: gzip.compress(GOOD),
    "rar": lambda: b"Rar!\x1a\x07\x00" + bytes(100),
    "pdf": lambda: b"%PDF-1.7\n",
    "text": lambda: town_files()["stops.txt"],
    "binary": lambda: bytes(range(256)),
    "truncated": lambda: GOOD[: len(GOOD) // 2],
    "encrypted": lambda: marked(flags=1),
    "compression": lambda: marked(method=97),
    "no_tables": lambda: zipped({"readme.txt": b"x", "data.csv": b"x"}),
    "several_feeds": lambda: zipped(within("2025") | within("2026")),
    "nested_too_deep": lambda: nested(3),
    "unsafe_path": lambda: zipped({"../stops.txt": b"x", "routes.txt": b"x"}),
    "duplicate_member": twice,
    "zip_bomb": lambda: zipped(town_files() | {"stop_times.txt": bytes(300_000_000)}),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_no_feed_is_refused_by_name(reason):
    """With a sentence in both languages that names the file and says what to do."""
    with pytest.raises(NotAFeedError) as refused:
        check(REFUSED[reason](), "bus.zip", today=TODAY)
    assert refused.value.reason == reason
    assert "bus.zip" in refused.value.words.ja
    assert refused.value.words.ja.endswith("。")
    assert "bus.zip" in refused.value.words.en
    assert isinstance(refused.value, HarvestError)


@pytest.mark.parametrize(
    "content",
    [
        zipped({"/etc/stops.txt": b"x"}),
        zipped({"C:/stops.txt": b"x"}),
        link(),
    ],
    ids=["absolute", "drive", "link"],
)
def test_paths_out_of_the_zip_are_refused(content):
    """Nothing is ever written, and nothing else is read."""
    with pytest.raises(NotAFeedError) as refused:
        check(content, "bus.zip")
    assert refused.value.reason == "unsafe_path"


@pytest.mark.parametrize(
    ("limit", "value", "content"),
    [
        ("MAX_MEMBERS", 10, GOOD),
        ("MAX_BYTES", 1000, GOOD),
        ("MAX_MEMBERS", 40, zipped({"a.zip": GOOD, "b.zip": GOOD})),
    ],
    ids=["files", "bytes", "files of inner zips together"],
)
def test_zip_bombs_are_told_by_count_and_size(monkeypatch, limit, value, content):
    """Before anything is unpacked."""
    monkeypatch.setattr(archive, limit, value)
    with pytest.raises(NotAFeedError) as refused:
        check(content, "bus.zip")
    assert refused.value.reason == "zip_bomb"


@pytest.mark.parametrize(
    ("content", "folder"),
    [
        (GOOD, ""),
        (zipped(within("GTFS")), "GTFS"),
        (zipped(within("data/2026/gtfs")), "data/2026/gtfs"),
        (nested(1), "inner.zip"),
        (nested(2), "inner.zip/inner.zip"),
        (zipped(town_files() | {"__MACOSX/._stops.txt": b"\0", ".DS_Store": b"\0"}), ""),
        (zipped(within("gtfs") | {"gtfs/readme.txt": b"x", "manual.pdf": b"%PDF"}), "gtfs"),
        (b"#!/bin/sh\n\0" + GOOD, ""),
    ],
    ids=["plain", "folder", "deep", "zip in zip", "twice", "macOS", "others", "prefix"],
)
def test_one_feed_is_found_wherever_it_lies(content, folder):
    """And where it lay is said."""
    feed = check(content, "bus.zip", today=TODAY)
    assert feed.folder == folder
    assert feed.tables["stops"].height == 8
    assert feed.valid


def test_one_of_several_feeds_can_be_chosen():
    """By the folder that the refusal names."""
    content = zipped(within("2025") | within("2026"))
    with pytest.raises(NotAFeedError, match="2025, 2026"):
        check(content, "bus.zip")
    assert check(content, "bus.zip", choose="2026", today=TODAY).folder == "2026"
    with pytest.raises(NotAFeedError) as refused:
        check(content, "bus.zip", choose="2027")
    assert refused.value.reason == "unknown_feed"


@pytest.mark.parametrize("part", range(1, 20))
def test_a_zip_cut_anywhere_is_refused(part):
    """A broken download is never a smaller timetable."""
    with pytest.raises(NotAFeedError):
        check(GOOD[: len(GOOD) * part // 20], "bus.zip")


def test_a_damaged_byte_is_noticed():
    """The checksum inside the zip tells."""
    content = bytearray(GOOD)
    content[60] ^= 0xFF
    with pytest.raises(NotAFeedError):
        check(bytes(content), "bus.zip")
