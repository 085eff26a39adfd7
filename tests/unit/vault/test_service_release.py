"""Releases over HTTP: who gets them, who does not, and what becomes of readers who stop reading."""

import csv
import io
import json
import re
import socket
import threading
import time
from contextlib import ExitStack, suppress
from uuid import UUID

import pytest
import requests

from aizu_vault.intake import ingest
from aizu_vault.streams import AT_ONCE
from aizu_vault.subjects import link_login

from .city import PEOPLE
from .releases import WISH, measured
from .test_service import Refusal, refusal

ME, YOU, OTHER, *_ = PEOPLE


@pytest.fixture(scope="module")
def data(service):
    """Rows of three people, of one as many as no socket takes at once; two have consented."""
    ingest(service.vault, "vitals", measured([ME], days=70, each=1440))
    ingest(service.vault, "vitals", measured([YOU, OTHER]))
    service.agree(ME, YOU)
    return service


def ask(service, user="doctor", **changes):
    """A release under the agreement with the northern hospital; None takes a word away."""
    said = {name: value for name, value in (WISH | changes).items() if value is not None}
    return service.post("release", said, service.token(user))


def rows(answer):
    """What came, as rows."""
    return list(csv.DictReader(io.StringIO(answer.text)))


def state(service, answer):
    """How the release of an answer stands."""
    query = "SELECT state, reason FROM release.release WHERE release_id = %s"
    number = UUID(answer.headers["Aizu-Release"])
    return service.release.execute(query, (number,)).fetchone()


def awaited(found, seconds=10):
    """Waits until something is so."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_recipient_gets_what_is_permitted(data):
    """As a stream, whole, with the number by which it is found in the log."""
    answer = ask(data, where={"time": {"to": "2026-06-01T02:00:00Z"}})
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert {row["heart"] for row in rows(answer)} == {"60", "61"}
    assert state(data, answer) == ("completed", None)
    lines = ask(data, format="jsonl", where={"heart": [61]})
    assert {json.loads(line)["heart"] for line in lines.text.splitlines()} == {61}


def test_everybody_gets_their_own_rows(data):
    """Also of those who have consented to nothing, and nobody else's."""
    answer = data.post("own", {"dataset": "vitals"}, data.token("citizen-3"))
    assert {row["heart"] for row in rows(answer)} == {"62"}
    nobody = data.post("own", {"dataset": "vitals"}, data.token("doctor"))
    assert refusal(nobody) is Refusal.NOT_PERMITTED


@pytest.mark.parametrize(
    "changes",
    [
        {"agreement": "unknown"},
        {"agreement": "deal'; DROP TABLE vault.block; --"},
        {"purpose": "stroke"},
        {"purpose": "research"},
        {"purpose": "unknown"},
        {"receiver": "south"},
        {"user": "stranger"},
        {"user": "citizen-1"},
        {"user": "stranger", "fields": ["blood"]},
        {"agreement": "unknown", "fields": ["blood"]},
        {"resume": "00000000-0000-4000-8000-000000000000"},
    ],
)
def test_what_is_unknown_and_what_is_forbidden_are_the_same(data, changes):
    """Agreements, purposes that are others' or inner ones, receivers, users, releases of others."""
    assert refusal(ask(data, **changes)) is Refusal.NOT_PERMITTED


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": ["blood"]},
        {"fields": []},
        {"fields": "heart"},
        {"fields": ["heart; SELECT 1"]},
        {"where": {"blood": [1]}},
        {"where": {"heart": {"from": "x"}}},
        {"where": []},
        {"format": "parquet"},
        {"agreement": None},
        {"purpose": 7},
        {"agreement": "de\0al"},
        {"resume": "x"},
        {"more": 1},
    ],
)
def test_what_cannot_be_is_refused(data, changes):
    """With a fixed text, whatever it was."""
    assert refusal(ask(data, **changes)) is Refusal.MALFORMED


