"""図書館の空席: what the library's system answers when it is asked for its seats, JSON or CSV."""

from dataclasses import replace

import requests

from harvesters import columns, intake
from harvesters import fetch as fetching
from harvesters.city import City, Feed
from harvesters.fetch import Snapshot
from harvesters.intake import encodings, kinds, values
from harvesters.library import rooms, seats
from harvesters.source import Beside, Package, Progress, Table

name = "library-seats"
looks_at: tuple[str, ...] = ()


def fetch(
    feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """The answer is one document at one address."""
    return fetching.get(feed.url, session, known, progress)


def normalise(snapshot: Snapshot, feed: Feed, city: City, _: Beside) -> Package:
    """One row for each room; free seats are computed where only those in use are told."""
    table, kind = _read(snapshot.content, feed)
    repaired = values.repair(table, feed.dataset, city)
    finished = seats.completed(repaired, snapshot.fetched_at)
    moment = seats.is_of_the_moment(repaired)
    problems = list(seats.problems_of(finished, snapshot.fetched_at))
    return Package(tables=(finished,), problems=problems, of_the_moment=moment, kind=kind)


def _read(content: bytes, feed: Feed) -> tuple[Table, str]:
    """JSON says by its members what it is, a list by its headings."""
    if kinds.kind_of(content) in {"text", "json"}:
        encoding, text = encodings.decode(content, columns.known_headings(feed))
        if rooms.is_json(text):
            return _of_json(text, encoding, feed), "json"
    sheet = intake.read(content, columns.known_headings(feed))
    table = columns.to_table(seats.with_columns(sheet, feed), feed)
    came = {column: one for column, one in table.headings.items() if one in sheet.headings}
    return replace(table, headings=came), ""


def _of_json(text: str, encoding: str, feed: Feed) -> Table:
    sheet, members = rooms.sheet_of(text, encoding, feed)
    table = columns.to_table(seats.with_columns(sheet, feed), replace(feed, columns={}))
    return replace(table, headings=members)
