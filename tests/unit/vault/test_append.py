"""Entries are added within the caller's transaction, in order, whoever else adds some."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import psycopg
import pytest

from aizu_vault.log.append import append
from aizu_vault.log.bundles import own_entries
from aizu_vault.log.entries import Entry, EntryKey
from aizu_vault.log.errors import AppendError, UnreadableError
from aizu_vault.log.verify import verify_log

from .conftest import person


def release(number, **private):
    """An entry about one person."""
    return Entry(kind="release", facts={"release": "r1"}, person=person(number), private=private)


def test_a_leaf_says_openly_what_is_for_all_and_nothing_else(log):
    """The person, the number of the entry and what is private are not in what is stored."""
    log.add(5, fields=["systolic"], rows=48)
    row = log.connection.execute("SELECT body, tag, sealed FROM audit.log_leaf").fetchone()
    said = json.loads(row[0])
    assert set(said) == {"v", "kind", "at", "facts", "tag", "content", "sealed"}
    assert (said["v"], said["kind"], said["facts"]) == (1, "release", {"release": "r1"})
    stored = b"".join(row)
    for secret in (b"systolic", b"rows", b"number", str(person(5)).encode(), person(5).bytes):
        assert secret not in stored


def test_a_dump_links_no_two_entries_of_a_person(log):
    """Two equal events about one person have nothing personal in common, in no column."""
    log.add(5, 5, 6, rows=48)
    rows = log.connection.execute("SELECT body, tag, sealed FROM audit.log_leaf").fetchall()
    bodies = [json.loads(body) for body, _, _ in rows]
    for name in ("tag", "content", "sealed"):
        assert len({body[name] for body in bodies}) == 3
    assert len({tag for _, tag, _ in rows}) == len({sealed for _, _, sealed in rows}) == 3


def test_places_in_the_log_say_nothing(log):
    """Sorted by person, as a release goes through them, entries do not stand so in the log."""
    added = log.add(*range(1, 101))
    assert added != sorted(added) == list(range(100))
    for number in (1, 50, 100):
        key = log.keys([person(number)])[person(number)]
        (own,) = own_entries(log.connection, person(number), key)
        assert own.index == added[number - 1]


def test_the_person_reads_own_entries_in_full(log):
    """Numbers count from 1 without a gap, over several transactions, also twice in one."""
    log.add(5, 6, 5, rows=1)
    log.add(0, 5, rows=2)
    key = log.keys([person(5)])[person(5)]
    own = own_entries(log.connection, person(5), key)
    assert [one.number for one in own] == [1, 2, 3]
    assert sorted(one.index for one in own) == [one.index for one in own]
    assert [json.loads(one.content)["rows"] for one in own] == [1, 1, 2]
    newest = own_entries(log.connection, person(5), key, newest=2)
    assert [one.number for one in newest] == [2, 3]
    assert own_entries(log.connection, person(9), log.keys([person(9)])[person(9)]) == []


def test_what_is_rolled_back_was_never_logged(log):
    """The numbers go on as if nothing had been."""
    log.add(5)
    with pytest.raises(ZeroDivisionError), log.connection.transaction():
        append(log.connection, log.keys([person(5)]), [release(5), release(5)])
        raise ZeroDivisionError
    assert log.add(5) == [1]
    own = own_entries(log.connection, person(5), log.keys([person(5)])[person(5)])
    assert [one.number for one in own] == [1, 2]


def test_a_number_that_returns_after_a_rollback_is_sealed_anew():
    """The entry's key returns with it; the nonce does not."""
    key = EntryKey(b"k" * 32, 7)
    assert key.seal(b"same") != key.seal(b"same")
    assert len({key.seal(b"")[:12] for _ in range(10_000)}) == 10_000


def test_a_connection_that_dies_leaves_nothing(log):
    """Killed between append and commit."""
    doomed = log.connect()
    doomed.execute("BEGIN")
    append(doomed, log.keys([person(5)]), [release(5)])
    log.connection.execute("SELECT pg_terminate_backend(%s)", (doomed.info.backend_pid,))
    with pytest.raises(psycopg.OperationalError):
        doomed.execute("COMMIT")
    assert log.add(5) == [0]


def test_only_a_transaction_can_append(log):
    """Two statements on their own would not stand and fall together."""
    with pytest.raises(AppendError, match="transaction"):
        append(log.connection, {}, [Entry(kind="agreement")])


def test_a_snapshot_older_than_the_lock_is_refused(log):
    """Under REPEATABLE READ the next index would be an old one."""
    with (
        pytest.raises(psycopg.errors.RaiseException, match="READ COMMITTED"),
        log.connection.transaction(),
    ):
        log.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        append(log.connection, {}, [Entry(kind="agreement")])


def test_a_person_without_key_and_what_is_not_json_are_refused(log):
    """Nothing is left behind."""
    with pytest.raises(AppendError, match="without a key"), log.connection.transaction():
        append(log.connection, {}, [release(5)])
    for odd in (datetime.now().astimezone(), float("nan"), 2**60):
        with pytest.raises(AppendError, match="JSON"):
            log.add(5, odd=odd)
    assert log.add(0) == [0]


def test_many_append_at_once(log):
    """Eight at a time, with rollbacks: no gap, no number twice, nothing to find wrong."""
    keys = log.keys([person(one) for one in range(1, 6)])

    def some(seed):
        chance = random.Random(seed)
        with log.connect("deep_release") as connection:
            added = 0
            for _ in range(12):
                chosen = [release(chance.randint(1, 5)) for _ in range(chance.randint(1, 6))]
                with connection.transaction() as transaction:
                    append(connection, keys, chosen)
                    if chance.random() < 0.2:
                        raise psycopg.Rollback(transaction)
                    added += len(chosen)
            return added

    with ThreadPoolExecutor(8) as pool:
        total = sum(pool.map(some, range(8)))
    log.sign()
    audit = verify_log(log.connection, log.signer.trusted)
    assert audit.findings == ()
    owned = [len(own_entries(log.connection, one, key)) for one, key in keys.items()]
    assert audit.leaves == total == sum(owned)


def test_an_altered_count_hides_no_entry(log):
    """Too low or too high, the person's page says so and shows nothing."""
    log.add(5, 5)
    key = log.keys([person(5)])[person(5)]
    for count in (1, 3):
        log.connection.execute("UPDATE audit.log_count SET entries = %s", (count,))
        with pytest.raises(UnreadableError, match="not where it belongs"):
            own_entries(log.connection, person(5), key)


def test_an_altered_entry_is_not_read(log):
    """Neither another's seal nor a changed one."""
    log.add(5)
    log.add(6)
    key = log.keys([person(5)])[person(5)]
    log.connection.execute("SET session_replication_role = replica")
    log.connection.execute(
        "UPDATE audit.log_leaf SET sealed = (SELECT sealed FROM audit.log_leaf WHERE leaf_index = 1)"
    )
    with pytest.raises(UnreadableError):
        own_entries(log.connection, person(5), key)
