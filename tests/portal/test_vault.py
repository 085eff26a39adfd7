"""The vault beside the portal: nobody of the portal comes in, its folder is closed, and nginx keeps nothing."""

import configparser
import json
import os
import re
import stat
import subprocess
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import requests

from aizu_vault.demo_people import PEOPLE
from aizu_vault.prepare import ROLES
from aizu_vault.settings import Vault
from aizu_vault.stored_register import read_register
from tests.unit.vault.test_roles import GRANTS, SAID

from .conftest import ROOT
from .copies import Copy

ADDRESSES = ("sqlalchemy.url", "ckan.datastore.write_url", "ckan.datastore.read_url")


def portal_addresses(portal):
    """Where and as whom CKAN reaches its databases."""
    ini = configparser.RawConfigParser()
    ini.read(portal.var / "ckan.ini", encoding="utf-8")
    return {name: ini["app:main"][name] for name in ADDRESSES}


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_portals_roles_are_not_let_in(portal, name):
    """With the right password they reach their own database, and not that of deep data."""
    address = portal_addresses(portal)[name]
    psycopg.connect(address).close()
    with pytest.raises(psycopg.OperationalError, match='permission denied for database "deep"'):
        psycopg.connect(urlsplit(address)._replace(path="/deep").geturl())


def test_each_role_has_a_password_of_its_own(portal):
    """It comes in with that one, and with no other's."""
    vault = Vault.open(portal.var / "vault")
    for role in ROLES:
        vault.connect(role).close()
    lines = vault.places.passwords.read_text().splitlines()
    passwords = dict(line.split(":")[-2:] for line in lines)
    for role, other in zip(ROLES, ROLES[1:] + ROLES[:1], strict=True):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(vault.address, user=role, password=passwords[other])


def test_grants_are_those_of_the_list(portal):
    """Here as on an empty machine."""
    password = json.loads((portal.var / "secrets.json").read_text())["postgres_password"]
    address = Vault.open(portal.var / "vault").address
    with psycopg.connect(address, user="postgres", password=password) as connection:
        rows = connection.execute(SAID, {"database": "deep"}).fetchall()
    said = [" · ".join(row) for row in rows]
    assert said == GRANTS.read_text(encoding="utf-8").splitlines()


def test_the_folder_is_closed_to_others(portal):
    """Neither the vault's keys nor the portal's own are for anybody else on the machine."""
    assert stat.S_IMODE((portal.var / "vault").stat().st_mode) == 0o700
    for file in (*(portal.var / "vault").iterdir(), portal.var / "deep-token.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_crash_leaves_no_memory_on_the_disk(portal):
    """Neither of the process that serves nor of the one that starts it."""
    group = Copy(var=portal.var).pids()["vault"]
    members = [one for one in Path("/proc").glob("[0-9]*") if _group_of(one) == group]
    assert len(members) == 2
    for one in members:
        (limit,) = re.findall(r"Max core file size +(\d+) +(\d+)", (one / "limits").read_text())
        assert limit == ("0", "0")


def _group_of(process):
    try:
        return os.getpgid(int(process.name))
    except ProcessLookupError:
        return None


def test_the_vault_answers_through_nginx(portal):
    """With its own headers, each once: nobody keeps the answer, and no page of others frames it."""
    answer = portal.get("/deep/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Content-Encoding" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_nothing_of_a_request_stays_on_its_way(portal):
    """Neither a long body nor what somebody puts into the address is in any file of nginx or in a log."""
    mark = uuid4().hex
    body = json.dumps({"code": mark * 20_000})
    answer = requests.post(
        f"{portal.url}/deep/withdraw?mark={mark}",
        data=body,
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {mark}"},
        timeout=60,
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too-large"
    files = [file for name in ("log", "nginx") for file in (portal.var / name).rglob("*")]
    assert not [file for file in files if file.is_file() and mark.encode() in file.read_bytes()]


def test_the_demonstration_is_in_the_vault(portal):
    """A start has loaded it, and its recipients are users of the portal; loading it again changes nothing."""
    vault = Vault.open(portal.var / "vault")
    words = (ROOT / ".venv" / "bin" / "aizu-vault", "demo", "--json")
    environment = {**os.environ, "AIZU_VAULT": str(vault.places.folder)}
    result = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == {"people": 0, "events": 0, "rows": 0}
    with vault.connect("deep_steward") as connection:
        recipients = read_register(connection).recipients
        (people,) = connection.execute("SELECT count(*) FROM consent.subject").fetchone()
    user = portal.api(portal.token).action.user_show(id="demo-asahi")
    assert user["id"] == recipients["asahi-hospital"].members[0].user
    assert people >= PEOPLE
