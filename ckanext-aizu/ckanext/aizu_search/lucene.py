"""Queries in Lucene's syntax become the tree of `query.py`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, singledispatchmethod

import pysolr
from luqum import tree
from luqum.exceptions import ParseError
from luqum.thread import parse as parse_lucene

from .characters import KANA, KANJI
from .query import (
    DEFAULT_FIELDS,
    Boost,
    Clauses,
    Everything,
    Pattern,
    Query,
    Range,
    Term,
    Wild,
    unsupported,
)

_MOST_CLAUSES = 1024
_MOST_WORDS = 100
# Room for a filter by a thousand ids.
_LONGEST = 60_000
# Signs that part words for a reader of Japanese; a slash would begin a regular expression.
_SEPARATORS = re.compile(r'(?P<quoted>"[^"]*")|[、，／＆/]')
# 除雪車はどこ? is a question and no wildcard.
_QUESTION = re.compile(rf"(?<=[{KANJI}{KANA}])\?+(?=\s|$)")
# What to leave alone, then Solr's spellings that luqum does not know or reads as something else.
_SPELLINGS = re.compile(
    r"""(?P<kept>\\.|"(?:[^"\\]|\\.)*")|(?P<operator>&&|\|\||(?<![^\s(:])!)|['<>]""", re.DOTALL
)
_OPERATORS = {"&&": " AND ", "||": " OR ", "!": " NOT "}
_WILDCARDS = re.compile(r"\\(?P<escaped>.)|(?P<wild>[*?])|(?P<plain>[^\\*?]+)", re.DOTALL)
_WORDS = re.compile(r'([+-]?)(?:"([^"]+)"|([^\s"]+))')


class QuerySyntaxError(pysolr.SolrError):  # type: ignore[misc]  # pysolr has no types
    """The text is not a query in Lucene's syntax."""


@lru_cache(maxsize=256)
def parse(text: str, operator: str = "OR", minimum: str = "", field: str = DEFAULT_FIELDS) -> Query:
    """Read Lucene's syntax.

    `operator` joins what stands side by side; `minimum` is Solr's `mm`: how many of the words
    that stand side by side a dataset must have.
    """
    # An error is not kept in the cache, so that nobody can fill it with long texts.
    if len(text) > _LONGEST:
        raise pysolr.SolrError(f"The query is too long: {len(text)} characters, at most {_LONGEST}")
    if not text.strip():
        return Everything()
    try:
        node = parse_lucene(_SPELLINGS.sub(_respelled, text))
        query: Query = _Reader(operator).read(node, field)
    except (ParseError, ValueError, ArithmeticError) as error:
        raise QuerySyntaxError(f"Cannot parse '{text[:200]}': {error}") from error
    except RecursionError as error:
        raise pysolr.SolrError("The query is nested too deeply") from error
    return _with_minimum(query, minimum) if minimum and len(_flat(node)) > 1 else query


@lru_cache(maxsize=256)
def parse_words(text: str, minimum: str) -> Query:
    """Read what a person typed: Lucene's syntax if it is that, otherwise just its words."""
    if (count := len(text.split())) > _MOST_WORDS:
        raise pysolr.SolrError(f"Too many words in the query: {count}, at most {_MOST_WORDS}")
    # With a field it is a query, and its slash may be that of NOW/DAY.
    if ":" not in text:
        text = _QUESTION.sub("", _SEPARATORS.sub(lambda found: found["quoted"] or " ", text))
    try:
        return parse(text, minimum=minimum)
    except QuerySyntaxError:
        return _with_minimum(_words_only(text), minimum)


def _words_only(text: str) -> Clauses:
    found: dict[str, list[Query]] = {"+": [], "-": [], "": []}
    for sign, phrase, word in _WORDS.findall(text):
        found[sign].append(Term(DEFAULT_FIELDS, phrase or word, is_quoted=bool(phrase)))
    return _clauses(found["+"], found[""], found["-"])


def _clauses(must: list[Query], should: list[Query], must_not: list[Query]) -> Clauses:
    minimum = 1 if should and not must else 0
    return Clauses(tuple(must), tuple(should), tuple(must_not), minimum)


def _with_minimum(query: Query, minimum: str) -> Query:
    if not isinstance(query, Clauses) or not query.should:
        return query
    return replace(query, minimum=minimum_match(minimum, len(query.should)))


def minimum_match(rules: str, count: int) -> int:
    """Solr's `mm`: '2', '-1', '75%', '-25%' or conditions such as '2<-1 5<80%'."""
    if not re.fullmatch(r"\s*(-?\d+%?|(\d+<-?\d+%?\s*)+)\s*", rules):
        raise pysolr.SolrError(f"Not a minimum match (mm): {rules[:100]}")
    required = str(count) if "<" in rules else rules.strip()
    for limit, rule in re.findall(r"(\d+)<(-?\d+%?)", rules):
        if count > int(limit):
            required = rule
    number = int(required.rstrip("%"))
    if required.endswith("%"):
        number = int(count * number / 100)
    return max(0, min(count, count + number if required.startswith("-") else number))


