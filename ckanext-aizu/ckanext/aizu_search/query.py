"""Queries in Lucene's syntax, as text, become one small tree that knows nothing of the store."""

import re
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

import pysolr
from luqum import tree
from luqum.exceptions import ParseError
from luqum.thread import parse as parse_lucene

DEFAULT_FIELDS = ""
"""The field of a word that names none: the caller knows which fields that means."""

_MOST_CLAUSES = 1024
_SCAN = re.compile(r"""\\.|"(?:[^"\\]|\\.)*"|&&|\|\||(?<![^\s(:])!|['<>]""", re.DOTALL)
_OPERATORS = {"&&": " AND ", "||": " OR ", "!": " NOT "}
_WILDCARDS = re.compile(r"\\(.)|([*?])", re.DOTALL)
_PLAIN_CLAUSE = re.compile(r'([+-]?)(?:"([^"]*)"|([^\s"]+))')


class Wild(Enum):
    """The two wildcards."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Everything:
    """`*:*`."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a quoted phrase in a field."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A word with wildcards: literal pieces and `Wild` between them."""

    field: str
    pieces: tuple[str | Wild, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """`[low TO high]`; None is open."""

    field: str
    low: str | None
    high: str | None
    include_low: bool
    include_high: bool


@dataclass(frozen=True, slots=True)
class Boost:
    """A part of the query whose score counts `factor` times."""

    query: "Query"
    factor: float


@dataclass(frozen=True, slots=True)
class Clauses:
    """All of `must`, none of `must_not`, and at least `minimum` of `should`."""

    must: tuple["Query", ...] = ()
    should: tuple["Query", ...] = ()
    must_not: tuple["Query", ...] = ()
    minimum: int = 0


Query = Everything | Term | Pattern | Range | Boost | Clauses


class QuerySyntaxError(pysolr.SolrError):  # type: ignore[misc]
    """The text is not a query in Lucene's syntax."""


def _unsupported(construct: str) -> pysolr.SolrError:
    return pysolr.SolrError(f"Not supported by this search engine: {construct}")


