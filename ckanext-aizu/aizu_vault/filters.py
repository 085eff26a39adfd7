"""Which rows a recipient wants: ranges and lists of values of released fields, and nothing else.

Filters see a row as it goes, after what the person does not permit was taken out of it: nobody finds out by a filter what
they would not have been given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from aizu_vault.formats import as_json
from aizu_vault.refusals import WishError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

MOST_VALUES: Final = 1_000
_EARLIEST: Final = datetime.fromisoformat("1900-01-01T00:00:00Z")
_LATEST: Final = datetime.fromisoformat("2200-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """From `start` on, and before `end`; None is without bound."""

    start: Any = None
    end: Any = None

    def keeps(self, column: pl.Expr) -> pl.Expr:
        """Whether a row is wanted."""
        wanted = column.is_not_null()
        if self.start is not None:
            wanted &= column >= self.start
        return wanted if self.end is None else wanted & (column < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """Any of these values."""

    values: tuple[Any, ...]

    def keeps(self, column: pl.Expr) -> pl.Expr:
        """Whether a row is wanted."""
        return column.is_not_null() & column.is_in(list(self.values))


Filters = dict[str, Between | OneOf]


def read_filters(said: Mapping[str, Any], kinds: Mapping[str, str]) -> Filters:
    """Filters as they come as JSON: `{"pulse": {"from": 60, "to": 100}, "place": ["home", "work"]}`.

    Args:
        said: for each field what is wanted of it.
        kinds: the released columns and what they hold.

    Raises:
        WishError: a field is not released, or a value is not of its kind.
    """
    return {field: _filter(field, wanted, kinds) for field, wanted in said.items()}


def kept(frame: pl.DataFrame, filters: Filters) -> pl.DataFrame:
    """The rows that all filters want."""
    if not filters:
        return frame
    wanted = pl.all_horizontal(one.keeps(pl.col(field)) for field, one in filters.items())
    mask = frame.select(wanted).to_series()
    return frame if mask.all() else frame.filter(mask)


def times(filters: Filters, column: str) -> tuple[datetime | None, datetime | None]:
    """From when until when rows are wanted, so that no other blocks are read."""
    match filters.get(column):
        case Between(start=start, end=end):
            return start, end
        case _:
            return None, None


def _filter(field: str, wanted: Any, kinds: Mapping[str, str]) -> Between | OneOf:
    kind = kinds.get(field)
    if kind is None:
        known = ", ".join(kinds)
        raise WishError(f"filter on {as_json(field)}: expected one of the released {known}")
    match wanted:
        case dict() if wanted and wanted.keys() <= {"from", "to"}:
            return _between(field, wanted, kind)
        case list() if 0 < len(wanted) <= MOST_VALUES:
            return OneOf(values=tuple(_value(field, one, kind) for one in wanted))
    expected = f'{{"from": …, "to": …}} or a list of 1 to {MOST_VALUES} values'
    raise WishError(f"filter on {field}: expected {expected}, and not {as_json(wanted)}")


def _between(field: str, bounds: Mapping[str, Any], kind: str) -> Between:
    start, end = (
        _value(field, bounds[name], kind) if name in bounds else None for name in ("from", "to")
    )
    if start is not None and end is not None and start >= end:
        raise WishError(f"filter on {field}: nothing lies in {as_json(bounds)}; `to` is excluded")
    return Between(start=start, end=end)


def _value(field: str, value: Any, kind: str) -> Any:
    expected, read = _KINDS[kind]
    try:
        return read(value)
    except ValueError:
        raise WishError(
            f"filter on {field}: expected {expected}, and not {as_json(value)}"
        ) from None


def _time(value: Any) -> datetime:
    read = datetime.fromisoformat(_of(value, {str}))
    if read.utcoffset() is None or not _EARLIEST <= read <= _LATEST:
        raise ValueError
    return read


def _integer(value: Any) -> int:
    if not -(2**63) <= _of(value, {int}) < 2**63:
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    try:
        read = float(_of(value, {int, float}))
    except OverflowError:
        raise ValueError from None
    if not math.isfinite(read):
        raise ValueError
    return read


def _text(value: Any) -> str:
    text = str(_of(value, {str}))
    # A surrogate alone raises, too: the database can take neither.
    if b"\0" in text.encode():
        raise ValueError
    return text


def _of(value: Any, kinds: Collection[type]) -> Any:
    """The value, if it is exactly of one of these types: true is not a number."""
    if type(value) not in kinds:
        raise ValueError
    return value


_KINDS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "time": ("a time with its zone such as 2026-02-01T00:00:00+09:00", _time),
    "integer": ("a whole number", _integer),
    "number": ("a number", _number),
    "text": ("a text", _text),
}
