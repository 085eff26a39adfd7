"""What a release is about, the same for all its chunks; whatever can be refused at once is refused here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aizu_vault.deal import deal_of, refusal
from aizu_vault.filters import read_filters
from aizu_vault.log.query import one_row
from aizu_vault.refusals import RefusedError, WishError
from aizu_vault.requests import ConsentRequest, Reason, SelfRequest
from aizu_vault.stored_register import read_layouts, read_register
from aizu_vault.wishes import OwnWish, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from psycopg import Connection

    from aizu_vault.agreements import Dataset, Register
    from aizu_vault.blocks import Layout
    from aizu_vault.filters import Filters

    Asked = tuple[ConsentRequest | SelfRequest, Dataset, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Matter:
    """A wish with everything it names.

    Attributes:
        request: as of the beginning; each chunk asks it anew at its own time.
        register: as of the beginning; decisions about agreements do not use it.
        layouts: of the dataset by version.
        fields: that are asked for, in the order of the newest layout.
    """

    wish: Wish | OwnWish
    request: ConsentRequest | SelfRequest
    register: Register
    dataset: Dataset
    layouts: Mapping[int, Layout]
    fields: tuple[str, ...]
    filters: Filters

    @property
    def layout(self) -> Layout:
        """The newest."""
        return self.layouts[max(self.layouts)]

    @property
    def time(self) -> str:
        """The column with the time of a row."""
        return next(iter(self.layout.columns))

    @property
    def has_texts(self) -> bool:
        """Whether some of the fields are texts."""
        return any(self.layout.columns[name] == "text" for name in self.fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of a row as it goes, beside the pseudonym."""
        return (self.time, *self.fields)


def matter_of(connection: Connection[Any], user: str, wish: Wish | OwnWish) -> Matter:
    """What somebody asks for, if they may ask for it at all.

    Raises:
        RefusedError: they may not.
        WishError: they may, but not like this.
    """
    (now,) = one_row(connection, "SELECT audit.clock()")
    register = read_register(connection)
    if isinstance(wish, Wish):
        request, dataset, known = _agreed(register, user, wish, now)
    else:
        request, dataset, known = _own(register, user, wish, now)
    layouts = read_layouts(connection, dataset.dataset_id)
    if not layouts:
        raise RefusedError(Reason.UNKNOWN)
    columns = layouts[max(layouts)].columns
    time = next(iter(columns))
    _check_fields(request.fields, known, time)
    fields = tuple(name for name in columns if name in request.fields and name != time)
    kinds = {name: columns[name] for name in (time, *fields)}
    return Matter(
        wish=wish,
        request=request,
        register=register,
        dataset=dataset,
        layouts=layouts,
        fields=fields,
        filters=read_filters(wish.where, kinds),
    )


def _agreed(register: Register, user: str, wish: Wish, now: datetime) -> Asked:
    """The request under an agreement; nobody who is not a party to it learns what is in it."""
    agreement = register.agreements.get(wish.agreement)
    if agreement is None:
        raise RefusedError(Reason.UNKNOWN)
    request = ConsentRequest(
        user=user,
        fields=agreement.fields if wish.fields is None else wish.fields,
        at=now,
        agreement_id=wish.agreement,
        receiver=wish.receiver or agreement.recipient_id,
        purpose=wish.purpose,
    )
    deal = deal_of(request, register)
    if reason := Reason.UNKNOWN if deal is None else refusal(deal):
        raise RefusedError(reason)
    return request, register.datasets[agreement.dataset_id], agreement.fields


def _own(register: Register, user: str, wish: OwnWish, now: datetime) -> Asked:
    dataset = register.datasets.get(wish.dataset)
    if dataset is None:
        raise RefusedError(Reason.UNKNOWN)
    fields = dataset.fields if wish.fields is None else wish.fields
    request = SelfRequest(user=user, fields=fields, at=now, dataset_id=wish.dataset)
    return request, dataset, dataset.fields


def _check_fields(asked: frozenset[str], known: frozenset[str], time: str) -> None:
    """Sees that there is one, and none that may not be; the time of a row goes in any case."""
    outside, expected = sorted(asked - known - {time}), ", ".join(sorted(known))
    if outside or not asked - {time}:
        raise WishError(f"fields: expected some of {expected}, and not {', '.join(outside)}")
