"""Solr's functions of numbers, as `div(mul(2,views),max(1,size))`, become a small tree."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pysolr

_DEEPEST = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|(?P<name>[^\W\d][\w.]*)|(?P<sign>[(),^]))",
)


@dataclass(frozen=True, slots=True)
class Call:
    """A function and what it is given."""

    name: str
    arguments: tuple["Function", ...]


Function = float | str | Call
"""A number, the name of a field, or a call."""


@dataclass(frozen=True, slots=True)
class FunctionRange:
    """Everything for which a function has a value in a range; None is open."""

    function: Function
    low: float | None
    high: float | None
    include_low: bool = True
    include_high: bool = True


@dataclass(frozen=True, slots=True)
class Weighted:
    """A function whose value counts `factor` times."""

    function: Function
    factor: float = 1


def parse(text: str) -> Function:
    """Read one function."""
    reader = _Reader(text)
    function = reader.function()
    reader.expect("")
    return function


def parse_call(text: str) -> Call:
    """Read one function that is not just a field or a number."""
    function = parse(text)
    if not isinstance(function, Call):
        raise pysolr.SolrError(f"Not a function: '{text[:200]}'")
    return function


def parse_weighted(text: str) -> tuple[Weighted, ...]:
    """Read functions side by side, each with its weight after a `^`, as in Solr's `bf`."""
    return tuple(_Reader(text).weighted())


class _Reader:
    """Reads a text from left to right, one token ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self._advance()

    def _advance(self) -> None:
        match = _TOKEN.match(self._text, self._place)
        if match is None and self._text[self._place :].strip():
            raise self._error()
        self._kind = match.lastgroup if match else None
        self._word = match[match.lastgroup or 0] if match else ""
        self._place = match.end() if match else len(self._text)

    def _error(self) -> pysolr.SolrError:
        return pysolr.SolrError(f"Not a function: '{self._text[:200]}' at {self._place}")

    def _take(self) -> str:
        token = self._word
        self._advance()
        return token

    def expect(self, sign: str) -> None:
        """Pass over a sign; the empty one is the end of the text."""
        if self._word != sign:
            raise self._error()
        self._advance()

    def function(self) -> Function:
        if self._kind == "number":
            return float(self._take())
        if self._kind != "name":
            raise self._error()
        name = self._take()
        return Call(name, tuple(self._arguments())) if self._word == "(" else name

    def _arguments(self) -> Iterator[Function]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise pysolr.SolrError("The function is nested too deeply")
        self.expect("(")
        if self._word != ")":
            yield self.function()
        while self._word == ",":
            self.expect(",")
            yield self.function()
        self.expect(")")
        self._depth -= 1

    def weighted(self) -> Iterator[Weighted]:
        while self._word:
            function, factor = self.function(), 1.0
            if self._word == "^":
                self.expect("^")
                factor = self._number()
            yield Weighted(function, factor)

    def _number(self) -> float:
        if self._kind != "number":
            raise self._error()
        return float(self._take())
