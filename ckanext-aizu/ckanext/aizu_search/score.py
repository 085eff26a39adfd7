"""How well a dataset answers a query: a sum over the clauses, for each the best of its fields."""

from . import fields
from .query import DEFAULT_FIELDS, Boost, Clauses, Query, Term
from .sql import Statement, condition, in_field
from .text import query_tokens, tsquery


def score(made: Statement, query: Query, tie: float) -> str:
    """An expression for datasets that match; `tie` is what the fields besides the best one add."""
    match query:
        case Boost():
            return f"{made.parameter(query.factor)} * {score(made, query.query, tie)}"
        case Clauses():
            found = [score(made, one, tie) for one in query.must]
            for one in query.should:
                found.append(_if(condition(made, one), score(made, one, tie)))
            return f"({' + '.join(found) or '0'})"
        case Term(field=field) if field == DEFAULT_FIELDS:
            return _best_field(made, query, tie)
        case _:
            return "1"


def _if(test: str, value: str) -> str:
    return f"case when {test} then {value} else 0 end"


def _best_field(made: Statement, query: Term, tie: float) -> str:
    found = [_field(made, query, field, made.parameter(w)) for field, w in made.weights.items()]
    if len(found) == 1:
        return found[0]
    best, rest = f"greatest({', '.join(found)})", made.parameter(tie)
    return f"({best} * (1 - {rest}) + ({' + '.join(found)}) * {rest})"


def _field(made: Statement, query: Term, field: str, weight: str) -> str:
    if field == fields.CATCH_ALL:
        return weight
    tokens = query_tokens(query.text)
    if field not in fields.HEADLINE or not tokens:
        return _if(in_field(made, query, field) or "false", weight)
    search = made.parameter(tsquery(tokens, weight=fields.HEADLINE[field]))
    # A word says more of a short title than of a long one.
    return _if(
        f"d.headline @@ {search}::tsquery", f"{weight} * (1 + 1.0 / (1 + length(d.headline)))"
    )