def _flat(node: tree.Item) -> list[tree.Item]:
    """What stands side by side.

    OR and AND bind more, but not so in luqum before a sign: `a OR b +c` is there a OR (b +c).
    """
    if isinstance(node, tree.UnknownOperation):
        return [one for operand in node.operands for one in _flat(operand)]
    if isinstance(node, tree.OrOperation | tree.AndOperation):
        first, *others = _flat(node.operands[-1])
        return [type(node)(*node.operands[:-1], first), *others] if others else [node]
    return [node]


def _respelled(match: re.Match[str]) -> str:
    found = match.group()
    if match.lastgroup == "kept":
        return found
    return _OPERATORS[found] if match.lastgroup == "operator" else "\\" + found


def unescaped(text: str) -> str:
    """The characters meant, without the backslashes before them."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _pieces(text: str) -> tuple[str | Wild, ...]:
    pieces: list[str | Wild] = []
    for match in _WILDCARDS.finditer(text):
        if match["wild"]:
            pieces.append(Wild(match["wild"]))
            continue
        literal: str = match["escaped"] or match["plain"]
        if pieces and isinstance(before := pieces[-1], str):
            pieces[-1] = before + literal
        else:
            pieces.append(literal)
    return tuple(pieces)


def _bound(node: tree.Item) -> str | None:
    if isinstance(node, tree.Prohibit):
        return "-" + unescaped(node.a.value)
    if isinstance(node, tree.Phrase):
        return unescaped(node.value[1:-1])
    return None if node.value == "*" else unescaped(node.value)


class _Reader:
    """Turns luqum's tree into ours; `operator` joins clauses that stand side by side."""

    def __init__(self, operator: str) -> None:
        self._operator = operator
        self._count = 0

    @singledispatchmethod
    def read(self, node: tree.Item, _field: str) -> Query:
        raise unsupported(f"{type(node).__name__.lower()} {node}"[:200])

    @read.register
    def _(self, node: tree.Word, field: str) -> Query:
        pieces = _pieces(node.value)
        if any(isinstance(piece, Wild) for piece in pieces):
            return Pattern(field, pieces)
        return Term(field, unescaped(node.value))

    @read.register
    def _(self, node: tree.Phrase, field: str) -> Query:
        return Term(field, unescaped(node.value[1:-1]), is_quoted=True)

    @read.register
    def _(self, node: tree.Range, field: str) -> Query:
        low, high = _bound(node.low), _bound(node.high)
        return Range(field, low, high, node.include_low, node.include_high)

    @read.register
    def _(self, node: tree.SearchField, _outer: str) -> Query:
        field = unescaped(node.name)
        if field == "*" and isinstance(node.expr, tree.Word) and node.expr.value == "*":
            return Everything()
        if field in ("*", "_query_", "_val_"):
            raise unsupported(f"field {field}")
        return self._read(node.expr, field)

    @read.register
    def _(self, node: tree.BaseGroup, field: str) -> Query:
        return self._read(node.expr, field)

    @read.register
    def _(self, node: tree.Boost, field: str) -> Query:
        return Boost(self._read(node.expr, field), float(node.force))

    @read.register
    def _(self, node: tree.Plus, field: str) -> Query:
        return self._signed(node, field)

    @read.register(tree.Prohibit)
    @read.register(tree.Not)
    def _(self, node: tree.Item, field: str) -> Query:
        return Clauses(must_not=(self._signed(node, field),))

    @read.register
    def _(self, node: tree.UnknownOperation, field: str) -> Query:
        return self._join(_flat(node), field, self._operator)

    @read.register
    def _(self, node: tree.AndOperation, field: str) -> Query:
        if len(flat := _flat(node)) > 1:
            return self._join(flat, field, self._operator)
        return self._join(node.operands, field, "AND")

    @read.register
    def _(self, node: tree.OrOperation, field: str) -> Query:
        if len(flat := _flat(node)) > 1:
            return self._join(flat, field, self._operator)
        # Lucene lets `+a OR b` require a; `a OR -b` it reads as `a -b`, here it means what it says.
        must = [self._read(one, field) for one in node.operands if isinstance(one, tree.Plus)]
        should = [self._read(one, field) for one in node.operands if not isinstance(one, tree.Plus)]
        return _clauses(must, should, [])

    def _join(self, nodes: Sequence[tree.Item], field: str, operator: str) -> Query:
        must: list[Query] = []
        should: list[Query] = []
        must_not: list[Query] = []
        for node in nodes:
            if isinstance(node, tree.Prohibit | tree.Not):
                must_not.append(self._signed(node, field))
            elif isinstance(node, tree.Plus) or operator == "AND":
                must.append(self._read(node, field))
            else:
                should.append(self._read(node, field))
        return _clauses(must, should, must_not)

    def _signed(self, node: tree.Item, field: str) -> Query:
        if isinstance(node.a, tree.Unary):
            raise pysolr.SolrError(f"Cannot parse '{str(node)[:200]}': two signs in a row")
        return self._read(node.a, field)

    def _read(self, node: tree.Item, field: str) -> Query:
        self._count += 1
        if self._count > _MOST_CLAUSES:
            raise pysolr.SolrError(f"Too many clauses in the query: more than {_MOST_CLAUSES}")
        query: Query = self.read(node, field)
        return query
