"""A source that has not changed costs one conditional request; the portal notes the look at it and writes nothing else."""

import json
import subprocess
import sys
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import ckanapi
import psycopg2
import pytest

from harvesters.schedule import JST

from .conftest import ROOT
from .dataset_versions import publish

CITY = "aizuwakamatsu"
SOURCES = ("hydrant", "bus", "bus-live", "library", "library-seats", "snowplow", "deep-log")
LIVE = ("bus-live", "library-seats", "snowplow")
LOOKED = ("harvest_checked", "harvest_good", "harvest_late_after", "harvest_expected_by")


@pytest.fixture(scope="module")
def still_city(portal, tmp_path_factory):
    """The demonstration city with its clocks stopped, and the log of what it is asked for."""
    log = tmp_path_factory.mktemp("city") / "requests.log"
    command = [sys.executable, ROOT / "scripts" / "demo-city", "--port", "0", "--still"]
    server = subprocess.Popen([*command, "--log", log], stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().split()[-1].rstrip("/")
    # The hydrants are paused as long as the tests.
    others = [source for source in SOURCES if source != "hydrant"]
    for source in others:
        assert portal.aizu("pause", source, "--reason", "試験").returncode == 0
    yield url, log
    for source in others:
        portal.aizu("resume", source)
    server.terminate()
    server.communicate(timeout=5)


@pytest.fixture(scope="module")
def run(portal, still_city, tmp_path_factory):
    """Runs the harvester against the city that stands still, past the queue, in which all is paused."""
    var = tmp_path_factory.mktemp("var")
    lines = (portal.var / "harvest.env").read_text().splitlines()
    known = [line for line in lines if not line.startswith("AIZU_REDIS_URL")]
    (var / "harvest.env").write_text("\n".join(known))
    (var / "harvest").symlink_to(portal.var / "harvest")
    told = {"AIZU_VAR": str(var), "AIZU_CITY_URL": still_city[0]}
    return lambda *words, **more: portal.aizu(*words, **(told | more))


def written(portal):
    """All that a publication of the sources would change, and that a look at them must not."""
    api = portal.api(portal.token)
    found = {}
    for source in SOURCES:
        dataset = api.action.package_show(id=f"{CITY}-{source}")
        kept = {key: value for key, value in dataset.items() if key not in LOOKED}
        kept.pop("harvest_state")
        for name in ("harvest_version", "harvest_rows_changed"):
            kept.pop(name, None)  # of the last check, if that has changed anything
        activities = api.action.package_activity_list(id=dataset["id"])
        versions = api.action.aizu_versions(name=dataset["name"])
        found[source] = kept, [one["id"] for one in activities], versions
    return found, tables(portal), files(portal)


def tables(portal):
    """Where each table of the DataStore lies on disk; another place is another table."""
    lines = (portal.var / "ckan.ini").read_text().splitlines()
    (address,) = [
        line.split("=", 1)[1].strip()
        for line in lines
        if line.startswith("ckan.datastore.write_url")
    ]
    with closing(psycopg2.connect(address)) as database, database.cursor() as cur:
        cur.execute(
            "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'r' ORDER BY relname"
        )
        return cur.fetchall()


def files(portal):
    """Every file that is kept, and when it was written."""
    kept = (portal.var / "storage" / "versions").glob("??/*")
    return {file.name: file.stat().st_mtime_ns for file in kept}


def not_at_midnight():
    """The log of deep data gets a further head with each day in Japan."""
    now = datetime.now(JST)
    left = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), JST) - now
    if left < timedelta(minutes=1):
        time.sleep(left.total_seconds() + 1)


def asked(log):
    """The requests since the log was emptied."""
    found = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("")
    return found


def test_a_second_run_of_everything_asks_conditionally_and_writes_nothing(portal, still_city, run):
    """One request for each address, answered by 304; of OAI-PMH, one for what is new since the last."""
    _, log = still_city
    not_at_midnight()
    assert run("run", "--all").returncode == 0
    asked(log)
    before, looked = written(portal), datetime.now(UTC)
    assert run("run", "--all").returncode == 0
    assert written(portal) == before
    requests = asked(log)
    library = [one["path"] for one in requests if "/library/oai" in one["path"]]
    assert ["Identify" in path for path in library] == [True, False]
    assert "from=" in library[1]
    others = [one for one in requests if one["path"] not in library]
    assert {one["status"] for one in others} == {304}
    assert all(one["If-None-Match"] and one["If-Modified-Since"] for one in others)
    assert sorted(one["path"] for one in others) == [
        "/bus/alerts.pb", "/bus/gtfs-jp.zip", "/bus/trips.pb", "/bus/vehicles.pb",
        "/hydrant/072028_fire_hydrant.csv", "/library/seats.json", "/plows/positions.geojson",
    ]  # fmt: skip
    for source in SOURCES:
        dataset = portal.api().action.package_show(id=f"{CITY}-{source}")
        assert dataset["harvest_state"] == "unchanged"
        checked = datetime.fromisoformat(dataset["harvest_checked"])
        assert checked >= looked.replace(microsecond=0)
    status = json.loads(run("status", "--json").stdout)
    assert {one["state"] for one in status if one["city"] == CITY} == {"unchanged"}


