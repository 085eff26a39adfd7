"""Why a list has not all points: what a reason is, and what each costs at most."""

import re
from dataclasses import dataclass, field

from harvesters.intake import Sheet
from harvesters.standards.forms import Fault
from harvesters.standards.matching import Match
from harvesters.standards.ranking import Candidate
from harvesters.words import Words

POINTS = {
    "missing-required": 30.0,
    "missing-recommended": 10.0,
    "empty-required": 10.0,
    "headings": 10.0,
    "same-heading": 10.0,
    "form": 20.0,
    "order": 4.0,
    "own-columns": 3.0,
    "rows-above": 5.0,
    "other-rows": 3.0,
    "workbook": 5.0,
    "encoding": 5.0,
    "mark": 1.0,
    "same-number": 5.0,
}
"""What is lost at most for each; of columns and values, the share that is wrong is lost."""
PAIR = 2
LEAST = 0.5
"""Nothing that is wrong is free."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a list has not all points, and what to do."""

    rule: str
    points: float
    words: Words
    advice: Words
    column: str = ""
    faults: list[Fault] = field(default_factory=list, repr=False)
    headings: dict[str, str] = field(default_factory=dict)
    """Heading of the list: name in the standard, where they differ."""


def column_of(sheet: Sheet, one: Match) -> list[str]:
    """The values of a column of the standard, as the list has them."""
    if one.part is not None:
        return [half_of(row[one.places[0]], one.part) for row in sheet.rows]
    return [one.glue.join(row[place] for place in one.places if row[place]) for row in sheet.rows]


def half_of(position: str, part: int) -> str:
    """Latitude or longitude out of a cell that holds both; a cell that does not stays whole."""
    halves = [half for half in re.split(r"[,;/\s]+", position.strip()) if half]
    return halves[part] if len(halves) == PAIR else position.strip(" ,;/")


def shown(sheet: Sheet, one: Match) -> str:
    """The headings that a column is made from."""
    return " + ".join(sheet.headings[place] for place in one.places)


def lost(rule: str, share: float = 1.0) -> float:
    """The points for a share of what can be lost."""
    return max(LEAST, round(POINTS[rule] * share, 1))


def own_places(sheet: Sheet, candidate: Candidate) -> list[int]:
    """Where the columns stand that the standard does not have, with a heading or with values alone."""
    used = {place for one in candidate.matches for place in one.places}
    return [
        place
        for place, heading in enumerate(sheet.headings)
        if place not in used and (heading or any(row[place] for row in sheet.rows))
    ]
