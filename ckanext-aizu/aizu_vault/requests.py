"""What can be asked of the gate, and the reasons for which it says no."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime

    from aizu_vault.interval import Interval


class Reason(StrEnum):
    """Why nothing goes; the first that holds, in this order."""

    UNKNOWN = "unknown"
    AGREEMENT_NOT_IN_FORCE = "agreement-not-in-force"
    PURPOSE = "purpose"
    RECIPIENT = "recipient"
    NOT_LEAF = "not-leaf"
    OBLIGATIONS = "obligations"
    ERASED = "erased"
    UNREADABLE = "unreadable"
    MERGED = "merged"
    DECEASED = "deceased"
    MOVED_AWAY = "moved-away"
    FROZEN = "frozen"
    NO_CONSENT = "no-consent"
    NOT_SELF = "not-self"
    EMERGENCY_REFUSED = "emergency-refused"
    NOT_AN_EMERGENCY = "not-an-emergency"


class Mode(StrEnum):
    """On what ground data goes."""

    CONSENT = "consent"
    SELF = "self"
    VITAL = "vital"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What all requests say.

    Args:
        at: by the clock of the database, read once.

    Raises:
        ValueError: the time has no zone.
    """

    user: str
    fields: frozenset[str]
    at: datetime

    def __post_init__(self) -> None:
        if self.at.utcoffset() is None:
            raise ValueError(f"{self.at} has no time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest(Asked):
    """A member of a recipient asks under an agreement.

    Args:
        receiver: who will have the data: the recipient, or somebody the agreement lets it pass to.
    """

    mode: ClassVar = Mode.CONSENT
    agreement_id: str
    receiver: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfRequest(Asked):
    """Somebody asks for their own data; `user` is their own id as a subject."""

    mode: ClassVar = Mode.SELF
    dataset_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRequest(Asked):
    """A life is at stake, and nobody can be asked.

    Args:
        claimed: when the emergency was claimed, and until when it is said to last.
        grounds: what has happened, for the review.
    """

    mode: ClassVar = Mode.VITAL
    dataset_id: str
    receiver: str
    claimed: Interval
    grounds: str


Request = ConsentRequest | SelfRequest | EmergencyRequest
