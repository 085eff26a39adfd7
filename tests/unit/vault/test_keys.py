"""Keys stand outside the database, open to their owner alone, and are gone when they are destroyed."""

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from aizu_vault.key_files import ExposedError, KeysError
from aizu_vault.keys import ErasedError, FileMaster, FileSigner, KeyStore, MasterError

from .conftest import person


@pytest.fixture
def store(tmp_path):
    """Keys in a folder."""
    return KeyStore(tmp_path / "persons.db", FileMaster.open(tmp_path / "master.key"))


def test_files_of_keys_are_for_their_owner_alone(store, tmp_path):
    """From the moment they are made, whatever the umask."""
    before = os.umask(0)
    try:
        FileMaster.open(tmp_path / "open.key")
        FileSigner.open(tmp_path / "log.pem")
        store.create([person(1)])
    finally:
        os.umask(before)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
@pytest.mark.parametrize("name", ["master.key", "log.pem", "persons.db"])
def test_a_file_that_others_may_read_is_refused(store, tmp_path, name, mode):
    """It names the file and its mode, and nothing is read."""
    FileSigner.open(tmp_path / "log.pem")
    store.create([person(1)])
    (tmp_path / name).chmod(mode)
    with pytest.raises(ExposedError, match=rf"{name}.*mode {mode:o}\); expected 600"):
        FileMaster.open(tmp_path / "master.key")
        FileSigner.open(tmp_path / "log.pem")
        store.read([person(1)])


@pytest.mark.parametrize("content", [b"", b"short", b"zz" * 32, b"\xff\xfe", b"ab" * 20])
def test_what_is_no_key_is_refused(tmp_path, content):
    """With the name of the file, and without what stands in it."""
    file = tmp_path / "file"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(MasterError, match="64 hexadecimal digits") as refused:
        FileMaster.open(file)
    with pytest.raises(KeysError, match="Ed25519"):
        FileSigner.open(file)
    assert content == b"" or content.decode("latin-1") not in str(refused.value)


def test_a_key_of_another_kind_does_not_sign(tmp_path):
    """Such as an elliptic curve key as web servers have them."""
    key = generate_private_key(SECP256R1())
    words = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "ec.pem").write_bytes(key.private_bytes(*words, serialization.NoEncryption()))
    (tmp_path / "ec.pem").chmod(0o600)
    with pytest.raises(KeysError, match="expected an Ed25519 key, and not"):
        FileSigner.open(tmp_path / "ec.pem")


def test_a_person_has_one_key_for_good(store):
    """Whoever asks, at whatever time, also several at once; no two persons have the same."""
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: store.create([person(1)])[person(1)].log, range(16)))
    assert len(made) == 1
    store.create([person(2)])
    again = KeyStore(store.path, FileMaster.open(store.path.with_name("master.key")))
    read = again.read([person(1), person(2), person(3)])
    assert set(read) == {person(1), person(2)}
    assert {read[person(1)].log} == made != {read[person(2)].log}


def test_nothing_shows_a_key(store):
    """Neither in a message nor in a trace."""
    key = store.create([person(1)])[person(1)]
    assert key.log.hex() not in repr(key) and repr(key.log) not in repr(key)
    assert "cipher" not in repr(store)


def test_the_file_holds_no_key_as_it_is(store):
    """Not the person's secret, nor what is derived from it."""
    key = store.create([person(1)])[person(1)]
    content = store.path.read_bytes()
    assert key.log not in content
    (wrapped,) = sqlite3.connect(store.path).execute("SELECT wrapped FROM person_key").fetchone()
    assert store.master.unwrap(wrapped, person(1).bytes) not in content


def test_a_destroyed_key_is_gone(store):
    """From the file, too, and nobody makes another."""
    store.create([person(1), person(2)])
    query = "SELECT wrapped FROM person_key WHERE person = ?"
    with sqlite3.connect(store.path) as file:
        (wrapped,) = file.execute(query, (person(1).bytes,)).fetchone()
    assert wrapped in store.path.read_bytes()
    store.destroy(person(1))
    store.destroy(person(1))
    store.destroy(person(3))
    for file in store.path.parent.iterdir():
        assert wrapped not in file.read_bytes(), file
    assert set(store.read([person(1), person(2), person(3)])) == {person(2)}
    assert store.erased() == {person(1), person(3)}
    for erased in (1, 3):
        with pytest.raises(ErasedError):
            store.create([person(erased)])


