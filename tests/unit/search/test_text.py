"""How text is cut into tokens, and how these lie in a vector."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.aizu_search.characters import hiragana, normalise, storable
from ckanext.aizu_search.japanese import parts, readings
from ckanext.aizu_search.text import Vector, document_tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＣＳＶ", "csv"),
        ("ｼｮｳｶｾﾝ", "ショウカセン"),
        ("ﾊﾞｽ停", "バス停"),
        ("①", "1"),
        ("㍿", "株式会社"),
        ("Straße", "strasse"),
        ("臺帳 會津 國勢 學校 澤", "台帳 会津 国勢 学校 沢"),
        ("髙橋 山﨑", "高橋 山崎"),
    ],
)
def test_characters_become_one(text, expected):
    """Full and half width, upper and lower case, old and new forms are no difference."""
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        *(("ゴミ", "ごみ"), ("サーバー", "サーバ"), ("ヴァイオリン", "バイオリン")),
        *(("ちぢみ", "ちじみ"), ("コンピューター", "コンピュータ")),
    ],
)
def test_kana_that_sound_the_same_are_one(left, right):
    """Both kana, long vowels at the end and the two spellings of a sound are no difference."""
    assert hiragana(left) == hiragana(right)


@pytest.mark.parametrize(("left", "right"), [("コピー", "コピ"), ("びょういん", "びよういん")])
def test_kana_that_sound_different_stay_apart(left, right):
    """What is another word stays another word."""
    assert hiragana(left) != hiragana(right)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("消火栓マップ", "消火@0 ^消火@0 火|栓@1 栓@2 ^栓@2 まっぷ@3"),
        ("東京都", "東京@0 ^東京@0 京|都@1 都@2 ^都@2"),
        ("会津若松", "会津@0 ^会津@0 津若@1 若松@2 松@3"),
        ("道", "道@0 ^道@0"),
        (
            "消火栓・防火水槽",
            "消火@0 ^消火@0 火|栓@1 栓@2 ^栓@2 防火@3 ^防火@3 火|水@4 水槽@5 ^水槽@5 槽@6",
        ),
        ("道の駅", "道@0 ^道@0 の@1 道|駅@0 駅@1 ^駅@1"),
        ("霞ヶ関", "霞@0 ^霞@0 が@1 霞|関@0 関@1 ^関@1"),
        ("バスケット", "ばすけっと@0"),
        ("雪かき", "雪@0 ^雪@0 ~かき@1 雪掻@0 ^雪掻@0 掻@1 ~き@2"),
        ("子ども", "子@0 ^子@0 ~ども@1 子供@0 ^子供@0 供@1"),
        ("First-Records", "first@0 records@1 record@1"),
        ("café", "cafe@0"),
        ("AED", "aed@0"),
        ("R7除雪", "r@0 7@1 除雪@2 ^除雪@2 雪@3"),
        ("！？・🚒", ""),
    ],
)
def test_cuts_documents(text, expected):
    """Kanji by pairs that know where words begin and end, all else by words, each at its place."""
    tokens = [token for token in document_tokens(text) if not token.text.startswith("=")]
    assert " ".join(f"{token.text}@{token.place}" for token in tokens) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "消火栓マップ",
            {"しょうかせん", "しょうかせんまっぷ", "しょうか", "せん", "まっぷ", "せんまっぷ"},
        ),
        ("除雪する", {"じょせつ"}),
        ("避難所", {"ひなん", "ひなんしょ", "ひなんじょ", "しょ", "じょ"}),
    ],
)
def test_reads_nouns(text, expected):
    """Nouns are read alone and together; 所 in both ways, verbs not at all."""
    assert readings(text) == expected


def test_one_spelling_for_all():
    """The analyser knows what is the same word in another spelling."""
    spelled = ["取組", "取組み", "取り組み", "子供", "こども", "障がい", "障害"]
    assert [parts(word)[0].normal for word in spelled] == [
        *("取り組み",) * 3,
        *("子供",) * 2,
        *("障害",) * 2,
    ]


@given(st.text(alphabet="消火栓除雪車道の駅バスーごみ・ 3r", max_size=6000))
def test_parts_are_the_whole_text(text):
    """Nothing of a text is lost between its parts, however long it is."""
    assert "".join(part.surface for part in parts(text)) == text


def test_vector_keeps_texts_apart():
    """The end of one text and the beginning of the next are not neighbours."""
    vector = Vector()
    vector.add("消火", weight="A")
    vector.add("栓")
    assert str(vector) == "'消火':1A '^消火':1A '火':2A '=しょうか':1A '栓':4 '^栓':4 '=せん':4"


def test_vector_ends_where_postgresql_keeps_no_places():
    """A very long text is indexed as far as places reach, and no lexeme has too many of them."""
    vector = Vector()
    vector.add("火" * 20_000)
    vector.add("水")
    assert "水" not in str(vector)
    assert max(str(vector).count(f",{n}") for n in (300, 16_384)) == 0


def test_vector_stays_below_what_postgresql_takes():
    """A megabyte of different words is indexed as far as it fits, instead of not at all."""
    vector = Vector()
    words = ["".join("abcdefghij"[int(digit)] for digit in str(number)) for number in range(16_000)]
    vector.add(" ".join(words), label="x" * 100 + "=")
    assert f"x={words[7_000]}'" in str(vector)
    assert f"x={words[15_000]}'" not in str(vector)


def test_storable_text():
    """NUL and halves of surrogate pairs are dropped, everything else stays."""
    assert storable("a\0b\ud83dc🚒") == "abc🚒"
