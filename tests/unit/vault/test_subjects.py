"""Persons come into the vault with a key, act by logins and codes, become one, and go for good."""

import base64
import threading
import time
from uuid import UUID

import pytest
from psycopg.errors import LockNotAvailable

from aizu_vault.consent import Cause, HistoryError, Role, Subject, Turn
from aizu_vault.events import withdraw
from aizu_vault.fence import release_fence
from aizu_vault.keys import ErasedError
from aizu_vault.log.bundles import own_entries
from aizu_vault.log.verify import verify_log
from aizu_vault.stored_events import read_people
from aizu_vault.subjects import (
    Link,
    SubjectError,
    enrol,
    erase,
    link_login,
    make_withdrawal_code,
    merge,
    subject_of_code,
    subject_of_login,
)
from tests.unit.gate.stage import FIELDS

from .city import BORN, PEOPLE, no, turn, yes

ONE, TWO, THREE, *_ = PEOPLE
NEW = Subject(subject_id=UUID(int=77), birth_date=BORN)
STRANGER = UUID(int=99)


def kinds(city, subject):
    """What has been logged about a person."""
    key = city.keys.read([subject])[subject].log
    return [one.leaf.body.split(b'"kind":"')[1].split(b'"')[0].decode()
            for one in own_entries(city.connect("deep_audit"), subject, key)]  # fmt: skip


def test_a_person_has_a_key_and_a_log_from_the_beginning(city):
    """And may consent."""
    enrol(city.steward, city.keys, [NEW])
    assert kinds(city, NEW.subject_id) == ["enrolment"]
    city.record(NEW.subject_id, yes(NEW.subject_id))
    assert city.fields(NEW.subject_id) == FIELDS


def test_nobody_comes_twice(city):
    """And nobody comes with somebody who does; an erased person does not come back."""
    with pytest.raises(SubjectError, match="in the vault already"):
        enrol(city.steward, city.keys, [NEW, Subject(subject_id=ONE, birth_date=BORN)])
    assert city.count("consent.subject") == len(PEOPLE)
    erase(city.steward, city.keys, ONE)
    with pytest.raises(ErasedError):
        enrol(city.steward, city.keys, [Subject(subject_id=ONE, birth_date=BORN)])


def test_a_login_acts_for_one_person(city):
    """Who has linked it wrongly is told; the person reads in the log that it was linked."""
    link_login(city.steward, city.keys, ONE, "aizu-hanako", 2)
    assert subject_of_login(city.recorder, "aizu-hanako") == Link(subject_id=ONE, assurance=2)
    assert subject_of_login(city.recorder, "nobody") is None
    with pytest.raises(SubjectError, match="acts for somebody already"):
        link_login(city.steward, city.keys, TWO, "aizu-hanako", 2)
    with pytest.raises(SubjectError, match="from 1 to 3, and not 4"):
        link_login(city.steward, city.keys, TWO, "aizu-taro", 4)
    with pytest.raises(SubjectError, match="not in the vault"):
        link_login(city.steward, city.keys, STRANGER, "stranger", 2)
    assert (kinds(city, ONE), kinds(city, TWO)) == (["enrolment", "login"], ["enrolment"])


def test_a_code_is_read_however_it_is_typed(city):
    """From paper: small letters, wide letters, digits that the code does not have."""
    code = make_withdrawal_code(city.steward, city.keys, ONE)
    plain = code.replace("-", "")
    typed = (
        code, plain, code.lower(), f" {plain[:7]} {plain[7:]}\n", plain.replace("O", "0").replace("I", "1"),
        "".join(chr(ord(letter) + 0xFEE0) for letter in code),
    )  # fmt: skip
    assert {subject_of_code(city.recorder, one) for one in typed} == {ONE}
    for wrong in ("", plain[:-1], plain + "A", "ひらがな"):
        assert subject_of_code(city.recorder, wrong) is None


def test_a_code_has_128_bits_and_only_its_hash_is_kept(city):
    """No two are equal; nothing of it stands in the database."""
    codes = {make_withdrawal_code(city.steward, city.keys, ONE).replace("-", "") for _ in range(3)}
    assert {len(base64.b32decode(f"{code}======")) for code in codes} == {16}
    assert len(codes) == 3
    dump = city.admin().execute("SELECT string_agg(code::text, '') FROM ident.withdrawal_code code")
    stored = dump.fetchone()[0]
    for code in codes:
        assert code not in stored
        assert base64.b32decode(f"{code}======").hex() not in stored


