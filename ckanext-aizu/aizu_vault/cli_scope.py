"""Whom a command is about, in whose name something is said, and what about."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import click
from psycopg import Connection

from aizu_vault.ages import JST
from aizu_vault.consent import Person, Role, Scope
from aizu_vault.console import Command, CommandError, Desk, Words
from aizu_vault.events import everything
from aizu_vault.stored_events import read_people
from aizu_vault.stored_register import read_register

PARTS = ("data", "purpose", "recipient", "fields")
Parts = dict[str, Any]
DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


def as_whom(command: Command) -> Command:
    """Options: in whose name something is said: the person's own, or that of somebody who may act for them."""
    for option in (
        click.option("--representative", metavar="ID", help="代理人の ID。Who represents them."),
        click.option("--authority", metavar="NAME", help="届け出た役所。Authority that says so."),
    ):
        command = option(command)
    return command


def about(command: Command) -> Command:
    """Options: what something is said about: an agreement, or nodes of the trees."""
    for option in (
        click.option("--field", "fields", multiple=True, help="項目。Field; may be repeated."),
        click.option("--recipient", metavar="CODE", help="提供先。Recipient or group of them."),
        click.option("--purpose", metavar="CODE", help="目的。Purpose."),
        click.option("--data", metavar="CODE", help="データの種類。Class of data."),
        click.option(
            "--agreement", metavar="ID", help="協定と同じ範囲。What an agreement is about."
        ),
    ):
        command = option(command)
    return command


def actor_of(subject: UUID, representative: str | None, authority: str | None) -> dict[str, Any]:
    """Who says it, and the nonce of a saying that is made here and now."""
    if representative and authority:
        raise click.UsageError("--representative か --authority。Not both of them.")
    who, role = str(subject), Role.SELF
    if representative or authority:
        who = representative or authority or ""
        role = Role.REPRESENTATIVE if representative else Role.AUTHORITY
    return {"nonce": str(uuid4()), "actor": who, "role": role}


def scope_of(connection: Connection[Any], said: dict[str, Any], otherwise: Parts) -> Scope:
    """What the options name, in the trees of today; `otherwise` is what they leave open."""
    parts = {**otherwise, **{name: said[name] for name in PARTS if said[name]}}
    if missing := [name for name in PARTS if name not in parts]:
        names = ", ".join(f"--{name.removesuffix('s')}" for name in missing)
        raise click.UsageError(f"{names} か --agreement が要る。Give {names}, or --agreement.")
    parts["fields"] = frozenset(parts["fields"])
    return Scope(**parts, version=everything(connection).version)


def agreed_by(desk: Desk, agreement_id: str | None) -> tuple[Parts, str | None]:
    """What an agreement is about, and what people are told of it."""
    if agreement_id is None:
        return {}, None
    with desk.vault.connect("deep_steward") as connection:
        register = read_register(connection)
    found = register.agreements.get(agreement_id)
    if found is None:
        words = f"協定 {agreement_id} はありません。", f"there is no agreement {agreement_id!r}"
        raise CommandError(Words(*words))
    data = register.datasets[found.dataset_id].data_class
    values = (data, found.purpose, found.recipient_id, found.fields)
    return dict(zip(PARTS, values, strict=True)), found.terms_id


def agreed_or_all(desk: Desk, connection: Connection[Any], agreement_id: str | None) -> Parts:
    """What an agreement is about, or everything there is and ever will be."""
    whole = everything(connection)
    return agreed_by(desk, agreement_id)[0] or {name: getattr(whole, name) for name in PARTS}


def moment_of(day: datetime | None) -> datetime | None:
    """A day begins in Japan."""
    return day and day.replace(tzinfo=JST)


def person_of(desk: Desk, subject: UUID) -> Person:
    """What is known of a person.

    Raises:
        CommandError: the person is not in the vault.
    """
    with desk.vault.connect("deep_steward") as connection:
        person = read_people(connection, [subject]).get(subject)
    if person is None:
        raise CommandError(Words("その人は保管庫にいません。", "the person is not in the vault"))
    return person