def _plain_syntax(text: str) -> str:
    """Solr's spellings that luqum does not know, in those that it does."""

    def replaced(match: re.Match[str]) -> str:
        found = match.group()
        if found in _OPERATORS:
            return _OPERATORS[found]
        return "\\" + found if found in "'<>" else found

    return _SCAN.sub(replaced, text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _pieces(text: str) -> tuple[str | Wild, ...]:
    pieces: list[str | Wild] = []
    literal, at = "", 0
    for match in _WILDCARDS.finditer(text):
        literal += text[at : match.start()]
        at = match.end()
        if match.group(1) is not None:
            literal += match.group(1)
            continue
        if literal:
            pieces.append(literal)
            literal = ""
        pieces.append(Wild(match.group(2)))
    literal += text[at:]
    return (*pieces, literal) if literal else tuple(pieces)


def _bound(node: tree.Item) -> str | None:
    if isinstance(node, tree.Prohibit):
        return "-" + _unescaped(node.a.value)
    if isinstance(node, tree.Phrase):
        return _unescaped(node.value[1:-1])
    return None if node.value == "*" else _unescaped(node.value)


class _Reader:
    """Turns luqum's tree into ours; `operator` joins clauses that stand side by side."""

    def __init__(self, operator: str) -> None:
        self._operator = operator
        self._clauses = 0

    def read(self, node: tree.Item, field: str) -> Query:
        reader = getattr(self, f"_{type(node).__name__.lower()}", None)
        if reader is None:
            raise _unsupported(f"{type(node).__name__} ({node})")
        self._clauses += 1
        if self._clauses > _MOST_CLAUSES:
            raise pysolr.SolrError(f"Too many clauses in the query: more than {_MOST_CLAUSES}")
        query: Query = reader(node, field)
        return query

    def clauses(self, nodes: tuple[tree.Item, ...], field: str, operator: str) -> Clauses:
        must, should, must_not = [], [], []
        for node in nodes:
            if isinstance(node, tree.Plus):
                must.append(self.read(node.a, field))
            elif isinstance(node, tree.Prohibit | tree.Not):
                must_not.append(self.read(node.a, field))
            elif operator == "AND":
                must.append(self.read(node, field))
            else:
                should.append(self.read(node, field))
        minimum = 1 if should and not must else 0
        return Clauses(tuple(must), tuple(should), tuple(must_not), minimum)

    def _word(self, node: tree.Word, field: str) -> Query:
        pieces = _pieces(node.value)
        if any(isinstance(piece, Wild) for piece in pieces):
            return Pattern(field, pieces)
        return Term(field, _unescaped(node.value))

    def _phrase(self, node: tree.Phrase, field: str) -> Query:
        return Term(field, _unescaped(node.value[1:-1]))

    def _range(self, node: tree.Range, field: str) -> Query:
        low, high = _bound(node.low), _bound(node.high)
        return Range(field, low, high, node.include_low, node.include_high)

    def _searchfield(self, node: tree.SearchField, _outer: str) -> Query:
        field = _unescaped(node.name)
        if field == "*" and isinstance(node.expr, tree.Word) and node.expr.value == "*":
            return Everything()
        if field in ("*", "_query_", "_val_"):
            raise _unsupported(f"field {field}")
        return self.read(node.expr, field)

    def _group(self, node: tree.Group, field: str) -> Query:
        return self.read(node.expr, field)

    _fieldgroup = _group

    def _boost(self, node: tree.Boost, field: str) -> Query:
        return Boost(self.read(node.expr, field), float(node.force))

    def _plus(self, node: tree.Plus, field: str) -> Query:
        return self.read(node.a, field)

    def _prohibit(self, node: tree.Prohibit, field: str) -> Query:
        return Clauses(must_not=(self.read(node.a, field),))

    _not = _prohibit

    def _unknownoperation(self, node: tree.UnknownOperation, field: str) -> Query:
        return self.clauses(node.operands, field, self._operator)

    def _andoperation(self, node: tree.AndOperation, field: str) -> Query:
        return self.clauses(node.operands, field, "AND")

    def _oroperation(self, node: tree.OrOperation, field: str) -> Query:
        return Clauses(should=tuple(self.read(one, field) for one in node.operands), minimum=1)


@lru_cache(maxsize=1024)
def parse(text: str, operator: str = "OR", minimum: str = "") -> Query:
    """Read Lucene's syntax.

    `operator` joins what stands side by side; `minimum` is Solr's `mm`: how many of the words
    that stand side by side a dataset must have.
    """
    if text.lstrip().startswith("{!"):
        raise _unsupported("local parameters {!…}")
    if not text.strip():
        return Everything()
    try:
        node = parse_lucene(_plain_syntax(text))
        query = _Reader(operator).read(node, DEFAULT_FIELDS)
    except (ParseError, ValueError, ArithmeticError) as error:
        raise QuerySyntaxError(f"Cannot parse '{text[:200]}': {error}") from error
    except RecursionError as error:
        raise pysolr.SolrError("The query is nested too deeply") from error
    if minimum and isinstance(node, tree.UnknownOperation):
        return _with_minimum(query, minimum)
    return query


@lru_cache(maxsize=1024)
def parse_words(text: str, minimum: str) -> Query:
    """Read what a person typed: Lucene's syntax if it is that, otherwise just its words."""
    try:
        return parse(text, minimum=minimum)
    except QuerySyntaxError:
        return _with_minimum(_words_only(text), minimum)


def _with_minimum(query: Query, minimum: str) -> Query:
    if not isinstance(query, Clauses) or not query.should:
        return query
    return replace(query, minimum=minimum_match(minimum, len(query.should)))


def _words_only(text: str) -> Query:
    found: dict[str, list[Query]] = {"+": [], "-": [], "": []}
    for sign, phrase, word in _PLAIN_CLAUSE.findall(text)[:_MOST_CLAUSES]:
        found[sign].append(Term(DEFAULT_FIELDS, phrase or word))
    minimum = 1 if found[""] and not found["+"] else 0
    return Clauses(tuple(found["+"]), tuple(found[""]), tuple(found["-"]), minimum)


def minimum_match(rules: str, count: int) -> int:
    """Solr's `mm`: '2', '-1', '75%', '-25%' or conditions such as '2<-1 5<80%'."""
    if not re.fullmatch(r"\s*(-?\d+%?|(\d+<-?\d+%?\s*)+)\s*", rules):
        raise pysolr.SolrError(f"Not a minimum match (mm): {rules}")
    required = str(count) if "<" in rules else rules.strip()
    for limit, rule in re.findall(r"(\d+)<(-?\d+%?)", rules):
        if count > int(limit):
            required = rule
    number = int(required.rstrip("%"))
    if required.endswith("%"):
        number = int(count * number / 100)
    return max(0, min(count, count + number if required.startswith("-") else number))
