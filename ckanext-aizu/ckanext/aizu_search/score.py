"""How well a dataset answers a query: a sum over the clauses, for each the best of its fields."""

import re
from dataclasses import dataclass

from . import fields
from .query import DEFAULT_FIELDS, Boost, Clauses, Query, Term
from .sql import condition, in_field
from .statement import Statement
from .terms import LONGEST, tsquery

# A synonym, a reading or another spelling in place of the word that was typed.
_OTHER_WORDING = 0.7
# BM25 for a word that stands once in a title; titles of the length 20 count plainly.
_TITLE_LENGTH = "2.2 / (1.3 + 0.045 * coalesce(char_length(d.title_string), 0))"


def score(made: Statement, query: Query, tie: float) -> str:
    """An expression for datasets that match; `tie` is what the fields besides the best one add."""
    return _Score(made, tie, several=len(_words(query)) > 1).of(query)


def _words(query: Query) -> list[Term]:
    match query:
        case Boost():
            return _words(query.query)
        case Clauses():
            return [word for one in (*query.must, *query.should) for word in _words(one)]
        case Term(field=field) if field == DEFAULT_FIELDS:
            return [query]
        case _:
            return []


@dataclass(frozen=True)
class _Score:
    made: Statement
    tie: float
    several: bool

    def of(self, query: Query) -> str:
        match query:
            case Boost():
                return f"{self.made.parameter(query.factor)} * {self.of(query.query)}"
            case Clauses():
                return self._sum(query)
            case Term(field=field) if field == DEFAULT_FIELDS:
                best = self._best_field(query)
                return f"{self._rarity(query)} * {best}" if self.several else best
            case Term(field="title"):
                return self._headline(query, fields.HEADLINE["title"], _TITLE_LENGTH)
            case _:
                return "1"

    def _sum(self, query: Clauses) -> str:
        found = [self.of(one) for one in query.must]
        if query.minimum >= len(query.should):
            found += [self.of(one) for one in query.should]
        else:
            found += [_if(condition(self.made, one), self.of(one)) for one in query.should]
        side_by_side = [*query.must, *query.should]
        words = [one.text for one in side_by_side if one in _words(one)]
        if len(words) > 1 and len(words) == len(side_by_side):
            found.append(self._phrase(" ".join(words)))
        return f"({' + '.join(found) or '0'})"

    def _phrase(self, text: str) -> str:
        """The words side by side in the title."""
        if "title" not in self.made.weights or len(text) > LONGEST:
            return "0"
        search = tsquery(text, exact=True, weight=fields.HEADLINE["title"])
        if not search:
            return "0"
        weight = self.made.parameter(self.made.weights["title"])
        return _if(f"d.headline @@ {self.made.parameter(search)}::tsquery", weight)

    def _rarity(self, word: Term) -> str:
        """BM25's inverse document frequency; counted without the order of tokens, which is quick."""
        search = re.sub(r" <\d+> ", " & ", tsquery(word.text, exact=word.is_quoted))
        return (
            "(select ln(1 + (greatest(c.reltuples, f.n) - f.n + 0.5) / (f.n + 0.5))"
            " from pg_class c, (select count(*) as n from aizu_search.dataset d"
            f" where d.body @@ {self.made.parameter(search)}::tsquery) f"
            " where c.oid = 'aizu_search.dataset'::regclass)"
        )

    def _best_field(self, query: Term) -> str:
        found = [self._field(query, field) for field in self.made.weights]
        if len(found) == 1:
            return found[0]
        rest = self.made.parameter(self.tie)
        # Each is computed once: to compare vectors is what costs.
        values = ", ".join(f"({one})" for one in found)
        return f"(select max(v) * (1 - {rest}) + sum(v) * {rest} from (values {values}) field (v))"

    def _field(self, query: Term, field: str) -> str:
        weight = self.made.parameter(self.made.weights[field])
        if field == fields.CATCH_ALL:
            return weight
        if field not in fields.HEADLINE:
            return _if(in_field(self.made, query, field) or "false", weight)
        value = f"{weight} * {_TITLE_LENGTH}" if field == "title" else weight
        return self._headline(query, fields.HEADLINE[field], value)

    def _headline(self, query: Term, letter: str, value: str) -> str:
        as_typed = tsquery(query.text, exact=True, weight=letter)
        if not as_typed:
            return "0"
        otherwise = "0"
        any_wording = tsquery(query.text, exact=query.is_quoted, weight=letter)
        if any_wording != as_typed:
            otherwise = _if(self._is_in_headline(any_wording), f"{_OTHER_WORDING} * {value}")
        return _if(self._is_in_headline(as_typed), value, otherwise)

    def _is_in_headline(self, search: str) -> str:
        return f"d.headline @@ {self.made.parameter(search)}::tsquery"


def _if(test: str, value: str, otherwise: str = "0") -> str:
    return f"case when {test} then {value} else {otherwise} end"
