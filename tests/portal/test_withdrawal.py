"""Withdrawing through nginx, while most of the portal is down: only the vault and its database are needed."""

import json
import os
import signal
import socket
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests
from bs4 import BeautifulSoup

from aizu_vault.consent import Objection, Subject
from aizu_vault.register_file import load_register
from aizu_vault.settings import Vault
from aizu_vault.stored_events import read_people
from aizu_vault.subjects import enrol, link_login, make_withdrawal_code

from .copies import Copy, eventually


@pytest.fixture(scope="module")
def vault(portal):
    """The portal's vault, with the register of the demonstration."""
    opened = Vault.open(portal.var / "vault")
    with opened.connect("deep_steward") as steward:
        load_register(steward, files("aizu_vault") / "demo.register.yaml", by="test")
    return opened


@pytest.fixture
def citizen(vault):
    """Somebody new in the vault, and the code by which they withdraw."""
    subject = uuid4()
    with vault.connect("deep_steward") as steward:
        invented = Subject(subject_id=subject, birth_date=date(1980, 5, 5), synthetic=True)
        enrol(steward, vault.keys, [invented])
        return subject, make_withdrawal_code(steward, vault.keys, subject)


def withdrawals(vault, subject):
    """What the vault knows that the person has said no to."""
    with vault.connect("deep_consent") as connection:
        events = read_people(connection, [subject])[subject].events
    return [event for event in events if isinstance(event, Objection)]


@contextmanager
def standing_still(portal, *names):
    """These processes, and all that they have started, do nothing for a while."""
    groups = [Copy(var=portal.var).pids()[name] for name in names]
    try:
        for group in groups:
            os.killpg(group, signal.SIGSTOP)
        yield
    finally:
        for group in groups:
            os.killpg(group, signal.SIGCONT)


def test_withdrawing_needs_neither_catalogue_nor_redis_nor_search(portal, vault, citizen):
    """Search is in the catalogue's database; of its cluster only the vault's own is used."""
    subject, code = citizen
    with standing_still(portal, "web", "worker", "redis", "schedule", "batch"):
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{portal.url}/dataset/", timeout=1)
        page = requests.get(f"{portal.url}/deep/withdraw", timeout=10)
        form = BeautifulSoup(page.content, "html.parser").form
        typed = {"code": code, form.button["name"]: form.button["value"]}
        answer = requests.post(f"{portal.url}{form['action']}", typed, timeout=20)
        (withdrawn,) = withdrawals(vault, subject)
    shown = BeautifulSoup(answer.content, "html.parser")
    assert shown.h1.get_text() == "データの提供をやめました"
    assert shown.time["datetime"] == withdrawn.recorded_at.isoformat()


def test_where_the_vault_is_down_the_page_says_not_yet(portal, vault, citizen):
    """And it works as soon as the vault is there again."""
    subject, code = citizen

    def withdraw():
        return requests.post(f"{portal.url}/deep/withdraw", {"code": code}, timeout=20)

    os.killpg(Copy(var=portal.var).pids()["vault"], signal.SIGKILL)
    answer = withdraw()
    assert answer.status_code == 503
    assert "まだ停止していません" in answer.text
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert withdrawals(vault, subject) == []
    assert eventually(lambda: withdraw().status_code == 200)
    assert withdrawals(vault, subject)


def test_a_reader_who_stops_gets_little_after_a_withdrawal(portal, vault, citizen, recipient):
    """What was handed over before is not held back for them by the megabyte, and nobody takes it for whole."""
    _, code = citizen
    body = json.dumps({"agreement": "watch-2026", "purpose": "care.watch"}).encode()
    head = recipient("demo-asahi") | {
        "Host": "x",
        "Content-Type": "application/json",
        "Content-Length": len(body),
    }
    words = ["POST /deep/release HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        reader.settimeout(30)
        reader.connect(("127.0.0.1", urlsplit(portal.url).port))
        reader.sendall("\r\n".join([*words, "", ""]).encode() + body)
        before = received(reader, 1_000_000)
        assert before.startswith(b"HTTP/1.1 200 ")
        with vault.connect("deep_steward") as steward:
            running = "SELECT FROM release.release WHERE state = 'running'"
            assert eventually(lambda: steward.execute(running).rowcount == 0)
        assert requests.post(f"{portal.url}/deep/withdraw", {"code": code}, timeout=20).ok
        after = received(reader)
    assert 0 < len(after) < 1_000_000
    assert not after.endswith(b"\r\n0\r\n\r\n")


def received(reader, most=None):
    """What comes, until it is so many bytes or until the end."""
    parts = []
    while most is None or sum(map(len, parts)) < most:
        if not (part := reader.recv(1 << 16)):
            break
        parts.append(part)
    return b"".join(parts)


def test_who_is_logged_in_withdraws_by_a_token_of_the_catalogue(portal, vault, citizen):
    """It is good once, and says who they are: what they may, the vault decides."""
    subject, _ = citizen

    def token():
        answer = requests.post(
            f"{portal.url}/api/3/action/aizu_deep_token",
            headers={"Authorization": portal.token},
            timeout=30,
        )
        return answer.json()["result"]["token"]

    def withdraw(token):
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(f"{portal.url}/deep/withdraw", json={}, headers=headers, timeout=30)

    user = portal.api(portal.token).action.user_show()["id"]
    assert withdraw(token()).json()["error"]["code"] == "not-permitted"
    with vault.connect("deep_steward") as steward:
        link_login(steward, vault.keys, subject, user, 2)
    try:
        once = token()
        assert withdraw(once).status_code == 200
        assert withdraw(once).json()["error"]["code"] == "unauthorised"
    finally:
        with vault.connect("deep_steward") as steward:
            steward.execute("DELETE FROM ident.subject_link WHERE subject_id = %s", (subject,))
    assert len(withdrawals(vault, subject)) == 1
