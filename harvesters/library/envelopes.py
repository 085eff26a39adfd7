"""What stands around the records: OAI-PMH, SRU, OpenSearch, a collection, or nothing at all."""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from harvesters.errors import NotTheListError
from harvesters.library import documents, dublin_core
from harvesters.library.catalogue import Fault, RecordError, incomplete
from harvesters.library.documents import child, children, local, text

VERBS = ("ListRecords", "GetRecord")
OTHER_VERBS = ("ListIdentifiers", "Identify", "ListSets", "ListMetadataFormats")
ALONE = ("RDF", "dc", "jpcoar", "junii2", "meta", "record", "srw_dc")
"""Root elements of a record that comes without anything around it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One record as it stands in its envelope."""

    number: int
    record: etree._Element | None = None
    """Nothing where it is deleted or cannot be read."""
    identifier: str = ""
    updated: str = ""
    deleted: bool = False
    error: RecordError | None = None


def entries(root: etree._Element) -> list[Entry]:
    """Every record of a document, whichever envelope it came in."""
    name = local(root)
    readers = {
        "OAI-PMH": _of_oai,
        "searchRetrieveResponse": _of_sru,
        "rss": _of_feed,
        "collection": _of_collection,
    }
    if name in readers:
        return list(readers[name](root))
    if name not in ALONE:
        _refuse_other(root)
    parts = dublin_core.records_of(root) if name == "RDF" else [root]
    return [Entry(number=number, record=part) for number, part in enumerate(parts, 1)]


def missing(root: etree._Element, came: int) -> list[Fault]:
    """What the envelope says of records that are not in it; OAI-PMH may announce an estimate."""
    token = next((one for one in root.iter("{*}resumptionToken")), None)
    if token is not None:
        total = str(token.get("completeListSize", ""))
        estimated = str(int(int(total) * 0.9)) if total.isdigit() else ""
        return [incomplete(came, total)] if text(token) or _more(estimated, came) else []
    for name in ("numberOfRecords", "totalResults"):
        total = text(next(root.iter("{*}" + name), None))
        if total:
            return [incomplete(came, total)] if _more(total, came) else []
    return []


def _more(total: str, came: int) -> bool:
    return total.isdigit() and int(total) > came


def _of_oai(root: etree._Element) -> Iterator[Entry]:
    refuse_oai_error(root)
    answer = next((one for one in root if local(one) in VERBS), None)
    if answer is None:
        _refuse_verb(root)
        return
    for number, record in enumerate(children(answer, "record"), 1):
        yield _oai_entry(number, record)


def _oai_entry(number: int, record: etree._Element) -> Entry:
    header, metadata = child(record, "header"), child(record, "metadata")
    identifier = text(child(header, "identifier")) if header is not None else ""
    updated = text(child(header, "datestamp")) if header is not None else ""
    deleted = header is not None and header.get("status") == "deleted"
    body = next(iter(metadata), None) if metadata is not None else None
    error = None
    if body is None and not deleted:
        error = RecordError("metadata がありません", "it has no metadata", identifier)
    return Entry(
        number=number,
        record=None if deleted else body,
        identifier=identifier,
        updated=updated,
        deleted=deleted,
        error=error,
    )


def refuse_oai_error(root: etree._Element) -> None:
    """An OAI-PMH answer that says what went wrong in place of records."""
    for error in children(root, "error"):
        code, said = str(error.get("code", "")), text(error)
        raise NotTheListError(
            f"OAI-PMH のサーバーがエラーを返しました: {code} {said}".rstrip()
            + "。アドレスの metadataPrefix、set、期間を確かめてください。",
            f"the OAI-PMH server answers with an error: {code} {said}".rstrip()
            + "; check metadataPrefix, set and dates in the address",
        )


def _refuse_verb(root: etree._Element) -> None:
    verb = next((local(one) for one in root if local(one) in OTHER_VERBS), "?")
    raise NotTheListError(
        f"OAI-PMH の {verb} の応答で、書誌がありません。verb=ListRecords の応答を渡してください。",
        f"this is an OAI-PMH answer to {verb}, without records; hand over one to verb=ListRecords",
    )


def _of_sru(root: etree._Element) -> Iterator[Entry]:
    refuse_diagnostics(root)
    records = child(root, "records")
    for number, record in enumerate(children(records, "record") if records is not None else [], 1):
        yield _sru_entry(number, record)


def _sru_entry(number: int, record: etree._Element) -> Entry:
    data = child(record, "recordData")
    packed = text(child(record, "recordPacking")) == "string"
    identifier = text(child(record, "recordIdentifier"))
    try:
        body = _unpacked(data, packed)
        _refuse_diagnostic(body)
    except RecordError as error:
        return Entry(number=number, identifier=identifier, error=error)
    return Entry(number=number, record=body, identifier=identifier)


def _unpacked(data: etree._Element | None, packed: bool) -> etree._Element:
    """A packed record is XML written as text; some servers say xml and send text nevertheless."""
    if data is None:
        raise RecordError("recordData がありません", "it has no recordData")
    if len(data) and not packed:
        return data[0]
    try:
        return documents.parse("".join(map(str, data.itertext())).encode())
    except NotTheListError as error:
        raise RecordError(error.words.ja, error.words.en) from error


def _refuse_diagnostic(body: etree._Element) -> None:
    if local(body) == "diagnostic":
        raise RecordError(
            f"サーバーのエラー: {text(body)}", f"an error of the server: {text(body)}"
        )


def refuse_diagnostics(root: etree._Element) -> None:
    """An SRU answer that says what went wrong in place of records."""
    told = child(root, "diagnostics")
    if told is not None:
        raise NotTheListError(
            f"SRU のサーバーがエラーを返しました: {text(told)}。アドレスの query と recordSchema を"
            "確かめてください。",
            f"the SRU server answers with an error: {text(told)}; "
            "check query and recordSchema in the address",
        )


def _of_feed(root: etree._Element) -> Iterator[Entry]:
    for number, item in enumerate(root.iter("item"), 1):
        yield Entry(number=number, record=item)


def _of_collection(root: etree._Element) -> Iterator[Entry]:
    for number, record in enumerate(children(root, "record"), 1):
        yield Entry(number=number, record=record)


def _refuse_other(root: etree._Element) -> None:
    raise NotTheListError(
        f"XML ですが書誌ではありません（ルート要素 {local(root)}）。読めるもの: OAI-PMH、SRU、"
        "OpenSearch、DC-NDL（RDF）、MARCXML、JPCOAR。",
        f"this XML is no catalogue (root element {local(root)}); readable are OAI-PMH, SRU, "
        "OpenSearch, DC-NDL (RDF), MARCXML and JPCOAR",
    )
