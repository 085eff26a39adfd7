"""What is wrong with a feed: findings with rule, severity, place and advice, counted in full, listed in part."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import polars as pl
import yaml

from harvesters.words import Words

ROW = "csv_row_number"
"""The column that holds where a row stands in its file, as a spreadsheet counts; the heading is 1."""

LISTED = 100
"""Findings of one rule in one column that are listed; more than these are only counted."""


class Severity(StrEnum):
    """As the canonical validator sorts them: against the specification, poor, or good to know."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A name that the canonical validators know, how bad it is, and what there is to do."""

    name: str
    severity: Severity
    words: Words


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule broken in one place."""

    rule: str
    severity: Severity
    table: str
    row: int | None
    field: str
    value: str
    words: Words


@dataclass(kw_only=True)
class Findings:
    """Everything found in one feed."""

    rules: Mapping[str, Rule]
    listed: list[Finding] = field(default_factory=list)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How often: by rule, table and field."""
    lowered: frozenset[str] = frozenset()
    """Tables and fields (`table.field`) of an extension, where an ERROR is said as a WARNING."""

    def add(
        self,
        rule: str,
        table: str,
        name: str = "",
        row: int | None = None,
        value: object = "",
        **told: object,
    ) -> None:
        """Counts one finding, and lists it unless there are many of the same kind."""
        place = (rule, table, name)
        self.counts[place] += 1
        if self.counts[place] <= LISTED:
            self.listed.append(self._finding(place, row, str(value), told))

    def add_rows(
        self, rule: str, table: str, name: str, rows: pl.DataFrame, value: str = "", **told: object
    ) -> None:
        """Counts the rows of a frame; its column `value` is shown, others may fill the sentence."""
        if rows.is_empty():
            return
        place = (rule, table, name)
        room = max(LISTED - self.counts[place], 0)
        self.counts[place] += rows.height
        for row in rows.head(room).iter_rows(named=True):
            shown = "" if row.get(value or name) is None else str(row[value or name])
            self.listed.append(self._finding(place, row.get(ROW), shown, {**row, **told}))

    def severity(self, rule: str, table: str, name: str = "") -> Severity:
        """An extension that breaks its own rules stops no reader of the tables all feeds have."""
        severity = self.rules[rule].severity
        stem = table.removesuffix(".txt")
        if severity is Severity.ERROR and {stem, f"{stem}.{name}"} & self.lowered:
            return Severity.WARNING
        return severity

    def total(self, severity: Severity) -> int:
        """How many findings of one severity there are."""
        return sum(
            count for place, count in self.counts.items() if self.severity(*place) is severity
        )

    def by_rule(self) -> dict[str, int]:
        """How many findings of each rule there are, sorted by name."""
        sums: Counter[str] = Counter()
        for (rule, _, _), count in self.counts.items():
            sums[rule] += count
        return dict(sorted(sums.items()))

    def __iter__(self) -> Iterator[Finding]:
        """The listed findings, in the order they were found."""
        return iter(self.listed)

    def _finding(
        self, place: tuple[str, str, str], row: int | None, value: str, told: Mapping[str, object]
    ) -> Finding:
        rule, table, name = place
        return Finding(
            rule=rule,
            severity=self.severity(*place),
            table=table,
            row=row,
            field=name,
            value=value,
            words=_sentence(self.rules[rule].words, table, row, name, value, told),
        )


def _sentence(
    words: Words, table: str, row: int | None, name: str, value: str, told: Mapping[str, object]
) -> Words:
    """Where, which value, and what to do."""
    filled = {**told, "table": table, "field": name, "value": value, "row": row}
    shown_ja, shown_en = (f"「{value}」", f" {value!r}") if value and name else ("", "")
    ja = f"{table}" + (f" {row} 行目" if row else "") + (f" {name}" if name else "") + shown_ja
    en = f"{table}" + (f" row {row}" if row else "") + (f" {name}" if name else "") + shown_en
    blank = _Blank(filled)
    return Words(
        f"{ja}: {words.ja.format_map(blank)}".lstrip(": "),
        f"{en}: {words.en.format_map(blank)}".lstrip(": "),
    )


class _Blank(dict[str, Any]):
    """A sentence is told without a detail rather than not at all."""

    def __missing__(self, key: str) -> str:
        return ""


@cache
def rules(name: str) -> Mapping[str, Rule]:
    """The rules of `static` or `realtime`, from the list beside this module."""
    text = resources.files(__package__).joinpath(f"{name}_rules.yaml").read_text("utf-8")
    return {
        rule: Rule(name=rule, severity=Severity(severity), words=Words(**words))
        for severity, group in yaml.safe_load(text).items()
        for rule, words in group.items()
    }
