"""Whoever publishes may be killed at any line: readers see whole versions, and nothing is left behind."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import ckanapi
import psycopg2
import pytest
import requests

from .conftest import ROOT
from .copies import eventually
from .dataset_versions import Reader, call, files_of, publish, reading

RUNS = 200 if os.environ.get("AIZU_TEST_ALL") else 10
VENV = ROOT / ".venv" / "bin"


class Killing:
    """A process that publishes in children of its own, which die when they are told to."""

    def __init__(self, var):
        self.process = subprocess.Popen(
            [VENV / "python", ROOT / "tests/portal/killing.py", var / "ckan.ini"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def order(self, action, data, files=(), die_at=0):
        """Does it, or dies at that line; returns whether it was killed, and where or after how many lines."""
        order = {"action": action, "user": "harvester", "die_at": die_at}
        order |= {"data": data, "files": dict(files)}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        killed = answer["status"] == signal.SIGKILL
        assert killed or answer["status"] == 0, answer
        return killed, answer["told"]

    def publish(self, name, version, die_at=0, **changes):
        """One version of a dataset."""
        parts = {part: json.dumps(value) for part, value in call(name, **changes).items()}
        return self.order("aizu_publish", parts, files_of(version), die_at)


@pytest.fixture(scope="module")
def killing(portal):
    """Loaded once for all tests."""
    found = Killing(portal.var)
    yield found
    found.process.stdin.close()
    found.process.wait()
    found.process.stdout.close()


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


def ckan(portal, *words):
    """A command of the operator."""
    told = subprocess.run(
        [VENV / "ckan", "aizu", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "CKAN_INI": str(portal.var / "ckan.ini")},
        check=True,
    )
    return told.stdout


def steps(lines, runs):
    """Lines to die at, spread over the whole publication; which ones differ from day to day."""
    seed = random.randrange(1 << 30)
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    width = max(1, lines // runs)
    return [min(lines, start + chance.randrange(width) + 1) for start in range(0, lines, width)]


def tables_nobody_knows(portal):
    """Tables of the DataStore that are no resource of a version."""
    ini = (portal.var / "ckan.ini").read_text()
    address = re.search(r"^ckan.datastore.write_url = (.*)$", ini, re.MULTILINE)[1]
    connection = psycopg2.connect(address)
    with connection.cursor() as cur:
        cur.execute(
            "SELECT count(*) FROM pg_tables WHERE tablename LIKE '%-%-%-%-%' AND tablename NOT IN ("
            "SELECT part ->> 'resource_id' FROM _aizu_version, jsonb_array_elements(parts) AS part)"
        )
        (count,) = cur.fetchone()
    connection.close()
    return count


def whole(portal, name, ids):
    """The one version that all parts are of, and the catalogue's hash of it."""
    reader = Reader(portal, name, ids)
    reader.look()
    assert not reader.faults
    assert len(set(reader.seen)) == 1, reader.seen
    return reader.seen[0]


def test_killed_at_any_line(portal, killing, name):
    """Who reads all the time never sees a gap or a mixture; the next publication goes on from there."""
    before = tables_nobody_knows(portal)
    ids = publish(portal, name, 1)["resources"]
    _, lines = killing.publish(name, 2)
    version, killed = 2, 0
    with reading(portal, name, ids) as reader:
        for die_at in steps(int(lines), RUNS):
            version += 1
            dead, where = killing.publish(name, version, die_at)
            killed += dead
            found = whole(portal, name, ids)
            assert found in (version, version - 1), where
            if found == version - 1 or random.random() < 0.5:
                publish(portal, name, version)
            else:
                killing.order("aizu_harvest_status", status(name))
            assert whole(portal, name, ids) == version, where
            told = portal.api().action.package_show(id=name)
            content = files_of(version)["original"][1].encode()
            original = next(r for r in told["resources"] if r["kind"] == "original")
            assert int(original["size"]) == len(content), where
            assert told["harvest_state"] in ("ok", "unchanged", "failed"), where
    assert killed >= RUNS * 0.9
    assert not reader.faults
    assert len(set(reader.seen)) > RUNS / 4
    assert tables_nobody_knows(portal) == before
    ckan(portal, "versions", "prune")
    # What a live source sends at this moment is arriving, too.
    assert eventually(lambda: not list((portal.var / "storage" / "versions").glob("arriving/*")))


def test_packed_files_are_served_as_they_were(portal, name):
    """What pruning has packed comes out of its permanent address byte for byte."""
    content = "".join(f"{row},あ\r\n" for row in range(9000)).encode()
    publish(portal, name, 1, files={"original": ("原本.csv", content)})
    publish(portal, name, 2)
    ckan(portal, "versions", "prune")
    shown = portal.api().action.aizu_version_show(name=name, number=1)["files"]
    (original,) = [file for file in shown if file["part"] == "original"]
    sha256 = original["sha256"]
    assert (portal.var / "storage" / "versions" / sha256[:2] / f"{sha256}.gz").exists()
    assert requests.get(original["url"], timeout=60).content == content


