"""Rules that Table Schema cannot say, as Frictionless checks, so that one report holds everything."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs
import polars as pl
from frictionless import Check, errors

PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
SURE_NUMBER = r"^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$"
"""Nearly all plain numbers, and a form that Python and Polars read alike."""


class OutsideCityError(errors.CellError):
    """A position that is not in the city."""

    type = "outside-city"
    title = "Position outside the city"
    description = "The position lies outside the bounds of the city."
    template = 'The position in row "{rowNumber}" lies outside the city: {note}'


class SwappedCoordinatesError(errors.CellError):
    """A position that would be in the city if latitude and longitude changed places."""

    type = "swapped-coordinates"
    title = "Latitude and longitude swapped"
    description = "Latitude and longitude seem to have changed places."
    template = 'Latitude and longitude in row "{rowNumber}" seem swapped: {note}'


class HalfPositionError(errors.CellError):
    """A latitude without its longitude, or the other way round."""

    type = "half-position"
    title = "Half a position"
    description = "Only one of latitude and longitude is given."
    template = 'The position in row "{rowNumber}" is incomplete: {note}'


class NumberFormError(errors.CellError):
    """A number in a form that Python reads, and spreadsheets and databases do not."""

    type = "number-form"
    title = "Unusual number"
    description = "A number is written with the digits 0 to 9 and at most one point."
    template = 'The number "{cell}" in row "{rowNumber}" is not plain: {note}'


@attrs.define(kw_only=True, repr=False)
class inside_city(Check):  # noqa: N801  Frictionless names its checks like functions
    """Every position lies inside the city; a row without any position is accepted."""

    type = "inside-city"
    Errors = [OutsideCityError, SwappedCoordinatesError, HalfPositionError]

    latitude: str
    longitude: str
    west: float
    south: float
    east: float
    north: float

    @property
    def names(self) -> set[str]:
        """The columns it reads."""
        return {self.latitude, self.longitude}

    def doubtful(self, columns: Mapping[str, pl.Expr], types: Mapping[str, str]) -> pl.Expr:
        """The rows that may break the rule: all but blank positions and those plainly inside."""
        latitude, longitude = columns[self.latitude], columns[self.longitude]
        inside = _plainly_within(latitude, self.south, self.north)
        inside &= _plainly_within(longitude, self.west, self.east)
        return ~(inside | ((latitude == "") & (longitude == "")))

    def validate_row(self, row: Any) -> Iterator[errors.CellError]:
        """Looks at the two cells together, since neither alone says where the place is."""
        latitude, longitude = _number(row, self.latitude), _number(row, self.longitude)
        blank = [name for name in (self.latitude, self.longitude) if not _text(row, name)]
        if len(blank) == 1:
            yield _error(HalfPositionError, row, blank[0], "the other half is given")
        if latitude is None or longitude is None or self._holds(latitude, longitude):
            return
        kind = SwappedCoordinatesError if self._holds(longitude, latitude) else OutsideCityError
        note = f"{self.south} to {self.north} north, {self.west} to {self.east} east"
        for name in (self.latitude, self.longitude):
            yield _error(kind, row, name, note)

    def _holds(self, latitude: float, longitude: float) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east

    metadata_profile_patch = {
        "required": ["latitude", "longitude", "west", "south", "east", "north"],
        "properties": {
            "latitude": {"type": "string"},
            "longitude": {"type": "string"},
            "west": {"type": "number"},
            "south": {"type": "number"},
            "east": {"type": "number"},
            "north": {"type": "number"},
        },
    }


@attrs.define(kw_only=True, repr=False)
class plain_numbers(Check):  # noqa: N801  as above
    """Numbers are written so that every reader takes them for the same number."""

    type = "plain-numbers"
    Errors = [NumberFormError]

    columns: list[str]

    @property
    def names(self) -> set[str]:
        """The columns it reads."""
        return set(self.columns)

    def doubtful(self, columns: Mapping[str, pl.Expr], types: Mapping[str, str]) -> pl.Expr:
        """The rows that may break the rule."""
        plain = [
            (columns[name] == "") | surely_plain(columns[name], types[name])
            for name in self.columns
        ]
        return ~pl.all_horizontal(pl.lit(True), *plain)

    def validate_row(self, row: Any) -> Iterator[errors.CellError]:
        """1_000, 1e3 and NaN are numbers for Python, and for hardly anybody else."""
        for name in self.columns:
            text = _text(row, name)
            if row[name] is not None and not PLAIN_NUMBER.fullmatch(text):
                yield _error(NumberFormError, row, name, f"written as {text}")

    metadata_profile_patch = {
        "required": ["columns"],
        "properties": {"columns": {"type": "array", "items": {"type": "string"}}},
    }


def surely_plain(cell: pl.Expr, type: str) -> pl.Expr:  # noqa: A002  a field's
    """Texts that are a plain number beyond doubt: all that Polars reads as an integer are."""
    if type == "integer":
        return cell.cast(pl.Int64, strict=False).is_not_null()
    return cell.str.contains(SURE_NUMBER)


def _plainly_within(column: pl.Expr, low: float, high: float) -> pl.Expr:
    number = column.cast(pl.Float64, strict=False)
    return column.str.contains(SURE_NUMBER) & number.is_between(low, high)


def _text(row: Any, name: str) -> str:
    """The cell as it is written; a row may end before it."""
    place = row.field_names.index(name)
    return str(row.cells[place]) if place < len(row.cells) else ""


def _number(row: Any, name: str) -> float | None:
    """The cell's value; nothing where it is blank, refused for its type, or not finite."""
    value = row[name]
    number = Decimal(value) if isinstance(value, int | float | Decimal) else Decimal("NaN")
    return float(number) if number.is_finite() else None


def _error(kind: type[errors.CellError], row: Any, name: str, note: str) -> errors.CellError:
    """Unlike `from_row`, shows the cell as it is written in the list."""
    place = row.field_names.index(name)
    return kind(
        note=note,
        cells=[str(cell) for cell in row.cells],
        row_number=row.row_number,
        cell=_text(row, name),
        field_name=name,
        field_number=place + 1,
    )
