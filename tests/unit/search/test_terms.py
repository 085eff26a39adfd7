"""What is asked of the index for what was typed, and the file of synonyms."""

import pysolr
import pytest

from ckanext.aizu_search import synonyms
from ckanext.aizu_search.terms import tsquery


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("塩水", "('^塩水' | '塩水')"),
        ("塩水時", "('^塩水' <1> ('水時' | '水|時') | '塩水' <1> '水時')"),
        ("道", "'道':*"),
        ("道の駅", "'^道' <1> ('の' | '~の') <0> '駅':*"),
        ("Fire hydrants", "'fire' <1> 'hydrant'"),
        ("R7年度", "'r' <1> '7' <1> ('年度' | '年|度')"),
        ("・", ""),
        ("it's \\", "'it' <1> 's'"),
    ],
)
def test_asks_for_tokens_at_their_distances(text, expected):
    """As it is written, words of letters by their stem, a lone kanji by prefix."""
    assert tsquery(text, exact=True) == expected


def test_label_weight_and_prefix():
    """A field's label, its weight and a closing wildcard go into the query, quoted."""
    assert tsquery("hydrants", prefix=True, label="it's=") == "'it''s=hydrants':*"
    assert tsquery("塩水", weight="A") == "('^塩水':A | '塩水':A)"


def test_asks_for_readings_of_kana_only():
    """What is typed in kana may be a reading; what is typed in kanji is not what sounds alike."""
    assert "'=としょかん'" in tsquery("としょかん")
    assert "'=しょうかせん'" in tsquery("消火せん")
    assert "=" not in tsquery("公園")


def test_word_longer_than_any_title_is_refused():
    """It would take seconds to answer; what counts is the length after normalisation."""
    assert tsquery("消火栓" * 166)
    for text in ("消火栓" * 167, "ﷺ" * 40):
        with pytest.raises(pysolr.SolrError, match="too long: .*, at most 500"):
            tsquery(text)


def test_splits_at_particles_between_long_words():
    """Long words around の may stand apart, short ones hold together."""
    assert tsquery("除雪車の位置") == f"({tsquery('除雪車')} & {tsquery('位置')})"
    assert " & " not in tsquery("道の駅")


def test_synonyms_are_not_empty_and_name_others():
    """Every line of the file says of at least one word what else is to be found with it."""
    found = list(synonyms.read())
    assert ("消火栓", ["消防水利"]) in found
    assert [word for word, others in found if not others or word in others] == []


def test_synonyms_work_both_ways_or_one():
    """A comma is both ways."""
    assert "('消防' | '消|防') <1> ('防水'" in tsquery("消火栓")
    assert "('^消火' | '消火')" in tsquery("消火")
    assert "'^消火' <1> ('火栓'" in tsquery("消防水利")
