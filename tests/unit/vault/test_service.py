"""The service over HTTP: withdrawing, the signed log, and one answer to everybody who may not."""

import csv
import hmac
import io
import json
import re
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from datetime import datetime

import pytest
import requests
from joserfc.jwk import OKPKey

from aizu_vault.answers import Refusal
from aizu_vault.consent import EVERY_FIELD
from aizu_vault.log.notes import read
from aizu_vault.renewal import renew_master
from aizu_vault.stored_events import read_people
from aizu_vault.subjects import erase

from .city import PEOPLE
from .conftest import SCRIPT
from .running import claims, somewhere

ME, YOU, GONE = PEOPLE[0], PEOPLE[1], PEOPLE[4]


def refusal(answer):
    """Which of the fixed answers it is; every word of it is checked."""
    error = answer.json()["error"]
    (found,) = (one for one in Refusal if one.code == error["code"])
    assert answer.json() == {
        "error": {
            "code": found.code,
            "ja": found.ja,
            "en": found.en,
            "incident": error["incident"],
        }
    }
    assert re.fullmatch("[0-9a-f]{8}", error["incident"])
    assert answer.status_code == found.status
    return found


def last_event(service, subject):
    """What a person has said last."""
    return read_people(service.recorder, [subject])[subject].events[-1]


def test_withdrawing_by_a_token_stops_everything(service):
    """The answer says when, what, and where it stands in the log."""
    service.agree(ME)
    assert service.fields(ME) == {"heart", "steps"}
    said = service.post("withdraw", {}, service.token()).json()
    assert service.fields(ME) == "no-consent"
    event = last_event(service, ME)
    assert (event.scope.data, event.scope.fields) == ("deep", {EVERY_FIELD})
    everything = {"data": "deep", "purpose": "any", "recipient": "all", "version": 1}
    assert said["withdrawn"] == everything
    assert datetime.fromisoformat(said["recorded_at"]) == event.recorded_at
    query = "SELECT count(*) - 1 FROM audit.log_leaf"
    with service.vault.connect("deep_audit") as auditor:
        assert (said["entry"],) == auditor.execute(query).fetchone()


def test_withdrawing_by_a_code_stops_what_is_named(service):
    """However the code is typed; who consented anew and withdraws again has withdrawn."""
    for _ in range(2):
        service.agree(YOU)
        code = service.codes[1].lower().replace("-", " ")
        answer = service.post("withdraw", {"code": code, "scope": {"purpose": "research"}})
        assert answer.json()["withdrawn"]["purpose"] == "research"
        assert service.fields(YOU) == "no-consent"


@pytest.mark.parametrize(
    "scope",
    [{"data": "nothing"}, {"fields": ["heart"]}, {"data": 7}, "all", [], {"purpose": "x\u0000"}],
)
def test_what_cannot_be_withdrawn_is_refused_and_not_recorded(service, scope):
    """Somebody who was told it is withdrawn must be able to rely on it."""
    before = service.count("audit.log_leaf")
    answer = service.post("withdraw", {"code": service.codes[2], "scope": scope})
    assert refusal(answer) is Refusal.MALFORMED
    assert service.count("audit.log_leaf") == before


def test_a_token_is_good_once(service):
    """Whoever has overheard it comes too late."""
    token = service.token()
    assert service.post("withdraw", {}, token).status_code == 200
    assert refusal(service.post("withdraw", {}, token)) is Refusal.UNAUTHORISED


def _unsigned(service):
    header, _, rest = service.token().partition(".")
    return f"eyJhbGciOiJub25lIn0.{rest.rpartition('.')[0]}."


def _by_public_half(service):
    said = (json.dumps(one).encode() for one in ({"alg": "HS256"}, claims()))
    text = b".".join(urlsafe_b64encode(one).rstrip(b"=") for one in said)
    mark = hmac.digest(service.vault.places.token_key.read_bytes(), text, "sha256")
    return (text + b"." + urlsafe_b64encode(mark).rstrip(b"=")).decode()


