"""A backup opens nothing without the keys, and nothing of a person who was erased after it was made."""

import pytest

from aizu_vault.blocks import BlockError, open_blocks, seal_blocks
from aizu_vault.keys import FileMaster, KeyStore
from aizu_vault.log.bundles import own_entries
from aizu_vault.log.errors import UnreadableError
from aizu_vault.log.verify import verify_log

from .conftest import ALL, person
from .test_blocks import FRAME, LAYOUT, PLACE, replace

PERSONS = range(1, 6)
ERASED = person(2)


@pytest.fixture
def backup(log):
    """A dump of the database with blocks and log of five persons; then one of them is erased."""
    log.connection.execute("CREATE TABLE block (person uuid, sealed bytea)")
    keys = log.store.create(person(number) for number in PERSONS)
    for one in keys:
        (sealed,) = seal_blocks(FRAME, [(replace(PLACE, person=one), 3)], LAYOUT, keys)
        log.connection.execute("INSERT INTO block VALUES (%s, %s)", (one, sealed))
    log.add(*PERSONS, *PERSONS, rows=3)
    log.sign()
    dump = log.server.run("pg_dump", "--format=custom", log.database)
    before = log.store.path.read_bytes()
    log.store.destroy(ERASED)
    return dump, before


def restored(log, dump):
    """A connection to a new database from the dump."""
    name = log.server.create()
    log.server.run("pg_restore", "--dbname", name, input=dump)
    return log.server.connect(name)


def readable(connection, store):
    """Whose blocks open."""
    persons = set()
    for one, sealed in connection.execute("SELECT person, sealed FROM block").fetchall():
        try:
            open_blocks([(replace(PLACE, person=one), sealed)], LAYOUT, store.read([one]))
        except BlockError:
            continue
        persons.add(one)
    return persons


def test_without_the_keys_nothing_opens(log, backup, tmp_path):
    """The dump on an empty machine, where new keys are made."""
    elsewhere = tmp_path / "elsewhere"
    store = KeyStore(elsewhere / "persons.db", FileMaster.open(elsewhere / "master.key"))
    with restored(log, backup[0]) as connection:
        assert readable(connection, store) == set()
        store.create(person(number) for number in PERSONS)
        assert readable(connection, store) == set()


def test_an_erased_person_does_not_come_back(log, backup):
    """Blocks and entries of the others open; the log still holds, and nobody's name is in it."""
    for _ in range(10 if ALL else 1):
        with restored(log, backup[0]) as connection:
            others = {person(number) for number in PERSONS} - {ERASED}
            assert readable(connection, log.store) == others
            for one, key in log.store.read(others).items():
                assert len(own_entries(connection, one, key.log)) == 2
            assert log.store.read([ERASED]) == {}
            with pytest.raises(UnreadableError):
                own_entries(connection, ERASED, b"x" * 32)
            assert verify_log(connection, log.signer.trusted).findings == ()


def test_an_old_copy_of_the_keys_beside_the_dump_opens_nothing(log, backup, tmp_path):
    """After an erasure all keys are wrapped anew, and the old master key is thrown away."""
    store = log.store.rewrap(FileMaster.open(tmp_path / "new.key"))
    old = tmp_path / "old.db"
    old.write_bytes(backup[1])
    old.chmod(0o600)
    with restored(log, backup[0]) as connection:
        assert ERASED not in readable(connection, store)
        with pytest.raises(Exception, match="wrapped by master key"):
            readable(connection, KeyStore(old, store.master))
