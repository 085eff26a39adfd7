"""Stops and lines of a timetable as GeoJSON (RFC 7946), for maps."""

from typing import Any

import polars as pl

from harvesters.geojson import collection, feature
from harvesters.gtfs.tables import Frames

DIGITS = 6
"""Decimal places of a degree that are kept: a tenth of a metre."""
STOP_PROPERTIES = (
    "stop_id", "stop_code", "stop_name", "platform_code", "location_type", "parent_station",
    "zone_id", "wheelchair_boarding",
)  # fmt: skip


def stops(frames: Frames) -> bytes:
    """One point for each stop with a position."""
    placed = frames["stops"].drop_nulls(["stop_lat", "stop_lon"])
    return collection(
        feature(
            "Point",
            [round(row["stop_lon"], DIGITS), round(row["stop_lat"], DIGITS)],
            {name: row[name] for name in STOP_PROPERTIES if row[name] is not None},
        )
        for row in placed.iter_rows(named=True)
    )


def shapes(frames: Frames) -> bytes:
    """One line for each shape, with the routes that run along it and the colour of the first."""
    points = (
        frames["shapes"]
        .drop_nulls(["shape_id", "shape_pt_lat", "shape_pt_lon"])
        .sort("shape_id", "shape_pt_sequence", maintain_order=True)
        .with_columns(pl.col("shape_pt_lon", "shape_pt_lat").round(DIGITS))
        .group_by("shape_id", maintain_order=True)
        .agg("shape_pt_lon", "shape_pt_lat")
        .filter(pl.col("shape_pt_lon").list.len() > 1)
    )
    used = points.join(_routes(frames), on="shape_id", how="left", maintain_order="left")
    return collection(_line(row) for row in used.iter_rows(named=True))


def _routes(frames: Frames) -> pl.DataFrame:
    name = pl.coalesce("route_short_name", "route_long_name", "route_id")
    return (
        frames["trips"]
        .select("shape_id", "route_id")
        .drop_nulls()
        .unique()
        .join(frames["routes"].unique("route_id", keep="first"), on="route_id", how="inner")
        .sort("shape_id", "route_sort_order", "route_id")
        .group_by("shape_id", maintain_order=True)
        .agg("route_id", route_name=name, route_color=pl.col("route_color").drop_nulls().first())
    )


def _line(row: dict[str, Any]) -> dict[str, Any]:
    properties = {
        "shape_id": row["shape_id"],
        "route_ids": row["route_id"] or [],
        "route_names": row["route_name"] or [],
    }
    if row["route_color"]:
        properties["route_color"] = f"#{row['route_color']}"
    coordinates = [
        list(pair) for pair in zip(row["shape_pt_lon"], row["shape_pt_lat"], strict=True)
    ]
    return feature("LineString", coordinates, properties)
