"""消防水利施設一覧: the municipal standard's hydrant list, its 2017 layout, and city layouts."""

import requests

from harvesters import columns, intake
from harvesters import fetch as fetching
from harvesters.city import City, Feed
from harvesters.fetch import Snapshot
from harvesters.intake import values
from harvesters.source import Beside, Package, Progress

name = "hydrant"
looks_at: tuple[str, ...] = ()


def fetch(
    feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """The list is one file at one address."""
    return fetching.get(feed.url, session, known, progress)


def normalise(snapshot: Snapshot, feed: Feed, city: City, _: Beside) -> Package:
    """The list in the standard's columns; what a spreadsheet spoils is repaired and recorded."""
    sheet = intake.read(snapshot.content, columns.known_headings(feed))
    return Package(tables=(values.repair(columns.to_table(sheet, feed), feed.dataset, city),))
