"""The commands of docs/operate.md for backup and restore, run as they stand there."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import requests

from aizu_vault.log.notes import read
from aizu_vault.settings import Vault
from aizu_vault.upkeep import sign_now

from .copies import Copy

ROOT = Path(__file__).resolve().parents[2]
PERSON = UUID(int=7)


def commands(heading: str, begins: str = "scripts/|tar ") -> list[str]:
    """The shell commands below a heading of docs/operate.md, without settings in front of them."""
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"^    (?:AIZU_\S+ )?((?:{begins}).*)$", section, re.MULTILINE)


def harvests(portal, var):
    """What the journal of a portal tells of each source."""
    told = json.loads(portal.aizu("status", "--json", AIZU_VAR=str(var)).stdout)
    return {(one["city"], one["source"]): one for one in told}


def check_versions(url, original):
    """Every version is listed as it was, with all of its files."""
    asked = "api/3/action/aizu_versions?name=aizuwakamatsu-hydrant"
    kept, there = (
        requests.get(f"{place}/{asked}", timeout=30).json()["result"]["versions"]
        for place in (url, original)
    )
    assert [one["content_hash"] for one in kept] == [one["content_hash"] for one in there]
    for version in kept:
        for file in version["files"]:
            path = file["url"].split("/", 3)[3]
            content = requests.get(f"{url}/{path}", timeout=30).content
            assert hashlib.sha256(content).hexdigest() == file["sha256"]


def check_apart(file, keys):
    """The keys of deep data are in one file, everything else is in the other."""
    with tarfile.open(file) as first, tarfile.open(keys) as second:
        assert "deep.dump" in first.getnames()
        assert not [name for name in first.getnames() if "vault" in name]
        named = {Path(name).name for name in second.getnames()}
    assert {"vault", "master.key", "log.pem", "origin", "persons.db"} <= named
    assert not named & {"pgpass", "database", "deep.dump"}


def in_vault(var):
    """How many rows the tables of the vault of a portal have that only grow."""
    password = json.loads((var / "secrets.json").read_text())["postgres_password"]
    vault = Vault.open(var / "vault")
    with psycopg.connect(vault.address, user="postgres", password=password) as connection:
        names = connection.execute(
            "SELECT schemaname || '.' || relname FROM pg_stat_user_tables "
            "WHERE schemaname IN ('audit', 'consent', 'release') OR relname = 'block'"
        ).fetchall()
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for (name,) in names
        }


def key_in(vault):
    """The key of somebody, made now, in a vault whose log is signed as it is."""
    # Or the copy, which signs when it starts, would have one head more than the portal, which does it each minute.
    sign_now(vault)
    return vault.keys.create([PERSON])[PERSON]


def check_vault(restored, portal, somebody, rows_before, began):
    """It opens with the same keys, goes on signing the same log, and has the rows of when it was saved."""
    vault = Vault.open(restored.var / "vault")
    assert vault.keys.read([PERSON])[PERSON].log == somebody.log
    assert vault.signer.trusted == Vault.open(portal.var / "vault").signer.trusted
    now, later = in_vault(restored.var), in_vault(portal.var)
    assert now.keys() == later.keys()
    assert all(rows_before[name] <= now[name] <= later[name] for name in now), now
    health = f"{restored.url}/deep/health"
    assert requests.get(health, timeout=30).status_code == 503
    (command,) = commands("Backup and restore", ".venv/bin/aizu-vault ")
    said = "--yes", "--json", "--folder", restored.var / "vault"
    words = [*command.replace("NAME", "試験").split(), *said]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert began <= datetime.fromisoformat(json.loads(told.stdout)["since"]) <= datetime.now(UTC)
    assert requests.get(health, timeout=30).json() == {"status": "ok"}
    head = requests.get(f"{restored.url}/deep/log/head", timeout=30).text
    checkpoint, _ = read(head, vault.signer.trusted)
    assert checkpoint.size == now["audit.log_leaf"] + 1


def test_backup_and_restore_as_documented(portal):
    """A portal restored from the backup shows the same dataset, rows and files; its vault opens with its keys."""
    copy = portal.var.parent / "test-restored"
    file, keys = portal.var / "aizu-backup.tar", portal.var / "aizu-keys.tar"
    somebody = key_in(Vault.open(portal.var / "vault"))
    rows_before, began = in_vault(portal.var), datetime.now(UTC).replace(microsecond=0)
    shutil.rmtree(copy, ignore_errors=True)
    # What a restore that was killed has left.
    (copy / "restore" / "postgres").mkdir(parents=True)
    (copy / "storage" / "half").mkdir(parents=True)
    save, restore, unpack, start = commands("Backup and restore")
    places = {"/srv/backup/aizu.tar": str(file), "/srv/aizu-new": str(copy)}
    places["/srv/keys/aizu.tar"] = str(keys)
    for words in (f"{save} --var {portal.var}", restore, unpack):
        for documented, here in places.items():
            words = words.replace(documented, here)
        told = subprocess.run(words.split(), cwd=ROOT, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
    for one in (file, keys):
        assert one.stat().st_mode & 0o077 == 0
    check_apart(file, keys)
    assert start == "scripts/serve --var /srv/aizu-new"
    assert not (copy / "storage" / "half").exists()
    restored = Copy(var=copy)
    try:
        printed = restored.start()
        assert "password" not in printed
        found, original = (
            requests.get(f"{url}/api/3/action/package_show?id=aizuwakamatsu-hydrant", timeout=30)
            for url in (restored.url, portal.url)
        )
        found, original = found.json()["result"], original.json()["result"]
        assert found["content_hash"] == original["content_hash"]
        for resource in found["resources"]:
            path = resource["url"].split("/", 3)[3]
            here, there = (
                requests.get(f"{url}/{path}", timeout=30) for url in (restored.url, portal.url)
            )
            assert here.status_code == 200
            assert here.content == there.content
        check_versions(restored.url, portal.url)
        table = next(r["id"] for r in found["resources"] if r["kind"] == "table")
        rows = requests.get(
            f"{restored.url}/api/3/action/datastore_search?resource_id={table}&limit=0",
            timeout=30,
        )
        assert rows.json()["result"]["total"] > 1000
        hydrant = harvests(portal, copy)["aizuwakamatsu", "hydrant"]
        assert (hydrant["paused"]["reason"], bool(hydrant["runs"])) == ("試験", True)
        check_vault(restored, portal, somebody, rows_before, began)
    finally:
        restored.end()


@pytest.mark.parametrize(
    ("script", "said"), [("backup", "no portal runs"), ("restore", "holds a portal already")]
)
def test_refusals(tmp_path, script, said):
    """Where no portal runs there is nothing to save; a portal is not overwritten by a restore."""
    (tmp_path / "postgres").mkdir()
    told = subprocess.run(
        [ROOT / "scripts" / script, tmp_path / "x.tar", "--var", tmp_path],
        capture_output=True,
        text=True,
    )
    assert told.returncode == 1
    assert said in told.stderr
