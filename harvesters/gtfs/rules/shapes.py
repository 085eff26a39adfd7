"""The lines on the map: their use, their length, and the distances along them."""

import polars as pl

from harvesters.gtfs.findings import Findings
from harvesters.gtfs.geometry import distance_km
from harvesters.gtfs.rules import matching
from harvesters.gtfs.tables import Frames

SAME_PLACE_KM = 0.00111


def check(frames: Frames, findings: Findings) -> None:
    """Everything about shapes.txt and the trips that use it."""
    shapes = frames["shapes"].filter(pl.col("shape_id").is_not_null())
    if shapes.is_empty():
        return
    ordered = shapes.sort("shape_id", "shape_pt_sequence", maintain_order=True)
    used = frames["trips"]["shape_id"].drop_nulls().unique()
    firsts = shapes.unique("shape_id", keep="first", maintain_order=True)
    unused = firsts.filter(~pl.col("shape_id").is_in(used.implode()))
    findings.add_rows("unused_shape", "shapes.txt", "shape_id", unused)
    single = shapes.filter(pl.len().over("shape_id") == 1)
    findings.add_rows("single_shape_point", "shapes.txt", "shape_id", single)
    _distances(ordered, findings)
    matching.check(frames, ordered, findings)


def _distances(ordered: pl.DataFrame, findings: Findings) -> None:
    """Distances grow along the line; two points with one distance are one place, or an error."""
    dist = pl.col("shape_dist_traveled")
    points = ordered.filter(dist.is_not_null())
    if points.is_empty():
        return
    lat, lon = pl.col("shape_pt_lat"), pl.col("shape_pt_lon")
    pairs = points.with_columns(
        previous=dist.shift(1).over("shape_id"),
        km=distance_km(lat.shift(1), lon.shift(1), lat, lon).over("shape_id"),
    )
    equal = dist == pl.col("previous")
    for rule, wrong in (
        ("decreasing_shape_distance", dist < pl.col("previous")),
        ("equal_shape_distance_same_coordinates", equal & (pl.col("km") == 0)),
        ("equal_shape_distance_diff_coordinates", equal & (pl.col("km") >= SAME_PLACE_KM)),
        (
            "equal_shape_distance_diff_coordinates_distance_below_threshold",
            equal & (pl.col("km") > 0) & (pl.col("km") < SAME_PLACE_KM),
        ),
    ):
        findings.add_rows(rule, "shapes.txt", "shape_dist_traveled", pairs.filter(wrong))
