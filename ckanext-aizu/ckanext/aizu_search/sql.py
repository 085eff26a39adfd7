"""From a query's tree to an SQL condition; what people typed is only ever a parameter."""

from collections.abc import Callable, Sequence
from itertools import combinations
from math import comb
from typing import Any

import pysolr

from . import dates, fields, spatial
from .characters import normalise, width_and_case
from .fields import Kind
from .function_sql import range_condition
from .functions import FunctionRange
from .notation import joined
from .query import (
    DEFAULT_FIELDS,
    Boost,
    Clauses,
    Everything,
    Leaf,
    Pattern,
    Query,
    Range,
    Term,
    Wild,
    unsupported,
)
from .statement import Statement, each, many, single
from .terms import tsquery
from .text import has_joined_script, quoted

_SUBSTRING_OF = {"name_ngram": "name", "title_ngram": "title_string"}
_BYTE_ORDER = ' collate "C"'
# Of four words three, of ten nine; beyond that the ways to choose are too many to write down.
_MOST_CHOICES = 10


def _some_value(made: Statement, field: str, test: Callable[[str], str]) -> str:
    column = single(field)
    if column:
        return test(column)
    return f"exists (select from {each(field, many(made, field))} v where {test('v')})"


# -- conditions -------------------------------------------------------------------------------


def condition(made: Statement, query: Query) -> str:
    """The condition under which a dataset matches."""
    return _condition(made, query) or "false"


def _condition(made: Statement, query: Query) -> str | None:
    """None if nothing is left to look for, as in a query of mere punctuation."""
    match query:
        case Everything():
            return "true"
        case Boost():
            return _condition(made, query.query)
        case Clauses():
            return _clauses(made, query)
        case FunctionRange():
            return range_condition(made, query)
        case Term() | Pattern() | Range():
            return _leaf(made, query)


def _clauses(made: Statement, query: Clauses) -> str | None:
    words = [one for one in query.must if _search(made, one)]
    others = [one for one in query.must if _search(made, one) is None]
    must = _as_one(made, words, len(words))
    must += [found for one in others if (found := _condition(made, one))]
    should = [found for one in query.should if (found := _condition(made, one))]
    must_not = [found for one in query.must_not if (found := _condition(made, one))]
    if not (must or should or must_not):
        return None
    minimum = min(query.minimum, len(should))
    must += _as_one(made, query.should, minimum) or _at_least(minimum, should)
    # `is not true`, because a field without a value makes a comparison null.
    must += [f"({one}) is not true" for one in must_not]
    return f"({' and '.join(must)})" if must else "true"


def _as_one(made: Statement, clauses: Sequence[Query], minimum: int) -> list[str]:
    """At least so many of some words as one tsquery, for which each vector is read once."""
    searches = [_search(made, one) for one in clauses]
    words = [search for search in searches if search]
    if None in searches or not minimum or comb(len(words), minimum) > _MOST_CHOICES:
        return []
    choices = [joined(" & ", chosen) for chosen in combinations(words, minimum)]
    return [f"d.body @@ {made.parameter(joined(' | ', choices))}::tsquery"]


def _search(made: Statement, query: Query) -> str | None:
    """The tsquery of a word that is sought everywhere; None for any other query."""
    if fields.CATCH_ALL not in made.weights:
        return None
    match query:
        case Term(field=field) if field == DEFAULT_FIELDS:
            return tsquery(query.text, exact=query.is_quoted)
        case _:
            return None


def _at_least(minimum: int, should: list[str]) -> list[str]:
    if minimum == 0:
        return []
    if minimum == len(should):
        return should
    # The disjunction is what an index can answer; counting is left for those it finds.
    either = f"({' or '.join(should)})"
    counted = " + ".join(f"(({one}) is true)::int" for one in should)
    return [either] if minimum == 1 else [either, f"{counted} >= {minimum}"]


def _leaf(made: Statement, query: Leaf) -> str | None:
    if query.field != DEFAULT_FIELDS:
        return in_field(made, query, query.field)
    # Whatever is in the other fields is in the catch-all too.
    names = [fields.CATCH_ALL] if fields.CATCH_ALL in made.weights else list(made.weights)
    found = [one for name in names if (one := in_field(made, query, name))]
    if len(found) < 2:
        return found[0] if found else None
    return f"({' or '.join(found)})"


def in_field(made: Statement, query: Leaf, field: str) -> str | None:
    """The condition that a word, pattern or range is in one field."""
    if isinstance(query, Pattern) and query.pieces == (Wild.MANY,):
        return _exists(made, field)
    return _COMPARISONS[fields.kind(field)](made, query, field)


def _exists(made: Statement, field: str) -> str:
    field = _SUBSTRING_OF.get(field, field)
    column = single(field)
    if field == fields.CATCH_ALL:
        return "true"
    if column:
        return f"{column} is not null"
    if field in fields.COLUMNS:
        return f"d.{field} <> '{{}}'"
    if fields.kind(field) is Kind.PLACE:
        return spatial.somewhere(made, field)
    if field in fields.WEIGHTED:
        return f"ts_filter(d.body, '{{{fields.WEIGHTED[field]}}}') <> ''"
    if fields.kind(field) is Kind.TEXT:
        everything = quoted(fields.label(field)) + ":*"
        return f"d.labelled @@ {made.parameter(everything)}::tsquery"
    return f"d.other ? {made.parameter(field)}"


