"""GTFS and GTFS-JP timetables and GTFS-Realtime messages: bytes in, tables and findings out.

::

    feed = check(content, "feed.zip")
    if feed.valid:
        feed.tables["stops"]             # a Polars frame, cells as they were written
        geojson.stops(feed.typed)        # the map layer
        feed.trips_on(date.today())
    for finding in feed.findings:
        print(finding.severity, finding.words.ja)
    message = check_realtime(content, "vehicles.pb", now=datetime.now(UTC), feed=feed)
"""

from harvesters.gtfs import geojson
from harvesters.gtfs.feed import Feed, check
from harvesters.gtfs.findings import Finding, Findings, Severity
from harvesters.gtfs.kinds import NotAFeedError
from harvesters.gtfs.opening import kind_of, open_messages, open_timetable
from harvesters.gtfs.realtime import Message, check_realtime
from harvesters.gtfs.realtime_context import Limits

__all__ = [
    "Feed",
    "Finding",
    "Findings",
    "Limits",
    "Message",
    "NotAFeedError",
    "Severity",
    "check",
    "check_realtime",
    "geojson",
    "kind_of",
    "open_messages",
    "open_timetable",
]
