"""What the gate refuses is kept whole until a steward has looked at it, approved it or let it go."""

import codecs
import hashlib
import json
import os
import subprocess
import uuid
from contextlib import suppress

import pytest
import requests
from bs4 import BeautifulSoup
from ckanapi import NotAuthorized, NotFound, ValidationError

from .conftest import ROOT
from .dataset_versions import csv_of, publish

DEPARTMENT, OTHER = "aizuwakamatsu-kikikanri", "aizuwakamatsu-kikaku"
ROLES = {
    "anonymous": set(),
    "stranger": set(),
    "member": set(),
    "editor": {"show"},
    "administrator": {"show", "decide"},
    "administrator elsewhere": set(),
    "sysadmin": {"show", "decide"},
}
"""What each may do with what is held of a dataset."""


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def sysadmin(portal):
    """A token of the sysadmin."""
    told = operator(portal, "user", "token", "add", "admin", f"tests {uuid.uuid4().hex}")
    return told.strip().splitlines()[-1].strip()


@pytest.fixture(scope="module")
def people(portal, sysadmin):
    """Token, account and password of somebody in each role; one department is made for those elsewhere."""
    api, ending = portal.api(sysadmin).action, uuid.uuid4().hex[:8]
    with suppress(ValidationError):
        api.organization_create(name=OTHER, title="企画調整課")
    found = {"anonymous": (None, "", ""), "sysadmin": (sysadmin, "admin", "")}
    places = {"member": DEPARTMENT, "editor": DEPARTMENT, "administrator": DEPARTMENT}
    for role in (*places, "stranger", "administrator elsewhere"):
        account, password = f"{role.replace(' ', '-')}-{ending}", uuid.uuid4().hex
        mail = f"{account}@example.jp"
        api.user_create(name=account, email=mail, password=password, fullname=f"試験 {role}")
        token = api.api_token_create(user=account, name="test")["token"]
        found[role] = (token, account, password)
        if role != "stranger":
            rank = "admin" if role.startswith("administrator") else role
            place = places.get(role, OTHER)
            api.organization_member_create(id=place, username=account, role=rank)
    yield found
    for _, account, password in found.values():
        if password:
            api.user_delete(id=account)


def operator(portal, *words):
    told = subprocess.run(
        [ROOT / ".venv/bin/ckan", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "CKAN_INI": str(portal.var / "ckan.ini")},
        check=True,
    )
    return told.stdout


def sent(name, rows):
    """Files with so many rows; thirty is all of them."""
    content = csv_of(1, rows).encode()
    return {"table:list": ("list.csv", content), "original": ("raw.txt", f"{name} {rows}".encode())}


def refused(portal, name, rows=20, **more):
    """Sends a table that has lost rows; what the portal says."""
    with pytest.raises(ValidationError) as error:
        publish(portal, name, 1, **{"limits": {}, "files": sent(name, rows), **more})
    return error.value.error_dict


def held(portal, name, token=None):
    """As the harvesters' account sees it, unless told."""
    token = portal.token if token is None else token
    return portal.api(token).action.aizu_held_show(name=name)


def is_held(portal, name):
    try:
        held(portal, name)
    except NotFound:
        return False
    return True


def versions(portal, name):
    return portal.api().action.aizu_versions(name=name)["versions"]


def approve(portal, name, token, **more):
    asked = {"name": name, "content_hash": "", "reason": "統廃合のため", **more}
    asked["content_hash"] = asked["content_hash"] or held(portal, name)["content_hash"]
    return portal.api(token).call_action("aizu_approve", asked)


def discard(portal, name, token, content_hash=None):
    content_hash = content_hash or held(portal, name)["content_hash"]
    return portal.api(token).action.aizu_discard(name=name, content_hash=content_hash)