# -- comparisons, by kind of field ------------------------------------------------------------


def _text(made: Statement, query: Leaf, field: str) -> str | None:
    column, label, weight = _place(field)
    match query:
        case Range():
            raise unsupported(f"range in text field {field}")
        case Term():
            search = tsquery(query.text, exact=query.is_quoted, label=label, weight=weight)
        case Pattern(pieces=(str(words), Wild.MANY)):
            search = tsquery(words, prefix=True, label=label, weight=weight)
        case Pattern():
            return _text_pattern(made, query, field)
    return f"d.{column} @@ {made.parameter(search)}::tsquery" if search else None


def _text_pattern(made: Statement, query: Pattern, field: str) -> str | None:
    """Wildcards elsewhere than at the end: tried on every token, which only suits whole words."""
    column, label, weight = _place(field)
    literals = [piece for piece in query.pieces if isinstance(piece, str)]
    if any(has_joined_script(literal) or not literal.isalnum() for literal in literals):
        raise unsupported(f"wildcard inside {query}")
    pattern = _like((label, *(normalise(p) if isinstance(p, str) else p for p in query.pieces)))
    vector = f"ts_filter(d.{column}, '{{{weight}}}')" if weight else f"d.{column}"
    return (
        f"exists (select from unnest(tsvector_to_array({vector})) v"
        f" where v like {made.parameter(pattern)})"
    )


def _place(field: str) -> tuple[str, str, str]:
    """The vector that holds a text field, the label of its tokens and their weight."""
    if field == fields.CATCH_ALL:
        return "body", "", ""
    if field in fields.WEIGHTED:
        return "body", "", fields.WEIGHTED[field]
    return "labelled", fields.label(field), ""


def _like(pieces: tuple[str | Wild, ...]) -> str:
    signs = {Wild.MANY: "%", Wild.ONE: "_"}
    escaped = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
    return "".join(signs[p] if isinstance(p, Wild) else p.translate(escaped) for p in pieces)


def _string(made: Statement, query: Leaf, field: str) -> str:
    match query:
        case Term():
            return _equals(made, query.text, field)
        case Pattern():
            like = made.parameter(_like(query.pieces))
            return _some_value(made, field, lambda value: f"{value} like {like}")
        case Range():
            return _some_value(made, field, _bounds(made, query, str, _BYTE_ORDER))


def _equals(made: Statement, text: str, field: str) -> str:
    if spatial.is_relation(text):
        raise unsupported(f"search by place in {field}, which is no field of places")
    column, value = single(field), made.parameter(text)
    if column:
        return f"{column} = {value}"
    if field in fields.COLUMNS:
        return f"d.{field} @> array[{value}]"
    name = made.parameter(field)
    return f"d.other @> jsonb_build_object({name}::text, jsonb_build_array({value}::text))"


def _date(made: Statement, query: Leaf, field: str) -> str:
    span = _span(query, field)
    if single(field):
        return _some_value(made, field, _bounds(made, span, made.moment))

    def sortable(text: str) -> str:
        return dates.sortable(made.moment(text))

    return _some_value(made, field, _bounds(made, span, sortable, _BYTE_ORDER))


def _number(made: Statement, query: Leaf, field: str) -> str:
    def number(text: str) -> float:
        try:
            return float(text) if fields.kind(field) is Kind.REAL else int(text)
        except ValueError as error:
            raise pysolr.SolrError(f"Invalid Number: {text[:100]}") from error

    test = _bounds(made, _span(query, field), number)
    return _some_value(made, field, lambda value: test(f"{value}::numeric"))


def _substring(made: Statement, query: Leaf, field: str) -> str | None:
    if not isinstance(query, Term):
        raise unsupported(f"wildcard or range in field {field}")
    text = width_and_case(query.text).strip()
    if not text:
        return None
    part = made.parameter(text)
    return f"position({part} in lower(normalize(d.{_SUBSTRING_OF[field]}, NFKC))) > 0"


def _relation(made: Statement, query: Leaf, field: str) -> str:
    if not isinstance(query, Term):
        raise unsupported(f"wildcard or range in the field of places {field}")
    return spatial.condition(made, field, query.text)


def _span(query: Leaf, field: str) -> Range:
    """One value is a range with itself at both ends."""
    if isinstance(query, Pattern):
        raise unsupported(f"wildcard in date or number field {field}")
    return Range(field, query.text, query.text) if isinstance(query, Term) else query


def _bounds(
    made: Statement, query: Range, convert: Callable[[str], Any], collation: str = ""
) -> Callable[[str], str]:
    """A test of a value against both ends of a range."""
    tests = []
    if query.low is not None:
        sign = ">=" if query.include_low else ">"
        tests.append(f"{sign} {made.parameter(convert(query.low))}{collation}")
    if query.high is not None:
        sign = "<=" if query.include_high else "<"
        tests.append(f"{sign} {made.parameter(convert(query.high))}{collation}")
    return lambda value: " and ".join(f"{value} {test}" for test in tests) or f"{value} is not null"


_Comparison = Callable[[Statement, Leaf, str], str | None]
_COMPARISONS: dict[Kind, _Comparison] = {
    Kind.TEXT: _text,
    Kind.STRING: _string,
    Kind.DATE: _date,
    Kind.NUMBER: _number,
    Kind.REAL: _number,
    Kind.PLACE: _relation,
    Kind.SUBSTRING: _substring,
}
