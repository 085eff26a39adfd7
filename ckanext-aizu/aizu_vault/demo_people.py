"""The invented citizens of the demonstration: households, ages, and what each of them says about their data.

Everything follows from one seed: the same people say the same things wherever the demonstration is loaded.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from aizu_vault.ages import MAJORITY, attains
from aizu_vault.consent import (
    EVERY_FIELD,
    Capacity,
    Cause,
    Change,
    Objection,
    Representation,
    Role,
    Scope,
    Subject,
    Turn,
)
from aizu_vault.events import consents
from aizu_vault.interval import ALWAYS, Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aizu_vault.events import Said

SEED: Final = 965
PEOPLE: Final = 3000
CITY: Final = "aizu-registry"
"""The authority that reports what happens to people."""
TODAY: Final = date(2026, 1, 20)
"""The day on which the ages of the demonstration stand."""
_TREES: Final = 1
_SIZES: Final = {1: 34, 2: 29, 3: 17, 4: 13, 5: 5, 6: 2}
_VITALS: Final = frozenset({"pulse", "temperature"})
_CARE: Final = ("vitals", "care", "hospitals")
_RESEARCH: Final = ("vitals", "research", "universities")
_WINTER: Final = ("energy", "winter", "snow-lab")
_ASSENT_AGE, _CONSENT_AGE = 12, 16
_NOON: Final = Interval(datetime(2026, 1, 20, 3, tzinfo=UTC))
_END: Final = datetime(2031, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class Citizen:
    """An invented person, and what they and those who act for them say, in that order."""

    number: int
    subject: Subject
    parents: tuple[UUID, ...] = ()
    sayings: list[Said] = field(default_factory=list)

    @property
    def subject_id(self) -> UUID:
        """The person's id in the vault."""
        return self.subject.subject_id

    def age(self) -> int:
        """In years."""
        born = self.subject.birth_date
        return TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))

    def says(self, make: Any, **said: Any) -> None:
        """Adds an event in the person's own name, unless another is given."""
        said = {"actor": str(self.subject_id), "role": Role.SELF, **said}
        self.sayings.append(partial(make, nonce=f"demo-{len(self.sayings)}", **said))

    def reports(self, turn: Turn) -> None:
        """Adds what the city reports of the person."""
        self.says(Change, actor=CITY, role=Role.AUTHORITY, turn=turn)


@dataclass(frozen=True, kw_only=True)
class Household:
    """Who lives under one roof; the meter is the first one's."""

    members: tuple[Citizen, ...]

    @property
    def adults(self) -> list[Citizen]:
        """Those who are of age."""
        return [one for one in self.members if one.age() >= MAJORITY]


def subject_id(number: int) -> UUID:
    """The id of the citizen with that number, from 0."""
    return uuid5(NAMESPACE_URL, f"https://aizu.example/deep/demonstration/{number}")


def invent(people: int = PEOPLE) -> list[Household]:
    """Households of that many people, with everybody's sayings."""
    rng = random.Random(SEED)  # noqa: S311  invented people, no secret
    households = list(_households(rng, people))
    for household in households:
        for citizen in household.members:
            _speak(rng, citizen)
        _share_energy(rng, household)
    _live_through([one for household in households for one in household.members])
    return households


def _households(rng: random.Random, people: int) -> Iterator[Household]:
    number = 0
    while number < people:
        (size,) = rng.choices([*_SIZES], [*_SIZES.values()])
        size = min(size, people - number)
        yield Household(members=tuple(_family(rng, number, size)))
        number += size


def _family(rng: random.Random, first: int, size: int) -> Iterator[Citizen]:
    """One or two adults, then children, and a grandparent among the large ones."""
    head = int(rng.triangular(22, 94, 66 if size < 3 else 44))
    ages = [head]
    if size > 1:
        ages.append(max(19, head + rng.randint(-6, 6)))
    if size > 4:
        ages.append(min(head + rng.randint(22, 32), 99))
    while len(ages) < size:
        ages.append(max(0, min(head - rng.randint(22, 38), 30)))
    parents = tuple(subject_id(first + place) for place in range(min(size, 2)))
    for place, age in enumerate(ages):
        born = TODAY - timedelta(days=age * 365.25 + rng.randrange(365))
        subject = Subject(subject_id=subject_id(first + place), birth_date=born, synthetic=True)
        child = place >= len(parents) and age < MAJORITY
        yield Citizen(number=first + place, subject=subject, parents=parents if child else ())


