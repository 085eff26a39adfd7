"""What people say is recorded for good, in order, with its entry in the log, and takes effect at once."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from aizu_vault.consent import EVERY_FIELD, Capacity, Cause, HistoryError, Turn
from aizu_vault.events import everything, record, record_all, withdraw
from aizu_vault.fence import release_fence
from aizu_vault.log.bundles import own_entries
from aizu_vault.log.errors import NotReadyError
from aizu_vault.log.heads import check_ready
from aizu_vault.log.verify import verify_log
from aizu_vault.stored_events import read_people
from tests.unit.gate.stage import ALWAYS, FIELDS, ends, grants, objects, person, represented, turns

from .city import PEOPLE, no, scope, yes

ONE, TWO, *_ = PEOPLE


def own(city, subject):
    """What the person reads in the log about what was said; the first entry is that of the enrolment."""
    key = city.keys.read([subject])[subject].log
    with city.vault.connect("deep_audit") as audit:
        return [json.loads(one.content) for one in own_entries(audit, subject, key)][1:]


def test_a_withdrawal_takes_effect_at_once(city):
    """Consent, then withdrawal of everything, then consent anew."""
    assert city.fields(ONE) == "no-consent"
    city.record(ONE, yes(ONE))
    assert city.fields(ONE) == FIELDS
    withdraw(city.recorder, city.keys, ONE, nonce="w")
    assert city.fields(ONE) == "no-consent"
    city.record(ONE, yes(ONE, "again"))
    assert city.fields(ONE) == FIELDS


def test_everything_is_the_roots_and_every_field(untouched):
    """Also fields that come later."""
    roots = {"data": "deep", "purpose": "any", "recipient": "all"}
    assert everything(untouched.recorder) == scope(**roots, fields=frozenset({EVERY_FIELD}))


def test_an_event_stands_where_it_was_recorded(city):
    """Place, time and leaf are those of the answer; the time is that of the database."""
    before = city.recorder.execute("SELECT clock_timestamp()").fetchone()[0]
    first, second = city.record(ONE, yes(ONE)), city.record(ONE, no(ONE))
    events = read_people(city.recorder, [ONE])[ONE].events
    assert [(one.seq, one.recorded_at) for one in events] == [
        (said.seq, said.recorded_at) for said in (first, second)
    ]
    assert before < first.recorded_at < second.recorded_at
    assert first.recorded_at == events[0].valid.start
    assert second.leaf_index == first.leaf_index + 1


def test_the_log_tells_the_person_everything_and_others_nothing(city):
    """Not even whether somebody agreed or objected."""
    city.record(ONE, yes(ONE, end=None, countries=frozenset({"US"})))
    city.record(ONE, no(ONE, recipient="north"))
    agreed, objected = own(city, ONE)
    assert (agreed["kind"], agreed["terms_id"], agreed["countries"]) == ("grant", "terms-1", ["US"])
    assert agreed["valid"] == [agreed["recorded_at"], None]
    assert (objected["kind"], objected["recipient"]) == ("objection", "north")
    bodies = city.admin().execute("SELECT body FROM audit.log_leaf ORDER BY 1 DESC").fetchall()
    said = [json.loads(body) for (body,) in bodies]
    assert [one["facts"] for one in said if one["kind"] == "consent"] == [{}, {}]
    city.vault.signer.sign_head(city.connect("deep_signer"))
    audit = verify_log(city.connect("deep_audit"), city.vault.signer.trusted)
    assert audit.findings == ()


ALL_KINDS = person(
    represented(Capacity.PARENTAL),
    grants(by="mother", assented=True, countries=frozenset({"US"}), window=ALWAYS),
    grants(onward=True, future_members=True, posthumous=True),
    objects(cause=Cause.REFUSED),
    ends(),
    turns(Turn.DEATH),
    turns(Turn.FREEZE, 0, "mother"),
)


def test_events_come_back_as_they_were_said(city):
    """Of every kind."""
    own_id = str(ALL_KINDS.subject.subject_id)

    def again(event):
        changes = {"actor": str(ONE)} if event.actor == own_id else {}
        return lambda **place: _moved(event, **changes, **place)

    city.record_all(*((ONE, again(event)) for event in ALL_KINDS.events))
    events = read_people(city.recorder, [ONE])[ONE].events
    assert len(events) == len(ALL_KINDS.events)
    for found, said in zip(events, ALL_KINDS.events, strict=True):
        assert found == again(said)(seq=found.seq, recorded_at=found.recorded_at)


def _moved(event, *, recorded_at, **changes):
    if hasattr(event, "terms"):
        changes["valid"] = replace(event.valid, start=recorded_at)
    return replace(event, recorded_at=recorded_at, **changes)


def test_the_same_event_sent_twice_is_recorded_once(city):
    """E42: the same answer, no further leaf; and the same within one call."""
    first = city.record(ONE, yes(ONE))
    leaves = city.count("audit.log_leaf")
    again = city.record(ONE, yes(ONE))
    assert (again.seq, again.recorded_at, again.leaf_index) == (first.seq, first.recorded_at, None)
    assert city.count("audit.log_leaf") == leaves
    both = city.record_all((ONE, no(ONE)), (ONE, no(ONE)))
    assert [one.seq for one in both] == [2, 2]
    assert city.count("consent.event") == 2


def test_another_event_under_a_known_nonce_is_refused(city):
    """E42: whatever else was in the same call is not recorded either."""
    city.record(ONE, no(ONE))
    with pytest.raises(HistoryError, match="nonce 'no' belongs to another event"):
        city.record_all((TWO, no(TWO)), (ONE, no(ONE, purpose="stroke")))
    assert city.count("consent.event") == 1


def test_the_same_withdrawal_from_two_places_at_once(city):
    """Eight senders of one wish: it stands once, and all are told the same."""
    said = [(city.connect("deep_consent"), ONE) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda who: withdraw(who[0], city.keys, who[1], nonce="w"), said)
        assert len({(one.seq, one.recorded_at) for one in answers}) == 1
    assert city.count("consent.event") == 1


def test_many_speak_at_once(city):
    """Each history is in order, without a gap; nobody waits for ever."""

    def speak(number):
        recorder = city.connect("deep_consent")
        for step in range(5):
            nonce = f"{number}-{step}"
            record_all(recorder, city.keys, [(ONE, yes(ONE, nonce)), (TWO, no(TWO, nonce))])
            withdraw(recorder, city.keys, PEOPLE[number % 3], nonce=f"w{nonce}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(speak, range(4)))
    people = read_people(city.recorder, PEOPLE)
    for one in people.values():
        assert [event.seq for event in one.events] == list(range(1, len(one.events) + 1))
    assert sum(len(one.events) for one in people.values()) == 4 * 5 * 3


def test_many_consent_at_once_for_one_person(city):
    """Grants close no fence; the person's line keeps their order."""

    def speak(number):
        recorder = city.connect("deep_consent")
        for step in range(8):
            record(recorder, city.keys, ONE, yes(ONE, f"{number}-{step}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(speak, range(4)))
    events = read_people(city.recorder, [ONE])[ONE].events
    assert [event.seq for event in events] == list(range(1, 33))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (no(ONE, data="nothing"), "data"),
        (no(ONE, version=2), "data"),
        (yes(ONE, terms="terms-9"), "terms"),
        (no(ONE, actor=str(TWO)), "own_acts"),
    ],
)
def test_what_the_tables_refuse_is_told_without_the_person(untouched, said, told):
    """The rule that is broken, and not the line that breaks it; nothing is left behind."""
    leaves = untouched.count("audit.log_leaf")
    with pytest.raises(HistoryError, match=told) as caught:
        untouched.record(ONE, said)
    assert str(ONE) not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert (untouched.count("consent.event"), untouched.count("audit.log_leaf")) == (0, leaves)


