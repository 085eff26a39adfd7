"""Withdrawals as they come over HTTP: by a code or a login, of everything or of one node of a tree."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from aizu_vault.consent import HistoryError, Scope
from aizu_vault.events import Recorded, everything, withdraw
from aizu_vault.log.query import rows
from aizu_vault.settings import Vault
from aizu_vault.subjects import subject_of_code
from aizu_vault.trees import Tree

LONGEST_CODE: Final = 100


class ScopeError(ValueError):
    """There is no such node in the trees as they stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataClass:
    """A kind of data that can be stopped alone, as people know it."""

    code: str
    ja: str
    en: str


def data_classes(connection: Connection[Any]) -> list[DataClass]:
    """What there is to choose from."""
    query = "SELECT data_class, title_ja, title_en FROM consent.dataset ORDER BY dataset_id"
    return [DataClass(code=code, ja=ja, en=en) for code, ja, en in rows(connection, query)]


def person_of_code(connection: Connection[Any], code: str) -> UUID | None:
    """Whose code it is, if it is somebody's."""
    return subject_of_code(connection, code) if len(code) <= LONGEST_CODE else None


def withdraw_now(
    connection: Connection[Any], vault: Vault, subject: UUID, nodes: Mapping[str, str]
) -> tuple[Scope, Recorded]:
    """Withdraws for a person who has shown who they are.

    Each time is recorded: who withdraws again may have consented in between.

    Args:
        connection: as deep_consent.
        vault: whose keys and log they are.
        subject: the person.
        nodes: one of some of the trees; a tree that is not named is meant whole.

    Raises:
        ScopeError: there is no such node.
    """
    whole = everything(connection)
    scope = replace(
        whole,
        data=nodes.get(Tree.DATA, whole.data),
        purpose=nodes.get(Tree.PURPOSE, whole.purpose),
        recipient=nodes.get(Tree.RECIPIENT, whole.recipient),
    )
    nonce = f"withdrawal-{uuid.uuid4()}"
    try:
        return scope, withdraw(connection, vault.keys, subject, nonce=nonce, scope=scope)
    except HistoryError:
        if nodes:
            raise ScopeError("there is no such node") from None
        raise
