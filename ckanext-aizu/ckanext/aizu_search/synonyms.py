"""Words that mean the same to whoever looks for data, from a file in Solr's notation."""

from collections.abc import Iterator
from pathlib import Path

_FILE = Path(__file__).with_name("synonyms.txt")


def read() -> Iterator[tuple[str, list[str]]]:
    """Each word with the others that shall be found with it.

    `a, b` finds one with the other, `a => b, c` finds b and c with a but not a with them.
    """
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        left, arrow, right = line.partition("#")[0].partition("=>")
        asked, meant = _words(left), _words(right if arrow else left)
        for word in asked:
            yield word, [other for other in meant if other != word]


def _words(line: str) -> list[str]:
    return [word.strip() for word in line.split(",") if word.strip()]
