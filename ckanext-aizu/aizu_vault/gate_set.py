"""The rule for many persons at once, as one SQL statement; its permits are those of the gate."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from aizu_vault.gate import Denial, Permit, _decision
from aizu_vault.interval import Interval
from aizu_vault.requests import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from aizu_vault.requests import ConsentRequest
    from aizu_vault.rule import Windows

    Row = tuple[UUID, str | None, str, Any, Any]


class Cursor(Protocol):
    """What is needed of a cursor of psycopg."""

    def execute(self, query: bytes, params: Mapping[str, Any], /) -> object:
        """Runs a statement."""
        ...

    def fetchall(self) -> list[Any]:
        """The rows it gave."""
        ...


def decide_all(
    cursor: Cursor, request: ConsentRequest, subjects: Iterable[UUID]
) -> dict[UUID, Permit | Denial]:
    """What `gate.decide` says for each of these persons, from what the database holds."""
    cursor.execute(
        statement(),
        {
            "agreement": request.agreement_id,
            "receiver": request.receiver,
            "purpose": request.purpose,
            "user": request.user,
            "fields": sorted(request.fields),
            "at": request.at,
            "subjects": list(set(subjects)),
        },
    )
    return {
        subject_id: _decision(request, subject_id, _found(list(rows)))
        for subject_id, rows in groupby(cursor.fetchall(), key=itemgetter(0))
    }


@cache
def statement() -> bytes:
    """The rule in SQL."""
    return files("aizu_vault").joinpath("sql/decide.sql").read_bytes()


def _found(rows: list[Row]) -> Windows | Reason:
    reason = rows[0][1]
    if reason is not None:
        return Reason(reason)
    return {field: tuple(map(_window, times)) for field, times in groupby(rows, key=itemgetter(2))}


def _window(row: Row) -> Interval:
    return Interval(row[3], row[4])
