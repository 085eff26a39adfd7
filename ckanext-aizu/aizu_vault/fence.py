"""The fence of a dataset: who releases holds it together with others for one chunk, who narrows takes it alone.

When a withdrawal has the fence, no chunk decided before it is on its way, and the next one is decided after it. PostgreSQL
lets nobody pass who comes later: a withdrawal waits for the chunks that go at that moment, and for no further one.

Order of locks in every transaction: fence, person, log.
"""

import select
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

_PLACE = "hashtext('vault.fence'), hashtext(%s)"


@contextmanager
def release_fence(connection: Connection[Any], dataset: str) -> Iterator[None]:
    """Holds the fence with other releases from before the decision until the rows are handed over.

    It belongs to the session and outlives its transactions. Who loses the connection has lost it.

    Raises:
        psycopg.errors.LockNotAvailable: those who narrow took too long.
    """
    connection.execute(f"SELECT pg_advisory_lock_shared({_PLACE})", (dataset,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(f"SELECT pg_advisory_unlock_shared({_PLACE})", (dataset,))


def close_fences(connection: Connection[Any], datasets: Iterable[str]) -> None:
    """Takes the fences alone until the transaction ends; always in the same order.

    Raises:
        psycopg.errors.LockNotAvailable: a release took too long.
    """
    for dataset in sorted(set(datasets)):
        connection.execute(f"SELECT pg_advisory_xact_lock({_PLACE})", (dataset,))


def is_wanted(connection: Connection[Any], dataset: str) -> bool:
    """Whether somebody waits to have the fence alone."""
    found = connection.execute(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND classid = hashtext('vault.fence')::oid AND objid = hashtext(%s)::oid",
        (dataset,),
    )
    return found.fetchone() is not None


def has_lost(connection: Connection[Any]) -> bool:
    """Whether the connection, with which the fence is lost, has ended: the server says so unasked."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable)
