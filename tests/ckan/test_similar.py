"""Which datasets are like another one, and that none is told of that the reader may not see."""

import pytest
from bs4 import BeautifulSoup
from ckan import model
from ckan.lib import search
from ckan.plugins import toolkit as tk
from ckan.tests import factories, helpers

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")

CATALOGUE = {
    "hydrants": ("消火栓・防火水槽一覧", ["消火栓", "防災"]),
    "hydrant-checks": ("消火栓の点検記録", ["消火栓", "点検"]),
    "bridges": ("橋梁の点検結果", ["点検", "道路"]),
    "shelters": ("指定緊急避難場所一覧", ["避難所", "防災"]),
    "capacity": ("避難所の収容人数", ["避難所", "防災"]),
    "hazard": ("洪水ハザードマップ", ["防災"]),
    "parks": ("公園一覧", ["公園"]),
    "car-parks": ("駐車場一覧", ["駐車場"]),
    "library": ("図書館の蔵書", ["図書館"]),
    "snow": ("Snow depth", ["snow"]),
    "snowfall": ("Snow fall of 2026", ["snow"]),
}


@pytest.fixture
def catalogue(add):
    for name, (title, tags) in CATALOGUE.items():
        add(title, tags, name=name)


def similar(name, **options):
    return [one["name"] for one in helpers.call_action("aizu_search_similar", id=name, **options)]


@pytest.mark.usefixtures("catalogue")
def test_rare_words_make_datasets_alike():
    """What shares a rare word comes before what shares a frequent one."""
    assert similar("hydrants")[0] == "hydrant-checks"
    assert sorted(similar("hydrant-checks")) == ["bridges", "hydrants"]
    assert similar("capacity")[0] == "shelters"
    assert similar("snow") == ["snowfall"]
    assert len(similar("hydrant-checks", limit=1)) == 1
    assert similar(helpers.call_action("package_show", id="snow")["id"]) == ["snowfall"]


@pytest.mark.usefixtures("catalogue")
def test_what_shares_nothing_has_none():
    """A lonely dataset has no similar ones; a word that all datasets have makes none alike."""
    assert similar("library") == []
    for name in CATALOGUE:
        helpers.call_action("package_patch", id=name, groups=[], author="x")
    assert similar("library") == []


@pytest.mark.usefixtures("catalogue")
def test_similar_datasets_are_whole():
    """They come as package_search gives them, with organisation and resources."""
    factories.Resource(package_id="snowfall", format="CSV")
    (found,) = helpers.call_action("aizu_search_similar", id="snow")
    assert found == helpers.call_action("package_search", fq="name:snowfall")["results"][0]
    assert found["resources"][0]["format"] == "CSV"


def test_nothing_hidden_is_told(app, add):
    """A private dataset is nobody's similar one; of it only those hear who may see it."""
    member, stranger = factories.UserWithToken(), factories.UserWithToken()
    helpers.call_action(
        "member_create",
        id="bosai",
        object=member["id"],
        object_type="user",
        capacity="member",
    )
    add("消火栓の地図", name="open-one")
    add("消火栓の地図 二", name="open-two")
    add("消火栓の地図 二", name="open-two-again")
    add("消火栓の地図", name="secret", private=True)
    add("消火栓の地図", name="unfinished", state="draft")
    for number in range(5):
        add(f"図書館{number}")

    def told(name, token):
        answer = app.get(
            "/api/3/action/aizu_search_similar",
            query_string={"id": name},
            headers={"Authorization": token},
        )
        found = answer.json.get("result")
        return answer.status_code, sorted(one["name"] for one in found) if found else found

    for token in ("", stranger["token"], member["token"]):
        assert told("open-one", token) in [(200, ["open-two"]), (200, ["open-two-again"])]
    assert len(told("secret", member["token"])[1]) == 2
    assert told("secret", stranger["token"]) == (403, None)
    assert told("secret", "") == (403, None)
    assert told("unfinished", "") == (403, None)
    assert told("no-such-dataset", "") == (404, None)


def test_a_dataset_that_is_not_indexed_has_none(add):
    """The index may be behind; the page opens all the same."""
    dataset = add("人口")
    search.clear(dataset["id"])
    assert similar(dataset["id"]) == []


@pytest.mark.usefixtures("catalogue")
def test_an_index_that_cannot_answer_hides_no_page(app):
    """An error is that of a search; the next question finds the index made anew."""
    for action, asked in (
        ("aizu_search_similar", {"id": "snow"}),
        ("aizu_search_suggest", {"q": "snow"}),
    ):
        with model.ensure_engine().begin() as connection:
            connection.exec_driver_sql("drop schema aizu_search cascade")
        answer = app.get(f"/api/3/action/{action}", query_string=asked)
        assert answer.status_code == 409
        assert "Search" in answer.json["error"]["__type"]
        assert app.get(f"/api/3/action/{action}", query_string=asked).json["result"] == []
    assert app.get("/dataset/snow").status_code == 200


def test_a_wrong_call_is_refused():
    """Without a dataset, or with a limit that is no number."""
    with pytest.raises(tk.ValidationError):
        helpers.call_action("aizu_search_similar")
    with pytest.raises(tk.ValidationError):
        helpers.call_action("aizu_search_similar", id="x", limit="many")


@pytest.mark.usefixtures("catalogue")
def test_the_dataset_page_shows_them(app):
    """Title, organisation and formats of each, in CKAN's own look; no heading over nothing."""
    factories.Resource(package_id="snowfall", format="CSV")
    page = BeautifulSoup(app.get("/dataset/snow").body, "html.parser")
    shown = page.select_one(".similar-datasets")
    assert shown.h2.text == "Similar datasets"
    assert shown.a["href"] == "/dataset/snowfall"
    assert shown.a.text == "Snow fall of 2026"
    assert [one.text for one in shown.select("span")] == ["消防課", "CSV"]
    lonely = BeautifulSoup(app.get("/dataset/library").body, "html.parser")
    assert lonely.select(".similar-datasets") == []
