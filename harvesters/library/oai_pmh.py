"""Harvests a repository by OAI-PMH: all pages to the end, or what is new since the last time."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import requests
from lxml import etree

from harvesters.errors import AddressError, NotTheListError, SourceFailedError
from harvesters.fetch import Snapshot
from harvesters.library import documents, pages
from harvesters.library.documents import child, children, text
from harvesters.library.pages import Pages
from harvesters.source import Progress

SPACE = "http://www.openarchives.org/OAI/2.0/"
KEEPS_DELETED = ("persistent", "transient")
ARGUMENTS = ("metadataPrefix", "set", "from", "until")


class _TokenError(Exception):
    """The server does not know its own resumption token any more."""


class _NothingNewError(Exception):
    """There are no records for what was asked."""


def speaks(address: str) -> bool:
    """Whether an address is one of OAI-PMH: it names a metadataPrefix, with or without the verb."""
    words = _words(address)
    return "metadataPrefix" in words and words.get("verb", "ListRecords") == "ListRecords"


def harvest(
    address: str, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """All records as one document; only what changed is asked for where the server allows it."""
    asked = {name: value for name, value in _words(address).items() if name in ARGUMENTS}
    came = pages.opened(address, session, progress)
    old = _kept(address, known, asked, came)
    if old is not None:
        asked["from"] = max(_datestamps(old))
    try:
        records, last = _all(came, asked)
    except _NothingNewError as nothing:
        if known is None or old is None:
            raise _refused(address, "noRecordsMatch", str(nothing)) from nothing
        return replace(known, fetched_at=came.last_at)
    before = children(_list(old), "record") if old is not None else []
    content = _joined(_merged(before, records), asked["metadataPrefix"], last)
    return Snapshot(
        content=content,
        url=address,
        filename="records.xml",
        fetched_at=came.last_at,
        media_type="application/xml",
    )


def _words(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def _kept(
    address: str, known: Snapshot | None, asked: dict[str, str], came: Pages
) -> etree._Element | None:
    """The records of the last time, if new ones can be laid over them.

    A server that forgets which records it has deleted must be asked for all of them each time.
    """
    if known is None or known.url != address or "from" in asked:
        return None
    try:
        old = documents.parse(known.content)
    except NotTheListError:
        return None
    if child(old, "ListRecords") is None or not _datestamps(old):
        return None
    told, _ = came.ask({"verb": "Identify"})
    keeps = text(next(told.iter("{*}deletedRecord"), None))
    return old if keeps in KEEPS_DELETED else None


def _datestamps(root: etree._Element) -> list[str]:
    return [text(one) for one in root.iter("{*}datestamp")]


def _list(root: etree._Element) -> etree._Element:
    found = child(root, "ListRecords")
    if found is None:
        raise _refused("", "", documents.local(root))
    return found


def _all(came: Pages, asked: dict[str, str]) -> tuple[list[etree._Element], str]:
    """Every page; a token that has grown too old in the middle leads back to the beginning, once."""
    try:
        return _once(came, asked)
    except _TokenError:
        came.seen.clear()
    try:
        return _once(came, asked)
    except _TokenError as error:
        raise SourceFailedError(
            f"{came.base} が一覧の続きを 2 回とも渡しません（badResumptionToken: {error}）。"
            "あとでもう一度実行してください。",
            f"{came.base} has twice refused to go on with its list (badResumptionToken: {error}); "
            "try again later",
        ) from error


def _once(came: Pages, asked: dict[str, str]) -> tuple[list[etree._Element], str]:
    """The records of all pages, and how many the server has announced."""
    records: list[etree._Element] = []
    announced = ""
    for answer in _answers(came, {"verb": "ListRecords"} | asked):
        records.extend(children(answer, "record"))
        token = child(answer, "resumptionToken")
        if token is not None:
            announced = str(token.get("completeListSize", announced))
            _refuse_empty_page(came, answer, text(token))
    return records, announced


def _refuse_empty_page(came: Pages, answer: etree._Element, token: str) -> None:
    """A page without records that leads to another one is how lists become endless."""
    if token and child(answer, "record") is None:
        raise SourceFailedError(
            f"{came.base} の {came.count} ページ目に書誌がないのに続きがあるとされています。"
            "サーバーの管理者に知らせてください。",
            f"page {came.count} of {came.base} has no records and yet leads to a next one; "
            "tell whoever runs the server",
        )


def _answers(came: Pages, words: dict[str, str]) -> Iterator[etree._Element]:
    while True:
        root, snapshot = came.ask(words)
        pages.expected(root, "OAI-PMH", snapshot.url)
        _raise_error(root, snapshot.url)
        answer = _list(root)
        yield answer
        token = text(child(answer, "resumptionToken"))
        if not token:
            return
        words = {"verb": "ListRecords", "resumptionToken": token}


def _raise_error(root: etree._Element, url: str) -> None:
    for error in children(root, "error"):
        code, said = str(error.get("code", "")), text(error)
        if code == "badResumptionToken":
            raise _TokenError(said)
        if code == "noRecordsMatch":
            raise _NothingNewError(said)
        raise _refused(url, code, said)


def _refused(url: str, code: str, said: str) -> AddressError:
    return AddressError(
        f"{url} の OAI-PMH サーバーが断りました（{code}: {said}）。アドレスの metadataPrefix、set、"
        "期間を確かめてください。",
        f"the OAI-PMH server of {url} refuses ({code}: {said}); "
        "check metadataPrefix, set and dates in the address",
    )


def _merged(old: list[etree._Element], new: list[etree._Element]) -> list[etree._Element]:
    """New records in the place of those with the same identifier, the others behind.

    A record that changes while pages are read may come on two of them; the later one counts.
    """
    by_identifier = {_identifier(record): record for record in old}
    by_identifier.update({_identifier(record): record for record in new})
    return list(by_identifier.values())


def _identifier(record: etree._Element) -> str:
    return text(next(record.iter("{*}identifier"), None))


def _joined(records: list[etree._Element], prefix: str, announced: str) -> bytes:
    """One answer without the time of its making, so that the same records give the same bytes."""
    root = etree.Element(f"{{{SPACE}}}OAI-PMH", nsmap={None: SPACE})
    request = etree.SubElement(root, f"{{{SPACE}}}request")
    request.set("verb", "ListRecords")
    request.set("metadataPrefix", prefix)
    answer = etree.SubElement(root, f"{{{SPACE}}}ListRecords")
    answer.extend(records)
    if announced.isdigit() and int(announced) > len(records):
        etree.SubElement(answer, f"{{{SPACE}}}resumptionToken").set("completeListSize", announced)
    return pages.document(root)
