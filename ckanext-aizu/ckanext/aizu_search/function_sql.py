"""From the tree of a function to the SQL that computes it."""

from collections.abc import Callable, Sequence

import pysolr

from . import fields, spatial
from .fields import Kind
from .functions import Call, Function, FunctionRange, Weighted
from .query import unsupported
from .statement import Statement, many, single


def expression(made: Statement, function: Function) -> str:
    """The value of a function; null where it has none."""
    match function:
        case float():
            return f"{made.parameter(function)}::float8"
        case str():
            return _number(made, function)
        case Call("geodist", (str(field), latitude, longitude)):
            return _distance(made, field, latitude, longitude)
        case Call(name, (_, _) as pair) if name in _OF_TWO:
            return _OF_TWO[name](*(expression(made, one) for one in pair))
        case Call(name, (_, *_) as several) if name in _OF_SEVERAL:
            return _OF_SEVERAL[name]([expression(made, one) for one in several])
        case Call(name, arguments):
            raise unsupported(f"function {name} with {len(arguments)} arguments")


def range_condition(made: Statement, query: FunctionRange) -> str:
    """The condition under which the value of a function lies in a range."""
    value = expression(made, query.function)
    tests = [f"{value} is not null"]
    if query.low is not None:
        tests.append(f"{value} {'>=' if query.include_low else '>'} {made.parameter(query.low)}")
    if query.high is not None:
        tests.append(f"{value} {'<=' if query.include_high else '<'} {made.parameter(query.high)}")
    return f"({' and '.join(tests)})"


def bonus(made: Statement, functions: Sequence[Weighted]) -> str:
    """What functions add to a score."""
    return "".join(
        f" + {made.parameter(one.factor)} * coalesce({expression(made, one.function)}, 0)"
        for one in functions
    )


def _number(made: Statement, field: str) -> str:
    """A field in a function; a dataset without it counts as 0, as in Solr."""
    if fields.kind(field) not in (Kind.NUMBER, Kind.REAL):
        raise unsupported(f"{fields.kind(field).value} field {field} in a function")
    value = single(field) or f"({many(made, field)} ->> 0)::float8"
    return f"coalesce({value}, 0)"


def _distance(made: Statement, field: str, latitude: Function, longitude: Function) -> str:
    if fields.kind(field) is not Kind.PLACE:
        raise pysolr.SolrError(f"geodist needs a field of places, and {field} is none")
    return spatial.kilometres(made, field, expression(made, latitude), expression(made, longitude))


def _joined(sign: str) -> Callable[[list[str]], str]:
    return lambda values: f"({sign.join(values)})"


# What is divided by nothing has no value; PostgreSQL would refuse the whole search.
_OF_TWO: dict[str, Callable[[str, str], str]] = {
    "sub": lambda a, b: f"({a} - {b})",
    "div": lambda a, b: f"({a} / nullif({b}, 0))",
}
_OF_SEVERAL: dict[str, Callable[[list[str]], str]] = {
    "sum": _joined(" + "),
    "add": _joined(" + "),
    "product": _joined(" * "),
    "mul": _joined(" * "),
    "max": lambda values: f"greatest({', '.join(values)})",
    "min": lambda values: f"least({', '.join(values)})",
}
