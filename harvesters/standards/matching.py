"""Which columns of a list are which columns of a standard, how sure that is, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from harvesters.dataset import Origin
from harvesters.intake import Sheet
from harvesters.japanese import heading_key
from harvesters.standards.definitions import Column, key_of
from harvesters.standards.kinds import kinds
from harvesters.standards.recognise import MOSTLY, Guess, recognise
from harvesters.words import Words

NAME, OTHER_NAME, SIMILAR, VALUES = "name", "other name", "similar name", "values"
CERTAINTY = {NAME: 1.0, OTHER_NAME: 1.0, SIMILAR: 0.8, VALUES: 0.6}
WHY = {
    NAME: Words("標準の見出し", "the standard's heading"),
    OTHER_NAME: Words("旧版などの見出し", "heading of an older edition or another spelling"),
    SIMILAR: Words("似た見出し", "similar heading"),
    VALUES: Words("値から", "by the values"),
}
TELLING = {
    "latitude", "longitude", "phone", "postal-code", "email", "prefecture", "city",
    "address", "municipality-code", "corporate-number",
}  # fmt: skip
"""Kinds of which a list has one column, so that its values tell which column of the standard it is."""
SIGNS = re.compile(r"[-‐‑–—―−ー_・、,。.:/~～()\[\]【】]")
BRACKETS = re.compile(r"\([^()]*\)")
SHORTEST = 2
"""Signs of a name that is looked for at the end of a heading."""
LONGEST_ID = 20


@dataclass(frozen=True)
class Listed:
    """One column of a list."""

    place: int
    heading: str
    values: tuple[str, ...]

    @cached_property
    def guess(self) -> Guess:
        """What its values are."""
        return recognise(self.heading, self.values)

    @cached_property
    def spellings(self) -> tuple[str, str, str]:
        """The heading as a key, without what stands in brackets, and without signs."""
        key = heading_key(self.heading)
        return key, BRACKETS.sub("", key), SIGNS.sub("", key)

    @cached_property
    def numbers_rows(self) -> bool:
        """Whether every row has a value of its own that can be a number of the row."""
        return len(set(self.values)) == len(self.values) and all(
            value.strip()
            and len(value) <= LONGEST_ID
            and not re.search(r"\s|[、。]", value.strip())
            for value in self.values
        )


@dataclass(frozen=True, kw_only=True)
class Match:
    """One column of the standard and what it is made from."""

    column: Column
    places: tuple[int, ...]
    glue: str = ""
    part: int | None = None
    """Which half of a position that stands in one column: 0 is the latitude."""
    by: str

    @property
    def certainty(self) -> float:
        """From 0 to 1."""
        return CERTAINTY[self.by]


def listed(sheet: Sheet) -> list[Listed]:
    """The columns of a sheet that have a heading or a value."""
    columns = list(zip(*sheet.rows, strict=True))
    return [
        Listed(place, heading, columns[place])
        for place, heading in enumerate(sheet.headings)
        if heading or any(columns[place])
    ]


def match(
    columns: Sequence[Column],
    given: Sequence[Listed],
    words: re.Pattern[str] | None = None,
    words_in: str = "",
) -> list[Match]:
    """The surest first: by name, by another name, by a similar one, by values; each place once.

    words are those of the dataset, and words_in is the column that holds them.
    """
    found: dict[str, Match] = {}
    for step in (_same_names, _other_names, _similar_names, _telling_values, _positions):
        used = {place for one in found.values() for place in one.places}
        step(columns, [one for one in given if one.place not in used], found)
        if step is _same_names and words and words_in:
            _with_words(columns, given, found, words, words_in)
    return [found[column.name] for column in columns if column.name in found]


def _same_names(columns: Sequence[Column], free: list[Listed], found: dict[str, Match]) -> None:
    places = _places(free)
    for column in columns:
        if (one := places.get(heading_key(column.name))) is not None:
            found[column.name] = Match(column=column, places=(one.place,), by=NAME)


def _other_names(columns: Sequence[Column], free: list[Listed], found: dict[str, Match]) -> None:
    places = _places(free)
    for column in columns:
        if column.name in found:
            continue
        for origin in column.origins:
            if made := _made_from(column, origin, places):
                found[column.name] = made
                for key in key_of(origin):
                    del places[key]
                break


def _made_from(column: Column, origin: Origin, places: dict[str, Listed]) -> Match | None:
    ones = [places[key] for key in key_of(origin) if key in places]
    if len(ones) < len(origin.headings):
        return None
    if len(ones) == 1 and not compatible(column, ones[0]):
        return None
    return Match(
        column=column, places=tuple(one.place for one in ones), glue=origin.glue, by=OTHER_NAME
    )


def _similar_names(columns: Sequence[Column], free: list[Listed], found: dict[str, Match]) -> None:
    """Signs left out, or what stands in brackets or in front of the name."""
    for column in columns:
        for one in free:
            if column.name not in found and _alike(one, column) and compatible(column, one):
                found[column.name] = Match(column=column, places=(one.place,), by=SIMILAR)
                free.remove(one)
                break


def _alike(one: Listed, column: Column) -> bool:
    names, bare_names, endings = _spellings(column)
    key, without_brackets, without_signs = one.spellings
    return bool(key) and (
        without_signs in bare_names
        or without_brackets in names
        or without_brackets.endswith(endings)
    )


@cache
def _spellings(column: Column) -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
    """The names of a column, without signs, and those that may stand at the end of a heading."""
    names = {heading_key(column.name)}
    names |= {key for one in column.origins for key in key_of(one) if len(one.headings) == 1}
    endings = tuple(name for name in names if len(name) >= SHORTEST and not name.isascii())
    return frozenset(names), frozenset(SIGNS.sub("", name) for name in names), endings


def _with_words(
    columns: Sequence[Column],
    given: Sequence[Listed],
    found: dict[str, Match],
    words: re.Pattern[str],
    words_in: str,
) -> None:
    """The column that says in most of its values what the list is about; its heading helps."""
    used = {place for one in found.values() for place in one.places}
    free = [one for one in given if one.place not in used and _says(one, words)]
    for column in columns:
        if column.name == words_in and column.name not in found and free:
            best = min(free, key=lambda one: not _alike(one, column))
            found[column.name] = Match(column=column, places=(best.place,), by=VALUES)


def _says(one: Listed, words: re.Pattern[str]) -> bool:
    return sum(bool(words.search(value)) for value in one.values) >= MOSTLY * len(one.values)


def _telling_values(columns: Sequence[Column], free: list[Listed], found: dict[str, Match]) -> None:
    taken = {found[column.name].column.kind for column in columns if column.name in found}
    for column in columns:
        if column.name in found or column.kind in taken:
            continue
        if column.kind == "id":
            fitting = [one for one in free if one.guess.kind in _ANY_CODE and one.numbers_rows][:1]
        else:
            fitting = [one for one in free if one.guess.kind == column.kind in TELLING]
        if len(fitting) == 1:
            found[column.name] = Match(column=column, places=(fitting[0].place,), by=VALUES)
            free.remove(fitting[0])
            taken.add(column.kind)


_ANY_CODE = {"id", "code", "number", "count", "text"}


def _positions(columns: Sequence[Column], free: list[Listed], found: dict[str, Match]) -> None:
    """Latitude and longitude out of one column that holds both."""
    halves = {column.kind: column for column in columns if column.name not in found}
    whole = [one for one in free if one.guess.kind == "position" and any(one.values)]
    if {"latitude", "longitude"} <= set(halves) and len(whole) == 1:
        for part, kind in enumerate(("latitude", "longitude")):
            found[halves[kind].name] = Match(
                column=halves[kind], places=(whole[0].place,), part=part, by=VALUES
            )


def compatible(column: Column, one: Listed) -> bool:
    """Whether the values may be of the column's kind: a telephone number is no latitude."""
    told = one.guess.kind
    return told == column.kind or not (kinds()[told].alone and kinds()[column.kind].alone)


def _places(free: list[Listed]) -> dict[str, Listed]:
    """The first column of each heading."""
    places: dict[str, Listed] = {}
    for one in free:
        places.setdefault(heading_key(one.heading), one)
    places.pop("", None)
    return places
