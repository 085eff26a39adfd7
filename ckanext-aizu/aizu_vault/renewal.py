"""A new master key for a vault, so that old copies of its keys, with those of people erased since, open nothing."""

from aizu_vault.keys import FileMaster, KeyStore
from aizu_vault.settings import Places


def renew_master(places: Places) -> str:
    """Wraps all keys by a new master key, which takes the place of the old one; returns its name.

    Broken off, it goes on when it is called again. A release that runs has the old key, and stops.

    Raises:
        MasterError: the keys are not wrapped by the master key in the folder.
    """
    arriving = places.master.with_name(f"{places.master.name}.new")
    new = FileMaster.open(arriving)
    KeyStore(places.persons, FileMaster.open(places.master)).rewrap(new)
    arriving.replace(places.master)
    return new.name
