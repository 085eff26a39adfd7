"""Adds entries to the log within the caller's transaction: what it does and that it is logged are committed together."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import SystemRandom
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.pq import TransactionStatus

from aizu_vault.log.entries import Entry, Leaf, leaf_of
from aizu_vault.log.errors import AppendError
from aizu_vault.log.query import one_row


def append(
    connection: Connection[Any], log_keys: Mapping[UUID, bytes], entries: Sequence[Entry]
) -> list[int]:
    """Adds the entries and returns the index of each.

    Entries of one call stand in the log in a random order: nobody's place in a list shows there.
    Appends wait for one another until they are committed: this is the last thing a transaction does.

    Raises:
        AppendError: there is no transaction, or a person has no key.
    """
    if connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
        raise AppendError("append within a transaction: what is logged and its log stand together")
    persons = [entry.person for entry in entries if entry.person]
    if any(person not in log_keys for person in persons):
        raise AppendError("an entry is about a person without a key")
    taken = one_row(connection, "SELECT * FROM audit.take_log(%s::uuid[])", (persons,))
    first, at, numbered = taken
    numbers = _numbers(persons, numbered)
    order = SystemRandom().sample(range(len(entries)), len(entries))
    leaves = [
        leaf_of(entry, at, log_keys[entry.person], next(numbers[entry.person]))
        if entry.person
        else leaf_of(entry, at, None, 0)
        for entry in map(entries.__getitem__, order)
    ]
    one_row(
        connection,
        "SELECT audit.append_leaves(%s, %s, %b::bytea[], %b::bytea[], %b::bytea[])",
        (first, at, *_columns(leaves)),
    )
    return [index for _, index in sorted(zip(order, itertools.count(first), strict=False))]


def _numbers(persons: Sequence[UUID], numbered: Mapping[str, int]) -> dict[UUID, Iterator[int]]:
    """For each person the numbers of the new entries; the database knows the last one."""
    return {
        person: itertools.count(numbered[str(person)] - new + 1)
        for person, new in Counter(persons).items()
    }


def _columns(leaves: Sequence[Leaf]) -> tuple[list[Any], list[Any], list[Any]]:
    return (
        [leaf.body for leaf in leaves],
        [leaf.tag for leaf in leaves],
        [leaf.sealed for leaf in leaves],
    )
