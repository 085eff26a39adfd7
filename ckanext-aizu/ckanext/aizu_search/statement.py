"""SQL in the making: its parameters, and where the values of a field are."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from . import dates, fields
from .characters import storable


class Statement:
    """SQL in the making: gathers parameters and gives out their placeholders."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = weights
        self.parameters: dict[str, Any] = {}
        self._now = datetime.now(UTC)

    def parameter(self, value: Any) -> str:
        """Keep a value and return the placeholder that stands for it."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = storable(value) if isinstance(value, str) else value
        return f"%({name})s"

    def moment(self, value: str) -> datetime:
        """A date with mathematics; NOW is the same throughout a statement."""
        return dates.resolve(value, self._now)


def single(field: str) -> str | None:
    """The column of a field that has one value and a column."""
    has_column = field == "index_id" or fields.COLUMNS.get(field, "text[]") != "text[]"
    return f"d.{field}" if has_column else None


def many(made: Statement, field: str) -> str:
    """The values of any other field, as an array or in JSON."""
    return f"d.{field}" if field in fields.COLUMNS else f"(d.other -> {made.parameter(field)})"


def each(field: str, values: str) -> str:
    """What `many` gave, value by value."""
    unpack = "unnest" if field in fields.COLUMNS else "jsonb_array_elements_text"
    return f"{unpack}({values})"
