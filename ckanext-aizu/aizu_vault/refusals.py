"""Why a release does not begin, or does not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aizu_vault.requests import Reason


class ReleaseError(Exception):
    """Nothing goes, or nothing more.

    ReleaseError
    ├── WishError       what is asked cannot be; the message names what came and what was expected
    ├── RefusedError    whoever asks may not have it
    ├── BusyError       another release of the same user under the same agreement is running
    ├── BudgetError     as much as the agreement allows for a day has gone
    └── StoppedError    a release that has begun ends before it is complete
    """


class WishError(ReleaseError, ValueError):
    """What is asked cannot be."""


class RefusedError(ReleaseError):
    """Whoever asks may not have it."""

    def __init__(self, reason: Reason) -> None:
        """Takes the reason."""
        super().__init__(f"refused: {reason}")
        self.reason = reason


class BusyError(ReleaseError):
    """Another release of the same user under the same agreement is running."""


class BudgetError(ReleaseError):
    """As much as the agreement allows for a day has gone."""


class StoppedError(ReleaseError):
    """A release that has begun ends before it is complete."""

    def __init__(self, reason: str) -> None:
        """Takes the reason: one of the gate's, or budget, not-ready, unavailable, failed."""
        super().__init__(f"stopped: {reason}")
        self.reason = reason
