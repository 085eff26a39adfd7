"""Where in a text the words of a search stand, found as the index finds them and shown by `<mark>`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import pysolr
from markupsafe import Markup, escape

from .characters import KANJI, hiragana, normalise
from .japanese import located_readings, parts
from .lucene import parse_words
from .notation import Phrase, Place
from .query import DEFAULT_FIELDS, Boost, Clauses, Pattern, Query, Term, Wild
from .terms import phrases
from .text import (
    BEGINS,
    INSIDE,
    READING,
    RUNS,
    Token,
    document_tokens,
    in_context,
    located,
    normal_units,
)

Span = tuple[int, int]
Found = Iterator[tuple[Token, Span]]
Index = dict[str, list[tuple[int, Span]]]


_SHOWN_FIELDS = {DEFAULT_FIELDS, "text", "title", "notes"}
# A search of more words, and what stands beyond in a text, is not worth the time.
_MOST_PHRASES = 500
_LONGEST = 4000
_SHORT = 100
_GAP = 10
# A character and what only changes it: accents and the two marks of kana, also in half width.
_CLUSTERS = re.compile("(?s).[\u0300-\u036f\u3099\u309a\uff9e\uff9f]*")
_PAIR = re.compile(f"[{KANJI}]")
_PART_OF_WORD = re.compile(r"^[!-~]*\s*")
_STOPS = re.compile(r"[。．！？!?]\s*|\.\s+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is worth looking for: a text of a page is read as it is shown, and reading takes time.

    With `letters` only runs that have one of them are read, which may miss another spelling.
    """

    readings: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()

    def is_in(self, run: str) -> bool:
        """Whether a run may have a hit."""
        return not self.letters or not self.letters.isdisjoint(hiragana(run))


def marked(text: str, query: str) -> Markup:
    """The text with everything marked for which a search with this query finds it."""
    return _marked(text, hits(text, query))


def excerpt(text: str, query: str, length: int) -> Markup:
    """So many characters around the first hits, marked; nothing if there is no hit."""
    found = hits(text, query)
    if not found:
        return Markup()
    begin, end = _window(text, found[0], length)
    inside = [(start - begin, stop - begin) for start, stop in found if begin <= start < end]
    before, after = "…" * (begin > 0), "…" * (end < len(text))
    return before + _marked(text[begin:end], inside) + after


def _marked(text: str, found: Iterable[Span]) -> Markup:
    shown, at = Markup(), 0
    for start, end in found:
        shown += escape(text[at:start]) + Markup("<mark>{}</mark>").format(text[start:end])
        at = end
    return shown + escape(text[at:])


def _window(text: str, first: Span, length: int) -> Span:
    """From the beginning of the sentence of the first hit, if that is near, on."""
    start, stop = first
    begin = 0 if stop <= length * 2 // 3 else _beginning(text, start, length // 3)
    end = max(begin + length, stop)
    if end < len(text):
        whole_words = re.sub(r"[!-~]+$", "", text[begin:end]).rstrip(" 、,")
        end = max(begin + len(whole_words), stop)
    return begin, min(end, len(text))


def _beginning(text: str, start: int, before: int) -> int:
    """Where the first sentence begins that does so shortly before a place, or else a word."""
    near = max(0, start - before)
    sentence = _STOPS.search(text, near, start)
    return sentence.end() if sentence else start - len(_PART_OF_WORD.sub("", text[near:start]))


# -- hits -------------------------------------------------------------------------------------


def hits(text: str, query: str) -> list[Span]:
    """Where the words asked for stand: beginnings and ends, in order and apart from one another."""
    asked = _asked(query)
    if not asked:
        return []
    text = text[:_LONGEST]
    folded, origin = _folded(text)
    index: Index = {}
    for token, span in _tokens(folded, _wanted(asked, len(text))):
        index.setdefault(token.text, []).append((token.place, span))
    spans = {span for phrase in asked for span in _standing(phrase, index)}
    return _joined((origin[start][0], origin[end - 1][1]) for start, end in spans)


@lru_cache(maxsize=256)
def _asked(query: str) -> tuple[Phrase, ...]:
    """The phrases of which a text has some if the search finds it."""
    try:
        terms = list(_terms(parse_words(query, "100%")))
    except pysolr.SolrError:
        return ()
    found = (phrase for term in terms for phrase in term if phrase)
    return tuple(phrase for phrase, _ in zip(found, range(_MOST_PHRASES), strict=False))


