"""The buses of the simulated timetable as GTFS-Realtime messages; they move along their lines with the clock."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from google.transit import gtfs_realtime_pb2 as pb

from demo_city.bus import SPEED, Trip, along, path, service_on, trips

JAPAN = ZoneInfo("Asia/Tokyo")
DAY = 86_400


def vehicle_positions(now: datetime) -> bytes:
    """Every bus that is under way at this moment."""
    message = _message(now)
    for trip, day, seconds in _running(now):
        latitude, longitude, bearing, reached = _place(trip, seconds - _delay(trip))
        vehicle = message.entity.add(id=f"vehicle-{trip.id}-{day:%Y%m%d}").vehicle
        _describe(vehicle.trip, trip, day)
        vehicle.vehicle.id = vehicle.vehicle.label = _bus(trip)
        vehicle.position.latitude, vehicle.position.longitude = latitude, longitude
        vehicle.position.bearing, vehicle.position.speed = bearing, SPEED
        vehicle.current_stop_sequence = reached + 1
        vehicle.stop_id = trip.stops[reached]
        vehicle.current_status = pb.VehiclePosition.IN_TRANSIT_TO
        vehicle.timestamp = int(now.timestamp()) - len(trip.id) % 10
    return bytes(message.SerializeToString(deterministic=True))


def trip_updates(now: datetime) -> bytes:
    """How late every bus under way is, for the stops that are still to come."""
    message = _message(now)
    for trip, day, seconds in _running(now):
        delay = _delay(trip)
        update = message.entity.add(id=f"update-{trip.id}-{day:%Y%m%d}").trip_update
        _describe(update.trip, trip, day)
        update.vehicle.id = _bus(trip)
        update.timestamp = int(now.timestamp())
        midnight = int(datetime.combine(day, datetime.min.time(), JAPAN).timestamp())
        for number, (stop, moment) in enumerate(zip(trip.stops, trip.times, strict=True), 1):
            if moment + delay >= seconds:
                coming = update.stop_time_update.add(stop_sequence=number, stop_id=stop)
                for event in (coming.arrival, coming.departure):
                    event.time, event.delay = midnight + moment + delay, delay
    return bytes(message.SerializeToString(deterministic=True))


def alerts(now: datetime) -> bytes:
    """In the snowy months, one alert for the line to the hot springs."""
    message = _message(now)
    if now.astimezone(JAPAN).month in (11, 12, 1, 2, 3):
        alert = message.entity.add(id="alert-snow").alert
        alert.cause, alert.effect = pb.Alert.WEATHER, pb.Alert.SIGNIFICANT_DELAYS
        alert.active_period.add(start=int((now - timedelta(hours=6)).timestamp()))
        alert.informed_entity.add(route_id="haikara")
        alert.informed_entity.add(stop_id="S10-1")
        for language, header, text in (
            (
                "ja",
                "積雪による遅れ",
                "東山温泉付近の積雪のため、遅れが出ています（実演用の架空のお知らせです）。",
            ),
            ("en", "Delays due to snow", "Snow near Higashiyama Onsen causes delays (simulated)."),
        ):
            alert.header_text.translation.add(text=header, language=language)
            alert.description_text.translation.add(text=text, language=language)
    return bytes(message.SerializeToString(deterministic=True))


def _message(now: datetime) -> pb.FeedMessage:
    message = pb.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.header.incrementality = pb.FeedHeader.FULL_DATASET
    message.header.timestamp = int(now.timestamp())
    return message


def _describe(trip_descriptor: pb.TripDescriptor, trip: Trip, day: date) -> None:
    trip_descriptor.trip_id, trip_descriptor.route_id = trip.id, trip.line.id
    trip_descriptor.direction_id = trip.direction
    trip_descriptor.start_date = f"{day:%Y%m%d}"
    trip_descriptor.schedule_relationship = pb.TripDescriptor.SCHEDULED


def _bus(trip: Trip) -> str:
    """Each trip has a bus of its own: a demonstration needs no duty roster."""
    return f"bus-{trip.id}"


def _delay(trip: Trip) -> int:
    """Between on time and five minutes late, always the same for one trip."""
    return sum(map(ord, trip.id)) % 6 * 60


def _running(now: datetime) -> Iterator[tuple[Trip, date, int]]:
    """Trips under way, those of yesterday after midnight included, with the second of their day."""
    local = now.astimezone(JAPAN)
    for days_ago in (0, 1):
        day = local.date() - timedelta(days=days_ago)
        seconds = local.hour * 3600 + local.minute * 60 + local.second + days_ago * DAY
        for trip in trips():
            delay = _delay(trip)
            runs = trip.service == service_on(day)
            if runs and trip.times[0] + delay <= seconds <= trip.times[-1] + delay:
                yield trip, day, seconds


def _place(trip: Trip, seconds: int) -> tuple[float, float, float, int]:
    """Position, bearing and the number of the next stop at a second of the timetable."""
    moment = min(max(seconds, trip.times[0]), trip.times[-1])
    leg = min(bisect_right(trip.times, moment), len(trip.times) - 1)
    begin, end = trip.times[leg - 1], trip.times[leg]
    share = (moment - begin) / max(end - begin, 1)
    driven = trip.distances[leg - 1] + share * (trip.distances[leg] - trip.distances[leg - 1])
    points = path(trip.line, trip.direction)
    metres = along(points)
    piece = min(max(bisect_right(metres, driven), 1), len(points) - 1)
    (lat, lon), (next_lat, next_lon) = points[piece - 1], points[piece]
    part = (driven - metres[piece - 1]) / max(metres[piece] - metres[piece - 1], 1e-9)
    east = (next_lon - lon) * math.cos(math.radians(lat))
    bearing = math.degrees(math.atan2(east, next_lat - lat)) % 360
    return lat + part * (next_lat - lat), lon + part * (next_lon - lon), bearing, leg