def test_an_old_copy_of_the_keys_opens_nothing_once_all_are_wrapped_anew(store, tmp_path):
    """What closes the copies that were made before an erasure."""
    kept = store.create([person(2)])[person(2)].log
    store.create([person(1)])
    old = tmp_path / "old.db"
    old.write_bytes(store.path.read_bytes())
    old.chmod(0o600)
    store.destroy(person(1))
    new = FileMaster.open(tmp_path / "new.key")
    rewrapped = store.rewrap(new)
    assert rewrapped.read([person(2)])[person(2)].log == kept
    for store_of in (KeyStore(old, new), store):
        with pytest.raises(MasterError, match="is wrapped by master key"):
            store_of.read([person(2)])


def test_wrapping_anew_is_done_for_all_or_for_none(store, tmp_path):
    """A key that does not open stops it; the others stay as they were."""
    kept = store.create([person(1)])[person(1)].log
    store.create([person(2)])
    with sqlite3.connect(store.path) as file:
        file.execute(
            "UPDATE person_key SET wrapped = ? WHERE person = ?", (b"x" * 60, person(2).bytes)
        )
    with pytest.raises(MasterError):
        store.rewrap(FileMaster.open(tmp_path / "new.key"))
    assert store.read([person(1)])[person(1)].log == kept


def test_a_wrapped_key_does_not_open_for_another_person(store):
    """Swapped rows are noticed."""
    store.create([person(1), person(2)])
    with sqlite3.connect(store.path) as file:
        rows = dict(file.execute("SELECT person, wrapped FROM person_key"))
        one, two = person(1).bytes, person(2).bytes
        change = "UPDATE person_key SET wrapped = ? WHERE person = ?"
        file.executemany(change, [(rows[two], one), (rows[one], two)])
    with pytest.raises(MasterError, match="was altered"):
        store.read([person(1)])


def test_a_key_management_service_stands_in_for_the_file(store, tmp_path):
    """Three names are all that is asked of it."""

    class Service:
        name = "kms:city/1"

        def __init__(self):
            self.at = FileMaster.open(tmp_path / "elsewhere.key")

        def wrap(self, key, bound):
            return self.at.wrap(key, bound)

        def unwrap(self, wrapped, bound):
            return self.at.unwrap(wrapped, bound)

    kept = store.create([person(1)])[person(1)].log
    there = store.rewrap(Service())
    assert there.create([person(1)])[person(1)].log == kept


def test_the_key_of_an_agreement_is_made_once(store):
    """Each agreement has its own, so that its pseudonyms stay and those of two do not meet."""
    one, other = store.agreement("north"), store.agreement("south")
    assert len(one) == 32
    assert one != other
    assert store.agreement("north") == one


def test_the_key_of_an_agreement_is_bound_to_it(store):
    """It opens neither for another agreement nor as somebody's key."""
    store.agreement("north")
    store.agreement("south")
    store.create([person(1)])
    with sqlite3.connect(store.path) as file:
        taken = "SELECT wrapped FROM agreement_key WHERE agreement = 'north'"
        file.execute(f"UPDATE agreement_key SET wrapped = ({taken})")
        file.execute(f"UPDATE person_key SET wrapped = ({taken})")
    file.close()
    with pytest.raises(MasterError, match="altered"):
        store.agreement("south")
    with pytest.raises(MasterError, match="altered"):
        store.read([person(1)])


def test_keys_of_agreements_go_over_to_a_new_master_key(store, tmp_path):
    """The old one opens them no more."""
    key = store.agreement("north")
    renewed = store.rewrap(FileMaster.open(tmp_path / "new.key"))
    assert renewed.agreement("north") == key
    with pytest.raises(MasterError, match="is wrapped by master key"):
        store.agreement("north")
