"""What all checks of one real-time message need: clock, limits, timetable, and a way to report."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
from google.transit import gtfs_realtime_pb2 as pb

from harvesters.gtfs.feed import Feed
from harvesters.gtfs.findings import Findings

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""
EARLIEST, LATEST = 1_000_000_000, 9_999_999_999


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How old, how fast and how far ahead is still believed."""

    message_seconds: int = 65
    vehicle_seconds: int = 90
    future_seconds: int = 60
    speed_m_s: float = 26


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """What a message may refer to."""

    agencies: frozenset[str]
    routes: frozenset[str]
    stops: frozenset[str]
    trips: Mapping[str, str]
    """Trip to route."""
    calls: Mapping[str, Mapping[int, str]]
    """Of the trips in the message: stop_sequence to stop."""


@dataclass(kw_only=True)
class Checker:
    """What all checks of one message need."""

    findings: Findings
    now: float
    header: int
    timetable: Timetable | None
    bounds: Bounds | None
    limits: Limits
    seen: set[tuple[str, str]] = field(default_factory=set)

    def say(self, rule: str, row: int, name: str, value: object = "", **told: object) -> None:
        """One finding; the table is the kind of the entity."""
        table, _, path = name.partition(".")
        self.findings.add(rule, table, path, row or None, value, **told)


def plausible(timestamp: int) -> bool:
    """Seconds between 2001 and 2286; milliseconds are far beyond."""
    return EARLIEST <= timestamp <= LATEST


def posix(checker: Checker, row: int, name: str, timestamp: int) -> bool:
    """Whether a timestamp is one; the future is said too."""
    if not plausible(timestamp):
        checker.say("E001", row, name, timestamp)
        return False
    ahead = round(timestamp - checker.now)
    if ahead > checker.limits.future_seconds:
        checker.say("E050", row, name, timestamp, seconds=ahead)
    return True


def observed(checker: Checker, row: int, kind: str, timestamp: int) -> None:
    name = f"{kind}.timestamp"
    if not timestamp:
        checker.say("W001", row, name)
        return
    told = posix(checker, row, name, timestamp) and plausible(checker.header)
    if told and timestamp > checker.header:
        checker.say("E012", row, name, timestamp)


def timetable(message: pb.FeedMessage, feed: Feed) -> Timetable:
    typed = feed.typed
    trips = {entity.trip_update.trip.trip_id for entity in message.entity} | {
        entity.vehicle.trip.trip_id for entity in message.entity
    }
    calls: dict[str, dict[int, str]] = {}
    named = typed["stop_times"].filter(pl.col("trip_id").is_in(list(trips)))
    for trip, sequence, stop in named.select("trip_id", "stop_sequence", "stop_id").iter_rows():
        calls.setdefault(trip, {})[sequence] = stop
    return Timetable(
        agencies=frozenset(typed["agency"]["agency_id"].drop_nulls()),
        routes=frozenset(typed["routes"]["route_id"].drop_nulls()),
        stops=frozenset(typed["stops"]["stop_id"].drop_nulls()),
        trips=dict(typed["trips"].select("trip_id", "route_id").iter_rows()),
        calls=calls,
    )
