"""Real-time messages become tables, and every fault in them is found."""

from datetime import UTC, datetime, timedelta

import pytest
from google.transit import gtfs_realtime_pb2 as pb

from harvesters.gtfs import NotAFeedError, check_realtime
from harvesters.gtfs.findings import rules

NOW = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
BOX = (139.79, 37.28, 140.13, 37.61)


def good():
    """A vehicle, an update and an alert that agree with the town's timetable."""
    message = pb.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.header.incrementality = pb.FeedHeader.FULL_DATASET
    message.header.timestamp = STAMP
    seen = message.entity.add(id="v1").vehicle
    described(seen.trip)
    seen.vehicle.id, seen.vehicle.label = "bus-1", "1号車"
    seen.position.latitude, seen.position.longitude = 37.4990, 139.9281
    seen.position.bearing, seen.position.speed = 190, 5
    seen.current_stop_sequence, seen.stop_id, seen.timestamp = 2, "B1", STAMP - 5
    update = message.entity.add(id="u1").trip_update
    described(update.trip)
    update.vehicle.id, update.timestamp = "bus-1", STAMP
    for sequence, stop, minutes in ((2, "B1", 5), (3, "C1", 20)):
        coming = update.stop_time_update.add(stop_sequence=sequence, stop_id=stop)
        coming.arrival.time = coming.departure.time = STAMP + minutes * 60
        coming.arrival.delay = coming.departure.delay = 60
    alert = message.entity.add(id="a1").alert
    alert.cause, alert.effect = pb.Alert.WEATHER, pb.Alert.DETOUR
    alert.active_period.add(start=STAMP - 3600, end=STAMP + 3600)
    alert.informed_entity.add(route_id="R1", agency_id="9000000000001")
    alert.header_text.translation.add(text="迂回", language="ja")
    alert.header_text.translation.add(text="Detour", language="en")
    return message


def described(trip):
    """The first trip of the town."""
    trip.trip_id, trip.route_id, trip.start_date = "T1", "R1", "20261102"
    trip.start_time = "08:00:00"
    trip.schedule_relationship = pb.TripDescriptor.SCHEDULED


def checked(message, town, now=NOW):
    """The message as it comes over the wire."""
    return check_realtime(message.SerializeToString(), "rt.pb", now=now, feed=town, bounds=BOX)


def stops(message):
    """The predictions of the only update."""
    return message.entity[1].trip_update.stop_time_update


FAULTS = {
    "E001": lambda m: setattr(m.entity[0].vehicle, "timestamp", STAMP * 1000),
    "E002": lambda m: setattr(stops(m)[1], "stop_sequence", 2),
    "E003": lambda m: setattr(m.entity[0].vehicle.trip, "trip_id", "T9"),
    "E004": lambda m: setattr(m.entity[2].alert.informed_entity[0], "route_id", "R9"),
    "E011": lambda m: setattr(stops(m)[0], "stop_id", "Z9"),
    "E012": lambda m: setattr(m.entity[0].vehicle, "timestamp", STAMP + 30),
    "E016": lambda m: setattr(m.entity[1].trip_update.trip, "schedule_relationship", pb.TripDescriptor.ADDED),
    "E020": lambda m: setattr(m.entity[1].trip_update.trip, "start_time", "8:00"),
    "E021": lambda m: setattr(m.entity[1].trip_update.trip, "start_date", "20261131"),
    "E022": lambda m: setattr(stops(m)[1].arrival, "time", STAMP),
    "E025": lambda m: setattr(stops(m)[1].departure, "time", STAMP + 1100),
    "E026": lambda m: setattr(m.entity[0].vehicle.position, "latitude", 139.9),
    "E027": lambda m: setattr(m.entity[0].vehicle.position, "bearing", 400),
    "E028": lambda m: setattr(m.entity[0].vehicle.position, "latitude", 35.68),
    "E029": lambda m: setattr(m.entity[0].vehicle.position, "longitude", 139.95),
    "E032": lambda m: m.entity[2].alert.ClearField("informed_entity"),
    "E033": lambda m: m.entity[2].alert.informed_entity.add(),
    "E034": lambda m: setattr(m.entity[2].alert.informed_entity[0], "agency_id", "1"),
    "E035": lambda m: setattr(m.entity[0].vehicle.trip, "route_id", "R2"),
    "E038": lambda m: setattr(m.header, "gtfs_realtime_version", "3"),
    "E040": lambda m: (stops(m)[0].ClearField("stop_id"), stops(m)[0].ClearField("stop_sequence")),
    "E041": lambda m: m.entity[1].trip_update.ClearField("stop_time_update"),
    "E042": lambda m: setattr(stops(m)[0], "schedule_relationship", pb.TripUpdate.StopTimeUpdate.NO_DATA),
    "E043": lambda m: (stops(m)[0].ClearField("arrival"), stops(m)[0].ClearField("departure")),
    "E044": lambda m: (stops(m)[0].arrival.ClearField("time"), stops(m)[0].arrival.ClearField("delay")),
    "E045": lambda m: setattr(stops(m)[0], "stop_id", "C1"),
    "E048": lambda m: m.header.ClearField("timestamp"),
    "E049": lambda m: m.header.ClearField("incrementality"),
    "E050": lambda m: setattr(m.header, "timestamp", STAMP + 600),
    "E051": lambda m: setattr(stops(m)[1], "stop_sequence", 9),
    "E052": lambda m: m.entity.add(id="v2").CopyFrom(renamed(m.entity[0], "v2")),
    "duplicate_entity_id": lambda m: setattr(m.entity[1], "id", "v1"),
    "entity_without_content": lambda m: m.entity.add(id="x"),
    "alert_without_header": lambda m: m.entity[2].alert.ClearField("header_text"),
    "W001": lambda m: m.entity[0].vehicle.ClearField("timestamp"),
    "W002": lambda m: m.entity[0].vehicle.ClearField("vehicle"),
    "W004": lambda m: setattr(m.entity[0].vehicle.position, "speed", 40),
    "W006": lambda m: (m.entity[0].vehicle.trip.ClearField("trip_id"), m.entity[0].vehicle.trip.ClearField("start_time")),
    "W008": lambda m: setattr(m.header, "timestamp", STAMP - 300),
    "W009": lambda m: m.entity[0].vehicle.trip.ClearField("schedule_relationship"),
    "stale_vehicle_position": lambda m: setattr(m.entity[0].vehicle, "timestamp", STAMP - 3600),
    "stop_not_on_trip": lambda m: setattr(m.entity[0].vehicle, "stop_id", "D1"),
    "vehicle_without_position": lambda m: m.entity[0].vehicle.ClearField("position"),
    "no_entities": lambda m: m.ClearField("entity"),
}  # fmt: skip


