"""Whoever owns the database alters the log at random: the check of the whole log finds every time.

The tampering has all a superuser has: triggers are off, hashes, tiles and counts are made to fit. It lacks the signing
key, except where a fork is played, and it cannot reach the head that was published.
"""

import random
from collections import Counter

import psycopg
import pytest

from aizu_vault.log.heads import LogSigner
from aizu_vault.log.tree import FAN
from aizu_vault.log.verify import verify_log

from .conftest import ALL, ORIGIN, Log

ROUNDS = 10_000 if ALL else 300
LEAVES = 48


@pytest.fixture(scope="module")
def signed_log(server, empty_log, tmp_path_factory):
    """A log of 48 leaves with eight heads; the last of them is published."""
    made = Log(server, server.create(empty_log), tmp_path_factory.mktemp("keys"))
    for step in range(8):
        made.add(*[(step + one) % 5 for one in range(LEAVES // 8)], rows=step)
        published = made.sign()
    made.published = published.note
    yield made
    made.connection.close()


def edit(connection, chance):
    """One bit of one column of one row; the hash of an altered body follows by itself."""
    table, column, key = chance.choice(
        [
            ("log_leaf", "body", "leaf_index"),
            ("log_leaf", "sealed", "leaf_index"),
            ("log_leaf", "tag", "leaf_index"),
            ("log_head", "root", "tree_size"),
        ]
    )
    query = f"SELECT {key}, {column} FROM audit.{table} WHERE {column} IS NOT NULL ORDER BY 1"
    row, raw = chance.choice(connection.execute(query).fetchall())
    place = chance.randrange(len(raw))
    altered = raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :]
    connection.execute(f"UPDATE audit.{table} SET {column} = %s WHERE {key} = %s", (altered, row))


def delete(connection, chance):
    """One leaf, or all of a range; those behind may move up."""
    first = chance.randrange(LEAVES)
    last = min(LEAVES - 1, first + chance.choice([0, 0, 3]))
    connection.execute(
        "DELETE FROM audit.log_leaf WHERE leaf_index BETWEEN %s AND %s", (first, last)
    )
    if chance.random() < 0.5:
        move(connection, last + 1, first - last - 1)
    recount(connection, chance)


def swap(connection, chance):
    """Two leaves change places, with all their columns."""
    first, second = chance.sample(range(LEAVES), 2)
    for old, new in ((first, LEAVES), (second, first), (LEAVES, second)):
        connection.execute(
            "UPDATE audit.log_leaf SET leaf_index = %s WHERE leaf_index = %s", (new, old)
        )


def insert(connection, chance):
    """A leaf between others, a copy or a new one."""
    place = chance.randrange(LEAVES)
    move(connection, place, 1)
    connection.execute(
        "INSERT INTO audit.log_leaf (leaf_index, recorded_at, body) SELECT %s, recorded_at, "
        "CASE WHEN %s THEN body ELSE 'x' END FROM audit.log_leaf WHERE leaf_index = %s",
        (place, chance.random() < 0.5, chance.choice([i for i in range(LEAVES) if i != place])),
    )


def truncate(connection, chance):
    """The end is gone, and with it perhaps the heads that say so."""
    left = chance.randrange(LEAVES)
    connection.execute("DELETE FROM audit.log_leaf WHERE leaf_index >= %s", (left,))
    if chance.random() < 0.5:
        connection.execute("DELETE FROM audit.log_head WHERE tree_size > %s", (left,))
    recount(connection, chance)


def fork(connection, chance, log):
    """History is written anew from some leaf on, and signed anew with the log's own key."""
    place = chance.randrange(LEAVES)
    connection.execute("DELETE FROM audit.log_leaf WHERE leaf_index >= %s", (place,))
    connection.execute("DELETE FROM audit.log_head WHERE tree_size > %s", (place,))
    recount(connection, random.Random(0))
    connection.execute("SET session_replication_role = origin")
    log.add(*[0] * chance.randint(1, LEAVES))
    forger = LogSigner(origin=ORIGIN, signer=log.signer.signer, last=log.signer.last.with_name("x"))
    forger.last.unlink(missing_ok=True)
    forger.sign_head(connection)


def move(connection, start, by):
    """Moves leaves from an index on."""
    for step in (10_000, by - 10_000):
        connection.execute(
            "UPDATE audit.log_leaf SET leaf_index = leaf_index + %s WHERE leaf_index >= %s",
            (step, start),
        )
        start += step


def recount(connection, chance):
    """Makes the counts fit, as far as whoever lacks the keys can."""
    if chance.random() < 0.9:
        count = "SELECT count(*) FROM audit.log_leaf WHERE tag IS NOT NULL"
        (left,) = connection.execute(count).fetchone()
        connection.execute("DELETE FROM audit.log_count")
        if left:
            connection.execute(
                "INSERT INTO audit.log_count VALUES (gen_random_uuid(), %s)", (left,)
            )


KINDS = [edit, delete, swap, insert, truncate, fork]


def found(log, kept):
    """What the check says of the log as it is now."""
    return verify_log(log.connection, log.signer.trusted, kept).findings


def test_the_log_is_right_before(signed_log):
    """Else the tampering would prove nothing; the same with and without the published head."""
    assert found(signed_log, []) == found(signed_log, [signed_log.published]) == ()


def test_every_tampering_is_found(signed_log):
    """Kinds and places at random, each undone again."""
    chance, connection, tried = random.Random(27), signed_log.connection, Counter()
    for number in range(ROUNDS):
        kind = KINDS[number % len(KINDS)]
        with connection.transaction() as transaction:
            connection.execute("SET LOCAL session_replication_role = replica")
            kind(connection, chance, *([signed_log] if kind is fork else []))
            assert found(signed_log, [signed_log.published]), (number, kind.__name__)
            tried[kind.__name__] += 1
            raise psycopg.Rollback(transaction)
    assert min(tried.values()) >= ROUNDS // len(KINDS)
    assert found(signed_log, [signed_log.published]) == ()


def test_a_fork_shows_only_beside_the_published_head(signed_log):
    """Why heads are published: signed anew, the log alone looks right."""
    connection = signed_log.connection
    with connection.transaction() as transaction:
        connection.execute("SET LOCAL session_replication_role = replica")
        fork(connection, random.Random(3), signed_log)
        assert found(signed_log, []) == ()
        assert found(signed_log, [signed_log.published]) != ()
        raise psycopg.Rollback(transaction)


def test_a_published_head_of_another_log_or_key_is_named(signed_log):
    """It proves nothing about this one."""
    other = signed_log.published.replace(ORIGIN, "other.example/log")
    assert any("kept head 1" in one for one in found(signed_log, [other]))
    assert any("kept head 2" in one for one in found(signed_log, [signed_log.published, "x"]))


def test_a_false_tile_is_found(server, empty_log, tmp_path):
    """A wrong root above full tiles would make false proofs, though no false log."""
    log = Log(server, server.create(empty_log), tmp_path)
    log.add(*[0] * (FAN + 1))
    log.sign()
    assert found(log, []) == ()
    log.connection.execute("SET session_replication_role = replica")
    log.connection.execute("UPDATE audit.log_tile SET tile_hash = sha256('x')")
    assert found(log, []) == ("tile 1/0 is not that of its leaves",)
    log.connection.close()


def test_a_clock_that_went_back_is_found(log):
    """Leaves are recorded in the order of time."""
    log.add(0)
    log.add(0)
    log.connection.execute("SET session_replication_role = replica")
    log.connection.execute(
        "UPDATE audit.log_leaf SET recorded_at = recorded_at + interval '1 h' WHERE leaf_index = 0"
    )
    log.sign()
    said = verify_log(log.connection, log.signer.trusted).findings
    assert said == (
        "leaf 0: its time is not that of its body",
        "leaf 1 was recorded before the one in front of it",
    )
