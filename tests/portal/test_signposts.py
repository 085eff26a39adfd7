"""Deep data in the catalogue: everybody finds the signpost, and nobody makes it lead to rows, sysadmins included."""

import re
import uuid

import pytest
import requests
from bs4 import BeautifulSoup
from ckanext.dcat.profiles.euro_health_dcat_ap import DPV, HEALTHDCATAP
from rdflib import DCAT, RDF, Graph

from tests.unit.deep.described import SIGNPOST

from .conftest import signed_in

OTHER = {"name": "表", "url": "https://example.org/rows.csv"}
ROWS = [{"pulse": 60}]
WHY = re.compile("ディープデータ|100人単位|リスト")


class Caller:
    """Somebody who calls actions of the portal, by token or by browser."""

    def __init__(self, url, session):
        self.url, self.session = url, session

    def __call__(self, action, **arguments):
        return self.session.post(f"{self.url}/api/3/action/{action}", timeout=60, **arguments)

    def result(self, action, **asked):
        answer = self(action, json=asked)
        assert answer.ok, answer.text
        return answer.json()["result"]


@pytest.fixture(scope="module")
def steward(portal):
    """The editor who made the signpost."""
    session = requests.Session()
    session.headers["Authorization"] = portal.token
    return Caller(portal.url, session)


@pytest.fixture(scope="module")
def sysadmin(portal):
    """Somebody whom CKAN lets do anything."""
    printed = (portal.var / "serve.log").read_text()
    password = re.search(r"password \(shown only now\): (\S+)", printed)[1]
    return Caller(portal.url, signed_in(portal, "admin", password))


def dataset(steward, *resources, **values):
    told = {
        "name": f"test-{uuid.uuid4().hex[:8]}",
        "title": "試験",
        "notes": "試験",
        "license_id": "other-closed",
        "owner_org": "aizuwakamatsu-kikaku",
    }
    return steward.result("package_create", **told, **values, resources=resources)


@pytest.fixture(scope="module")
def places(steward, sysadmin):
    """A signpost, and an open dataset with a table; by the words that stand for them below."""
    signpost, beside = dataset(steward, SIGNPOST), dataset(steward, OTHER)
    (own,), (table,) = signpost["resources"], beside["resources"]
    steward.result("datastore_create", resource_id=table["id"], force=True, records=ROWS)
    yield {
        "$dataset": signpost["name"],
        "$id": own["id"],
        "$signpost": own,
        "$beside": beside["name"],
        "$table": table,
        "$table id": table["id"],
    }
    for one in (signpost, beside):
        sysadmin.result("dataset_purge", id=one["id"])


def filled(told, places):
    """Arguments with what their words stand for."""
    if isinstance(told, dict):
        return {name: filled(value, places) for name, value in told.items()}
    if isinstance(told, list):
        return [filled(value, places) for value in told]
    return places.get(told, told) if isinstance(told, str) else told


def of_dataset(*resources, to="$dataset"):
    return "package_patch", {"id": to, "resources": list(resources)}


def of_signpost(**values):
    return "resource_patch", {"id": "$id", **values}


def rows(action, **values):
    return action, {"resource_id": "$id", "force": True, **values}


