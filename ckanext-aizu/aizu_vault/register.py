"""Changes the register: trees, datasets, terms, recipients and their members, agreements, obligations; each is logged.

Any change may stop somebody: it waits until releases have handed over what they had decided on.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from aizu_vault.agreements import Duty, Standing
from aizu_vault.events import all_datasets
from aizu_vault.fence import close_fences
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry, as_text
from aizu_vault.log.query import one_row
from aizu_vault.stored_events import as_range
from aizu_vault.stored_register import (
    dataset_row,
    read_layouts,
    read_trees,
)
from aizu_vault.trees import Taxonomy, Tree, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from psycopg import Connection

    from aizu_vault.agreements import Obligation, Recipient, Terms
    from aizu_vault.interval import Interval
    from aizu_vault.stored_register import Described, Row
    from aizu_vault.trees import Node

_AFTER: Final = {
    Standing.PROPOSED: {Standing.APPROVED, Standing.EXPELLED},
    Standing.APPROVED: {Standing.SUSPENDED, Standing.EXPELLED},
    Standing.SUSPENDED: {Standing.APPROVED, Standing.EXPELLED},
    Standing.EXPELLED: set[Standing](),
}
_RESERVED: Final = {"block", "owner", "person", "subject"}
"""Columns that intake and releases add to those of a dataset."""


class RegisterError(ValueError):
    """The register cannot be changed so."""


def add_trees(
    connection: Connection[Any],
    number: int,
    nodes: tuple[Node, ...],
    *,
    by: str,
    since: datetime | None = None,
) -> None:
    """A further version of the trees, complete from the beginning; people consent in it from then on.

    Args:
        connection: as a steward.
        number: of the version.
        nodes: of all three trees.
        by: who changes them.
        since: when it begins; None is now. The first version may have begun before.

    Raises:
        RegisterError: it does not come after the others, begins in the past or has not three trees of one root each.
    """
    roots = sorted(node.tree.value for node in nodes if node.parent is None)
    if roots != sorted(Tree):
        raise RegisterError(f"expected one root in each of {', '.join(sorted(Tree))}: {roots}")
    with changing(connection, by, trees=number):
        known = read_trees(connection).versions
        (now,) = one_row(connection, "SELECT audit.clock()")
        if known and since is not None and since < now:
            raise RegisterError(f"version {number} cannot begin before now: {since}")
        try:
            version = Version(number=number, since=since or now, nodes=nodes)
            Taxonomy(versions=(*known, version))
        except ValueError as error:
            raise RegisterError(str(error)) from error
        insert(connection, "taxonomy_version", {"version": number, "since": version.since})
        for node in version.nodes:
            place = {"version": version.number, "tree": node.tree.value}
            said = {"code": node.code, "parent": node.parent, "grantable": node.grantable}
            insert(connection, "taxonomy_node", place | said)
        one_row(connection, "SELECT consent.close_taxonomy(%s)", (number,))


def put_dataset(connection: Connection[Any], described: Described, *, by: str) -> None:
    """A dataset, or what has changed about one; other columns are a further version of its layout.

    Raises:
        RegisterError: its fields are not its columns, or there is no such class of data.
    """
    dataset = described.dataset
    first, *fields = described.columns
    if dataset.fields != frozenset(fields) or described.columns[first] != "time":
        raise RegisterError(f"expected a time and the fields as columns: {described.columns}")
    if taken := _RESERVED & described.columns.keys():
        raise RegisterError(f"{dataset.dataset_id}: no column may be called {min(taken)}")
    if not dataset.emergency_fields <= dataset.fields:
        raise RegisterError(f"{dataset.dataset_id}: emergency fields that are no fields")
    with changing(connection, by, dataset=dataset.dataset_id):
        need_leaf(connection, Tree.DATA, dataset.data_class)
        put(connection, "dataset", ("dataset_id",), dataset_row(described))
        layouts = read_layouts(connection, dataset.dataset_id)
        newest = max(layouts, default=0)
        # As pairs: the order of columns counts.
        columns = [*described.columns.items()]
        if not layouts or [*layouts[newest].columns.items()] != columns:
            connection.execute(
                "INSERT INTO vault.layout (dataset_id, version, columns) VALUES (%s, %s, %s)",
                (dataset.dataset_id, newest + 1, Jsonb(columns)),
            )


def add_terms(connection: Connection[Any], terms: Terms, *, by: str) -> None:
    """A further version of what people are told."""
    with changing(connection, by, terms=terms.terms_id):
        names = ("terms_id", "dataset_id", "version", "material", "residents_only")
        insert(connection, "terms", {name: getattr(terms, name) for name in names})


def add_recipient(connection: Connection[Any], recipient: Recipient, *, by: str) -> None:
    """Somebody who may come to receive data; at first no more than proposed."""
    with changing(connection, by, recipient=recipient.recipient_id, standing="proposed"):
        said = {"recipient_id": recipient.recipient_id, "country": recipient.country}
        insert(connection, "recipient", said | {"standing": Standing.PROPOSED.value})


def set_standing(
    connection: Connection[Any], recipient_id: str, standing: Standing, *, by: str
) -> None:
    """Approves, suspends or expels a recipient; who is expelled does not come back.

    Raises:
        RegisterError: there is no way from its standing to that one.
    """
    with changing(connection, by, recipient=recipient_id, standing=standing.value):
        row = locked(connection, "recipient", "recipient_id", recipient_id)
        now = Standing(row["standing"])
        if standing not in _AFTER[now]:
            raise RegisterError(f"recipient {recipient_id!r} is {now} and cannot become {standing}")
        connection.execute(
            "UPDATE consent.recipient SET standing = %s WHERE recipient_id = %s",
            (standing.value, recipient_id),
        )


def add_member(
    connection: Connection[Any], recipient_id: str, user: str, valid: Interval, *, by: str
) -> None:
    """Somebody works for a recipient, within some time."""
    with changing(connection, by, recipient=recipient_id, member=user):
        said = {"recipient_id": recipient_id, "user_id": user, "valid": as_range(valid)}
        insert(connection, "recipient_member", said)


def end_member(connection: Connection[Any], recipient_id: str, user: str, *, by: str) -> None:
    """Somebody works for a recipient no more.

    Raises:
        RegisterError: they do not now.
    """
    with changing(connection, by, recipient=recipient_id, member=user, ended=True):
        ended = connection.execute(
            "UPDATE consent.recipient_member SET valid = tstzrange(lower(valid), clock.now)"
            " FROM (SELECT audit.clock() AS now) AS clock"
            " WHERE recipient_id = %s AND user_id = %s AND valid @> clock.now",
            (recipient_id, user),
        )
        if ended.rowcount == 0:
            raise RegisterError(f"{user!r} does not work for recipient {recipient_id!r}")


def add_obligation(connection: Connection[Any], owed: Obligation, *, by: str) -> None:
    """A recipient owes something by a time; overdue, it stops what goes to it."""
    with changing(connection, by, recipient=owed.recipient_id, owes=owed.duty.value):
        said = {"recipient_id": owed.recipient_id, "duty": owed.duty.value, "due": owed.due}
        insert(connection, "obligation", said)


def fulfil_obligation(
    connection: Connection[Any], recipient_id: str, duty: Duty, due: datetime, *, by: str
) -> None:
    """What was due then is done.

    Raises:
        RegisterError: nothing of the kind was due then, or it is done already.
    """
    with changing(connection, by, recipient=recipient_id, fulfilled=duty.value, due=as_text(due)):
        done = connection.execute(
            "UPDATE consent.obligation SET fulfilled_at = audit.clock()"
            " WHERE recipient_id = %s AND duty = %s AND due = %s AND fulfilled_at IS NULL",
            (recipient_id, duty.value, due),
        )
        if done.rowcount == 0:
            raise RegisterError(f"recipient {recipient_id!r} owes no {duty} due at {due}")


@contextmanager
def changing(connection: Connection[Any], by: str, **facts: str | int | bool) -> Iterator[None]:
    """One change, alone with the register, and its entry in the log.

    Raises:
        RegisterError: it breaks a rule of the tables.
    """
    try:
        with connection.transaction():
            close_fences(connection, all_datasets(connection))
            yield
            append(connection, {}, [Entry(kind="register", facts={**facts, "by": by})])
    except psycopg.IntegrityError as error:
        told = error.diag.message_detail or error.diag.message_primary
        raise RegisterError(f"{error.diag.constraint_name or 'the register'}: {told}") from error


def need_leaf(connection: Connection[Any], tree: Tree, code: str) -> None:
    """Data is held in, and asked for at, the ends of the trees."""
    (now,) = one_row(connection, "SELECT audit.clock()")
    today = read_trees(connection).at(now)
    if today is None or not today.is_leaf(tree, code):
        raise RegisterError(f"{code!r} is not at the end of a branch in the tree of {tree}")


def locked(connection: Connection[Any], table: str, key: str, value: str) -> Row:
    words = sql.SQL("SELECT * FROM {} WHERE {} = %s FOR UPDATE")
    with connection.cursor(row_factory=dict_row) as cursor:
        named = words.format(sql.Identifier("consent", table), sql.Identifier(key))
        row = cursor.execute(named, (value,)).fetchone()
    if row is None:
        raise RegisterError(f"there is no {table} {value!r}")
    return row


def insert(connection: Connection[Any], table: str, row: Mapping[str, Any]) -> None:
    put(connection, table, (), row)


def put(
    connection: Connection[Any], table: str, keys: tuple[str, ...], row: Mapping[str, Any]
) -> None:
    """Adds a row, or changes the one with the same keys."""
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    words = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier("consent", table), columns, sql.SQL(", ").join(map(sql.Placeholder, row))
    )
    if keys:
        changed = sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in row
        )
        known = sql.SQL(", ").join(map(sql.Identifier, keys))
        words += sql.SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(known, changed)
    connection.execute(words, row)
