"""The rules on trips, their predictions, and alerts, alone and against the timetable."""

import re
from datetime import datetime
from typing import Any

from google.transit import gtfs_realtime_pb2 as pb

from harvesters.gtfs.fields import PATTERNS
from harvesters.gtfs.realtime_context import Checker, Timetable, observed, plausible

Relationship = pb.TripDescriptor
UNSCHEDULED = frozenset(
    (
        Relationship.ADDED,
        Relationship.UNSCHEDULED,
        Relationship.REPLACEMENT,
        Relationship.DUPLICATED,
        Relationship.NEW,
    )
)
CANCELLED = frozenset((Relationship.CANCELED, Relationship.DELETED))
Stop = pb.TripUpdate.StopTimeUpdate


STOP = "trip_update.stop_time_update"


def trip_descriptor(checker: Checker, row: int, kind: str, trip: pb.TripDescriptor) -> None:
    if not trip.trip_id and not (trip.route_id and trip.start_time):
        checker.say("W006", row, f"{kind}.trip.trip_id")
    if not trip.HasField("schedule_relationship"):
        checker.say("W009", row, f"{kind}.trip.schedule_relationship")
    if trip.start_time and not re.match(PATTERNS["time"], trip.start_time):
        checker.say("E020", row, f"{kind}.trip.start_time", trip.start_time)
    if trip.start_date and not _is_date(trip.start_date):
        checker.say("E021", row, f"{kind}.trip.start_date", trip.start_date)
    if checker.timetable:
        _trip_in_timetable(checker, checker.timetable, row, kind, trip)


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007  a day, not a moment
    except ValueError:
        return False
    return bool(re.match(PATTERNS["date"], text))


def _trip_in_timetable(
    checker: Checker, timetable: Timetable, row: int, kind: str, trip: pb.TripDescriptor
) -> None:
    if trip.route_id and trip.route_id not in timetable.routes:
        checker.say("E004", row, f"{kind}.trip.route_id", trip.route_id)
    if not trip.trip_id:
        return
    known = trip.trip_id in timetable.trips
    if not known and trip.schedule_relationship not in UNSCHEDULED:
        checker.say("E003", row, f"{kind}.trip.trip_id", trip.trip_id)
    elif known and trip.schedule_relationship == Relationship.ADDED:
        checker.say("E016", row, f"{kind}.trip.trip_id", trip.trip_id)
    real = timetable.trips.get(trip.trip_id)
    if real and trip.route_id in timetable.routes and trip.route_id != real:
        checker.say("E035", row, f"{kind}.trip.route_id", trip.route_id, real=real)


def stop_id(checker: Checker, row: int, name: str, stop: str, trip: str) -> None:
    timetable = checker.timetable
    if not stop or not timetable:
        return
    if stop not in timetable.stops:
        checker.say("E011", row, name, stop)
    elif trip in timetable.calls and stop not in timetable.calls[trip].values():
        checker.say("stop_not_on_trip", row, name, stop)


def trip_update(checker: Checker, row: int, update: pb.TripUpdate) -> None:
    trip_descriptor(checker, row, "trip_update", update.trip)
    observed(checker, row, "trip_update", update.timestamp)
    cancelled = update.trip.schedule_relationship in CANCELLED
    if not update.stop_time_update and not cancelled:
        checker.say("E041", row, "trip_update.stop_time_update", update.trip.trip_id)
    sequence, moment = -1, 0
    for stop in update.stop_time_update:
        _stop_time(checker, row, stop, update.trip)
        sequence = _order(checker, row, stop, sequence)
        moment = _moments(checker, row, stop, moment)


def _order(checker: Checker, row: int, stop: Stop, previous: int) -> int:
    if not stop.HasField("stop_sequence"):
        return previous
    if stop.stop_sequence <= previous:
        checker.say("E002", row, f"{STOP}.stop_sequence", stop.stop_sequence, previous=previous)
    return stop.stop_sequence


def _moments(checker: Checker, row: int, stop: Stop, previous: int) -> int:
    """Arrival and departure are never before the stop before; the last known moment comes back."""
    arrival, departure = stop.arrival.time, stop.departure.time
    for name, moment in (("arrival", arrival), ("departure", departure)):
        if moment and not plausible(moment):
            checker.say("E001", row, f"{STOP}.{name}.time", moment)
        elif moment and moment < previous:
            checker.say("E022", row, f"{STOP}.{name}.time", moment)
    if arrival and departure and arrival > departure:
        checker.say("E025", row, f"{STOP}.arrival.time", arrival)
    latest = departure or arrival
    return latest if plausible(latest) else previous


def _stop_time(checker: Checker, row: int, stop: Stop, trip: pb.TripDescriptor) -> None:
    if not stop.stop_id and not stop.HasField("stop_sequence"):
        checker.say("E040", row, f"{STOP}.stop_id")
    stop_id(checker, row, f"{STOP}.stop_id", stop.stop_id, trip.trip_id)
    calls = checker.timetable.calls.get(trip.trip_id) if checker.timetable else None
    if calls and stop.HasField("stop_sequence"):
        real = calls.get(stop.stop_sequence)
        if real is None:
            checker.say("E051", row, f"{STOP}.stop_sequence", stop.stop_sequence)
        elif stop.stop_id and stop.stop_id != real:
            checker.say("E045", row, f"{STOP}.stop_id", stop.stop_id, real=real)
    _events(checker, row, stop)


def _events(checker: Checker, row: int, stop: Stop) -> None:
    events = [name for name in ("arrival", "departure") if stop.HasField(name)]
    relationship = stop.schedule_relationship
    if relationship == Stop.NO_DATA and events:
        checker.say("E042", row, f"{STOP}.schedule_relationship", "NO_DATA")
    if relationship == Stop.SCHEDULED and not events:
        checker.say("E043", row, f"{STOP}.arrival", stop.stop_id or stop.stop_sequence)
    for name in events:
        event: Any = getattr(stop, name)
        if not event.HasField("time") and not event.HasField("delay"):
            checker.say("E044", row, f"{STOP}.{name}", stop.stop_id or stop.stop_sequence)


def alert(checker: Checker, row: int, alert: pb.Alert) -> None:
    if not alert.header_text.translation:
        checker.say("alert_without_header", row, "alert.header_text")
    if not alert.informed_entity:
        checker.say("E032", row, "alert.informed_entity")
    for target in alert.informed_entity:
        if not target.ListFields():
            checker.say("E033", row, "alert.informed_entity")
        if checker.timetable:
            _target(checker, checker.timetable, row, target)


def _target(checker: Checker, timetable: Timetable, row: int, target: pb.EntitySelector) -> None:
    for rule, field_name, value, known in (
        ("E034", "agency_id", target.agency_id, timetable.agencies),
        ("E004", "route_id", target.route_id, timetable.routes),
        ("E011", "stop_id", target.stop_id, timetable.stops),
        ("E003", "trip.trip_id", target.trip.trip_id, timetable.trips),
    ):
        if value and value not in known:
            checker.say(rule, row, f"alert.informed_entity.{field_name}", value)
