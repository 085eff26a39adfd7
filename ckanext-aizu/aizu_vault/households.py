"""Whom rows are about besides the person they are filed under: everybody under one roof with a meter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from aizu_vault.events import all_datasets
from aizu_vault.fence import close_fences
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry
from aizu_vault.subjects import SubjectError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from psycopg import Connection

    from aizu_vault.keys import KeyStore


def set_households(
    connection: Connection[Any],
    keys: KeyStore,
    dataset: str,
    households: Mapping[UUID, Collection[UUID]],
) -> None:
    """Says who else the rows of each of these persons are about, in place of what was said before.

    From then on no row goes without the consent of the adults among them. Each finds it in their log.

    Raises:
        SubjectError: somebody is not in the vault or was erased, or there is no such dataset.
    """
    homes = [(holder, one) for holder, others in households.items() for one in others]
    concerned = {*households, *(one for _, one in homes)}
    log_keys = {one: key.log for one, key in keys.read(concerned).items()}
    if concerned - set(log_keys):
        raise SubjectError("a person is not in the vault, or was erased")
    said = {"dataset": dataset}
    try:
        with connection.transaction():
            close_fences(connection, all_datasets(connection))
            connection.execute(
                "DELETE FROM vault.concerned WHERE dataset_id = %s AND subject_id = ANY (%s)",
                (dataset, list(households)),
            )
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO vault.concerned (dataset_id, subject_id, concerned_id) VALUES (%s, %s, %s)",
                    [(dataset, *pair) for pair in homes],
                )
            entries = [Entry(kind="household", person=one, private=said) for one in concerned]
            append(connection, log_keys, entries)
    except psycopg.errors.ForeignKeyViolation:
        raise SubjectError(
            f"there is no dataset {dataset!r}, or a person is not in the vault"
        ) from None
    except psycopg.IntegrityError:
        raise SubjectError(
            "expected others than the person the rows are filed under, once each"
        ) from None
