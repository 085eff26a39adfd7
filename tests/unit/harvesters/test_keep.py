"""What a run leaves on disk is whole, and is only believed while it is what it was."""

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
