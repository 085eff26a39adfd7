"""The rules of real-time messages: header, entities, vehicles and their places; trips have a module of their own."""

from datetime import datetime

import polars as pl
from google.transit import gtfs_realtime_pb2 as pb

from harvesters.gtfs import realtime_trips as on_trips
from harvesters.gtfs.feed import Feed
from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.geometry import KM_PER_DEGREE, nearest_on_line_km
from harvesters.gtfs.realtime_context import (
    Bounds,
    Checker,
    Limits,
    observed,
    plausible,
    posix,
    timetable,
)
from harvesters.gtfs.rules.matching import lines

NEAR_STOPS_KM = 1.609
SHAPE_KM = 0.2


def check(
    message: pb.FeedMessage,
    findings: Findings,
    now: datetime,
    feed: Feed | None,
    bounds: Bounds | None,
    limits: Limits,
) -> None:
    """Header, every entity, and every vehicle against the line of its trip."""
    checker = Checker(
        findings=findings,
        now=now.timestamp(),
        header=message.header.timestamp,
        timetable=timetable(message, feed) if feed else None,
        bounds=bounds or _around(feed),
        limits=limits,
    )
    _header(checker, message)
    for row, entity in enumerate(message.entity, 1):
        _entity(checker, row, entity)
    if feed:
        _off_the_line(checker, message, feed)


def _around(feed: Feed | None) -> Bounds | None:
    if not feed or not feed.bounds:
        return None
    west, south, east, north = feed.bounds
    margin = NEAR_STOPS_KM / KM_PER_DEGREE
    return (west - 1.5 * margin, south - margin, east + 1.5 * margin, north + margin)


def _header(checker: Checker, message: pb.FeedMessage) -> None:
    header, limits = message.header, checker.limits
    if header.gtfs_realtime_version not in {"1.0", "2.0"}:
        checker.say("E038", 0, "header.gtfs_realtime_version", header.gtfs_realtime_version)
    if header.gtfs_realtime_version == "2.0" and not header.HasField("incrementality"):
        checker.say("E049", 0, "header.incrementality")
    if not header.timestamp:
        checker.say("E048", 0, "header.timestamp")
    elif posix(checker, 0, "header.timestamp", header.timestamp):
        age = round(checker.now - header.timestamp)
        if age > limits.message_seconds:
            checker.say("W008", 0, "header.timestamp", header.timestamp, seconds=age)
    if not message.entity:
        checker.say("no_entities", 0, "header.entity")


def _entity(checker: Checker, row: int, entity: pb.FeedEntity) -> None:
    if ("entity", entity.id) in checker.seen:
        checker.say("duplicate_entity_id", row, "entity.id", entity.id)
    checker.seen.add(("entity", entity.id))
    kinds = [kind for kind in ("vehicle", "trip_update", "alert") if entity.HasField(kind)]
    if entity.HasField("vehicle"):
        _vehicle(checker, row, entity.vehicle)
    if entity.HasField("trip_update"):
        on_trips.trip_update(checker, row, entity.trip_update)
    if entity.HasField("alert"):
        on_trips.alert(checker, row, entity.alert)
    if not kinds and not entity.is_deleted and not entity.ListFields()[1:]:
        checker.say("entity_without_content", row, "entity.id", entity.id)


def _vehicle(checker: Checker, row: int, vehicle: pb.VehiclePosition) -> None:
    _vehicle_id(checker, row, vehicle.vehicle)
    observed(checker, row, "vehicle", vehicle.timestamp)
    if vehicle.HasField("trip"):
        on_trips.trip_descriptor(checker, row, "vehicle", vehicle.trip)
    if plausible(vehicle.timestamp):
        age = round(checker.now - vehicle.timestamp)
        if age > checker.limits.vehicle_seconds:
            shown = vehicle.vehicle.id or vehicle.timestamp
            checker.say("stale_vehicle_position", row, "vehicle.timestamp", shown, seconds=age)
    if vehicle.HasField("position"):
        _position(checker, row, vehicle.position)
    else:
        checker.say("vehicle_without_position", row, "vehicle.position", vehicle.vehicle.id)
    on_trips.stop_id(checker, row, "vehicle.stop_id", vehicle.stop_id, vehicle.trip.trip_id)


def _vehicle_id(checker: Checker, row: int, vehicle: pb.VehicleDescriptor) -> None:
    if not vehicle.id:
        checker.say("W002", row, "vehicle.vehicle.id")
    elif ("vehicle", vehicle.id) in checker.seen:
        checker.say("E052", row, "vehicle.vehicle.id", vehicle.id)
    checker.seen.add(("vehicle", vehicle.id))


def _position(checker: Checker, row: int, position: pb.Position) -> None:
    lat, lon = position.latitude, position.longitude
    place = f"{lat:.6f}, {lon:.6f}"
    if not (-90 <= lat <= 90 and -180 <= lon <= 180) or 0 in (lat, lon):  # 0: no reception
        checker.say("E026", row, "vehicle.position", place)
    elif checker.bounds and not _within(lat, lon, checker.bounds):
        checker.say("E028", row, "vehicle.position", place)
    if position.HasField("bearing") and not 0 <= position.bearing <= 360:
        checker.say("E027", row, "vehicle.position.bearing", position.bearing)
    if position.HasField("speed") and not 0 <= position.speed <= checker.limits.speed_m_s:
        kmh = f"{position.speed * 3.6:.0f}"
        checker.say("W004", row, "vehicle.position.speed", round(position.speed, 1), kmh=kmh)


def _within(lat: float, lon: float, bounds: Bounds) -> bool:
    west, south, east, north = bounds
    return south <= lat <= north and west <= lon <= east


def _off_the_line(checker: Checker, message: pb.FeedMessage, feed: Feed) -> None:
    """Vehicles further than 200 m from the line of their trip."""
    vehicles = pl.DataFrame(
        [
            (
                row,
                one.vehicle.trip.trip_id,
                one.vehicle.position.latitude,
                one.vehicle.position.longitude,
            )
            for row, one in enumerate(message.entity, 1)
            if one.HasField("vehicle") and one.vehicle.HasField("position")
        ],
        schema={
            ROW: pl.Int64,
            "trip_id": pl.String,
            "vehicle_lat": pl.Float64,
            "vehicle_lon": pl.Float64,
        },
        orient="row",
    )
    shaped = vehicles.join(
        feed.typed["trips"].select("trip_id", "shape_id").drop_nulls(), on="trip_id", how="inner"
    )
    pieces = lines(
        feed.typed["shapes"]
        .join(shaped.select("shape_id").unique(), on="shape_id", how="semi")
        .sort("shape_id", "shape_pt_sequence")
    )
    distance, _ = nearest_on_line_km(
        pl.col("vehicle_lat"),
        pl.col("vehicle_lon"),
        (pl.col("lat"), pl.col("lon")),
        (pl.col("next_lat"), pl.col("next_lon")),
    )
    far = (
        shaped.join(pieces, on="shape_id", how="inner")
        .group_by(ROW, "trip_id")
        .agg(km=distance.min())
        .filter(pl.col("km").is_finite() & (pl.col("km") > SHAPE_KM))
        .sort(ROW)
    )
    for row, trip, km in far.iter_rows():
        checker.say("E029", row, "vehicle.position", trip, metres=round(km * 1000))
