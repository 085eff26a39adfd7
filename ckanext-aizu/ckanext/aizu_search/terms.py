"""What somebody typed becomes a tsquery that also finds other spellings, readings and synonyms.

A tsquery is a value: nothing of it ever becomes part of an SQL statement.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import groupby, takewhile

import pysolr

from . import synonyms
from .characters import hiragana, normalise, unaccented
from .japanese import Part, words
from .notation import Notation, Phrase, Place, joined
from .text import (
    ACROSS,
    BEGINS,
    INSIDE,
    JOINERS,
    READING,
    RUNS,
    Piece,
    has_joined_script,
    pieces,
    runs,
    stem,
)

_MOST_UNITS_OF_A_SYNONYM = 6
_MOST_UNITS_TO_VARY = 30
# So many kanji are no part of something else by chance, but may be cut elsewhere in a text.
_UNMISTAKABLE = 4
_HONORIFICS = ("お", "ご", "御")
LONGEST = 500
"""Characters of a word or phrase: longer than any title, short enough to be answered at once."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a Japanese word, or a word or number of any other script."""

    text: str
    part: Part | None = None
    begins_word: bool = True

    @property
    def normal(self) -> str:
        """One spelling for all."""
        return self.part.normal if self.part else stem(self.text)


Units = Sequence[Unit]
# What lies between two runs: no pair of kanji reaches across it.
_GAP = Unit("")


@lru_cache(maxsize=1024)
def tsquery(
    text: str, *, exact: bool = False, prefix: bool = False, label: str = "", weight: str = ""
) -> str:
    """The tsquery of a text, empty if there is nothing in it to look for.

    `exact` takes the text as it is written, `prefix` also finds words that go on after it.
    """
    if len(text := normalise(text)) > LONGEST:
        raise pysolr.SolrError(
            f"A word of the query is too long: {len(text)} characters, at most {LONGEST}"
        )
    notation = Notation(label, weight)
    found = map(notation.either, phrases(text, exact=exact, prefix=prefix))
    return joined(" & ", filter(None, found))


def phrases(text: str, *, exact: bool = False, prefix: bool = False) -> Iterator[list[Phrase]]:
    """For each stretch of a text the phrases of which one must be there."""
    if exact or prefix:
        yield _phrases(_unfinished(text), prefix=True) if prefix else _phrases(_units(text))
        return
    for segment in segments(text):
        spelled = [segment, *alternatives(segment)]
        found = [phrase for units in spelled for phrase in _phrases(units)]
        yield [*found, *_apart(segment), *_reading(segment)]


# -- what was typed, unit by unit -------------------------------------------------------------


def _units(text: str) -> list[Unit]:
    units: list[Unit] = []
    for is_japanese, run in runs(text):
        if units:
            units.append(_GAP)
        units += _japanese(run) if is_japanese else [Unit(run)]
    return units


def _japanese(run: str) -> list[Unit]:
    return [
        Unit(part.surface, part, begins_word=number == 0)
        for word in words(run)
        for number, part in enumerate(word.parts)
    ]


def _unfinished(text: str) -> list[Unit]:
    """The analyser is not asked for the last run, as it would make words of half a word."""
    *_, last = [None, *RUNS.finditer(text)]
    if last is None:
        return []
    run = last.group()
    part = Part(run, run, run, is_noun=True) if last.lastgroup == "joined" else None
    return [*_units(text[: last.start()]), _GAP, Unit(run if part else unaccented(run), part)]


def segments(text: str) -> list[list[Unit]]:
    """Stretches that must all be there; の between two longer words leaves them free to part."""
    units = _units(text)
    found: list[list[Unit]] = [[]]
    for at, unit in enumerate(units):
        if unit.text in JOINERS and _is_long(found[-1]) and _is_long(units[at + 1 :]):
            found.append([])
        else:
            found[-1].append(unit)
    return [segment for segment in found if segment]


def _is_long(units: Units) -> bool:
    """Whether what stands beside a joiner can be looked for alone: 避難所の一覧, not 道の駅."""
    segment = list(takewhile(lambda unit: unit.text not in JOINERS, units))
    # Of mere hiragana the analyser sees joiners where there are none (しょうかせん).
    sure = any(not _is_hiragana(unit.normal) for unit in segment)
    return sure and sum(len(unit.text) for unit in segment) > 1


def _is_hiragana(text: str) -> bool:
    return all("\u3041" <= character <= "\u3096" for character in text)


# -- other ways to say it ---------------------------------------------------------------------


def alternatives(segment: Units) -> Iterator[Units]:
    """The segment in normal spelling, with synonyms, and without の and the like."""
    if len(segment) > _MOST_UNITS_TO_VARY:
        return
    for units in (segment, *_with_synonyms(segment)):
        if units is not segment:
            yield units
        normal = [other for unit in units for other in _normal(unit)]
        # A single kanji would be found in every word that has it; さくら is found by its reading.
        if normal != list(units) and sum(len(unit.text) for unit in normal) > 1:
            yield normal
    if len(rest := [unit for unit in segment if unit.text not in JOINERS]) < len(segment):
        yield rest
    if segment[0].text in _HONORIFICS and _is_long(segment):
        yield segment[1:]


