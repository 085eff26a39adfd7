"""What is suggested while somebody types, in which order, and that nothing hidden is told."""

import pytest
from bs4 import BeautifulSoup
from ckan.plugins import toolkit as tk
from ckan.tests import factories, helpers

from ckanext.aizu_search import actions
from ckanext.aizu_search.suggest import Suggestion, chosen

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")

CATALOGUE = {
    "hydrant-map": ("消火栓マップ", ["防災", "消火栓"]),
    "hydrants": ("会津若松市 消火栓・防火水槽一覧", ["消火栓", "消防水利"]),
    "hazard": ("洪水ハザードマップ", ["ハザードマップ", "防災"]),
    "plow": ("除雪車位置情報", ["雪かき"]),
    "bus": ("ﾊﾞｽ停・時刻表（ＧＴＦＳ）", ["バス停", "GTFS"]),
    "basket": ("バスケットボール教室", ["スポーツ"]),
    "tokyo": ("東京都の施設", ["東京都"]),
    "kyoto": ("京都との交流", ["姉妹都市"]),
    "budget": ("Hydrants of the city", ["Water supply"]),
}


@pytest.fixture
def catalogue(add):
    for name, (title, tags) in CATALOGUE.items():
        add(title, tags, name=name)


def suggested(typed, **options):
    found = helpers.call_action("aizu_search_suggest", q=typed, **options)
    return [("#" if one["kind"] == "tag" else "") + one["text"] for one in found]


FOUND = {
    "消": ["#消火栓", "#消防水利", "消火栓マップ", "会津若松市 消火栓・防火水槽一覧"],
    "消火": ["#消火栓", "消火栓マップ", "会津若松市 消火栓・防火水槽一覧"],
    "しょうか": ["#消火栓", "消火栓マップ", "会津若松市 消火栓・防火水槽一覧"],
    "ショウカ": ["#消火栓", "消火栓マップ", "会津若松市 消火栓・防火水槽一覧"],
    "ぼうか": ["会津若松市 消火栓・防火水槽一覧"],
    "ハザ": ["#ハザードマップ", "洪水ハザードマップ"],
    "はざーど": ["#ハザードマップ", "洪水ハザードマップ"],
    "ﾊｻﾞ": ["#ハザードマップ", "洪水ハザードマップ"],
    "洪水 ハザ": ["洪水ハザードマップ"],
    "ゆき": ["#雪かき"],
    "じょせつ": ["除雪車位置情報"],
    "hyd": ["Hydrants of the city"],
    "HYD": ["Hydrants of the city"],
    "wat": ["#Water supply"],
    "water su": ["#Water supply"],
    "gtfs": ["#GTFS", "ﾊﾞｽ停・時刻表（ＧＴＦＳ）"],
    "バス停": ["#バス停", "ﾊﾞｽ停・時刻表（ＧＴＦＳ）"],
    "京都": ["京都との交流"],
    "東京": ["#東京都", "東京都の施設"],
    "火栓": [],
    "ペンギン": [],
    "": [],
    "　": [],
    "!!!": [],
    "'": [],
    "消火栓)": ["#消火栓", "消火栓マップ", "会津若松市 消火栓・防火水槽一覧"],
    "%": [],
    "\\": [],
    "🚒": [],
    "a\0b\ud800": [],
}


@pytest.mark.usefixtures("catalogue")
def test_completes_what_is_typed():
    """By characters, by reading in either kana, by English prefix; tags and beginnings first."""
    assert {typed: suggested(typed) for typed in FOUND} == FOUND


def test_signs_alone_complete_nothing():
    """What has no letter in it is answered by nothing, and by no error."""
    assert [suggested(typed) for typed in ("_", "・", "-_-", "''")] == [[]] * 4


@pytest.mark.usefixtures("catalogue")
def test_a_suggestion_says_where_it_leads():
    """A tag leads to its datasets, whose number it tells; a dataset to its page."""
    tag, dataset, *_ = helpers.call_action("aizu_search_suggest", q="しょうか")
    assert tag == {
        "kind": "tag",
        "text": "消火栓",
        "name": "消火栓",
        "count": 2,
        "url": tk.url_for("dataset.search", tags="消火栓"),
    }
    assert dataset == {
        "kind": "dataset",
        "text": "消火栓マップ",
        "name": "hydrant-map",
        "url": tk.url_for("dataset.read", id="hydrant-map"),
    }


def test_datasets_keep_room_beside_many_tags(add):
    """At most so many as asked for; a tag that many datasets have is told once, the frequent first."""
    for number in range(12):
        tags = [f"雪 {letter}" for letter in "abcde"[: 1 + number % 5]]
        add(f"雪の記録{number:02}", tags, name=f"snow-{number}")
    found = suggested("雪")
    assert found[:3] == ["#雪 a", "#雪 b", "#雪 c"]
    assert found[3:] == [f"雪の記録{number:02}" for number in range(5)]
    assert suggested("雪", limit=3) == ["#雪 a", "雪の記録00", "雪の記録01"]
    assert suggested("雪", limit=1) == ["雪の記録00"]
    assert suggested("雪", limit=0) == []
    assert len(suggested("雪", limit=100)) == 5 + 12


