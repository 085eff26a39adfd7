"""What persons are called under an agreement: names that fit no other agreement, and whose order says nothing."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

PSEUDONYM_BYTES = 16


def pseudonym(secret: bytes, subject: UUID) -> bytes:
    """The person's name under the agreement that has this secret."""
    return hmac.digest(secret, subject.bytes, "sha256")[:PSEUDONYM_BYTES]


def in_order(secret: bytes, subjects: Iterable[UUID]) -> list[tuple[bytes, UUID]]:
    """Pseudonyms with their persons, in the order in which a release goes through them.

    It is the order of the pseudonyms: a recipient learns from nobody's place when they came to the vault.
    """
    return sorted((pseudonym(secret, one), one) for one in set(subjects))