def _terms(query: Query) -> Iterator[Iterator[Phrase]]:
    """The phrases of each word that is asked for, not of those that must be absent."""
    match query:
        case Boost():
            yield from _terms(query.query)
        case Clauses():
            for one in (*query.must, *query.should):
                yield from _terms(one)
        case Term(field=field) if field in _SHOWN_FIELDS:
            stretches = phrases(query.text, exact=query.is_quoted)
            yield (phrase for stretch in stretches for phrase in stretch)
        case Pattern(field=field, pieces=(str(begun), Wild.MANY)) if field in _SHOWN_FIELDS:
            yield (phrase for stretch in phrases(begun, prefix=True) for phrase in stretch)


def _wanted(asked: Iterable[Phrase], length: int) -> Wanted:
    lexemes = {lexeme for phrase in asked for place in phrase for lexeme in place.lexemes}
    readings = frozenset(one for one in lexemes if one.startswith(READING))
    if readings or length <= _SHORT:
        return Wanted(readings=readings)
    return Wanted(letters=frozenset(one.lstrip(BEGINS + INSIDE)[0] for one in lexemes))


def _standing(phrase: Phrase, index: Index) -> Iterator[Span]:
    """What a text has of a phrase, wherever it has all of it."""
    first, *rest = [_places(place, index) for place in phrase]
    for at, spans in first.items():
        others = [
            found.get(at + place.at - phrase[0].at)
            for place, found in zip(phrase[1:], rest, strict=True)
        ]
        if all(others):
            yield from spans
            yield from (span for other in others for span in other or ())


def _places(place: Place, index: Index) -> dict[int, list[Span]]:
    """Where something stands that may be at this place of a phrase."""
    tokens: Iterable[str] = place.lexemes
    if place.prefix:
        tokens = [token for token in index if token.startswith(place.lexemes)]
    found: dict[int, list[Span]] = {}
    for token in tokens:
        for at, (start, end) in index.get(token, ()):
            # Of a pair only the kanji that was asked for; of a word that was begun all.
            end = start + 1 if place.prefix and _PAIR.search(token) else end
            found.setdefault(at, []).append((start, end))
    return found


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


# -- the tokens of a text and where they stand ------------------------------------------------


def _folded(text: str) -> tuple[str, list[Span]]:
    """The text as the index sees it, and for each of its characters where that comes from."""
    folded, origin = "", []
    for cluster in _CLUSTERS.finditer(text):
        characters = normalise(cluster.group())
        folded += characters
        origin += [cluster.span()] * len(characters)
    return folded, origin


def _tokens(folded: str, wanted: Wanted) -> Found:
    """The tokens with the characters they stand for, of readings those that are wanted."""
    place = 0
    for run in RUNS.finditer(folded):
        if run.lastgroup != "joined":
            yield from (
                (Token(one.text, place), run.span()) for one in document_tokens(run.group())
            )
            place += 1
            continue
        text = in_context(folded, run)
        if not wanted.is_in(run.group()):
            # So many places that nothing reaches across.
            place += len(run.group()) + _GAP
            continue
        found, width = _japanese(text)
        found += [
            (Token(READING + reading, 0), (start, end))
            for reading, start, end in (located_readings(text) if wanted.readings else ())
            if READING + reading in wanted.readings
        ]
        for token, (start, end) in found:
            yield Token(token.text, place + token.place), (run.start() + start, run.start() + end)
        place += width


def _japanese(run: str) -> tuple[list[tuple[Token, Span]], int]:
    """The tokens of a run as it is written, and in normal spelling, each with its characters."""
    found = parts(run)
    tokens, width = located([part.surface for part in found])
    spans = [(token, (start, end)) for token, start, end in tokens]
    if normal := normal_units(found):
        tokens, _ = located(normal)
        ends = list(accumulate(len(part.surface) for part in found))
        origin = [
            (ends[number] - len(found[number].surface), ends[number])
            for number, unit in enumerate(normal)
            for _ in unit
        ]
        spans += [(token, (origin[start][0], origin[end - 1][1])) for token, start, end in tokens]
    return spans, width
