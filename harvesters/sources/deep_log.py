"""ディープデータの利用記録の署名: the first signed head of each day, as the vault of deep data gives it to everybody."""

import requests

from harvesters import columns, intake
from harvesters import fetch as fetching
from harvesters.city import City, Feed
from harvesters.fetch import Snapshot
from harvesters.intake import values
from harvesters.source import Beside, Package, Progress

name = "deep-log"
looks_at: tuple[str, ...] = ()


def fetch(
    feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """All days are one list at one address."""
    return fetching.get(feed.url, session, known, progress)


def normalise(snapshot: Snapshot, feed: Feed, city: City, _: Beside) -> Package:
    """One row for each day."""
    sheet = intake.read(snapshot.content, columns.known_headings(feed))
    return Package(tables=(values.repair(columns.to_table(sheet, feed), feed.dataset, city),))
