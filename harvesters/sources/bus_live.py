"""バスの運行状況: GTFS-Realtime positions, delays and alerts, from one address or from several."""

from dataclasses import replace

import requests

from harvesters import fetch as fetching
from harvesters import gtfs, several
from harvesters.city import City, Feed
from harvesters.errors import NotTheListError
from harvesters.fetch import Snapshot
from harvesters.gtfs import package
from harvesters.source import Beside, Package, Problem, Progress
from harvesters.words import Words

name = "bus-live"
TIMETABLE = "bus"
looks_at: tuple[str, ...] = (TIMETABLE,)


def fetch(
    feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """One message, or one for each address, joined in a zip."""
    if not feed.addresses:
        return fetching.get(feed.url, session, known, progress)
    return several.get_all(feed.all_addresses, "gtfs-realtime.zip", session, known, progress, ".pb")


def normalise(snapshot: Snapshot, feed: Feed, city: City, beside: Beside) -> Package:
    """Positions, delays and alerts, looked up in the timetable that the city's buses run by."""
    timetable, note = _timetable(city, beside)
    box = city.bbox
    messages = gtfs.open_messages(
        snapshot, timetable, None if timetable else (box.west, box.south, box.east, box.north)
    )
    made = package.of_messages(messages, feed.dataset)
    made.tables[0].notes.extend(note)
    return replace(made, problems=[_of_one(problem) for problem in made.problems])


def _timetable(city: City, beside: Beside) -> tuple[gtfs.Feed | None, list[Words]]:
    """The one that was harvested last; without it, what cannot be looked up is said."""
    kept = beside(TIMETABLE)
    if kept is None:
        return None, [
            Words(
                "時刻表（bus）がまだないため、便・経路・停留所は照合していません。aizu fetch bus で取得できます。",
                "There is no timetable (bus) yet, so trips, routes and stops were not looked up; "
                "aizu fetch bus gets it.",
            )
        ]
    address = city.feeds[TIMETABLE].url if TIMETABLE in city.feeds else ""
    try:
        return gtfs.open_timetable(kept, address), []
    except NotTheListError as refused:
        ja, en = refused.words
        return None, [
            Words(
                f"前回の時刻表が読めないため、便・経路・停留所は照合していません。{ja}",
                f"The last timetable cannot be read, so trips, routes and stops were not looked up. {en}",
            )
        ]


def _of_one(problem: Problem) -> Problem:
    """One bus with a wrong trip keeps nobody from seeing the others; a wrong header speaks of all."""
    if problem.table == "header":
        return problem
    return replace(problem, severity="warning")
