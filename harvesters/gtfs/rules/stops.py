"""Stops, stations and what belongs to them: names, places, parents, use."""

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.tables import Frames

STOP, STATION, ENTRANCE, NODE, BOARDING = range(5)
PARENTS = {STOP: STATION, ENTRANCE: STATION, NODE: STATION, BOARDING: STOP}
NEAR_ORIGIN = 1.0
"""A degree around 0° N 0° E there is sea, and the mistakes of all who left a coordinate blank."""
NEAR_POLE = 89.0


def check(frames: Frames, findings: Findings) -> None:
    """Everything about single stops and their use in other tables."""
    stops = frames["stops"].with_columns(kind=pl.col("location_type").fill_null(STOP))
    _names_and_places(stops, findings)
    _positions(frames, findings)
    _parents(stops, findings)
    _use(frames, stops, findings)
    _zones(frames, stops, findings)


def _names_and_places(stops: pl.DataFrame, findings: Findings) -> None:
    needs = pl.col("kind").is_in([STOP, STATION, ENTRANCE])
    homeless = pl.col("stop_lat").is_null() | pl.col("stop_lon").is_null()
    parented = pl.col("parent_station").is_not_null()
    same = pl.col("stop_name").str.to_lowercase() == pl.col("stop_desc").str.to_lowercase()
    for rule, field, wrong in (
        ("missing_stop_name", "stop_name", needs & pl.col("stop_name").is_null()),
        ("stop_without_location", "stop_lat", needs & homeless),
        ("same_name_and_description_for_stop", "stop_desc", same),
        (
            "location_without_parent_station",
            "parent_station",
            pl.col("kind").is_in([ENTRANCE, NODE, BOARDING]) & ~parented,
        ),
        ("station_with_parent_station", "parent_station", (pl.col("kind") == STATION) & parented),
        (
            "platform_without_parent_station",
            "parent_station",
            (pl.col("kind") == STOP) & pl.col("platform_code").is_not_null() & ~parented,
        ),
    ):
        findings.add_rows(rule, "stops.txt", field, stops.filter(wrong))


def _positions(frames: Frames, findings: Findings) -> None:
    """Where no bus has ever stopped: in the sea off Africa, and at the poles."""
    for name, lat, lon in (
        ("stops", "stop_lat", "stop_lon"),
        ("shapes", "shape_pt_lat", "shape_pt_lon"),
    ):
        near = (pl.col(lat).abs() <= NEAR_ORIGIN) & (pl.col(lon).abs() <= NEAR_ORIGIN)
        place = pl.concat_str(lat, lon, separator=", ").alias("shown")
        for rule, wrong in (
            ("point_near_origin", near),
            ("point_near_pole", pl.col(lat).abs() >= NEAR_POLE),
        ):
            found = frames[name].filter(wrong).with_columns(place)
            findings.add_rows(rule, f"{name}.txt", lat, found, value="shown")


def _parents(stops: pl.DataFrame, findings: Findings) -> None:
    parents = stops.select(
        parent_station=pl.col("stop_id"), parent_kind=pl.col("kind"), parent_row=pl.col(ROW)
    ).unique("parent_station")
    children = stops.filter(pl.col("parent_station").is_not_null()).join(
        parents, on="parent_station", how="inner"
    )
    expected = pl.col("kind").replace_strict(PARENTS, default=None)
    wrong = children.with_columns(expected=expected).filter(
        pl.col("expected").is_not_null() & (pl.col("parent_kind") != pl.col("expected"))
    )
    findings.add_rows("wrong_parent_location_type", "stops.txt", "parent_station", wrong)
    childless = stops.filter(
        (pl.col("kind") == STATION)
        & ~pl.col("stop_id").is_in(
            children.filter(pl.col("kind") == STOP)["parent_station"].implode()
        )
    )
    findings.add_rows("unused_station", "stops.txt", "stop_id", childless)


def _use(frames: Frames, stops: pl.DataFrame, findings: Findings) -> None:
    used = (
        pl.concat([frames["stop_times"]["stop_id"], frames["location_group_stops"]["stop_id"]])
        .drop_nulls()
        .unique()
    )
    unused = stops.filter((pl.col("kind") == STOP) & ~pl.col("stop_id").is_in(used.implode()))
    findings.add_rows("stop_without_stop_time", "stops.txt", "stop_id", unused)
    wrong = stops.filter((pl.col("kind") != STOP) & pl.col("stop_id").is_in(used.implode()))
    findings.add_rows("location_with_unexpected_stop_time", "stops.txt", "stop_id", wrong)


def _zones(frames: Frames, stops: pl.DataFrame, findings: Findings) -> None:
    """A fare by zones says nothing of a stop without a zone, where its route has such a fare."""
    rules = frames["fare_rules"].filter(
        pl.any_horizontal(pl.col("origin_id", "destination_id", "contains_id").is_not_null())
    )
    if rules.is_empty() or stops["zone_id"].null_count() == 0:
        return
    trips = frames["trips"].select("trip_id", "route_id")
    if rules["route_id"].null_count() == 0:
        trips = trips.join(rules.select("route_id").unique(), on="route_id", how="semi")
    used = frames["stop_times"].join(trips, on="trip_id", how="semi")["stop_id"].unique()
    bare = stops.filter(
        (pl.col("kind") == STOP)
        & pl.col("zone_id").is_null()
        & pl.col("stop_id").is_in(used.implode())
    )
    findings.add_rows("stop_without_zone_id", "stops.txt", "stop_id", bare)
