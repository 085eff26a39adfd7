"""Lines with a time span become positions: each vertex at the moment its share of the way is driven."""

import math
from collections.abc import Iterator, Sequence

import polars as pl

from harvesters.positions.raw import Point
from harvesters.words import Words

ROW, FROM, AT, TEXT, RECEIVED = "#row", "#from", "#at", "#text", "#received"
EAST, NORTH, STARTS = "#east", "#north", "#starts"
"""Columns of our own beside those of the feed."""


def chained(ids: Sequence[str], previous: Sequence[str]) -> list[str]:
    """For each message the first one of its chain: a machine that only its last message is known by."""
    before = dict(zip(ids, previous, strict=True))
    first: dict[str, str] = {}
    for one in ids:
        way = [one]
        while (older := before.get(way[-1], "")) in before and older not in first:
            if older in way:
                break
            way.append(older)
        root = first.get(older, way[-1]) if older else way[-1]
        first |= dict.fromkeys(way, root)
    return [first[one] for one in ids]


def unfolded(work: pl.DataFrame, places: list[list[Point]]) -> pl.DataFrame:
    """The records with their places in the columns EAST and NORTH, a row per position.

    Between FROM and AT a line is driven; of one whose times are not both known, the last point
    is the position.
    """
    record: list[int] = []
    east, north, at, starts = [], [], [], []
    times = zip(work[FROM].cast(pl.Int64), work[AT].cast(pl.Int64), strict=True)
    for number, (place, (start, end)) in enumerate(zip(places, times, strict=True)):
        for moment, point in _spread(place or [("", "")], start, end):
            starts.append(start is not None and record[-1:] != [number])
            record.append(number)
            east.append(point[0])
            north.append(point[1])
            at.append(moment)
    return work[record].with_columns(
        pl.Series(EAST, east, pl.String),
        pl.Series(NORTH, north, pl.String),
        pl.Series(AT, at, pl.Int64).cast(pl.Datetime("ms")),
        pl.Series(STARTS, starts, pl.Boolean),
    )


def _spread(
    points: list[Point], start: int | None, end: int | None
) -> list[tuple[int | None, Point]]:
    """Whole seconds, one point in each: what falls into the same second adds nothing."""
    if start is None or end is None:
        return [(start if end is None else end, points[-1])]
    way = points if len(points) > 1 else points * 2
    kept: dict[int | None, Point] = {}
    for point, share in zip(way, _shares(way), strict=True):
        kept.setdefault(round((start + share * (end - start)) / 1000) * 1000, point)
    return list(kept.items())


def _shares(points: list[Point]) -> list[float]:
    """How much of the way is behind each point; by number where the points are all one."""
    way = [0.0]
    for (x, y), (to_x, to_y) in zip(points, points[1:], strict=False):
        way.append(way[-1] + math.hypot(float(to_x) - float(x), float(to_y) - float(y)))
    if way[-1] == 0:
        return [place / (len(points) - 1) for place in range(len(points))]
    return [one / way[-1] for one in way]


def notes(work: pl.DataFrame, places: list[list[Point]]) -> Iterator[Words]:
    """What is made of the lines among the records."""
    spans = (work[FROM].is_not_null() & work[AT].is_not_null()).to_list()
    lines = [span for place, span in zip(places, spans, strict=True) if len(place) > 1]
    if driven := sum(lines):
        yield Words(
            f"線の記録 {driven:,} 件を点に分けました。点の時刻は、開始から終了までを道のりで分けた推定です。",
            f"{driven:,} lines became positions; their times share out the time from start to end "
            "along the way.",
        )
    if others := len(lines) - driven:
        yield Words(
            f"時刻が一つだけの線 {others:,} 件は、最後の点をその時刻の位置としました。",
            f"Of {others:,} lines with a single time, the last point is the position at that time.",
        )
