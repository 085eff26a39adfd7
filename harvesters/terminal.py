"""Tables on a terminal that stay straight although Japanese characters are twice as wide."""

import unicodedata
from collections.abc import Iterable


def as_table(rows: Iterable[Iterable[str]], headings: Iterable[str]) -> str:
    """Columns that stay straight although Japanese characters are twice as wide."""
    lines = [[*headings], *([_one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(padded(cell, wide) for cell, wide in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def padded(text: str, wide: int) -> str:
    """The text with spaces up to a width on the terminal."""
    return text + " " * (wide - width(text))


def _one_line(text: str) -> str:
    """Line breaks would tear the table apart."""
    return " ".join(text.split())


def width(text: str) -> int:
    """How many places a text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(sign) in "FWA" else 1 for sign in text)
