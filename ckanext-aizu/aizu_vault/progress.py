"""How far a release has come: through persons in the order of their pseudonyms, in chunks of a size that it learns."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from aizu_vault.chunks import Spot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aizu_vault.chunks import Segment
    from aizu_vault.release_record import Position

MOST_PERSONS: Final = 250
MOST_BYTES: Final = 4 * 2**20
"""Of blocks; as text they are about four times as large."""
AIM_SECONDS: Final = 0.12
"""For so long a chunk may hold the fence."""


@dataclass(kw_only=True)
class Pace:
    """How large the next chunk is: so that the fence is held as long as it may be, and nobody is asked about in vain.

    Attributes:
        share: of the largest chunk there may be.
        persons: at most.
    """

    share: float = 1 / 16
    persons: int = 16

    @property
    def bytes(self) -> int:
        """Of blocks, at most."""
        return int(MOST_BYTES * self.share)

    def learn(self, seconds: float, reached: int | None) -> None:
        """Smaller at once, larger by steps.

        Args:
            seconds: for which the fence was held.
            reached: at how many persons the bytes were too many; None if they were not.
        """
        growth = min(2, AIM_SECONDS / seconds)
        self.share = max(1 / MOST_PERSONS, min(1, self.share * growth))
        persons = self.persons * growth if reached is None else min(self.persons, 2 * reached)
        self.persons = max(1, min(MOST_PERSONS, math.ceil(persons)))


@dataclass(kw_only=True)
class Sent:
    """What of a chunk was handed over: up to which block, how much, and whom it is about."""

    last: Spot | None = None
    size: int = 0
    persons: set[UUID] = field(default_factory=set)

    def add(self, segment: Segment, size: int) -> None:
        """One more piece."""
        self.last, self.size = segment.last, self.size + size
        self.persons |= segment.persons


class Course:
    """Whose turn it is, and from which of their blocks on."""

    def __init__(self, order: Sequence[tuple[bytes, UUID]], position: Position | None) -> None:
        """Takes pseudonyms with their persons, and where an earlier release got to."""
        self._order = order
        self._place = {subject: place for place, (_, subject) in enumerate(order)}
        self._next = 0
        self.after: Spot | None = None
        if position is not None:
            self._next = bisect_left(order, position.pseudonym, key=itemgetter(0))
            if not self.is_over and order[self._next][0] == position.pseudonym:
                self.after = Spot(order[self._next][1], position.day, position.part)

    @property
    def is_over(self) -> bool:
        """Whether everybody had their turn."""
        return self._next >= len(self._order)

    def turn(self, persons: int) -> list[UUID]:
        """The next persons."""
        return [subject for _, subject in self._order[self._next : self._next + persons]]

    def name(self, subject: UUID) -> bytes:
        """The pseudonym of a person."""
        return self._order[self._place[subject]][0]

    def go_behind(self, spot: Spot) -> None:
        """Goes on with what comes after a block."""
        self._next, self.after = self._place[spot.subject], spot

    def go_past(self, persons: int) -> None:
        """Goes on with those who come after so many persons."""
        self._next, self.after = self._next + persons, None
