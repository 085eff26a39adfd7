"""Web server or database are killed at each moment of a publication; readers see one whole version, before and after."""

import os
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import ckanapi
import pytest
import requests

from .dataset_versions import BROKEN_OFF, Reader, files_of, kept, publish, reading
from .leftovers import nothing_left
from .moments import MOMENTS, VICTIMS, any_backend, held
from .test_killed import ckan

ALL = bool(os.environ.get("AIZU_TEST_ALL"))
ROUNDS = 4 if ALL else 1
AWAY = ("500", "502", "503", "504", BROKEN_OFF)
FEW = {
    ("before the tables are locked", "backend"),
    ("before the commit", "backend"),
    ("before the catalogue is told", "backend"),
    ("before the catalogue is told", "web"),
    ("before the commit", "postgres"),
}
CASES = [
    (moment, victim)
    for moment in MOMENTS
    for victim in VICTIMS
    for _ in range(ROUNDS)
    if ALL or (moment, victim) in FEW
]


@pytest.fixture(scope="module", autouse=True)
def cleaned(portal):
    """What was killed before the commit leaves files without a version; the operator's command removes them."""
    with nothing_left(portal):
        yield
        ckan(portal, "versions", "prune")


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize(("moment", "victim"), CASES)
def test_killed_at_a_moment(portal, name, moment, victim):
    """Held up there and killed: the version before stays, or the new one is there; the next call goes on."""
    ids = publish(portal, name, 1)["resources"]
    with reading(portal, name, ids) as reader, ThreadPoolExecutor(1) as pool:
        with held(portal, moment, name, ids["table:list"]) as publication:
            sent = pool.submit(publish, portal, name, 2)
            VICTIMS[victim](portal, publication.waiting())
        with suppress(ckanapi.CKANAPIError, requests.RequestException):
            sent.result()
        wait_for(portal, name)
        assert whole(portal, name, ids) in (1, 2)
        heal(portal, name, ids)
    assert not wrong(reader)
    undo(portal, name, ids)


@pytest.mark.parametrize("victim", ["backend"] * (40 if ALL else 1))
def test_killed_at_any_time(portal, name, victim):
    """The database breaks down at no moment in particular."""
    ids = publish(portal, name, 1)["resources"]
    with reading(portal, name, ids) as reader, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(publish, portal, name, 2)
        time.sleep(random.uniform(0.02, 0.6))
        VICTIMS[victim](portal, any_backend(portal))
        with suppress(ckanapi.CKANAPIError, requests.RequestException):
            sent.result()
        wait_for(portal, name)
        heal(portal, name, ids)
    assert not wrong(reader)
    undo(portal, name, ids)


def heal(portal, name, ids):
    """The next publication makes it whole."""
    publish(portal, name, 2)
    assert whole(portal, name, ids) == 2
    told = portal.api().action.package_show(id=name)
    assert told["version"] == "2"
    assert told["harvest_state"] in ("ok", "unchanged")


def undo(portal, name, ids):
    """An undo brings the first version back: files byte for byte, table row for row."""
    portal.api(portal.token).action.aizu_undo(name=name, reason="試験")
    for part, (_, text) in files_of(1).items():
        found = portal.get(f"/dataset/{name}/resource/{ids[part]}/download/x").content
        assert found == kept(part, text)
    assert Reader(portal, name, ids).rows() == {1}


def whole(portal, name, ids):
    """The one version that all parts are of."""
    reader = Reader(portal, name, ids)
    reader.look()
    assert not reader.faults
    assert len(set(reader.seen)) == 1, reader.seen
    return reader.seen[0]


def wrong(reader):
    """What a reader saw that is no honest word that somebody is away."""
    return [fault for fault in reader.faults if not fault.endswith(AWAY)]


def wait_for(portal, name):
    """Until table and page answer again."""
    deadline = time.monotonic() + 90
    asked = f"/api/3/action/package_show?id={name}", f"/dataset/{name}"
    while time.monotonic() < deadline:
        if all(portal.get(path).ok for path in asked):
            return
        time.sleep(0.2)
    raise AssertionError("no answer for a minute and a half")
