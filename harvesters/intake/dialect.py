"""How a text is cut into cells: comma, tab or semicolon, quoted line breaks."""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn

from harvesters.errors import NotTheListError

DELIMITERS = ",\t;"
SAMPLE = 100
"""Rows that are looked at to find the delimiter."""
LONGEST_CELL = 1_000_000
"""Characters; the geometry of a district in one cell is longer than Python's own limit."""


def rows_of(text: str) -> tuple[str, list[list[str]]]:
    """The delimiter, and the rows as a spreadsheet counts them, blank ones included."""
    csv.field_size_limit(LONGEST_CELL)
    delimiter = max(DELIMITERS, key=lambda one: _fitness(text, one))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return delimiter, list(reader)
    except csv.Error as error:
        if "field limit" in str(error):
            _refuse_long(reader.line_num, error)
        raise NotTheListError(
            f"{reader.line_num} 行目あたりで引用符が合いません。ファイルが途中で切れているか、"
            f'値の中の " が二重になっていません（{error}）。',
            f"quotes do not match near line {reader.line_num}: the file was cut off, or a "
            f'" inside a value is not doubled ({error})',
        ) from error


def _refuse_long(line: int, error: csv.Error) -> NoReturn:
    raise NotTheListError(
        f"{line} 行目あたりに {LONGEST_CELL:,} 文字を超える値があります。"
        '一覧の CSV か、閉じていない " がないか確かめてください。',
        f"near line {line} a value has more than {LONGEST_CELL:,} characters; check that this is "
        'the CSV of a list, and look for a " that is not closed',
    ) from error


def _fitness(text: str, delimiter: str) -> tuple[int, int]:
    """How many rows have the commonest width above one, and that width."""
    widths = Counter(len(cells) for cells in itertools.islice(_tried(text, delimiter), SAMPLE))
    several = [(count, width) for width, count in widths.items() if width > 1]
    return max(several, default=(0, 0))


def _tried(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error:
        return
