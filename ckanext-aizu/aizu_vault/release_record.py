"""What the database keeps of releases: that they run and how they end, and who was read, logged and handed over."""

from __future__ import annotations

import struct
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from aizu_vault.chunks import Share
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry, as_text
from aizu_vault.log.query import one_row, rows
from aizu_vault.pseudonyms import PSEUDONYM_BYTES
from aizu_vault.refusals import BusyError, RefusedError, WishError
from aizu_vault.requests import ConsentRequest, Reason
from aizu_vault.wishes import Wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from psycopg import Connection

    from aizu_vault.chunks import Chunk
    from aizu_vault.keys import PersonKey
    from aizu_vault.matter import Matter

_PLACE: Final = struct.Struct(f">{PSEUDONYM_BYTES}sIH")
_LAST_PART: Final = 2**16 - 1
# Held by the connection of a release as long as it lives, also if its process was killed.
_ALIVE: Final = "hashtext('vault.release'), hashtext(%s::text)"
_BEGIN: Final = """
    INSERT INTO release.release (release_id, mode, dataset_id, agreement_id, receiver, purpose, user_id, fields,
        filters, format, resumes, position)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    RETURNING requested_at
"""
_CRASHED: Final = """
    WITH running AS MATERIALIZED (SELECT release_id FROM release.release WHERE state = 'running'),
    dead AS MATERIALIZED (
        SELECT release_id FROM running
        WHERE pg_try_advisory_xact_lock(hashtext('vault.release'), hashtext(release_id::text))
    )
    UPDATE release.release SET state = 'crashed'
    WHERE release_id IN (SELECT release_id FROM dead) AND state = 'running'
"""
_LOGGED: Final = """
    UPDATE release.person AS known
    SET fields = said.fields, rows = said.rows, t_min = said.first, t_max = said.last, leaf_index = said.leaf
    FROM jsonb_to_recordset(%s) AS said (
        subject uuid, fields text[], rows bigint, first timestamptz, last timestamptz, leaf bigint
    )
    WHERE release_id = %s AND chunk = %s AND subject_id = subject
"""
_COUNTED: Final = """
    UPDATE release.release SET rows = rows + %s, persons = persons + %s WHERE release_id = %s
"""
_HANDED_OVER: Final = """
    UPDATE release.person SET handed_over_at = audit.clock()
    WHERE release_id = %s AND chunk = %s AND subject_id = ANY (%s::uuid[])
"""
_MOVED: Final = "UPDATE release.release SET position = %s, bytes = bytes + %s WHERE release_id = %s"


class Position(NamedTuple):
    """How far a release went: up to this block of the person with this pseudonym."""

    pseudonym: bytes
    day: date = date.max
    part: int = _LAST_PART

    def packed(self) -> bytes:
        """As it is stored."""
        return _PLACE.pack(self.pseudonym, self.day.toordinal(), self.part)

    @classmethod
    def unpacked(cls, stored: bytes) -> Position:
        """As it was stored."""
        pseudonym, day, part = _PLACE.unpack(stored)
        return cls(pseudonym, date.fromordinal(day), part)


class Begun(NamedTuple):
    """A release that runs."""

    release_id: UUID
    requested_at: datetime
    position: Position | None


def begin_release(connection: Connection[Any], matter: Matter) -> Begun:
    """Records that a release begins.

    Raises:
        BusyError: another one of the same user under the same agreement is running.
        RefusedError: it is to go on with one that the user cannot go on with.
    """
    try:
        return _begin(connection, matter)
    except psycopg.errors.UniqueViolation:
        mark_crashed(connection)
    try:
        return _begin(connection, matter)
    except psycopg.errors.UniqueViolation:
        raise BusyError("a release under this agreement is running already") from None


def mark_crashed(connection: Connection[Any]) -> int:
    """Marks releases whose process has died; how many they are."""
    return connection.execute(_CRASHED).rowcount


