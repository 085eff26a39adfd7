"""The parameters of a search as Solr names them, read once, and the one statement that answers them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pysolr

from . import fields, functions
from .fields import Kind
from .function_sql import bonus, expression
from .functions import Call, Weighted
from .local_params import parse_any
from .lucene import parse_words
from .query import Query, unsupported
from .score import score
from .sql import condition
from .statement import Statement, each, many, single

_MEANT = ("q", "fq", "fl", "rows", "start", "sort", "qf", "mm", "tie", "bf")
_READING = ("defType", "df", "q.op")
_FACETED = ("facet", "facet.field", "facet.limit", "facet.mincount")
# CKAN leaves these in its calls; they say nothing to Solr either.
_IDLE = ("wt", "extras", "fq_list")
_KNOWN = frozenset((*_MEANT, *_READING, *_FACETED, *_IDLE))
# What PostgreSQL takes for a limit.
_LARGEST = 2**31
_DATA_DICTS = ("data_dict", "validated_data_dict")
_WORD_PARSERS = ("dismax", "edismax")
_NEVER_WHOLE = (Kind.TEXT, Kind.SUBSTRING, Kind.PLACE)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A search, read and checked."""

    query: Query
    filters: tuple[Query, ...]
    weights: Mapping[str, float]
    tie: float
    bonuses: tuple[Weighted, ...]
    show: tuple[str, ...]
    rows: int
    start: int
    sort: tuple[tuple[str | Call, str], ...]
    facets: tuple[str, ...]
    facet_limit: int
    facet_minimum: int

    def statement(self) -> tuple[str, dict[str, Any]]:
        """One statement for the number of hits, the page and the facets, with its parameters."""
        made = Statement(self.weights)
        columns, order = self._columns(made)
        where = " and ".join(condition(made, one) for one in (self.query, *self.filters))
        limit, offset = made.parameter(self.rows), made.parameter(self.start)
        answers = [
            "(select count(*) from hit) as total",
            "(select coalesce(array_agg(index_id), '{}') from page) as page",
            "(select coalesce(array_agg(score), '{}') from page) as scores",
            *(
                f"{self._facet(made, number)} as facet{number}"
                for number in range(len(self.facets))
            ),
        ]
        sql = (
            f"with hit as materialized (select d.index_id, {', '.join(columns)}"
            f" from aizu_search.dataset d where {where}),"
            f" page as (select * from hit order by {', '.join([*order, 'index_id'])}"
            f" limit {limit} offset {offset})"
            f" select {', '.join(answers)}"
        )
        return sql, made.parameters

    def _columns(self, made: Statement) -> tuple[list[str], list[str]]:
        """What is needed of each hit, and in which order hits come."""
        keys = [field for field, _ in self.sort]
        scored = "score" in keys or "score" in self.show
        columns = [f"({self._score(made) if scored else '0'})::float8 as score"]
        order = []
        for number, (field, direction) in enumerate(self.sort):
            key = "score" if field == "score" else f"sort{number}"
            if field != "score":
                columns.append(f"{_sort_value(made, field)} as {key}")
            order.append(f"{key} {direction} nulls last")
        for number, field in enumerate(self.facets):
            columns.append(f"{single(field) or many(made, field)} as values{number}")
        return columns, order

    def _score(self, made: Statement) -> str:
        return score(made, self.query, self.tie) + bonus(made, self.bonuses)

    def _facet(self, made: Statement, number: int) -> str:
        """Values and their counts as a JSON list of pairs, the most frequent first."""
        field, values = self.facets[number], f"values{number}"
        # In the list of columns, where PostgreSQL unpacks twice as fast as it joins.
        value = f"{values}::text" if single(field) else each(field, values)
        least = made.parameter(max(1, self.facet_minimum))
        limit = made.parameter(None if self.facet_limit < 0 else self.facet_limit)
        return (
            "(select coalesce(json_agg(json_build_array(v, n)), '[]') from (select * from"
            f" (select v, count(*) as n from (select {value} as v from hit) one group by 1) counted"
            f" where v is not null and n >= {least}"
            f' order by n desc, v collate "C" limit {limit}) shown)'
        )

    def stored_columns(self) -> list[str]:
        """What has to be read of each document shown."""
        columns = [name for name in _DATA_DICTS if self._is_shown(name)]
        if any(name not in _DATA_DICTS for name in self.show):
            columns.append("document")
        return columns

    def _is_shown(self, field: str) -> bool:
        return any(fnmatchcase(field, pattern) for pattern in self.show)

    def shown(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The fields asked for, of those that are there."""
        return {
            name: value
            for name, value in document.items()
            if value is not None and self._is_shown(name) and (name != "score" or name in self.show)
        }


def _sort_value(made: Statement, field: str | Call) -> str:
    if isinstance(field, Call):
        return expression(made, field)
    field = "title_string" if field == "title" else field
    kind = fields.kind(field)
    if kind in _NEVER_WHOLE or fields.is_multiple(field):
        raise pysolr.SolrError(f"can not sort on multivalued or text field: {field}")
    value = single(field) or f"({many(made, field)} ->> 0)"
    if kind is Kind.NUMBER:
        return f"{value}::numeric"
    return value if kind in (Kind.DATE, Kind.REAL) else f'{value} collate "C"'


def read(parameters: Mapping[str, Any]) -> Request:
    """Check Solr's parameters and bring them into shape."""
    given = {name: value for name, value in parameters.items() if value is not None}
    if unknown := set(given) - _KNOWN:
        raise unsupported(f"parameter {', '.join(sorted(unknown))}")
    operator = str(given.get("q.op", "OR")).upper()
    filters = given.get("fq") or []
    filters = map(str, filters) if isinstance(filters, list | tuple) else [str(filters)]
    query, weights = _query(given, operator)
    return Request(
        query=query,
        filters=tuple(parse_any(one, operator) for one in filters if one.strip()),
        weights=weights,
        tie=_number(float, given, "tie", 0.0),
        bonuses=_bonuses(given),
        show=tuple(re.split(r"[\s,]+", str(given.get("fl") or "*").strip())),
        rows=_number(int, given, "rows", 10),
        start=_number(int, given, "start", 0),
        sort=_sort(str(given.get("sort") or "score desc")),
        facets=_facets(given),
        facet_limit=_number(int, given, "facet.limit", 100),
        facet_minimum=_number(int, given, "facet.mincount", 0),
    )


def _query(given: Mapping[str, Any], operator: str) -> tuple[Query, dict[str, float]]:
    """The query, and the fields with their weights in which words without a field are sought."""
    text = str(given.get("q") or "*:*")
    default = {str(given.get("df", fields.CATCH_ALL)): 1.0}
    if given.get("defType") not in _WORD_PARSERS or text.lstrip().startswith("{!"):
        return parse_any(text, operator), default
    weights = _weights(str(given.get("qf", "")))
    return parse_words(text, str(given.get("mm", "100%"))), weights or default


def _bonuses(given: Mapping[str, Any]) -> tuple[Weighted, ...]:
    """What is added to the score; Solr's plain parser knows nothing of it."""
    heeded = given.get("defType") in _WORD_PARSERS
    return functions.parse_weighted(str(given.get("bf") or "")) if heeded else ()


def _facets(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields to count values of, which CKAN gives as a list or as the same in JSON."""
    if str(given.get("facet", "false")).lower() != "true":
        return ()
    asked = given.get("facet.field") or []
    if isinstance(asked, str) and asked.lstrip().startswith("["):
        try:
            asked = json.loads(asked)
        except ValueError as error:
            raise pysolr.SolrError(f"Not a list: facet.field={asked[:100]}") from error
    names = tuple(dict.fromkeys([asked] if isinstance(asked, str) else map(str, asked)))
    for name in names:
        if fields.kind(name) in _NEVER_WHOLE:
            raise unsupported(f"facet on {fields.kind(name).value} field {name}")
    return names


def _number(kind: Any, given: Mapping[str, Any], name: str, default: Any) -> Any:
    try:
        number = kind(given.get(name, default))
    except (TypeError, ValueError) as error:
        raise pysolr.SolrError(f"Not a number: {name}={str(given[name])[:100]}") from error
    if abs(number) > _LARGEST:
        raise pysolr.SolrError(f"Too large a number: {name}={str(given[name])[:100]}")
    if name in ("rows", "start") and number < 0:
        raise pysolr.SolrError(f"'{name}' parameter cannot be negative")
    return number


def _weights(text: str) -> dict[str, float]:
    weights = {}
    for field, weight in re.findall(r"([^\s^]+)(?:\^(\S+))?", text):
        weights[field] = _number(float, {"qf": weight or "1"}, "qf", None)
    return weights


def _sort(text: str) -> tuple[tuple[str | Call, str], ...]:
    keys: list[tuple[str | Call, str]] = []
    for position, part in enumerate(_split_outside_calls(text)):
        match = re.fullmatch(r"\s*(\S+|\w+\s*\(.*\))\s+(asc|desc)\s*", part, re.IGNORECASE)
        if match is None:
            raise pysolr.SolrError(
                f"Can't determine a Sort Order (asc or desc) in sort spec '{text[:100]}',"
                f" pos={position}"
            )
        field, direction = match.groups()
        keys.append((functions.parse_call(field) if "(" in field else field, direction.lower()))
    return tuple(keys)


def _split_outside_calls(text: str) -> list[str]:
    """What stands between commas that are not inside parentheses."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
