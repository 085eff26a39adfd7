"""Solr's local parameters, `{!parser key=value}text`, for the parsers that need no Solr."""

import re
from collections.abc import Mapping

import pysolr

from . import functions
from .functions import FunctionRange
from .lucene import parse, unescaped
from .query import Clauses, Query, Term, unsupported

_PREFIX = re.compile(
    r"""\s*\{!(?P<inside>(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^}"'])*)\}(?P<rest>.*)""",
    re.DOTALL,
)
_PAIR = re.compile(r"""([\w.]+)(?:=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s}]+))?""")


def parse_any(text: str, operator: str) -> Query:
    """Read a query that may begin with local parameters."""
    if not text.lstrip().startswith("{!"):
        return parse(text, operator)
    match = _PREFIX.fullmatch(text)
    if match is None:
        raise unsupported(f"local parameters in {text[:100]}")
    given = {"v": match["rest"]}
    for name, value in _PAIR.findall(match["inside"]):
        given.update({name: _plain(value)} if value else {"type": name})
    return _parsed(given.get("type", "lucene"), given, operator)


def _plain(value: str) -> str:
    if value.startswith("$"):
        raise unsupported(f"parameter reference {value}")
    return unescaped(value[1:-1]) if value[0] in "\"'" else value


def _parsed(parser: str, given: Mapping[str, str], operator: str) -> Query:
    match parser:
        case "lucene":
            operator = given.get("q.op", operator).upper()
            return parse(given["v"], operator, field=given.get("df", ""))
        case "bool":
            must = tuple(parse_any(given[n], operator) for n in ("must", "filter") if n in given)
            should = tuple(parse_any(given[n], operator) for n in ("should",) if n in given)
            must_not = tuple(parse_any(given[n], operator) for n in ("must_not",) if n in given)
            return Clauses(must, should, must_not, 1 if should and not must else 0)
        case "field" | "term" if "f" in given:
            _check_names(given, "f")
            return Term(given["f"], given["v"])
        case "frange":
            _check_names(given, "l", "u", "incl", "incu")
            return FunctionRange(
                functions.parse(given["v"]),
                _number(given.get("l")),
                _number(given.get("u")),
                include_low=given.get("incl") != "false",
                include_high=given.get("incu") != "false",
            )
        case _:
            raise unsupported(f"query parser {parser}")


def _check_names(given: Mapping[str, str], *known: str) -> None:
    # How long Solr keeps an answer and in which order it works change nothing in the answer.
    for name in set(given).difference(known, ("type", "v", "cache", "cost")):
        raise unsupported(f"local parameter {name} of the query parser {given['type']}")


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise pysolr.SolrError(f"Invalid Number: {text[:100]}") from error
