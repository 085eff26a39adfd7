"""Bytes of a library catalogue, whichever of its formats they are in, into holdings."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from lxml import etree
from pymarc import Record

from harvesters.intake import encodings
from harvesters.library import documents, dublin_core, envelopes, marc, marc_fields
from harvesters.library.catalogue import (
    Catalogue,
    Fault,
    Holding,
    RecordError,
    nameless,
    refuse_empty,
    unreadable,
)
from harvesters.library.envelopes import Entry
from harvesters.words import Words

Values = dict[str, str]


@dataclass(kw_only=True)
class _Reading:
    """What has been read so far."""

    holdings: list[Holding] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    records: int = 0

    def add(self, number: int, read: Callable[[], Iterable[Values]]) -> None:
        """One record; if it cannot be read, it is named and the next one follows."""
        self.records = max(self.records, number)
        try:
            rows = [Holding(number=number, values=_named(values)) for values in read()]
        except RecordError as error:
            self.faults.append(unreadable(number, error))
            return
        self.holdings.extend(rows)

    def of_marc(self, number: int, record: Record, identifier: str = "") -> list[Values]:
        """The holdings of a record of MARC; what it says without saying where is a fault."""
        self.faults.extend(nameless(number, *one) for one in marc.nameless(record))
        return marc_fields.holdings(record, identifier, self.headings)

    def catalogue(self, kind: str, encoding: str, notes: list[Words]) -> Catalogue:
        """All of it; refused if there is nothing."""
        if not self.holdings:
            refuse_empty(self.records, self.faults)
        return Catalogue(
            kind=kind,
            encoding=encoding,
            holdings=self.holdings,
            headings=self.headings,
            records=self.records,
            faults=self.faults,
            notes=notes,
        )


def _named(values: Values) -> Values:
    """Without a title nobody finds it, without a number nobody tells it from others."""
    for column, en in (("タイトル", "title"), ("資料ID", "number of its own")):
        if not values.get(column):
            said = "; ".join(values.values())[:80]
            raise RecordError(f"{column}がありません: {said}", f"it has no {en}: {said}", said)
    return values


def recognises(content: bytes) -> bool:
    """Whether a file of unknown origin is one of records: XML that is no web page, or MARC."""
    if documents.is_xml(content):
        return documents.PAGE.match(content.removeprefix(documents.MARK)) is None
    json_of_marc = content.lstrip()[:1] in {b"{", b"["} and b'"leader"' in content[:100_000]
    return json_of_marc or marc.is_binary(content.removeprefix(documents.MARK))


def read(content: bytes) -> Catalogue | None:
    """The catalogue inside a file; nothing where it is no file of records but perhaps a table."""
    if documents.is_xml(content):
        return _of_xml(documents.parse(content))
    content = content.removeprefix(documents.MARK)
    if marc.is_binary(content):
        return _of_binary(marc.chunks(content))
    if content.lstrip()[:1] in {b"{", b"["}:
        return _of_json(content)
    return None


def _of_xml(root: etree._Element) -> Catalogue:
    reading = _Reading()
    deleted = 0
    found = envelopes.entries(root)
    for entry in found:
        if entry.deleted:
            deleted += 1
            reading.records = entry.number
        else:
            reading.add(entry.number, partial(_of_entry, entry, reading))
    reading.faults.extend(envelopes.missing(root, len(found)))
    encoding = str(root.getroottree().docinfo.encoding or "UTF-8")
    return reading.catalogue("xml", encoding, _deleted(deleted))


def _of_entry(entry: Entry, reading: _Reading) -> list[Values]:
    if entry.error or entry.record is None:
        raise entry.error or RecordError("空です", "it is empty")
    own, body = entry.identifier, entry.record
    if marc.is_marc(body):
        rows = reading.of_marc(entry.number, marc.of_xml(body), own)
    else:
        rows = dublin_core.holdings(body, own, reading.headings)
    if not entry.updated:
        return rows
    reading.headings.setdefault("更新日時", "datestamp")
    return [row | {"更新日時": _instant(entry.updated)} for row in rows]


def _instant(datestamp: str) -> str:
    """OAI-PMH knows days as well as seconds, all of them in UTC."""
    return f"{datestamp}T00:00:00Z" if len(datestamp) == len("2026-11-22") else datestamp


def _of_binary(chunks: list[bytes]) -> Catalogue:
    reading = _Reading()
    names: dict[str, None] = {}

    def rows(number: int, chunk: bytes) -> list[Values]:
        record, encoding = marc.of_binary(chunk)
        names.setdefault(encoding)
        return reading.of_marc(number, record)

    for number, chunk in enumerate(chunks, 1):
        reading.add(number, partial(rows, number, chunk))
    return reading.catalogue("marc", f"MARC ({', '.join(names)})", [])


def _of_json(content: bytes) -> Catalogue:
    reading = _Reading()
    encoding, text = encodings.decode(content)
    name = encoding.removesuffix("-sig").upper()
    for number, told in enumerate(marc.of_json(text), 1):
        reading.add(number, partial(_of_object, number, told, reading))
    return reading.catalogue("json", f"MARC-in-JSON ({name})", [])


def _of_object(number: int, told: object, reading: _Reading) -> list[Values]:
    return reading.of_marc(number, marc.of_object(told))


def _deleted(count: int) -> list[Words]:
    if not count:
        return []
    return [
        Words(
            f"削除された書誌 {count:,} 件は表にありません。",
            f"{count:,} deleted records are not in the table.",
        )
    ]