TOKENS = {
    "none": lambda service: None,
    "no token": lambda service: "citizen-1",
    "not signed": _unsigned,
    "signature cut": lambda service: service.token()[:-4],
    "signed by another": lambda service: service.token(key=OKPKey.generate_key("Ed25519")),
    "by the public half as a secret": _by_public_half,
    "for others": lambda service: service.token(aud="aizu-harvester"),
    "by others": lambda service: service.token(iss="somebody"),
    "ended": lambda service: service.token(iat=int(time.time()) - 70, exp=int(time.time()) - 10),
    "from the future": lambda service: service.token(
        iat=int(time.time()) + 30, exp=int(time.time()) + 60
    ),
    "good for an hour": lambda service: service.token(exp=int(time.time()) + 3600),
    "good for ever": lambda service: service.token(exp=None),
    "good for 10^400 seconds": lambda service: service.token(exp=10**400),
    "of no time": lambda service: service.token(iat=None),
    "without a number": lambda service: service.token(jti=None),
    "number of another kind": lambda service: service.token(jti=7),
    "for nobody": lambda service: service.token(sub=""),
    "for a name that is none": lambda service: service.token(sub="a\0b"),
}


@pytest.mark.parametrize("made", TOKENS.values(), ids=TOKENS)
def test_a_token_that_does_not_count(service, made):
    """Whatever is wrong with it, the answer is the same."""
    answer = service.post("withdraw", {}, made(service))
    assert refusal(answer) is Refusal.UNAUTHORISED
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("seconds", [-4, 4])
def test_clocks_may_differ_a_little(service, seconds):
    """The portal's and the database's."""
    now = int(time.time()) + seconds
    token = service.token("citizen-1", iat=now, exp=now + 60)
    assert service.post("withdraw", {}, token).status_code == 200


def test_unknown_and_forbidden_look_the_same(service):
    """A login nobody has, one that acts for nobody, one whose person was erased."""
    erase(service.steward, service.keys, GONE)
    answers = [
        service.post(path, {}, service.token(user))
        for path in ("withdraw", "log/bundle")
        for user in ("nobody", "citizen-5")
    ]
    answers += [
        service.post("withdraw", {"code": code})
        for code in (service.codes[4], "ABCD", "x" * 9999, make_withdrawal_code_of_nobody())
    ]
    assert {refusal(answer) for answer in answers[:4]} == {Refusal.NOT_PERMITTED}
    assert {refusal(answer) for answer in answers[4:]} == {Refusal.UNKNOWN_CODE}
    for group in (answers[:4], answers[4:]):
        told = {
            json.dumps({**one.headers, "Date": ""}, sort_keys=True) + str(len(one.content))
            for one in group
        }
        assert len(told) == 1


def make_withdrawal_code_of_nobody():
    """A code as they look."""
    return "-".join(["AAAA"] * 6 + ["AA"])


def test_wrong_codes_are_counted_by_address_and_lock_nobody_out(service):
    """Neighbours withdraw all the same, and other addresses do not notice."""

    def attempt(code, address="192.0.2.1"):
        headers = {"X-Forwarded-For": f"198.51.100.9, {address}"}
        return requests.post(
            f"{service.url}/withdraw", json={"code": code}, headers=headers, timeout=9
        )

    wrong = [refusal(attempt(f"WRONG{number}")) for number in range(12)]
    assert wrong == [Refusal.UNKNOWN_CODE] * 10 + [Refusal.TOO_MANY_CODES] * 2
    assert attempt(service.codes[3]).status_code == 200
    assert refusal(attempt("WRONG", "192.0.2.2")) is Refusal.UNKNOWN_CODE


