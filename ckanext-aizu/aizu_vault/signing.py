"""Signs the head of the log each minute, beside whatever else the service does."""

import logging
import threading
from typing import Final

import psycopg

from aizu_vault.key_files import KeysError
from aizu_vault.log.errors import LogError
from aizu_vault.log.heads import Head
from aizu_vault.log.query import one_row
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


class Signing(threading.Thread):
    """Signs at once and then each minute, until it is ended.

    What prevents it is told in the log, minute by minute; releases stop by themselves after five.
    """

    def __init__(self, vault: Vault) -> None:
        """Takes the vault whose log it is."""
        super().__init__(name="signing", daemon=True)
        self._vault = vault
        self._ended = threading.Event()

    def run(self) -> None:
        """What the thread does."""
        while True:
            try:
                sign_now(self._vault)
            except (VaultError, LogError, KeysError, psycopg.Error, OSError) as error:
                # None of them names a person: the signer sees hashes.
                log.critical("The log was not signed: %s: %s", type(error).__name__, error)
            if self._ended.wait(SECONDS):
                return

    def end(self) -> None:
        """Signs no more."""
        self._ended.set()
        self.join()