def record_chunk(
    connection: Connection[Any],
    begun: Begun,
    number: int,
    chunk: Chunk,
    keys: Mapping[UUID, PersonKey],
    persons: int,
) -> None:
    """Logs everybody who was read, as the last thing in the transaction."""
    read = rows(
        connection,
        "SELECT subject_id FROM release.person WHERE release_id = %s AND chunk = %s",
        (begun.release_id, number),
    )
    shares = {one: chunk.shares.get(one, Share()) for (one,) in read}
    connection.execute(_COUNTED, (chunk.frame.height, persons, begun.release_id))
    if not shares:
        return
    facts = _facts(chunk.matter, begun.release_id)
    entries = [_entry(chunk.matter, facts, begun, one, share) for one, share in shares.items()]
    leaves = append(connection, {one: keys[one].log for one in shares}, entries)
    said = [
        _plainly(share) | {"subject": str(one), "leaf": leaf}
        for (one, share), leaf in zip(shares.items(), leaves, strict=True)
    ]
    connection.execute(_LOGGED, (Jsonb(said), begun.release_id, number))


def record_hand_over(
    connection: Connection[Any],
    begun: Begun,
    number: int,
    position: Position,
    size: int,
    persons: Iterable[UUID],
) -> None:
    """Notes what was handed over.

    It need not be durable at once: what is lost in a crash is that something went, which the log says anyhow.
    """
    with connection.transaction():
        connection.execute("SET LOCAL synchronous_commit = off")
        connection.execute(_HANDED_OVER, (begun.release_id, number, list(persons)))
        connection.execute(_MOVED, (position.packed(), size, begun.release_id))


def end_release(
    connection: Connection[Any], begun: Begun, state: str, reason: str | None = None
) -> None:
    """Records how a release ended: completed, or stopped for a reason."""
    connection.execute(
        "UPDATE release.release SET state = %s, reason = %s WHERE release_id = %s",
        (state, reason, begun.release_id),
    )


def _begin(connection: Connection[Any], matter: Matter) -> Begun:
    release_id, wish, request = uuid4(), matter.wish, matter.request
    resumes = wish.resume if isinstance(wish, Wish) else None
    position = _resumed(connection, matter)
    connection.execute(f"SELECT pg_advisory_lock({_ALIVE})", (release_id,))
    agreed: tuple[str | None, ...] = (None, None, None)
    if isinstance(request, ConsentRequest):
        agreed = (request.agreement_id, request.receiver, request.purpose)
    values = (release_id, request.mode.value, matter.dataset.dataset_id, *agreed, request.user)
    how = (list(matter.fields), Jsonb(dict(wish.where)), wish.format, resumes)
    (at,) = one_row(connection, _BEGIN, (*values, *how, position and position.packed()))
    return Begun(release_id, at, position)


def _resumed(connection: Connection[Any], matter: Matter) -> Position | None:
    """Where an interrupted release is to go on; only whoever began it can ask for the same again."""
    wish, request = matter.wish, matter.request
    if not isinstance(wish, Wish) or not isinstance(request, ConsentRequest) or not wish.resume:
        return None
    found = rows(
        connection,
        "SELECT fields, filters, format, position FROM release.release WHERE release_id = %s"
        " AND (user_id, agreement_id, receiver, purpose) = (%s, %s, %s, %s)",
        (wish.resume, request.user, request.agreement_id, request.receiver, request.purpose),
    )
    if not found:
        raise RefusedError(Reason.UNKNOWN)
    *said, position = found[0]
    if said != [list(matter.fields), dict(wish.where), wish.format]:
        raise WishError("resume: expected the fields, filters and format of the earlier release")
    if wish.after is not None:
        return Position(wish.after)
    return position and Position.unpacked(position)


def _facts(matter: Matter, release_id: UUID) -> dict[str, str]:
    """What the log says to everybody; of a release of somebody's own data not even whose request it belongs to."""
    request = matter.request
    if not isinstance(request, ConsentRequest):
        return {"mode": request.mode.value}
    return {
        "mode": request.mode.value,
        "release": str(release_id),
        "dataset": matter.dataset.dataset_id,
        "agreement": request.agreement_id,
        "receiver": request.receiver,
        "purpose": request.purpose,
    }


def _entry(
    matter: Matter, facts: Mapping[str, str], begun: Begun, person: UUID, share: Share
) -> Entry:
    private = _plainly(share) | {
        "release": str(begun.release_id),
        "dataset": matter.dataset.dataset_id,
    }
    return Entry(kind="release", facts=facts, person=person, private=private)


def _plainly(share: Share) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "fields": list(share.fields),
        "rows": share.rows,
        "first": share.first and as_text(share.first),
        "last": share.last and as_text(share.last),
    }
