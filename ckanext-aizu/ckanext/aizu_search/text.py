"""How text becomes tokens, and tokens the tsvector under which a dataset is found.

Kanji are cut into pairs (消火栓 → 消火, 火栓), each at the place of its first character, so that any
part of a compound can be asked for; kana, letters and digits stay together as the analyser finds
them. Three marks keep 京都 from finding 東京都: `BEGINS` is put before a second copy of a token where
a word begins, `ACROSS` stands inside a pair that lies across two words, `INSIDE` before kana that
go on with a word. What sounds the same, `READING`, is a token of its own. No character of a word
is one of the marks.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from Stemmer import Stemmer

from .characters import KANA, KANJI, hiragana, normalise, unaccented
from .japanese import AFTER_NUMBER, Part, parts, readings

BEGINS, ACROSS, INSIDE, READING = "^", "|", "~", "="
# Single kana that join words: 避難所の一覧 is 避難所一覧, 霞ヶ関 is 霞が関.
JOINERS = frozenset("のがをにはへとでやもかヶケヵカ")
_COUNTED = frozenset("かヶケヵカ")
RUNS = re.compile(
    rf"(?P<joined>[{KANJI}{KANA}]+)|(?P<number>\d+)|(?P<word>(?:(?![{KANJI}{KANA}])[^\W\d_])+)"
)
_SCRIPTS = re.compile(rf"(?P<kanji>[{KANJI}]+)|[{KANA}]+")
_JAPANESE = re.compile(rf"[{KANJI}{KANA}]+")
_LONGEST_TOKEN = 200
_SHORT = 100
_english = Stemmer("english")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one script: a run of kanji with the places where words begin, or a word."""

    text: str
    is_kanji: bool = False
    begins: frozenset[int] = frozenset()
    goes_on: bool = False

    @property
    def is_joiner(self) -> bool:
        """Whether it only joins what stands around it."""
        return not self.is_kanji and self.text in JOINERS

    @property
    def width(self) -> int:
        """How many places it takes; a joiner takes none, so that it may be left out."""
        return len(self.text) if self.is_kanji else int(not self.is_joiner)

    @property
    def token(self) -> str:
        """The token of anything but kanji."""
        if self.is_joiner:
            return "が" if self.text in _COUNTED else hiragana(self.text)
        return (INSIDE if self.goes_on else "") + hiragana(self.text)[:_LONGEST_TOKEN]

    def pair(self, start: int) -> str:
        """The token that begins with one of the kanji: a pair, of the last one itself alone."""
        pair = self.text[start : start + 2]
        return ACROSS.join(pair) if start + 1 in self.begins else pair


class Token(NamedTuple):
    """What is looked up, at a place."""

    text: str
    place: int


def runs(text: str) -> Iterator[tuple[bool, str]]:
    """Stretches of a text between spaces and signs, and whether they are Japanese.

    A Japanese one that follows a number says so with `AFTER_NUMBER` before it.
    """
    normal = normalise(text)
    for run in RUNS.finditer(normal):
        is_japanese = run.lastgroup == "joined"
        yield is_japanese, in_context(normal, run) if is_japanese else unaccented(run.group())


def in_context(text: str, run: re.Match[str]) -> str:
    """A Japanese run as the analyser is to see it."""
    before = text[max(run.start() - 1, 0) : run.start()]
    return (AFTER_NUMBER if before.isdecimal() else "") + run.group()


def has_joined_script(text: str) -> bool:
    """Whether some of the text is Japanese."""
    return any(joined for joined, _ in runs(text))


def pieces(units: Sequence[str]) -> Iterator[Piece]:
    """The pieces of Japanese text that is given part by part."""
    begins = [0, *accumulate(map(len, units))]
    for found in _SCRIPTS.finditer("".join(units)):
        start, end = found.span()
        first = bisect_left(begins, start)
        is_begin = begins[first] == start
        inside = [at - start for at in begins[first + is_begin : bisect_left(begins, end)]]
        if found.lastgroup:
            yield Piece(found.group(), is_kanji=True, begins=frozenset((0, *inside)))
            continue
        edges = [0, *inside, end - start]
        for here, there in zip(edges, edges[1:], strict=False):
            goes_on = not here and not is_begin
            yield Piece(found.group()[here:there], goes_on=goes_on)