def test_one_title_is_suggested_once(add):
    """Two datasets of the same title cannot be told apart in a list."""
    for name in ("one", "two"):
        add("人口", name=name)
    assert suggested("人") == ["人口"]


def test_nothing_hidden_is_told(app, add):
    """Neither title nor tag of a private dataset or a draft, not even to those who may see it."""
    owner = factories.UserWithToken()
    helpers.call_action(
        "member_create",
        id="bosai",
        object=owner["id"],
        object_type="user",
        capacity="admin",
    )
    add("秘密の一覧", ["秘密"], private=True)
    add("秘密の下書き", ["秘密"], state="draft")
    deleted = add("秘密の昔話", ["秘密"])
    helpers.call_action("package_delete", id=deleted["id"])
    add("秘密でない一覧", ["秘密"])
    for token in (owner["token"], ""):
        answer = app.get(
            "/api/3/action/aizu_search_suggest",
            query_string={"q": "秘"},
            headers={"Authorization": token},
        )
        found = [(one["text"], one.get("count")) for one in answer.json["result"]]
        assert found == [("秘密", 1), ("秘密でない一覧", None)]


def test_only_datasets_with_a_label_of_the_reader(monkeypatch, add):
    """A plugin that gives public datasets other labels is obeyed."""
    add("人口")
    user = factories.User()

    class Labels:
        def get_user_dataset_labels(self, _user):
            return ["other"]

    context = {"user": user["name"], "ignore_auth": False}
    assert helpers.call_action("aizu_search_suggest", dict(context), q="人")
    monkeypatch.setattr("ckan.lib.plugins.get_permission_labels", Labels)
    assert helpers.call_action("aizu_search_suggest", dict(context), q="人") == []


def test_harvesters_are_not_suggested(add):
    """Search fields find datasets, not what else CKAN keeps as a package."""
    add("人口", type="harvest")
    assert suggested("人") == []


@pytest.mark.usefixtures("catalogue")
def test_with_solr_the_same_by_its_means(monkeypatch):
    """Where Solr is in use, one search of CKAN's gives titles and tags that contain what is typed."""
    monkeypatch.setattr(actions, "_has_embedded_index", lambda: False)
    assert suggested("消火") == FOUND["消火"]
    assert suggested("{!frange}") == []
    assert helpers.call_action("aizu_search_similar", id="hazard") == []


def test_beginnings_come_before_what_is_inside():
    """Of both kinds what begins as typed comes first, then what has a word that does."""
    tags = [Suggestion(kind="tag", text=text, name=text, count=1) for text in ("大雪", "雪", "他")]
    datasets = [
        Suggestion(kind="dataset", text=text, name=text) for text in ("市道の雪", "雪の記録")
    ]
    found = [one.text for one in chosen("雪", tags, datasets, 8)]
    assert found == ["雪", "雪の記録", "市道の雪"]


def test_a_wrong_call_is_refused():
    """Without q, or with a limit that is no number."""
    with pytest.raises(tk.ValidationError):
        helpers.call_action("aizu_search_suggest")
    with pytest.raises(tk.ValidationError):
        helpers.call_action("aizu_search_suggest", q="人", limit="many")


@pytest.mark.usefixtures("catalogue")
def test_pages_of_any_ckan_have_what_the_script_needs(app):
    """In CKAN's own look, too: texts, address and script, on every page with a search field."""
    for address in ("/", "/dataset/", "/dataset/plow", "/organization/bosai"):
        page = BeautifulSoup(app.get(address).body, "html.parser")
        texts = page.find(id="search-suggestion-texts")
        assert texts["data-url"] == "/api/3/action/aizu_search_suggest"
        assert texts["data-datasets-many"] == "{number} datasets"
        assert [one for one in page.select("script[src]") if "aizu_search" in one["src"]]
        assert page.select(
            '#dataset-search-form input[name=q], form[action$="/dataset/"] input[name=q]'
        )


def test_the_list_shows_hits_in_ckans_own_look(add, app):
    """The notes around the hit, marked; markup in them is only text. CKAN's headings stay."""
    notes = "市のデータです。" * 40 + "**消火栓** は <b>冬</b> に凍ります。"
    add("消火栓の一覧", name="cold", notes=notes)
    page = BeautifulSoup(
        app.get("/dataset/", query_string={"q": "しょうかせん"}).body, "html.parser"
    )
    item = page.select_one(".dataset-item")
    assert [mark.text for mark in item.select("mark")] == ["消火栓"]
    assert "…" in item.text
    assert "**" not in item.text
    assert item.h2.text.strip() == "消火栓の一覧"
    assert BeautifulSoup(app.get("/dataset/").body, "html.parser").select("mark") == []
