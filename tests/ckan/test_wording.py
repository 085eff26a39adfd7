"""Which words find which, asked of PostgreSQL itself: spellings, readings, synonyms, parts of words."""

import pytest
import sqlalchemy as sa
from ckan import model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckanext.aizu_search.terms import tsquery
from ckanext.aizu_search.text import Vector

pytestmark = pytest.mark.usefixtures("with_plugins")


def finds(query: str, text: str, **options: bool) -> bool:
    vector = Vector()
    vector.add(text, weight="A")
    search = tsquery(query, **options)
    asked = sa.text("select cast(:vector as tsvector) @@ cast(:search as tsquery)")
    found = model.Session.execute(asked, {"vector": str(vector), "search": search})
    return bool(found.scalar())


FINDS = """
消火 消火栓マップ
消火栓 消火栓・防火水槽一覧
除雪 除雪車位置情報
除雪車 除雪車位置情報
避難 指定緊急避難場所
避難所 指定避難所一覧
避難所の一覧 避難所一覧
避難所一覧 避難所の一覧
除雪車の位置 除雪車位置情報
公共施設一覧 公共施設等の一覧
道 市道の台帳
道 道路
栓 消火栓
雪 除雪
会津 会津若松市
若松 会津若松市
会津若松 会津若松市役所
東京都 東京都立図書館
都立 東京都立図書館
図書館 東京都立図書館
水道 水道管の布設
学校 小学校
道の駅 道の駅あいづ
ﾊﾞｽ停 バス停
ＧＴＦＳ gtfs-jp
臺帳 道路台帳
台帳 道路臺帳
會津 会津若松市
髙橋 高橋
ゴミ ごみ収集日
ごみ ゴミ収集日
ごみ収集 ゴミの収集
子供 こども園
子ども食堂 こども食堂一覧
子供食堂 子ども食堂
障害者 障がい者手帳
障がい 障害福祉
取組 市の取り組み
受付 受け付け窓口
サーバ サーバー室
サーバー サーバ室
霞ヶ関 霞が関駅
霞が関 霞ケ関駅
まちづくり 街づくり協議会
しょうかせん 消火栓マップ
ショウカセン 消火栓マップ
しょうかせんまっぷ 消火栓マップ
消火せん 消火栓
ひなんじょ 指定避難所
じょせつしゃ 除雪車位置情報
としょかん 図書館
ばすてい バス停
つるがじょう 鶴ヶ城公園
みちのえき 道の駅
除雪車 雪かきボランティア
雪かき ロータリー除雪
消防水利 消火栓一覧
バス停 停留所一覧
停留所 バス停一覧
バス停一覧 停留所一覧
hydrant hydrants
hydrants Hydrant
libraries library
AED AED設置箇所
AED設置 AED設置箇所
令和６年度 令和6年度
cafe Café
街路灯位置 街路灯の位置
停留所別乗降客数 停留所別の乗降客数
さくら 桜の名所
お知らせ 市からのお知らせ
こどもの医療費 子ども医療費の助成件数
雪の捨て場 雪捨て場一覧
市の人口 会津若松市人口
令和六年度 令和6年度予算
下水道 東京都下水道局
下水道 福島県下水道
市町村 東京都区市町村
市町村 東京都市町村
商業 平成26年商業統計調査
商業統計 平成26年商業統計調査
時点 10月1日時点
年度 2026年度
燃えないゴミ 燃えないごみの日
お城 城の歴史
お祭り 祭りの日程
"""
DOES_NOT_FIND = """
京都 東京都
火栓 消火栓
バス バスケットボール
バス すればすぐ
道の駅 鉄道駅
ごみ 込み合うことみる
公園 講演会
びょういん 美容院
かき 雪かき
道の駅 鉄道の駅
さくら 桜ん坊
みち 道路台帳
都市計画 防災都市づくり推進計画
AED a
火消栓 消火栓
"""


def pairs(lines: str) -> list[list[str]]:
    return [line.split(" ", 1) for line in lines.strip().splitlines()]


def test_finds():
    """Spelled, read or called in another way, whole or in part, it is found."""
    assert [pair for pair in pairs(FINDS) if not finds(*pair)] == []


def test_does_not_find():
    """What only looks or sounds alike is not found."""
    assert [pair for pair in pairs(DOES_NOT_FIND) if finds(*pair)] == []


QUOTED = {
    ("除雪車", "雪かき"): False,
    ("しょうかせん", "消火栓"): False,
    ("消火栓", "消火栓マップ"): True,
    ("避難所一覧", "避難所の一覧"): True,
    ("防災 マップ", "防災のマップ"): True,
    ("まちづくり 写真展", "まちづくり・写真展の案内"): True,
}


def test_quotation_marks_mean_what_they_say():
    """In quotation marks only what is written there is looked for."""
    assert {pair: finds(*pair, exact=True) for pair in QUOTED} == QUOTED


BEGUN = {
    ("ハザ", "ハザードマップ"): True,
    ("消", "消火栓"): True,
    ("消火", "消火栓"): True,
    ("hyd", "Fire hydrants"): True,
    ("hydrants", "hydrant"): False,
    ("消火栓マ", "消火栓マップ"): True,
    ("ード", "ハザードマップ"): False,
}


def test_beginning_of_a_word_is_found_with_a_wildcard():
    """Half a word finds the words that begin with it."""
    assert {pair: finds(*pair, prefix=True) for pair in BEGUN} == BEGUN


WORDS = [
    "消火栓",
    "マップ",
    "除雪",
    "車",
    "AED",
    "3",
    "避難",
    "所",
    "一覧",
    "道路",
    "ごみ",
    "・",
    " ",
    "バス停",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_text_is_found_by_itself(words):
    """A text finds itself, and so does whatever begins and ends where it does."""
    text = "".join(words)
    if tsquery(text):
        assert finds(text, text)
        assert finds(text, text, exact=True)
        assert finds(text, f"前文 {text} 後文")
