"""One vehicle, one name: "952150", "952150.0" and "９５２１５０ " are the same."""

import re
from collections.abc import Sequence

from harvesters.intake.numbers import Change
from harvesters.japanese import half_width

WORN = re.compile(r"(\d+)\.0+")
"""A number that has been through a program which knows only fractions."""


def vehicles(cells: Sequence[str]) -> list[Change]:
    """Names of vehicles as one spelling each."""
    return [_changed(cell, _name(cell), "vehicle-name") for cell in cells]


def words(cells: Sequence[str]) -> list[Change]:
    """Names of operators and tasks without spaces around them, and lists of them in one form."""
    return [
        _changed(cell, _listed(cell.strip()), "list-form" if "[" in cell else "spaces")
        for cell in cells
    ]


def _name(cell: str) -> str:
    text = " ".join(half_width(cell).split())
    found = WORN.fullmatch(text)
    return found[1] if found else text


def _listed(text: str) -> str:
    """['BRUSHING', 'SALTING'], as Python writes a list into a cell, is BRUSHING; SALTING."""
    if re.fullmatch(r"\[.*\]", text):
        return "; ".join(one.strip(" '\"") for one in text[1:-1].split(","))
    return text


def _changed(cell: str, after: str, rule: str) -> Change:
    return Change(after, rule if after != cell else "")
