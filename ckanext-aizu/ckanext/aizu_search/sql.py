"""From a query's tree to an SQL condition and a score; what people typed is only ever a parameter."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pysolr

from . import dates, fields
from .fields import Kind
from .query import DEFAULT_FIELDS, Boost, Clauses, Everything, Pattern, Query, Range, Term, Wild
from .text import normalise, query_tokens, tsquery

Weights = Mapping[str, float]


class Statement:
    """SQL in the making: gathers parameters and gives out their placeholders."""

    def __init__(self, weights: Weights, tie: float = 0.0) -> None:
        self.weights = weights
        self.tie = tie
        self.parameters: dict[str, Any] = {}
        self._now = datetime.now(UTC)

    def parameter(self, value: Any) -> str:
        """Keep a value and return the placeholder that stands for it."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"

    def moment(self, value: str) -> datetime:
        """A date with mathematics, the same now throughout."""
        return dates.resolve(value, self._now)

    # -- conditions ---------------------------------------------------------------------------

    def condition(self, query: Query) -> str:
        """The condition under which a dataset matches; never null."""
        return self._condition(query) or "false"

    def _condition(self, query: Query) -> str | None:
        """None if nothing is left to look for, as in a query of mere punctuation."""
        match query:
            case Everything():
                return "true"
            case Boost():
                return self._condition(query.query)
            case Clauses():
                return self._clauses(query)
            case Term() | Pattern() | Range():
                return self._leaf(query)

    def _clauses(self, query: Clauses) -> str | None:
        must = [found for one in query.must if (found := self._condition(one))]
        should = [found for one in query.should if (found := self._condition(one))]
        must_not = [found for one in query.must_not if (found := self._condition(one))]
        if not (must or should or must_not):
            return None
        minimum = min(query.minimum, len(should))
        if minimum:
            must.append(f"({' or '.join(should)})")
        if 1 < minimum < len(should):
            counted = " + ".join(f"({one})::int" for one in should)
            must.append(f"({counted}) >= {minimum}")
        elif minimum == len(should) and minimum > 1:
            must[-1:] = should
        must += [f"not {one}" for one in must_not]
        return f"({' and '.join(must)})" if must else "true"

    def _leaf(self, query: Term | Pattern | Range) -> str | None:
        if query.field != DEFAULT_FIELDS:
            return self._in_field(query, query.field)
        # Whatever is in the other fields is in the catch-all too.
        names = [fields.CATCH_ALL] if fields.CATCH_ALL in self.weights else list(self.weights)
        found = [one for name in names if (one := self._in_field(query, name))]
        return f"({' or '.join(found)})" if found else None

    def _in_field(self, query: Term | Pattern | Range, field: str) -> str | None:
        if query == Pattern(field=query.field, pieces=(Wild.MANY,)):
            return self._exists(field)
        found = self._comparison(query, field)
        return found and f"coalesce({found}, false)"

    def _comparison(self, query: Term | Pattern | Range, field: str) -> str | None:
        compare = _COMPARISONS[fields.kind(field)]
        return compare(self, query, field)

    def _exists(self, field: str) -> str:
        if field in (fields.CATCH_ALL, "index_id"):
            return "true"
        kind = fields.kind(field)
        if kind is Kind.TEXT:
            if field in fields.WEIGHTED:
                return f"(ts_filter(d.body, '{{{fields.WEIGHTED[field]}}}') <> '')"
            everything = f"'{_tsquery_label(fields.label(field))}':*"
            return f"(d.labelled @@ {self.parameter(everything)}::tsquery)"
        if kind is Kind.SUBSTRING:
            return self._exists(_SUBSTRING_OF[field])
        if fields.COLUMNS.get(field) == "text[]":
            return f"(d.{field} <> '{{}}')"
        if field in fields.COLUMNS:
            return f"(d.{field} is not null)"
        return f"(d.other ? {self.parameter(field)})"

    # -- values -------------------------------------------------------------------------------

    def values(self, field: str) -> str:
        """A set of the values of a field that is compared as a whole."""
        if fields.COLUMNS.get(field) == "text[]":
            return f"unnest(d.{field})"
        return f"jsonb_array_elements_text(d.other -> {self.parameter(field)})"

    def any_value(self, field: str, test: Callable[[str], str]) -> str:
        """Some value of the field passes the test."""
        if field in fields.COLUMNS and fields.COLUMNS[field] != "text[]":
            return test(f"d.{field}")
        return f"exists (select from {self.values(field)} v where {test('v')})"

    def bounds(
        self, query: Range, convert: Callable[[str], Any], suffix: str
    ) -> Callable[[str], str]:
        """A test of a value against both bounds of a range."""
        tests = []
        if query.low is not None:
            sign = ">=" if query.include_low else ">"
            tests.append(f"{sign} {self.parameter(convert(query.low))}{suffix}")
        if query.high is not None:
            sign = "<=" if query.include_high else "<"
            tests.append(f"{sign} {self.parameter(convert(query.high))}{suffix}")
        return lambda value: " and ".join(f"{value} {test}" for test in tests) or "true"

    # -- score --------------------------------------------------------------------------------

    def score(self, query: Query) -> str:
        """How well a dataset that matches does so: a sum over clauses, the best field of each."""
        match query:
            case Boost():
                return f"{self.parameter(query.factor)} * {self.score(query.query)}"
            case Clauses():
                must = [self.score(one) for one in query.must]
                should = [self._if_matches(one) for one in query.should]
                return f"({' + '.join(must + should) or '0'})"
            case Term() if query.field == DEFAULT_FIELDS:
                return self._best_field(query)
            case _:
                return "1"

    def _if_matches(self, query: Query) -> str:
        return f"case when {self.condition(query)} then {self.score(query)} else 0 end"

    def _best_field(self, query: Term) -> str:
        tokens = query_tokens(query.text)
        if not tokens:
            return "0"
        found = ["0"]
        for field, weight in self.weights.items():
            if field in fields.HEADLINE:
                search = self.parameter(tsquery(tokens, weight=fields.HEADLINE[field]))
                amount = self.parameter(weight)
                # A hit in a short title says more than one in a long one.
                found.append(
                    f"case when d.headline @@ {search}::tsquery"
                    f" then {amount} * (1 + 1.0 / (1 + length(d.headline))) else 0 end"
                )
            else:
                found.append(self.parameter(weight))
        best = f"greatest({', '.join(found)})"
        return f"({best} + {self.parameter(self.tie)} * ({' + '.join(found)} - {best}))"


