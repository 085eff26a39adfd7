"""A vault that came back from a backup releases nothing until a steward has said so: what people said since is not in it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection

from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry, as_text
from aizu_vault.log.errors import NotReadyError
from aizu_vault.log.heads import Head, newest_head
from aizu_vault.log.notes import Checkpoint
from aizu_vault.log.query import one_row
from aizu_vault.settings import Places, Vault


class WholeError(ValueError):
    """Nothing is missing in the vault."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """How a vault goes on.

    Attributes:
        since: until when it has what was said; None if nothing tells.
        signed: the head that was signed last and is not the log's any more; None where the keys are as old as the rows.
        head: the log as it goes on.
    """

    since: datetime | None
    signed: Checkpoint | None
    head: Head


def check_whole(vault: Vault, connection: Connection[Any]) -> None:
    """Sees that no withdrawal is missing because the rows came back from a backup.

    Raises:
        NotReadyError: they did, or the log is shorter than what was signed.
    """
    # The head is read first: a log is never shorter than what was signed before.
    signed = vault.signer.known()
    (leaves,) = one_row(connection, "SELECT audit.leaves()")
    if signed and leaves < signed.size:
        told = f"the log has {leaves} leaves, and {signed.size} were signed"
        raise NotReadyError(f"{told}; if it came back from a backup: `aizu-vault log restored`")
    if vault.places.restored.exists():
        raise NotReadyError("the vault came back from a backup: `aizu-vault log restored`")


def go_on(vault: Vault, *, by: str) -> Restored:
    """Says in the log that the vault came back from a backup, and signs it as it is now.

    Broken off, it goes on when it is called again; the log may then say it twice.

    Raises:
        WholeError: nothing is missing.
    """
    with vault.connect("deep_signer") as connection:
        signed = vault.signer.lost(connection)
        if signed is None and not vault.places.restored.exists():
            raise WholeError("the log has all that was signed: nothing came back from a backup")
        newest = newest_head(connection, vault.signer.trusted)
    since = _saved_at(vault.places) or (newest.signed_at if newest else None)
    facts = {
        "by": by,
        "since": since and as_text(since),
        "signed": signed and {"size": signed.size, "root": signed.root.hex()},
    }
    with vault.connect("deep_steward") as connection, connection.transaction():
        append(connection, {}, [Entry(kind="restored", facts=facts)])
    if signed:
        vault.signer.forget()
    with vault.connect("deep_signer") as connection:
        head = vault.signer.sign_head(connection)
    vault.places.restored.unlink(missing_ok=True)
    return Restored(since=since, signed=signed, head=head)


def _saved_at(places: Places) -> datetime | None:
    if not places.restored.exists():
        return None
    return datetime.fromtimestamp(int(places.restored.stat().st_mtime), UTC)
