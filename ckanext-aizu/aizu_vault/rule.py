"""The rule of consent: when a grant lets a field go, and what stands against it.

A field may go if some grant in force covers it, and every objection that matches is older than that grant and at
least as wide. Exceptions stay until the person lifts just that exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aizu_vault.acts import (
    Acts,
    has_outgrown,
    is_away,
    is_dead,
    is_entitled,
    is_frozen,
    is_merged,
    may_grant,
)
from aizu_vault.consent import EVERY_FIELD, Grant, Objection
from aizu_vault.deal import Deal, deal_of, refusal
from aizu_vault.interval import Interval, union
from aizu_vault.requests import Reason
from aizu_vault.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aizu_vault.agreements import Register
    from aizu_vault.consent import Event, Person, Scope
    from aizu_vault.requests import ConsentRequest
    from aizu_vault.trees import Version

Windows = Mapping[str, tuple[Interval, ...]]
"""By field: from which times it may go."""

AT_HOME: Final = "JP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a decision by consent looks at: what is the same for everybody, and one person."""

    deal: Deal
    acts: Acts

    @property
    def events(self) -> tuple[Event, ...]:
        """Those recorded by now."""
        return self.acts.events


def by_consent(request: ConsentRequest, person: Person, register: Register) -> Windows | Reason:
    """From which times which fields may go, or the first reason why nothing may."""
    deal = deal_of(request, register)
    if deal is None:
        return Reason.UNKNOWN
    if reason := refusal(deal):
        return reason
    acts = Acts(person=person, dataset=deal.dataset, events=person.known_at(request.at))
    case = Case(deal=deal, acts=acts)
    reason = next((reason for reason, holds in _REFUSALS if holds(case)), None)
    return reason or _windows(case) or Reason.NO_CONSENT


def _erased(case: Case) -> bool:
    return case.acts.person.subject.erased


def _unreadable(case: Case) -> bool:
    """Whether an event speaks of something that its version of the trees does not have."""
    return not all(
        _is_known(case, event.scope)
        for event in case.events
        if isinstance(event, Grant | Objection)
    )


def _is_known(case: Case, scope: Scope) -> bool:
    version = case.deal.register.taxonomy.numbered(scope.version)
    return version is not None and all(version.knows(*place) for place in _places(scope))


def _places(scope: Scope) -> tuple[tuple[Tree, str], ...]:
    return (
        (Tree.DATA, scope.data),
        (Tree.PURPOSE, scope.purpose),
        (Tree.RECIPIENT, scope.recipient),
    )


def _merged(case: Case) -> bool:
    return is_merged(case.events)


def _deceased(case: Case) -> bool:
    """Dead, without having left word that this may go on."""
    return is_dead(case.events) and not any(
        grant.posthumous and _names(case, grant) for grant in _grants(case)
    )


def _moved_away(case: Case) -> bool:
    return case.deal.terms.residents_only and is_away(case.events)


def _frozen(case: Case) -> bool:
    return is_frozen(case.acts)


_REFUSALS: Final[tuple[tuple[Reason, Callable[[Case], bool]], ...]] = (
    (Reason.ERASED, _erased),
    (Reason.UNREADABLE, _unreadable),
    (Reason.MERGED, _merged),
    (Reason.DECEASED, _deceased),
    (Reason.MOVED_AWAY, _moved_away),
    (Reason.FROZEN, _frozen),
)


def _is_given(case: Case, grant: Grant) -> bool:
    """By somebody who could, for something people are offered to consent to."""
    seen = _version(case, grant.scope)
    return may_grant(case.acts, grant, seen) and all(
        seen.is_grantable(*place) for place in _places(grant.scope)
    )


def _is_in_force(case: Case, grant: Grant) -> bool:
    at = case.deal.request.at
    return (
        at in grant.valid
        and not has_outgrown(case.acts, grant, at)
        and (grant.posthumous or not is_dead(case.events))
    )


