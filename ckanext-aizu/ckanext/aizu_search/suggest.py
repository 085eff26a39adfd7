"""What somebody who is typing may want: tags and titles of which a word so begins."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import fields, storage
from .characters import hiragana, normalise, storable
from .japanese import AFTER_NUMBER, parts, words
from .readers import SETTINGS, VISIBLE
from .terms import tsquery
from .text import READING, quoted, runs

# Tags come first, but leave room for datasets.
_MOST_TAGS = 3
_MOST_READ = 100
_LONGEST = 100
# How a text was found: it so begins, a word in it does, or in a way only the index knows.
_AT_ONCE, _AT_A_WORD, _OTHERWISE = range(3)
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_KANA = re.compile("[\u3041-\u3096\u30fc]+")

# Both first ask what the index answers alone: to look into thousands of vectors for the places and
# weights of words takes longer than all the rest.
_TAGS = f"""
    select tag as text, tag as name, count(*) as count
    from aizu_search.dataset d, unnest(d.tags) tag
    where {VISIBLE} and d.dataset_type = %(type)s and d.headline @@ %(loosely)s::tsquery
    group by tag
    having %(is_kana)s or position(%(typed)s in lower(normalize(tag, NFKC))) > 0
    order by count(*) desc, tag limit {_MOST_READ}
"""
# A title in the reader's language stands in a field of its own, such as `title_en`.
_TITLES = f"""
    select coalesce(nullif(other -> %(translation)s ->> 0, ''), title_string) as text, name
    from (
        select d.index_id, d.name, d.title_string, d.other,
            starts_with(lower(d.title_string), %(typed)s) as at_once
        from aizu_search.dataset d
        where {VISIBLE} and d.dataset_type = %(type)s and (
            d.headline @@ %(loosely)s::tsquery or d.labelled @@ %(in_translation)s::tsquery
        )
        order by at_once desc, length(d.title_string), d.name
    ) found
    where (
        select d.headline @@ %(in_title)s::tsquery or d.labelled @@ %(in_translation)s::tsquery
        from aizu_search.dataset d where d.index_id = found.index_id
    )
    limit {_MOST_READ}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A tag with the number of its datasets, or a dataset."""

    kind: str
    text: str
    name: str
    count: int | None = None


def suggestions(
    typed: str,
    limit: int,
    *,
    dataset_type: str,
    languages: Sequence[str],
    reader: Mapping[str, Any],
) -> list[Suggestion]:
    """The best tags and titles, those that begin as typed before those of which a word does.

    A title may be found in any of the languages; it is shown in the first, if it is there.
    """
    typed = _EDGES.sub("", normalise(storable(typed[:_LONGEST])))
    if not typed:
        return []
    values = {
        **reader,
        "type": dataset_type,
        "typed": typed,
        "is_kana": bool(_KANA.fullmatch(hiragana(typed))),
        "translation": f"title_{languages[0]}",
        "loosely": re.sub(r"<\d+>", "&", _beginning(typed)),
        "in_title": _beginning(typed, weight=fields.HEADLINE["title"]),
        "in_translation": " | ".join(
            filter(
                None,
                (
                    _beginning(typed, label=fields.label(f"extras_title_{language}"))
                    for language in languages
                ),
            )
        ),
    }
    with storage.reading() as connection:
        connection.exec_driver_sql(SETTINGS)
        tags = connection.exec_driver_sql(_TAGS, values).mappings().all()
        titles = connection.exec_driver_sql(_TITLES, values).mappings().all()
    return chosen(
        typed,
        [Suggestion(kind="tag", **one) for one in tags],
        [Suggestion(kind="dataset", **one) for one in titles],
        limit,
    )


def _beginning(typed: str, *, label: str = "", weight: str = "") -> str:
    """The tsquery of all words typed, the last of which may go on, or be read as it begins."""
    *before, last = typed.split()
    found = [tsquery(word, label=label, weight=weight) for word in before]
    either = [tsquery(last, prefix=True, label=label, weight=weight)]
    if _KANA.fullmatch(kana := hiragana(last)):
        either.append(f"{quoted(label + READING + kana)}:*{weight}")
    found.append(" | ".join(filter(None, either)))
    return " & ".join(f"({one})" for one in found if one)


# -- order ------------------------------------------------------------------------------------


def chosen(
    typed: str, tags: Iterable[Suggestion], datasets: Iterable[Suggestion], limit: int
) -> list[Suggestion]:
    """The best of what was found: as many tags as leave room for the datasets."""
    asked = _joined(typed)
    # Tags come with the datasets that were found, which have others, too.
    best_tags = _best(asked, (tag for tag in tags if _rank(tag.text, asked) != _OTHERWISE))
    room_for_tags = min(_MOST_TAGS, limit // 2, len(best_tags))
    best_datasets = _best(asked, datasets)
    # What is found in a way that nobody sees is better than nothing, and no more than that.
    seen = [one for one in best_datasets if _rank(one.text, asked) != _OTHERWISE]
    best_datasets = (seen or best_datasets)[: limit - room_for_tags]
    best = best_tags[: limit - len(best_datasets)] + best_datasets
    return sorted(best, key=lambda one: _rank(one.text, asked))


def _best(asked: str, found: Iterable[Suggestion]) -> list[Suggestion]:
    """In order, each text once: frequent tags and short titles first."""
    unique = {one.text: one for one in found}.values()
    return sorted(
        unique, key=lambda one: (_rank(one.text, asked), -(one.count or 0), len(one.text), one.text)
    )


def _rank(text: str, asked: str) -> int:
    first, others = _beginnings(text)
    if any(one.startswith(asked) for one in first):
        return _AT_ONCE
    return _AT_A_WORD if any(one.startswith(asked) for one in others) else _OTHERWISE


@lru_cache(maxsize=16384)
def _beginnings(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The text as written and as read; the same from each further word on."""
    first: set[str] = set()
    others: set[str] = set()
    for units in _spellings(text):
        for form in zip(*units, strict=True):
            first.add(hiragana("".join(form)))
            others.update(hiragana("".join(form[at:])) for at in range(1, len(form)))
    return frozenset(first), frozenset(others)


def _spellings(text: str) -> Iterator[list[tuple[str, str]]]:
    """The words of a text with their readings, and the same with the parts of words."""
    for split in (_words, _parts):
        yield [
            unit for joined, run in runs(text) for unit in (split(run) if joined else [(run, run)])
        ]


def _words(run: str) -> list[tuple[str, str]]:
    return [("".join(part.surface for part in word.parts), word.reading) for word in words(run)]


def _parts(run: str) -> list[tuple[str, str]]:
    return [(part.surface, part.reading) for part in parts(run)]


def _joined(text: str) -> str:
    """A text in the form in which texts are compared."""
    found = ((run.removeprefix(AFTER_NUMBER) if joined else run) for joined, run in runs(text))
    return hiragana("".join(found))
