"""What a file of positions holds before anybody asks what its columns mean."""

from dataclasses import dataclass, field

import polars as pl

from harvesters.source import Repair
from harvesters.words import Words

Point = tuple[str, str]
"""East and north (longitude and latitude, or metres of a grid), with every digit of the source."""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Records as rows of text, under the names that the file gives them."""

    shape: Words
    """What kind of file it is, in words."""
    frame: pl.DataFrame
    """A column per heading, all text; blank where there is no value."""
    rows: pl.Series
    """Where each record stands: the row of a spreadsheet, or the number of the record."""
    places: list[list[Point]] | None = None
    """The geometry of each record, where the file has geometries and not columns."""
    grid: str = ""
    """The coordinate reference system that the file names, as "EPSG:3857"; blank: none named."""
    encoding: str = "UTF-8"
    kind: str = ""
    repairs: list[Repair] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)

    @property
    def has_lines(self) -> bool:
        """Whether any record is a way driven rather than a place."""
        return any(len(place) > 1 for place in self.places or [])
