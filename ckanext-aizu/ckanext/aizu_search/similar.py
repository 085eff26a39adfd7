"""Datasets like another one: those that share rare words of title, tags and groups with it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import storage
from .characters import KANJI, hiragana
from .japanese import parts
from .readers import SETTINGS, VISIBLE
from .text import BEGINS, INSIDE, READING, document_tokens, quoted, runs

_WEIGHTS = {"tags": 3.0, "title_string": 2.0, "groups": 1.0}
_MOST_WORDS = 40
# Who shares less than this part of what a dataset shares with any other is not like it. Nor is who
# shares no more than a rare word would be worth if it had no weight.
_LEAST_SHARED = 0.3

_KANJI = re.compile(f"[{KANJI}]")

_DATASET = """
    select id, title_string, tags, groups, dataset_type from aizu_search.dataset d
    where d.site_id = %(site)s and (d.id = %(wanted)s or d.name = %(wanted)s)
"""
# A word that more than a twentieth of all datasets have says little of any, and would cost the most.
_SIMILAR = f"""
    with word as (select * from unnest(%(queries)s::text[], %(weights)s::float8[]) w (query, weight)),
    everything as (select count(*) as number from aizu_search.dataset),
    hit as materialized (
        select query, weight, id from word, lateral (
            select d.id from aizu_search.dataset d
            where d.headline @@ query::tsquery and {VISIBLE} and d.dataset_type = %(type)s
            limit (select greatest(50, number / 20) + 1 from everything)
        ) found
    ),
    telling as (
        select query, weight * ln(number::float8 / count(*)) as worth, count(*) > 1 as is_shared
        from hit, everything
        group by query, weight, number having count(*) <= greatest(50, number / 20)
    )
    select id from (
        -- One for each title: a dataset of every year is like the others of its series.
        select distinct on (title_string) id, worth, title_string from (
            select id, sum(worth) as worth from hit join telling using (query)
            where id <> %(id)s group by id
            having sum(worth) > (select max(ln(number)) from everything)
                and sum(worth) > %(least)s * (select sum(worth) from telling where is_shared)
        ) alike join aizu_search.dataset d using (id)
        where d.site_id = %(site)s order by title_string, worth desc, id
    ) each order by worth desc, title_string, id limit %(limit)s
"""


def similar(wanted: str, limit: int, reader: Mapping[str, Any]) -> list[str]:
    """The ids of the datasets most like the one with this id or name, the most like it first."""
    with storage.reading() as connection:
        connection.exec_driver_sql(SETTINGS)
        asked = connection.exec_driver_sql(_DATASET, {**reader, "wanted": wanted})
        dataset = asked.one_or_none()
        weights = _weights(dataset._asdict()) if dataset else {}
        if dataset is None or not weights:
            return []
        values = {
            **reader,
            "id": dataset.id,
            "type": dataset.dataset_type,
            "queries": list(weights),
            "weights": list(weights.values()),
            "least": _LEAST_SHARED,
            "limit": limit,
        }
        return list(connection.exec_driver_sql(_SIMILAR, values).scalars())


def _weights(dataset: Mapping[str, Any]) -> dict[str, float]:
    """The lexeme of each word with the weights of the places in which it stands, added up."""
    weights: dict[str, float] = {}
    for field, weight in _WEIGHTS.items():
        texts = dataset[field] if isinstance(dataset[field], list) else [dataset[field] or ""]
        for word in {word: None for text in texts for word in _words(text)}:
            weights[quoted(word)] = weights.get(quoted(word), 0) + weight
    return dict(list(weights.items())[:_MOST_WORDS])


def _words(text: str) -> Iterator[str]:
    """One token for each word, which the index finds without a look into the vectors.

    Of a word in kanji this is how it begins: 消火栓 and 消火器 have much in common. A single kanji is
    a word only if it stands alone: a 図書館 is no 体育館.
    """
    found = [part for joined, run in runs(text) if joined for part in parts(run)]
    # について, における and their like.
    without_meaning = {hiragana(part.surface) for part in found if not part.is_noun}
    for token in document_tokens(text):
        word = token.text
        if word.startswith(BEGINS):
            is_word = len(word) > 2 or word == BEGINS + text
        else:
            is_word = not (_KANJI.match(word) or word.startswith((READING, INSIDE)))
        if is_word and word not in without_meaning and not word.isdigit():
            yield word
