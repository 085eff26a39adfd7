"""Whose rows may go, and which of them: decided anew for the persons of one chunk, with all who live with the data."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from aizu_vault.consent import Person, Subject
from aizu_vault.gate import Denial, accountable, decide
from aizu_vault.gate_set import decide_all
from aizu_vault.log.query import one_row, rows
from aizu_vault.masks import windows_of_rows
from aizu_vault.refusals import StoppedError
from aizu_vault.requests import ConsentRequest, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from psycopg import Connection

    from aizu_vault.agreements import Dataset
    from aizu_vault.gate import Permit
    from aizu_vault.keys import KeyStore, PersonKey
    from aizu_vault.matter import Matter
    from aizu_vault.requests import SelfRequest
    from aizu_vault.rule import Windows

    Homes = dict[UUID, list[Person]]

_FOR_ALL: Final = frozenset(
    {
        Reason.UNKNOWN,
        Reason.AGREEMENT_NOT_IN_FORCE,
        Reason.PURPOSE,
        Reason.RECIPIENT,
        Reason.NOT_LEAF,
        Reason.OBLIGATIONS,
    }
)
"""Why nothing goes of anybody."""
_HOMES: Final = """
    SELECT filed.subject_id, about.subject_id, about.birth_date, about.erased
    FROM (
        SELECT subject_id, subject_id AS about_id FROM unnest(%(subjects)s::uuid[]) AS subject_id
        UNION ALL
        SELECT subject_id, concerned_id FROM vault.concerned
        WHERE dataset_id = %(dataset)s AND subject_id = ANY (%(subjects)s::uuid[])
    ) AS filed
    JOIN consent.subject AS about ON about.subject_id = about_id
"""

_CANDIDATES: Final = """
    WITH willing AS (
        SELECT DISTINCT subject_id FROM consent.event JOIN consent.terms USING (terms_id)
        WHERE kind = 'grant' AND dataset_id = %(dataset)s
    )
    SELECT subject_id FROM willing
    UNION
    SELECT concerned.subject_id
    FROM vault.concerned JOIN willing ON willing.subject_id = concerned_id
    WHERE dataset_id = %(dataset)s
"""
"""Whoever has ever consented to something about the dataset, or lives with such a person."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Somebody under whom rows are filed of which something may go.

    Attributes:
        windows: for each field the times of the rows with which it goes.
        about: whom the rows are about, the owner included; each of them reads of it in the log.
    """

    subject: UUID
    windows: Windows
    about: tuple[UUID, ...]


def candidates(connection: Connection[Any], dataset: Dataset) -> list[UUID]:
    """Everybody whose turn comes in a release; what may go is decided when it does."""
    return [one for (one,) in rows(connection, _CANDIDATES, {"dataset": dataset.dataset_id})]


def owners_now(
    connection: Connection[Any], keys: KeyStore, matter: Matter, subjects: Sequence[UUID]
) -> tuple[list[Owner], dict[UUID, PersonKey]]:
    """Those of whom something may go at this moment, in the order given, and the keys of all whom it is about.

    Who has no key any more is being erased: nothing goes that is about them, whatever the tables say by now.

    Raises:
        StoppedError: nothing may go of anybody.
    """
    (at,) = one_row(connection, "SELECT audit.clock()")
    request = replace(matter.request, at=at)
    homes = _homes(connection, matter, subjects)
    answering = {one: accountable(home, matter.dataset, at) for one, home in homes.items()}
    decided = _decided(connection, request, matter, answering.values())
    windows = {
        one: windows_of_rows(decided[person.subject.subject_id] for person in persons)
        for one, persons in answering.items()
    }
    owners = [
        Owner(subject=one, windows=windows[one], about=_living(homes[one]))
        for one in subjects
        if windows[one]
    ]
    known = keys.read({who for owner in owners for who in (owner.subject, *owner.about)})
    return [one for one in owners if known.keys() >= {one.subject, *one.about}], known


def _homes(connection: Connection[Any], matter: Matter, subjects: Sequence[UUID]) -> Homes:
    """Whom the rows are about that are filed under each of these persons; what they have said is read elsewhere."""
    named = {"subjects": list(subjects), "dataset": matter.dataset.dataset_id}
    homes: Homes = defaultdict(list)
    for filed, subject_id, birth_date, erased in rows(connection, _HOMES, named):
        subject = Subject(subject_id=subject_id, birth_date=birth_date, erased=erased)
        homes[filed].append(Person(subject=subject))
    return homes


def _decided(
    connection: Connection[Any],
    request: ConsentRequest | SelfRequest,
    matter: Matter,
    groups: Iterable[Sequence[Person]],
) -> Mapping[UUID, Permit | Denial]:
    persons = {person.subject.subject_id: person for group in groups for person in group}
    if not isinstance(request, ConsentRequest):
        return {one: decide(request, who, matter.register) for one, who in persons.items()}
    with connection.cursor(binary=True) as cursor:
        decided = decide_all(cursor, request, persons)
    for decision in decided.values():
        if isinstance(decision, Denial) and decision.reason in _FOR_ALL:
            raise StoppedError(decision.reason)
    return decided


def _living(home: Iterable[Person]) -> tuple[UUID, ...]:
    """Those whom the log still names."""
    return tuple(one.subject.subject_id for one in home if not one.subject.erased)
