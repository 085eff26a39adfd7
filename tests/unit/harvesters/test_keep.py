"""What a run leaves on disk is whole, and is only believed while it is what it was."""

import json
import os
import signal
import subprocess
import sys

import pytest

from harvesters import keep
from harvesters.errors import ConfigurationError

from .conftest import snapshot_of


def test_a_snapshot_comes_back_as_it_was(tmp_path):
    """Bytes, address, name, time and tags."""
    folder = keep.folder(tmp_path, "sabae", "hydrant")
    kept = snapshot_of("消火栓".encode("cp932"))
    path = folder.keep_snapshot(kept)
    assert path.read_bytes() == kept.content
    assert folder.last_snapshot() == kept


def test_every_version_of_the_bytes_is_kept_once(tmp_path):
    """Two different lists are two files, the same list twice is one."""
    folder = keep.folder(tmp_path, "sabae", "hydrant")
    for content in (b"a", b"b", b"a"):
        folder.keep_snapshot(snapshot_of(content))
    assert len(list((folder.path / "snapshots").iterdir())) == 2
    assert folder.last_snapshot().content == b"a"


def test_a_snapshot_that_was_changed_on_disk_is_not_used(tmp_path):
    """Its hash no longer fits, so it is fetched anew."""
    folder = keep.folder(tmp_path, "sabae", "hydrant")
    folder.keep_snapshot(snapshot_of(b"a")).write_bytes(b"b")
    assert folder.last_snapshot() is None


def test_the_last_ten_snapshots_are_kept(tmp_path):
    """The disk does not fill up; what was sent again counts as new, and the named one stays."""
    folder = keep.folder(tmp_path, "sabae", "hydrant")
    for number in range(12):
        path = folder.keep_snapshot(snapshot_of(f"{number}".encode()))
        os.utime(path, (number, number))
    again = folder.keep_snapshot(snapshot_of(b"2"))
    os.utime(again, (0, 0))
    folder.keep_snapshot(snapshot_of(b"2"))
    kept = {int(path.read_bytes()) for path in again.parent.iterdir()}
    assert kept == {2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
    assert folder.last_snapshot().content == b"2"


def test_a_kept_file_that_was_spoilt_is_whole_again_after_the_next_fetch(tmp_path):
    """The same bytes are written anew, whatever stands in their place."""
    folder = keep.folder(tmp_path, "sabae", "hydrant")
    folder.keep_snapshot(snapshot_of(b"a")).write_bytes(b"b")
    folder.keep_snapshot(snapshot_of(b"a"))
    assert folder.last_snapshot().content == b"a"


@pytest.mark.parametrize(
    "content",
    [b'{"url": "http', b"", b"\xff", b"[]", b"null", b"{}", b'{"sha256": 1, "checked_at": 1}'],
)
def test_a_broken_file_counts_as_absent_and_is_named(tmp_path, content):
    """Half a file, none of it, no text, another type, without what is needed."""
    folder = keep.folder(tmp_path, "sabae", "hydrant")
    folder.keep_snapshot(snapshot_of(b"a"))
    assert folder.broken() == []
    for name in ("snapshot.json", "status.json"):
        (folder.path / name).write_bytes(content)
    assert (folder.last_snapshot(), folder.status()) == (None, None)
    assert [words.en.split()[0] for words in folder.broken()] == [
        str(folder.path / "snapshot.json"),
        str(folder.path / "status.json"),
    ]


@pytest.mark.parametrize("when", ["yesterday", "2026-11-01T00:00:00", 20261101])
def test_a_time_that_is_no_instant_makes_a_file_useless(tmp_path, when):
    """Without a zone it could be any of two dozen hours."""
    folder = keep.folder(tmp_path, "sabae", "hydrant")
    folder.keep_snapshot(snapshot_of(b"a"))
    path = folder.path / "snapshot.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fetched_at": when}))
    assert folder.last_snapshot() is None


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    """A full disk in the middle of a write harms nothing, and is said in one line."""
    path = tmp_path / "status.json"
    keep.write_whole(path, b"old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keep.os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        keep.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, pathlib, signal
from harvesters import keep
keep.os.fsync = lambda _handle: os.kill(os.getpid(), signal.SIGKILL)
keep.write_whole(pathlib.Path("status.json"), b"new")
"""


def test_a_write_that_is_killed_leaves_the_old_file_and_nothing_for_ever(tmp_path):
    """What was half written goes an hour later, when nobody can be writing it any more."""
    path = tmp_path / "status.json"
    keep.write_whole(path, b"old")
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    (half,) = set(tmp_path.iterdir()) - {path}
    keep.write_whole(path, path.read_bytes())
    assert half.exists()
    os.utime(half, (0, half.stat().st_mtime - keep.HALF_FORGOTTEN_S))
    keep.write_whole(path, path.read_bytes())
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])