def _speak(rng: random.Random, citizen: Citizen) -> None:
    """What one says about pulse and temperature: much as people do, most say something, few everything."""
    if citizen.age() < _CONSENT_AGE:
        _speak_for_child(rng, citizen)
        return
    character = rng.random()
    fields = _VITALS if rng.random() < 0.8 else frozenset({"pulse"})
    if character < 0.06:
        _objects(citizen, "deep", "any", "anybody", cause=Cause.REFUSED)
    elif character < 0.34:
        return
    if 0.34 <= character < 0.90:
        window = _NOON if rng.random() < 0.1 else ALWAYS
        end = _END if rng.random() < 0.3 else None
        _grants(citizen, *_CARE, fields=fields, terms="vitals-1", window=window, end=end)
    if character >= 0.60:
        _grants(citizen, *_RESEARCH, fields=fields, terms="vitals-2")
    if 0.40 <= character < 0.48:
        _objects(citizen, "vitals", "any", "kita-hospital", cause=Cause.REFUSED)
    if 0.56 <= character < 0.62:
        _objects(citizen, "vitals", "any", "anybody", cause=Cause.WITHDRAWN)
    if 0.60 <= character < 0.62:
        # Who has withdrawn everything, and thought it over.
        _grants(citizen, "vitals", "care.watch", "asahi-hospital", fields=fields, terms="vitals-1")


def _speak_for_child(rng: random.Random, child: Citizen) -> None:
    """Parents are known to the city; some of them consent, and now and then the child does not want to."""
    grown = attains(child.subject.birth_date, MAJORITY)
    for parent in child.parents:
        child.sayings.append(_represents(child, parent, Interval(None, grown)))
    if child.parents and rng.random() < 0.4:
        _grants(
            child,
            *_CARE,
            fields=_VITALS,
            terms="vitals-1",
            actor=str(child.parents[0]),
            role=Role.REPRESENTATIVE,
            assented=child.age() >= _ASSENT_AGE,
        )
        if rng.random() < 0.08:
            _objects(child, "vitals", "any", "anybody", cause=Cause.REFUSED)


def _share_energy(rng: random.Random, household: Household) -> None:
    """All adults consent, all but one, or nobody."""
    mood, adults = rng.random(), household.adults
    agreeing = adults if mood < 0.5 else adults[1:] if mood < 0.62 else []
    for citizen in agreeing:
        _grants(citizen, *_WINTER, fields=frozenset({"kwh"}), terms="energy-1")


def _live_through(citizens: list[Citizen]) -> None:
    """What happens to a few of those who have consented to their hospital."""
    able = [one for one in citizens if one.age() >= MAJORITY and len(one.sayings) > 1]
    old = iter(sorted(able, key=Citizen.age, reverse=True))
    dead, mistaken, ward = next(old), next(old), next(old)
    dead.reports(Turn.DEATH)
    mistaken.reports(Turn.DEATH)
    mistaken.reports(Turn.DEATH_REVERSED)
    ward.reports(Turn.CAPACITY_LOST)
    guardian = next(one for one in able if one.age() < 60)
    ward.sayings.append(
        _represents(ward, guardian.subject_id, Interval(None, _END), Capacity.GUARDIAN)
    )
    quiet, thawed, away, back, proud = able[10:15]
    quiet.says(Change, turn=Turn.FREEZE)
    thawed.says(Change, turn=Turn.FREEZE)
    thawed.says(Change, turn=Turn.UNFREEZE)
    away.reports(Turn.MOVED_AWAY)
    back.reports(Turn.MOVED_AWAY)
    back.reports(Turn.MOVED_IN)
    proud.says(Change, turn=Turn.EMERGENCY_REFUSED)


def _grants(
    citizen: Citizen,
    data: str,
    purpose: str,
    recipient: str,
    *,
    fields: frozenset[str],
    **said: Any,
) -> None:
    scope = Scope(data=data, purpose=purpose, recipient=recipient, fields=fields, version=_TREES)
    citizen.says(_grant, scope=scope, **said)


def _grant(*, seq: int, recorded_at: datetime, end: datetime | None = None, **said: Any) -> Any:
    return consents(end=end, **said)(seq=seq, recorded_at=recorded_at)


def _objects(citizen: Citizen, data: str, purpose: str, recipient: str, *, cause: Cause) -> None:
    scope = Scope(
        data=data,
        purpose=purpose,
        recipient=recipient,
        fields=frozenset({EVERY_FIELD}),
        version=_TREES,
    )
    citizen.says(Objection, scope=scope, cause=cause)


def _represents(
    citizen: Citizen, representative: UUID, valid: Interval, capacity: Capacity = Capacity.PARENTAL
) -> Said:
    return partial(
        Representation,
        nonce=f"demo-{len(citizen.sayings)}",
        actor=CITY,
        role=Role.AUTHORITY,
        representation=f"{capacity}-{len(citizen.sayings)}",
        representative=str(representative),
        capacity=capacity,
        data="deep",
        purpose="any",
        version=_TREES,
        valid=valid,
    )
