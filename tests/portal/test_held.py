"""What the gate refuses is kept whole until a steward has looked at it, approved it or let it go."""

import hashlib
import json
import os
import subprocess
import uuid

import pytest
from ckanapi import ValidationError

from .conftest import ROOT
from .dataset_versions import csv_of, publish


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def admin(portal):
    """A token of the sysadmin."""
    told = operator(portal, "user", "token", "add", "admin", f"tests {uuid.uuid4().hex}")
    return told.strip().splitlines()[-1].strip()


def operator(portal, *words):
    told = subprocess.run(
        [ROOT / ".venv/bin/ckan", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "CKAN_INI": str(portal.var / "ckan.ini")},
        check=True,
    )
    return told.stdout


def refused(portal, name, rows=20, **more):
    """Sends a table that has lost rows, and is told that it is held back."""
    content = csv_of(1, rows).encode()
    files = {"table:list": ("list.csv", content), "original": ("raw.txt", name.encode())}
    with pytest.raises(ValidationError) as error:
        publish(portal, name, 1, limits={}, **{"files": files, **more})
    return error.value.error_dict


def blob(portal, content):
    sha256 = hashlib.sha256(content).hexdigest()
    return portal.var / "storage" / "versions" / sha256[:2] / sha256


def sizes_of(portal, name):
    found = json.loads(operator(portal, "aizu", "versions", "sizes", "--json"))
    return next((one for one in found if one["name"] == name), None)


def test_files_of_what_is_held_are_kept(portal, name, admin):
    """They are counted, outlive a pruning, and go with the dataset."""
    publish(portal, name, 1)
    before = sizes_of(portal, name)
    refused(portal, name)
    operator(portal, "aizu", "versions", "prune")
    held = sizes_of(portal, name)
    assert (held["versions"], held["held"], held["files"]) == (1, 1, before["files"] + 2)
    assert held["bytes"] > before["bytes"]
    assert blob(portal, name.encode()).exists()
    portal.api(admin).action.dataset_purge(id=name)
    operator(portal, "aizu", "versions", "prune")
    assert not blob(portal, name.encode()).exists()
    assert sizes_of(portal, name) is None
