"""What two versions of a table differ in: rows by their key, cell by cell, and columns by their name."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import polars as pl

from ckanext.aizu.diff_match import match
from ckanext.aizu.diff_table import PLACE, Table, UnreadableError

__all__ = ["Cell", "Change", "Counts", "Diff", "Fields", "Retyped", "Row", "Table"]
__all__ += ["UnreadableError", "compare"]

BATCH = 50_000
"""Rows that are read from the files at once."""
FIRST_ROW = 2
"""Of the data, as spreadsheets and Frictionless count: the header is row 1."""
NUMBERS = {"number", "integer"}


class Change(StrEnum):
    """What became of a row."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many rows became what."""

    added: int
    changed: int
    removed: int
    unchanged: int

    @property
    def before(self) -> int:
        """All rows of the earlier version."""
        return self.unchanged + self.changed + self.removed

    @property
    def after(self) -> int:
        """All rows of the later version."""
        return self.unchanged + self.changed + self.added


class Retyped(NamedTuple):
    """A column whose values are of another type than before."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Fields:
    """How the columns differ; their order is no difference."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    retyped: tuple[Retyped, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)


class Cell(NamedTuple):
    """One value that changed."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row that was added, changed or removed, with all its cells."""

    key: dict[str, str]
    before: dict[str, str]
    after: dict[str, str]
    row_before: int | None
    row_after: int | None

    @property
    def change(self) -> Change:
        """What became of it."""
        if self.row_before is None:
            return Change.ADDED
        return Change.REMOVED if self.row_after is None else Change.CHANGED

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What changed in it, of the columns that both versions have."""
        return tuple(
            Cell(column, self.before[column], value)
            for column, value in self.after.items()
            if self.before.get(column, value) != value
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Diff:
    """The differences of two versions; cells are read from their files when they are asked for."""

    before: Table
    after: Table
    key: tuple[str, ...]
    """By which rows were compared; none if the versions share no key."""
    counts: Counts
    fields: Fields
    order_changed: bool
    """Whether rows that both versions have follow one another in another order."""
    keyless: int
    """Rows of both versions that were compared as a whole, for want of a key of their own."""
    places: pl.DataFrame = field(repr=False)
    """Where each row that differs stands in the earlier and in the later file."""

    def __bool__(self) -> bool:
        return bool(len(self.places) or self.fields or self.order_changed)

    def rows(self, offset: int = 0, limit: int | None = None) -> Iterator[Row]:
        """Rows that differ: by their place in the later version, then removed ones by their own."""
        # Polars takes no number beyond 64 bits, and addresses may hold any.
        start = min(offset, len(self.places))
        for part in self.places.slice(start, limit).iter_slices(BATCH):
            before = _cells(self.before, part["before"])
            after = _cells(self.after, part["after"])
            for old, new in part.iter_rows():
                yield Row(
                    key={column: (after.get(new) or before[old])[column] for column in self.key},
                    before=before.get(old, {}),
                    after=after.get(new, {}),
                    row_before=None if old is None else old + FIRST_ROW,
                    row_after=None if new is None else new + FIRST_ROW,
                )

    @cached_property
    def rewritten(self) -> int:
        """Changed rows in which nothing but the writing of numbers differs, as in 1.0 and 1.

        They are changes all the same: a file says what it says.
        """
        changed = self.places.drop_nulls()
        return _rewritten(self.before, self.after, changed) if len(changed) else 0


def compare(before: Table, after: Table) -> Diff:
    """Compares two versions of a table; for a first version, `before` has no content.

    Values are compared as text, of the columns that both versions have.

    Raises:
        UnreadableError: a file is not the CSV that its schema describes.
    """
    try:
        before.check()
        after.check()
        return _compare(before, after)
    except pl.exceptions.PolarsError as error:
        raise UnreadableError(f"expected CSV in UTF-8: {error}") from error


def _compare(before: Table, after: Table) -> Diff:
    common = before.types.keys() & after.types.keys()
    key = next((key for key in (after.key, before.key) if key and common.issuperset(key)), ())
    pairs, keyless = match(before, after, key)
    places = pairs.filter(~pl.col("same")).drop("same").sort("after", "before", nulls_last=True)
    added, removed = places["before"].null_count(), places["after"].null_count()
    changed = len(places) - added - removed
    return Diff(
        before=before,
        after=after,
        key=key,
        counts=Counts(
            added=added, changed=changed, removed=removed, unchanged=len(pairs) - len(places)
        ),
        fields=_fields(before.types, after.types),
        order_changed=not pairs.drop_nulls().sort("after")["before"].is_sorted(),
        keyless=keyless,
        places=places,
    )


def _fields(before: dict[str, str], after: dict[str, str]) -> Fields:
    return Fields(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        retyped=tuple(
            Retyped(name, before[name], kind)
            for name, kind in after.items()
            if before.get(name, kind) != kind
        ),
    )


def _cells(table: Table, places: pl.Series) -> dict[int, dict[str, str]]:
    rows = table.at(places).collect(engine="streaming")
    return {row.pop(PLACE): row for row in rows.iter_rows(named=True)}


def _rewritten(before: Table, after: Table, changed: pl.DataFrame) -> int:
    common = [name for name in after.types if name in before.types]
    numbers = [name for name in common if {before.types[name], after.types[name]} <= NUMBERS]
    worth = [pl.col(name) for name in common if name not in numbers]
    worth += [part for name in numbers for part in _worth(name)]
    hashed = pl.struct(worth).hash(secrets.randbits(63))
    for table, side in ((before, "before"), (after, "after")):
        rows = table.at(changed[side]).select(pl.col(PLACE).alias(side), hashed.alias(f"{side}_"))
        changed = changed.join(rows.collect(engine="streaming"), on=side)
    return int((changed["before_"] == changed["after_"]).sum())


def _worth(name: str) -> tuple[pl.Expr, pl.Expr]:
    """What two writings of one number have in common: a float and, since floats round, the digits."""
    text = pl.col(name)
    number = text.cast(pl.Float64, strict=False)
    digits = text.str.replace(".", "", literal=True).str.strip_chars("+-0")
    finite = number.is_finite().fill_null(value=False)
    return (
        pl.when(finite).then(number).alias(f"{name}_number"),
        pl.when(finite).then(digits).otherwise(text).alias(f"{name}_digits"),
    )