ATTEMPTS = {
    "a resource": ("resource_create", {"package_id": "$dataset", **OTHER}),
    "a second signpost": ("resource_create", {"package_id": "$dataset", **SIGNPOST}),
    "a resource in its place": of_dataset(OTHER),
    "a table beside it": of_dataset("$signpost", "$table"),
    "a table in its place": of_dataset("$table"),
    "itself twice": of_dataset("$signpost", "$signpost"),
    "nothing": of_dataset(),
    "no list": ("package_patch", {"id": "$dataset", "resources": {}}),
    "deleted": ("resource_delete", {"id": "$id"}),
    "moved": of_dataset("$signpost", to="$beside"),
    "moved and changed": of_dataset({"id": "$id", **OTHER}, to="$beside"),
    "of a table": ("resource_patch", {"id": "$table id", "url_type": "deep_data"}),
    "extended": (
        "package_revise",
        {"match": {"name": "$dataset"}, "update__resources__extend": [OTHER]},
    ),
    "revised": (
        "package_revise",
        {"match": {"name": "$dataset"}, "update__resources__0": {"url_type": "upload"}},
    ),
    "as upload": of_signpost(url_type="upload"),
    "as table": of_signpost(url_type="datastore"),
    "as tabledesigner": of_signpost(url_type="tabledesigner"),
    "as nothing": of_signpost(url_type=""),
    "as link": of_signpost(url="https://example.org/rows.csv"),
    "as copy": of_signpost(cache_url="https://example.org/rows.csv"),
    "as published table": of_signpost(kind="table"),
    "with an exact number": of_signpost(deep_persons=2964),
    "view": (
        "resource_view_create",
        {"resource_id": "$id", "title": "x", "view_type": "aizu_table"},
    ),
    "rows": rows("datastore_create", records=ROWS),
    "rows of a new resource": (
        "datastore_create",
        {"resource": {"package_id": "$dataset", "name": "x"}, "records": ROWS},
    ),
    "alias": (
        "datastore_create",
        {"resource_id": "$table id", "force": True, "aliases": ["test_x", "$id"]},
    ),
    "more rows": rows("datastore_upsert", records=ROWS, method="insert"),
    "fewer rows": rows("datastore_records_delete", filters={}),
    "no table": rows("datastore_delete"),
    "publication": ("aizu_publish", {"dataset": {"name": "$dataset"}}),
    "findings": (
        "aizu_harvest_status",
        {"name": "$dataset", "state": "failed", "checked_at": "2026-01-01T00:00:00Z"},
    ),
}
OF_SYSADMINS = {
    "trigger": rows("datastore_run_triggers"),
    "owner of a file": (
        "file_ownership_transfer",
        {"id": "x", "owner_type": "resource", "owner_id": "$id"},
    ),
}


@pytest.mark.parametrize("who", ["steward", "sysadmin"])
def test_nothing_can_be_attached(places, request, who):
    """Whoever tries is told why not, and nothing has changed."""
    caller = request.getfixturevalue(who)
    before = state(caller, places)
    attempts = ATTEMPTS | (OF_SYSADMINS if who == "sysadmin" else {})
    answers = {
        name: caller(action, json=filled(arguments, places))
        for name, (action, arguments) in attempts.items()
    }
    assert {name for name, answer in answers.items() if answer.status_code != 409} == set()
    untold = {name for name, answer in answers.items() if not WHY.search(str(answer.json()))}
    assert untold == set()
    assert state(caller, places) == before


def state(caller, places):
    """What there is of the two datasets."""
    datasets = [caller.result("package_show", id=places[one]) for one in ("$dataset", "$beside")]
    told = [caller("datastore_info", json={"id": places[n]}).json() for n in ("$id", "$table id")]
    # Their sizes on the disk change by themselves.
    tables = [(one["success"], one.get("result", {}).get("fields")) for one in told]
    return datasets, tables, caller.result("resource_view_list", id=places["$id"])


@pytest.mark.parametrize("who", ["steward", "sysadmin"])
@pytest.mark.parametrize("action", ["resource_create", "resource_patch", "package_revise"])
def test_no_file_can_be_uploaded(portal, places, request, who, action):
    """Not in its place and not beside it; nothing of it is on the disk."""
    caller = request.getfixturevalue(who)
    fields = {
        "resource_create": {"package_id": places["$dataset"], "name": "x"},
        "resource_patch": {"id": places["$id"]},
        "package_revise": {"match__name": places["$dataset"]},
    }
    name = "update__resources__0__upload" if action == "package_revise" else "upload"
    stored = portal.var / "storage" / "resources"
    before = set(stored.rglob("*"))
    files = {name: ("rows.csv", b"pulse\r\n60\r\n")}
    answer = caller(action, data=fields[action], files=files)
    assert answer.status_code == 409, answer.text
    assert set(stored.rglob("*")) == before
    assert caller.result("package_show", id=places["$dataset"])["resources"] == [
        places["$signpost"]
    ]


def test_no_views_come_by_themselves(places, sysadmin):
    """Whatever a caller says of the resource."""
    told = {"id": places["$id"], "format": "CSV", "datastore_active": True}
    asked = {"create_datastore_views": True}
    one = sysadmin.result("resource_create_default_resource_views", resource=told, **asked)
    package = {"id": places["$dataset"], "resources": [told]}
    all_of_it = sysadmin.result("package_create_default_resource_views", package=package, **asked)
    assert (one, all_of_it) == ([], [])


