"""What a person and those who may act for them have said and what happened to them, for ever in that order.

Nothing is ever changed or removed. A withdrawal, a refusal and a narrowing are objections; a renewal is a grant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from aizu_vault.interval import ALWAYS, Interval

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID


class Role(StrEnum):
    """In what capacity somebody acts."""

    SELF = "self"
    REPRESENTATIVE = "representative"
    AUTHORITY = "authority"


class Cause(StrEnum):
    """Why there is an objection."""

    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    NARROWED = "narrowed"
    INVALIDATED = "invalidated"
    MERGED = "merged"


class Capacity(StrEnum):
    """By what right somebody represents a person."""

    PARENTAL = "parental"
    GUARDIAN = "guardian"
    CURATOR = "curator"
    ASSISTANT = "assistant"
    PROXY = "proxy"


class Turn(StrEnum):
    """What can happen to a person as a whole."""

    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    DEATH = "death"
    DEATH_REVERSED = "death-reversed"
    MOVED_AWAY = "moved-away"
    MOVED_IN = "moved-in"
    CAPACITY_LOST = "capacity-lost"
    CAPACITY_REGAINED = "capacity-regained"
    EMERGENCY_REFUSED = "emergency-refused"
    EMERGENCY_ALLOWED = "emergency-allowed"
    MERGED = "merged"


EVERY_FIELD = "*"
"""In an objection: also fields that come later."""

_OF_THE_PERSON = frozenset({Turn.EMERGENCY_REFUSED, Turn.EMERGENCY_ALLOWED})
_OF_ANYBODY = frozenset({Turn.FREEZE, Turn.UNFREEZE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an event is about: one node of each tree and fields, in the version the actor saw.

    Args:
        fields: names, or EVERY_FIELD for every field there is and ever will be.

    Raises:
        ValueError: it names no field.
    """

    data: str
    purpose: str
    recipient: str
    fields: frozenset[str]
    version: int

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError("a scope names at least one field")


@dataclass(frozen=True, kw_only=True)
class Event:
    """What all events have.

    Args:
        seq: its place in the history of the person, in the order of commits.
        nonce: the same event, sent twice, has it twice.
        recorded_at: by the clock of the database.
    """

    seq: int
    nonce: str
    recorded_at: datetime
    actor: str
    role: Role


@dataclass(frozen=True, kw_only=True)
class Grant(Event):
    """Consent: some fields of some data, for a purpose, to a recipient.

    Args:
        valid: when data may go; it cannot begin before the grant is recorded.
        window: from when the data may be.
        onward: also to those whom the recipient's agreement names.
        future_members: also to those who join the recipient's group later.
        countries: outside Japan, of which the person was told how they protect data.
        assented: whether the child agrees with what a representative grants.
        posthumous: also after death.

    Raises:
        ValueError: it grants every field, or for the past, or an authority grants it.
    """

    scope: Scope
    terms: str
    valid: Interval
    window: Interval = ALWAYS
    onward: bool = False
    future_members: bool = False
    countries: frozenset[str] = frozenset()
    assented: bool = False
    posthumous: bool = False

    def __post_init__(self) -> None:
        if EVERY_FIELD in self.scope.fields:
            raise ValueError("a grant names its fields")
        if self.valid.start is None or self.valid.start < self.recorded_at:
            raise ValueError(f"a grant recorded at {self.recorded_at} is not valid before that")
        if self.role is Role.AUTHORITY:
            raise ValueError("no authority consents in a person's place")


@dataclass(frozen=True, kw_only=True)
class Objection(Event):
    """From now on not: it stops what was granted, and lasts until a grant lifts just that."""

    scope: Scope
    cause: Cause


@dataclass(frozen=True, kw_only=True)
class Representation(Event):
    """Somebody may act for the person, in one node of data and one of purposes.

    Raises:
        ValueError: it is not an authority that says so.
    """

    representation: str
    representative: str
    capacity: Capacity
    data: str
    purpose: str
    version: int
    valid: Interval

    def __post_init__(self) -> None:
        _by_authority(self)


@dataclass(frozen=True, kw_only=True)
class RepresentationEnded(Event):
    """Somebody may no longer act for the person.

    Raises:
        ValueError: it is not an authority that says so.
    """

    representation: str

    def __post_init__(self) -> None:
        _by_authority(self)


@dataclass(frozen=True, kw_only=True)
class Change(Event):
    """Something that is about the person as a whole.

    Raises:
        ValueError: the one who says so may not say this.
    """

    turn: Turn

    def __post_init__(self) -> None:
        if self.turn in _OF_THE_PERSON and self.role is not Role.SELF:
            raise ValueError(f"{self.turn} is said by the person alone")
        if self.turn not in _OF_THE_PERSON | _OF_ANYBODY:
            _by_authority(self)


def _by_authority(event: Event) -> None:
    if event.role is not Role.AUTHORITY:
        raise ValueError(f"{type(event).__name__} is said by an authority, not by {event.role}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A person whose data is in the vault.

    Args:
        erased: whether the person's key is destroyed.
        synthetic: whether the person is invented.
    """

    subject_id: UUID
    birth_date: date
    erased: bool = False
    synthetic: bool = False


class HistoryError(ValueError):
    """An event does not fit its history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A subject and the history of their consent.

    Raises:
        HistoryError: the events are not in order, one comes twice, or one is somebody else's own.
    """

    subject: Subject
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        if len({event.nonce for event in self.events}) < len(self.events):
            raise HistoryError("an event comes twice")
        for event in self.events:
            if event.role is Role.SELF and event.actor != str(self.subject.subject_id):
                raise HistoryError(f"event {event.seq} is said by somebody else")
        for earlier, later in zip(self.events, self.events[1:], strict=False):
            if earlier.seq >= later.seq or earlier.recorded_at > later.recorded_at:
                raise HistoryError(f"event {later.seq} does not come after event {earlier.seq}")

    def known_at(self, moment: datetime) -> tuple[Event, ...]:
        """What was recorded by then."""
        return tuple(event for event in self.events if event.recorded_at <= moment)

    def and_then(self, event: Event) -> Person:
        """The person with one event more, or unchanged if it is there already.

        Raises:
            HistoryError: another event has its nonce, or it does not come last.
        """
        for known in self.events:
            if known.nonce == event.nonce:
                if replace(event, seq=known.seq, recorded_at=known.recorded_at) != known:
                    raise HistoryError(f"nonce {event.nonce!r} belongs to another event")
                return self
        return replace(self, events=(*self.events, event))


def merged(survivor: Person, duplicate: Person, at: datetime, authority: str) -> Person:
    """The survivor of two records of one person, with the objections of both and the grants of one.

    The duplicate's objections come last: what they meet must be granted anew.
    """
    for objection in duplicate.events:
        if isinstance(objection, Objection):
            last = survivor.events[-1].seq if survivor.events else 0
            taken_over = replace(
                objection,
                seq=last + 1,
                nonce=f"merged-{duplicate.subject.subject_id}-{objection.nonce}",
                recorded_at=at,
                actor=authority,
                role=Role.AUTHORITY,
                cause=Cause.MERGED,
            )
            survivor = survivor.and_then(taken_over)
    return survivor
