"""What every source module gives: the Source protocol, and the table that it makes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import requests

from harvesters.city import City, Feed
from harvesters.dataset import Field
from harvesters.fetch import Snapshot
from harvesters.words import Words

Progress = Callable[[int, int], None]
"""Told how many bytes have come and how many were announced (0: unknown)."""


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One value that is not as the city wrote it, and why."""

    row: int
    column: str
    before: str
    after: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """The clean table, and how every part of it follows from the city's list."""

    fields: tuple[Field, ...]
    key: tuple[str, ...]
    rows: list[list[str]]
    row_numbers: list[int]
    """Where each row stands in the city's file, as a spreadsheet counts."""
    headings: dict[str, str]
    """Column: heading in the city's list."""
    encoding: str
    repairs: list[Repair] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)


class Source(Protocol):
    """A module of harvesters.sources: knowledge about one source and nothing else."""

    name: str

    def fetch(
        self, feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
    ) -> Snapshot:
        """Gets the bytes as the city offers them."""

    def normalise(self, snapshot: Snapshot, feed: Feed, city: City) -> Table:
        """Brings the bytes into the columns of the descriptor."""