def test_a_new_code_makes_the_old_one_void(city):
    """As when the letter is lost."""
    old, new = (make_withdrawal_code(city.steward, city.keys, ONE) for _ in range(2))
    assert (subject_of_code(city.recorder, old), subject_of_code(city.recorder, new)) == (None, ONE)
    with pytest.raises(SubjectError, match="not in the vault"):
        make_withdrawal_code(city.steward, city.keys, STRANGER)


def test_erasing_destroys_the_key_and_whatever_leads_to_the_person(city):
    """At once; logins, codes and the birthday go, the log still holds."""
    city.record(ONE, yes(ONE))
    link_login(city.steward, city.keys, ONE, "aizu-hanako", 2)
    code = make_withdrawal_code(city.steward, city.keys, ONE)
    began = time.monotonic()
    erase(city.steward, city.keys, ONE)
    # A second is meant; a disk with much to do may need longer.
    assert time.monotonic() - began < 5
    assert city.keys.read([ONE]) == {}
    assert city.fields(ONE) == "erased"
    assert subject_of_login(city.recorder, "aizu-hanako") is None
    assert subject_of_code(city.recorder, code) is None
    known = read_people(city.recorder, [ONE])[ONE].subject
    assert (known.erased, known.birth_date) == (True, BORN.replace(month=1, day=1))
    city.vault.signer.sign_head(city.connect("deep_signer"))
    assert verify_log(city.connect("deep_audit"), city.vault.signer.trusted).findings == ()


def test_nothing_is_recorded_about_an_erased_person(city):
    """Neither what they say nor by whom they act; the others go on."""
    erase(city.steward, city.keys, ONE)
    with pytest.raises(HistoryError, match="erased"):
        withdraw(city.recorder, city.keys, ONE, nonce="w")
    for act in (
        lambda: link_login(city.steward, city.keys, ONE, "aizu-hanako", 2),
        lambda: make_withdrawal_code(city.steward, city.keys, ONE),
    ):
        with pytest.raises(SubjectError, match="erased"):
            act()
    withdraw(city.recorder, city.keys, TWO, nonce="w")


def test_nobody_comes_to_act_for_a_person_who_is_being_erased(city):
    """Who links a login meanwhile waits, and is told."""
    admin, told = city.admin(), []

    def link():
        with pytest.raises(SubjectError, match="erased"):
            link_login(city.steward, city.keys, ONE, "aizu-hanako", 2)
        told.append(True)

    thread = threading.Thread(target=link)
    with admin.transaction():
        admin.execute("UPDATE consent.subject SET erased = true WHERE subject_id = %s", (ONE,))
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while thread.is_alive() and admin.execute(waiting).fetchone() == (0,):
            pass
    thread.join()
    assert told == [True]
    assert subject_of_login(city.recorder, "aizu-hanako") is None


def test_an_interrupted_erasure_is_finished(city, monkeypatch):
    """The key cannot be destroyed: nothing is marked. It was, and the commit failed: the next attempt marks it."""

    def fails(*_):
        raise OSError

    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(type(city.keys), "destroy", fails)
        erase(city.steward, city.keys, ONE)
    assert not read_people(city.recorder, [ONE])[ONE].subject.erased
    leaves = city.count("audit.log_leaf")
    city.keys.destroy(ONE)
    for _ in range(2):
        erase(city.steward, city.keys, ONE)
    assert read_people(city.recorder, [ONE])[ONE].subject.erased
    assert city.count("audit.log_leaf") == leaves + 1


def test_who_is_not_there_is_not_erased(untouched):
    """And no tombstone is made."""
    with pytest.raises(SubjectError, match="not in the vault"):
        erase(untouched.steward, untouched.keys, STRANGER)
    assert untouched.keys.erased() == set()


