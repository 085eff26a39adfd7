"""The report of a run: Frictionless's own, and the same as a table that a clerk can act on."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from harvesters.source import Package, Problem, Repair, Table
from harvesters.words import Words

LONGEST_VALUE = 60
SENT_ERRORS = 100
OWN_RULES = {"outside-city", "swapped-coordinates", "half-position", "number-form"}
RULES: dict[str, tuple[Words, Words]] = {
    "type-error": (
        Words("型が違います（期待: {expected}）", "wrong type (expected: {expected})"),
        Words("その型の値だけを書いてください", "write a value of this type and nothing else"),
    ),
    "required": (
        Words("必須の値がありません", "a required value is missing"),
        Words("値を書いてください", "fill in the value"),
    ),
    "pattern": (
        Words("形式が違います（{expected}）", "wrong form ({expected})"),
        Words("桁数と先頭の 0 を確かめてください", "check the number of digits and leading zeros"),
    ),
    "minimum": (
        Words("小さすぎます（最小 {expected}）", "too small (minimum {expected})"),
        Words("値を確かめてください", "check the value"),
    ),
    "maximum": (
        Words("大きすぎます（最大 {expected}）", "too large (maximum {expected})"),
        Words("値を確かめてください", "check the value"),
    ),
    "primary-key": (
        Words("番号が {expected} 行目と同じです", "the same key as in row {expected}"),
        Words("行ごとに違う番号を付けてください", "give every row a key of its own"),
    ),
    "primary-key-empty": (
        Words("番号がありません", "the key is empty"),
        Words("番号を付けてください", "give the row a key"),
    ),
    "table-dimensions": (
        Words("行数が範囲の外です（{expected}）", "row count out of bounds ({expected})"),
        Words(
            "一覧が途中で切れていないか、市のファイルの rows を確かめてください",
            "check that the list is whole, and rows in the city file",
        ),
    ),
    "outside-city": (
        Words("位置が市の外です", "the position is outside the city"),
        Words("緯度と経度を確かめてください", "check latitude and longitude"),
    ),
    "swapped-coordinates": (
        Words("緯度と経度が入れ替わっているようです", "latitude and longitude seem swapped"),
        Words("緯度の列に緯度を書いてください", "write the latitude in the latitude column"),
    ),
    "half-position": (
        Words("緯度と経度の片方がありません", "only one of latitude and longitude is given"),
        Words("両方書くか、両方空にしてください", "give both, or neither"),
    ),
    "number-form": (
        Words("数値の書き方が違います", "not a plain number"),
        Words("0〜9 と小数点だけで書いてください", "use the digits 0 to 9 and a point only"),
    ),
}
REPAIRS: dict[str, tuple[Words, Words]] = {
    "spaces": (
        Words("端の空白", "spaces at the ends"),
        Words("値の前後の空白を除きました", "Spaces at the ends removed"),
    ),
    "half-width": (
        Words("全角の数字", "full-width digits"),
        Words("全角の数字を半角に直しました", "Full-width digits made half-width"),
    ),
    "unit": (
        Words("単位", "unit"),
        Words("数値から単位を除きました", "Units removed from numbers"),
    ),
    "municipality-code": (
        Words("自治体コードの桁", "digits of the municipality code"),
        Words("自治体コードの桁を補いました", "Digits of the municipality code restored"),
    ),
    "leading-zeros": (
        Words("先頭の 0", "leading zeros"),
        Words("先頭の 0 を補いました", "Leading zeros restored"),
    ),
    "short-row": (
        Words("短い行", "short row"),
        Words("行の終わりに無い値を空としました", "Values missing at the end of a row left empty"),
    ),
    "separators": (
        Words("桁区切り", "thousands separators"),
        Words("数値から桁区切りのコンマを除きました", "Thousands separators removed"),
    ),
    "minus-sign": (
        Words("△▲", "minus signs"),
        Words("△や▲をマイナスに直しました", "Triangles made minus signs"),
    ),
    "decimal-zero": (
        Words("末尾の .0", "trailing .0"),
        Words("整数の末尾の .0 を除きました", "Trailing .0 removed from whole numbers"),
    ),
    "no-value": (
        Words("値なしの印", "marks for no value"),
        Words("「-」「…」などの印を空としました", "Marks such as - and … left empty"),
    ),
    "wareki": (
        Words("和暦", "Japanese eras"),
        Words("和暦を西暦に直しました", "Years of Japanese eras converted"),
    ),
    "date-form": (
        Words("日付の形", "form of dates"),
        Words("日付を 2026-11-01 の形に直しました", "Dates written as 2026-11-01"),
    ),
    "serial-date": (
        Words("Excel の日付番号", "Excel's day numbers"),
        Words("Excel の日付番号を日付に直しました", "Excel's day numbers made dates"),
    ),
    "time-form": (
        Words("時刻の形", "form of times"),
        Words("時刻を 08:30:00 の形に直しました", "Times written as 08:30:00"),
    ),
    "dms": (
        Words("度分秒", "degrees, minutes, seconds"),
        Words("度分秒を十進の度に直しました", "Degrees, minutes and seconds made decimal"),
    ),
    "swapped-coordinates": (
        Words("緯度と経度の入れ替わり", "latitude and longitude swapped"),
        Words("入れ替わった緯度と経度を戻しました", "Latitude and longitude changed back"),
    ),
    "tokyo-datum": (
        Words("日本測地系", "Tokyo datum"),
        Words("日本測地系の位置を世界測地系に直しました", "Positions moved from the Tokyo datum"),
    ),
    "merged-cells": (
        Words("結合セル", "merged cells"),
        Words("結合されたセルの値を各行に補いました", "Values of merged cells filled in"),
    ),
    "ditto": (
        Words("同上", "ditto marks"),
        Words("「〃」「同上」を上の行の値にしました", "Ditto marks replaced by the value above"),
    ),
}
"""Rule: its name in a line of figures, and what was done, for the readers of the dataset's page."""
TYPES = {
    "number": Words("数値", "number"),
    "integer": Words("整数", "whole number"),
    "boolean": Words("true か false", "true or false"),
    "date": Words("日付（2026-11-01 の形）", "date, as 2026-11-01"),
    "time": Words("時刻（08:30:00 の形）", "time, as 08:30:00"),
    "datetime": Words("日時（2026-11-01T08:30:00Z の形）", "time, as 2026-11-01T08:30:00Z"),
    "year": Words("年（2026 の形）", "year, as 2026"),
}
OTHER = (
    Words("規則に合いません（{expected}）", "breaks a rule ({expected})"),
    Words("値を確かめてください", "check the value"),
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One error or warning of the report, in the city's own rows and columns."""

    row: int | None
    column: str
    value: str
    rule: str
    expected: str = ""
    table: str = ""
    """Said where there are several."""
    severity: str = "error"
    message: str = ""
    """The whole sentence, of a check that knows more than its rule."""
    message_en: str = ""

    def cells(self, language: str) -> tuple[str, ...]:
        """Row, column, value, rule, what to do."""
        rule, advice = RULES.get(self.rule, OTHER)
        if self.message:
            rule, advice = Words(self.message, self.message_en), Words("", "")
        return (
            f"{self.table} {self.row or ''}".strip(),
            self.column,
            self.value if len(self.value) <= LONGEST_VALUE else self.value[:LONGEST_VALUE] + "…",
            rule.said(language).replace("{expected}", _plainly(self.expected).said(language)),
            advice.said(language),
        )


def repairs_told(repairs: Sequence[Repair]) -> Words:
    """How many values are not as the city wrote them, by rule."""
    counts = Counter(repair.rule for repair in repairs)
    ja = "、".join(f"{REPAIRS[rule][0].ja} {count:,}" for rule, count in counts.items())
    en = ", ".join(f"{REPAIRS[rule][0].en} {count:,}" for rule, count in counts.items())
    total = len(repairs)
    return Words(
        f"修復 {total:,} 件{f'（{ja}）' if ja else ''}",
        f"{total:,} repairs{f' ({en})' if en else ''}",
    )


def _plainly(expected: str) -> Words:
    """The words of Table Schema for people who do not know it."""
    if digits := re.fullmatch(r"\[0-9\]\{(\d+)\}", expected):
        return Words(f"{digits[1]} 桁の数字", f"{digits[1]} digits")
    return TYPES.get(expected, Words(expected, expected))


def complete(report: dict[str, Any], package: Package) -> dict[str, Any]:
    """Frictionless's report with what else was found and done, under the key aizu."""
    several = len(package.tables) > 1
    repairs = [
        ({"table": table.name} if several else {}) | vars(repair)
        for table in package.tables
        for repair in table.repairs
    ]
    told = {
        "rows": package.row_count,
        "tables": {table.name: table.frame.height for table in package.tables},
        "encoding": package.tables[0].encoding,
        "repairs": repairs,
        "notes": [note._asdict() for note in package.notes],
        "findings": [asdict(finding) for finding in findings(report, package)],
    }
    return _with_problems(report, package) | {"aizu": told}


def _with_problems(report: dict[str, Any], package: Package) -> dict[str, Any]:
    """The report with the errors that a source's own checks found, each in the task of its table."""
    found: dict[str, list[dict[str, Any]]] = {}
    for problem in package.problems:
        if problem.severity == "error":
            found.setdefault(problem.table, []).append(_as_error(problem))
    named = {table.name for table in package.tables}
    outside = [error for table, errors in found.items() if table not in named for error in errors]
    tasks = [_with_errors(task, found.get(task["name"], [])) for task in report["tasks"]]
    count = sum(map(len, found.values()))
    return report | {
        "valid": report["valid"] and not count,
        "stats": report["stats"] | {"errors": report["stats"]["errors"] + count},
        "errors": [*report["errors"], *outside],
        "tasks": tasks,
    }


def _with_errors(task: dict[str, Any], errors: list[dict[str, Any]]) -> dict[str, Any]:
    if not errors:
        return task
    stats = task["stats"] | {"errors": task["stats"]["errors"] + len(errors)}
    return task | {"valid": False, "stats": stats, "errors": [*task["errors"], *errors]}


def _as_error(problem: Problem) -> dict[str, Any]:
    """In the form of Frictionless's errors."""
    place = {"rowNumber": problem.row, "fieldName": problem.column, "cell": problem.value}
    return {
        "type": problem.rule,
        "title": problem.rule,
        "description": problem.words.en,
        "message": problem.words.en,
        "tags": ["#table"],
        "note": problem.words.en,
    } | {key: value for key, value in place.items() if value}


def short(report: dict[str, Any], package: Package) -> dict[str, Any]:
    """The report for the portal: a list with thousands of repairs must not make it grow."""
    tasks = [task | {"errors": task["errors"][:SENT_ERRORS]} for task in report["tasks"]]
    counts = Counter(repair.rule for repair in package.repairs)
    told = {
        "rows": package.row_count,
        "repairs": [_repairs_of(rule, count) for rule, count in counts.items()],
        "notes": [note._asdict() for note in (*package.notes, *_warnings(package))],
    }
    return report | {"tasks": tasks, "aizu": told}


def _warnings(package: Package) -> list[Words]:
    """The first warning of each rule, and how many more there are."""
    by_rule: dict[str, list[Problem]] = {}
    for problem in package.problems:
        if problem.severity == "warning":
            by_rule.setdefault(problem.rule, []).append(problem)
    return [_with_others(found[0].words, len(found) - 1) for found in by_rule.values()]


def _with_others(first: Words, more: int) -> Words:
    if not more:
        return first
    return Words(f"{first.ja}（同様 ほか {more:,} 件）", f"{first.en} (and {more:,} more like it)")


def _repairs_of(rule: str, count: int) -> dict[str, Any]:
    done = REPAIRS[rule][1]
    return {
        "rule": rule,
        "count": count,
        "message": f"{done.ja}: {count:,} か所",
        "message_en": f"{done.en}: {count:,} {'value' if count == 1 else 'values'}",
    }


def findings(report: dict[str, Any], package: Package) -> list[Finding]:
    """What is wrong, by cell; first what keeps the tables from being published."""
    told = zip(report["tasks"], package.tables, strict=True)
    several = len(package.tables) > 1
    found = [finding for task, table in told for finding in _of_table(task, table, several)]
    found += [_problem_finding(problem) for problem in package.problems]
    return sorted(found, key=lambda finding: finding.severity != "error")


def errors(report: dict[str, Any]) -> list[Finding]:
    """Of a complete report, the findings that keep the tables from being published."""
    found = (Finding(**one) for one in report["aizu"]["findings"])
    return [finding for finding in found if finding.severity == "error"]


def _of_table(task: dict[str, Any], table: Table, several: bool) -> list[Finding]:
    """The errors by cell; where a rule of ours speaks of a cell, the vaguer one is left out."""
    found: dict[tuple[int | None, str, str], Finding] = {}
    ours = {_cell(error) for error in task["errors"] if error["type"] in OWN_RULES}
    for error in task["errors"]:
        if _cell(error) in ours and error["type"] not in OWN_RULES:
            continue
        finding = _finding(error, table)
        if several:
            finding = replace(finding, table=table.name)
        found.setdefault((finding.row, finding.column, finding.rule), finding)
    return list(found.values())


def _problem_finding(problem: Problem) -> Finding:
    return Finding(
        row=problem.row,
        column=problem.column,
        value=problem.value,
        rule=problem.rule,
        table=problem.table,
        severity=problem.severity,
        message=problem.words.ja,
        message_en=problem.words.en,
    )


def _cell(error: dict[str, Any]) -> tuple[int | None, str]:
    return error.get("rowNumber"), error.get("fieldName", "")


def _finding(error: dict[str, Any], table: Table) -> Finding:
    if error["type"] == "primary-key":
        return _key_finding(error, table)
    column, value = error.get("fieldName", ""), error.get("cell", "")
    told = re.match(
        r'(?:constraint|type)(?: "(?P<rule>\w+)")? is "(?P<expected>.*)"', error["note"]
    )
    return Finding(
        row=_source_row(error.get("rowNumber"), table),
        column=table.headings.get(column, column),
        value="" if value == "None" else value,
        rule=(told and told["rule"]) or error["type"],
        expected=told["expected"].removesuffix("/default") if told else error["note"],
    )


def _key_finding(error: dict[str, Any], table: Table) -> Finding:
    names = [field.name for field in table.fields]
    twin = re.search(r"at position (\d+)", error["note"])
    return Finding(
        row=_source_row(error["rowNumber"], table),
        column=" + ".join(table.headings.get(name, name) for name in table.key),
        value=" + ".join(error["cells"][names.index(name)] for name in table.key),
        rule="primary-key" if twin else "primary-key-empty",
        expected=str(_source_row(int(twin[1]), table)) if twin else "",
    )


def _source_row(number: int | None, table: Table) -> int | None:
    """The row in the city's file; Frictionless counts the headings of the clean table as row 1."""
    return None if number is None else table.row_numbers[number - 2]


def as_table(rows: Iterable[Iterable[str]], headings: Iterable[str]) -> str:
    """Columns that stay straight although Japanese characters are twice as wide."""
    lines = [[*headings], *([_one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(padded(cell, wide) for cell, wide in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def padded(text: str, wide: int) -> str:
    """The text with spaces up to a width on the terminal."""
    return text + " " * (wide - width(text))


def _one_line(text: str) -> str:
    """Line breaks would tear the table apart."""
    return " ".join(text.split())


def width(text: str) -> int:
    """How many places a text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(sign) in "FWA" else 1 for sign in text)
