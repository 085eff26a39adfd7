"""The demonstration: 3,000 invented citizens with their register, their consent and their data in the vault.

It comes in by the ways of real people. What is there already is left alone, so that loading it again changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from aizu_vault.ages import JST
from aizu_vault.agreements import Duty, Standing, State
from aizu_vault.demo_people import PEOPLE, invent
from aizu_vault.demo_series import energy, vitals
from aizu_vault.events import record_all
from aizu_vault.households import set_households
from aizu_vault.intake import ingest
from aizu_vault.log.query import one_row, rows
from aizu_vault.register import fulfil_obligation, set_standing
from aizu_vault.register_agreements import approve_agreement, turn_agreement
from aizu_vault.register_file import load_register
from aizu_vault.stored_register import read_register
from aizu_vault.subjects import enrol, link_login, subject_of_login

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from uuid import UUID

    from psycopg import Connection

    from aizu_vault.demo_people import Citizen, Household
    from aizu_vault.events import Said
    from aizu_vault.settings import Vault

BY: Final = "demonstration"
APPROVERS: Final = ("kikaku-sato", "kenko-suzuki")
WAYS: Final[dict[str, tuple[State, ...]]] = {
    "watch-2026": (State.SUBMITTED, State.APPROVED, State.ACTIVE),
    "watch-kita-2026": (State.SUBMITTED, State.APPROVED, State.ACTIVE),
    "stroke-2026": (State.SUBMITTED, State.APPROVED, State.ACTIVE),
    "winter-2026": (State.SUBMITTED, State.APPROVED, State.ACTIVE),
    "grid-2026": (State.SUBMITTED, State.APPROVED, State.ACTIVE, State.SUSPENDED),
    "dementia-2026": (State.SUBMITTED,),
    "health-2025": (State.SUBMITTED, State.APPROVED, State.ACTIVE, State.CLOSED),
}
ASSURANCE: Final = 2
CITIZEN, PARENT = (f"de300000-0000-4000-8000-{number:012}" for number in (1, 2))
"""Ids of the portal's users of the demonstration."""
_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What has come in; all 0 where everything was there."""

    people: int = 0
    events: int = 0
    rows: int = 0


def load(vault: Vault, tell: Callable[[str, int, int], None], *, people: int = PEOPLE) -> Loaded:
    """Brings the demonstration into a vault.

    Args:
        vault: an empty one, or one that holds the demonstration in part.
        tell: told what is being loaded, how far it is and how far it goes.
        people: how many there are to be.

    Raises:
        SubjectError: real people are in the vault.
    """
    households = invent(people)
    citizens = [one for household in households for one in household.members]
    with vault.connect("deep_steward") as steward, vault.connect("deep_consent") as recorder:
        settle(steward)
        enrolled = _enrol(steward, vault, citizens, tell)
        _move_in(steward, vault, households)
        events = _record(recorder, vault, citizens, tell)
        _link(steward, vault, households)
    loaded = _ingest(vault, households, tell)
    return Loaded(people=enrolled, events=events, rows=loaded)


def settle(steward: Connection[Any]) -> None:
    """The register, with its recipients approved and its agreements in several states; all or nothing."""
    if set(WAYS) & set(read_register(steward).agreements):
        return
    with steward.transaction():
        with as_file(files("aizu_vault").joinpath("demo.register.yaml")) as file:
            load_register(steward, file, by=BY)
        for recipient in read_register(steward).recipients:
            set_standing(steward, recipient, Standing.APPROVED, by=BY)
        for agreement, way in WAYS.items():
            for state in way:
                _turn(steward, agreement, state)
        due = datetime(2026, 10, 1, tzinfo=JST)
        fulfil_obligation(steward, "asahi-hospital", Duty.BENEFIT_REPORT, due, by=BY)


def _turn(steward: Connection[Any], agreement: str, state: State) -> None:
    if state is State.APPROVED:
        for approver in APPROVERS:
            approve_agreement(steward, agreement, by=approver)
    else:
        turn_agreement(steward, agreement, state, by=BY)


def _enrol(
    steward: Connection[Any], vault: Vault, citizens: Sequence[Citizen], tell: Callable[..., None]
) -> int:
    ids = [one.subject_id for one in citizens]
    query = "SELECT subject_id FROM consent.subject WHERE subject_id = ANY (%s)"
    known = {one for (one,) in rows(steward, query, (ids,))}
    fresh = [one.subject for one in citizens if one.subject_id not in known]
    if fresh:
        tell("people", 0, len(fresh))
        enrol(steward, vault.keys, fresh)
        tell("people", len(fresh), len(fresh))
    return len(fresh)


def _move_in(steward: Connection[Any], vault: Vault, households: Sequence[Household]) -> None:
    """Who lives with whom, for the dataset that is about all of them."""
    query = "SELECT EXISTS (SELECT FROM vault.concerned WHERE dataset_id = 'energy')"
    if one_row(steward, query)[0]:
        return
    shared = {
        household.members[0].subject_id: [one.subject_id for one in household.members[1:]]
        for household in households
        if len(household.members) > 1
    }
    set_households(steward, vault.keys, "energy", shared)


def _record(
    recorder: Connection[Any], vault: Vault, citizens: Sequence[Citizen], tell: Callable[..., None]
) -> int:
    """What everybody says, a person's next event only after the one before: entries of one call have no order."""
    ids = [one.subject_id for one in citizens]
    query = "SELECT subject_id, nonce FROM consent.event WHERE subject_id = ANY (%s)"
    known = set(rows(recorder, query, (ids,)))
    fresh = [
        [(one, said) for one, said, nonce in together if (one, nonce) not in known]
        for together in _rounds(citizens)
    ]
    total, done = sum(map(len, fresh)), 0
    for together in fresh:
        for start in range(0, len(together), _AT_ONCE):
            some = together[start : start + _AT_ONCE]
            record_all(recorder, vault.keys, some)
            done += len(some)
            tell("events", done, total)
    return total


