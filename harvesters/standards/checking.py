"""What `aizu check` finds out about one file, in lines for people and in JSON for machines."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harvesters import fetch as fetching
from harvesters import intake
from harvesters.errors import ColumnsError, NotTheListError
from harvesters.fetch import Snapshot
from harvesters.intake import Sheet
from harvesters.rules import REPAIRS
from harvesters.standards.assessment import FULL, Assessment, assess
from harvesters.standards.corrected import Corrected
from harvesters.standards.definitions import Standard, standards
from harvesters.standards.ranking import Candidate, rank, runner_up
from harvesters.standards.reasons import Reason
from harvesters.terminal import as_table
from harvesters.words import Words

CHANGED = Words("行,列,前,後,規則", "row,column,before,after,rule")
SHOWN = 4
"""Rows or headings of one reason."""
SHOWN_CHANGES = 20
OWN_REPAIRS = {
    "controlled-word": Words("決まった語", "agreed word"),
    "weekdays": Words("曜日の並び", "form of days"),
    "full-width-kana": Words("全角カナ", "kana in full width"),
    "form": Words("記号の形", "form of signs"),
}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A file, what it can be, and how far it is that."""

    file: Path
    sheet: Sheet
    ranked: list[Candidate]
    assessment: Assessment | None
    """None where it is none of the datasets."""


def check(file: Path) -> Checked:
    """Reads the file; a refusal says which file it is about."""
    snapshot = fetching.read_file(file)
    sheet = read(snapshot)
    ranked = rank(sheet)
    found = assess(sheet, snapshot.content, ranked[0]) if ranked else None
    return Checked(file=file, sheet=sheet, ranked=ranked, assessment=found)


def read(snapshot: Snapshot) -> Sheet:
    """The list inside a file; knowing all headings of the standard helps to find it."""
    known = [heading for one in standards().values() for heading in one.headings]
    try:
        return intake.read(snapshot.content, known)
    except (NotTheListError, ColumnsError) as error:
        told = Words(*(f"{snapshot.filename}: {text}" for text in error.words))
        raise type(error)(told.ja, told.en) from error


def none_of_them(checked: Checked) -> Words:
    """The sentence for a list that no dataset of the standard is like."""
    count = len(standards())
    return Words(
        f"{checked.file.name}: 自治体標準オープンデータセット（{count} 種）のどれでもありません。"
        "見出しと値が標準のどの一覧とも合いません。",
        f"{checked.file.name}: none of the {count} municipal standard open datasets; "
        "headings and values are like no list of the standard",
    )


def lines(checked: Checked, found: Assessment, spoken: str) -> list[str]:
    """Dataset, score, what came close, and the reasons as a table."""
    told = [title(checked, found).said(spoken)]
    if second := runner_up(checked.ranked):
        name = named(second.standard)
        told.append(Words(f"次に近いもの: {name.ja}", f"close to it: {name.en}").said(spoken))
    told += [note.said(spoken) for note in checked.sheet.notes]
    for reason in found.reasons:
        told += reason_lines(reason, spoken)
    return told


def title(checked: Checked, found: Assessment) -> Words:
    """The answer in one sentence."""
    name, likeness = named(found.candidate.standard), found.candidate.likeness
    return Words(
        f"{checked.file.name}: {name.ja}（確からしさ {likeness:.0%}）、{found.score} 点 / {FULL}",
        f"{checked.file.name}: {name.en} (likeness {likeness:.0%}), score {found.score} of {FULL}",
    )


def named(standard: Standard) -> Words:
    """Title and number; in English also the title that the standard gives it."""
    return Words(
        f"{standard.title.ja}（標準データセット {standard.number}）",
        f"{standard.title.en} ({standard.title.ja}, standard dataset {standard.number})",
    )


def reason_lines(reason: Reason, spoken: str) -> list[str]:
    """Points, column and why; the first rows or headings; what to do."""
    column = f"{reason.column}: " if reason.column else ""
    examples = _examples(reason, spoken)
    head = f"{-reason.points:6.1f}  {column}{reason.words.said(spoken)}"
    return [
        head,
        *(f"        {one}" for one in examples),
        f"        → {reason.advice.said(spoken)}",
    ]


def _examples(reason: Reason, spoken: str) -> list[str]:
    pairs = [f"{heading} → {name}" for heading, name in reason.headings.items()]
    values = [
        f"{fault.row}: 「{fault.value}」" + (f" → 「{fault.after}」" if fault.mended else "")
        for fault in reason.faults
    ]
    told = pairs or values
    if not told:
        return []
    rest = len(told) - SHOWN
    more = Words(f" … ほか {rest:,}", f" … and {rest:,} more").said(spoken) if rest > 0 else ""
    return ["; ".join(told[:SHOWN]) + more]


def changes(corrected: Corrected, spoken: str, at_most: int = SHOWN_CHANGES) -> list[str]:
    """Everything that was changed in a corrected copy; a long list is cut, --json has all of it."""
    told = [note.said(spoken) for note in corrected.notes]
    if corrected.repairs:
        rows = [
            (str(one.row), one.column, one.before, one.after, rule_name(one.rule).said(spoken))
            for one in corrected.repairs[:at_most]
        ]
        told.append(as_table(rows, CHANGED.said(spoken).split(",")))
    if (rest := len(corrected.repairs) - at_most) > 0:
        told.append(
            Words(
                f"ほか {rest:,} か所（--json に全部）", f"and {rest:,} more (all in --json)"
            ).said(spoken)
        )
    return told


def rule_name(rule: str) -> Words:
    """What a repair is called."""
    return OWN_REPAIRS.get(rule) or REPAIRS[rule][0]


def as_report(checked: Checked, corrected: Corrected | None) -> dict[str, Any]:
    """The same for machines, with every row."""
    found = checked.assessment
    second = runner_up(checked.ranked)
    report: dict[str, Any] = {
        "file": str(checked.file),
        "encoding": checked.sheet.encoding,
        "rows": len(checked.sheet.rows),
        "dataset": _dataset(found.candidate) if found else None,
        "runner_up": _dataset(second) if second else None,
        "score": found.score if found else None,
        "reasons": [_reason(reason) for reason in found.reasons] if found else [],
        "notes": [note._asdict() for note in checked.sheet.notes],
    }
    if corrected:
        report["changed"] = {
            "notes": [note._asdict() for note in corrected.notes],
            "repairs": [asdict(repair) for repair in corrected.repairs],
        }
    return report


def _dataset(candidate: Candidate) -> dict[str, Any]:
    standard = candidate.standard
    return {
        "name": standard.name,
        "number": standard.number,
        "title": standard.title.ja,
        "title_en": standard.title.en,
        "likeness": round(candidate.likeness, 3),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "rule": reason.rule,
        "points": reason.points,
        "column": reason.column,
        "message": reason.words.ja,
        "message_en": reason.words.en,
        "advice": reason.advice.ja,
        "advice_en": reason.advice.en,
        "values": [asdict(fault) for fault in reason.faults],
        "headings": reason.headings,
    }