def _tsquery_label(label: str) -> str:
    return label.replace("\\", "\\\\").replace("'", "''")


_SUBSTRING_OF = {"name_ngram": "name", "title_ngram": "title_string"}


def _compare_text(statement: Statement, query: Term | Pattern | Range, field: str) -> str | None:
    match query:
        case Range():
            raise pysolr.SolrError(
                f"Not supported by this search engine: range in text field {field}"
            )
        case Pattern():
            words, prefix = _prefix(query)
        case Term():
            words, prefix = query.text, False
    tokens = query_tokens(words, prefix=prefix)
    if not tokens:
        return None
    if field == fields.CATCH_ALL:
        return f"d.body @@ {statement.parameter(tsquery(tokens))}::tsquery"
    if field in fields.WEIGHTED:
        search = tsquery(tokens, weight=fields.WEIGHTED[field])
        return f"d.body @@ {statement.parameter(search)}::tsquery"
    search = tsquery(tokens, label=fields.label(field))
    return f"d.labelled @@ {statement.parameter(search)}::tsquery"


def _prefix(query: Pattern) -> tuple[str, bool]:
    """The literal before a closing `*`; other wildcards are not for tokens."""
    match query.pieces:
        case (str(literal), Wild.MANY):
            return literal, True
        case _:
            shown = "".join(p.value if isinstance(p, Wild) else p for p in query.pieces)
            raise pysolr.SolrError(
                f"Not supported by this search engine: wildcard other than a closing * in {shown}"
            )


def _like(pieces: Iterable[str | Wild]) -> str:
    signs = {Wild.MANY: "%", Wild.ONE: "_"}
    escaped = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
    return "".join(signs[p] if isinstance(p, Wild) else p.translate(escaped) for p in pieces)


def _compare_string(statement: Statement, query: Term | Pattern | Range, field: str) -> str:
    match query:
        case Term():
            value = statement.parameter(query.text)
            column = fields.COLUMNS.get(field, "")
            if column == "text[]":
                return f"d.{field} @> array[{value}]"
            if column or field == "index_id":
                return f"d.{field} = {value}"
            name = statement.parameter(field)
            return f"d.other @> jsonb_build_object({name}::text, jsonb_build_array({value}::text))"
        case Pattern():
            like = statement.parameter(_like(query.pieces))
            return statement.any_value(field, lambda value: f"{value} like {like}")
        case Range():
            return statement.any_value(field, statement.bounds(query, str, ' collate "C"'))


def _compare_date(statement: Statement, query: Term | Pattern | Range, field: str) -> str:
    if isinstance(query, Pattern):
        raise pysolr.SolrError(
            f"Not supported by this search engine: wildcard in date field {field}"
        )
    if isinstance(query, Term):
        query = Range(field, query.text, query.text, True, True)
    if field in fields.COLUMNS:
        return statement.any_value(field, statement.bounds(query, statement.moment, ""))
    bounds = statement.bounds(
        query, lambda text: dates.sortable(statement.moment(text)), ' collate "C"'
    )
    return statement.any_value(field, bounds)


def _compare_number(statement: Statement, query: Term | Pattern | Range, field: str) -> str:
    if isinstance(query, Pattern):
        raise pysolr.SolrError(
            f"Not supported by this search engine: wildcard in number field {field}"
        )
    if isinstance(query, Term):
        query = Range(field, query.text, query.text, True, True)

    def number(text: str) -> int:
        try:
            return int(text)
        except ValueError as error:
            raise pysolr.SolrError(f"Invalid Number: {text[:100]}") from error

    bounds = statement.bounds(query, number, "")
    return statement.any_value(field, lambda value: bounds(f"{value}::numeric"))


def _compare_substring(statement: Statement, query: Term | Pattern | Range, field: str) -> str:
    if not isinstance(query, Term):
        raise pysolr.SolrError(f"Not supported by this search engine: only words in field {field}")
    part = statement.parameter(normalise(query.text))
    return f"position({part} in lower(normalize(d.{_SUBSTRING_OF[field]}, NFKC))) > 0"


_Compare = Callable[[Statement, Term | Pattern | Range, str], str | None]
_COMPARISONS: dict[Kind, _Compare] = {
    Kind.TEXT: _compare_text,
    Kind.STRING: _compare_string,
    Kind.DATE: _compare_date,
    Kind.NUMBER: _compare_number,
    Kind.SUBSTRING: _compare_substring,
}