def _rounds(citizens: Sequence[Citizen]) -> Iterator[list[tuple[UUID, Said, str]]]:
    """Everybody's first event, then everybody's second one, and so on, each with its nonce."""
    for place, sayings in enumerate(zip_longest(*(one.sayings for one in citizens))):
        yield [
            (citizen.subject_id, said, f"demo-{place}")
            for citizen, said in zip(citizens, sayings, strict=True)
            if said is not None
        ]


def _link(steward: Connection[Any], vault: Vault, households: Sequence[Household]) -> None:
    """The portal's users of the demonstration act for a citizen with a history, and for a child's parent."""
    for login, citizen in logins(households).items():
        if subject_of_login(steward, login) is None:
            link_login(steward, vault.keys, citizen.subject_id, login, ASSURANCE)


def logins(households: Sequence[Household]) -> dict[str, Citizen]:
    """For whom the portal's users of the demonstration act."""
    adults = [one for household in households for one in household.adults]
    children = [
        one for household in households for one in household.members if len(one.sayings) > 2
    ]
    parents = {parent for child in children for parent in child.parents}
    return {
        CITIZEN: max(adults, key=lambda one: len(one.sayings)),
        PARENT: next(one for one in adults if one.subject_id in parents),
    }


def _ingest(vault: Vault, households: Sequence[Household], tell: Callable[..., None]) -> int:
    """Each dataset as one file, unless something of it is there."""
    series = {"vitals": vitals, "energy": energy}
    loaded = 0
    for place, (dataset, invented) in enumerate(series.items()):
        with vault.connect("deep_ingest") as connection:
            query = "SELECT EXISTS (SELECT FROM vault.block WHERE dataset_id = %s)"
            (there,) = one_row(connection, query, (dataset,))
        if not there:
            tell("series", place, len(series))
            loaded += ingest(vault, dataset, invented(households)).rows
            tell("series", place + 1, len(series))
    return loaded