def _has_terms(case: Case, grant: Grant) -> bool:
    """Whether the person was told what the agreement says, or something that differs in no material point."""
    told = case.deal.register.terms.get(grant.terms)
    if told is None or told.dataset_id != case.deal.dataset.dataset_id:
        return False
    return told.version <= case.deal.terms.version and not any(
        terms.material and told.version < terms.version <= case.deal.terms.version
        for terms in case.deal.register.terms.values()
        if terms.dataset_id == case.deal.dataset.dataset_id
    )


def _reaches(case: Case, grant: Grant) -> bool:
    """Whether the grant goes as far as the data would: to the next hand, to another country."""
    return (grant.onward or not case.deal.is_passed_on) and all(
        party.country in {AT_HOME, *grant.countries} for party in case.deal.parties
    )


_CONDITIONS: Final[tuple[Callable[[Case, Grant], bool], ...]] = (
    _is_given,
    _is_in_force,
    _has_terms,
    _reaches,
)


def _windows(case: Case) -> dict[str, tuple[Interval, ...]]:
    """From which times each field may go; fields of which nothing may are left out."""
    objections = [
        event
        for event in case.events
        if isinstance(event, Objection) and _meets(case, event) and is_entitled(case.acts, event)
    ]
    in_force = [
        grant
        for grant in _grants(case)
        if _names(case, grant) and all(holds(case, grant) for holds in _CONDITIONS)
    ]
    found: dict[str, tuple[Interval, ...]] = {}
    for field in sorted(case.deal.fields):
        against = [one for one in objections if _is_about(one.scope, field)]
        windows = [
            grant.window
            for grant in in_force
            if _is_about(grant.scope, field) and all(_lifts(case, grant, one) for one in against)
        ]
        if windows:
            found[field] = union(windows)
    return found


def _grants(case: Case) -> Iterable[Grant]:
    return (event for event in case.events if isinstance(event, Grant))


def _is_about(scope: Scope, field: str) -> bool:
    return not scope.fields.isdisjoint({field, EVERY_FIELD})


def _version(case: Case, scope: Scope) -> Version:
    version = case.deal.register.taxonomy.numbered(scope.version)
    assert version is not None, "an unreadable history is denied before"
    return version


def _names(case: Case, grant: Grant) -> bool:
    """Whether the grant is for this data, purpose and recipient, in the trees the actor saw."""
    scope, seen = grant.scope, _version(case, grant.scope)
    recipient = case.deal.agreement.recipient_id
    return (
        not scope.fields.isdisjoint(case.deal.fields)
        and seen.covers(Tree.DATA, scope.data, case.deal.dataset.data_class)
        and seen.covers(Tree.PURPOSE, scope.purpose, case.deal.agreement.purpose)
        and (
            seen.covers(Tree.RECIPIENT, scope.recipient, recipient)
            or (
                grant.future_members
                and case.deal.today.covers(Tree.RECIPIENT, scope.recipient, recipient)
            )
        )
    )


def _meets(case: Case, objection: Objection) -> bool:
    """Whether the objection is against this, in the trees the actor saw or in today's."""
    scope, trees = objection.scope, (_version(case, objection.scope), case.deal.today)

    def covers(tree: Tree, high: str, low: str) -> bool:
        return any(version.covers(tree, high, low) for version in trees)

    return (
        covers(Tree.DATA, scope.data, case.deal.dataset.data_class)
        and covers(Tree.PURPOSE, scope.purpose, case.deal.agreement.purpose)
        and any(
            covers(Tree.RECIPIENT, scope.recipient, party.recipient_id)
            for party in case.deal.parties
        )
    )


def _lifts(case: Case, grant: Grant, objection: Objection) -> bool:
    """Later, and at least as specific, in the trees the actor saw who granted."""
    narrow, wide, seen = grant.scope, objection.scope, _version(case, grant.scope)
    return (
        objection.seq < grant.seq
        and seen.covers(Tree.DATA, wide.data, narrow.data)
        and seen.covers(Tree.PURPOSE, wide.purpose, narrow.purpose)
        and seen.covers(Tree.RECIPIENT, wide.recipient, narrow.recipient)
        and (EVERY_FIELD in wide.fields or narrow.fields <= wide.fields)
    )
