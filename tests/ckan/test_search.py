"""The embedded search engine inside CKAN: what is found and who may see it."""

import pytest
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.tests import factories, helpers

from ckanext.aizu_search.engine import PostgresIndex

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")

CATALOGUE = {
    "hydrant-map": {"title": "消火栓マップ", "notes": "市内の消火栓の位置", "tags": ["防災"]},
    "water": {"title": "水道事業の概要", "notes": "水道管と消火栓の数を含む", "tags": ["水道"]},
    "shelter": {
        "title": "指定緊急避難所一覧",
        "notes": "災害のときに開く施設",
        "tags": ["防災", "避難"],
    },
    "plow": {"title": "除雪車位置情報", "notes": "ロータリー除雪車の現在地", "tags": ["除雪"]},
    "bus": {"title": "ﾊﾞｽ停・時刻表（ＧＴＦＳ）", "notes": "まちなか周遊バス", "tags": ["交通"]},
    "road": {"title": "市道の台帳", "notes": "認定した道の一覧", "tags": ["道路"]},
    "budget": {"title": "Budget 2026", "notes": "Annual budget of the city", "tags": ["finance"]},
}


@pytest.fixture
def organization(with_plugins, clean_db, clean_index):  # noqa: ARG001 (first clean, then fill)
    return factories.Organization(name="bosai")


@pytest.fixture
def catalogue(organization):
    for name, values in CATALOGUE.items():
        factories.Dataset(
            name=name,
            owner_org=organization["id"],
            **{**values, "tags": [{"name": tag} for tag in values["tags"]]},
        )


def names(q="*:*", **options):
    found = helpers.call_action("package_search", q=q, **options)
    return [dataset["name"] for dataset in found["results"]]


FOUND = {
    "消火栓": ["hydrant-map", "water"],
    "消火": ["hydrant-map", "water"],
    "マップ": ["hydrant-map"],
    "避難": ["shelter"],
    "避難所": ["shelter"],
    "除雪": ["plow"],
    "除雪車": ["plow"],
    "雪": ["plow"],
    "道": ["road", "water"],
    "バス停": ["bus"],
    "ﾊﾞｽ停": ["bus"],
    "gtfs": ["bus"],
    "ＧＴＦＳ": ["bus"],
    "ＢＵＤＧＥＴ": ["budget"],
    "２０２６": ["budget"],
    "消火栓 水道": ["water"],
    "消火栓　水道": ["water"],
    "消火栓 -水道": ["hydrant-map"],
    "消火栓 NOT title:マップ": ["water"],
    '"緊急避難"': ["shelter"],
    '"避難緊急"': [],
    "火消栓": [],
    "避難 OR 除雪": ["plow", "shelter"],
    "title:消火栓": ["hydrant-map"],
    "notes:消火栓 AND -title:消火栓": ["water"],
    "tags:防災": ["hydrant-map", "shelter"],
    "tags:(交通 OR 除雪)": ["bus", "plow"],
    "tags:道*": ["road"],
    "name:b*": ["budget", "bus"],
    "name:b?s": ["bus"],
    "name:[a TO c]": ["budget", "bus"],
    "bud*": ["budget"],
    "*dget": ["budget"],
    "title:budget^3": ["budget"],
    "organization:bosai -防災 -一覧 -budget": ["bus", "plow", "water"],
    "metadata_modified:[NOW-1HOUR TO NOW+1HOUR] AND 雪": ["plow"],
    "metadata_modified:[* TO NOW-1DAY]": [],
    "!!!": [],
    "🚒": [],
}


@pytest.mark.usefixtures("catalogue")
def test_finds_what_is_asked_for():
    """Japanese by its parts, in any width; fields, signs, wildcards and ranges as Solr has them."""
    assert {query: sorted(names(query)) for query in FOUND} == FOUND


@pytest.mark.usefixtures("catalogue")
def test_title_comes_before_text():
    """A dataset that is about the word comes before one that mentions it, whatever is newer."""
    helpers.call_action("package_patch", id="water", version="2")
    assert names("消火栓") == ["hydrant-map", "water"]
    helpers.call_action("package_patch", id="hydrant-map", title="地図", version="2")
    assert names("水道 消火栓")[0] == "water"


@pytest.mark.usefixtures("catalogue")
def test_facets_sort_pages_and_fields():
    """Facets count all hits; sorting has several keys; pages follow one another; fl selects."""
    found = helpers.call_action(
        "package_search",
        **{
            "facet.field": ["organization", "tags", "dataset_type"],
            "facet.limit": 2,
            "rows": 0,
        },
    )
    assert found["count"] == len(CATALOGUE)
    assert found["facets"]["organization"] == {"bosai": len(CATALOGUE)}
    assert found["facets"]["tags"] == {"防災": 2, "finance": 1}
    frequent = helpers.call_action(
        "package_search", **{"facet.field": ["tags"], "facet.mincount": 2}
    )
    assert frequent["facets"]["tags"] == {"防災": 2}
    everything = names(sort="dataset_type asc, name desc", rows=100)
    assert everything == sorted(CATALOGUE, reverse=True)
    pages = [names(sort="name desc", rows=3, start=start) for start in (0, 3, 6, 9)]
    assert [name for page in pages for name in page] == everything
    assert helpers.call_action("package_search", q="除雪", fl=["name", "tags"])["results"] == [
        {"name": "plow", "tags": ["除雪"]}
    ]


def test_private_datasets_are_for_members_only(app, organization):
    """A private dataset is found by members of its organisation and by nobody else."""
    member, stranger = factories.UserWithToken(), factories.UserWithToken()
    helpers.call_action(
        "member_create", id="bosai", object=member["id"], object_type="user", capacity="member"
    )
    factories.Dataset(name="secret", title="消火栓", private=True, owner_org=organization["id"])
    asked = {"q": "消火栓", "include_private": True, "facet.field": '["organization"]'}
    seen = {}
    for who, token in {"member": member, "stranger": stranger, "nobody": {"token": ""}}.items():
        answer = app.get(
            "/api/3/action/package_search",
            query_string=asked,
            headers={"Authorization": token["token"]},
        )
        seen[who] = (answer.json["result"]["count"], answer.json["result"]["facets"])
    hidden = (0, {"organization": {}})
    assert seen == {
        "member": (1, {"organization": {"bosai": 1}}),
        "stranger": hidden,
        "nobody": hidden,
    }


def own_index(query, **options):
    """Ask the index itself, but only for what is this portal's."""
    site = f'site_id:"{search.config["ckan.site_id"]}"'
    return make_connection().search(query, fq=site, rows=100, **options).docs


def test_steps_aside_for_solr(ckan_config, monkeypatch):
    """A web address makes the real client, anything else the embedded index."""
    assert isinstance(make_connection(), PostgresIndex)
    monkeypatch.setitem(ckan_config, "solr_url", "http://127.0.0.1:1/solr/ckan")
    connection = make_connection()
    assert not isinstance(connection, PostgresIndex)
    assert type(connection).__module__ == "pysolr"
