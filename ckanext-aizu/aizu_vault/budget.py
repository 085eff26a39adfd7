"""How much may still go under an agreement on one day: rows, and different persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aizu_vault.ages import JST
from aizu_vault.log.query import one_row, rows
from aizu_vault.refusals import BudgetError
from aizu_vault.requests import ConsentRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from aizu_vault.permits import Owner
    from aizu_vault.requests import Request

_LIMITS: Final = (
    "SELECT budget_rows_per_day, budget_persons FROM consent.agreement WHERE agreement_id = %s"
)
_ROWS: Final = """
    SELECT coalesce(sum(rows), 0)::bigint FROM release.release
    WHERE agreement_id = %s AND requested_at >= %s
"""
_PERSONS: Final = """
    SELECT DISTINCT subject_id
    FROM release.person JOIN release.release USING (release_id)
    WHERE agreement_id = %s AND requested_at >= %s AND person.rows > 0
"""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What is left; None is without bound.

    Attributes:
        known: whose data has gone already; they count no more.
    """

    rows: int | None = None
    persons: int | None = None
    known: frozenset[UUID] = frozenset()

    @property
    def is_spent(self) -> bool:
        """Whether no row may go any more."""
        return self.rows is not None and self.rows <= 0

    def affordable(self, owners: Sequence[Owner]) -> list[Owner]:
        """The first of these persons, as many as there may be."""
        if self.persons is None:
            return list(owners)
        met: set[UUID] = set()
        for place, owner in enumerate(owners):
            met |= set(owner.about) - self.known
            if len(met) > self.persons:
                return list(owners[:place])
        return list(owners)


def take_budget(connection: Connection[Any], request: Request, begun: datetime) -> Budget:
    """What is left to a release, and to it alone until its transaction ends.

    What went counts on the day, in Japan, on which its release began.
    """
    if not isinstance(request, ConsentRequest):
        return Budget()
    agreement = request.agreement_id
    most_rows, most_persons = one_row(connection, _LIMITS, (agreement,))
    if most_rows is None and most_persons is None:
        return Budget()
    lock = "SELECT pg_advisory_xact_lock(hashtext('vault.budget'), hashtext(%s))"
    connection.execute(lock, (agreement,))
    today = begun.astimezone(JST).replace(hour=0, minute=0, second=0, microsecond=0)
    (gone,) = one_row(connection, _ROWS, (agreement, today))
    known: frozenset[UUID] = frozenset()
    if most_persons is not None:
        known = frozenset(one for (one,) in rows(connection, _PERSONS, (agreement, today)))
    return Budget(
        # Another release may have gone on after midnight: less than nothing would be all but the last rows.
        rows=None if most_rows is None else max(0, most_rows - gone),
        persons=None if most_persons is None else max(0, most_persons - len(known)),
        known=known,
    )


def check_budget(connection: Connection[Any], request: Request) -> None:
    """Sees whether anything may go today.

    Raises:
        BudgetError: nothing may.
    """
    with connection.transaction():
        if take_budget(connection, request, request.at).is_spent:
            raise BudgetError("the agreement's budget for today is used up")
