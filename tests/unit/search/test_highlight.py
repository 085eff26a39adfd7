"""Hits are marked where the index finds them, in the text as it was written, safe to print."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckanext.aizu_search.characters import normalise
from ckanext.aizu_search.highlight import Wanted, _folded, _tokens, excerpt, hits, marked
from ckanext.aizu_search.text import READING, document_tokens

MARKED = [
    ("消火栓", "消火栓マップ", "[消火栓]マップ"),
    ("消火", "消火栓マップ", "[消火]栓マップ"),
    ("栓", "消火栓の点検", "消火[栓]の点検"),
    ("雪", "雪の記録と除雪", "[雪]の記録と除[雪]"),
    ("防火水槽", "消火栓・防火水槽一覧", "消火栓・[防火水槽]一覧"),
    ("消火栓 マップ", "消火栓の地図、マップ", "[消火栓]の[地図]、[マップ]"),
    ("京都", "東京都と京都", "東京都と[京都]"),
    ("バス", "バスとバスケット", "[バス]とバスケット"),
    ("ﾊﾞｽ停", "バス停の一覧", "[バス停]の一覧"),
    ("バス停", "ﾊﾞｽ停の一覧", "[ﾊﾞｽ停]の一覧"),
    ("ＧＴＦＳ", "時刻表（gtfs）", "時刻表（[gtfs]）"),
    ("gtfs", "時刻表（ＧＴＦＳ）", "時刻表（[ＧＴＦＳ]）"),
    ("台帳", "道路臺帳", "道路[臺帳]"),
    ("臺帳", "道路台帳", "道路[台帳]"),
    ("ごみ", "ゴミの分別", "[ゴミ]の分別"),
    ("しょうかせん", "市の消火栓一覧", "市の[消火栓]一覧"),
    ("ひなんしょ", "避難所の一覧", "[避難所]の一覧"),
    ("ひなんじょ", "避難所の一覧", "[避難所]の一覧"),
    ("避難場所", "指定避難所", "指定[避難所]"),
    ("除雪車", "ロータリーの位置", "[ロータリー]の位置"),
    ("取組", "市の取り組み", "市の[取り組み]"),
    ("hydrant", "Fire Hydrants of the city", "Fire [Hydrants] of the city"),
    ("library", "Libraries", "[Libraries]"),
    ("cafe", "Café", "[Café]"),
    ("hyd*", "Fire hydrants", "Fire [hydrants]"),
    ("避難所の一覧", "一覧：避難所", "[一覧]：[避難所]"),
    ('"緊急避難"', "指定緊急避難場所", "指定[緊急避難]場所"),
    ('"避難緊急"', "指定緊急避難場所", "指定緊急避難場所"),
    ("消火栓 -水道", "消火栓と水道", "[消火栓]と水道"),
    ("消火栓 NOT 水道", "消火栓と水道", "[消火栓]と水道"),
    ("title:消火栓^3", "消火栓と水道", "[消火栓]と水道"),
    ("(避難 OR 除雪) AND 市", "市の除雪", "[市]の[除雪]"),
    ("tags:防災", "防災の地図", "防災の地図"),
    ("ペンギン", "消火栓", "消火栓"),
    ("*:*", "消火栓", "消火栓"),
    ("", "消火栓", "消火栓"),
    ('"', "消火栓", "消火栓"),
    ("((", "消火栓((", "消火栓(("),
    ("消火栓~2", "消火栓", "消火栓"),
]


@pytest.mark.parametrize(("query", "text", "expected"), MARKED)
def test_marks_what_the_index_finds(query, text, expected):
    """Width, case, old forms, kana, readings, synonyms, spellings, stems, phrases; no more than that."""
    shown = str(marked(text, query)).replace("<mark>", "[").replace("</mark>", "]")
    assert shown == expected


def test_markup_in_a_text_is_only_text():
    """Neither text nor query can become part of the page."""
    assert marked("<b>消火栓</b> & <mark>", "消火栓") == (
        "&lt;b&gt;<mark>消火栓</mark>&lt;/b&gt; &amp; &lt;mark&gt;"
    )
    assert "<script" not in marked("<script>alert(1)</script>", "script")
    assert "<script" not in excerpt("<script>alert(1)</script>", "script alert", 100)
    assert marked("a", "<b> a") == "<mark>a</mark>"


def test_an_excerpt_is_around_the_first_hit():
    """It begins with the sentence of the hit, or near it, and says where something is left out."""
    long = "市のデータです。" * 40
    text = f"{long}消火栓は冬に凍ります。{long}"
    found = excerpt(text, "消火栓", 60)
    assert "<mark>消火栓</mark>は冬に凍ります。" in found
    assert found.startswith("…市のデータです。")
    assert found.endswith("…")
    assert len(found.striptags()) <= 62
    assert excerpt("消火栓の一覧", "消火栓", 60) == "<mark>消火栓</mark>の一覧"
    assert excerpt("消火栓の一覧", "水道", 60) == ""


def test_an_excerpt_does_not_cut_english_words():
    """A Japanese text can be cut anywhere, an English one between words."""
    text = "words " * 50 + "about hydrants " + "and more " * 50
    found = excerpt(text, "hydrant", 60).striptags()
    assert "hydrants" in found
    assert set(found.strip("…").split()) <= {"words", "about", "hydrants", "and", "more"}


@pytest.mark.parametrize(("query", "text", "expected"), MARKED)
def test_marks_the_same_in_a_long_text(query, text, expected):
    """Only what may have a hit is read of a long text."""
    before = "これは長い文章です。" * 20
    shown = str(marked(before + text, query)).replace("<mark>", "[").replace("</mark>", "]")
    assert shown == before + expected


def test_no_length_of_text_or_query_takes_long():
    """Neither a long text nor a query that the search itself refuses."""
    assert hits("消火栓" * 5000, "消火栓")
    assert hits("消火栓", "消火栓 " * 20) == [(0, 3)]
    assert hits("消火栓", "消火栓 " * 2000) == []
    assert hits("あ" * 10000, "い" * 10000) == []


LETTERS = st.text(alphabet="消火栓一覧市道の取り組みこどもゴミがｶﾞバスﾊﾞé1２aBsﾟ・ 、。臺𠮷ー")


@settings(max_examples=300, deadline=None)
@given(LETTERS)
def test_tokens_are_those_of_the_index(text):
    """What is matched here is what was written into the index, place by place."""
    folded, origin = _folded(text)
    assert folded == normalise(text)
    assert len(origin) == len(folded)
    indexed = {one for one in document_tokens(text) if not one.text.startswith(READING)}
    assert {token for token, _ in _tokens(folded, Wanted())} == indexed


@settings(max_examples=300, deadline=None)
@given(LETTERS, LETTERS)
def test_the_text_stays_as_it_was(text, query):
    """Without its marks a marked text is the text."""
    assert marked(text, query).replace("<mark>", "").replace("</mark>", "") == text
