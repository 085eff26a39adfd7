"""Solr's local parameters, `{!parser key=value}text`, for the parsers that need no Solr."""

import re
from collections.abc import Mapping

from .query import Clauses, Query, Term, parse, unescaped, unsupported

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
            return Term(given["f"], given["v"])
        case _:
            raise unsupported(f"query parser {parser}")
