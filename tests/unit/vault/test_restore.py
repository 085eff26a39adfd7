"""A backup opens nothing without the keys, and nothing of a person who was erased after it was made."""

import json
import os
import shutil
from contextlib import contextmanager

import pytest

from aizu_vault.key_files import KeysError
from aizu_vault.keys import FileMaster, KeyStore
from aizu_vault.log.bundles import own_entries
from aizu_vault.log.errors import ForkError, NotReadyError, UnreadableError
from aizu_vault.log.verify import verify_log
from aizu_vault.refusals import StoppedError
from aizu_vault.release import Release
from aizu_vault.renewal import renew_master
from aizu_vault.restored import WholeError, go_on
from aizu_vault.settings import UnpreparedError, Vault
from aizu_vault.subjects import erase
from aizu_vault.wishes import Wish

from .city import PEOPLE, City, no, yes
from .conftest import ALL, database_of
from .releases import HEAD, WISH, bring, release, table, whose

ERASED, *OTHERS = PEOPLE


@pytest.fixture
def backup(server, city, tmp_path):
    """Everybody's data and a release of them, dumped, and the keys of that time; then one person is erased."""
    bring(city)
    city.record(PEOPLE[-1], yes(PEOPLE[-1]))
    release(city)
    city.vault.signer.sign_head(city.connect("deep_signer"))
    dump = server.run("pg_dump", "--format=custom", database_of(city.vault))
    keys = shutil.copytree(city.vault.places.folder, tmp_path / "keys of that time")
    erase(city.steward, city.keys, ERASED)
    return dump, keys


@contextmanager
def restored(server, dump, folder, into):
    """A vault from the dump, with the keys in a folder."""
    name = server.create()
    server.run("pg_restore", "--dbname", name, input=dump)
    copy = shutil.copytree(folder, into, dirs_exist_ok=True)
    (copy / "database").write_text(f"host={server.folder} dbname={name}\n")
    try:
        yield copy
    finally:
        server.drop(name)


def closed(vault, at):
    """What `scripts/restore` leaves beside the keys."""
    vault.places.restored.touch()
    os.utime(vault.places.restored, (at, at))


def released(folder):
    """What goes out of a vault."""
    going = Release.begin(Vault.open(folder), "doctor", Wish(**WISH))
    try:
        return b"".join(going)
    finally:
        going.close()


def test_without_the_keys_nothing_opens(server, city, backup, tmp_path):
    """Neither without any, nor with new ones that somebody makes."""
    with restored(server, backup[0], city.vault.places.folder, tmp_path / "elsewhere") as folder:
        for name in ("master.key", "persons.db"):
            (folder / name).unlink()
        with pytest.raises(UnpreparedError, match=r"master\.key is missing"):
            Vault.open(folder)
        store = KeyStore(folder / "persons.db", FileMaster.open(folder / "master.key"))
        store.create([])
        assert released(folder) == HEAD
        store.create(PEOPLE)
        with pytest.raises(StoppedError, match="failed"):
            released(folder)


def test_an_erased_person_does_not_come_back(server, city, backup, tmp_path):
    """With the keys as they are now, rows and entries of all others are there, and the log holds."""
    for number in range(10 if ALL else 1):
        folder = tmp_path / str(number)
        with restored(server, backup[0], city.vault.places.folder, folder):
            vault = Vault.open(folder)
            assert whose(table(released(folder))) == set(OTHERS)
            assert vault.keys.read([ERASED]) == {}
            with vault.connect("deep_audit") as audit:
                for one, key in vault.keys.read(OTHERS).items():
                    assert len(own_entries(audit, one, key.log)) == 4
                with pytest.raises(UnreadableError):
                    own_entries(audit, ERASED, b"x" * 32)
                assert verify_log(audit, vault.signer.trusted).findings == ()


def test_an_old_copy_of_the_keys_beside_the_dump_opens_nothing(server, city, backup, tmp_path):
    """After an erasure all keys are wrapped anew, and the old master key is thrown away."""
    dump, keys = backup
    with restored(server, dump, keys, tmp_path / "of that time") as folder:
        assert whose(table(released(folder))) == set(PEOPLE)
        renew_master(city.vault.places)
        shutil.copy(city.vault.places.master, folder)
        with pytest.raises(KeysError, match="wrapped by master key"):
            released(folder)


def test_a_lost_withdrawal_closes_the_vault(server, city, backup, tmp_path):
    """With rows of before a withdrawal nothing goes until a steward has said so, which stays in the log."""
    city.record(OTHERS[0], no(OTHERS[0]))
    lost = city.vault.signer.sign_head(city.connect("deep_signer"))
    with restored(server, backup[0], city.vault.places.folder, tmp_path / "restored") as folder:
        vault = Vault.open(folder)
        with pytest.raises(NotReadyError, match="leaves, and .* were signed"):
            released(folder)
        with vault.connect("deep_signer") as signing, pytest.raises(ForkError):
            vault.signer.sign_head(signing)
        with City(vault) as again:
            again.record(OTHERS[1], no(OTHERS[1]))
        with vault.connect("deep_audit") as audit:
            (saved_at,) = audit.execute("SELECT max(signed_at) FROM audit.log_head").fetchone()
        done = go_on(vault, by="clerk")
        assert (done.signed, done.since) == (lost.checkpoint, saved_at)
        assert whose(table(released(folder))) == set(OTHERS) - {OTHERS[1]}
        with vault.connect("deep_audit") as audit:
            query = "SELECT body FROM audit.log_leaf WHERE leaf_index = %s"
            ((body,),) = audit.execute(query, [done.head.checkpoint.size - 1]).fetchall()
            facts = json.loads(body)["facts"]
            assert facts["signed"] == {
                "size": lost.checkpoint.size,
                "root": lost.checkpoint.root.hex(),
            }
            assert verify_log(audit, vault.signer.trusted).findings == ()
            assert verify_log(audit, vault.signer.trusted, [lost.note]).findings
        with pytest.raises(WholeError):
            go_on(vault, by="clerk")


def test_rows_and_keys_of_one_backup_are_closed_by_the_restore(server, backup, tmp_path):
    """Nothing in them tells that they are old; the file that the restore leaves does."""
    dump, keys = backup
    with restored(server, dump, keys, tmp_path / "of that time") as folder:
        vault = Vault.open(folder)
        closed(vault, at=1_000)
        with pytest.raises(NotReadyError, match="log restored"):
            released(folder)
        done = go_on(vault, by="clerk")
        assert (done.signed, done.since.timestamp()) == (None, 1_000)
        assert whose(table(released(folder))) == set(PEOPLE)