def test_a_failed_look_is_forgotten_when_the_source_is_as_before(portal, still_city, run):
    """The page says why as long as it is true, and not longer; what is refused stays refused."""
    url, _ = still_city
    assert run("run", "hydrant").returncode == 0
    show = portal.api().action.package_show
    messages = []
    for _ in range(2):
        bad = run("run", "hydrant", AIZU_CITY_URL=f"{url}/fault/outside")
        assert bad.returncode == 1
        dataset = show(id=f"{CITY}-hydrant")
        assert dataset["harvest_state"] == "failed"
        messages.append(dataset["harvest_message"])
    assert messages[0] == messages[1]
    assert run("run", "hydrant").returncode == 0
    dataset = show(id=f"{CITY}-hydrant")
    assert (dataset["harvest_state"], dataset["harvest_message"]) == ("unchanged", "")


@pytest.fixture
def dataset(portal):
    """A dataset in its first version, made from what the fingerprint `one` stands for."""
    name = f"look-{uuid.uuid4().hex}"
    give(portal, name, 1, "one")
    yield name
    portal.api(portal.token).action.package_delete(id=name)


def give(portal, name, version, fingerprint):
    """Publishes a version with a fingerprint."""
    source = {"url": "https://example.jp/list.csv", "fingerprint": fingerprint}
    return publish(portal, name, version, source=source)


def look(portal, name, fingerprint):
    """Tells the portal of a look; the names of the datasets that stay."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    check = {"name": name, "fingerprint": fingerprint, "checked_at": now}
    return set(portal.api(portal.token).action.aizu_harvest_unchanged(checks=[check]))


def test_only_what_the_current_version_was_made_from_is_unchanged(portal, dataset):
    """Not what the version before was made from, nor what somebody has taken back."""
    assert look(portal, dataset, "one") == {dataset}
    assert look(portal, dataset, "two") == set()
    give(portal, dataset, 2, "two")
    assert (look(portal, dataset, "one"), look(portal, dataset, "two")) == (set(), {dataset})
    portal.api(portal.token).action.aizu_undo(name=dataset, reason="誤り")
    assert (look(portal, dataset, "one"), look(portal, dataset, "two")) == ({dataset}, set())


def test_a_version_without_a_fingerprint_is_never_unchanged(portal, dataset):
    """As of a program that sends none."""
    give(portal, dataset, 2, "")
    with pytest.raises(ckanapi.ValidationError):
        look(portal, dataset, "")
    assert look(portal, dataset, "one") == set()


def test_the_same_content_by_other_rules_is_known_by_its_new_fingerprint(portal, dataset):
    """After an update of the program each dataset is made anew once, and not at every run."""
    assert give(portal, dataset, 1, "updated")["changed"] is False
    assert (look(portal, dataset, "one"), look(portal, dataset, "updated")) == (set(), {dataset})


def test_a_table_or_a_file_that_was_lost_comes_back(portal, dataset):
    """What is not whole is no version that could stay; the same content makes it whole again."""
    api = portal.api(portal.token)
    found = {one["kind"]: one for one in api.action.package_show(id=dataset)["resources"]}
    api.action.datastore_delete(resource_id=found["table"]["id"], force=True)
    assert look(portal, dataset, "one") == set()
    assert give(portal, dataset, 1, "one")["changed"] is True
    assert look(portal, dataset, "one") == {dataset}
    lost = found["original"]["hash"].removeprefix("sha256:")
    (portal.var / "storage" / "versions" / lost[:2] / lost).unlink()
    assert look(portal, dataset, "one") == set()
    assert give(portal, dataset, 1, "one")["changed"] is True
    assert look(portal, dataset, "one") == {dataset}
    assert portal.get(found["original"]["url"].removeprefix(portal.url)).text == "1\n"


def test_what_is_not_in_the_catalogue_is_to_be_published(portal, dataset):
    """Never published, deleted, or purged."""
    assert look(portal, "nobody-has-it", "one") == set()
    portal.api(portal.token).action.package_delete(id=dataset)
    assert look(portal, dataset, "one") == set()


def test_strangers_tell_of_no_looks(portal, dataset):
    """Whoever has no token is refused, and the page says what it said."""
    before = portal.api().action.package_show(id=dataset)["harvest_checked"]
    check = {"name": dataset, "fingerprint": "one", "checked_at": "2030-01-01T00:00:00Z"}
    with pytest.raises(ckanapi.NotAuthorized):
        portal.api().action.aizu_harvest_unchanged(checks=[check])
    assert portal.api().action.package_show(id=dataset)["harvest_checked"] == before


@pytest.mark.parametrize(
    "check", [{"name": "x"}, {"name": "x", "fingerprint": "one", "checked_at": "yesterday"}]
)
def test_a_look_that_says_too_little_is_refused(portal, check):
    """By the name of what is missing."""
    with pytest.raises(ckanapi.ValidationError, match="checked_at"):
        portal.api(portal.token).action.aizu_harvest_unchanged(checks=[check])
