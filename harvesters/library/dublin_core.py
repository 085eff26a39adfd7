"""Where DC-NDL, Dublin Core, JPCOAR and junii2 say what stands in the columns of the holdings."""

from collections.abc import Mapping

from lxml import etree

from harvesters.library.catalogue import RecordError
from harvesters.library.documents import children, local
from harvesters.library.leaves import KANA, READING, Leaves, Rule, leaves, value_of

IDENTIFIERS = ("dcterms:identifier", "dc:identifier", "jpcoar:identifier", "identifier")
SOURCES = (*IDENTIFIERS, "jpcoar:sourceIdentifier", "jpcoar:relation/jpcoar:relatedIdentifier")
NDC = frozenset({"NDC", "NDC8", "NDC9", "NDC10", "NDC6", "NDC7", "NDC(10)", "NDC(9)", "NDC(8)"})
SCHEMES = NDC | {"NDLC", "NDLSH", "DDC", "LCC", "UDC", "MeSH", "BSH", "LCSH", "NIISubject"}
NOT_NDC = SCHEMES - {"NDLSH", "MeSH", "BSH", "LCSH"}


def _typed(*kinds: str, paths: tuple[str, ...] = SOURCES) -> tuple[Rule, ...]:
    return tuple(Rule(path=path, kinds=frozenset(kinds)) for path in paths)


def _written(pattern: str) -> tuple[Rule, ...]:
    """Plain Dublin Core has no types; the text itself says what it is."""
    return tuple(Rule(path=path, pattern=pattern) for path in ("dc:identifier", "dc:source"))


def _plain(*paths: str) -> tuple[Rule, ...]:
    return tuple(Rule(path=path, without=READING) for path in paths)


RULES: dict[str, tuple[Rule, ...]] = {
    "書誌ID": _typed("NDLBibID"),
    "タイトル": tuple(
        Rule(path=path, without=READING, first=True)
        for path in ("dcterms:title", "dc:title/rdf:Description/rdf:value", "dc:title", "title")
    ),
    "タイトルヨミ": (
        Rule(path="dc:title/rdf:Description/dcndl:transcription", first=True),
        Rule(path="dcndl:titleTranscription", first=True),
        Rule(path="dc:title", kinds=KANA, first=True),
        Rule(path="dcterms:title", kinds=KANA, first=True),
    ),
    "巻次": _plain(
        "dcndl:volume/rdf:Description/rdf:value", "dcndl:volume", "dcndl:volumeTitle",
        "jpcoar:volume", "volume",
    ),
    "著者": _plain(
        "dcterms:creator/foaf:Agent/foaf:name", "jpcoar:creator/jpcoar:creatorName",
        "dc:creator/rdf:Description/rdf:value", "dc:creator", "dcterms:creator", "creator",
        "dc:contributor",
    ),
    "著者ヨミ": (
        Rule(path="dcterms:creator/foaf:Agent/dcndl:transcription"),
        Rule(path="dcndl:creatorTranscription"),
        Rule(path="jpcoar:creator/jpcoar:creatorName", kinds=KANA),
        Rule(path="dc:creator/rdf:Description/dcndl:transcription"),
        Rule(path="dc:creator", kinds=KANA),
    ),
    "版": _plain("dcndl:edition", "edition"),
    "出版者": _plain(
        "dcterms:publisher/foaf:Agent/foaf:name", "jpcoar:publisher/jpcoar:publisherName",
        "dc:publisher", "dcterms:publisher", "publisher",
    ),
    "出版地": _plain(
        "dcterms:publisher/foaf:Agent/dcndl:location", "jpcoar:publisher/dcndl:location",
        "dcndl:publicationPlace",
    ),
    "出版日": (
        *_plain("dcterms:issued", "dc:issued"),
        Rule(path="datacite:date", kinds=frozenset({"Issued"})),
        *_plain("dcterms:date", "dc:date", "dateofissued", "date"),
    ),
    "形態": _plain("dcterms:extent", "dc:extent", "dc:format"),
    "シリーズ": _plain("dcndl:seriesTitle/rdf:Description/rdf:value", "dcndl:seriesTitle"),
    "ISBN": (
        *_typed("ISBN", "ISBN13", "ISBN10"),
        *_plain("isbn", "ISBN"),
        *_written(r"(?i)^(?:urn:)?isbn[:\s-]*([0-9０-９].*)"),
    ),
    "ISSN": (
        *_typed("ISSN", "PISSN", "EISSN", "ISSNL"),
        *_plain("issn", "ISSN"),
        *_written(r"(?i)^(?:urn:)?issn[:\s-]*([0-9０-９].*)"),
    ),
    "NCID": (*_typed("NCID"), *_plain("NCID"), *_written(r"(?i)^(?:info:)?ncid[:/\s]*(\w+)$")),
    "全国書誌番号": _typed("JPNO"),
    "分類": (
        Rule(path="dc:subject", kinds=NDC),
        Rule(path="dcterms:subject", pattern=r"/class/ndc\d*/(.+)$"),
        Rule(path="jpcoar:subject", kinds=NDC),
        *_plain("NDC"),
    ),
    "件名": (
        Rule(path="dcterms:subject/rdf:Description/rdf:value"),
        *(
            Rule(path=path, without=READING | NOT_NDC)
            for path in ("dc:subject", "jpcoar:subject", "subject")
        ),
    ),
    "言語": _plain("dcterms:language", "dc:language", "language"),
    "資料種別": _plain("dcndl:materialType", "dc:type", "NIItype", "type", "category"),
    "所蔵館": _plain("jpcoar:holdingAgent/jpcoar:holdingAgentName", "dcndl:holdingAgent"),
    "請求記号": _plain("dcndl:callNumber"),
    "URL": (
        Rule(path="jpcoar:identifier", kinds=frozenset({"URI", "DOI", "HDL"}), first=True),
        *(
            Rule(path=path, pattern=r"^https?://\S+$", first=True)
            for path in ("dc:identifier", "dcterms:identifier", "URI", "link")
        ),
    ),
}  # fmt: skip
ITEM_RULES: dict[str, tuple[Rule, ...]] = {
    "所蔵館": (Rule(path="dcndl:holdingAgent/foaf:Agent/foaf:name"),),
    "請求記号": (Rule(path="dcndl:callNumber"), Rule(path="dcndl:localCallNumber")),
    "所蔵場所": (
        Rule(path="dcndl:location"),
        Rule(path="dcterms:description", pattern=r"^配置場所\s*[:：]\s*(.+)"),
    ),
    "利用状況": (Rule(path="dcndl:availability"),),
}
BY_ITSELF = (
    Rule(path="link", first=True),
    Rule(path="jpcoar:identifier", first=True),
    Rule(path="dc:identifier", pattern=r"^https?://\S+$", first=True),
    Rule(path="dc:identifier", first=True),
    Rule(path="dcterms:identifier", first=True),
)
"""What tells a record from all others where nothing around it does."""
ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
Values = dict[str, str]


