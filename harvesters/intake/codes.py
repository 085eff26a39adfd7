"""Codes of digits that spreadsheets take for numbers and shorten."""

from collections.abc import Sequence

from harvesters.intake.numbers import Change, tidy

FIVE = 5
SIX = 6


def check_digit(five: str) -> str:
    """The sixth digit of a municipality code (全国地方公共団体コード)."""
    total = sum(int(digit) * weight for digit, weight in zip(five, range(6, 1, -1), strict=True))
    return str((11 - total % 11) % 10)


def municipality_codes(cells: Sequence[str], city: str = "") -> list[Change]:
    """A column of six-digit codes, some without the zero in front or the check digit behind.

    Five digits are either; the city's own code decides, else whether all check digits are right.
    """
    plain = [tidy(cell).after.removesuffix(".0") for cell in cells]
    short = [code for code in plain if code.isdigit() and len(code) == FIVE]
    zeros_lost = all(check_digit(code.zfill(SIX)[:FIVE]) == code[-1] for code in short)
    return [_code(cell, code, city, zeros_lost) for cell, code in zip(cells, plain, strict=True)]


def _code(cell: str, code: str, city: str, zeros_lost: bool) -> Change:
    if not code.isascii() or not code.isdigit() or len(code) not in {FIVE - 1, FIVE}:
        return tidy(cell)
    if city and code in {city.lstrip("0"), city[:FIVE], city[:FIVE].lstrip("0")}:
        return Change(city, "municipality-code")
    if len(code) == FIVE and zeros_lost:
        return Change(code.zfill(SIX), "municipality-code")
    five = code.zfill(FIVE)
    return Change(five + check_digit(five), "municipality-code")


def digits(cells: Sequence[str], width: int) -> list[Change]:
    """A column of codes of one width, some without the zeros in front."""
    return [_digits(cell, width) for cell in cells]


def _digits(cell: str, width: int) -> Change:
    plain = tidy(cell)
    code = plain.after.removesuffix(".0")
    if code.isascii() and code.isdigit() and len(code) < width:
        return Change(code.zfill(width), "leading-zeros")
    return plain if code == plain.after else Change(code, "decimal-zero")
