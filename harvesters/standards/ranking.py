"""Which dataset of the standard a list is: by its headings and by what is in it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log

from harvesters.intake import Sheet
from harvesters.japanese import heading_key
from harvesters.standards.definitions import REQUIRED, Standard, standards
from harvesters.standards.matching import Listed, Match, listed, match

LOOKED_AT = 300
"""Rows whose words are looked at."""
LEAST = 0.45
"""The likeness below which a list is none of them."""
CLOSE = 0.08
"""A second one that is less than this behind is named, too."""
ENOUGH = 2.0
"""Headings that no other dataset has: so many leave no doubt; one that two datasets have is half of one."""
GENERAL = "public_facility"
"""Has no heading of its own: any list of places that people visit is this one."""
VISITED = {"電話番号", "開始時間"}
"""What a list of places has that are open to people."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A dataset of the standard, and how much a list is like it; all shares are from 0 to 1."""

    standard: Standard
    matches: list[Match]
    explained: float
    """The share of the list's columns that the dataset knows; rare headings weigh more."""
    distinctive: float
    """How many headings it has that few other datasets have."""
    required: float
    """The share of the required columns that are there."""
    content: float
    """The share of the rows with its words."""

    @property
    def likeness(self) -> float:
        """Headings weigh most: words of one list also stand in others."""
        return (
            0.4 * self.explained
            + 0.25 * self.distinctive
            + 0.2 * self.content
            + 0.15 * self.required
        )

    @property
    def possible(self) -> bool:
        """Whether a list can be this dataset at all, and not only has a name and an address."""
        general = self.standard.name == GENERAL and self.explained >= 0.8 and self._visited
        told = self.content >= 0.4 and self.explained >= 0.35
        enough = self.likeness >= LEAST and self.required > 0
        return enough and (self.distinctive >= 0.5 or told or general)

    @property
    def _visited(self) -> bool:
        return self.content >= 0.5 or {one.column.name for one in self.matches} >= VISITED


def rank(sheet: Sheet) -> list[Candidate]:
    """The datasets that the list can be, the likeliest first; none of them is an answer."""
    given = listed(sheet)
    found = [_candidate(one, given, sheet.rows[:LOOKED_AT]) for one in standards().values()]
    return sorted(
        (one for one in found if one.possible), key=lambda one: one.likeness, reverse=True
    )


def runner_up(ranked: Sequence[Candidate]) -> Candidate | None:
    """The second, where it is close."""
    if len(ranked) > 1 and ranked[0].likeness - ranked[1].likeness < CLOSE:
        return ranked[1]
    return None


def _candidate(standard: Standard, given: list[Listed], rows: list[list[str]]) -> Candidate:
    matches = match(standard.columns, given, standard.content, standard.content_in)
    headings = {one.place: one.heading for one in given}
    owners = {id(one): _owners_of(one, headings) for one in matches}
    known = sum(log(1 + len(standards()) / owners[id(one)]) * one.certainty for one in matches)
    places = {place for one in matches for place in one.places}
    unknown = sum(1.0 for one in given if one.place not in places and any(one.values))
    rare = sum(one.certainty / owners[id(one)] for one in matches if owners[id(one)] <= 2)
    required = [column.name for column in standard.columns if column.level == REQUIRED]
    there = {one.column.name for one in matches}
    return Candidate(
        standard=standard,
        matches=matches,
        explained=known / (known + unknown) if known else 0.0,
        distinctive=min(1.0, rare / ENOUGH),
        required=len(there.intersection(required)) / len(required) if required else 1.0,
        content=_content(standard, rows),
    )


def _content(standard: Standard, rows: list[list[str]]) -> float:
    if not standard.content or not rows:
        return 0.0
    return sum(any(map(standard.content.search, cells)) for cells in rows) / len(rows)


def _owners_of(found: Match, headings: dict[int, str]) -> int:
    """How many datasets know the rarest heading of a column; its values alone say little."""
    known = [_owners()[heading_key(headings[place])] for place in found.places]
    return min((count for count in known if count), default=len(standards()))


@cache
def _owners() -> Counter[str]:
    """In how many datasets a heading stands."""
    return Counter(
        key for one in standards().values() for key in {heading_key(name) for name in one.headings}
    )
