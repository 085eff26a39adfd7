"""A record of XML as its texts, each with its path, and the rules that lead them to columns."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from lxml import etree

from harvesters.library.catalogue import joined, plain

PREFIXES = {
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/terms": "dcterms",
    "ndl.go.jp/dcndl/terms": "dcndl",
    "xmlns.com/foaf/0.1": "foaf",
    "www.w3.org/1999/02/22-rdf-syntax-ns": "rdf",
    "www.w3.org/2000/01/rdf-schema": "rdfs",
    "schema.datacite.org/meta/kernel-4": "datacite",
    "schema.datacite.org/oaire": "datacite",
    "namespace.openaire.eu/schema/oaire": "oaire",
    "info:srw/schema/1/dc-schema": "dc",
}
"""Namespaces as their owners have written them over the years, without scheme, # and / at the ends."""
JPCOAR = re.compile(r"github\.com/JPCOAR/schema|irdb\.nii\.ac\.jp/.*jpcoar", re.IGNORECASE)
READING = frozenset({"ja-Kana", "ja-Hrkt", "ja-Hira", "ja-Latn"})
"""Languages that say how a Japanese text is read."""
KANA = READING - {"ja-Latn"}
RANKS = {"ja": 0, "jpn": 0, "en": 2, "eng": 2}
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text with the names that lead to it from the record, and what its attributes say of it."""

    path: str
    text: str
    kinds: frozenset[str]
    group: int
    """Which child of the record it stands in."""
    rank: int
    """Of its language: Japanese first, then none, then others."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which texts of a record belong into a column."""

    path: str
    kinds: frozenset[str] = frozenset()
    """One of these must stand in an attribute: the type of an identifier, a language."""
    without: frozenset[str] = frozenset()
    pattern: str = ""
    """What the text must look like; its group is the value."""
    first: bool = False
    """Only the text in the best language, not all of them."""


Leaves = dict[str, list[Leaf]]
"""The leaves of a record by their paths."""


def leaves(*elements: etree._Element) -> Leaves:
    """All texts below the elements; an element without text stands for what it refers to."""
    found: Leaves = {}
    for group, one in enumerate(one for element in elements for one in element):
        for leaf in _below(one, "", group):
            found.setdefault(leaf.path, []).append(leaf)
    return found


def value_of(found: Leaves, rules: Sequence[Rule]) -> tuple[str, str]:
    """The value of a column by the first rule that finds one, and the path where it stands."""
    for rule in rules:
        if rule.path in found and (value := _applied(found[rule.path], rule)):
            return value, rule.path
    return "", ""


def _applied(found: Sequence[Leaf], rule: Rule) -> str:
    matching = [leaf for leaf in found if _fits(leaf, rule)]
    best: dict[int, Leaf] = {}
    for leaf in matching:
        if leaf.group not in best or leaf.rank < best[leaf.group].rank:
            best[leaf.group] = leaf
    if rule.first and best:
        return _cut(min(best.values(), key=lambda leaf: leaf.rank), rule)
    return joined(_cut(leaf, rule) for leaf in matching if leaf.rank == best[leaf.group].rank)


def _fits(leaf: Leaf, rule: Rule) -> bool:
    if rule.kinds and not rule.kinds & leaf.kinds:
        return False
    if rule.without & leaf.kinds:
        return False
    return not rule.pattern or re.search(rule.pattern, leaf.text) is not None


def _cut(leaf: Leaf, rule: Rule) -> str:
    found = re.search(rule.pattern, leaf.text) if rule.pattern else None
    return found[1].strip() if found and found.re.groups else leaf.text


def _below(element: etree._Element, above: str, group: int) -> Iterator[Leaf]:
    if not isinstance(element.tag, str):
        return
    path = f"{above}/{_name(element.tag)}" if above else _name(element.tag)
    said = plain(element.text or "") or _reference(element)
    if said and (len(element) == 0 or element.text and element.text.strip()):
        yield _leaf(element, path, said, group)
    for one in element:
        yield from _below(one, path, group)


def _leaf(element: etree._Element, path: str, said: str, group: int) -> Leaf:
    language = str(element.get(LANGUAGE, ""))
    rank = RANKS.get(language, 3 if language else 1)
    kinds = frozenset(_tail(str(value)) for value in element.attrib.values())
    return Leaf(path, said, kinds, group, rank)


def _reference(element: etree._Element) -> str:
    """A label if there is one, else the address that the element points to."""
    told = {_name(str(key)): str(value) for key, value in element.attrib.items()}
    return plain(told.get("rdfs:label", "") or told.get("rdf:resource", ""))


def _tail(value: str) -> str:
    """ISBN of http://ndl.go.jp/dcndl/terms/ISBN, of dcndl:ISBN and of ISBN."""
    return re.split(r"[/:#]", value.strip())[-1]


@cache
def _name(tag: str) -> str:
    """dc:title; of an unknown namespace the local name alone."""
    uri, _, name = tag.rpartition("}")
    uri = re.sub(r"^\{(https?://)?|[/#]+$", "", uri)
    prefix = "jpcoar" if JPCOAR.match(uri) else PREFIXES.get(uri, "")
    return f"{prefix}:{name}" if prefix else name
