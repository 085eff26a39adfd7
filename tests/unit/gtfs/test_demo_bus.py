"""The demonstration city's buses: a timetable without faults, and vehicles that move along it."""

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import requests

from demo_city import bus_live, bus_tables
from demo_city.server import CityServer
from harvesters.city import load_city
from harvesters.gtfs import NotAFeedError, check, check_realtime

JAPAN = ZoneInfo("Asia/Tokyo")
BUSY = datetime(2026, 11, 20, 17, 20, tzinfo=JAPAN)


def box():
    """West, south, east, north of the city."""
    bounds = load_city("aizuwakamatsu").bbox
    return bounds.west, bounds.south, bounds.east, bounds.north


@pytest.fixture(scope="module")
def feed():
    """The timetable, checked on a day within its period."""
    return check(bus_tables.timetable(), "bus.zip", today=date(2026, 11, 20))


def test_the_timetable_has_no_findings(feed):
    """With agency_jp, office_jp and routes_jp, readings and English names, and times past midnight."""
    assert feed.findings.by_rule() == {}
    assert feed.is_japanese
    assert {"agency_jp", "office_jp", "routes_jp", "translations"} <= feed.tables.keys()
    assert set(feed.tables["translations"]["language"]) == {"ja", "ja-Hrkt", "en"}
    assert feed.typed["stop_times"]["arrival_time"].max() > 24 * 3600
    west, south, east, north = feed.bounds
    assert box()[0] < west < east < box()[2]
    assert box()[1] < south < north < box()[3]


def test_the_timetable_is_the_same_every_day():
    """Byte for byte, so that a harvest of it ends unchanged."""
    assert bus_tables.timetable() == bus_tables.timetable()


def test_fewer_buses_run_on_holidays(feed):
    """A Friday, a Sunday, and Labour Thanksgiving Day on a Monday."""
    days = (date(2026, 11, 20), date(2026, 11, 22), date(2026, 11, 23))
    friday, sunday, monday = (feed.trips_on(day).height for day in days)
    assert friday > sunday == monday > 0


@pytest.mark.parametrize(
    "make", [bus_live.vehicle_positions, bus_live.trip_updates, bus_live.alerts]
)
@pytest.mark.parametrize("hour", [0, 7, 12, 17, 23])
def test_the_messages_agree_with_the_timetable(feed, make, hour):
    """At any hour; at night there may be nothing to say."""
    now = BUSY.replace(hour=hour, minute=5)
    message = check_realtime(make(now), "bus.pb", now=now, feed=feed, bounds=box())
    assert message.findings.by_rule().keys() <= {"no_entities"}


def test_buses_move_with_the_clock(feed):
    """Half a minute later the same buses are somewhere else, not far away."""
    first, second = (
        check_realtime(bus_live.vehicle_positions(now), "bus.pb", now=now, feed=feed).positions
        for now in (BUSY, BUSY + timedelta(seconds=30))
    )
    moved = first.join(second, on="vehicle_id", suffix="_later")
    assert moved.height >= 5
    north = (moved["latitude_later"] - moved["latitude"]).abs()
    east = (moved["longitude_later"] - moved["longitude"]).abs()
    assert (north + east).max() < 0.01
    assert ((north + east) > 0).sum() >= moved.height / 2


def test_a_bus_that_is_late_is_said_to_be(feed):
    """The prediction is the timetable and the delay."""
    message = check_realtime(bus_live.trip_updates(BUSY), "bus.pb", now=BUSY, feed=feed)
    late = message.trip_updates.filter(message.trip_updates["arrival_delay_seconds"] > 0)
    row = late.row(0, named=True)
    planned = feed.typed["stop_times"].filter(
        trip_id=row["trip_id"], stop_sequence=row["stop_sequence"]
    )["arrival_time"][0]
    midnight = datetime(2026, 11, 20, tzinfo=JAPAN)
    expected = midnight + timedelta(seconds=planned + row["arrival_delay_seconds"])
    assert row["arrival_at"] == expected.astimezone(UTC)


def test_snow_is_announced_in_both_languages():
    """In November, not in July."""
    message = check_realtime(bus_live.alerts(BUSY), "bus.pb", now=BUSY)
    assert set(message.alerts["header_ja"]) == {"積雪による遅れ"}
    assert set(message.alerts["header_en"]) == {"Delays due to snow"}
    july = BUSY.replace(month=7)
    assert check_realtime(bus_live.alerts(july), "bus.pb", now=july).alerts.is_empty()


@pytest.fixture(scope="module")
def city():
    """The address of the city's server."""
    with CityServer(0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/bus"
        server.shutdown()
        thread.join()


def sent(address):
    """The bytes that the city answers with."""
    return requests.get(address, timeout=5).content


def test_timetable_and_messages_are_served(city, feed):
    """The message is of this moment."""
    assert sent(f"{city}/gtfs-jp.zip") == bus_tables.timetable()
    for name in ("vehicles", "trips", "alerts"):
        message = check_realtime(sent(f"{city}/{name}.pb"), name, now=datetime.now(UTC), feed=feed)
        assert message.findings.by_rule().keys() <= {"no_entities"}


@pytest.mark.parametrize(("fault", "rule"), [("late", "W008"), ("clock-skew", "E050")])
def test_a_wrong_clock_is_noticed(city, fault, rule):
    """Twenty minutes behind, ten minutes ahead."""
    content = sent(f"{city}/alerts.pb?fault={fault}")
    message = check_realtime(content, "alerts.pb", now=datetime.now(UTC))
    assert rule in message.findings.by_rule()


def test_a_timetable_in_shift_jis_is_told(city):
    """The stops alone, as after an old spreadsheet program."""
    spoilt = check(sent(f"{city}/gtfs-jp.zip?fault=encoding"), "bus.zip", today=date(2026, 11, 20))
    assert spoilt.findings.by_rule() == {"wrong_encoding": 1}


@pytest.mark.parametrize("name", ["gtfs-jp.zip", "vehicles.pb"])
def test_an_error_page_is_refused(city, name):
    """Status 200 notwithstanding."""
    content = sent(f"{city}/{name}?fault=html")
    with pytest.raises(NotAFeedError) as refused:
        check(content, name) if name.endswith("zip") else check_realtime(
            content, name, now=datetime.now(UTC)
        )
    assert refused.value.reason == "html"
