"""Searches a library by SRU and reads on to the last record."""

from urllib.parse import parse_qsl, urlsplit

import requests
from lxml import etree

from harvesters.errors import AddressError, NotTheListError
from harvesters.fetch import Snapshot
from harvesters.library import envelopes, pages
from harvesters.library.documents import child, children, text
from harvesters.source import Progress

SPACE = "http://www.loc.gov/zing/srw/"


def speaks(address: str) -> bool:
    """Whether an address is a search by SRU."""
    return dict(parse_qsl(urlsplit(address).query)).get("operation") == "searchRetrieve"


def search(address: str, session: requests.Session, progress: Progress) -> Snapshot:
    """All records that the search finds, as one document."""
    words = dict(parse_qsl(urlsplit(address).query))
    came = pages.opened(address, session, progress)
    records: list[etree._Element] = []
    total, position = "", "1"
    while position:
        root, snapshot = came.ask(words | ({"startRecord": position} if records else {}))
        pages.expected(root, "searchRetrieveResponse", snapshot.url)
        try:
            envelopes.refuse_diagnostics(root)
        except NotTheListError as error:
            raise AddressError(error.words.ja, error.words.en) from error
        found = child(root, "records")
        records.extend(children(found, "record") if found is not None else [])
        total = text(child(root, "numberOfRecords")) or total
        position = _next(root, total, len(records))
    return Snapshot(
        content=_joined(records, total),
        url=address,
        filename="records.xml",
        fetched_at=came.last_at,
        media_type="application/xml",
    )


def _next(root: etree._Element, total: str, came: int) -> str:
    """Where the next page begins; some servers say 0, or go on saying it behind the end."""
    position = text(child(root, "nextRecordPosition"))
    if not position.isdigit() or int(position) == 0:
        return ""
    return (
        "" if total.isdigit() and (came >= int(total) or int(position) > int(total)) else position
    )


def _joined(records: list[etree._Element], total: str) -> bytes:
    root = etree.Element(f"{{{SPACE}}}searchRetrieveResponse", nsmap={None: SPACE})
    etree.SubElement(root, f"{{{SPACE}}}numberOfRecords").text = total or str(len(records))
    etree.SubElement(root, f"{{{SPACE}}}records").extend(records)
    return pages.document(root)