def test_erasing_waits_for_the_chunk_that_goes(city):
    """As a withdrawal does."""
    city.steward.execute("SET lock_timeout = '50ms'")
    with release_fence(city.release, "vitals"), pytest.raises(LockNotAvailable):
        erase(city.steward, city.keys, ONE)
    assert city.keys.read([ONE])


def join(city, **changes):
    """The second record becomes part of the first."""
    said = {"survivor": ONE, "duplicate": TWO, "authority": "registry"} | changes
    merge(city.recorder, city.steward, city.keys, **said)


def test_e27_of_two_records_objections_are_united_and_grants_are_not(city):
    """The duplicate is denied; asked for again, nothing more is recorded."""
    city.record_all(
        (ONE, yes(ONE, purpose="stroke")), (TWO, yes(TWO)), (TWO, no(TWO, purpose="diabetes")),
    )  # fmt: skip
    for _ in range(2):
        join(city)
    assert (city.fields(ONE), city.fields(TWO)) == ("no-consent", "merged")
    city.record(ONE, yes(ONE, "anew", purpose="diabetes"))
    assert city.fields(ONE) == FIELDS
    events = read_people(city.recorder, [ONE, TWO])
    assert [getattr(one, "cause", None) for one in events[ONE].events] == [None, Cause.MERGED, None]
    assert events[TWO].events[-1].turn is Turn.MERGED
    assert [len(one.events) for one in events.values()] == [3, 3]


def test_what_was_frozen_stays_frozen(city):
    """And a refusal in emergencies stands; what the person had lifted again is not frozen anew."""
    own = {"by": str(TWO), "role": Role.SELF}
    city.record_all(
        (ONE, yes(ONE)),
        (TWO, turn(Turn.FREEZE, **own)),
        (TWO, turn(Turn.EMERGENCY_REFUSED, "not then", **own)),
        (THREE, turn(Turn.FREEZE, "f", by=str(THREE), role=Role.SELF)),
        (THREE, turn(Turn.UNFREEZE, "u", by=str(THREE), role=Role.SELF)),
    )
    join(city, duplicate=THREE)
    assert city.fields(ONE) == FIELDS
    for _ in range(2):
        join(city)
    assert city.fields(ONE) == "frozen"
    events = read_people(city.recorder, [ONE])[ONE].events
    assert [(one.turn, one.role) for one in events[1:]] == [
        (Turn.FREEZE, Role.AUTHORITY),
        (Turn.EMERGENCY_REFUSED, Role.SELF),
    ]


def test_who_acted_for_the_duplicate_acts_for_the_survivor(city):
    """Also with the code on paper: a withdrawal would be of no use where it met nothing."""
    link_login(city.steward, city.keys, TWO, "aizu-hanako", 1)
    code = make_withdrawal_code(city.steward, city.keys, TWO)
    join(city)
    assert subject_of_login(city.recorder, "aizu-hanako") == Link(subject_id=ONE, assurance=1)
    assert subject_of_code(city.recorder, code) == ONE


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"duplicate": ONE}, SubjectError, "not the same one twice"),
        ({"duplicate": STRANGER}, SubjectError, "not in the vault"),
        ({"survivor": STRANGER}, SubjectError, "not in the vault"),
    ],
)
def test_records_that_cannot_be_merged(untouched, changes, error, told):
    """Nothing is recorded."""
    with pytest.raises(error, match=told):
        join(untouched, **changes)
    assert untouched.count("consent.event") == 0


def test_an_erased_record_is_not_merged(city):
    """Nothing more is recorded about the person, and so nothing about the other one."""
    city.record(TWO, no(TWO))
    erase(city.steward, city.keys, TWO)
    with pytest.raises(HistoryError, match="erased"):
        join(city)
    assert read_people(city.recorder, [ONE])[ONE].events == ()


def test_death_and_freezing_are_recorded_alike(city):
    """Each stops what goes at once; what lifts it is an event, too."""
    city.record(ONE, yes(ONE))
    for turned, wanted in ((Turn.FREEZE, "frozen"), (Turn.UNFREEZE, FIELDS),
                           (Turn.DEATH, "deceased"), (Turn.DEATH_REVERSED, FIELDS)):  # fmt: skip
        city.record(ONE, turn(turned, turned.value))
        assert city.fields(ONE) == wanted
