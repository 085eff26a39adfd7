"""Positions in metres of a map's grid become degrees; a grid that nobody named is looked for."""

from functools import cache

import polars as pl
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from harvesters.city import Bbox
from harvesters.errors import ColumnsError
from harvesters.words import Words

WORLD = "EPSG:4326"
DEGREES = {"EPSG:4326", "EPSG:4979", "EPSG:6668", "EPSG:6697", "EPSG:4612", "EPSG:84"}
"""Longitude and latitude, on datums that differ by less than a vehicle is long."""
JAPAN = tuple(f"EPSG:{code}" for code in range(6669, 6688))
"""平面直角座標系: Japan's nineteen plane systems."""
LIKELY = ("EPSG:3857", *JAPAN, *(f"EPSG:326{zone}" for zone in range(51, 57)), "EPSG:3067")
"""Tried in this order where no grid is named: the first that leads into the city."""
FINLAND = (50_000, 6_600_000, 770_000, 7_800_000)
"""Bounds of Finland on EPSG:3067; its road authority never names the grid."""


def is_metric(east: pl.Series, north: pl.Series) -> bool:
    """Whether most positions cannot be degrees."""
    far = (east.cast(pl.Float64, strict=False).abs() > 181) | (
        north.cast(pl.Float64, strict=False).abs() > 181
    )
    return bool((far.sum() or 0) * 2 > far.len())


def grid_of(east: pl.Series, north: pl.Series, named: str, bbox: Bbox) -> str:
    """The grid that the feed names, else the one that leads into the city."""
    if named and named not in DEGREES:
        return named
    x, y = (_middle(column) for column in (east, north))
    for grid in LIKELY:
        longitude, latitude = _transformer(grid).transform(x, y)
        if bbox.holds(longitude, latitude):
            return grid
    west, south, right, top = FINLAND
    if west <= x <= right and south <= y <= top:
        return "EPSG:3067"
    raise ColumnsError(
        f"位置が度ではなく座標（{x}, {y} など）ですが、どの座標系か分かりません。"
        "緯度経度で送るよう、送り手に伝えてください。",
        f"positions are coordinates such as {x}, {y} and not degrees, on a grid that is not named; "
        "ask the sender for latitude and longitude",
    )


def _middle(column: pl.Series) -> float:
    """The median, which single faults cannot move."""
    middle = column.cast(pl.Float64, strict=False).median()
    return middle if isinstance(middle, float) else 0.0


def to_degrees(east: pl.Series, north: pl.Series, grid: str) -> tuple[pl.Series, pl.Series]:
    """Longitudes and latitudes to seven decimals, a centimetre; what is no number stays."""
    x, y = (column.cast(pl.Float64, strict=False) for column in (east, north))
    moved = _transformer(grid).transform(x.fill_null(0).to_list(), y.fill_null(0).to_list())
    halves = [
        pl.DataFrame({"new": pl.Series(half).round(7).cast(pl.String), "old": old, "x": x, "y": y})
        .select(pl.when(pl.col("x").is_null() | pl.col("y").is_null()).then("old").otherwise("new"))
        .to_series()
        for half, old in zip(moved, (east, north), strict=True)
    ]
    return halves[0], halves[1]


def note(grid: str, named: bool) -> Words:
    """Which grid the positions were on, and who says so."""
    name = CRS(grid).name
    how = Words("送り手の指定", "as the feed says") if named else Words("推定", "inferred")
    return Words(
        f"位置は {grid}（{name}、{how.ja}）から緯度経度に直しました。",
        f"Positions converted to degrees from {grid} ({name}, {how.en}).",
    )


@cache
def _transformer(grid: str) -> Transformer:
    try:
        return Transformer.from_crs(grid, WORLD, always_xy=True)
    except CRSError as error:
        raise ColumnsError(
            f"座標系 {grid} は知られていません。緯度経度で送るよう、送り手に伝えてください。",
            f"the coordinate system {grid} is unknown; ask the sender for latitude and longitude",
        ) from error
