"""Histories of consent as the vault's database holds them: events as rows, and rows as events."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import dict_row
from psycopg.types.range import Range, TimestamptzRange

from aizu_vault.consent import (
    Capacity,
    Cause,
    Change,
    Grant,
    Objection,
    Person,
    Representation,
    RepresentationEnded,
    Role,
    Scope,
    Subject,
    Turn,
)
from aizu_vault.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from aizu_vault.consent import Event

Row = dict[str, Any]

_SCOPE: Final = ("version", "data", "purpose", "recipient", "fields")
_GRANT: Final = ("onward", "future_members", "assented", "posthumous")
_REPRESENTATION: Final = ("representation", "representative", "version", "data", "purpose")
_INSERT: Final = """
    INSERT INTO consent.event (
        subject_id, seq, nonce, recorded_at, actor, role, kind, version, data, purpose, recipient, fields, valid,
        terms_id, data_window, onward, future_members, countries, assented, posthumous, cause,
        representation, representative, capacity
    ) VALUES (
        %(subject_id)s, %(seq)s, %(nonce)s, %(recorded_at)s, %(actor)s, %(role)s, %(kind)s, %(version)s, %(data)s,
        %(purpose)s, %(recipient)s, %(fields)s, %(valid)s, %(terms_id)s, %(data_window)s, %(onward)s,
        %(future_members)s, %(countries)s, %(assented)s, %(posthumous)s, %(cause)s,
        %(representation)s, %(representative)s, %(capacity)s
    )"""
_EMPTY: Final[Row] = dict.fromkeys(
    (*_SCOPE, *_GRANT, *_REPRESENTATION, "valid", "terms_id", "data_window", "countries", "cause",
     "capacity")
)  # fmt: skip


def row_of(subject: UUID, event: Event) -> Row:
    """An event as a row; columns that say nothing of it are left out."""
    said = {
        "subject_id": subject,
        "seq": event.seq,
        "nonce": event.nonce,
        "recorded_at": event.recorded_at,
        "actor": event.actor,
        "role": event.role.value,
    }
    return said | _particulars(event)


def _particulars(event: Event) -> Row:
    match event:
        case Grant():
            return {
                "kind": "grant",
                **_scope(event.scope),
                **_those(event, _GRANT),
                "terms_id": event.terms,
                "valid": as_range(event.valid),
                "data_window": as_range(event.window),
                "countries": sorted(event.countries),
            }
        case Objection():
            return {"kind": "objection", **_scope(event.scope), "cause": event.cause.value}
        case Representation():
            return {
                "kind": "representation",
                **_those(event, _REPRESENTATION),
                "capacity": event.capacity.value,
                "valid": as_range(event.valid),
            }
        case RepresentationEnded():
            return {"kind": "representation-ended", "representation": event.representation}
        case Change():
            return {"kind": event.turn.value}
    raise TypeError(f"{type(event).__name__} is no event that the vault keeps")


def event_of(row: Row) -> Event:
    """A row as an event."""
    said = _those_of(row, ("seq", "nonce", "recorded_at", "actor")) | {"role": Role(row["role"])}
    match row["kind"]:
        case "grant":
            return Grant(
                **said,
                **_those_of(row, _GRANT),
                scope=_scope_of(row),
                terms=row["terms_id"],
                valid=as_interval(row["valid"]),
                window=as_interval(row["data_window"]),
                countries=frozenset(row["countries"]),
            )
        case "objection":
            return Objection(**said, scope=_scope_of(row), cause=Cause(row["cause"]))
        case "representation":
            return Representation(
                **said,
                **_those_of(row, _REPRESENTATION),
                capacity=Capacity(row["capacity"]),
                valid=as_interval(row["valid"]),
            )
        case "representation-ended":
            return RepresentationEnded(**said, representation=row["representation"])
        case kind:
            return Change(**said, turn=Turn(kind))


def insert_events(connection: Connection[Any], rows: Sequence[Row]) -> None:
    """Adds events at the ends of their histories."""
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, [_EMPTY | row for row in rows])


def read_people(connection: Connection[Any], subjects: Iterable[UUID]) -> dict[UUID, Person]:
    """What is known of these persons; those who are not in the vault are left out."""
    wanted = list(subjects)
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "SELECT subject_id, birth_date, erased, synthetic FROM consent.subject"
            " WHERE subject_id = ANY (%s)",
            [wanted],
        )
        known = [Subject(**row) for row in cursor]
        cursor.execute(
            "SELECT * FROM consent.event WHERE subject_id = ANY (%s) ORDER BY subject_id, seq",
            [wanted],
        )
        histories = {
            subject: tuple(map(event_of, rows))
            for subject, rows in groupby(cursor, key=itemgetter("subject_id"))
        }
    return {
        subject.subject_id: Person(subject=subject, events=histories.get(subject.subject_id, ()))
        for subject in known
    }


def as_range(interval: Interval) -> Range[datetime]:
    """Times as PostgreSQL has them."""
    return TimestamptzRange(interval.start, interval.end, "[)")


def as_interval(found: Range[datetime]) -> Interval:
    """Times as PostgreSQL has them, `[from, to)`."""
    return Interval(found.lower, found.upper)


def _scope(scope: Scope) -> Row:
    return _those(scope, _SCOPE) | {"fields": sorted(scope.fields)}


def _scope_of(row: Row) -> Scope:
    return Scope(**_those_of(row, _SCOPE) | {"fields": frozenset(row["fields"])})


def _those(value: object, names: Iterable[str]) -> Row:
    return {name: attrgetter(name)(value) for name in names}


def _those_of(row: Row, names: Iterable[str]) -> Row:
    return {name: row[name] for name in names}
