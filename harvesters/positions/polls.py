"""Several answers in one file: the feeds of several contractors, or the polls of a day, in a zip."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath

from harvesters.errors import NotTheListError
from harvesters.intake.kinds import LARGEST, ZIP

WORKBOOKS = {"xl/workbook.xml", "mimetype"}
"""Excel and OpenDocument files are zips, too."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member, so that equal answers give equal bytes."""


def pack(answers: Iterable[tuple[str, bytes]]) -> bytes:
    """The answers as one zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in answers:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(content: bytes, filename: str) -> list[tuple[str, bytes]]:
    """The files of a zip by name; any other file is one of its own."""
    if not content.startswith(ZIP):
        return [(filename, content)]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [one for one in archive.infolist() if not _of_the_desktop(one)]
            if WORKBOOKS & {one.filename for one in entries}:
                return [(filename, content)]
            _refuse_bomb(sum(one.file_size for one in entries))
            files = [(PurePosixPath(one.filename).name, archive.read(one)) for one in entries]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise NotTheListError(
            f"zip が壊れているか、読めない形式です（{error}）。もう一度取得してください。",
            f"the zip is damaged or of a kind that cannot be read ({error}); fetch it again",
        ) from error
    if not files:
        raise NotTheListError("zip が空です。", "the zip is empty")
    return files


def _of_the_desktop(entry: zipfile.ZipInfo) -> bool:
    """What macOS and Windows put beside the files."""
    path = PurePosixPath(entry.filename)
    return entry.is_dir() or path.parts[0] == "__MACOSX" or path.name in {".DS_Store", "Thumbs.db"}


def _refuse_bomb(size: int) -> None:
    if size > LARGEST:
        raise NotTheListError(
            f"展開すると {size:,} バイトになるため読みません。",
            f"not read, because it unpacks to {size:,} bytes",
        )
