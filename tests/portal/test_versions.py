"""What a steward and a reader have of versions: plan, gate, undo, addresses that stay, differences, feeds."""

import hashlib
import json
import os
import shutil
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
import requests
from bs4 import BeautifulSoup
from ckanapi import NotAuthorized, NotFound, ValidationError
from redis import Redis

from .conftest import ROOT, harvest_env
from .copies import eventually
from .dataset_versions import Reader, csv_of, files_of, kept, publish, reading
from .leftovers import database


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def admin(portal):
    """A token of the sysadmin."""
    told = subprocess.run(
        [ROOT / ".venv/bin/ckan", "user", "token", "add", "admin", f"tests {uuid.uuid4().hex}"],
        capture_output=True,
        text=True,
        env={**os.environ, "CKAN_INI": str(portal.var / "ckan.ini")},
        check=True,
    )
    return told.stdout.strip().splitlines()[-1].strip()


def rows_of(version, first=0, last=30):
    """A table of the same columns with the rows of these numbers."""
    header, *lines = csv_of(version, last).split("\r\n")
    return ("list.csv", "\r\n".join([header, *lines[first:]]).encode())


def dataset(portal, name):
    return portal.api(portal.token).action.package_show(id=name)


def undo(portal, name, token=None, **more):
    return portal.api(token or portal.token).action.aizu_undo(name=name, reason="試験", **more)


def reasons(refused):
    return {one["rule"] for one in refused.value.error_dict["gate"]}


def test_versions_are_numbered_and_listed(portal, name):
    """Each publication is a version, with what it changed; the same content is none."""
    for version in (1, 2, 2):
        publish(portal, name, version)
    found = portal.api().action.aizu_versions(name=name)
    assert found["count"] == 2
    assert [one["number"] for one in found["versions"]] == [2, 1]
    assert [one["state"] for one in found["versions"]] == ["current", "past"]
    changes = {"added": 0, "changed": 30, "removed": 0, "before": 30, "after": 30}
    assert found["versions"][0]["changes"] == {"list": changes}
    assert found["versions"][0]["published_by_program"] is True
    assert "published_by" not in found["versions"][0]
    assert "published_by" in portal.api(portal.token).action.aizu_versions(name=name)["versions"][0]
    assert dataset(portal, name)["version"] == "2"
    first = portal.api().action.aizu_versions(name=name, offset=1, limit=1)
    assert (first["count"], [one["number"] for one in first["versions"]]) == (2, [1])
    assert portal.api().action.aizu_versions(name=name, offset=10**30)["versions"] == []


def test_addresses_of_versions_stay(portal, name):
    """A file of an old version is served as it was, for good, under the hash that is told of it."""
    for version in (1, 2):
        publish(portal, name, version)
    shown = portal.api().action.aizu_version_show(name=name, number=1)
    contents = files_of(1)
    for file in shown["files"]:
        answer = requests.get(file["url"], timeout=60)
        if file["part"] in contents:
            assert answer.content == kept(file["part"], contents[file["part"]][1])
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert answer.headers["ETag"].removeprefix("W/") == f'"{file["sha256"]}"'
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Disposition"].startswith("attachment")
        again = requests.get(
            file["url"], headers={"If-None-Match": answer.headers["ETag"]}, timeout=60
        )
        assert again.status_code == 304
    assert requests.get(shown["report_url"], timeout=60).json() == {"valid": True, "tasks": []}
    for missing in ("version/9", "version/1/x.csv", "diff/1..9", "version/0"):
        assert portal.get(f"/dataset/{name}/{missing}").status_code == 404
    for page in ("versions", "diff/1..2"):
        assert portal.get(f"/dataset/{name}/{page}?page={10**30}").ok


@pytest.mark.parametrize(("replaces", "taken"), [(1, True), (0, False), (7, False)])
def test_version_that_is_replaced_is_the_one_that_was_meant(portal, name, replaces, taken):
    """Who says which version he believes to be current is refused if it is another."""
    publish(portal, name, 1)
    if taken:
        assert publish(portal, name, 2, replaces=replaces)["version"] == 2
        return
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 2, replaces=replaces)
    assert "replaces" in refused.value.error_dict
    assert dataset(portal, name)["version"] == "1"


