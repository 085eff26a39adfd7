"""Rows as tuples, whatever kind of rows the caller's connection makes, and one view of several tables."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row


def rows(
    connection: Connection[Any],
    query: LiteralString,
    values: Sequence[Any] | Mapping[str, Any] = (),
) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, values).fetchall()


def one_row(
    connection: Connection[Any], query: LiteralString, values: Sequence[Any] = ()
) -> tuple[Any, ...]:
    """The row of a query that always has one."""
    (row,) = rows(connection, query, values)
    return row


@contextmanager
def snapshot(connection: Connection[Any]) -> Iterator[None]:
    """Several queries see the same rows; within a transaction it is the caller who sees to that."""
    if connection.info.transaction_status == TransactionStatus.INTRANS:
        yield
        return
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
