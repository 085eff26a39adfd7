"""Who may act for a person, and what has become of the person, as their history tells it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from aizu_vault.ages import MAJORITY, attains
from aizu_vault.consent import Capacity, Change, Representation, RepresentationEnded, Role, Turn
from aizu_vault.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from aizu_vault.agreements import Dataset
    from aizu_vault.consent import Event, Grant, Person
    from aizu_vault.trees import Version

_BY_COURT: Final = {Capacity.GUARDIAN, Capacity.CURATOR, Capacity.ASSISTANT}


@dataclass(frozen=True, kw_only=True)
class Acts:
    """What is known of a person by now, and at which ages they decide about a dataset."""

    person: Person
    dataset: Dataset
    events: tuple[Event, ...]

    @cached_property
    def majority(self) -> datetime:
        """When the person is of age."""
        return attains(self.person.subject.birth_date, MAJORITY)


def is_entitled(acts: Acts, event: Event) -> bool:
    """Whether somebody may object or freeze: the person at any age, an authority, or who represents them then."""
    return event.role is not Role.REPRESENTATIVE or any(_in_force(acts, event))


def may_grant(acts: Acts, grant: Grant, seen: Version) -> bool:
    """Whether who granted could: the person, old enough and capable, or a representative within their scope."""
    if grant.role is Role.SELF:
        return _is_capable(acts, grant)
    return _has_assent(acts, grant) and any(
        seen.covers(Tree.DATA, held.data, grant.scope.data)
        and seen.covers(Tree.PURPOSE, held.purpose, grant.scope.purpose)
        for held in _in_force(acts, grant)
    )


def has_outgrown(acts: Acts, grant: Grant, at: datetime) -> bool:
    """Whether it was granted for a child who is of age now."""
    return grant.role is Role.REPRESENTATIVE and grant.recorded_at < acts.majority <= at


def is_dead(events: Iterable[Event]) -> bool:
    """Whether death is reported, and the report stands."""
    return _last(events, Turn.DEATH, Turn.DEATH_REVERSED) is Turn.DEATH


def is_away(events: Iterable[Event]) -> bool:
    """Whether the person no longer lives in the city."""
    return _last(events, Turn.MOVED_AWAY, Turn.MOVED_IN) is Turn.MOVED_AWAY


def is_merged(events: Iterable[Event]) -> bool:
    """Whether another record has taken the place of this one."""
    return _last(events, Turn.MERGED) is not None


def has_refused_emergencies(events: Iterable[Event]) -> bool:
    """Whether the person said: not even then."""
    said = _last(events, Turn.EMERGENCY_REFUSED, Turn.EMERGENCY_ALLOWED)
    return said is Turn.EMERGENCY_REFUSED


def is_frozen(acts: Acts) -> bool:
    """Whether somebody entitled froze everything, and nobody who may has lifted that since."""
    changes = [
        event for event in acts.events if isinstance(event, Change) and is_entitled(acts, event)
    ]
    return any(
        freeze.turn is Turn.FREEZE and not any(_lifts(acts, later, freeze) for later in changes)
        for freeze in changes
    )


def _lifts(acts: Acts, later: Change, freeze: Change) -> bool:
    """A representative does not lift what the person or an authority has frozen."""
    if later.turn is not Turn.UNFREEZE or later.seq < freeze.seq:
        return False
    if later.role is Role.SELF:
        return _is_capable(acts, later)
    return later.role is Role.AUTHORITY or freeze.role is Role.REPRESENTATIVE


def _is_capable(acts: Acts, event: Event) -> bool:
    """Whether the person was old enough, and had not lost capacity, when they said it."""
    before = (earlier for earlier in acts.events if earlier.seq < event.seq)
    lost = _last(before, Turn.CAPACITY_LOST, Turn.CAPACITY_REGAINED) is Turn.CAPACITY_LOST
    age = attains(acts.person.subject.birth_date, acts.dataset.self_consent_age)
    return age <= event.recorded_at and not lost


def _has_assent(acts: Acts, grant: Grant) -> bool:
    """From a certain age on a child must agree; who is of age and represented cannot."""
    asked = attains(acts.person.subject.birth_date, acts.dataset.assent_age)
    return grant.assented or not asked <= grant.recorded_at < acts.majority


def _in_force(acts: Acts, event: Event) -> Iterable[Representation]:
    """By which rights whoever acted in this event represented the person then."""
    for held in acts.events:
        if (
            isinstance(held, Representation)
            and held.seq < event.seq
            and held.representative == event.actor
            and event.recorded_at in held.valid
            and not (held.capacity is Capacity.PARENTAL and acts.majority <= event.recorded_at)
            and not any(_ends(later, held) for later in acts.events if later.seq < event.seq)
        ):
            yield held


def _ends(later: Event, held: Representation) -> bool:
    if later.seq < held.seq:
        return False
    if isinstance(later, Change):
        return later.turn is Turn.CAPACITY_REGAINED and held.capacity in _BY_COURT
    return isinstance(later, RepresentationEnded) and later.representation == held.representation


def _last(events: Iterable[Event], *turns: Turn) -> Turn | None:
    """The last of these turns, if there was any."""
    found = [event.turn for event in events if isinstance(event, Change) and event.turn in turns]
    return found[-1] if found else None
