"""図書館の蔵書: catalogues by OAI-PMH, SRU or file, in every format library systems write, and lists."""

import requests

from harvesters import columns, intake
from harvesters import fetch as fetching
from harvesters.city import City, Feed
from harvesters.fetch import Snapshot
from harvesters.intake import values
from harvesters.library import holdings, oai_pmh, reading, sru
from harvesters.library.catalogue import Catalogue
from harvesters.source import Beside, Package, Problem, Progress, Table

name = "library"


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
    if catalogue is None:
        sheet = intake.read(snapshot.content, columns.known_headings(feed))
        table = values.repair(columns.to_table(sheet, feed), feed.dataset, city)
    else:
        table = holdings.table_of(catalogue, feed)
    unit = holdings.RECORD if catalogue else holdings.ROW
    table, broken = holdings.standardised(table, unit)
    problems = [*broken, *holdings.lost_characters(table, unit), *_of_records(catalogue, table)]
    records = catalogue.records if catalogue else table.frame.height
    return Package(
        tables=(table,),
        problems=[*holdings.too_many(problems, records, table), *problems],
        kind=catalogue.kind if catalogue else "",
    )


def _of_records(catalogue: Catalogue | None, table: Table) -> list[Problem]:
    return holdings.problems_of(catalogue.faults, table) if catalogue else []