def stem(word: str) -> str:
    """The stem of an English word; of three letters there is none, as AED would be A."""
    if len(word) < 4:
        return word
    found: str = _english.stemWord(word)
    return found[:_LONGEST_TOKEN]


def document_tokens(text: str) -> Iterable[Token]:
    """The tokens under which a text is found; of a long one no more are made than are taken."""
    return _short(text) if len(text) <= _SHORT else _tokens_of(text)


def _tokens_of(text: str) -> Iterator[Token]:
    place = 0
    for joined, run in runs(text):
        tokens, width = _japanese(run) if joined else _word(run)
        for token, at in tokens:
            yield Token(token, place + at)
        place += width


@lru_cache(maxsize=4096)
def _short(text: str) -> Sequence[Token]:
    """Names of files, formats, tags and departments come again and again."""
    return tuple(_tokens_of(text))


def _word(word: str) -> tuple[Sequence[Token], int]:
    return [Token(token, 0) for token in dict.fromkeys((word[:_LONGEST_TOKEN], stem(word)))], 1


@lru_cache(maxsize=4096)
def _japanese(run: str) -> tuple[Sequence[Token], int]:
    """The tokens of a run as it is written and in normal spelling, and how it is read."""
    found = parts(run)
    tokens, width = _tokens([part.surface for part in found])
    if normal := normal_units(found):
        # It may reach into the next run, which begins where it is written.
        tokens = list(dict.fromkeys(tokens + _tokens(normal)[0]))
    return tokens + [Token(READING + reading, 0) for reading in sorted(readings(run))], width


def normal_units(found: Sequence[Part]) -> list[str]:
    """The parts in normal spelling, nothing if they are written so already."""
    normal = [part.normal if _JAPANESE.fullmatch(part.normal) else part.surface for part in found]
    return normal if normal != [part.surface for part in found] else []


def _tokens(units: Sequence[str]) -> tuple[list[Token], int]:
    found, width = located(units)
    return [token for token, _, _ in found], width


def located(units: Sequence[str]) -> tuple[list[tuple[Token, int, int]], int]:
    """The tokens of Japanese text that is given part by part, and of which characters each is."""
    tokens: list[tuple[Token, int, int]] = []
    place = start = 0
    found = list(pieces(units))
    for before, piece, after in zip([None, *found], found, [*found[1:], None], strict=False):
        end = start + len(piece.text)
        if piece.is_kanji:
            for token, at in _pairs(piece):
                here = start + at
                tokens.append((Token(token, place + at), here, min(here + 2, end)))
        else:
            tokens.append((Token(piece.token, place), start, end))
        if piece.is_joiner and before and after and before.is_kanji and after.is_kanji:
            # As if it were not there.
            across = Token(before.text[-1] + ACROSS + after.text[0], place - 1)
            tokens.append((across, start - 1, end + 1))
        start, place = end, place + piece.width
    return tokens, place


def _pairs(piece: Piece) -> Iterator[tuple[str, int]]:
    for start in range(len(piece.text)):
        yield piece.pair(start), start
        if start in piece.begins:
            yield BEGINS + piece.text[start : start + 2], start


def quoted(lexeme: str) -> str:
    """A lexeme in the notation of PostgreSQL's text search types."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


class Vector:
    """A tsvector in the making: texts one after another, each out of reach of its neighbour."""

    # PostgreSQL keeps no place beyond this, at most 256 places of one lexeme, and 1 MiB in all.
    LAST_PLACE = 16383
    MOST_PLACES = 255
    MOST_BYTES = 1_000_000

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._next = 1
        self._bytes = 0

    def add(self, text: str, *, label: str = "", weight: str = "") -> None:
        """Append a text; what lies beyond the last place is left out."""
        first = last = self._next
        for token, place in document_tokens(text):
            at = first + place
            if at > self.LAST_PLACE:
                break
            if at > last:
                last = at
            places = self._places.get(label + token)
            if places is None:
                self._bytes += len((label + token).encode()) + 4
                if self._bytes > self.MOST_BYTES:
                    break
                places = self._places[label + token] = []
            if len(places) < self.MOST_PLACES:
                places.append(f"{at}{weight}")
                self._bytes += 2
        self._next = last + 2

    def __str__(self) -> str:
        return " ".join(f"{quoted(text)}:{','.join(at)}" for text, at in self._places.items())
