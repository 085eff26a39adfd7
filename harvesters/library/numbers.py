"""ISBN, ISSN and NCID: brought into one form where they are right, named where they are wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from stdnum import ean, isbn, issn
from stdnum.exceptions import InvalidChecksum, ValidationError

from harvesters.japanese import half_width
from harvesters.library.catalogue import joined

PREFIX = re.compile(r"^(?:urn:)?(?:e?isbn|e?issn)(?:-?1[03])?\s*[:：]?\s*", re.IGNORECASE)
QUALIFIER = re.compile(r"\s*[(\[（:：;;<].*$|\s+[^\d\s].*$")
"""What follows a number: (pbk.), : 680円, セット"""
NEXT = re.compile(
    r"\s*[;；、，,/|]\s*(?=(?:e?ISBN|e?ISSN|[A-Z]{2})?[\s:：]*[0-9０-９][0-9０-９XＸ\-－‐]{7})",
    re.IGNORECASE,
)
"""Between two numbers in one cell."""
DASHES = re.compile(r"[\u2010-\u2015\u2212\u30fcー−–—]")
NCID = re.compile(r"([A-Z]{2})([0-9]{7})([0-9X])")
NCID_START = {"AA": 6, "AN": 8, "BA": 4, "BB": 1, "BC": 9, "BN": 6}
"""Of the check digit, by the letters of a number; the numbers that NACSIS-CAT gives follow it."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number as it should be written, or the rule that it breaks."""

    text: str
    broken: str = ""
    right: str = ""
    """The number with the check digit that would fit."""


def isbn_of(written: str) -> Number:
    """An ISBN of ten or thirteen digits as one of thirteen."""
    bare = _bare(written)
    try:
        valid = isbn.validate(bare)
    except InvalidChecksum:
        right = _right_isbn(bare)
        if isbn.is_valid(right):
            return Number(text=written, broken="isbn-check-digit", right=right)
        return Number(text=written, broken="isbn-form")  # a bar code of something else
    except ValidationError:
        return Number(text=written, broken="isbn-form")
    return Number(text=isbn.to_isbn13(valid).replace("-", ""))


def issn_of(written: str) -> Number:
    """An ISSN with its hyphen."""
    bare = _bare(written)
    try:
        valid = issn.validate(bare)
    except InvalidChecksum:
        body = issn.compact(bare)[:7]
        return Number(
            text=written,
            broken="issn-check-digit",
            right=issn.format(body + issn.calc_check_digit(body)),
        )
    except ValidationError:
        return Number(text=written, broken="issn-form")
    return Number(text=issn.format(valid))


def ncid_of(written: str) -> Number:
    """The number of a title in the union catalogue of Japan's universities."""
    bare = half_width(written).upper()
    found = NCID.fullmatch(bare)
    if not found:
        return Number(text=written, broken="ncid-form")
    letters, digits, check = found.groups()
    if letters not in NCID_START:
        return Number(text=bare)
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(7, 0, -1), strict=True))
    right = "0123456789X"[(total + NCID_START[letters]) % 11]
    if check != right:
        return Number(text=written, broken="ncid-check-digit", right=f"{letters}{digits}{right}")
    return Number(text=bare)


CHECKED: dict[str, Callable[[str], Number]] = {"ISBN": isbn_of, "ISSN": issn_of, "NCID": ncid_of}
"""Column: how its numbers are read."""


def read_cell(column: str, cell: str) -> tuple[str, list[Number]]:
    """A cell with all its numbers in their form, and those that are wrong as they are."""
    read = [CHECKED[column](part.strip()) for part in NEXT.split(cell) if part.strip()]
    return joined(number.text for number in read), [one for one in read if one.broken]


def _bare(written: str) -> str:
    """The digits alone, full width or not, whatever the hyphens and what is written around them."""
    text = PREFIX.sub("", half_width(written))
    return DASHES.sub("-", QUALIFIER.sub("", text)).replace("-", "").replace(" ", "").upper()


def _right_isbn(bare: str) -> str:
    body = bare[:12] if len(bare) == len("9784000000000") else f"978{bare[:9]}"
    return body + ean.calc_check_digit(body)
