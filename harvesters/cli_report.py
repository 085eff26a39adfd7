"""`aizu report`: what the last check of a source has found, or that of a version which was published."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import click

from harvesters import jobs
from harvesters import settings as setting
from harvesters.console import (
    ERRORS,
    SHOWN_FINDINGS,
    WARNINGS,
    city_option,
    echo_json,
    html_option,
    json_option,
    refusals,
    write_page,
)
from harvesters.errors import ConfigurationError
from harvesters.jobs import Job
from harvesters.overview import clock
from harvesters.page import SHOWN_FINDINGS as ON_PAGE
from harvesters.page import document, line, more, table
from harvesters.portal import call, content
from harvesters.publish import dataset_name
from harvesters.report import FINDING, errors, errors_told, warnings
from harvesters.rules import REPAIRS
from harvesters.settings import Settings
from harvesters.terminal import as_table
from harvesters.words import Words, language

REPAIRED = Words("行,列,もとの値,直した値,規則", "row,column,before,after,rule")
REPAIRS_TITLE = Words("修復:", "Repairs:")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A report, and of what it is."""

    title: Words
    report: dict[str, Any]
    lines: Sequence[Words]
    """What is said before its tables."""

    def tables(self, spoken: str) -> list[tuple[str, list[str], list[Sequence[str]]]]:
        """Title, headings and rows of what was repaired, of the warnings and of the errors."""
        repairs = [_repair(one, spoken) for one in self.report["aizu"].get("repairs", [])]
        found = [
            (REPAIRS_TITLE, REPAIRED, repairs),
            (WARNINGS, FINDING, [one.cells(spoken) for one in warnings(self.report)]),
            (ERRORS, FINDING, [one.cells(spoken) for one in errors(self.report)]),
        ]
        return [
            (title.said(spoken), headings.said(spoken).split(","), [*rows])
            for title, headings, rows in found
            if rows
        ]


@click.command()
@click.argument("source")
@city_option
@click.option(
    "--version",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="ポータルにある版の報告。That of a version in the portal.",
)
@json_option
@html_option("開いて印刷できるページに書く。Write it as a page.")
def report(
    source: str, city: str | None, number: int | None, as_json: bool, page: Path | None
) -> None:
    """前回の検証の報告。公開を断られた回のものも見られる。What the last check found, refused or not.

    The last check on this machine; of what was published, --version N from the portal.
    """
    spoken = language()
    with refusals(spoken):
        current = setting.read()
        chosen = jobs.of_city(current, city or current.city, [source])[0]
        told = _of_version(current, chosen, number) if number else _of_last_check(chosen)
    if page:
        write_page(page, _as_page(told, spoken))
    if as_json:
        echo_json(told.report)
    else:
        _print(told, spoken)


def _of_last_check(job: Job) -> Told:
    """Kept on this machine, whatever came of the run."""
    kept, status = job.folder.report(), job.folder.status()
    if not kept:
        raise ConfigurationError(
            f"{job.source.name} はこの機械でまだ検証していません。公開された版の報告は --version N で、"
            "ほかの機械での結果は aizu status で見られます。",
            f"{job.source.name} was not checked on this machine yet; for a published version give "
            "--version N, and see aizu status for the runs of other machines",
        )
    checked, when = kept
    lines = [_verdict(checked, when)]
    if status and datetime.fromisoformat(status["checked_at"]) >= when.replace(microsecond=0):
        lines.append(Words(status["message"], status["message_en"]))
    return Told(title=job.feed.dataset.title, report=checked, lines=[*lines, *_notes(checked)])


def _of_version(settings: Settings, job: Job, number: int) -> Told:
    """Kept by the portal with the version."""
    asked = {"name": dataset_name(job.city, job.feed), "number": number}
    version = call(settings, "aizu_version_show", asked)
    checked = json.loads(content(settings, version["report_url"]))
    told = {"rows": sum(version["rows"].values()), "findings": []}
    checked["aizu"] = told | checked.get("aizu", {})
    title = job.feed.dataset.title
    return Told(
        title=Words(f"{title.ja} 第 {number} 版", f"{title.en}, version {number}"),
        report=checked,
        lines=[
            _verdict(checked, datetime.fromisoformat(version["published_at"])),
            *_notes(checked),
        ],
    )


def _verdict(checked: dict[str, Any], when: datetime) -> Words:
    rows, at = checked["aizu"].get("rows", 0), clock(when.timestamp())
    told = Words("問題ありません", "valid")
    if not checked["valid"]:
        count = errors_told(checked)
        told = Words(f"誤り {count.ja}", count.en)
    return Words(f"{at}  {rows:,} 行  {told.ja}", f"{at}  {rows:,} rows  {told.en}")


def _notes(checked: dict[str, Any]) -> list[Words]:
    return [Words(**note) for note in checked["aizu"].get("notes", [])]


def _repair(one: dict[str, Any], spoken: str) -> tuple[str, ...]:
    """One value; of a published version, all that one rule has done."""
    if "message" in one:
        return "", "", "", "", one["message_en" if spoken == "en" else "message"]
    # A version that another program has published names rules of its own.
    rule = REPAIRS[one["rule"]][0].said(spoken) if one["rule"] in REPAIRS else one["rule"]
    cells = one.get("cells", 1)
    counted = f"{rule} ({cells:,})" if cells > 1 else rule
    row = f"{one.get('table', '')} {one['row']}".strip()
    return row, one["column"], one["before"], one["after"], counted


def _print(told: Told, spoken: str) -> None:
    click.secho(told.title.said(spoken), bold=True)
    for said in told.lines:
        click.echo(said.said(spoken))
    for title, headings, rows in told.tables(spoken):
        click.echo(title)
        click.echo(as_table(rows[:SHOWN_FINDINGS], headings))
        if (others := len(rows) - SHOWN_FINDINGS) > 0:
            click.echo(Words(f"ほか {others:,} 件", f"and {others:,} more").said(spoken))


def _as_page(told: Told, spoken: str) -> str:
    title = told.title.said(spoken)
    parts = [f"<h1>{escape(title)}</h1>"]
    parts += [f"<p>{escape(said.said(spoken))}</p>" for said in told.lines]
    for heading, headings, rows in told.tables(spoken):
        body = "".join(line(map(escape, cells)) for cells in rows[:ON_PAGE])
        parts += [f"<h2>{escape(heading)}</h2>", table(headings, body)]
        parts.append(more(len(rows) - ON_PAGE, spoken))
    return document(title, parts, spoken)
