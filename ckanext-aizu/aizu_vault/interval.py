"""Times from one instant on and before another, and what several of them make together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Interval:
    """`[start, end)`; None is without bound.

    Raises:
        ValueError: nothing lies between the bounds, or a bound has no time zone.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for bound in (self.start, self.end):
            if bound is not None and bound.utcoffset() is None:
                raise ValueError(f"{bound} has no time zone")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"nothing lies from {self.start} to before {self.end}")

    def __contains__(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (
            self.end is None or moment < self.end
        )


ALWAYS = Interval()
_ANY = datetime.min.replace(tzinfo=UTC)


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same instants in as few intervals as possible, in order; as PostgreSQL's range_agg."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=_by_start):
        last = merged[-1] if merged else None
        if last is None or _before(last.end, interval.start):
            merged.append(interval)
        elif last.end is not None and (interval.end is None or last.end < interval.end):
            merged[-1] = Interval(last.start, interval.end)
    return tuple(merged)


def _by_start(interval: Interval) -> tuple[bool, datetime]:
    return (interval.start is not None, interval.start or _ANY)


def _before(end: datetime | None, start: datetime | None) -> bool:
    return end is not None and start is not None and end < start
