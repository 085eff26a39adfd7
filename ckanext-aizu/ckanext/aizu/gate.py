"""Whether a new version may take the place of the last one, or a steward has to look first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    # What it takes to compare tables is needed by those who do it, not to decide.
    from collections.abc import Iterator

    from ckanext.aizu.diff import Diff

FEW = 10
"""Rows; in a shorter table it is nothing unusual that every one of them changes or goes."""


class Rule(StrEnum):
    """Why a version is refused."""

    NOTHING_LEFT = "nothing-left"
    TOO_FEW_ROWS = "too-few-rows"
    TOO_MANY_ROWS = "too-many-rows"
    MASS_DELETION = "mass-deletion"
    ALL_CHANGED = "all-changed"
    FIELD_REMOVED = "field-removed"
    FIELD_RETYPED = "field-retyped"
    KEY_CHANGED = "key-changed"
    TABLE_REMOVED = "table-removed"
    UNDONE = "undone"


_APPROVE = ("正しければ理由を添えて承認してください。", "If it is right, approve it with a reason.")
_CUT_OFF = (
    f"提供元のファイルが空や途中までになっていないか確かめてください。{_APPROVE[0]}",
    f"Look whether the source's file is empty or cut off. {_APPROVE[1]}",
)
_REPEATED = (
    f"行が繰り返されていないか、別のデータのファイルではないか確かめてください。{_APPROVE[0]}",
    f"Look whether rows are repeated or the file is another dataset's. {_APPROVE[1]}",
)
_OTHER = (
    f"提供元が書式を変えていないか、別のデータのファイルではないか確かめてください。{_APPROVE[0]}",
    "Look whether the source changed its format or the file is another dataset's. " + _APPROVE[1],
)
_COLUMNS = (
    "この列を使っているプログラムが動かなくなります。見出しが変わっただけなら、"
    "列の定義に新しい見出しを加えてください。そうでなければ、理由を添えて承認してください。",
    "Programs that use the column will break. If only its heading changed, add the new one to the "
    "description of the column; otherwise approve it with a reason.",
)
_KEY = (
    "行を追跡しているプログラムが動かなくなります。意図した変更なら、理由を添えて承認してください。",
    "Programs that follow single rows will break. If it is meant so, approve it with a reason.",
)
_UNDONE = (
    "提供元のデータが直れば、次の確認で自動的に公開されます。この内容でよければ、"
    "理由を添えて承認してください。",
    "When the source is put right, the next check publishes it. If this is right after all, approve "
    "it with a reason.",
)
WHAT_TO_DO = {
    Rule.NOTHING_LEFT: _CUT_OFF,
    Rule.TOO_FEW_ROWS: _CUT_OFF,
    Rule.TOO_MANY_ROWS: _REPEATED,
    Rule.MASS_DELETION: _CUT_OFF,
    Rule.ALL_CHANGED: _OTHER,
    Rule.FIELD_REMOVED: _COLUMNS,
    Rule.FIELD_RETYPED: _COLUMNS,
    Rule.KEY_CHANGED: _KEY,
    Rule.TABLE_REMOVED: _CUT_OFF,
    Rule.UNDONE: _UNDONE,
}
"""In Japanese and in English, after the figures."""


class Notable(StrEnum):
    """What a steward is told, though it keeps nothing from being published."""

    FIELD_ADDED = "field-added"
    KEYLESS_ROWS = "keyless-rows"


class Finding(NamedTuple):
    """One reason or note, with its figures and what to do."""

    rule: Rule | Notable
    ja: str
    en: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a dataset allows without being asked."""

    minimum: int = 0
    maximum: int | None = None
    """Rows of the new version."""
    removed_share: float = 0.10
    """Of the rows of the last version; more than that is a mass deletion."""
    all_may_change: bool = False
    """For live tables, in which nothing stays as it was."""

    def __post_init__(self) -> None:
        if not 0 <= self.removed_share <= 1:
            raise ValueError(f"removed_share is a share from 0 to 1, not {self.removed_share}")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was found in a version; it may be published if there is no reason against it."""

    reasons: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def decide(diff: Diff, limits: Limits) -> Decision:
    """Decides by the differences from the last version, which is empty for the first one."""
    reasons = (*_rows(diff, limits), *_changes(diff, limits), *_columns(diff))
    return Decision(reasons=reasons, notes=tuple(_notes(diff)))


def table_removed(title: str, title_en: str, rows: int) -> Finding:
    """The reason against a version that lacks a table which the last one had."""
    return _reason(
        Rule.TABLE_REMOVED,
        f"{rows:,} 行あった表「{title}」がありません",
        f"The table {title_en or title}, which had {rows:,} rows, is missing",
    )


def undone(number: int, reason: str) -> Finding:
    """The reason against content that a steward has taken back."""
    return _reason(
        Rule.UNDONE,
        f"第 {number} 版と同じ内容で、担当者が取り消したものです（理由: {reason}）",
        f"This is the content of version {number}, which was undone ({reason})",
    )


def figures(rule: str, ja: str, en: str) -> tuple[str, str]:
    """A reason as it was told, without what to do."""
    to_do = {str(known): told for known, told in WHAT_TO_DO.items()}
    ja_to_do, en_to_do = to_do.get(rule, ("", ""))
    return ja.removesuffix(ja_to_do), en.removesuffix(en_to_do).rstrip()


def _rows(diff: Diff, limits: Limits) -> Iterator[Finding]:
    before, after = diff.counts.before, diff.counts.after
    if before and not after:
        yield _reason(
            Rule.NOTHING_LEFT,
            f"{before:,} 行あった表に 1 行も残りません",
            f"The table had {before:,} rows and none is left",
        )
    if after < limits.minimum:
        yield _reason(
            Rule.TOO_FEW_ROWS,
            f"{after:,} 行しかありません（下限 {limits.minimum:,} 行）",
            f"There are only {after:,} rows; expected are at least {limits.minimum:,}",
        )
    if limits.maximum is not None and after > limits.maximum:
        yield _reason(
            Rule.TOO_MANY_ROWS,
            f"{after:,} 行もあります（上限 {limits.maximum:,} 行）",
            f"There are {after:,} rows; expected are at most {limits.maximum:,}",
        )


def _changes(diff: Diff, limits: Limits) -> Iterator[Finding]:
    counts = diff.counts
    before = counts.before
    if before >= FEW and counts.removed / before > limits.removed_share:
        share = counts.removed / before
        ja, en = ("", "") if diff.key else ("または変更", " or changed")
        yield _reason(
            Rule.MASS_DELETION,
            f"{before:,} 行のうち {counts.removed:,} 行（{share:.1%}）が削除{ja}されます"
            f"（上限 {limits.removed_share:.1%}）",
            f"{counts.removed:,} of {before:,} rows ({share:.1%}) are removed{en}; allowed are "
            f"{limits.removed_share:.1%}",
        )
    if before >= FEW and counts.after and not counts.unchanged and not limits.all_may_change:
        yield _reason(
            Rule.ALL_CHANGED,
            f"{before:,} 行のすべてが変わり、前の版と同じ行が 1 行もありません"
            f"（うち数値の書き方だけの違い {diff.rewritten:,} 行）",
            f"All {before:,} rows changed, none is as it was ({diff.rewritten:,} of them differ "
            "in the writing of numbers alone)",
        )


def _columns(diff: Diff) -> Iterator[Finding]:
    fields = diff.fields
    if gone := fields.removed:
        yield _reason(
            Rule.FIELD_REMOVED,
            f"{len(gone)} 列がなくなります: {'・'.join(gone)}",
            f"{_columns_en(len(gone))} gone: {', '.join(gone)}",
        )
    if retyped := fields.retyped:
        told = [f"{one.name} ({one.before} → {one.after})" for one in retyped]
        yield _reason(
            Rule.FIELD_RETYPED,
            f"{len(retyped)} 列の型が変わります: {'・'.join(told)}",
            f"{_columns_en(len(retyped))} of another type: {', '.join(told)}",
        )
    before, after = diff.before.key, diff.after.key
    if set(before) != set(after) and diff.counts.before:
        yield _reason(
            Rule.KEY_CHANGED,
            f"行を見分けるキーが変わります: {'・'.join(before) or 'なし'} → {'・'.join(after) or 'なし'}",
            f"The key that tells rows apart changes: {', '.join(before) or 'none'} → "
            f"{', '.join(after) or 'none'}",
        )


def _notes(diff: Diff) -> Iterator[Finding]:
    if (added := diff.fields.added) and diff.before.fields:
        yield Finding(
            Notable.FIELD_ADDED,
            f"{len(added)} 列が加わります: {'・'.join(added)}",
            f"{_columns_en(len(added))} new: {', '.join(added)}",
        )
    if diff.key and diff.keyless:
        yield Finding(
            Notable.KEYLESS_ROWS,
            f"キー（{'・'.join(diff.key)}）が空か重複している {diff.keyless:,} 行は、"
            "行全体が同じかどうかで比べました。キーを直すと変更をセルごとに示せます。",
            f"Rows whose key ({', '.join(diff.key)}) is blank or repeats: {diff.keyless:,}. They "
            "were compared as a whole; with keys put right, changes can be shown cell by cell.",
        )


def _columns_en(number: int) -> str:
    return "1 column is" if number == 1 else f"{number:,} columns are"


def _reason(rule: Rule, ja: str, en: str) -> Finding:
    return Finding(rule, f"{ja}。{WHAT_TO_DO[rule][0]}", f"{en}. {WHAT_TO_DO[rule][1]}")
