"""標準的なバス情報フォーマット: a timetable in GTFS or GTFS-JP, one zip of many tables."""

import requests

from harvesters import fetch as fetching
from harvesters import gtfs
from harvesters.city import City, Feed
from harvesters.fetch import Snapshot
from harvesters.gtfs import package
from harvesters.source import Beside, Package, Problem, Progress
from harvesters.words import Words

name = "bus"
looks_at: tuple[str, ...] = ()


def fetch(
    feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """The timetable is one zip at one address."""
    return fetching.get(feed.url, session, known, progress)


def normalise(snapshot: Snapshot, feed: Feed, city: City, _: Beside) -> Package:
    """Every table as the city wrote it; the zip itself is passed on untouched."""
    timetable = gtfs.open_timetable(snapshot, feed.url)
    made = package.of_timetable(timetable)
    made.problems.extend(_elsewhere(timetable, city))
    return made


def _elsewhere(timetable: gtfs.Feed, city: City) -> list[Problem]:
    """Buses may leave the city, but one without a single stop in it is another city's."""
    places = timetable.typed["stops"].select("stop_lon", "stop_lat").drop_nulls()
    if places.is_empty() or any(city.bbox.holds(*place) for place in places.iter_rows()):
        return []
    return [
        Problem(
            rule="outside-city",
            severity="warning",
            table="stops",
            row=None,
            column="stop_lat",
            value="",
            words=Words(
                f"{city.name.ja}の中に停留所が一つもありません。ほかの街の時刻表ではないか確かめてください。",
                f"no stop lies in {city.name.en}; check whether this is another city's timetable",
            ),
        )
    ]