def test_heads_and_own_proof_are_checked_offline(service, tmp_path):
    """Key, head, first heads of days and bundle as the service gives them."""
    service.post("withdraw", {}, service.token())
    with service.vault.connect("deep_signer") as signer:
        service.vault.signer.sign_head(signer)
    key = service.get("log/key").text
    assert key == f"{service.vault.signer.trusted}\n"
    head = service.get("log/head")
    assert head.headers["Content-Type"] == "text/plain; charset=utf-8"
    *_, day = csv.DictReader(io.StringIO(service.get("log/heads.csv").text, newline=""))
    checkpoint, signed_at = read(day["note"], service.vault.signer.trusted)
    assert (day["tree_size"], day["root"]) == (str(checkpoint.size), checkpoint.root.hex())
    bundle = service.post("log/bundle", {"since": checkpoint.size}, service.token())
    (tmp_path / "bundle.json").write_bytes(bundle.content)
    (tmp_path / "day.txt").write_text(day["note"])
    words = [key, tmp_path / "bundle.json", tmp_path / "day.txt"]
    checked = subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    # Between the two the service may have signed the same tree again, as it does each minute.
    trusted = service.vault.signer.trusted
    assert read(bundle.json()["head"], trusted)[0] == read(head.text, trusted)[0]


def test_the_first_head_of_a_day_stays(service):
    """However often the log is signed after it."""
    before = service.get("log/heads.csv").text
    service.post("withdraw", {}, service.token())
    with service.vault.connect("deep_signer") as signer:
        service.vault.signer.sign_head(signer)
    assert service.get("log/heads.csv").text.startswith(before)


@pytest.mark.parametrize("path", ["withdraw", "log/head", "log/heads.csv", "health", "nothing"])
def test_nobody_on_the_way_keeps_an_answer(service, path):
    """And no other site reads it."""
    headers = requests.get(
        f"{service.url}/{path}", headers={"Origin": "https://other.example"}, timeout=9
    ).headers
    assert headers["Cache-Control"] == "no-store, private"
    assert {"Authorization", "Cookie"} == set(headers["Vary"].split(", "))
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "nothing", Refusal.NOT_FOUND),
        ("GET", "log/bundle", Refusal.METHOD),
        ("OPTIONS", "withdraw", Refusal.METHOD),
        ("PUT", "withdraw", Refusal.METHOD),
        ("GET", "/withdraw?repeated", Refusal.NOT_FOUND),
    ],
)
def test_ways_that_lead_nowhere(service, method, path, expected):
    """They too have fixed answers."""
    answer = requests.request(method, f"{service.url}/{path}", timeout=9)
    assert refusal(answer) is expected


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_large(service, chunked):
    """Whether it says its size or not."""
    body = json.dumps({"code": "x" * 70_000}).encode()
    answer = requests.post(
        f"{service.url}/withdraw",
        data=iter([body[:40_000], body[40_000:]]) if chunked else body,
        headers={"Content-Type": "application/json"} | somewhere(),
        timeout=9,
    )
    assert refusal(answer) is Refusal.TOO_LARGE
    small = requests.post(
        f"{service.url}/withdraw",
        data=iter([b'{"code":', b'"x"}']),
        headers={"Content-Type": "application/json"} | somewhere(),
        timeout=9,
    )
    assert refusal(small) is Refusal.UNKNOWN_CODE


def test_a_renewed_master_key_is_taken_up(service):
    """Without a new start; nobody who withdraws meanwhile is turned away."""
    renew_master(service.vault.places)
    try:
        assert service.post("withdraw", {}, service.token()).status_code == 200
    finally:
        service.open_again()


def test_health(service):
    """It says ok while withdrawals and releases work."""
    assert service.get("health").json() == {"status": "ok"}


def test_the_log_of_the_service_names_nobody(service):
    """Incidents are found in it; persons, codes and tokens are not."""
    token = service.token("citizen-2", sub="citizen-with-a-telling-name")
    incident = service.post("withdraw", {}, token).json()["error"]["incident"]
    service.post("withdraw", {"code": service.codes[0]})
    logged = service.logged()
    assert f"{incident} not-permitted at /deep/withdraw" in logged
    told = [*map(str, PEOPLE), "citizen-", *service.codes, token, token.split(".")[1]]
    assert [one for one in told if one in logged] == []
    assert claims()["iss"] not in logged
