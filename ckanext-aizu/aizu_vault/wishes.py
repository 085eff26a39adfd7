"""What somebody asks to be released, as it comes from outside; whether they may have it is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aizu_vault.formats import FORMATS, as_json
from aizu_vault.pseudonyms import PSEUDONYM_BYTES
from aizu_vault.refusals import WishError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aizu_vault.formats import Format

MOST_FIELDS: Final = 100
LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A release under an agreement.

    Args:
        fields: None for all of the agreement.
        where: filters, see `filters.read_filters`.
        receiver: who will have the data; None for the recipient.
        resume: an interrupted release that is to be continued.
        after: the pseudonym of the last person of whom its rows arrived whole; None goes on after what was sent.
    """

    agreement: str
    purpose: str
    fields: frozenset[str] | None = None
    where: Mapping[str, Any] = field(default_factory=dict)
    format: Format = "csv"
    receiver: str | None = None
    resume: UUID | None = None
    after: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWish:
    """A release of a person's own data to that person."""

    dataset: str
    fields: frozenset[str] | None = None
    where: Mapping[str, Any] = field(default_factory=dict)
    format: Format = "csv"


def wish_of(said: Mapping[str, Any]) -> Wish:
    """A wish as it comes as JSON.

    Raises:
        WishError: a word is unknown, missing or not what it should be.
    """
    if unknown := said.keys() - set(Wish.__dataclass_fields__):
        raise WishError(f"unknown words: {as_json(sorted(unknown))}")
    resume = _uuid(said)
    after = _after(said)
    if after is not None and resume is None:
        raise WishError("expected `after` together with `resume`")
    return Wish(
        agreement=_word(said, "agreement"),
        purpose=_word(said, "purpose"),
        fields=_fields(said),
        where=_where(said),
        format=_format(said),
        receiver=_word(said, "receiver") if said.get("receiver") is not None else None,
        resume=resume,
        after=after,
    )


def own_wish_of(said: Mapping[str, Any]) -> OwnWish:
    """A wish for one's own data as it comes as JSON.

    Raises:
        WishError: a word is unknown, missing or not what it should be.
    """
    if unknown := said.keys() - set(OwnWish.__dataclass_fields__):
        raise WishError(f"unknown words: {as_json(sorted(unknown))}")
    return OwnWish(
        dataset=_word(said, "dataset"),
        fields=_fields(said),
        where=_where(said),
        format=_format(said),
    )


def _word(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or "\0" in value:
        raise _wrong(name, "a word", value)
    return value


def _fields(said: Mapping[str, Any]) -> frozenset[str] | None:
    value = said.get("fields")
    if value is None:
        return None
    if not isinstance(value, list) or not 0 < len(value) <= MOST_FIELDS:
        raise _wrong("fields", f"a list of 1 to {MOST_FIELDS} names", value)
    return frozenset(_word({"fields": one}, "fields") for one in value)


def _where(said: Mapping[str, Any]) -> Mapping[str, Any]:
    value = said.get("where", {})
    if not isinstance(value, dict):
        raise _wrong("where", "filters by field", value)
    return value


def _format(said: Mapping[str, Any]) -> Format:
    value = said.get("format", "csv")
    for known in FORMATS:
        if value == known:
            return known
    raise _wrong("format", " or ".join(FORMATS), value)


def _uuid(said: Mapping[str, Any]) -> UUID | None:
    value = said.get("resume")
    if value is None:
        return None
    try:
        return UUID(_word(said, "resume"))
    except ValueError:
        raise _wrong("resume", "the id of a release", value) from None


def _after(said: Mapping[str, Any]) -> bytes | None:
    value = said.get("after")
    if value is None:
        return None
    try:
        read = bytes.fromhex(_word(said, "after"))
    except ValueError:
        read = b""
    if len(read) != PSEUDONYM_BYTES:
        raise _wrong("after", "a pseudonym", value)
    return read


def _wrong(name: str, expected: str, value: Any) -> WishError:
    return WishError(f"{name}: expected {expected}, and not {as_json(value)}")
