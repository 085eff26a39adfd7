"""What is the same for everybody when a recipient asks: the agreement, who will have the data, the trees of today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aizu_vault.agreements import Standing, State
from aizu_vault.requests import Reason
from aizu_vault.trees import Tree

if TYPE_CHECKING:
    from datetime import datetime

    from aizu_vault.agreements import Agreement, Dataset, Recipient, Register, Terms
    from aizu_vault.requests import ConsentRequest
    from aizu_vault.trees import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A request with everything it names.

    Args:
        parties: the recipient, and who will have the data if that is somebody else.
        today: the trees as they stand now.
    """

    request: ConsentRequest
    register: Register
    agreement: Agreement
    dataset: Dataset
    terms: Terms
    parties: tuple[Recipient, ...]
    today: Version

    @property
    def is_passed_on(self) -> bool:
        """Whether somebody else than the recipient will have the data."""
        return self.request.receiver != self.agreement.recipient_id

    @property
    def fields(self) -> frozenset[str]:
        """Those asked for that the agreement has."""
        return self.request.fields & self.agreement.fields


def deal_of(request: ConsentRequest, register: Register) -> Deal | None:
    """The request with what it names; None if anything is unknown."""
    agreement = register.agreements.get(request.agreement_id)
    today = register.taxonomy.at(request.at)
    if agreement is None or today is None:
        return None
    dataset = register.datasets.get(agreement.dataset_id)
    terms = register.terms.get(agreement.terms_id)
    if dataset is None or terms is None or terms.dataset_id != dataset.dataset_id:
        return None
    names = dict.fromkeys((agreement.recipient_id, request.receiver))
    parties = tuple(filter(None, map(register.recipients.get, names)))
    if len(parties) < len(names):
        return None
    return Deal(
        request=request,
        register=register,
        agreement=agreement,
        dataset=dataset,
        terms=terms,
        parties=parties,
        today=today,
    )


def refusal(deal: Deal) -> Reason | None:
    """The first reason why nothing may go of anybody's data."""
    return next((reason for reason, holds in _REFUSALS if holds(deal)), None)


def works_for(recipient: Recipient, user: str, at: datetime) -> bool:
    """Whether somebody is a member of a recipient then."""
    return any(member.user == user and at in member.valid for member in recipient.members)


def _out_of_force(deal: Deal) -> bool:
    agreement = deal.agreement
    return agreement.state is not State.ACTIVE or deal.request.at not in agreement.valid


def _other_purpose(deal: Deal) -> bool:
    return deal.request.purpose != deal.agreement.purpose


def _wrong_recipient(deal: Deal) -> bool:
    """Somebody the agreement does not name, who is not approved, or for whom the user does not work."""
    if any(party.standing is not Standing.APPROVED for party in deal.parties):
        return True
    receiver = deal.parties[-1]
    if deal.is_passed_on and receiver.recipient_id not in deal.agreement.onward:
        return True
    return not works_for(receiver, deal.request.user, deal.request.at)


def _not_leaf(deal: Deal) -> bool:
    places = [(Tree.DATA, deal.dataset.data_class), (Tree.PURPOSE, deal.agreement.purpose)]
    places += [(Tree.RECIPIENT, party.recipient_id) for party in deal.parties]
    return not all(deal.today.is_leaf(tree, code) for tree, code in places)


def _overdue(deal: Deal) -> bool:
    at, parties = deal.request.at, {party.recipient_id for party in deal.parties}
    return any(
        owed.recipient_id in parties
        and owed.due <= at
        and (owed.fulfilled_at is None or owed.fulfilled_at > at)
        for owed in deal.register.obligations
    )


_REFUSALS: Final[tuple[tuple[Reason, Callable[[Deal], bool]], ...]] = (
    (Reason.AGREEMENT_NOT_IN_FORCE, _out_of_force),
    (Reason.PURPOSE, _other_purpose),
    (Reason.RECIPIENT, _wrong_recipient),
    (Reason.NOT_LEAF, _not_leaf),
    (Reason.OBLIGATIONS, _overdue),
)