def test_refusal_is_kept_whole(portal, name):
    """Who refused what, when and why; the files are as they were sent, for those who look after the dataset."""
    publish(portal, name, 1)
    told = refused(portal, name)
    found = held(portal, name)
    assert told["held"] == [found["url"]]
    assert found["reasons"] == told["gate"]
    assert {one["rule"] for one in found["reasons"]} == {"mass-deletion"}
    changes = {"added": 0, "changed": 0, "removed": 10, "before": 30, "after": 20}
    assert (found["changes"], found["rows"]) == ({"list": changes}, {"list": 20})
    assert (found["number"], found["replaces"], found["sent_by_program"]) == (2, 1, True)
    assert found["source"] == {"url": "https://example.jp/list.csv"}
    head = {"Authorization": portal.token}
    for file in found["files"]:
        content = requests.get(file["url"], headers=head, timeout=60).content
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        if file["part"] in sent(name, 20):
            assert content.removeprefix(codecs.BOM_UTF8) == sent(name, 20)[file["part"]][1]
    assert requests.get(found["report_url"], headers=head, timeout=60).json()["valid"] is True
    assert versions(portal, name)[0]["number"] == 1


def test_newest_refusal_replaces_the_former(portal, name):
    """The same content again stays held since it came first, under the reasons that it has now."""
    publish(portal, name, 1)
    refused(portal, name)
    first = held(portal, name)
    refused(portal, name, limits={"minimum": 25})
    again = held(portal, name)
    assert (again["since"], again["content_hash"]) == (first["since"], first["content_hash"])
    assert {one["rule"] for one in again["reasons"]} == {"mass-deletion", "too-few-rows"}
    refused(portal, name, 15)
    assert held(portal, name)["rows"] == {"list": 15}


def test_nothing_is_held_without_a_dataset_or_of_a_plan(portal, name):
    """A first version that is refused leaves nothing; a plan is no publication."""
    assert "held" not in refused(portal, name, limits={"minimum": 99})
    publish(portal, name, 1)
    assert not is_held(portal, name)
    assert not publish(portal, name, 1, limits={}, files=sent(name, 20), dry_run=True)["ok"]
    assert not is_held(portal, name)


def test_approval_publishes_what_was_sent(portal, name, people):
    """Files byte for byte and the table row for row, with the reason and what it lifts; nothing waits any more."""
    ids = publish(portal, name, 1)["resources"]
    refused(portal, name, dataset={**described(name), "title": "別の題"})
    waiting = held(portal, name)
    done = approve(portal, name, people["administrator"][0])
    assert (done["version"], done["changed"], done["resources"]) == (2, True, ids)
    assert not is_held(portal, name)
    shown = portal.api(portal.token).action.aizu_version_show(name=name, number=2)
    assert (shown["reason"], shown["lifted"]) == ("統廃合のため", waiting["reasons"])
    assert shown["published_by"] == "試験 administrator"
    assert shown["changes"] == waiting["changes"]
    assert shown["content_hash"] == waiting["content_hash"]
    assert [file["sha256"] for file in shown["files"]] == [
        file["sha256"] for file in waiting["files"]
    ]
    rows = portal.api().action.datastore_search(resource_id=ids["table:list"])["records"]
    assert [row["id"] for row in rows] == list(range(20))
    dataset = portal.api().action.package_show(id=name)
    assert (dataset["title"], dataset["version"]) == ("別の題", "2")
    assert dataset["harvest_state"] == "ok"


def described(name):
    return {"name": name, "title": "試験", "notes": "試験", "license_id": "cc-by"}


def test_whatever_is_published_ends_it(portal, name, sysadmin):
    """A later version, an undo and an override each leave nothing to decide about."""
    publish(portal, name, 1)
    for end in (
        lambda: publish(portal, name, 2),
        lambda: portal.api(portal.token).action.aizu_undo(name=name, reason="試験"),
        lambda: publish(
            portal, name, 1, limits={}, files=sent(name, 25), override_reason="x", token=sysadmin
        ),
    ):
        refused(portal, name, 3)
        assert is_held(portal, name)
        end()
        assert not is_held(portal, name)


