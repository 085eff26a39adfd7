"""Phrases of lexemes in the notation of PostgreSQL's tsquery."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .text import quoted


@dataclass(frozen=True, slots=True)
class Place:
    """The lexemes of which one must be at a place; with `prefix`, one that so begins."""

    lexemes: tuple[str, ...]
    at: int
    prefix: bool = False


Phrase = Sequence[Place]


@dataclass(frozen=True, slots=True)
class Notation:
    """How a tsquery is written for a field: the label before its lexemes or their weight."""

    label: str
    weight: str

    def either(self, phrases: Iterable[Phrase]) -> str:
        """Any of these phrases."""
        return joined(" | ", dict.fromkeys(self._phrase(one) for one in phrases if one))

    def _phrase(self, phrase: Phrase) -> str:
        found = self._place(phrase[0])
        for before, place in pairwise(phrase):
            found += f" <{place.at - before.at}> {self._place(place)}"
        return found

    def _place(self, place: Place) -> str:
        mark = ("*" if place.prefix else "") + self.weight
        end = f":{mark}" if mark else ""
        return joined(" | ", (quoted(self.label + lexeme) + end for lexeme in place.lexemes))


def joined(operator: str, texts: Iterable[str]) -> str:
    """Texts with an operator between them, in parentheses if there are several."""
    found = list(texts)
    return f"({operator.join(found)})" if len(found) > 1 else "".join(found)
