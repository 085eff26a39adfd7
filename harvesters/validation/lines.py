"""CSV files of which every row is one line, read by Polars ten times faster than by Frictionless."""

import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import polars as pl
from frictionless import Detector
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

from harvesters.validation.cells import Cells, Stats, beginning

SNIFFED = 100
"""The lines from which Frictionless guesses what it is not told of a dialect."""
LONGEST_LINE = 1_000_000
COUNTABLE = 2**32
"""Polars counts the bytes of texts in 32 bits."""
BOM = b"\xef\xbb\xbf"
LONE_RETURN = re.compile(rb"\r[^\n]")
QUOTED = '(?:[^"{0}]*|"(?:[^"]|"")*")'


def enough_to_open(content: bytes, detector: Detector) -> bytes:
    """What Frictionless looks at to find headings and dialect, so that it need not copy the rest."""
    return beginning(content, max(detector.sample_size, SNIFFED) + 1, detector.buffer_size)


def read_lines(resource: TableResource, content: bytes) -> Cells | None:
    """The cells, if every line is one row beyond doubt."""
    if not _is_plain(resource, content):
        return None
    whole = _hashing(content)
    lines = _lines(resource, content)
    if lines is None:
        return None
    frame, ragged = lines
    return Cells(
        frame=_without_missing(frame, ragged),
        numbers=range(2, frame.height + 2),
        whole=whole,
        by_line=True,
        ragged=ragged,
    )


def read_written(resource: TableResource, content: bytes, frame: pl.DataFrame) -> Cells | None:
    """The cells from which the file was written, quoted line breaks and all."""
    fields = resource.header.get_expected_fields()
    if frame.width < 2 or frame.width != len(fields):  # a blank cell on its own is a blank line
        return read_lines(resource, content)
    places = dict(zip(frame.columns, map(str, range(frame.width)), strict=True))
    return Cells(
        frame=frame.rename(places),
        numbers=range(2, frame.height + 2),
        whole=_hashing(content),
        by_line=False,
    )


def _is_plain(resource: TableResource, content: bytes) -> bool:
    """Whether the bytes are UTF-8, and a table of RFC 4180 in all but quotes and width of rows."""
    dialect = resource.dialect
    marked = content.startswith(BOM)
    control = CsvControl.from_dialect(dialect)
    return (
        resource.encoding == ("utf-8-sig" if marked else resource.encoding)
        and resource.encoding in {"utf-8", "utf-8-sig"}
        and dialect.header
        and dialect.header_rows == [1]
        and not (dialect.comment_char or dialect.comment_rows or dialect.skip_blank_rows)
        and len(control.delimiter.encode()) == 1
        and control.quote_char == '"'
        and not resource.compression
        and not control.escape_char
        and not control.skip_initial_space
        and b"\0" not in content
    )


def _hashing(content: bytes) -> Callable[[], Stats]:
    """The statistics of the file, which come while others work."""
    pool = ThreadPoolExecutor()
    told = {name: pool.submit(_hash, name, content) for name in ("md5", "sha256")}
    pool.shutdown(wait=False)
    return lambda: {"bytes": len(content)} | {name: one.result() for name, one in told.items()}


def _hash(name: str, content: bytes) -> str:
    return hashlib.new(name, content, usedforsecurity=False).hexdigest()


def _lines(
    resource: TableResource, content: bytes
) -> tuple[pl.DataFrame, dict[int, list[str]]] | None:
    """Each line as a row, and those of another width."""
    fields = len(resource.header.get_expected_fields())
    delimiter = CsvControl.from_dialect(resource.dialect).delimiter
    try:
        even = _even_lines(content, delimiter, fields)
        if even is not None:
            return even.slice(1), {}
        ragged = _ragged_lines(content, delimiter, fields)
        if ragged is None:
            return None
        frame = _split(content, delimiter, fields, "ignore")
    except pl.exceptions.PolarsError:
        return None
    return frame.slice(1), ragged


def _even_lines(content: bytes, delimiter: str, fields: int) -> pl.DataFrame | None:
    """The lines, if all have as many cells as there are fields, and nothing is quoted.

    Polars refuses longer lines and fills up shorter ones: those give fewer bytes than their cells
    and the signs between them would need.
    """
    ends = b"\r\n" if b"\r" in content else b"\n"
    torn = LONE_RETURN.search(content) or content.endswith(b"\r")
    if torn or b'"' in content or fields < 2 or len(content) >= COUNTABLE:
        return None
    try:
        frame = _split(content, delimiter, fields, "raise")
    except pl.exceptions.ComputeError:
        return None
    if frame.is_empty():
        return None
    length = pl.all().str.len_bytes()
    cells, longest = map(sum, frame.select(length.sum()).rows() + frame.select(length.max()).rows())
    needed = cells + frame.height * (fields - 1 + len(ends))
    needed += len(BOM) * content.startswith(BOM) - len(ends) * (not content.endswith(ends))
    return frame if needed == len(content) and longest < LONGEST_LINE else None


def _split(
    content: bytes, delimiter: str, fields: int, extra: Literal["ignore", "raise"]
) -> pl.DataFrame:
    return pl.read_csv(
        content,
        has_header=False,
        schema={str(place): pl.String for place in range(fields)},
        separator=delimiter,
        quote_char='"' if b'"' in content else None,
        empty_string_is_null=False,
        extra_columns=extra,
    )


def _ragged_lines(content: bytes, delimiter: str, fields: int) -> dict[int, list[str]] | None:
    """The lines of another width than the headings; nothing if quotes leave any doubt."""
    line = pl.col("line")
    lines = pl.read_lines(content).with_row_index()
    torn = line.str.contains("\r", literal=True) | (line.str.len_bytes() > LONGEST_LINE)
    if lines.height < 2 or lines.select(torn.any()).item():
        return None
    quoted = lines.filter(line.str.contains('"', literal=True))
    cell = QUOTED.format(rf"\x{ord(delimiter):02x}")
    proper = rf"^{cell}(?:\x{ord(delimiter):02x}{cell}){{{fields - 1}}}$"
    if not quoted["line"].str.replace("^\ufeff", "").str.contains(proper).all():
        return None
    width = line.str.count_matches(delimiter, literal=True) + 1
    odd = lines.filter(
        ~line.str.contains('"', literal=True) & ((width != fields) | (line == ""))
    ).rows()
    if odd and odd[0][0] == 0:
        return None
    return {index - 1: text.split(delimiter) if text else [] for index, text in odd}


def _without_missing(frame: pl.DataFrame, ragged: dict[int, list[str]]) -> pl.DataFrame:
    """Cells that a short row does not have are not the same as empty ones."""
    short = {index: len(cells) for index, cells in ragged.items() if len(cells) < frame.width}
    if not short:
        return frame
    width = pl.Series("width", [frame.width], dtype=pl.Int64).new_from_index(0, frame.height)
    width = width.scatter(list(short), list(short.values()))
    return frame.with_columns(
        pl.when(width > place).then(pl.col(str(place))) for place in range(frame.width)
    )
