"""What the readers of library catalogues give: holdings, and what was found on the way."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from harvesters.errors import NotTheListError
from harvesters.words import Words

GLUE = "; "
"""Between several values of one column: creators, numbers, subjects."""


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One item of a library, or one title where the catalogue tells of no items."""

    number: int
    """Of its record in the file, counted from 1."""
    values: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What keeps a record from being read, or has damaged it, in whole sentences."""

    number: int
    rule: str
    value: str
    words: Words


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All that a file of records says."""

    kind: str
    """xml, marc or json."""
    encoding: str
    holdings: list[Holding]
    headings: dict[str, str]
    """Column: where its values stand in the records."""
    records: int
    """How many came, those included that are deleted or cannot be read."""
    faults: list[Fault] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)


class RecordError(Exception):
    """A record that cannot be read; the others are."""

    def __init__(self, ja: str, en: str, value: str = "") -> None:
        super().__init__(en)
        self.words = Words(ja, en)
        self.value = value


def unreadable(number: int, error: RecordError) -> Fault:
    """A record that is left out, said with its number and the reason."""
    return Fault(
        number=number,
        rule="unreadable-record",
        value=error.value,
        words=Words(
            f"{number} 件目の書誌を読めないため除きました（{error.words.ja}）。"
            "図書館システムの書き出しを確かめてください。",
            f"Record {number} cannot be read and is left out ({error.words.en}). "
            "Check how the library system writes it.",
        ),
    )


def nameless(number: int, tag: str, value: str) -> Fault:
    """A subfield whose code was lost, so that nobody knows what it says."""
    return Fault(
        number=number,
        rule="nameless-subfield",
        value=value,
        words=Words(
            f"{number} 件目の書誌のフィールド {tag} に、コードの無いサブフィールドがあり読みません: "
            f"{value}。図書館システムで直してください。",
            f"Field {tag} of record {number} has a subfield without a code, which is not read: "
            f"{value}. Correct it in the library system.",
        ),
    )


def incomplete(came: int, announced: str) -> Fault:
    """A part of a list in place of the whole."""
    of = f" / {announced}" if announced else ""
    return Fault(
        number=came,
        rule="incomplete-list",
        value=f"{came}{of}",
        words=Words(
            f"一覧の一部だけです（{came}{of} 件）。残りも取得してください。",
            f"This is a part of the list alone ({came}{of} records). Fetch the rest as well.",
        ),
    )


def refuse_empty(records: int, faults: list[Fault]) -> None:
    """A file without a single record that can be read is no catalogue."""
    if faults:
        first = faults[0].words
        raise NotTheListError(
            f"読める書誌が 1 件もありません（全 {records} 件）。最初の理由: {first.ja}",
            f"none of the {records} records can be read; the first reason: {first.en}",
        )
    raise NotTheListError(
        f"書誌が 1 件もありません（削除済みを含めて {records} 件）。取得の条件を確かめてください。",
        f"there are no records ({records} with the deleted ones); check what was asked for",
    )


def joined(values: Iterable[str]) -> str:
    """Several values as one, each of them once."""
    return GLUE.join(dict.fromkeys(value for value in values if value))


def plain(text: str) -> str:
    """The text on one line, without the spaces around it."""
    return " ".join(text.split())