def test_dry_run_tells_and_changes_nothing(portal, name):
    """A plan says what would be added, changed and removed, and what speaks against it."""
    with pytest.raises(NotFound):
        portal.api().action.package_show(id=name)
    assert publish(portal, name, 1, dry_run=True)["tables"]["list"]["counts"]["added"] == 30
    with pytest.raises(NotFound):
        portal.api(portal.token).action.package_show(id=name)
    publish(portal, name, 1)
    before = dataset(portal, name)
    files = {"table:list": rows_of(1, 0, 20)}
    plan = publish(portal, name, 1, dry_run=True, limits={}, files=files)
    assert (plan["changed"], plan["ok"], plan["version"], plan["replaces"]) == (True, False, 2, 1)
    assert plan["tables"]["list"]["counts"]["removed"] == 10
    assert [one["rule"] for one in plan["reasons"]] == ["mass-deletion"]
    assert [one["part"] for one in plan["files"] if one["changed"]] == [
        "table:list",
        "parquet:list",
    ]
    assert publish(portal, name, 1, dry_run=True)["changed"] is False
    assert dataset(portal, name) == before


@pytest.mark.parametrize(
    ("files", "limits", "rules"),
    [
        ({"table:list": rows_of(1, 0, 26)}, {}, {"mass-deletion"}),
        ({"table:list": rows_of(1, 30, 30)}, {}, {"mass-deletion", "nothing-left"}),
        ({"table:list": rows_of(2)}, {}, {"all-changed"}),
        ({"table:list": rows_of(1, 0, 29)}, {"minimum": 30}, {"too-few-rows"}),
        ({"table:list": rows_of(1, 0, 31)}, {"maximum": 30}, {"too-many-rows"}),
    ],
)
def test_gate_holds_back(portal, name, admin, files, limits, rules):
    """Good data stays until an administrator approves the change with a reason, which is kept."""
    ids = publish(portal, name, 1)["resources"]
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 1, limits=limits, files=files)
    assert reasons(refused) == rules
    assert all(one["ja"] and one["en"] for one in refused.value.error_dict["gate"])
    reader = Reader(portal, name, ids)
    reader.look()
    assert (reader.faults, set(reader.seen)) == ([], {1})
    with pytest.raises(NotAuthorized):
        publish(portal, name, 1, limits=limits, files=files, override_reason="正しい")
    told = {"limits": limits, "files": files, "override_reason": "統廃合のため", "token": admin}
    assert publish(portal, name, 1, **told)["version"] == 2
    kept = portal.api().action.aizu_version_show(name=name, number=2)
    assert kept["reason"] == "統廃合のため"
    assert {one["rule"] for one in kept["lifted"]} == rules


def test_short_changes_pass_the_gate(portal, name):
    """A tenth of the rows may go without a word."""
    publish(portal, name, 1)
    assert publish(portal, name, 1, limits={}, files={"table:list": rows_of(1, 0, 27)})["changed"]


@pytest.mark.parametrize("limits", ["x", [], {"minimum": "1"}, {"rows": 3}, {"removed_share": 2}])
def test_limits_are_read(portal, name, limits):
    """What is no limit is refused by name."""
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 1, limits=limits)
    assert "limits" in refused.value.error_dict


def test_undo_is_exact(portal, name):
    """The version before comes back: files byte for byte, table row for row; undone again, the other one."""
    ids = publish(portal, name, 1)["resources"]
    first = {part: content_of(portal, name, part, ids) for part in ids}
    table = rows_in(portal, ids)
    publish(portal, name, 2, dataset=described(name, title="別の題"))
    with reading_again(portal, name, ids) as faults:
        back = undo(portal, name)
    assert not faults
    assert (back["version"], back["restores"], back["resources"]) == (3, 1, ids)
    assert {part: content_of(portal, name, part, ids) for part in ids} == first
    assert rows_in(portal, ids) == table
    found = dataset(portal, name)
    assert (found["title"], found["version"]) == ("試験", "3")
    versions = portal.api().action.aizu_versions(name=name)["versions"]
    assert [one["content_hash"] for one in versions][::2] == [versions[0]["content_hash"]] * 2
    undo(portal, name)
    assert content_of(portal, name, "original", ids) == b"2\n"


def described(name, **fields):
    return {"name": name, "title": "試験", "notes": "試験", "license_id": "cc-by", **fields}


def content_of(portal, name, part, ids):
    return portal.get(f"/dataset/{name}/resource/{ids[part]}/download/x").content


def rows_in(portal, ids):
    return portal.api().action.datastore_search(resource_id=ids["table:list"])["records"]


