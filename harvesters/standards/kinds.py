"""What kinds of columns there are, and how their headings and values look."""

import re
from dataclasses import dataclass
from functools import cache

from harvesters.configuration import Part, read_part
from harvesters.dataset import FIELD_TYPES
from harvesters.intake.codes import check_digit
from harvesters.japanese import heading_key
from harvesters.words import Words


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of values, as schemas/standards/kinds.yaml tells it."""

    name: str
    words: Words
    type: str
    heading: re.Pattern[str] | None
    cell: re.Pattern[str]
    loose: re.Pattern[str]
    alone: bool

    def named(self, heading: str) -> bool:
        """Whether a heading says that its column is of this kind."""
        return bool(self.heading and self.heading.search(heading_key(heading)))

    def holds(self, text: str) -> bool:
        """Whether a value in half width can be taken for this kind without its heading."""
        return bool(self.cell.fullmatch(text)) and (
            self.name != "municipality-code" or check_digit(text[:5]) == text[5]
        )

    def may_hold(self, text: str) -> bool:
        """Whether a value in half width may have been meant so, where the heading says it."""
        return bool(self.loose.fullmatch(text))


@cache
def kinds() -> dict[str, Kind]:
    """All kinds by name, in the order that decides where several fit."""
    part = read_part("standards", "kinds.yaml")
    return {name: _kind(name, part.part(name)) for name in part.rest()}


def _kind(name: str, part: Part) -> Kind:
    heading, cell = part.text("heading", ""), part.text("cell")
    kind = Kind(
        name=name,
        words=Words(part.text("ja"), part.text("en")),
        type=part.one_of("type", FIELD_TYPES),
        heading=_pattern(part, "heading", heading) if heading else None,
        cell=_pattern(part, "cell", cell),
        loose=_pattern(part, "loose", part.text("loose", cell)),
        alone=part.flag("alone", default=True),
    )
    part.all_read()
    return kind


def _pattern(part: Part, key: str, value: str) -> re.Pattern[str]:
    try:
        return re.compile(value, re.IGNORECASE | re.DOTALL)
    except re.error as error:
        part.wrong(key, f"正規表現（{error}）", f"a regular expression ({error})", value)
