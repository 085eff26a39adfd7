"""Numbers as offices write them: full width, separators, units, triangles for minus, dashes for nothing."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from harvesters.japanese import half_width


class Change(NamedTuple):
    """What becomes of a cell, and by which rule; no rule where it stays as it is."""

    after: str
    rule: str = ""


NUMBER = re.compile(
    r"[¥φΦø]?\s*(?P<minus>[-−△▲]\s*)?\+?(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<rest>\.\d+)?"
    r"\s*(?P<unit>\D{1,8}[23]?)?"
)
UNIT = re.compile(
    "[人名戸件棟台本基校園室席床円回日歳年分冊個点段階口枚%]|世帯|時間|団体|か所"
    "|[ckm]?m|k?m2|m3|ha|k?g|l|t|°c"
)
"""Units that change nothing about the number itself; 千円 or 万人 would."""
SAME_UNIT = {
    "ミリ": "mm",
    "ミリメートル": "mm",
    "メートル": "m",
    "平方メートル": "m2",
    "平米": "m2",
    "立方メートル": "m3",
    "パーセント": "%",
    "カ所": "か所",
    "ヶ所": "か所",
    "箇所": "か所",
    "リットル": "l",
    "トン": "t",
}
NOTHING = re.compile(r"[-‐‑–—―−ー・*]+|\.{2,}")
"""Marks for no value; words such as 不明 say something and stay."""


def tidy(cell: str) -> Change:
    """The cell without spaces around and in half width."""
    plain = half_width(cell)
    if plain == cell:
        return Change(cell)
    return Change(plain, "spaces" if plain == cell.strip() else "half-width")


def nothing(cell: str) -> bool:
    """Whether the cell says that there is no value."""
    return bool(NOTHING.fullmatch(half_width(cell)))


def numbers(cells: Sequence[str], whole: bool = False) -> list[Change]:
    """A column of numbers; units go only where the whole column is in one and the same."""
    found = [NUMBER.fullmatch(half_width(cell)) for cell in cells]
    units = {_unit(one["unit"]) for one in found if one and one["unit"]}
    usable = len(units) == 1 and all(map(UNIT.fullmatch, units))
    return [
        _number(cell, one, whole) if one and (usable or not one["unit"]) else _no_number(cell)
        for cell, one in zip(cells, found, strict=True)
    ]


def _unit(text: str) -> str:
    unit = text.strip().casefold()
    return SAME_UNIT.get(unit, unit)


def _no_number(cell: str) -> Change:
    return Change("", "no-value") if nothing(cell) else tidy(cell)


def _number(cell: str, found: re.Match[str], whole: bool) -> Change:
    """The plain number; of several rules that changed it the weightiest is named."""
    digits, rest = found["digits"], found["rest"] or ""
    worn = whole and rest.strip(".0") == "" and rest != ""
    after = ("-" if found["minus"] else "") + digits.replace(",", "") + ("" if worn else rest)
    if after == cell:
        return Change(cell)
    plain = half_width(cell)
    if found["unit"] or plain[0] in "¥φΦø":
        return Change(after, "unit")
    if found["minus"] and found["minus"].strip() != "-":
        return Change(after, "minus-sign")
    if "," in digits:
        return Change(after, "separators")
    return Change(after, "decimal-zero") if worn else Change(after, tidy(cell).rule)