class reading_again:  # noqa: N801 (used as a word)
    """A reader who accepts that an older version comes back, and nothing else."""

    def __init__(self, portal, name, ids):
        self.work = reading(portal, name, ids)

    def __enter__(self):
        self.reader = self.work.__enter__()
        self.faults = []
        return self.faults

    def __exit__(self, *exc):
        self.work.__exit__(*exc)
        # By their numbers a reader cannot tell what is late from what was brought back.
        order = (" after ", " before ")
        self.faults += [f for f in self.reader.faults if not any(word in f for word in order)]


def test_undone_content_does_not_come_back_by_itself(portal, name, admin):
    """The next harvest of the same bad list is held back; a new list is not, nor one that is approved."""
    publish(portal, name, 1)
    publish(portal, name, 2)
    undo(portal, name)
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 2)
    assert reasons(refused) == {"undone"}
    assert publish(portal, name, 1)["changed"] is False
    assert publish(portal, name, 3)["changed"] is True
    assert publish(portal, name, 2)["changed"] is True
    undo(portal, name)
    assert publish(portal, name, 2, override_reason="正しい", token=admin)["changed"] is True


@pytest.mark.parametrize("wrong", [{"to": 2}, {"to": 9}, {"to": 0}, {"to": "x"}, {"reason": " "}])
def test_undo_needs_an_earlier_version_and_a_reason(portal, name, wrong):
    """What cannot be brought back is refused by name."""
    publish(portal, name, 1)
    publish(portal, name, 2)
    with pytest.raises(ValidationError) as refused:
        portal.api(portal.token).call_action("aizu_undo", {"name": name, "reason": "x", **wrong})
    assert set(wrong) <= set(refused.value.error_dict)


def test_versions_are_for_those_who_may_see_the_dataset(portal, name):
    """A private dataset's versions, files and feeds are for its department; strangers undo nothing."""
    publish(portal, name, 1)
    publish(portal, name, 2)
    with pytest.raises(NotAuthorized):
        portal.api().action.aizu_undo(name=name, reason="x")
    portal.api(portal.token).action.package_patch(id=name, private=True)
    for action in ("aizu_versions", "aizu_version_show", "aizu_version_diff"):
        with pytest.raises(NotAuthorized):
            portal.api().call_action(action, {"name": name, "number": 1, "from": 1, "to": 2})
    pages = ("versions", "version/1", "version/1/list.csv", "version/1/report.json", "diff/1..2")
    for page in (*pages, "changes.atom", "changes.json", "diff/1..2.geojson"):
        assert portal.get(f"/dataset/{name}/{page}").status_code == 404, page
    head = {"Authorization": portal.token}
    file = f"/dataset/{name}/version/1/list.csv"
    assert portal.get(file, headers=head).headers["Cache-Control"].startswith("private")
    portal.api(portal.token).action.package_patch(id=name, private=False)
    assert portal.get(file).headers["Cache-Control"].startswith("public")
    portal.api(portal.token).action.package_delete(id=name)
    assert portal.get(file).status_code == 404
    assert portal.get(file, headers=head).headers["Cache-Control"].startswith("private")
    table = "/api/3/action/datastore_search?resource_id=_aizu_version"
    assert portal.get(table).status_code in (403, 404)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\win.ini", "win.ini"),
        ("/etc/shadow", "shadow"),
        ("report.json", "original-report.json"),
        ("list.csv", "original-list.csv"),
        ("一覧 2026.csv", "一覧-2026.csv"),
    ],
)
def test_file_names_are_names(portal, name, sent, kept):
    """No name leads out of the version, and no two files of a version have the same."""
    publish(portal, name, 1, files={"original": (sent, b"raw")})
    shown = portal.api().action.aizu_version_show(name=name, number=1)
    (original,) = [file for file in shown["files"] if file["part"] == "original"]
    assert original["filename"] == kept
    assert requests.get(original["url"], timeout=60).content == b"raw"
    assert requests.get(shown["report_url"], timeout=60).json()["valid"] is True


def test_file_is_not_replaced_by_hand(portal, name):
    """A steward who uploads a file in the place of a published one is told what to do instead."""
    ids = publish(portal, name, 1)["resources"]
    with pytest.raises(ValidationError) as refused:
        portal.api(portal.token).call_action(
            "resource_patch", {"id": ids["original"]}, files={"upload": ("x.txt", b"other")}
        )
    assert "upload" in refused.value.error_dict
    assert content_of(portal, name, "original", ids) == b"1\n"