def status(name):
    return {"name": name, "state": "failed", "checked_at": "2026-11-22T10:00:00Z"}


def test_killed_at_the_first_version(portal, killing):
    """A new dataset is there whole, or not at all; no draft is left, and the next call makes it."""
    _, lines = killing.publish(f"test-{uuid.uuid4().hex[:8]}", 1)
    for die_at in steps(int(lines), RUNS // 2):
        name = f"test-{uuid.uuid4().hex[:8]}"
        _, where = killing.publish(name, 1, die_at)
        found = None
        with suppress(ckanapi.NotFound):
            found = portal.api(portal.token).action.package_show(id=name)
        assert found is None or found["state"] == "active", where
        ids = publish(portal, name, 1)["resources"]
        assert whole(portal, name, ids) == 1, where
        told = portal.api().action.package_show(id=name)
        assert [r["id"] for r in told["resources"]] == [
            ids[part] for part in ("table:list", "geojson:list", "original", "parquet:list")
        ]
        assert told["version"] == "1"


def test_killed_at_an_undo(portal, killing, name):
    """An undo that is killed has happened or not; the next one says which."""
    # More versions come than a dataset keeps unless it is told to.
    kept = call(name)["dataset"] | {"keep_versions": str(2 * RUNS)}
    ids = publish(portal, name, 1, dataset=kept)["resources"]
    publish(portal, name, 2, dataset=kept)
    order = {"name": name, "to": 1, "reason": "試験"}
    _, lines = killing.order("aizu_undo", order)
    back = 1
    for die_at in steps(int(lines), RUNS // 2):
        now = portal.api().action.package_show(id=name)["version"]
        other = 3 - back
        killing.order("aizu_undo", {**order, "to": other}, die_at=die_at)
        found = whole(portal, name, ids)
        assert found in (back, other)
        killing.order("aizu_harvest_status", status(name))
        told = portal.api().action.package_show(id=name)["version"]
        assert int(told) == int(now) + (found == other)
        if found != other:
            killing.order("aizu_undo", {**order, "to": other})
        assert whole(portal, name, ids) == other
        back = other


def test_killed_at_a_refusal_and_at_its_approval(portal, killing, name):
    """What the gate refuses is held whole or not at all; an approval has happened, or can be given again."""
    before = tables_nobody_knows(portal)
    ids = publish(portal, name, 1)["resources"]
    _, lines = killing.publish(name, 2, limits={})
    _, more = killing.order("aizu_approve", approval(portal, name))
    for version, die_at in enumerate(steps(int(lines), max(1, RUNS // 20)), 3):
        killing.publish(name, version, die_at, limits={})
        assert whole(portal, name, ids) == version - 1
        with pytest.raises(ckanapi.ValidationError):
            publish(portal, name, version, limits={})
        order = approval(portal, name)
        killing.order("aizu_approve", order, die_at=random.randrange(1, int(more)))
        found = whole(portal, name, ids)
        assert found in (version, version - 1)
        if found != version:
            killing.order("aizu_approve", order)
        assert whole(portal, name, ids) == version
        with pytest.raises(ckanapi.NotFound):
            approval(portal, name)
    assert tables_nobody_knows(portal) == before


def approval(portal, name):
    held = portal.api(portal.token).action.aizu_held_show(name=name)
    return {"name": name, "content_hash": held["content_hash"], "reason": "試験"}


def test_killed_web_worker(portal, name):
    """The web server's own process is killed while it publishes: another takes its place and sees to the rest."""
    ids = publish(portal, name, 1)["resources"]
    with ThreadPoolExecutor() as pool:
        for version in range(2, 2 + RUNS // 10):
            sent = pool.submit(publish, portal, name, version)
            time.sleep(random.uniform(0.02, 0.5))
            for pid in workers(portal):
                os.kill(pid, signal.SIGKILL)
            with suppress(ckanapi.CKANAPIError, requests.RequestException):
                sent.result()
            wait_for(portal)
            found = whole(portal, name, ids)
            assert found in (version, version - 1)
            publish(portal, name, version)
            assert whole(portal, name, ids) == version


def workers(portal):
    """The web server's processes but for the one that starts them."""
    state = json.loads((portal.var / "run" / "state.json").read_text())
    master = str(state["processes"]["web"])
    told = subprocess.run(["pgrep", "-P", master], capture_output=True, text=True)
    return [int(pid) for pid in told.stdout.split()]


def wait_for(portal):
    """Until the web server answers again."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(requests.RequestException):
            if portal.get("/api/3/action/status_show").ok:
                return
        time.sleep(0.2)
    raise AssertionError("no answer for a minute")