def holdings(element: etree._Element, identifier: str, headings: dict[str, str]) -> list[Values]:
    """The holdings that one record tells of; headings learns where the values stand."""
    bodies = [one for one in element if isinstance(one.tag, str)]
    if local(element) == "RDF":
        return _of_rdf(bodies, identifier, headings)
    return [_of_texts(leaves(element), identifier, headings, local(element))]


def _of_rdf(
    bodies: list[etree._Element], identifier: str, headings: dict[str, str]
) -> list[Values]:
    """DC-NDL in RDF: the title in one resource or two, and an Item for each library that has it."""
    resources = [one for one in bodies if local(one) == "BibResource"]
    found = leaves(*(resources or bodies))
    about = [str(one.get(ABOUT, "")).partition("#")[0] for one in bodies]
    own = next(filter(None, about), "")
    title = _of_texts(found, identifier or own, headings, "RDF")
    items = [one for one in bodies if local(one) == "Item"]
    return [
        title | _filled(leaves(item), ITEM_RULES, headings) | _item_identity(item, title, place)
        for place, item in enumerate(items)
    ] or [title]


def _item_identity(item: etree._Element, title: Values, place: int) -> Values:
    """The library's own address of the item; without one, the title's and a number."""
    own = str(item.get(ABOUT, "")).removesuffix("#item")
    if own and own != title["資料ID"]:
        return {"資料ID": own}
    return {"資料ID": f"{title['資料ID']}#{place + 1}"} if place else {}


def _of_texts(found: Leaves, identifier: str, headings: dict[str, str], root: str) -> Values:
    values = _filled(found, RULES, headings)
    if not values:
        names = ", ".join(found) or root
        raise RecordError(
            f"DC-NDL、Dublin Core、JPCOAR、junii2、MARC のどの項目もありません: {names[:80]}",
            f"it has no element of DC-NDL, Dublin Core, JPCOAR, junii2 or MARC: {names[:80]}",
            root,
        )
    own = identifier or value_of(found, BY_ITSELF)[0]
    address = {"URL": own} if own.startswith("http") else {}
    return address | values | ({"資料ID": own} if own else {})


def _filled(
    found: Leaves, rules: Mapping[str, tuple[Rule, ...]], headings: dict[str, str]
) -> Values:
    values = {}
    for column, candidates in rules.items():
        value, path = value_of(found, candidates)
        if value:
            values[column] = value
            headings.setdefault(column, path)
    return values


def records_of(root: etree._Element) -> list[etree._Element]:
    """A file of RDF cut where a new title begins, each part a record of its own."""
    starts = children(root, "BibAdminResource")
    if len(starts) < 2:
        return [root]
    parts: list[etree._Element] = []
    for one in list(root):
        if one in starts:
            parts.append(etree.Element(root.tag))
        if parts:
            parts[-1].append(one)
    return parts
