"""Whether data of a person may go, and the permit that only this module gives.

Nothing here reads a clock, a file or a database: the same request, person and register always give the same
decision.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NoReturn, final

from aizu_vault.acts import has_refused_emergencies, is_merged
from aizu_vault.ages import MAJORITY, attains
from aizu_vault.agreements import RowOwners, Standing
from aizu_vault.deal import works_for
from aizu_vault.interval import ALWAYS
from aizu_vault.requests import ConsentRequest, EmergencyRequest, Reason, SelfRequest
from aizu_vault.rule import by_consent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from aizu_vault.agreements import Dataset, Register
    from aizu_vault.consent import Person
    from aizu_vault.requests import Request
    from aizu_vault.rule import Windows

LONGEST_EMERGENCY: Final = timedelta(hours=4)
_SEAL: Final = object()


class PermitError(TypeError):
    """Somebody tried to make, change or keep a permit."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Which fields of a person's data may go, from which times. It is for now: ask again, never keep it.

    Raises:
        PermitError: somebody else than the gate makes it.
    """

    subject_id: UUID
    request: Request
    windows: Windows
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise PermitError("only the gate gives permits")

    def __init_subclass__(cls) -> NoReturn:
        raise PermitError("there is one kind of permit")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise PermitError("a permit is neither copied nor kept: ask the gate again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Nothing of this person's data goes."""

    subject_id: UUID
    request: Request
    reason: Reason


def decide(request: Request, person: Person, register: Register) -> Permit | Denial:
    """What may go of a person's data. Whatever is not known is denied."""
    found: Windows | Reason
    match request:
        case ConsentRequest():
            found = by_consent(request, person, register)
        case SelfRequest():
            found = _to_oneself(request, person, register)
        case EmergencyRequest():
            found = _in_an_emergency(request, person, register)
        case _:
            found = Reason.UNKNOWN
    return _decision(request, person.subject.subject_id, found)


def _decision(request: Request, subject_id: UUID, found: Windows | Reason) -> Permit | Denial:
    """The one place where permits are made."""
    if isinstance(found, Reason):
        return Denial(subject_id=subject_id, request=request, reason=found)
    windows = MappingProxyType(dict(found))
    return Permit(subject_id=subject_id, request=request, windows=windows, seal=_SEAL)


def accountable(persons: Iterable[Person], dataset: Dataset, at: datetime) -> tuple[Person, ...]:
    """Of the persons a row is about, those who decide on it: in a household the adults, if there are any."""
    everybody = tuple(persons)
    if dataset.row_owners is RowOwners.SUBJECT:
        return everybody
    adults = tuple(
        person for person in everybody if attains(person.subject.birth_date, MAJORITY) <= at
    )
    return adults or everybody


def fields_of_row(moment: datetime, decisions: Iterable[Permit | Denial]) -> frozenset[str]:
    """The fields of a row of that moment that may go: those which all who decide on it permit."""
    permitted = [
        {field for field, windows in decision.windows.items() if any(moment in w for w in windows)}
        if isinstance(decision, Permit)
        else set()
        for decision in decisions
    ]
    return frozenset(set.intersection(*permitted)) if permitted else frozenset()


def _to_oneself(request: SelfRequest, person: Person, register: Register) -> Windows | Reason:
    """Everybody has their own data, whatever they have said to others."""
    dataset = register.datasets.get(request.dataset_id)
    if dataset is None:
        return Reason.UNKNOWN
    if request.user != str(person.subject.subject_id):
        return Reason.NOT_SELF
    if person.subject.erased:
        return Reason.ERASED
    return _at_any_time(request.fields & dataset.fields) or Reason.UNKNOWN


def _in_an_emergency(
    request: EmergencyRequest, person: Person, register: Register
) -> Windows | Reason:
    """Those on the list see what is on the list, for hours, unless the person said: not even then."""
    dataset = register.datasets.get(request.dataset_id)
    receiver = register.recipients.get(request.receiver)
    if dataset is None or receiver is None:
        return Reason.UNKNOWN
    if receiver.standing is not Standing.APPROVED or not works_for(
        receiver, request.user, request.at
    ):
        return Reason.RECIPIENT
    fields = request.fields & dataset.emergency_fields
    if request.receiver not in dataset.emergency_recipients or not fields:
        return Reason.NOT_AN_EMERGENCY
    if not _is_claimed(request):
        return Reason.NOT_AN_EMERGENCY
    return _personal_refusal(request, person) or _at_any_time(fields)


def _is_claimed(request: EmergencyRequest) -> bool:
    start, end = request.claimed.start, request.claimed.end
    return (
        start is not None
        and end is not None
        and end - start <= LONGEST_EMERGENCY
        and request.at in request.claimed
        and bool(request.grounds.strip())
    )


def _personal_refusal(request: EmergencyRequest, person: Person) -> Reason | None:
    if person.subject.erased:
        return Reason.ERASED
    events = person.known_at(request.at)
    if is_merged(events):
        return Reason.MERGED
    return Reason.EMERGENCY_REFUSED if has_refused_emergencies(events) else None


def _at_any_time(fields: Iterable[str]) -> Windows:
    return dict.fromkeys(sorted(fields), (ALWAYS,))