def test_many_at_once_are_taken_in_turn(portal, name):
    """Six publications at the same moment: six versions, and the last one is whole."""
    ids = publish(portal, name, 1)["resources"]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda version: publish(portal, name, version), range(2, 8)))
    assert sorted(one["version"] for one in done) == list(range(2, 8))
    reader = Reader(portal, name, ids)
    reader.look()
    assert not reader.faults
    assert len(set(reader.seen)) == 1


def test_differences_of_any_two_versions(portal, name):
    """Rows by key, cell by cell, in pages; the map has the places of what changed."""
    publish(portal, name, 1)
    header, *lines = csv_of(1).split("\r\n")
    changed = [header, lines[0].replace(",1,", ",5,"), *lines[2:30], "99,1,37.5,139.9", ""]
    files = {"table:list": ("list.csv", "\r\n".join(changed).encode())}
    publish(portal, name, 1, files=files)
    told = portal.api().call_action("aizu_version_diff", {"name": name, "from": 1, "to": 2})
    assert {kind: told["counts"][kind] for kind in ("added", "changed", "removed")} == {
        "added": 1,
        "changed": 1,
        "removed": 1,
    }
    assert told["rows"][0]["cells"] == {"v": {"before": "1", "after": "5"}}
    second = {"name": name, "from": 1, "to": 2, "offset": 1, "limit": 1}
    assert portal.api().call_action("aizu_version_diff", second)["rows"] == told["rows"][1:2]
    places = portal.get(f"/dataset/{name}/diff/1..2.geojson").json()["features"]
    assert [one["properties"]["kind"] for one in places] == ["変更", "追加", "削除"]
    page = BeautifulSoup(portal.get(f"/dataset/{name}/diff/1..2").text, "html.parser")
    assert [row["class"] for row in page.select(".diff-table tbody tr")] == [
        ["diff-changed"],
        ["diff-added"],
        ["diff-removed"],
    ]
    assert page.select_one(".diff-table ins").text == "5"
    assert json.loads(page.select_one("[data-aizu-map]")["data-aizu-map"])["layers"]


