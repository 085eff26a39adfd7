"""図書館の蔵書: catalogues by OAI-PMH, SRU or file, in every format library systems write, and lists."""

import requests

from harvesters import columns, intake
from harvesters import fetch as fetching
from harvesters.city import City, Feed
from harvesters.fetch import Snapshot
from harvesters.intake import values
from harvesters.library import holdings, oai_pmh, reading, sru
from harvesters.source import Beside, Package, Progress

name = "library"
looks_at: tuple[str, ...] = ()


def fetch(
    feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """The address decides: OAI-PMH and SRU come in pages, anything else is one file."""
    if oai_pmh.speaks(feed.url):
        return oai_pmh.harvest(feed.url, session, known, progress)
    if sru.speaks(feed.url):
        return sru.search(feed.url, session, progress)
    return fetching.get(feed.url, session, known, progress)


def normalise(snapshot: Snapshot, feed: Feed, city: City, _: Beside) -> Package:
    """One row for each item; numbers in one form, and what is wrong with them told."""
    catalogue = reading.read(snapshot.content)
    if catalogue:
        return holdings.of_catalogue(catalogue, feed.dataset, feed.constants)
    sheet = intake.read(snapshot.content, columns.known_headings(feed))
    return holdings.of_list(values.repair(columns.to_table(sheet, feed), feed.dataset, city))
