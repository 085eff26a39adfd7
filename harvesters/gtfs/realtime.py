"""GTFS-Realtime messages: protobuf bytes to tables of positions, trip updates and alerts, and findings."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import Struct
from typing import Any

import polars as pl
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as AnyMessage
from google.transit import gtfs_realtime_pb2 as pb

from harvesters.gtfs import realtime_checks
from harvesters.gtfs.feed import Feed
from harvesters.gtfs.findings import Findings, rules
from harvesters.gtfs.kinds import NotAFeedError, refuse_known_kinds, refuse_unknown_kind
from harvesters.gtfs.realtime_context import Bounds, Limits, plausible

HEADER = b"\n"
"""Tag of the first field, with which every message begins."""
TIME = pl.Datetime("us", "UTC")
SINGLE = Struct("f")
Columns = dict[str, pl.DataType | type[pl.DataType]]
TRIP: Columns = {
    "trip_id": pl.String,
    "route_id": pl.String,
    "direction_id": pl.Int64,
    "start_date": pl.String,
    "start_time": pl.String,
    "schedule_relationship": pl.String,
}
POSITIONS: Columns = {
    "entity_id": pl.String,
    "vehicle_id": pl.String,
    "vehicle_label": pl.String,
    **TRIP,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "bearing": pl.Float64,
    "speed_kmh": pl.Float64,
    "stop_id": pl.String,
    "current_stop_sequence": pl.Int64,
    "current_status": pl.String,
    "occupancy_status": pl.String,
    "observed_at": TIME,
}
TRIP_UPDATES: Columns = {
    "entity_id": pl.String,
    "vehicle_id": pl.String,
    **TRIP,
    "delay_seconds": pl.Int64,
    "stop_sequence": pl.Int64,
    "stop_id": pl.String,
    "arrival_at": TIME,
    "arrival_delay_seconds": pl.Int64,
    "departure_at": TIME,
    "departure_delay_seconds": pl.Int64,
    "stop_relationship": pl.String,
    "updated_at": TIME,
}
ALERTS: Columns = {
    "entity_id": pl.String,
    "header_ja": pl.String,
    "header_en": pl.String,
    "description_ja": pl.String,
    "description_en": pl.String,
    "url": pl.String,
    "cause": pl.String,
    "effect": pl.String,
    "severity": pl.String,
    "active_from": TIME,
    "active_until": TIME,
    "agency_id": pl.String,
    "route_id": pl.String,
    "trip_id": pl.String,
    "stop_id": pl.String,
}


@dataclass(frozen=True, kw_only=True)
class Message:
    """One real-time message as tables; a trip update has a row for each stop, an alert for each thing it is for."""

    name: str
    version: str
    published_at: datetime | None
    positions: pl.DataFrame
    trip_updates: pl.DataFrame
    alerts: pl.DataFrame
    findings: Findings


def check_realtime(
    content: bytes,
    name: str,
    *,
    now: datetime,
    feed: Feed | None = None,
    bounds: Bounds | None = None,
    limits: Limits | None = None,
) -> Message:
    """Decodes a message and checks it; NotAFeedError where the bytes are none.

    With the timetable `feed`, trips, routes and stops are looked up in it; positions must lie within
    `bounds` (west, south, east, north), or else near the stops of the timetable.
    """
    message = _decode(content, name)
    findings = Findings(rules=rules("realtime"))
    realtime_checks.check(message, findings, now, feed, bounds, limits or Limits())
    return Message(
        name=name,
        version=message.header.gtfs_realtime_version,
        published_at=_moment(message.header.timestamp),
        positions=_table(POSITIONS, _positions(message)),
        trip_updates=_table(TRIP_UPDATES, _trip_updates(message)),
        alerts=_table(ALERTS, _alerts(message)),
        findings=findings,
    )


def _decode(content: bytes, name: str) -> pb.FeedMessage:
    message = pb.FeedMessage()
    try:
        message.ParseFromString(content)
    except DecodeError as error:
        refuse_known_kinds(content, name, "GTFS-Realtime")
        if not content.startswith(HEADER):
            refuse_unknown_kind(content, name, "GTFS-Realtime")
        raise NotAFeedError(
            "truncated",
            f"{name} は GTFS-Realtime（protobuf）として読めません。途中で切れているか壊れています。"
            "もう一度取得してください。",
            f"{name} cannot be read as GTFS-Realtime (protobuf): cut off or damaged; fetch it again",
        ) from error
    if not content or not message.IsInitialized():
        refuse_known_kinds(content, name, "GTFS-Realtime")
        raise NotAFeedError(
            "incomplete",
            f"{name} に必須の項目がありません（header、entity の id、位置の緯度・経度、文の text のどれか）。"
            "送る側を直してください。",
            f"{name} lacks a required field: header, id of an entity, latitude or longitude of a "
            "position, or text of a translation; correct the sender",
        )
    if place := _not_utf8(message):
        raise NotAFeedError(
            "encoding",
            f"{name} の {place} が UTF-8 ではありません。送る側の文字コードを UTF-8 にしてください。",
            f"{place} in {name} is not UTF-8; set the sender to UTF-8",
        )
    return message


def _not_utf8(message: AnyMessage) -> str:
    """The first text that is none; protobuf hands it over as bytes, without a word."""
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            if isinstance(one, AnyMessage):
                inside = _not_utf8(one)
                if inside:
                    return f"{field.name}.{inside}"
            elif field.type == field.TYPE_STRING and isinstance(one, bytes):
                return field.name
    return ""


def _table(columns: Columns, rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=columns, orient="row")


def _positions(message: pb.FeedMessage) -> Iterator[dict[str, Any]]:
    for entity in message.entity:
        if not entity.HasField("vehicle"):
            continue
        seen = entity.vehicle
        yield {
            "entity_id": entity.id,
            "vehicle_id": seen.vehicle.id or None,
            "vehicle_label": seen.vehicle.label or None,
            **_trip(seen.trip),
            "latitude": _number(seen.position, "latitude"),
            "longitude": _number(seen.position, "longitude"),
            "bearing": _number(seen.position, "bearing"),
            "speed_kmh": _kmh(seen.position),
            "stop_id": seen.stop_id or None,
            "current_stop_sequence": _given(seen, "current_stop_sequence"),
            "current_status": _name(seen, "current_status"),
            "occupancy_status": _name(seen, "occupancy_status"),
            "observed_at": _moment(seen.timestamp),
        }


def _trip_updates(message: pb.FeedMessage) -> Iterator[dict[str, Any]]:
    """An update without any stop, such as a cancelled trip, has one row all the same."""
    for entity in message.entity:
        if not entity.HasField("trip_update"):
            continue
        update = entity.trip_update
        common = {
            "entity_id": entity.id,
            "vehicle_id": update.vehicle.id or None,
            **_trip(update.trip),
            "delay_seconds": _given(update, "delay"),
            "updated_at": _moment(update.timestamp),
        }
        for stop in update.stop_time_update:
            yield common | _stop(stop)
        if not update.stop_time_update:
            yield common


def _stop(stop: pb.TripUpdate.StopTimeUpdate) -> dict[str, Any]:
    return {
        "stop_sequence": _given(stop, "stop_sequence"),
        "stop_id": stop.stop_id or None,
        "arrival_at": _moment(stop.arrival.time),
        "arrival_delay_seconds": _given(stop.arrival, "delay"),
        "departure_at": _moment(stop.departure.time),
        "departure_delay_seconds": _given(stop.departure, "delay"),
        "stop_relationship": _name(stop, "schedule_relationship"),
    }


def _alerts(message: pb.FeedMessage) -> Iterator[dict[str, Any]]:
    for entity in message.entity:
        if not entity.HasField("alert"):
            continue
        alert = entity.alert
        begins = [period.start for period in alert.active_period if period.start]
        ends = [period.end for period in alert.active_period if period.end]
        common = {
            "entity_id": entity.id,
            "header_ja": _text(alert.header_text, "ja"),
            "header_en": _text(alert.header_text, "en"),
            "description_ja": _text(alert.description_text, "ja"),
            "description_en": _text(alert.description_text, "en"),
            "url": _text(alert.url, "ja"),
            "cause": _name(alert, "cause"),
            "effect": _name(alert, "effect"),
            "severity": _name(alert, "severity_level"),
            "active_from": _moment(min(begins, default=0)),
            "active_until": _moment(max(ends, default=0)),
        }
        for target in alert.informed_entity or [pb.EntitySelector()]:
            yield common | {
                "agency_id": target.agency_id or None,
                "route_id": target.route_id or target.trip.route_id or None,
                "trip_id": target.trip.trip_id or None,
                "stop_id": target.stop_id or None,
            }


def _trip(trip: pb.TripDescriptor) -> dict[str, Any]:
    return {
        "trip_id": trip.trip_id or None,
        "route_id": trip.route_id or None,
        "direction_id": _given(trip, "direction_id"),
        "start_date": trip.start_date or None,
        "start_time": trip.start_time or None,
        "schedule_relationship": _name(trip, "schedule_relationship"),
    }


def _given(message: Any, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None


def _number(message: Any, field: str) -> float | None:
    """The shortest number that is the same in single precision, as it was before it went on the wire."""
    if not message.HasField(field):
        return None
    value: float = getattr(message, field)
    if not math.isfinite(value):
        return value
    shorter = (float(f"{value:.{digits}g}") for digits in range(6, 10))
    return next(number for number in shorter if SINGLE.unpack(SINGLE.pack(number))[0] == value)


def _kmh(position: pb.Position) -> float | None:
    return round(position.speed * 3.6, 1) if position.HasField("speed") else None


def _name(message: Any, field: str) -> str | None:
    """The name of an enum's value rather than its number; a value of a newer version stays a number."""
    if not message.HasField(field):
        return None
    value = getattr(message, field)
    names = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    return str(names[value].name if value in names else value)


def _text(text: pb.TranslatedString, language: str) -> str | None:
    """The text in a language; one without a language counts as the city's own, Japanese."""
    for one in text.translation:
        if (one.language or "ja").partition("-")[0].lower() == language:
            return one.text
    only = len(text.translation) == 1 and language == "ja"
    return text.translation[0].text if only else None


def _moment(timestamp: int) -> datetime | None:
    """Milliseconds and other impossible times are reported, and are no times."""
    return datetime.fromtimestamp(timestamp, UTC) if plausible(timestamp) else None