def test_discarded_content_does_not_come_back(portal, name, sysadmin):
    """The source sends it again and again: it is refused, and nobody is asked a second time."""
    publish(portal, name, 1)
    refused(portal, name)
    discard(portal, name, sysadmin)
    assert not is_held(portal, name)
    assert "held" not in refused(portal, name)
    assert not is_held(portal, name)
    refused(portal, name, 15)
    assert held(portal, name)["rows"] == {"list": 15}
    assert [one["number"] for one in versions(portal, name)] == [1]


def test_decision_is_about_what_was_looked_at(portal, name, sysadmin):
    """Neither an older refusal nor one without a reason is approved, and nothing where nothing is held."""
    publish(portal, name, 1)
    with pytest.raises(NotFound):
        approve(portal, name, sysadmin, content_hash="0" * 64)
    refused(portal, name)
    older = held(portal, name)["content_hash"]
    refused(portal, name, 15)
    for decide in (approve, discard):
        with pytest.raises(ValidationError) as error:
            decide(portal, name, sysadmin, content_hash=older)
        assert "content_hash" in error.value.error_dict
    with pytest.raises(ValidationError) as error:
        approve(portal, name, sysadmin, reason=" ")
    assert "reason" in error.value.error_dict
    assert held(portal, name)["rows"] == {"list": 15}


