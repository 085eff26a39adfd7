"""The lines on the map: use, length, distances along them, and how far the stops lie from them."""

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.geometry import distance_km, distance_to_line_km
from harvesters.gtfs.tables import Frames

FAR_KM = 0.1
"""A stop further than 100 m from the line of its trip stands at another street."""
LINES_AT_ONCE = 2_000_000
"""Pairs of a stop and a piece of line that are measured together; this bounds the memory."""
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
    _far_stops(frames, ordered, findings)


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


def _far_stops(frames: Frames, ordered: pl.DataFrame, findings: Findings) -> None:
    pieces = lines(ordered)
    pairs = _stops_of_shapes(frames).join(
        pieces.group_by("shape_id").len("pieces"), on="shape_id", how="inner"
    )
    batch = (pl.col("pieces").cast(pl.Int64).cum_sum() // LINES_AT_ONCE).alias("batch")
    for (_,), part in pairs.sort("shape_id").with_columns(batch).group_by("batch"):
        far = _too_far(part, pieces)
        findings.add_rows("stop_too_far_from_shape", "stop_times.txt", "stop_id", far)


def lines(ordered: pl.DataFrame) -> pl.DataFrame:
    """Each piece of line between two points of a shape."""
    return (
        ordered.select("shape_id", lat="shape_pt_lat", lon="shape_pt_lon")
        .drop_nulls()
        .with_columns(
            next_lat=pl.col("lat").shift(-1).over("shape_id").fill_null(pl.col("lat")),
            next_lon=pl.col("lon").shift(-1).over("shape_id").fill_null(pl.col("lon")),
        )
    )


def _stops_of_shapes(frames: Frames) -> pl.DataFrame:
    """Every pair of a shape and a stop of its trips once, with the row of the first such call."""
    places = frames["stops"].select("stop_id", stop_lat="stop_lat", stop_lon="stop_lon")
    shaped = frames["trips"].select("trip_id", "shape_id").drop_nulls()
    return (
        frames["stop_times"]
        .select(ROW, "trip_id", "stop_id")
        .join(shaped, on="trip_id", how="inner")
        .group_by("shape_id", "stop_id")
        .agg(pl.col(ROW).min())
        .join(places.drop_nulls().unique("stop_id"), on="stop_id", how="inner")
    )


def _too_far(pairs: pl.DataFrame, pieces: pl.DataFrame) -> pl.DataFrame:
    distance = distance_to_line_km(
        pl.col("stop_lat"),
        pl.col("stop_lon"),
        (pl.col("lat"), pl.col("lon")),
        (pl.col("next_lat"), pl.col("next_lon")),
    )
    return (
        pairs.lazy()
        .join(pieces.lazy(), on="shape_id", how="inner")
        .group_by(ROW, "shape_id", "stop_id")
        .agg(km=distance.min())
        .filter(pl.col("km") > FAR_KM)
        .with_columns(metres=(pl.col("km") * 1000).round(0).cast(pl.Int64))
        .sort(ROW, "shape_id")
        .collect()
    )
