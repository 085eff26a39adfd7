"""The catalogue of the invented library by OAI-PMH, in DC-NDL and in Dublin Core, page by page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs
from xml.sax.saxutils import escape, quoteattr

from demo_city.library import EARLIEST, REPOSITORY, SETS, Book, books

PATH = "/library/oai"
PAGE = 500
FORMATS = {
    "dcndl_simple": "http://ndl.go.jp/dcndl/dcndl_simple/",
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
}
FAULTS = ("token-expired", "token-loop")


def identify(now: datetime) -> bytes:
    """What the repository says of itself."""
    return answer("verb=Identify", now)


def answer(query: str, now: datetime, fault: str = "") -> bytes:
    """What the repository answers to a request of OAI-PMH."""
    asked = {name: values[-1] for name, values in parse_qs(query).items() if name != "fault"}
    verb = asked.pop("verb", "")
    verbs = {
        "Identify": _identify,
        "ListMetadataFormats": _formats,
        "ListSets": _sets,
        "ListRecords": _records,
        "ListIdentifiers": _records,
        "GetRecord": _record,
    }
    if verb not in verbs:
        return _wrapped("", _error("badVerb", "illegal OAI-PMH verb"), now)
    if "resumptionToken" in asked and fault == "token-expired":
        return _wrapped(verb, _error("badResumptionToken", "the token has expired"), now)
    said = verbs[verb](asked | {"verb": verb})
    if fault == "token-loop" and "resumptionToken" in asked:
        said = said.replace(_token_in(said), asked["resumptionToken"])
    return _wrapped(verb, said, now)


def _token_in(said: str) -> str:
    return said.rpartition("</resumptionToken>")[0].rpartition(">")[2] or "\0"


def _identify(asked: dict[str, str]) -> str:  # noqa: ARG001  every verb is asked alike
    return _within("Identify", [
        "<repositoryName>会津若松市 図書館（架空のデータ）</repositoryName>",
        f"<baseURL>http://{REPOSITORY}{PATH}</baseURL>", "<protocolVersion>2.0</protocolVersion>",
        "<adminEmail>toshokan@aizuwakamatsu.example.jp</adminEmail>",
        f"<earliestDatestamp>{EARLIEST}</earliestDatestamp>",
        "<deletedRecord>persistent</deletedRecord>", "<granularity>YYYY-MM-DD</granularity>",
    ])  # fmt: skip


def _formats(asked: dict[str, str]) -> str:  # noqa: ARG001  as above
    return _within("ListMetadataFormats", [
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>{space}</schema>"
        f"<metadataNamespace>{space}</metadataNamespace></metadataFormat>"
        for prefix, space in FORMATS.items()
    ])  # fmt: skip


def _sets(asked: dict[str, str]) -> str:  # noqa: ARG001  as above
    return _within("ListSets", [
        f"<set><setSpec>{spec}</setSpec><setName>{name}</setName></set>"
        for spec, name in SETS.items()
    ])  # fmt: skip


def _record(asked: dict[str, str]) -> str:
    if asked.get("metadataPrefix") not in FORMATS:
        return _error("cannotDisseminateFormat", "unknown metadataPrefix")
    found = [book for book in books() if book.identifier == asked.get("identifier")]
    if not found:
        return _error("idDoesNotExist", "no such record")
    return _within("GetRecord", [_whole(found[0], asked["metadataPrefix"])])


def _records(asked: dict[str, str]) -> str:
    """One page; the token says all that is needed for the next one."""
    words, start = _resumed(asked)
    if start < 0:
        return _error("badResumptionToken", "no such token")
    if (prefix := words.get("metadataPrefix", "")) not in FORMATS:
        return _error("cannotDisseminateFormat", "unknown metadataPrefix")
    chosen = [book for book in books() if _wanted(book, words)]
    page = chosen[start : start + PAGE]
    if not page:
        code = "badResumptionToken" if start else "noRecordsMatch"
        return _error(code, "there are no records")
    verb = asked["verb"]
    lines = [_whole(book, prefix) if verb == "ListRecords" else _header(book) for book in page]
    return _within(verb, [*lines, *_token(words, start, len(chosen))])


def _resumed(asked: dict[str, str]) -> tuple[dict[str, str], int]:
    if "resumptionToken" not in asked:
        return asked, 0
    parts = asked["resumptionToken"].split("!")
    if len(parts) != 5 or not parts[4].isdigit():
        return {}, -1
    names = ("metadataPrefix", "set", "from", "until")
    return {name: part for name, part in zip(names, parts[:4], strict=True) if part}, int(parts[4])


def _token(words: dict[str, str], start: int, total: int) -> list[str]:
    """The last page of several has an empty token; a list of one page has none."""
    if total <= PAGE:
        return []
    names = ("metadataPrefix", "set", "from", "until")
    following = start + PAGE
    token = "!".join([*(words.get(name, "") for name in names), str(following)])
    said = escape(token) if following < total else ""
    attributes = f'completeListSize="{total}" cursor="{start}"'
    return [f"<resumptionToken {attributes}>{said}</resumptionToken>"]


def _wanted(book: Book, words: dict[str, str]) -> bool:
    day = book.changed.isoformat()
    since, until = words.get("from", "")[:10], words.get("until", "9999-12-31")[:10]
    return since <= day <= until and words.get("set", book.part) == book.part


def _whole(book: Book, prefix: str) -> str:
    if book.deleted:
        return f"<record>{_header(book)}</record>"
    body = _dcndl(book) if prefix == "dcndl_simple" else _dublin(book)
    return f"<record>{_header(book)}<metadata>{body}</metadata></record>"


def _header(book: Book) -> str:
    state = ' status="deleted"' if book.deleted else ""
    return (
        f"<header{state}><identifier>{book.identifier}</identifier>"
        f"<datestamp>{book.changed}</datestamp><setSpec>{book.part}</setSpec></header>"
    )


def _dcndl(book: Book) -> str:
    lines = [
        _isbn_element(book), f"<dc:title>{book.title[0]}</dc:title>",
        f"<dcndl:titleTranscription>{book.title[1]}</dcndl:titleTranscription>",
        *(f"<dcndl:volume>{book.volume}</dcndl:volume>" for _ in book.volume),
        *(f"<dc:creator>{written}</dc:creator>" for written, _ in book.creators),
        *(f"<dcndl:creatorTranscription>{read}</dcndl:creatorTranscription>"
          for _, read in book.creators),
        f"<dc:publisher>{book.publisher}</dc:publisher>",
        f'<dcterms:issued xsi:type="dcterms:W3CDTF">{book.year}</dcterms:issued>',
        f"<dcterms:extent>{book.pages}p ; 21cm</dcterms:extent>",
        f'<dc:subject xsi:type="dcndl:NDC9">{book.ndc}</dc:subject>',
        f'<dc:subject xsi:type="dcndl:NDLSH">{book.subject}</dc:subject>',
        '<dc:language xsi:type="dcterms:ISO639-2">jpn</dc:language>',
        f"<dcndl:callNumber>{book.ndc}/{book.creators[0][1][0]}</dcndl:callNumber>",
    ]  # fmt: skip
    spaces = {
        "dcndl_simple": FORMATS["dcndl_simple"],
        "dc": "http://purl.org/dc/elements/1.1/",
        "dcterms": "http://purl.org/dc/terms/",
        "dcndl": "http://ndl.go.jp/dcndl/terms/",
        "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    }
    return _element("dcndl_simple:dc", spaces, lines)


def _isbn_element(book: Book) -> str:
    return f'<dc:identifier xsi:type="dcndl:ISBN">{book.isbn}</dc:identifier>' if book.isbn else ""


def _dublin(book: Book) -> str:
    lines = [
        f"<dc:title>{book.title[0]}</dc:title>",
        *(f"<dc:creator>{written}</dc:creator>" for written, _ in book.creators),
        f"<dc:publisher>{book.publisher}</dc:publisher>", f"<dc:date>{book.year}</dc:date>",
        *([f"<dc:identifier>ISBN:{book.isbn}</dc:identifier>"] if book.isbn else []),
        f"<dc:subject>{book.subject}</dc:subject>", "<dc:language>jpn</dc:language>",
    ]  # fmt: skip
    spaces = {"oai_dc": FORMATS["oai_dc"], "dc": "http://purl.org/dc/elements/1.1/"}
    return _element("oai_dc:dc", spaces, lines)


def _element(name: str, spaces: dict[str, str], lines: Sequence[str]) -> str:
    declared = " ".join(f"xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in spaces.items())
    return f"<{name} {declared}>{''.join(lines)}</{name}>"


def _within(verb: str, lines: Sequence[str]) -> str:
    return f"<{verb}>\n" + "\n".join(lines) + f"\n</{verb}>"


def _error(code: str, said: str) -> str:
    return f'<error code="{code}">{said}</error>'


def _wrapped(verb: str, said: str, now: datetime) -> bytes:
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = f' verb="{verb}"' if verb else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">\n'
        f"<responseDate>{stamp}</responseDate>\n<request{asked}>http://{REPOSITORY}{PATH}</request>\n"
        f"{said}\n</OAI-PMH>\n"
    ).encode()
