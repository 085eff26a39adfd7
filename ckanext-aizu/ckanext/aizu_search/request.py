"""The parameters of a search as Solr names them, read once, and the one statement that answers them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pysolr

from . import fields
from .fields import Kind
from .query import Clauses, Query, parse, parse_words
from .sql import Statement

_KNOWN = frozenset(
    """q fq fl rows start sort facet facet.field facet.limit facet.mincount qf mm tie defType df
    q.op wt extras""".split()
)
_DATA_DICTS = ("data_dict", "validated_data_dict")
_WORD_PARSERS = ("dismax", "edismax")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A search, read and checked."""

    query: Query
    filters: tuple[Query, ...]
    weights: Mapping[str, float]
    tie: float
    show: tuple[str, ...]
    rows: int
    start: int
    sort: tuple[tuple[str, str], ...]
    facets: tuple[str, ...]
    facet_limit: int
    facet_minimum: int

    def statement(self) -> tuple[str, dict[str, Any]]:
        """One statement for the number of hits, the page and the facets, with its parameters."""
        made = Statement(self.weights, self.tie)
        scored = any(field == "score" for field, _ in self.sort) or "score" in self.show
        columns = [f"{made.score(self.query) if scored else '0'} as score"]
        order = []
        for number, (field, direction) in enumerate(self.sort):
            columns.append(f"{_sort_value(made, field)} as sort{number}")
            key = "score" if field == "score" else f"sort{number}"
            order.append(f"{key} {direction} nulls last")
        columns += [f"{_facet_values(made, f)} as values{n}" for n, f in enumerate(self.facets)]
        condition = made.condition(Clauses(must=(self.query, *self.filters)))
        limit, offset = made.parameter(self.rows), made.parameter(self.start)
        answers = ["(select count(*) from hit) as total"]
        answers += [
            f"(select coalesce(array_agg({column}), '{{}}') from page) as {name}"
            for column, name in (("index_id", "page"), ("score", "scores"))
        ]
        answers += [f"{self._facet(made, n)} as facet{n}" for n in range(len(self.facets))]
        sql = (
            f"with hit as materialized (select d.index_id, {', '.join(columns)}"  # noqa: S608 (built from our own words and placeholders)
            f" from aizu_search.dataset d where {condition}),"
            f" page as (select * from hit order by {', '.join([*order, 'index_id'])}"
            f" limit {limit} offset {offset})"
            f" select {', '.join(answers)}"
        )
        return sql, made.parameters

    def _facet(self, made: Statement, number: int) -> str:
        limit = None if self.facet_limit < 0 else self.facet_limit
        return (
            "(select coalesce(json_agg(json_build_array(v, n)), '[]') from"  # noqa: S608
            f" (select v, count(*) as n from hit, unnest(values{number}) v group by v"
            f" having count(*) >= {made.parameter(max(1, self.facet_minimum))}"
            f' order by n desc, v collate "C" limit {made.parameter(limit)}) counted)'
        )

    def stored_columns(self) -> list[str]:
        """What has to be read of each document shown."""
        columns = [name for name in _DATA_DICTS if self._is_shown(name)]
        if any(name not in _DATA_DICTS for name in self.show):
            columns.append("fields")
        return columns

    def _is_shown(self, field: str) -> bool:
        return any(fnmatchcase(field, pattern) for pattern in self.show)

    def shown(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The fields asked for, of those that are there."""
        asked = {name: value for name, value in document.items() if self._is_shown(name)}
        if "score" not in self.show:
            asked.pop("score", None)
        return {name: value for name, value in asked.items() if value is not None}


def _sort_value(made: Statement, field: str) -> str:
    if field == "score":
        return "0"
    field = "title_string" if field == "title" else field
    kind = fields.kind(field)
    if kind in (Kind.TEXT, Kind.SUBSTRING) or fields.is_multiple(field):
        raise pysolr.SolrError(f"can not sort on multivalued or text field: {field}")
    column = fields.COLUMNS.get(field)
    if column or field == "index_id":
        return f"d.{field}" if kind is Kind.DATE else f'd.{field} collate "C"'
    value = f"(d.other -> {made.parameter(field)} ->> 0)"
    return f"{value}::numeric" if kind is Kind.NUMBER else f'{value} collate "C"'


def _facet_values(made: Statement, field: str) -> str:
    kind = fields.kind(field)
    if kind in (Kind.TEXT, Kind.SUBSTRING):
        raise pysolr.SolrError(f"Not supported by this search engine: facet on text field {field}")
    column = fields.COLUMNS.get(field)
    if column == "text[]":
        return f"d.{field}"
    if column:
        return f"array_remove(array[d.{field}::text], null)"
    return f"array(select {made.values(field)})"


def read(parameters: Mapping[str, Any]) -> Request:
    """Check Solr's parameters and bring them into shape."""
    given = {name: value for name, value in parameters.items() if value is not None}
    if unknown := set(given) - _KNOWN:
        names = ", ".join(sorted(unknown))
        raise pysolr.SolrError(f"Not supported by this search engine: parameter {names}")
    operator = str(given.get("q.op", "OR")).upper()
    words = given.get("defType") in _WORD_PARSERS
    weights = _weights(str(given.get("qf", ""))) if words else {}
    query = str(given.get("q") or "*:*")
    faceted = str(given.get("facet", "false")).lower() == "true"
    return Request(
        query=parse_words(query, str(given.get("mm", "100%"))) if words else parse(query, operator),
        filters=tuple(parse(one, operator) for one in _many(given.get("fq")) if one.strip()),
        weights=weights or {str(given.get("df", fields.CATCH_ALL)): 1.0},
        tie=_number(float, given, "tie", 0.0),
        show=tuple(re.split(r"[\s,]+", str(given.get("fl") or "*").strip())),
        rows=_number(int, given, "rows", 10),
        start=_number(int, given, "start", 0),
        sort=_sort(str(given.get("sort") or "score desc")),
        facets=tuple(_many(given.get("facet.field"))) if faceted else (),
        facet_limit=_number(int, given, "facet.limit", 100),
        facet_minimum=_number(int, given, "facet.mincount", 0),
    )


def _many(value: Any) -> list[str]:
    """A parameter that may be given several times: a list, a JSON list or one text."""
    if not value:
        return []
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [value]
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _number(kind: Any, given: Mapping[str, Any], name: str, default: Any) -> Any:
    try:
        number = kind(given.get(name, default))
    except (TypeError, ValueError) as error:
        raise pysolr.SolrError(f"Not a number: {name}={str(given[name])[:100]}") from error
    if name in ("rows", "start") and number < 0:
        raise pysolr.SolrError(f"'{name}' parameter cannot be negative")
    return number


def _weights(text: str) -> dict[str, float]:
    weights = {}
    for field, weight in re.findall(r"([^\s^]+)(?:\^(\S+))?", text):
        weights[field] = _number(float, {"qf": weight or "1"}, "qf", None)
    return weights


def _sort(text: str) -> tuple[tuple[str, str], ...]:
    keys = []
    for position, part in enumerate(text.split(",")):
        match = re.fullmatch(r"\s*(\S+)\s+(asc|desc)\s*", part, re.IGNORECASE)
        if match is None:
            raise pysolr.SolrError(
                f"Can't determine a Sort Order (asc or desc) in sort spec '{text[:100]}',"
                f" pos={position}"
            )
        field, direction = match.groups()
        if "(" in field:
            raise pysolr.SolrError(f"Not supported by this search engine: sort by function {field}")
        keys.append((field, direction.lower()))
    return tuple(keys)
