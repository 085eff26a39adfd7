"""The fence of a dataset: who releases holds it together with others for one chunk, who narrows takes it alone.

When a withdrawal has the fence, no chunk decided before it is on its way, and the next one is decided after it. PostgreSQL
lets nobody pass who comes later: a withdrawal waits for the chunks that go at that moment, and for no further one.

Order of locks in every transaction: fence, person, log.
"""

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
