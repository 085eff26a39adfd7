"""What every source module gives: the Source protocol, and the package of tables that it makes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import polars as pl
import requests

from harvesters.city import City, Feed
from harvesters.dataset import Field
from harvesters.fetch import Snapshot
from harvesters.words import Words

Progress = Callable[[int, int], None]
"""Told how many bytes have come and how many were announced (0: unknown)."""

Beside = Callable[[str], Snapshot | None]
"""The last snapshot that another source of the same city kept, by the name of that source."""


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One value that is not as the city wrote it, and why."""

    row: int
    column: str
    before: str
    after: str
    rule: str

    @property
    def count(self) -> int:
        """In how many cells."""
        return 1


@dataclass(frozen=True, kw_only=True)
class SameRepair(Repair):
    """Equal repairs of one column, told once with the first row: a log may have a million of them."""

    cells: int

    @property
    def count(self) -> int:
        """In how many cells."""
        return self.cells


@dataclass(frozen=True, kw_only=True)
class Table:
    """One clean table, and how every part of it follows from the city's file."""

    name: str
    """Of its resource in the descriptor."""
    title: Words
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    frame: pl.DataFrame = field(repr=False)
    """A column of texts for each field, in their order; an empty text is no value."""
    row_numbers: Sequence[int] = field(repr=False)
    """Where each row stands in the city's file, as a spreadsheet counts."""
    headings: dict[str, str]
    """Column: heading in the city's file."""
    encoding: str
    position: tuple[str, str] | None = None
    """The columns of latitude and longitude."""
    repairs: list[Repair] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)

    @property
    def rows(self) -> list[list[str]]:
        """The cells row by row, for those who look at few rows."""
        return [list(cells) for cells in self.frame.rows()]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a source's own checks found, beyond what a Table Schema can say."""

    rule: str
    severity: Literal["error", "warning"]
    """An error keeps the dataset from being published; a warning is shown."""
    table: str
    row: int | None
    column: str
    value: str
    words: Words
    """A whole sentence, with what to do."""
    more: int = 0
    """Further ones like it that were counted and are not listed."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """Everything that one snapshot holds."""

    tables: tuple[Table, ...]
    """First the one that people look for."""
    layers: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Name: GeoJSON, where a source draws its own; else each table with a position is a layer."""
    layer_titles: Mapping[str, Words] = field(default_factory=dict)
    """Of layers that show something else than the table of their name."""
    problems: list[Problem] = field(default_factory=list)
    of_the_moment: bool = False
    """Whether the same bytes, fetched later, would say something else."""
    kind: str = ""
    """Of the file that came, where the intake of tables does not know it: see original.TYPES."""

    @property
    def repairs(self) -> list[Repair]:
        """The repairs of all tables."""
        return [repair for table in self.tables for repair in table.repairs]

    @property
    def notes(self) -> list[Words]:
        """The notes of all tables, each said once."""
        return list(dict.fromkeys(note for table in self.tables for note in table.notes))

    @property
    def row_count(self) -> int:
        """The rows of all tables."""
        return sum(table.frame.height for table in self.tables)


def frame_of(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pl.DataFrame:
    """Rows of texts as the frame of a table."""
    return pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.String), orient="row")


class Source(Protocol):
    """A module of harvesters.sources: knowledge about one source and nothing else."""

    name: str
    looks_at: tuple[str, ...]
    """Other sources whose last snapshots it reads beside its own."""

    def fetch(
        self, feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
    ) -> Snapshot:
        """Gets the bytes as the city offers them."""

    def normalise(self, snapshot: Snapshot, feed: Feed, city: City, beside: Beside, /) -> Package:
        """Brings the bytes into the columns of the descriptor."""