def test_the_same_user_has_one_release_at_a_time(data):
    """Two tokens at once do not help."""
    with Slow(data, "release", WISH, "doctor") as slow:
        assert slow.status == 200
        assert refusal(ask(data)) is Refusal.RUNNING
    awaited(lambda: ask(data, where={"heart": [61]}).status_code == 200)


def test_whether_somebody_is_in_it_does_not_show(data):
    """Status and headers are those of an answer without them."""

    def told(answer):
        changing = {"Date", "Aizu-Release"}
        headers = {name: text for name, text in answer.headers.items() if name not in changing}
        return answer.status_code, headers

    wish = {"where": {"heart": [62]}}
    without = ask(data, **wish)
    data.agree(OTHER)
    within = ask(data, **wish)
    data.post("withdraw", {}, data.token("citizen-3"))
    assert (len(rows(without)), len(rows(within))) == (0, 6)
    assert told(without) == told(within)


class Slow:
    """A reader who takes the head of an answer and nothing more."""

    def __init__(self, service, path, said, user):
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(10)
        self._socket.connect(service.address)
        body = json.dumps(said)
        self._socket.sendall(
            f"POST /deep/{path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {service.token(user)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        self.head = self._socket.recv(2000)
        self.status = int(self.head.split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def rest(self):
        """What comes when the reader goes on at last."""
        received = self.head
        while part := self._socket.recv(1 << 20):
            received += part
        return received


class Trickling(Slow):
    """A reader who takes a little all the time, and so is slow as long as they like, and never cut off."""

    def __enter__(self):
        self._thread = threading.Thread(target=self._take)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _take(self):
        with suppress(OSError):
            while self._socket.recv(1 << 14):
                time.sleep(0.01)


def test_a_slow_reader_is_cut_and_holds_up_no_withdrawal(data):
    """What was not handed over does not follow, and nobody takes the rest for whole."""
    with Slow(data, "release", WISH | {"format": "jsonl"}, "doctor") as slow:
        begun = time.monotonic()
        answer = data.post("withdraw", {}, data.token("citizen-2"))
        assert answer.status_code == 200
        assert time.monotonic() - begun < 10
        awaited(lambda: ask(data, where={"heart": [62]}).status_code == 200)
        received = slow.rest()
    assert not received.endswith(b"0\r\n\r\n")
    number = UUID(re.search(rb"Aizu-Release: (\S+)", received)[1].decode())
    query = "SELECT state FROM release.release WHERE release_id = %s"
    assert data.release.execute(query, (number,)).fetchone() == ("stopped",)
    data.agree(YOU)


def test_many_slow_readers_leave_threads_for_withdrawals(data):
    """There are places for half as many releases as there are threads."""
    own = {"dataset": "vitals", "format": "jsonl"}
    for number in range(AT_ONCE):
        link_login(data.steward, data.keys, ME, f"reader-{number}", 2)
    with ExitStack() as slow:
        readers = [
            slow.enter_context(Trickling(data, "own", own, f"reader-{number}"))
            for number in range(AT_ONCE)
        ]
        assert {reader.status for reader in readers} == {200}
        assert refusal(ask(data)) is Refusal.BUSY
        again = data.post("own", own, data.token("reader-1"))
        assert refusal(again) is Refusal.RUNNING
        assert data.post("withdraw", {}, data.token("citizen-3")).status_code == 200
    awaited(lambda: ask(data, where={"heart": [61]}).status_code == 200)


def test_whoever_disconnects_frees_the_fence(data):
    """In the middle of a stream."""
    answer = requests.post(
        f"{data.url}/release",
        json=WISH,
        headers={"Authorization": f"Bearer {data.token('doctor')}"},
        stream=True,
        timeout=9,
    )
    answer.raw.read(1000)
    answer.close()
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"
    awaited(lambda: data.release.execute(locks).fetchone() == (0,))
    awaited(lambda: state(data, answer) == ("stopped", "connection"))