def test_who_is_not_there_says_nothing(untouched):
    """A stranger."""
    with pytest.raises(HistoryError, match="not in the vault"):
        withdraw(untouched.recorder, untouched.keys, UUID(int=99), nonce="w")


def test_consent_does_not_begin_before_it_is_recorded(city):
    """'effective >= recorded': neither the program nor the tables take it."""
    (now,) = city.recorder.execute("SELECT clock_timestamp()").fetchone()
    with pytest.raises(ValueError, match="not valid before"):
        city.record(ONE, yes(ONE, start=now - timedelta(hours=1)))
    later = city.record(ONE, yes(ONE, start=now + timedelta(days=1)))
    assert later.recorded_at < now + timedelta(days=1)
    assert city.fields(ONE) == "no-consent"


@pytest.mark.parametrize(
    ("recorded", "valid", "refused"),
    [
        ("interval '-1 hour'", "interval '1 hour'", psycopg.errors.InsufficientPrivilege),
        ("interval '1 hour'", "interval '1 hour'", psycopg.errors.InsufficientPrivilege),
        ("interval '0'", "interval '-1 second'", psycopg.errors.CheckViolation),
    ],
)
def test_the_role_that_records_dates_nothing_back(untouched, recorded, valid, refused):
    """Whatever program uses it: not the recording, and not the beginning of consent."""
    row = f"""
        INSERT INTO consent.event (
            subject_id, seq, nonce, recorded_at, actor, role, kind, version, data, purpose, recipient, fields,
            valid, terms_id, data_window, onward, future_members, countries, assented, posthumous
        ) SELECT %s, 1, 'n', now + {recorded}, %s, 'self', 'grant', 1, 'vitals', 'research', 'hospitals', '{{heart}}',
            tstzrange(now + {valid}, NULL), 'terms-1', '(,)', false, false, '{{}}', false, false
        FROM (SELECT clock_timestamp() AS now) AS clock"""
    with pytest.raises(refused):
        untouched.recorder.execute(row, (ONE, str(ONE)))


