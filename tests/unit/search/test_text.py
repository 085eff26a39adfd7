"""How text is cut, and that whatever is part of a text is found in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.aizu_search.text import (
    Vector,
    document_tokens,
    normalise,
    query_tokens,
    storable,
    tsquery,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＣＳＶ", "csv"),
        ("ｼｮｳｶｾﾝ", "ショウカセン"),
        ("ﾊﾞｽ停", "バス停"),
        ("①", "1"),
        ("㍿", "株式会社"),
        ("Straße", "strasse"),
    ],
)
def test_width_and_case_become_one(text, expected):
    """Full and half width, upper and lower case are no difference."""
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("消火栓マップ", "消火@0 火栓@1 栓マ@2 マッ@3 ップ@4 プ@5"),
        ("道", "道@0"),
        ("消火栓・防火水槽", "消火@0 火栓@1 栓@2 防火@3 火水@4 水槽@5 槽@6"),
        ("First-Record", "first@0 record@1"),
        ("café", "cafe@0"),
        ("R7除雪", "r@0 7@1 除雪@2 雪@3"),
        ("令和７年度", "令和@0 和@1 7@2 年度@3 度@4"),
        ("！？・🚒", ""),
    ],
)
def test_cuts_documents(text, expected):
    """Words by words, Japanese by overlapping pairs, everything at its place."""
    assert " ".join(f"{token.text}@{token.place}" for token in document_tokens(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("消火栓", "'消火' <1> '火栓'"),
        ("道", "'道':*"),
        ("Fire hydrant", "'fire' <1> 'hydrant'"),
        ("R7年度", "'r' <1> '7' <1> '年度'"),
        ("第3次", "'第':* <1> '3' <1> '次':*"),
        ("・", ""),
        ("it's \\", "'it' <1> 's'"),
    ],
)
def test_asks_for_tokens_at_their_distances(text, expected):
    """A query asks for its tokens side by side, for a lone character by prefix."""
    assert tsquery(query_tokens(text)) == expected


def test_label_weight_and_prefix():
    """A field's label, its weight and a closing wildcard go into the query, quoted."""
    tokens = query_tokens("hydr", prefix=True)
    assert tsquery(tokens, label="it's=", weight="A") == "'it''s=hydr':*A"


def matches(query: str, document: str) -> bool:
    """What PostgreSQL does with a phrase of tokens."""
    found = {(token.text, token.place) for token in document_tokens(document)}

    def is_at(token, start):
        if token.prefix:
            return any(p == start + token.place and t.startswith(token.text) for t, p in found)
        return (token.text, start + token.place) in found

    wanted = query_tokens(query)
    starts = {place for _, place in found}
    return any(all(is_at(token, start) for token in wanted) for start in starts)


JAPANESE = st.text(alphabet="消火栓防水槽除雪車バス停マップー一覧3r", min_size=1, max_size=20)


@given(JAPANESE, st.data())
def test_every_part_of_a_text_is_found(document, data):
    """Any piece that does not cut a word of letters or digits in two finds the text it is from."""
    runs = [
        i
        for i in range(len(document) + 1)
        if i in (0, len(document))
        or not (document[i - 1] in "3r" and document[i] == document[i - 1])
    ]
    start = data.draw(st.sampled_from(runs[:-1]))
    end = data.draw(st.sampled_from([i for i in runs if i > start]))
    assert matches(document[start:end], document)


@given(JAPANESE, JAPANESE)
def test_nothing_else_is_found(query, document):
    """What is not part of a text does not find it."""
    if matches(query, document):
        assert query in document


def test_vector_keeps_texts_apart():
    """The end of one text and the beginning of the next are not neighbours."""
    vector = Vector()
    vector.add("消火", weight="A")
    vector.add("栓")
    assert str(vector) == "'消火':1A '火':2A '栓':4"


def test_vector_ends_where_postgresql_keeps_no_places():
    """A very long text is indexed as far as places reach, and no lexeme has too many of them."""
    vector = Vector()
    vector.add("あ" * 20_000)
    vector.add("い")
    assert "い" not in str(vector)
    assert str(vector).count(",") == Vector.MOST_PLACES - 1


def test_storable_text():
    """NUL and halves of surrogate pairs are dropped, everything else stays."""
    assert storable("a\0b\ud83dc🚒") == "abc🚒"