def _normal(unit: Unit) -> list[Unit]:
    """The unit in normal spelling, which for 六 is no Japanese word but a number."""
    if unit.part is None or not has_joined_script(unit.normal):
        return _units(unit.normal) if unit.part else [unit]
    return [Unit(unit.normal, unit.part)]


def _with_synonyms(segment: Units) -> Iterator[Units]:
    """The segment with its longest part that has synonyms replaced by each of them."""
    size = len(segment)
    for length in range(min(size, _MOST_UNITS_OF_A_SYNONYM), 0, -1):
        for start in range(size - length + 1):
            end = start + length
            if others := _synonyms().get(_spelling(segment[start:end])):
                for other in others:
                    yield [*segment[:start], *_units(other), *segment[end:]]
                return


@cache
def _synonyms() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, others in synonyms.read():
        found.setdefault(_spelling(_units(word)), []).extend(others)
    return found


def _spelling(units: Units) -> str:
    return "".join(hiragana(unit.normal) for unit in units)


def _reading(segment: Units) -> Iterator[Phrase]:
    """How it is read, if it is written in kana, wholly or in part (消火せん).

    Kanji are not: 公園 is read like 講演.
    """
    found = [unit.part for unit in segment if unit.part]
    in_kana = [part.surface for part in found if _is_kana(part.surface)]
    if len(found) < len(segment) or JOINERS.issuperset(in_kana):
        return
    reading = "".join(
        hiragana(part.surface) if part.surface in in_kana else part.reading for part in found
    )
    yield [Place((READING + reading,), 0)]


def _is_kana(text: str) -> bool:
    return not any(piece.is_kanji for piece in pieces([text]))


def _apart(segment: Units) -> Iterator[Phrase]:
    """A compound with a character or two between its words: 公共施設一覧 in 公共施設等一覧."""
    if len(segment) > _MOST_UNITS_TO_VARY:
        return
    for at, unit in enumerate(segment):
        before, after = segment[:at], segment[at:]
        if unit.begins_word and unit.text and _is_long(before) and _is_long(after):
            left, right = _phrases(before)[0], _phrases(after)[0]
            width = sum(1 if isinstance(item, str) else item.width for item in _items(before))
            for gap in (1, 2):
                yield [*left, *(replace(place, at=place.at + width + gap) for place in right)]


# -- phrases ----------------------------------------------------------------------------------


def _phrases(units: Units, *, prefix: bool = False) -> list[Phrase]:
    """Where which lexemes must be; a run of kanji at the beginning can be there in two ways."""
    items = list(_items(units))
    if not items:
        return []
    first = items[0]
    if not (isinstance(first, Piece) and first.is_kanji and 1 < len(first.text) < _UNMISTAKABLE):
        return [_phrase(items, prefix=prefix)]
    pairs = [first.text[at : at + 2] for at in range(len(first.text) - 1)]
    rest = _phrase(items, prefix=prefix)[len(pairs) :]
    # From the beginning of a word on across any number of words, or within one word.
    across = [Place((BEGINS + pairs[0],), 0), *_kanji(pairs, 0)[1:]]
    within = [Place((pair,), at) for at, pair in enumerate(pairs)]
    if len(pairs) == 1:
        return [[Place((BEGINS + pairs[0], pairs[0]), 0), *rest]]
    return [[*across, *rest], [*within, *rest]]


def _items(units: Units) -> Iterator[Piece | str]:
    for is_japanese, group in groupby(units, lambda unit: unit.part is not None):
        texts = [unit.text for unit in group]
        yield from pieces(texts) if is_japanese else filter(None, texts)


def _phrase(items: Sequence[Piece | str], *, prefix: bool) -> Phrase:
    phrase: list[Place] = []
    at = 0
    for number, item in enumerate(items):
        last = prefix and number == len(items) - 1
        if isinstance(item, str):
            phrase.append(Place((item if last else stem(item),), at, last))
        elif item.is_kanji and len(item.text) > 1:
            pairs = [item.text[start : start + 2] for start in range(len(item.text) - 1)]
            phrase += _kanji(pairs, at)
        elif item.is_kanji and number < len(items) - 1:
            # What follows is no kanji: in the text it must be the last of its run as well.
            phrase.append(Place((item.text if number else BEGINS + item.text,), at))
        elif item.is_kanji:
            phrase.append(Place((item.text,), at, prefix=True))
        else:
            # After others it may be found as a word or within one, whichever it is here.
            token = item.token.removeprefix(INSIDE)
            phrase.append(Place((token, INSIDE + token) if number else (token,), at, last))
        at += 1 if isinstance(item, str) else item.width
    return phrase


def _kanji(pairs: Sequence[str], at: int) -> list[Place]:
    return [Place((pair, ACROSS.join(pair)), at + number) for number, pair in enumerate(pairs)]