@pytest.mark.parametrize("words", ["UPDATE consent.event SET seq = 9", "DELETE FROM consent.event"])
@pytest.mark.parametrize("role", ["deep_consent", "deep_steward", "deep_release", "deep_ingest"])
def test_nobody_takes_back_what_was_said(untouched, role, words):
    """A withdrawal is one more event."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        untouched.connect(role).execute(words)


def test_a_withdrawal_waits_for_the_chunk_that_goes_and_consent_does_not(city):
    """The fence: no chunk decided before the withdrawal is on its way when it is acknowledged."""
    city.record(ONE, yes(ONE))
    done = threading.Event()

    def leave():
        withdraw(city.recorder, city.keys, ONE, nonce="w")
        done.set()

    thread = threading.Thread(target=leave)
    with release_fence(city.release, "vitals"):
        other = city.connect("deep_consent")
        record(other, city.keys, TWO, yes(TWO))
        thread.start()
        assert not done.wait(0.3)
        assert city.fields(ONE) == FIELDS
    thread.join()
    assert city.fields(ONE) == "no-consent"


def test_who_cannot_have_the_fence_has_withdrawn_nothing(city):
    """The sender is told, and may try again with the same nonce."""
    city.recorder.execute("SET lock_timeout = '50ms'")
    with release_fence(city.release, "vitals"), pytest.raises(psycopg.OperationalError):
        withdraw(city.recorder, city.keys, ONE, nonce="w")
    assert city.count("consent.event") == 0
    assert withdraw(city.recorder, city.keys, ONE, nonce="w").seq == 1


def test_e39_after_the_clock_went_back_withdrawals_are_accepted(city):
    """Releases stop until it has caught up; nothing is dated before what was recorded, and no withdrawal is lost."""
    city.record(ONE, yes(ONE))
    admin = city.admin()
    # As if the clock had stood two minutes further when the last leaf was made.
    admin.execute(
        "SET session_replication_role = replica; UPDATE audit.log_leaf"
        " SET recorded_at = recorded_at + interval '2 minutes';"
        " SET session_replication_role = origin"
    )
    first = withdraw(city.recorder, city.keys, ONE, nonce="w")
    (now,) = admin.execute("SELECT clock_timestamp()").fetchone()
    assert first.recorded_at > now + timedelta(minutes=1)
    second = withdraw(city.recorder, city.keys, ONE, nonce="w2")
    assert second.recorded_at >= first.recorded_at
    assert city.fields(ONE) == "no-consent"
    with pytest.raises(NotReadyError, match="clock"):
        check_ready(city.release)


ALONE = """
import sys
from uuid import UUID

def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        raise RuntimeError(f"a withdrawal used {event}")

sys.addaudithook(refuse)
from pathlib import Path
from aizu_vault.events import withdraw
from aizu_vault.settings import Vault

vault = Vault.open(Path(sys.argv[1]))
with vault.connect("deep_consent") as recorder:
    print(withdraw(recorder, vault.keys, UUID(int=1), nonce="w").seq)
others = {"ckan", "redis", "pysolr", "flask", "requests"}
assert not others & {name.split(".")[0] for name in sys.modules}
"""


def test_a_withdrawal_needs_the_database_of_the_vault_and_nothing_else(city):
    """Without CKAN, Redis and search: they are neither loaded nor asked; the environment is empty."""
    command = [sys.executable, "-c", ALONE, str(city.vault.places.folder)]
    ran = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("1\n", "")


def test_a_thousand_are_recorded_together(city):
    """As a demonstration is loaded; each has a place and a leaf of its own."""
    sayings = [(PEOPLE[n % 5], yes(PEOPLE[n % 5], f"n{n}")) for n in range(1000)]
    answers = city.record_all(*sayings)
    assert len({one.leaf_index for one in answers}) == 1000
    assert [one.seq for one in answers] == [n // 5 + 1 for n in range(1000)]