def test_the_description_can_be_changed(places, steward):
    """What a form does not show stays; whether the dataset is public, and whose it is, opens no rows."""
    own = {"id": places["$id"], "url_type": "deep_data"}
    names = {"name": "別の名", "name_en": "Another name"}
    changed = steward.result("resource_update", **own, **names)
    assert {name: changed[name] for name in SIGNPOST} == SIGNPOST | names
    fewer = steward.result("resource_patch", **own, deep_persons=2900, name="バイタル")
    assert (fewer["deep_persons"], fewer["deep_fields"]) == (2900, SIGNPOST["deep_fields"])
    for private in (True, False):
        steward.result("package_patch", id=places["$dataset"], private=private)
    steward.result("resource_patch", **{**own, **SIGNPOST})


def test_what_had_data_is_no_signpost(steward, sysadmin):
    """A dataset with rows or files, or with a file that is left of a removed resource, stays what it is."""
    beside = dataset(steward)
    add = {"package_id": beside["id"]}
    upload = steward(
        "resource_create", data=add | {"name": "x"}, files={"upload": ("x.csv", b"a\r\n1\r\n")}
    )
    refusals = [steward("resource_create", json=add | SIGNPOST)]
    steward.result("resource_delete", id=upload.json()["result"]["id"])
    refusals.append(steward("resource_create", json=add | SIGNPOST))
    published = steward.result("package_show", id="aizuwakamatsu-library")
    refusals.append(
        sysadmin("package_patch", json={"id": published["id"], "resources": [SIGNPOST]})
    )
    assert [one.status_code for one in refusals] == [409] * 3
    sysadmin.result("dataset_purge", id=beside["id"])


def test_everybody_finds_it(portal, places):
    """In the search, on its pages, in both languages, without a word of how to download."""
    found = portal.api().action.package_search(q=f"name:{places['$dataset']}")
    assert [one["name"] for one in found["results"]] == [places["$dataset"]]
    for language, words in (("", "約3,000人"), ("/en", "About 3,000")):
        address = f"{language}/dataset/{places['$dataset']}"
        for path in (address, f"{address}/resource/{places['$id']}"):
            page = portal.get(path)
            assert page.ok
            assert words in page.text


def test_the_demonstration_has_two(portal):
    """They say that they are simulated, how to ask and where to withdraw; programs read it as HealthDCAT-AP."""
    for name, persons in (("vitals", "3,000"), ("energy", "3,000")):
        address = f"/dataset/aizuwakamatsu-{name}"
        page = BeautifulSoup(portal.get(address).text, "html.parser")
        assert page.select(".tag-deep, .tag-simulated") == page.select(".dataset-badges .tag-badge")
        assert f"約{persons}人" in page.select_one(".deep-details").text
        assert page.select_one("h2#deep-ask")
        assert page.select('a[href="/deep/withdraw"]')
        assert not page.select('a[href*="/download/"]')
        graph = Graph().parse(data=portal.get(f"{address}.ttl").text)
        (dataset,) = graph.subjects(RDF.type, DCAT.Dataset)
        assert int(graph.value(dataset, HEALTHDCATAP.numberOfUniqueIndividuals)) == 3000
        assert {text.language for text in graph.objects(dataset, DPV.hasPurpose)} == {"ja", "en"}
        (way,) = graph.objects(None, DCAT.accessURL)
        assert str(way).endswith("#deep-ask")
        assert not list(graph.objects(None, DCAT.downloadURL))


def test_no_cache_keeps_what_somebody_was_told(portal, places, steward, sysadmin):
    """Who is logged in or sends a token gets answers that are kept nowhere; caches tell people apart."""
    page = f"/dataset/{places['$dataset']}"
    asked = f"/api/3/action/package_show?id={places['$dataset']}"
    for path in (page, asked, f"{page}/resource/{places['$id']}", f"{page}.ttl"):
        for caller in (steward, sysadmin):
            answer = caller.session.get(portal.url + path)
            assert answer.ok
            told = split(answer.headers["Cache-Control"])
            assert {"no-store", "private"} <= told
            assert "public" not in told
            assert {"Authorization", "Cookie"} <= split(answer.headers["Vary"])
        assert {"Authorization", "Cookie"} <= split(portal.get(path).headers["Vary"])


def split(header):
    return set(re.split(r",\s*", header))


def test_a_token_is_for_those_who_are_logged_in(portal, steward):
    """By POST alone, and kept nowhere."""
    url = f"{portal.url}/api/3/action/aizu_deep_token"
    assert requests.post(url, json={}).status_code == 403
    assert requests.get(url, headers={"Authorization": portal.token}).status_code == 400
    answer = steward("aizu_deep_token", json={})
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.json()["result"].keys() == {"token", "expires_at"}
