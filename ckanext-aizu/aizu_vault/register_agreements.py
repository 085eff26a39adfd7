"""Agreements in the register: drawn up, approved by two people, in force, suspended, ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aizu_vault.agreements import State
from aizu_vault.register import RegisterError, changing, locked, need_leaf, put
from aizu_vault.stored_register import (
    Budget,
    agreement_of,
    agreement_row,
    budget_of,
    read_register,
)
from aizu_vault.trees import Tree

if TYPE_CHECKING:
    from psycopg import Connection

    from aizu_vault.agreements import Agreement, Register
    from aizu_vault.stored_register import Row

_OPEN: Final = {State.DRAFT, State.RETURNED}


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
        put(connection, "agreement", ("agreement_id",), row)


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
        row = locked(connection, "agreement", "agreement_id", agreement_id)
        _turn(connection, row, agreement_of(row).turned(state))


def approve_agreement(connection: Connection[Any], agreement_id: str, *, by: str) -> State:
    """One approval; with the second the agreement is approved.

    Raises:
        RegisterError: there is no such agreement.
        AgreementError: it waits for no approval, or this person cannot give it.
    """
    with changing(connection, by, agreement=agreement_id, approval=True):
        row = locked(connection, "agreement", "agreement_id", agreement_id)
        agreement = agreement_of(row).approved_by(by)
        _turn(connection, row, agreement)
    return agreement.state


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
    need_leaf(connection, Tree.PURPOSE, agreement.purpose)
    for party in sorted({agreement.recipient_id, *agreement.onward}):
        if party not in register.recipients:
            raise RegisterError(f"there is no recipient {party!r}")
        need_leaf(connection, Tree.RECIPIENT, party)


def _turn(connection: Connection[Any], row: Row, agreement: Agreement) -> None:
    put(connection, "agreement", ("agreement_id",), agreement_row(agreement, budget_of(row)))
