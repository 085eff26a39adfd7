"""Takes out of rows what nobody permitted: for each row the fields that everybody accountable for it lets go then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from aizu_vault.gate import Permit
from aizu_vault.interval import ALWAYS, Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aizu_vault.gate import Denial
    from aizu_vault.rule import Windows

    Times = tuple[Interval, ...]
    Numbers = np.ndarray[Any, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_BOUNDS: Final = np.iinfo("i8")


def windows_of_rows(decisions: Iterable[Permit | Denial]) -> Windows:
    """For each field the times of rows with which it may go: those which all who decide on the rows permit.

    The same as `gate.fields_of_row` for all moments at once.
    """
    permits = list(decisions)
    granted = [one.windows for one in permits if isinstance(one, Permit)]
    if not granted or len(granted) < len(permits):
        return {}
    fields = set.intersection(*(set(windows) for windows in granted))
    shared = {field: reduce(common, (one[field] for one in granted)) for field in sorted(fields)}
    return {field: times for field, times in shared.items() if times}


def masked(
    frame: pl.DataFrame,
    time: str,
    owners: Numbers,
    windows: Sequence[Windows],
    fields: Sequence[str],
) -> pl.DataFrame:
    """The rows of which something may go, without what may not.

    Args:
        frame: rows.
        time: the column with the time of a row.
        owners: for each row the place of its owner in `windows`.
        windows: of each owner.
        fields: those that are asked for.
    """
    moments = frame[time].to_physical().to_numpy()
    allowed = {field: _allowed(field, moments, owners, windows) for field in fields}
    anything = np.logical_or.reduce([np.zeros(len(moments), dtype=bool), *allowed.values()])
    masks = [_emptied(frame[field], mask) for field, mask in allowed.items()]
    rest = frame.with_columns(masks)
    return rest if anything.all() else rest.filter(pl.Series(anything))


def common(left: Times, right: Times) -> Times:
    """The instants that are in both."""
    if left == (ALWAYS,):
        return right
    pairs = ((_later(a, b), _earlier(a, b)) for a in left for b in right)
    return tuple(
        Interval(start, end) for start, end in pairs if start is None or end is None or start < end
    )


def _later(a: Interval, b: Interval) -> datetime | None:
    return max((one for one in (a.start, b.start) if one is not None), default=None)


def _earlier(a: Interval, b: Interval) -> datetime | None:
    return min((one for one in (a.end, b.end) if one is not None), default=None)


def _allowed(field: str, moments: Numbers, owners: Numbers, windows: Sequence[Windows]) -> Numbers:
    """Whether the field may go with each row: the first window of each owner, then the second and so on."""
    times = [one.get(field, ()) for one in windows]
    allowed = np.zeros(len(moments), dtype=bool)
    for place in range(max(map(len, times), default=0)):
        bounds = [_ticks(one[place]) if place < len(one) else (0, 0) for one in times]
        start, end = np.array(bounds, dtype="i8").T
        allowed |= (start[owners] <= moments) & (moments < end[owners])
    return allowed


def _ticks(window: Interval) -> tuple[int, int]:
    start = _BOUNDS.min if window.start is None else (window.start - _EPOCH) // _TICK
    return int(start), int(_BOUNDS.max if window.end is None else (window.end - _EPOCH) // _TICK)


def _emptied(column: pl.Series, mask: Numbers) -> pl.Series:
    return column if mask.all() else column.set(pl.Series(~mask), None)
