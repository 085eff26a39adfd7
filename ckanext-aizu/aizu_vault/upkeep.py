"""What the service does each minute beside its answers: signs the head of the log, and notes releases that crashed."""

import logging
import threading
from typing import Final

import psycopg

from aizu_vault.key_files import KeysError
from aizu_vault.log.errors import LogError
from aizu_vault.log.heads import Head
from aizu_vault.log.query import one_row
from aizu_vault.release import mark_crashed
from aizu_vault.settings import Vault, VaultError

SECONDS: Final = 60
_TURN: Final = "SELECT pg_try_advisory_lock(hashtext('audit.log_head'))"

log = logging.getLogger(__name__)


def sign_now(vault: Vault) -> Head | None:
    """Signs the log as it is; None if somebody else is signing at this moment.

    Nothing that is appended waits for it.

    Raises:
        ForkError: the log is not the one that was signed before.
        UnreachableError: the database does not answer.
    """
    with vault.connect("deep_signer") as connection:
        (is_ours,) = one_row(connection, _TURN)
        return vault.signer.sign_head(connection) if is_ours else None


def mark_now(vault: Vault) -> None:
    """Marks releases that say they run, and whose process is gone: they would keep their users from the next one.

    Raises:
        UnreachableError: the database does not answer.
    """
    with vault.connect("deep_release") as connection:
        mark_crashed(connection)


class Upkeep(threading.Thread):
    """Does both at once and then each minute, for as long as the process lives.

    What prevents it is told in the log, minute by minute; releases stop by themselves when the log was not signed for
    five. Withdrawals wait for none of it.
    """

    def __init__(self, vault: Vault) -> None:
        """Takes the vault whose log it is."""
        super().__init__(name="upkeep", daemon=True)
        self._vault = vault
        self._end = threading.Event()

    def run(self) -> None:
        """What the thread does."""
        while True:
            for task in (sign_now, mark_now):
                try:
                    task(self._vault)
                except (VaultError, LogError, KeysError, psycopg.Error, OSError) as error:
                    # None of them names a person: these two see hashes and numbers of releases.
                    log.critical("%s: %s: %s", task.__name__, type(error).__name__, error)
            if self._end.wait(SECONDS):
                return

    def end(self) -> None:
        """Ends it after what it is doing."""
        self._end.set()
        self.join()
