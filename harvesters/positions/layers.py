"""Map layers of positions: where each vehicle was last, and the way it has come, as GeoJSON."""

from collections.abc import Iterator

import polars as pl

from harvesters.geojson import collection, feature
from harvesters.positions.tracks import AT

NEAR, FARTHEST = 3.0, 50.0
"""Metres by which a simplified track may leave the positions: the second if there are too many."""
MOST_POINTS = 100_000
"""More make a map slow on a telephone."""
METRES = 111_195.0
"""A degree of latitude."""
SILENT_MS = 10 * 60 * 1000
"""After so long a silence nobody knows which way a vehicle took: the line is broken there."""
PLACED = ("longitude", "latitude")


def newest(frame: pl.DataFrame) -> pl.DataFrame:
    """The last position of each vehicle, in the order of their rows."""
    last = (
        frame.lazy()
        .select("vehicle", AT, _placed().alias("placed"))
        .with_row_index("place")
        .filter("placed")
        .group_by("vehicle")
        .agg(pl.col("place").sort_by(AT, maintain_order=True).last())
        .sort("place")
        .collect()
    )
    return frame[last["place"]]


def tracks(frame: pl.DataFrame) -> bytes:
    """One feature per vehicle that has moved; positions that lie on the way are left out."""
    return collection(
        feature(
            "MultiLineString",
            lines,
            {
                "vehicle": rows["vehicle"][0],
                "operator": rows["operator"][0],
                "from": f"{rows[AT][0]:%Y-%m-%dT%H:%M:%SZ}",
                "until": f"{rows[AT][-1]:%Y-%m-%dT%H:%M:%SZ}",
            },
        )
        for rows in _simplified(_numbered(frame)).partition_by("vehicle", maintain_order=True)
        if (lines := list(_lines(rows)))
    )


def _placed() -> pl.Expr:
    numbers = [pl.col(name).cast(pl.Float64, strict=False).is_finite() for name in PLACED]
    return pl.all_horizontal(*numbers, pl.col(AT).is_not_null()).fill_null(value=False)


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Positions by vehicle and time, on a plane in metres, with the ends of unbroken lines marked."""
    x, y = (pl.col(name).cast(pl.Float64) for name in PLACED)
    silent = pl.col(AT).diff().dt.total_milliseconds() > SILENT_MS
    begins = (silent | (pl.col("vehicle") != pl.col("vehicle").shift())).fill_null(value=True)
    return (
        frame.lazy()
        .filter(_placed())
        .select(pl.col("vehicle", "operator").cast(pl.Categorical), AT, x.alias("x"), y.alias("y"))
        .sort("vehicle", AT, maintain_order=True)
        .with_columns(begins.alias("begins"))
        .with_columns((pl.col("begins") | pl.col("begins").shift(-1, fill_value=True)).alias("end"))
        .collect()
    )


def _simplified(points: pl.DataFrame) -> pl.DataFrame:
    """Every second position goes where it lies near the line between its neighbours, until few do."""
    near = NEAR
    east = pl.col("x") * pl.col("y").radians().cos() * METRES
    left = points.select("end", east.alias("x"), pl.col("y") * METRES).with_row_index("place")
    while True:
        kept = (
            left.lazy().with_columns(_off().alias("off")).filter(_stays(near)).drop("off").collect()
        )
        if kept.height >= 0.9 * left.height:
            if kept.height <= MOST_POINTS or near >= FARTHEST:
                return points[kept["place"]]
            near *= 2
        left = kept


def _stays(near: float) -> pl.Expr:
    second = pl.int_range(pl.len()) % 2 == 1
    return pl.col("end") | ~second | (pl.col("off") >= near)


def _off() -> pl.Expr:
    """How many metres a position lies from the line between the ones before and behind it."""
    x, y = pl.col("x"), pl.col("y")
    dx, dy = x.shift(-1) - x.shift(1), y.shift(-1) - y.shift(1)
    px, py = x - x.shift(1), y - y.shift(1)
    length = dx**2 + dy**2
    share = pl.when(length > 0).then((px * dx + py * dy) / length).otherwise(0.0).clip(0, 1)
    return ((px - share * dx) ** 2 + (py - share * dy) ** 2).sqrt()


def _lines(rows: pl.DataFrame) -> Iterator[list[list[float]]]:
    """The unbroken lines of one vehicle."""
    numbered = rows.select("x", "y", pl.col("begins").cum_sum().alias("line"))
    for line in numbered.partition_by("line", maintain_order=True):
        points = [[round(x, 6), round(y, 6)] for x, y, _ in line.iter_rows()]
        if any(point != points[0] for point in points):
            yield points