def renamed(entity, name):
    """The same entity with another id."""
    copy = pb.FeedEntity()
    copy.CopyFrom(entity)
    copy.id = name
    return copy


def test_a_good_message_has_no_findings(town):
    """It agrees with the timetable, the clock and the city."""
    assert checked(good(), town).findings.by_rule() == {}


@pytest.mark.parametrize("rule", FAULTS)
def test_a_planted_fault_is_found(town, rule):
    """By its number in the canonical validator, or a name of ours."""
    message = good()
    FAULTS[rule](message)
    assert rule in checked(message, town).findings.by_rule()


def test_every_rule_has_a_planted_fault():
    """A rule that nothing breaks may be no rule."""
    assert set(rules("realtime")) == set(FAULTS)


def test_the_tables_of_a_message(town):
    """Times in UTC, speed in km/h, names instead of numbers, both languages."""
    message = checked(good(), town)
    assert message.published_at == NOW
    (vehicle,) = message.positions.to_dicts()
    assert vehicle["latitude"] == pytest.approx(37.499, abs=1e-5)
    assert (vehicle["vehicle_id"], vehicle["speed_kmh"]) == ("bus-1", 18.0)
    assert vehicle["observed_at"] == NOW - timedelta(seconds=5)
    assert vehicle["schedule_relationship"] == "SCHEDULED"
    first, second = message.trip_updates.to_dicts()
    assert (first["stop_id"], first["arrival_delay_seconds"]) == ("B1", 60)
    assert second["departure_at"] == NOW + timedelta(minutes=20)
    (alert,) = message.alerts.to_dicts()
    assert (alert["header_ja"], alert["header_en"]) == ("迂回", "Detour")
    assert (alert["cause"], alert["effect"], alert["route_id"]) == ("WEATHER", "DETOUR", "R1")


def test_milliseconds_are_no_time(town):
    """They are reported, and the cell stays empty."""
    message = good()
    message.entity[0].vehicle.timestamp = STAMP * 1000
    assert checked(message, town).positions["observed_at"][0] is None


def test_a_cancelled_trip_needs_no_stops(town):
    """It keeps a row, so that a reader sees it."""
    message = good()
    message.entity[1].trip_update.ClearField("stop_time_update")
    message.entity[1].trip_update.trip.schedule_relationship = pb.TripDescriptor.CANCELED
    result = checked(message, town)
    assert result.findings.by_rule() == {}
    assert result.trip_updates["schedule_relationship"].to_list() == ["CANCELED"]


def test_without_a_timetable_only_the_message_itself_is_checked():
    """Unknown trips cannot be known then."""
    message = good()
    message.entity[0].vehicle.trip.trip_id = "T9"
    result = check_realtime(message.SerializeToString(), "rt.pb", now=NOW)
    assert result.findings.by_rule() == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<html><body>503</body></html>", "html"),
        (b'{"header": {"gtfsRealtimeVersion": "2.0"}}', "json"),
        (b"\x1f\x8b\x08\x00abc", "gzip"),
        (b"not valid pb data", "text"),
        (good().SerializeToString()[:-30], "truncated"),
        (b"\x12\x00", "incomplete"),
        (good().SerializeToString().replace("迂回".encode(), "迂回路".encode("cp932")), "encoding"),
    ],
)
def test_what_is_no_message_is_refused_by_name(content, reason):
    """With what to do, in both languages."""
    with pytest.raises(NotAFeedError) as refused:
        check_realtime(content, "rt.pb", now=NOW)
    assert refused.value.reason == reason
    assert refused.value.words.ja.startswith("rt.pb")


@pytest.mark.parametrize("rule", rules("realtime").values(), ids=lambda rule: rule.name)
def test_a_rule_speaks_both_languages(rule):
    """A whole sentence in Japanese, and its English twin."""
    assert rule.words.ja.endswith("。")
    assert rule.words.en


def test_a_message_damaged_anywhere_never_fails(town):
    """It is read with findings, or refused."""
    content = good().SerializeToString()
    for place in range(len(content)):
        for byte in (0x00, 0x7F, 0xFF):
            damaged = content[:place] + bytes([byte]) + content[place + 1 :]
            try:
                check_realtime(damaged, "rt.pb", now=NOW, feed=town, bounds=BOX)
            except NotAFeedError as refused:
                assert refused.reason
