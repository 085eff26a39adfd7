"""The report of a run: Frictionless's own, and the same as a table that a clerk can act on."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from harvesters.rules import OTHER, REPAIRS, RULES, TYPES
from harvesters.source import Package, Problem, Repair, Table
from harvesters.words import Words

LONGEST_VALUE = 60
SENT_ERRORS = 100
OWN_RULES = {"outside-city", "swapped-coordinates", "half-position", "number-form"}
FINDING = Words("行,列,値,規則,すること", "row,column,value,rule,what to do")
"""The headings over the cells of a finding."""


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
    more: int = 0
    """Further ones like it that were counted and are not listed."""

    def cells(self, language: str) -> tuple[str, ...]:
        """Row, column, value, rule, what to do."""
        rule, advice = RULES.get(self.rule, OTHER)
        if self.message:
            told = with_others(Words(self.message, self.message_en), self.more)
            rule, advice = told, Words("", "")
        return (
            f"{self.table} {self.row or ''}".strip(),
            self.column,
            self.value if len(self.value) <= LONGEST_VALUE else self.value[:LONGEST_VALUE] + "…",
            rule.said(language).replace("{expected}", _plainly(self.expected).said(language)),
            advice.said(language),
        )


def repairs_told(repairs: Sequence[Repair]) -> Words:
    """How many values are not as the city wrote them, by rule."""
    counts = _by_rule(repairs)
    ja = "、".join(f"{REPAIRS[rule][0].ja} {count:,}" for rule, count in counts.items())
    en = ", ".join(f"{REPAIRS[rule][0].en} {count:,}" for rule, count in counts.items())
    total = counts.total()
    return Words(
        f"修復 {total:,} 件{f'（{ja}）' if ja else ''}",
        f"{total:,} repairs{f' ({en})' if en else ''}",
    )


def _by_rule(repairs: Sequence[Repair]) -> Counter[str]:
    """In how many cells each rule was used."""
    counts: Counter[str] = Counter()
    for repair in repairs:
        counts[repair.rule] += repair.count
    return counts


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
    counts = _by_rule(package.repairs)
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
    return [with_others(found[0].words, count_of(found) - 1) for found in by_rule.values()]


def count_of(found: Sequence[Problem | Finding]) -> int:
    """How many there are, those that are only counted included."""
    return len(found) + sum(one.more for one in found)


def with_others(first: Words, more: int) -> Words:
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
    found += [_problem_finding(problem, several) for problem in package.problems]
    return sorted(found, key=lambda finding: finding.severity != "error")


def errors(report: dict[str, Any]) -> list[Finding]:
    """Of a complete report, the findings that keep the tables from being published."""
    return _of_severity(report, "error")


def warnings(report: dict[str, Any]) -> list[Finding]:
    """Of a complete report, the first warning of each rule, with the number of the others."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in _of_severity(report, "warning"):
        by_rule.setdefault(finding.rule, []).append(finding)
    return [replace(found[0], more=count_of(found) - 1) for found in by_rule.values()]


def _of_severity(report: dict[str, Any], severity: str) -> list[Finding]:
    found = (Finding(**one) for one in report["aizu"]["findings"])
    return [finding for finding in found if finding.severity == severity]


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


def _problem_finding(problem: Problem, several: bool) -> Finding:
    return Finding(
        row=problem.row,
        column=problem.column,
        value=problem.value,
        rule=problem.rule,
        table=problem.table if several else "",
        severity=problem.severity,
        message=problem.words.ja,
        message_en=problem.words.en,
        more=problem.more,
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