@pytest.mark.parametrize("language", ["", "/en"])
def test_pages_and_feeds_tell_the_changes(portal, name, language):
    """List, version and feeds in both languages; entries have the rows that changed."""
    publish(portal, name, 1)
    header, *lines = csv_of(1).split("\r\n")
    files = {"table:list": ("list.csv", "\r\n".join([header, *lines[1:]]).encode())}
    publish(portal, name, 1, files=files)
    undo(portal, name)
    page = portal.get(f"{language}/dataset/{name}/versions")
    assert page.ok
    assert ("Version 3" if language else "第3版") in page.text
    assert "試験" in page.text
    assert portal.get(f"{language}/dataset/{name}/version/2").ok
    atom = ElementTree.fromstring(portal.get(f"{language}/dataset/{name}/changes.atom").content)
    space = "{http://www.w3.org/2005/Atom}"
    entries = atom.findall(f"{space}entry")
    assert len(entries) == 3
    assert ("Removed 0" if language else "削除 0") in entries[1].find(f"{space}content").text
    answer = portal.get(f"{language}/dataset/{name}/changes.json")
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["_aizu"]["number"] for item in feed["items"]] == [3, 2, 1]
    assert feed["items"][0]["_aizu"]["restores"] == 1
    assert len(feed["items"][0]["attachments"]) == 4
    known = {"If-None-Match": answer.headers["ETag"]}
    again = portal.get(f"{language}/dataset/{name}/changes.json", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    publish(portal, name, 2)
    assert portal.get(f"{language}/dataset/{name}/changes.json", headers=known).status_code == 200


def test_control_characters_of_cells_do_not_end_the_feed(portal, name):
    """XML has no place for them: a reader of the feed sees that there was one."""
    table = csv_of(1)
    fields = [{"name": column, "type": "string"} for column in table.splitlines()[0].split(",")]
    schema = {"fields": fields, "primaryKey": ["id"]}
    item = {"name": "list", "title": "一覧", "title_en": "List", "schema": schema}
    for content in (table, table + "99\x0b,1,37.5,139.9\r\n"):
        files = {"table:list": ("list.csv", content.encode())}
        publish(
            portal, name, 1, files=files, resources=[item], dataset=described(name, title="\x1b")
        )
    answer = portal.get(f"/dataset/{name}/changes.atom")
    assert "99\N{REPLACEMENT CHARACTER}" in "".join(
        ElementTree.fromstring(answer.content).itertext()
    )


def test_a_version_that_comes_while_files_are_removed_waits(portal, name):
    """Who prunes takes what broke off for left behind, and not what is just arriving."""
    with (
        database(portal, "ckan.datastore.write_url") as cur,
        ThreadPoolExecutor() as others,
    ):
        cur.execute("BEGIN; SELECT pg_advisory_xact_lock(hashtext('aizu blobs'))")
        coming = others.submit(publish, portal, name, 1)
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        cur.execute(waiting)
        while not coming.done() and not cur.fetchall():
            time.sleep(0.05)
            cur.execute(waiting)
        shutil.rmtree(portal.var / "storage" / "versions" / "arriving", ignore_errors=True)
        cur.execute("ROLLBACK")
        assert coming.result()["version"] == 1


def test_a_file_that_is_lost_is_told_of(portal, name):
    """Whoever asks for a file that went after all else learns that it is not kept any more."""
    publish(portal, name, 1, files={"original": ("x.txt", name.encode())})
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    (portal.var / "storage" / "versions" / sha256[:2] / sha256).unlink()
    assert portal.get(f"/dataset/{name}/version/1/x.txt").status_code == 410


def test_old_versions_let_their_files_go(portal, name):
    """Beyond what the dataset keeps, an entry and its hashes stay; the files say that they are gone."""
    publish(portal, name, 1)
    portal.api(portal.token).action.package_patch(id=name, keep_versions="2")
    for version in (2, 3, 4):
        publish(portal, name, version)
    found = portal.api().action.aizu_versions(name=name)["versions"]
    assert [one["state"] for one in found] == ["current", "past", "gone", "gone"]
    assert portal.get(f"/dataset/{name}/version/1").ok
    assert portal.get(f"/dataset/{name}/version/1/list.csv").status_code == 410
    assert portal.get(f"/dataset/{name}/diff/1..4").status_code == 410
    assert portal.get(f"/dataset/{name}/diff/3..4").ok
    with pytest.raises(ValidationError):
        undo(portal, name, to=1)
    with pytest.raises(ValidationError):
        portal.api(portal.token).action.package_patch(id=name, keep_versions="1")
    pruned(portal)
    ids = undo(portal, name, to=3)["resources"]
    assert content_of(portal, name, "table:list", ids) == kept("table:list", csv_of(3))
    old = portal.get(f"/dataset/{name}/version/4/list.csv").content
    assert old == kept("table:list", csv_of(4))
    sizes = json.loads(operator(portal, "versions", "sizes", "--json"))
    (mine,) = [one for one in sizes if one["name"] == name]
    assert (mine["versions"], mine["gone"]) == (2, 3)


def test_old_files_go_by_themselves(portal, name):
    """An hour after the last time; nobody has to remember it."""
    publish(portal, name, 1, files={"original": ("first.txt", name.encode())})
    portal.api(portal.token).action.package_patch(id=name, keep_versions="2")
    digest = hashlib.sha256(name.encode()).hexdigest()
    first = portal.var / "storage" / "versions" / digest[:2] / digest
    for version in (2, 3):
        publish(portal, name, version)
    assert first.exists()
    with Redis.from_url(harvest_env(portal.var)["AIZU_REDIS_URL"]) as known:
        known.delete("aizu:pruned")
    publish(portal, name, 4)
    until = time.monotonic() + 60
    while first.exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert not first.exists()


def operator(portal, *words):
    told = subprocess.run(
        [ROOT / ".venv/bin/ckan", "aizu", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "CKAN_INI": str(portal.var / "ckan.ini")},
        check=True,
    )
    return told.stdout


def pruned(portal):
    """Files that no version names go; what is read stays readable."""
    operator(portal, "versions", "prune")
    folder = portal.var / "storage" / "versions"
    # What a live source sends at this moment is arriving, too.
    assert eventually(lambda: not list(folder.glob("arriving/*")))


def test_purged_dataset_leaves_nothing(portal, name, admin):
    """What a sysadmin purges is gone with all its versions, files and tables."""
    ids = publish(portal, name, 1, files={"original": ("x.txt", name.encode())})["resources"]
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    blob = portal.var / "storage" / "versions" / sha256[:2] / sha256
    assert blob.exists()
    portal.api(admin).action.dataset_purge(id=name)
    pruned(portal)
    assert not blob.exists()
    with pytest.raises(NotFound):
        portal.api(admin).action.datastore_search(resource_id=ids["table:list"])
