"""Several answers in one file: the feeds of several contractors, or the polls of a day, in a zip."""

from pathlib import PurePosixPath

from harvesters import zips
from harvesters.errors import NotTheListError

MOST_FILES, MOST_BYTES = 20_000, 500_000_000
"""A poll every five seconds of a day."""


def unpack(content: bytes, filename: str) -> list[tuple[str, bytes]]:
    """The files of a zip by name; any other file is one of its own."""
    if not content.startswith(zips.ZIP) or zips.is_workbook(content):
        return [(filename, content)]
    budget = zips.Budget(bytes_left=MOST_BYTES, members_left=MOST_FILES)
    files = zips.unpack(content, filename, budget)
    if not files:
        raise NotTheListError("zip が空です。", "the zip is empty")
    return [(PurePosixPath(path).name, file) for path, file in files.items()]
