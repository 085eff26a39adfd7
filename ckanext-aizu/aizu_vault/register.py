"""Changes the register: trees, datasets, terms, recipients and their members, agreements, obligations; each is logged.

Any change may stop somebody: it waits until releases have handed over what they had decided on.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from aizu_vault.agreements import Duty, Standing, State
from aizu_vault.events import all_datasets
from aizu_vault.fence import close_fences
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry, as_text
from aizu_vault.log.query import one_row
from aizu_vault.stored_events import as_range
from aizu_vault.stored_register import (
    Budget,
    agreement_of,
    agreement_row,
    budget_of,
    dataset_row,
    read_layouts,
    read_register,
    read_trees,
)
from aizu_vault.trees import Taxonomy, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from psycopg import Connection

    from aizu_vault.agreements import Agreement, Obligation, Recipient, Register, Terms
    from aizu_vault.interval import Interval
    from aizu_vault.stored_register import Described, Row
    from aizu_vault.trees import Version

_AFTER: Final = {
    Standing.PROPOSED: {Standing.APPROVED, Standing.EXPELLED},
    Standing.APPROVED: {Standing.SUSPENDED, Standing.EXPELLED},
    Standing.SUSPENDED: {Standing.APPROVED, Standing.EXPELLED},
    Standing.EXPELLED: set[Standing](),
}
_OPEN: Final = {State.DRAFT, State.RETURNED}


class RegisterError(ValueError):
    """The register cannot be changed so."""


def add_trees(connection: Connection[Any], version: Version, *, by: str) -> None:
    """A further version of the trees, complete from the beginning; people consent in it from then on.

    Raises:
        RegisterError: it does not come after the others, begins in the past or has not three trees of one root each.
    """
    roots = sorted(node.tree.value for node in version.nodes if node.parent is None)
    if roots != sorted(Tree):
        raise RegisterError(f"expected one root in each of {', '.join(sorted(Tree))}: {roots}")
    with changing(connection, by, trees=version.number):
        known = read_trees(connection).versions
        _check(lambda: Taxonomy(versions=(*known, version)))
        (now,) = one_row(connection, "SELECT audit.clock()")
        if known and version.since < now:
            raise RegisterError(
                f"version {version.number} is to begin at {version.since}: too late"
            )
        _insert(
            connection,
            "taxonomy_version",
            {"version": version.number, "since": version.since},
        )
        for node in version.nodes:
            place = {"version": version.number, "tree": node.tree.value}
            said = {"code": node.code, "parent": node.parent, "grantable": node.grantable}
            _insert(connection, "taxonomy_node", place | said)
        one_row(connection, "SELECT consent.close_taxonomy(%s)", (version.number,))


def put_dataset(connection: Connection[Any], described: Described, *, by: str) -> None:
    """A dataset, or what has changed about one; other columns are a further version of its layout.

    Raises:
        RegisterError: its fields are not its columns, or there is no such class of data.
    """
    dataset = described.dataset
    first, *fields = described.columns
    if dataset.fields != frozenset(fields) or described.columns[first] != "time":
        raise RegisterError(f"expected a time and the fields as columns: {described.columns}")
    if not dataset.emergency_fields <= dataset.fields:
        raise RegisterError(f"{dataset.dataset_id}: emergency fields that are no fields")
    with changing(connection, by, dataset=dataset.dataset_id):
        _need_leaf(connection, Tree.DATA, dataset.data_class)
        _put(connection, "dataset", ("dataset_id",), dataset_row(described))
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
        _insert(connection, "terms", {name: getattr(terms, name) for name in names})


def add_recipient(connection: Connection[Any], recipient: Recipient, *, by: str) -> None:
    """Somebody who may come to receive data; at first no more than proposed."""
    with changing(connection, by, recipient=recipient.recipient_id, standing="proposed"):
        said = {"recipient_id": recipient.recipient_id, "country": recipient.country}
        _insert(connection, "recipient", said | {"standing": Standing.PROPOSED.value})


def set_standing(
    connection: Connection[Any], recipient_id: str, standing: Standing, *, by: str
) -> None:
    """Approves, suspends or expels a recipient; who is expelled does not come back.

    Raises:
        RegisterError: there is no way from its standing to that one.
    """
    with changing(connection, by, recipient=recipient_id, standing=standing.value):
        row = _locked(connection, "recipient", "recipient_id", recipient_id)
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
        _insert(connection, "recipient_member", said)


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


def draft_agreement(
    connection: Connection[Any], agreement: Agreement, budget: Budget | None = None, *, by: str
) -> None:
    """Draws an agreement up, or up anew while nobody has approved it.

    Raises:
        RegisterError: it names what is not there, or is no draft any more.
    """
    agreement = replace(agreement, state=State.DRAFT, approvers=frozenset())
    with changing(connection, by, agreement=agreement.agreement_id, state="draft"):
        register = read_register(connection)
        known = register.agreements.get(agreement.agreement_id)
        if known is not None and known.state not in _OPEN:
            raise RegisterError(f"agreement {agreement.agreement_id!r} is {known.state}: no draft")
        _need_what_it_names(connection, register, agreement)
        row = agreement_row(agreement, budget or Budget())
        _put(connection, "agreement", ("agreement_id",), row)


def turn_agreement(
    connection: Connection[Any], agreement_id: str, state: State, *, by: str
) -> None:
    """Brings an agreement into its next state; for the approvals see `approve_agreement`.

    Raises:
        RegisterError: there is no such agreement, or it is to be approved.
        AgreementError: there is no way from its state to that one.
    """
    if state is State.APPROVED:
        raise RegisterError("an agreement is approved by two people, each for themself")
    with changing(connection, by, agreement=agreement_id, state=state.value):
        row = _locked(connection, "agreement", "agreement_id", agreement_id)
        _turn(connection, row, agreement_of(row).turned(state))


def approve_agreement(connection: Connection[Any], agreement_id: str, *, by: str) -> State:
    """One approval; with the second the agreement is approved.

    Raises:
        RegisterError: there is no such agreement.
        AgreementError: it waits for no approval, or this person cannot give it.
    """
    with changing(connection, by, agreement=agreement_id, approval=True):
        row = _locked(connection, "agreement", "agreement_id", agreement_id)
        agreement = agreement_of(row).approved_by(by)
        _turn(connection, row, agreement)
    return agreement.state


def add_obligation(connection: Connection[Any], owed: Obligation, *, by: str) -> None:
    """A recipient owes something by a time; overdue, it stops what goes to it."""
    with changing(connection, by, recipient=owed.recipient_id, owes=owed.duty.value):
        said = {"recipient_id": owed.recipient_id, "duty": owed.duty.value, "due": owed.due}
        _insert(connection, "obligation", said)


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


def _check(make: Any) -> None:
    try:
        make()
    except ValueError as error:
        raise RegisterError(str(error)) from error


def _need_what_it_names(
    connection: Connection[Any], register: Register, agreement: Agreement
) -> None:
    """Sees that what is agreed can be asked for at all."""
    dataset = register.datasets.get(agreement.dataset_id)
    if dataset is None:
        raise RegisterError(f"there is no dataset {agreement.dataset_id!r}")
    if unknown := agreement.fields - dataset.fields:
        raise RegisterError(f"{dataset.dataset_id} has no field {', '.join(sorted(unknown))}")
    if not agreement.fields:
        raise RegisterError(f"agreement {agreement.agreement_id!r} names no field")
    _need_leaf(connection, Tree.PURPOSE, agreement.purpose)
    for party in sorted({agreement.recipient_id, *agreement.onward}):
        if party not in register.recipients:
            raise RegisterError(f"there is no recipient {party!r}")
        _need_leaf(connection, Tree.RECIPIENT, party)


def _need_leaf(connection: Connection[Any], tree: Tree, code: str) -> None:
    """Data is held in, and asked for at, the ends of the trees."""
    (now,) = one_row(connection, "SELECT audit.clock()")
    today = read_trees(connection).at(now)
    if today is None or not today.is_leaf(tree, code):
        raise RegisterError(f"{code!r} is not at the end of a branch in the tree of {tree}")


def _turn(connection: Connection[Any], row: Row, agreement: Agreement) -> None:
    _put(connection, "agreement", ("agreement_id",), agreement_row(agreement, budget_of(row)))


def _locked(connection: Connection[Any], table: str, key: str, value: str) -> Row:
    words = sql.SQL("SELECT * FROM {} WHERE {} = %s FOR UPDATE")
    with connection.cursor(row_factory=dict_row) as cursor:
        named = words.format(sql.Identifier("consent", table), sql.Identifier(key))
        row = cursor.execute(named, (value,)).fetchone()
    if row is None:
        raise RegisterError(f"there is no {table} {value!r}")
    return row


def _insert(connection: Connection[Any], table: str, row: Mapping[str, Any]) -> None:
    _put(connection, table, (), row)


def _put(
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
