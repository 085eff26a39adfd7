"""After an erasure the master key is renewed: what was copied before opens nothing any more."""

import shutil

import pytest

from aizu_vault.keys import FileMaster, KeyStore, MasterError
from aizu_vault.renewal import renew_master
from aizu_vault.settings import Vault

from .conftest import person


def test_old_copies_open_nothing(vault, tmp_path):
    """Today's keys open everybody; a copy of the keys from before does not, even with today's master key."""
    places = vault.places
    before = vault.keys.create([person(1), person(2)])
    secret = vault.keys.agreement("north")
    shutil.copyfile(places.persons, tmp_path / "copy.db")
    (tmp_path / "copy.db").chmod(0o600)
    vault.keys.destroy(person(2))
    name = renew_master(places)
    keys = Vault.open(places.folder).keys
    assert keys.master.name == name != vault.keys.master.name
    assert keys.read([person(1), person(2)]).keys() == {person(1)}
    assert keys.read([person(1)])[person(1)].log == before[person(1)].log
    assert keys.agreement("north") == secret
    assert keys.erased() == {person(2)}
    with pytest.raises(MasterError, match="is wrapped by master key"):
        KeyStore(tmp_path / "copy.db", keys.master).read([person(2)])
    with pytest.raises(MasterError):
        vault.keys.read([person(1)])


def test_a_renewal_that_broke_off_goes_on(vault):
    """Between wrapping and replacing, where neither key fits both files; and before anything was wrapped."""
    places = vault.places
    vault.keys.create([person(1)])
    vault.keys.agreement("north")
    arriving = places.master.with_name("master.key.new")
    vault.keys.rewrap(FileMaster.open(arriving))
    with pytest.raises(MasterError):
        Vault.open(places.folder).keys.read([person(1)])
    renew_master(places)
    assert not arriving.exists()
    assert Vault.open(places.folder).keys.read([person(1)]).keys() == {person(1)}
    first = FileMaster.open(arriving).name
    assert renew_master(places) == first
    assert Vault.open(places.folder).keys.read([person(1)]).keys() == {person(1)}


def test_keys_of_another_master_are_left_alone(vault):
    """Nothing is replaced when the folder's master key does not open them."""
    vault.keys.create([person(1)])
    vault.places.master.unlink()
    other = FileMaster.open(vault.places.master).name
    with pytest.raises(MasterError, match=f"the one at hand is {other}"):
        renew_master(vault.places)
    assert FileMaster.open(vault.places.master).name == other
