"""What a steward asks of versions: `aizu plan`, `aizu diff`, `aizu undo`, `aizu approve`."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from harvesters import jobs, pipeline
from harvesters import settings as setting
from harvesters.console import city_option, echo_json, from_option, json_option, refusals
from harvesters.errors import GateError, NotInCatalogueError
from harvesters.jobs import Job
from harvesters.portal import call
from harvesters.publish import dataset_name, parts
from harvesters.terminal import as_table
from harvesters.words import Words, language

COUNTS = Words("表,追加,変更,削除,行数", "table,added,changed,removed,rows")
SIGNS = {"added": "+", "changed": "±", "removed": "-"}
DIFF_ROWS = 100

source_argument = click.argument("source")


def _job(source: str, city: str | None) -> Job:
    current = setting.read()
    return jobs.of_city(current, city or current.city, [source])[0]


@click.command()
@source_argument
@city_option
@from_option
@json_option
def plan(source: str, city: str | None, file: Path | None, as_json: bool) -> None:
    """公開すると何が変わるかを示す。公開はしない。Show what would change; publish nothing.

    Exit code 1 if it would be held back.
    """
    spoken = language()
    with refusals(spoken, as_json=as_json):
        job = _job(source, city)
        checked = pipeline.check(job, file)
        pipeline.refuse_invalid(checked)
        fields, files = parts(
            job.city,
            job.feed,
            checked.snapshot,
            checked.package,
            checked.verdict,
            checked.report,
        )
        answer = call(job.settings, "aizu_publish", {**fields, "dry_run": "true"}, files)
    if as_json:
        echo_json(answer)
    else:
        _show_plan(answer, spoken)
    sys.exit(0 if answer["ok"] else GateError.exit_code)


def _show_plan(answer: dict[str, Any], spoken: str) -> None:
    if not answer["changed"]:
        told = Words(
            f"変更はありません（第 {answer['version']} 版のまま）",
            f"no changes; version {answer['version']} stays",
        )
        click.echo(told.said(spoken))
        return
    told = Words(f"第 {answer['version']} 版になります", f"would be version {answer['version']}")
    click.echo(told.said(spoken))
    kinds = ("added", "changed", "removed", "after")
    rows = [
        [name, *(f"{one['counts'][kind]:,}" for kind in kinds)]
        for name, one in answer["tables"].items()
    ]
    click.echo(as_table(rows, COUNTS.said(spoken).split(",")))
    for one in answer["tables"].values():
        _show_rows(one["rows"])
    for note in answer["notes"]:
        click.echo(note[spoken])
    for reason in answer["reasons"]:
        click.secho(reason[spoken], fg="red", err=True)


def _show_rows(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        cells = [
            f"{column}: {cell['before']} → {cell['after']}" if isinstance(cell, dict) else cell
            for column, cell in row["cells"].items()
        ]
        key = " ".join(row["key"].values())
        click.echo(" ".join(filter(None, (SIGNS[row["change"]], key, " | ".join(cells)))))


@click.command()
@source_argument
@click.argument("versions", required=False, metavar="[A..B]")
@city_option
@click.option("--table", default="", help="表の名前。Name of the table.")
@json_option
def diff(source: str, versions: str | None, city: str | None, table: str, as_json: bool) -> None:
    """二つの版の違い。何も指定しなければ最新の変更。What differs; by default, what changed last."""
    spoken = language()
    with refusals(spoken, as_json=as_json):
        job = _job(source, city)
        name = dataset_name(job.city, job.feed)
        before, after = _two(versions) or _last_two(job, name)
        asked: dict[str, Any] = {"name": name, "from": before, "to": after, "limit": DIFF_ROWS}
        answer = call(
            job.settings, "aizu_version_diff", asked | ({"table": table} if table else {})
        )
    if as_json:
        echo_json(answer)
        return
    counts = answer["counts"]
    row = [answer["table"], *(f"{counts[kind]:,}" for kind in (*SIGNS, "after"))]
    click.echo(as_table([row], COUNTS.said(spoken).split(",")))
    _show_rows(answer["rows"])
    if (more := answer["total"] - len(answer["rows"])) > 0:
        click.echo(Words(f"ほか {more:,} 行", f"and {more:,} more rows").said(spoken))


def _two(versions: str | None) -> tuple[int, int] | None:
    if not versions:
        return None
    before, dots, after = versions.partition("..")
    if not (dots and before.isdecimal() and after.isdecimal()):
        raise click.UsageError("A..B の形で。Two numbers, as in 3..5.")
    return int(before), int(after)


def _last_two(job: Job, name: str) -> tuple[int, int]:
    last = call(job.settings, "aizu_versions", {"name": name, "limit": 1})["versions"]
    if not last or not last[0]["replaces"]:
        told = Words(f"{name} にはまだ一つの版しかありません。", f"{name} has but one version yet.")
        click.echo(told.said(language()))
        sys.exit(0)
    return last[0]["replaces"], last[0]["number"]


@click.command()
@source_argument
@click.option("--to", type=int, help="戻す版の番号。Number of the version that comes back.")
@click.option("--reason", required=True, help="理由。版とともに公開される。Why; it is published.")
@city_option
def undo(source: str, to: int | None, reason: str, city: str | None) -> None:
    """前の版を1バイトも違わずに戻す。Bring an earlier version back, byte for byte."""
    spoken = language()
    with refusals(spoken):
        job = _job(source, city)
        asked: dict[str, Any] = {"name": dataset_name(job.city, job.feed), "reason": reason}
        answer = call(job.settings, "aizu_undo", asked | ({"to": to} if to else {}))
    told = Words(
        f"第 {answer['restores']} 版の内容を第 {answer['version']} 版として公開しました"
        f"（{answer['rows']:,} 行）",
        f"version {answer['restores']} is back as version {answer['version']} "
        f"({answer['rows']:,} rows)",
    )
    click.echo(told.said(spoken))


@click.command()
@source_argument
@click.option(
    "--reason",
    required=True,
    help="正しい理由。版とともに公開される。Why it is right; it is published.",
)
@city_option
def approve(source: str, reason: str, city: str | None) -> None:
    """ポータルが見合わせた公開を承認する。Publish what the portal holds back, as it was sent.

    部署の管理者のトークンが要る。It needs the token of an administrator of the department.
    """
    spoken = language()
    with refusals(spoken):
        job = _job(source, city)
        held = _held(job, dataset_name(job.city, job.feed))
        for one in held["reasons"]:
            click.echo(one[spoken])
        asked = {name: held[name] for name in ("name", "content_hash")}
        answer = call(job.settings, "aizu_approve", {**asked, "reason": reason})
    told = Words(
        f"第 {answer['version']} 版として公開しました（{answer['rows']:,} 行）",
        f"published as version {answer['version']} ({answer['rows']:,} rows)",
    )
    click.echo(told.said(spoken))


def _held(job: Job, name: str) -> dict[str, Any]:
    try:
        return call(job.settings, "aizu_held_show", {"name": name})
    except NotInCatalogueError as error:
        raise NotInCatalogueError(
            f"{name} に見合わせている公開はありません。", f"nothing of {name} is held back"
        ) from error


def what_now(job: Job, file: Path | None, refusal: GateError) -> Words:
    """How to look at what was held back, and how to approve it."""
    city = ["--city", job.city.id] if job.city.id != job.settings.city else []
    source = shlex.join([job.source.name, *city])
    again = shlex.join([job.source.name, *city, *(["--from", str(file)] if file else [])])
    look, approval = f"aizu plan {again}", f"aizu run {again}"
    if refusal.page:
        look, approval = f"{refusal.page}\n      {look}", f"aizu approve {source}"
    return Words(
        f"確認: {look}\n承認: {approval} --reason '理由'",
        f"Look: {look}\nApprove: {approval} --reason 'why'",
    )
