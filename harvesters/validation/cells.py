"""The cells of a CSV file as columns of text, read exactly as Frictionless reads them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import polars as pl
from frictionless import system
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

BATCH = 20_000
LONGEST_LINE = 1_000_000
QUOTED = '(?:[^"{0}]*|"(?:[^"]|"")*")'

Stats = Mapping[str, str | int | None]
"""Bytes read and their hashes, by their names in Frictionless's statistics."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The rows below the headings; the column of field 0 is named "0"."""

    frame: pl.DataFrame
    numbers: Sequence[int]
    """Where each row stands in the file."""
    whole: Stats
    by_line: bool
    """Whether every row is one line of the file."""
    ragged: dict[int, list[str]] = field(default_factory=dict)
    """Rows with more or fewer cells than there are fields."""

    def row(self, index: int) -> list[str]:
        """The cells of one row, as many as there are."""
        return self.ragged[index] if index in self.ragged else list(self.frame.row(index))


def read(resource: TableResource) -> Cells:
    """All rows of an open resource."""
    content = resource.data
    if isinstance(content, bytes) and _is_plain(resource, content):
        return _quickly(resource, content) or _as_frictionless(resource)
    return _as_frictionless(resource)


def stats_at(resource: TableResource, cells: Cells, rows: int) -> Stats:
    """How far Frictionless has read a file when it stops after so many rows."""
    if cells.by_line:
        loader = system.create_loader(resource)
        with loader:
            _pass(islice(loader.text_stream, max(rows + 1, resource.detector.sample_size)))
    else:
        with resource:
            stream = resource.dialect.read_enumerated_content_stream(resource.cell_stream)
            _pass(islice(stream, rows))
    return _stats(resource)


def _stats(resource: TableResource) -> Stats:
    return {name: getattr(resource.stats, name) for name in ("bytes", "md5", "sha256")}


def _pass(stream: Iterator[object]) -> None:
    for _ in stream:
        pass


def _is_plain(resource: TableResource, content: bytes) -> bool:
    """Whether the bytes are UTF-8, and a table of RFC 4180 in all but quotes and width of rows."""
    dialect = resource.dialect
    marked = content.startswith(b"\xef\xbb\xbf")
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


def _quickly(resource: TableResource, content: bytes) -> Cells | None:
    """Polars's reading, if every line is one row beyond doubt; hashed meanwhile."""
    with ThreadPoolExecutor() as pool:
        hashes = {name: pool.submit(_hash, name, content) for name in ("md5", "sha256")}
        lines = _lines(resource, content)
    if lines is None:
        return None
    frame, ragged = lines
    return Cells(
        frame=_without_missing(frame, ragged),
        numbers=range(2, frame.height + 2),
        whole={"bytes": len(content)} | {name: told.result() for name, told in hashes.items()},
        by_line=True,
        ragged=ragged,
    )


def _hash(name: str, content: bytes) -> str:
    return hashlib.new(name, content, usedforsecurity=False).hexdigest()


def _lines(
    resource: TableResource, content: bytes
) -> tuple[pl.DataFrame, dict[int, list[str]]] | None:
    """Each line as a row, and those of another width."""
    fields = len(resource.header.get_expected_fields())
    delimiter = CsvControl.from_dialect(resource.dialect).delimiter
    try:
        ragged = _ragged_lines(content, delimiter, fields)
        if ragged is None:
            return None
        frame = pl.read_csv(
            content,
            has_header=False,
            schema={str(place): pl.String for place in range(fields)},
            separator=delimiter,
            quote_char='"' if b'"' in content else None,
            empty_string_is_null=False,
            extra_columns="ignore",
        ).slice(1)
    except pl.exceptions.PolarsError:
        return None
    return frame, ragged


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


def _as_frictionless(resource: TableResource) -> Cells:
    """Frictionless's own reading of any dialect: ten times slower, and never in doubt."""
    names = [str(place) for place in range(len(resource.header.get_expected_fields()))]
    stream = resource.dialect.read_enumerated_content_stream(resource.cell_stream)
    frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
    numbers: list[int] = []
    ragged: dict[int, list[str]] = {}
    while batch := list(islice(stream, BATCH)):
        for index, (_, cells) in enumerate(batch, len(numbers)):
            if len(cells) != len(names):
                ragged[index] = cells
        numbers.extend(number for number, _ in batch)
        rows = [(cells + [None] * len(names))[: len(names)] for _, cells in batch]
        columns = zip(names, zip(*rows, strict=True), strict=True)
        frames.append(pl.DataFrame(dict(columns), schema=dict.fromkeys(names, pl.String)))
    return Cells(
        frame=pl.concat(frames, rechunk=True),
        numbers=numbers,
        whole=_stats(resource),
        by_line=False,
        ragged=ragged,
    )
