"""What aizu_publish reads of a call before it touches anything."""

import io
import json

import pytest
from ckan.plugins import toolkit as tk
from werkzeug.datastructures import FileStorage

from ckanext.aizu import publication

BLOCK = 1 << 20


class Blocks(io.BytesIO):
    """A file that nobody may take into memory whole."""

    def read(self, size=-1, /):
        assert size is not None
        assert 0 < size <= BLOCK
        return super().read(size)

    def readline(self, _size=-1, /):
        raise AssertionError("a line may be as long as the file")


def call(**files):
    """A call with one table and these contents in the place of its files."""
    schema = {"fields": [{"name": "名称", "type": "string"}]}
    objects = {
        "dataset": {"name": "benches"},
        "organization": {"name": "bosai"},
        "resources": [{"name": "list", "title": "一覧", "schema": schema}],
        "source": {"url": "https://example.jp/list.csv"},
        "report": {"valid": True},
    }
    parts = {"table:list": "名称\r\nあ\r\n".encode(), "original": b"PK", **files}
    sent = {part: FileStorage(Blocks(content), f"{part}.csv") for part, content in parts.items()}
    return {**{part: json.dumps(value) for part, value in objects.items()}, **sent}


@pytest.mark.usefixtures("with_plugins", "with_request_context")
@pytest.mark.parametrize("part", ["table:list", "geojson:list", "original"])
def test_file_that_is_too_large_is_named(monkeypatch, part):
    """A file beyond the portal's limit is refused by its part, before anything is made of it."""
    monkeypatch.setitem(tk.config, "ckan.max_resource_size", 5)
    content = "名称\r\n".encode() + b"a\r\n" * (2 * BLOCK)
    with pytest.raises(tk.ValidationError) as refused:
        publication.read(call(**{part: content}))
    assert list(refused.value.error_dict) == [part]
    assert "5 MB" in refused.value.error_dict[part][0]


@pytest.mark.usefixtures("with_plugins", "with_request_context")
def test_files_are_read_in_blocks():
    """Header, size and hash of a file are found without ever holding all of it."""
    content = "名称\r\n".encode() + b"a" * (4 * BLOCK)
    found = publication.read(call(**{"table:list": content}))
    assert len(found.content_hash()) == 64
    assert found.files["table:list"].stream.tell() == 0


@pytest.mark.usefixtures("with_plugins", "with_request_context")
@pytest.mark.parametrize("part", ["table:list", "geojson:list", "original", "resources"])
def test_every_part_counts_as_content(part):
    """Another file, file name or title of a table is another version; the same call is the same."""
    first, same, other = (call(**{"geojson:list": b"{}"}) for _ in range(3))
    if part == "resources":
        other[part] = other[part].replace(json.dumps("一覧"), json.dumps("別の題"))
    else:
        other[part].filename = "renamed.csv"
    hashes = [publication.read(data).content_hash() for data in (first, same, other)]
    assert hashes[0] == hashes[1] != hashes[2]
