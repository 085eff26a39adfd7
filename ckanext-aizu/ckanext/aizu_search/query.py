"""What is asked for, as a small tree that knows nothing of fields or of the store."""

from dataclasses import dataclass
from enum import Enum

import pysolr

from .functions import FunctionRange

DEFAULT_FIELDS = ""
"""The field of a word that names none: the caller knows which fields that means."""


class Wild(Enum):
    """The two wildcards."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Everything:
    """`*:*`."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word in a field, or a phrase in quotation marks, which means just what is written."""

    field: str
    text: str
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A word with wildcards: literal pieces and `Wild` between them."""

    field: str
    pieces: tuple[str | Wild, ...]

    def __str__(self) -> str:
        return "".join(one.value if isinstance(one, Wild) else one for one in self.pieces)


@dataclass(frozen=True, slots=True)
class Range:
    """`[low TO high]`; None is open."""

    field: str
    low: str | None
    high: str | None
    include_low: bool = True
    include_high: bool = True


@dataclass(frozen=True, slots=True)
class Boost:
    """A part of the query whose score counts `factor` times."""

    query: "Query"
    factor: float


@dataclass(frozen=True, slots=True)
class Clauses:
    """All of `must`, none of `must_not`, and at least `minimum` of `should`."""

    must: tuple["Query", ...] = ()
    should: tuple["Query", ...] = ()
    must_not: tuple["Query", ...] = ()
    minimum: int = 0


Leaf = Term | Pattern | Range
Query = Everything | Boost | Clauses | FunctionRange | Leaf


def unsupported(construct: str) -> pysolr.SolrError:
    """The error for what Solr can do and this engine can not."""
    return pysolr.SolrError(f"Not supported by this search engine: {construct}")
