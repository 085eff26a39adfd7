"""Records what people say about their data and what happens to them, for good, and logs it in the same transaction.

It needs the vault's database and its folder of keys, and nothing else that runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg.rows import dict_row
from psycopg.types.range import Range

from aizu_vault.consent import EVERY_FIELD, Cause, Grant, HistoryError, Objection, Role, Scope
from aizu_vault.fence import close_fences
from aizu_vault.interval import Interval
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry, as_text
from aizu_vault.log.query import one_row, rows
from aizu_vault.stored_events import event_of, insert_events, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from psycopg import Connection

    from aizu_vault.consent import Event
    from aizu_vault.keys import KeyStore


class Said(Protocol):
    """An event that lacks its place and its time: `partial(Objection, nonce=…, actor=…, …)`."""

    def __call__(self, *, seq: int, recorded_at: datetime) -> Event:
        """The event at that place and time; the same each time it is called with the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Where an event stands.

    Attributes:
        leaf_index: its place in the log; None if it had been recorded before, under the same nonce.
    """

    seq: int
    recorded_at: datetime
    leaf_index: int | None


def consents(*, start: datetime | None = None, end: datetime | None = None, **said: Any) -> Said:
    """A grant that is valid from `start` on, or from the moment it is recorded."""

    def make(*, seq: int, recorded_at: datetime) -> Grant:
        valid = Interval(start or recorded_at, end)
        return Grant(seq=seq, recorded_at=recorded_at, valid=valid, **said)

    return make


def record(connection: Connection[Any], keys: KeyStore, subject: UUID, said: Said) -> Recorded:
    """Records one event; see `record_all`."""
    (recorded,) = record_all(connection, keys, [(subject, said)])
    return recorded


def withdraw(
    connection: Connection[Any],
    keys: KeyStore,
    subject: UUID,
    *,
    nonce: str,
    scope: Scope | None = None,
) -> Recorded:
    """Withdraws consent in the person's own name; when this returns, nothing of what it is about goes any more.

    Args:
        connection: to the database, as whoever records.
        keys: of the persons.
        subject: who withdraws.
        nonce: of this wish; the same wish sent twice is recorded once.
        scope: what it is about, or None for everything there is and ever will be.

    Raises:
        HistoryError: see `record_all`.
    """
    with connection.transaction():
        said = partial(
            Objection,
            nonce=nonce,
            actor=str(subject),
            role=Role.SELF,
            scope=scope or everything(connection),
            cause=Cause.WITHDRAWN,
        )
        return record(connection, keys, subject, said)


def everything(connection: Connection[Any]) -> Scope:
    """The roots of the trees as they stand now, and every field."""
    found = rows(
        connection,
        "SELECT version, tree, code FROM consent.taxonomy_node WHERE parent IS NULL AND version = ("
        " SELECT max(version) FROM consent.taxonomy_version WHERE since <= audit.clock())",
    )
    roots = {tree: code for _, tree, code in found}
    if not roots:
        raise HistoryError("there are no trees yet: nobody can have consented to anything")
    return Scope(**roots, fields=frozenset({EVERY_FIELD}), version=found[0][0])


def record_all(
    connection: Connection[Any], keys: KeyStore, sayings: Sequence[tuple[UUID, Said]]
) -> list[Recorded]:
    """Records events in the order given, all or none, each with its entry in the person's log.

    Whatever is no grant may stop something. It waits until releases have handed over what they had decided on, so
    that nothing follows that it forbids.

    Raises:
        HistoryError: somebody is not in the vault or was erased; another event has the nonce; or the event breaks a
            rule of the tables, which the message names. Nothing is recorded then.
        ValueError: the event cannot be, at this time.
    """
    try:
        with connection.transaction():
            return _record_all(connection, keys, sayings)
    except psycopg.IntegrityError as error:
        # The cause is not kept: its text has the row in it.
        told = f"the vault does not take this event: it breaks {error.diag.constraint_name}"
    raise HistoryError(told)


def _record_all(
    connection: Connection[Any], keys: KeyStore, sayings: Sequence[tuple[UUID, Said]]
) -> list[Recorded]:
    (now,) = one_row(connection, "SELECT audit.clock()")
    sketches = [(subject, said(seq=1, recorded_at=now)) for subject, said in sayings]
    log_keys = {person: key.log for person, key in keys.read(dict(sayings)).items()}
    if not all(isinstance(sketch, Grant) for _, sketch in sketches):
        close_fences(connection, all_datasets(connection))
    turns = _take_turns(connection, dict(sayings), log_keys)
    known = _sent_before(connection, sketches)
    placed = [_placed(turns[subject], known, subject, said) for subject, said in sayings]
    fresh = [(subject, event) for subject, event, is_new in placed if is_new]
    insert_events(connection, [row_of(subject, event) for subject, event in fresh])
    leaves = iter(append(connection, log_keys, [entry_of(*one) for one in fresh]) if fresh else ())
    return [
        Recorded(
            seq=event.seq,
            recorded_at=event.recorded_at,
            leaf_index=next(leaves) if is_new else None,
        )
        for _, event, is_new in placed
    ]


def all_datasets(connection: Connection[Any]) -> list[str]:
    """What has fences: whose data an event is about shows in trees of two times, and few are there to close."""
    return [name for (name,) in rows(connection, "SELECT dataset_id FROM consent.dataset")]


def entry_of(subject: UUID, event: Event) -> Entry:
    """What the log says of an event: to everybody that somebody said something, to the person what."""
    row = row_of(subject, event)
    del row["subject_id"]
    return Entry(
        kind="consent",
        person=subject,
        private={name: _plainly(value) for name, value in row.items()},
    )


@dataclass(kw_only=True)
class _Turn:
    """From which place on, and at which time, events about one person are recorded."""

    places: Iterator[int]
    at: datetime


def _take_turns(
    connection: Connection[Any], subjects: Iterable[UUID], log_keys: Mapping[UUID, bytes]
) -> dict[UUID, _Turn]:
    wanted = list(subjects)
    turns = {
        subject: _Turn(places=count(seq), at=recorded_at)
        for subject, seq, recorded_at in rows(
            connection, "SELECT * FROM consent.take_turns(%s::uuid[])", (wanted,)
        )
    }
    if any(subject not in turns for subject in wanted):
        raise HistoryError("the person is not in the vault")
    if any(subject not in log_keys for subject in wanted):
        raise HistoryError("the person was erased: nothing more is recorded about them")
    return turns


def _sent_before(
    connection: Connection[Any], sketches: Sequence[tuple[UUID, Event]]
) -> dict[tuple[UUID, str], Event]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "SELECT event.* FROM unnest(%s::uuid[], %s::text[]) AS sent (subject_id, nonce)"
            " JOIN consent.event USING (subject_id, nonce)",
            [[subject for subject, _ in sketches], [event.nonce for _, event in sketches]],
        )
        return {(row["subject_id"], row["nonce"]): event_of(row) for row in cursor}


def _placed(
    turn: _Turn, known: dict[tuple[UUID, str], Event], subject: UUID, said: Said
) -> tuple[UUID, Event, bool]:
    """The event at its place, and whether it is new."""
    event = said(seq=0, recorded_at=turn.at)
    earlier = known.get((subject, event.nonce))
    if earlier is None:
        event = known[subject, event.nonce] = said(seq=next(turn.places), recorded_at=turn.at)
        return subject, event, True
    if said(seq=earlier.seq, recorded_at=earlier.recorded_at) != earlier:
        raise HistoryError(f"nonce {event.nonce!r} belongs to another event")
    return subject, earlier, False


def _plainly(value: Any) -> Any:
    """As JSON has it; times in UTC, ranges as a pair."""
    match value:
        case datetime():
            return as_text(value)
        case Range():
            return [_plainly(value.lower), _plainly(value.upper)]
    return value