@pytest.fixture(scope="module")
def waiting(portal):
    """Two datasets of which something is held; the second one is private."""
    names = [f"test-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        publish(portal, name, 1)
        refused(portal, name)
    portal.api(portal.token).action.package_patch(id=names[1], private=True)
    return names


@pytest.mark.parametrize("role", ROLES)
def test_roles(portal, waiting, people, role):
    """Editors look, administrators of the department decide; to others a private dataset is not even there."""
    name, private = waiting
    token, head = people[role][0], {"Authorization": people[role][0] or ""}
    asked = {"name": name, "content_hash": "0" * 64, "reason": "x"}
    may = ROLES[role]
    if "show" in may:
        assert held(portal, name, token)["name"] == name
    else:
        with pytest.raises(NotAuthorized):
            held(portal, name, token or "")
    for action in ("aizu_approve", "aizu_discard"):
        # That the hash is wrong comes to light after the rights.
        with pytest.raises(ValidationError if "decide" in may else NotAuthorized):
            portal.api(token).call_action(action, asked)
    for page in ("held", "held.geojson", "held/raw.txt", "held/report.json"):
        answer = portal.get(f"/dataset/{name}/{page}", headers=head, allow_redirects=False)
        assert answer.status_code == (200 if "show" in may else 403), page
        assert "public" not in answer.headers["Cache-Control"], page
    page = BeautifulSoup(portal.get(f"/dataset/{name}", headers=head).text, "html.parser")
    assert bool(page.select(".held-link")) == ("show" in may)
    seen = portal.get(f"/dataset/{private}/held", headers=head).status_code
    assert seen == (200 if "show" in may else 403 if role == "member" else 404)
    table = "/api/3/action/datastore_search?resource_id=_aizu_held"
    assert portal.get(table, headers=head).status_code in (403, 404)


def soup(answer):
    return BeautifulSoup(answer.text, "html.parser")


@pytest.fixture
def signed_in(portal, people):
    """A browser's session of somebody in a role."""

    def signed_in(role):
        session = requests.Session()
        form = soup(session.get(f"{portal.url}/user/login", timeout=60))
        token = form.select_one("form [name=_csrf_token]")["value"]
        _, account, password = people[role]
        who = {"login": account, "password": password, "_csrf_token": token}
        assert session.post(f"{portal.url}/user/login", data=who, timeout=60).ok
        return session

    return signed_in


@pytest.mark.parametrize("language", ["", "/en"])
def test_page_tells_why_and_what(portal, name, people, language):
    """Reasons and counts, the rows that would go, in pages, and a map of them; an editor is told who decides."""
    publish(portal, name, 1, files={"table:list": ("list.csv", csv_of(1, 90).encode())})
    refused(portal, name)
    head = {"Authorization": people["editor"][0]}
    page = soup(portal.get(f"{language}/dataset/{name}/held", headers=head))
    (reason,) = page.select(".held-reasons li")
    assert ("70 of 90 rows" if language else "90 行のうち 70 行") in reason.text
    assert [cell.text for cell in page.select(".dataset-main td")] == ["0", "0", "70", "90 → 20"]
    assert len(page.select(".diff-table tbody tr.diff-removed")) == 50
    second = soup(portal.get(f"{language}/dataset/{name}/held?page=2", headers=head))
    assert len(second.select(".diff-table tbody tr")) == 20
    layer = json.loads(page.select_one("[data-aizu-map]")["data-aizu-map"])["layers"][0]
    places = portal.get(layer["source"]["url"], headers=head).json()["features"]
    assert {one["properties"]["kind"] for one in places} == {"Removed" if language else "削除"}
    assert not page.select(".held-decision form")
    assert "試験 administrator" in page.select_one(".held-decision").text
    notice = soup(portal.get(f"{language}/dataset/{name}", headers=head)).select_one(".notice-held")
    assert notice.a["href"].endswith(f"{language}/dataset/{name}/held")
    assert ("70 of 90 rows" if language else "90 行のうち 70 行") in notice.text


def test_administrator_decides_on_the_page(portal, name, signed_in):
    """The form wants a reason and a word of CKAN's against forgery; afterwards there is nothing to decide."""
    publish(portal, name, 1)
    refused(portal, name)
    session, address = signed_in("administrator"), f"{portal.url}/dataset/{name}/held"
    form = soup(session.get(address, timeout=60)).select_one(".held-decision form")
    told = {field["name"]: field["value"] for field in form.select("input")}
    told |= {"decision": "approve", "reason": ""}
    again = soup(session.post(address, data=told, timeout=60))
    assert again.select_one("#held-reason")["aria-invalid"] == "true"
    forged = {**told, "reason": "x", "_csrf_token": ""}
    assert session.post(address, data=forged, timeout=60).status_code == 400
    assert is_held(portal, name)
    done = session.post(address, data={**told, "reason": "統廃合のため"}, timeout=60)
    assert done.url.endswith(f"/dataset/{name}")
    assert "第2版" in soup(done).select_one(".flash-messages").text
    assert versions(portal, name)[0]["reason"] == "統廃合のため"
    late = session.post(address, data={**told, "reason": "x"}, timeout=60)
    assert (late.status_code, late.url) == (404, address)
    refused(portal, name, 5)
    told |= {"content_hash": held(portal, name)["content_hash"], "decision": "discard"}
    assert session.post(address, data=told, timeout=60).ok
    assert not is_held(portal, name)
    assert versions(portal, name)[0]["number"] == 2


def test_files_of_what_is_held_are_kept(portal, name, sysadmin):
    """They are counted, outlive a pruning and are published after it; those of a purged dataset go."""
    purged = f"{name}-purged"
    for one in (name, purged):
        publish(portal, one, 1)
        refused(portal, one, 20)
        assert blob(portal, original(one)).exists()
    portal.api(sysadmin).action.dataset_purge(id=purged)
    operator(portal, "aizu", "versions", "prune")
    assert not blob(portal, original(purged)).exists()
    sizes = json.loads(operator(portal, "aizu", "versions", "sizes", "--json"))
    (mine,) = [one for one in sizes if one["name"].startswith(name)]
    assert (mine["versions"], mine["held"], mine["files"]) == (1, 1, 8)
    approve(portal, name, sysadmin)
    shown = portal.api().action.aizu_version_show(name=name, number=2)
    (file,) = [file for file in shown["files"] if file["part"] == "original"]
    assert requests.get(file["url"], timeout=60).content == original(name)


def original(name):
    return sent(name, 20)["original"][1]


def blob(portal, content):
    sha256 = hashlib.sha256(content).hexdigest()
    return portal.var / "storage" / "versions" / sha256[:2] / sha256
