"""How text becomes tokens: width, case, accents, and overlapping pairs for scripts without spaces.

Japanese is cut into pairs of characters (消火栓 → 消火, 火栓), each at the place of its first
character. A query is cut in the same way and asks for its pairs side by side, so that any part
of a compound is found. The last character of a run stands alone as well, so that one character
can be asked for by prefix: every character of a run begins exactly one token.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Middle dot (・) and double hyphen (゠) lie inside the katakana block but separate words.
_JOINED = (
    "\u3005-\u3007\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS = re.compile(
    rf"(?P<joined>[{_JOINED}]+)|(?P<number>\d+)|(?P<word>(?:(?![{_JOINED}])[^\W\d_])+)"
)
_LONGEST_TOKEN = 200


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text and the place where it begins; `prefix` stands for all tokens so beginning."""

    text: str
    place: int
    prefix: bool = False


def normalise(text: str) -> str:
    """Full and half width, upper and lower case become one."""
    return unicodedata.normalize("NFKC", text).casefold()


def storable(text: str) -> str:
    """The text without what PostgreSQL takes in no text: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def has_joined_script(text: str) -> bool:
    """Whether the text has characters of a script without spaces."""
    return any(run.lastgroup == "joined" for run in _RUNS.finditer(normalise(text)))


def _unaccented(word: str) -> str:
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFKD", word)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    for run in _RUNS.finditer(normalise(text)):
        joined = run.lastgroup == "joined"
        yield joined, run.group() if joined else _unaccented(run.group())[:_LONGEST_TOKEN]


def document_tokens(text: str) -> Iterator[Token]:
    """The tokens under which a text is found."""
    place = 0
    for joined, run in _runs(text):
        if joined:
            for start in range(len(run)):
                yield Token(run[start : start + 2], place + start)
        else:
            yield Token(run, place)
        place += len(run) if joined else 1


def query_tokens(text: str, *, prefix: bool = False) -> list[Token]:
    """The tokens that a text must have, at these distances, to contain the words asked for."""
    tokens: list[Token] = []
    place = 0
    for joined, run in _runs(text):
        if not joined:
            tokens.append(Token(run, place))
        elif len(run) == 1:
            tokens.append(Token(run, place, prefix=True))
        else:
            tokens += [Token(run[i : i + 2], place + i) for i in range(len(run) - 1)]
        place += len(run) if joined else 1
    if prefix and tokens and not joined:
        tokens[-1] = Token(tokens[-1].text, tokens[-1].place, prefix=True)
    return tokens


def quoted(lexeme: str) -> str:
    """A lexeme in the notation of PostgreSQL's text search types."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def tsquery(tokens: Iterable[Token], *, label: str = "", weight: str = "") -> str:
    """Tokens at their distances in the notation of PostgreSQL's tsquery; a value, never SQL."""
    query = ""
    before = 0
    for token in tokens:
        mark = ("*" if token.prefix else "") + weight
        lexeme = quoted(label + token.text) + (f":{mark}" if mark else "")
        query = f"{query} <{token.place - before}> {lexeme}" if query else lexeme
        before = token.place
    return query


class Vector:
    """A tsvector in the making: texts one after another, each out of reach of its neighbour."""

    # PostgreSQL keeps no place beyond this and at most 256 places of one lexeme.
    LAST_PLACE = 16383
    MOST_PLACES = 255

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._next = 1

    def add(self, text: str, *, label: str = "", weight: str = "") -> None:
        """Append a text; what lies beyond the last place is left out."""
        last = self._next
        for token in document_tokens(text):
            last = self._next + token.place
            if last > self.LAST_PLACE:
                break
            places = self._places.setdefault(label + token.text, [])
            if len(places) < self.MOST_PLACES:
                places.append(f"{last}{weight}")
        self._next = last + 2

    def __str__(self) -> str:
        return " ".join(f"{quoted(text)}:{','.join(at)}" for text, at in self._places.items())
