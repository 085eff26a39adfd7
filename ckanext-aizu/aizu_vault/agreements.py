"""What is agreed with those who receive data: datasets, terms, recipients, agreements and what they owe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aizu_vault.interval import Interval
    from aizu_vault.trees import Taxonomy


class RowOwners(StrEnum):
    """Whose consent a row of a dataset needs."""

    SUBJECT = "subject"
    ALL_HOUSEHOLD = "all-household"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Deep data of one kind.

    Args:
        data_class: its node in the tree of data.
        self_consent_age: from which age on people consent for themselves.
        assent_age: from which age on a child must agree with what a representative grants.
        emergency_recipients: who may see `emergency_fields` when somebody's life is at stake.
    """

    dataset_id: str
    data_class: str
    fields: frozenset[str]
    row_owners: RowOwners = RowOwners.SUBJECT
    self_consent_age: int = 16
    assent_age: int = 12
    emergency_recipients: frozenset[str] = frozenset()
    emergency_fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One version of what people are told when they are asked.

    Args:
        material: whether it changes what they agree to, so that they are asked again.
        residents_only: whether consent rests while a person does not live in the city.
    """

    terms_id: str
    dataset_id: str
    version: int
    material: bool = True
    residents_only: bool = False


class Standing(StrEnum):
    """What has become of a recipient."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    EXPELLED = "expelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Somebody works for a recipient."""

    user: str
    valid: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who receives data; its id is its code in the tree of recipients, whatever it is called."""

    recipient_id: str
    standing: Standing
    country: str = "JP"
    members: tuple[Membership, ...] = ()


class State(StrEnum):
    """How far an agreement has come."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    REJECTED = "rejected"
    APPROVED = "approved"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    REVOKED = "revoked"
    EXPIRED = "expired"


_ENDS = {State.CLOSED, State.REVOKED, State.EXPIRED}
_NEXT: dict[State, set[State]] = {
    State.DRAFT: {State.SUBMITTED},
    State.SUBMITTED: {State.RETURNED, State.REJECTED, State.APPROVED},
    State.RETURNED: {State.SUBMITTED},
    State.APPROVED: {State.ACTIVE, State.REVOKED, State.EXPIRED},
    State.ACTIVE: {State.SUSPENDED, *_ENDS},
    State.SUSPENDED: {State.ACTIVE, *_ENDS},
}
_UNAPPROVED = {State.DRAFT, State.SUBMITTED, State.RETURNED, State.REJECTED}
_APPROVERS = 2


class AgreementError(ValueError):
    """An agreement cannot become what it was told to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One recipient may have some fields of one dataset for one purpose.

    Args:
        onward: to whom the recipient may pass them on.

    Raises:
        AgreementError: it is approved, but not by two people other than the one who asked for it.
    """

    agreement_id: str
    recipient_id: str
    dataset_id: str
    purpose: str
    fields: frozenset[str]
    terms_id: str
    valid: Interval
    requester: str
    onward: frozenset[str] = frozenset()
    state: State = State.DRAFT
    approvers: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.requester in self.approvers:
            raise AgreementError(
                f"{self.requester!r} asked for the agreement and cannot approve it"
            )
        if self.state not in _UNAPPROVED and len(self.approvers) < _APPROVERS:
            raise AgreementError(
                f"an agreement that is {self.state} has {_APPROVERS} approvers, "
                f"not {len(self.approvers)}"
            )

    def approved_by(self, approver: str) -> Agreement:
        """The agreement with one more approver; with the second it is approved.

        Raises:
            AgreementError: it waits for no approval, or this person cannot give it.
        """
        if self.state is not State.SUBMITTED:
            raise AgreementError(f"an agreement that is {self.state} waits for no approval")
        approvers = self.approvers | {approver}
        if approvers == self.approvers:
            raise AgreementError(f"{approver!r} has approved already")
        state = State.APPROVED if len(approvers) == _APPROVERS else self.state
        return replace(self, approvers=approvers, state=state)

    def turned(self, state: State) -> Agreement:
        """The agreement in its next state; approvals given before it is submitted anew are void.

        Raises:
            AgreementError: there is no way from its state to that one.
        """
        if state not in _NEXT.get(self.state, set()):
            raise AgreementError(f"an agreement that is {self.state} cannot become {state}")
        approvers = frozenset[str]() if state in _UNAPPROVED else self.approvers
        return replace(self, state=state, approvers=approvers)


class Duty(StrEnum):
    """What a recipient owes."""

    ERASE = "erase"
    BENEFIT_REPORT = "benefit-report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """A recipient owes something by a time."""

    recipient_id: str
    duty: Duty
    due: datetime
    fulfilled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Everything a decision looks up, by its id."""

    taxonomy: Taxonomy
    datasets: Mapping[str, Dataset]
    terms: Mapping[str, Terms]
    recipients: Mapping[str, Recipient]
    agreements: Mapping[str, Agreement]
    obligations: tuple[Obligation, ...] = ()
