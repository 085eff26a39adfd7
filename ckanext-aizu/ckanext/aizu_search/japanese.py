"""Japanese text becomes words and their parts, with a normal form and a reading of each."""

import re
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from sudachipy import Dictionary, SplitMode, Tokenizer
from sudachipy import Morpheme as Found

from .characters import hiragana, normalise

# Nouns, what is put before and after them, and adjectival nouns.
_NOUNS = {"名詞", "接頭辞", "接尾辞", "形状詞"}
AFTER_NUMBER = "0"
"""Put before a text that follows a number: the analyser needs it to see 年|商業 and not 年商|業."""
# Behind other kanji the analyser cuts these wrongly (都下|水道, 都市|町村).
_UNITS = re.compile("(市町村|下水道)")
# The analyser takes 49,149 bytes at a time; a text this long without a space has no words to lose.
_LONGEST = 4000
_LONGEST_READING = 30
_MOST_PARTS = 3
# 所 is read so or so after the same word; dictionaries and people differ.
_TWO_READINGS = {"しょ": "じょ", "じょ": "しょ"}
_local = threading.local()


@dataclass(frozen=True, slots=True)
class Part:
    """The shortest unit: `normal` is the same for all spellings (取組, 取り組み)."""

    surface: str
    normal: str
    reading: str
    is_noun: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A word of one or more parts; its reading may be another than theirs one by one."""

    parts: tuple[Part, ...]
    reading: str


@lru_cache(maxsize=256)
def words(run: str) -> tuple[Word, ...]:
    """The words of a normalised text that has no spaces, which may begin with `AFTER_NUMBER`."""
    return tuple(word for chunk in _chunks(run) for word in _words(chunk))


def _chunks(run: str) -> Iterator[str]:
    for unit in _UNITS.split(run):
        yield from (unit[at : at + _LONGEST] for at in range(0, len(unit), _LONGEST))


def _words(chunk: str) -> Iterator[Word]:
    before = len(AFTER_NUMBER) if chunk.startswith(AFTER_NUMBER) else 0
    tokenizer = _tokenizer()
    # Twice, because `split` of a long unit fails in SudachiPy 0.7.0 (out of bounds).
    short = deque(tokenizer.tokenize(chunk, mode=SplitMode.A))
    for found in tokenizer.tokenize(chunk, mode=SplitMode.C):
        inside = []
        while short and short[0].end() <= found.end():
            inside.append(_part(short.popleft(), before))
        if found.end() > before:
            reading = hiragana(found.reading_form())
            yield Word(tuple(part for part in inside if part.surface), reading)


def parts(run: str) -> list[Part]:
    """The parts of all words; their surfaces joined are the text."""
    return [part for word in words(run) for part in word.parts]


def _tokenizer() -> Tokenizer:
    """One for each thread, over a dictionary that all share."""
    if not hasattr(_local, "tokenizer"):
        _local.tokenizer = _dictionary().tokenizer()
    tokenizer: Tokenizer = _local.tokenizer
    return tokenizer


@cache
def _dictionary() -> Dictionary:
    return Dictionary(dict="core")


def _part(found: Found, before: int) -> Part:
    if found.begin() < before:
        rest = found.surface()[before - found.begin() :]
        return Part(rest, rest, "", is_noun=False)
    is_noun = found.part_of_speech()[0] in _NOUNS
    surface = found.surface()
    normal = normalise(found.normalized_form()) if is_noun else surface
    return Part(surface, normal or surface, hiragana(found.reading_form()), is_noun)


def readings(run: str) -> set[str]:
    """How the nouns of a text are read, alone and up to three in a row: しょうかせん, せん, …."""
    return {reading for reading, _, _ in located_readings(run)}


def located_readings(run: str) -> Iterator[tuple[str, int, int]]:
    """The same, each with where it begins and ends."""
    short: list[tuple[Part, int, int]] = []
    long: list[tuple[Part, int, int]] = []
    text = run.removeprefix(AFTER_NUMBER)
    end = 0
    for word in words(run):
        start = end
        for part in word.parts:
            short.append((part, end, end + len(part.surface)))
            end += len(part.surface)
        whole = Part(text[start:end], "", word.reading, is_noun=True)
        is_noun = all(part.is_noun for part in word.parts)
        long.append((whole if is_noun else word.parts[-1], start, end))
    yield from _spans(short)
    yield from _spans(long)


def _spans(units: list[tuple[Part, int, int]]) -> Iterator[tuple[str, int, int]]:
    for number, (first, start, _) in enumerate(units):
        if not first.is_noun:
            continue
        reading = ""
        for unit, _, end in units[number : number + _MOST_PARTS]:
            reading += unit.reading
            if len(reading) > _LONGEST_READING or not (unit.is_noun or unit.surface == "の"):
                break
            if unit.is_noun:
                yield from ((one, start, end) for one in _with_variant(reading, unit))


def _with_variant(reading: str, last: Part) -> Iterator[str]:
    yield reading
    if last.surface.endswith("所") and (other := _TWO_READINGS.get(reading[-2:])):
        yield reading[:-2] + other
