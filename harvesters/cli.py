"""The `aizu` command: arguments, printing and exit codes."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from harvesters import alone, cli_schedule, cli_versions, jobs, perform, pipeline
from harvesters import settings as setting
from harvesters.city import load_city
from harvesters.cli_report import report
from harvesters.cli_standards import check, propose
from harvesters.cli_versions import approve, diff, plan, undo
from harvesters.console import (
    WARNINGS,
    city_option,
    echo_json,
    explain,
    from_option,
    html_option,
    json_option,
    refusals,
    show,
    write_page,
)
from harvesters.errors import ConfigurationError, GateError, HarvestError
from harvesters.jobs import Job
from harvesters.page import as_page
from harvesters.report import warnings
from harvesters.terminal import as_table, padded
from harvesters.unchanged import Together
from harvesters.words import Words, language

STEPS = {
    "fetch": Words("取得", "fetch"),
    "normalise": Words("正規化", "normalise"),
    "validate": Words("検証", "validate"),
    "publish": Words("公開", "publish"),
}
LIST = Words("名前,題名,担当,予定,アドレス", "name,title,department,schedule,address")
LARGE_BYTES = 1_000_000


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aizu-portal")
def cli() -> None:
    """市のデータを取得し、確かめ、ポータルに公開する。

    Fetch what the city has, normalise, validate and publish it.

    Exit codes: 0 done or unchanged, 1 refused by data, 2 usage or configuration,
    3 source unreachable, 4 portal unreachable or refusing.
    """


@cli.command("list")
@city_option
def list_sources(city: str | None) -> None:
    """市のデータの一覧。List what is harvested from the city."""
    spoken = language()
    with refusals(spoken):
        current = setting.read()
        loaded = load_city(city or current.city, *current.servers)
    rows = [
        (
            name,
            feed.dataset.title.said(spoken),
            feed.department.title.said(spoken),
            feed.schedule.text,
            feed.url or "--from",
        )
        for name, feed in loaded.feeds.items()
    ]
    click.echo(as_table(rows, LIST.said(spoken).split(",")))


@cli.command()
@click.argument("source")
@city_option
def fetch(source: str, city: str | None) -> None:
    """元のファイルを取得して保存する。Fetch the city's file and keep it."""
    with refusals(language()):
        job = one_job(source, city)
        snapshot = pipeline.fetch(job)
    click.echo(f"sha256 {snapshot.sha256}")
    click.echo(job.folder.path / "snapshots" / snapshot.sha256)


@cli.command()
@click.argument("source", metavar="SOURCE|FILE")
@city_option
@from_option
@click.option(
    "--schema",
    metavar="SOURCE",
    help="FILE をこのデータの規則で検証する。Validate FILE by the rules of this source.",
)
@json_option
@html_option("FILE の結果を、開いて印刷できるページに書く。Write what is found in FILE as a page.")
def validate(
    source: str,
    city: str | None,
    file: Path | None,
    schema: str | None,
    as_json: bool,
    page: Path | None,
) -> None:
    """取得、正規化、検証をする。公開はしない。Fetch, normalise and validate; publish nothing.

    手元のファイルも、そのまま検証できる。Any FILE can be validated, too, without a portal.
    """
    if "." in source or "/" in source:
        if file:
            raise click.UsageError("FILE か SOURCE --from のどちらか。Give FILE or SOURCE --from.")
        return validate_file(Path(source), city, schema, as_json, page)
    if schema or page:
        raise click.UsageError("--schema と --html は FILE と。--schema and --html need FILE.")
    with refusals(language(), as_json=as_json):
        checked = pipeline.check(one_job(source, city, quiet=as_json), file)
        if as_json:
            echo_json(checked.report)
        else:
            show(warnings(checked.report), WARNINGS, language())
        pipeline.refuse_invalid(checked)


def validate_file(
    file: Path, city: str | None, schema: str | None, as_json: bool, page: Path | None
) -> None:
    """A file on its own: the report as lines, as JSON or as a page; the exit code tells, too."""
    spoken = language()
    with refusals(spoken, as_json=as_json):
        job = one_job(schema, city, quiet=True) if schema else None
        judged = alone.by_descriptor(file, job) if job else alone.by_columns(file)
        if page:
            write_page(page, as_page(judged, spoken))
        if as_json:
            echo_json(judged.report)
        else:
            for line in alone.summary(judged):
                click.echo(line.said(spoken))
            show(warnings(judged.report), WARNINGS, spoken)
        alone.refuse_invalid(judged)


@cli.command()
@click.argument("source", required=False)
@click.option("--all", "everything", is_flag=True, help="市の全データ。Everything of the city.")
@city_option
@from_option
@click.option(
    "--reason",
    default="",
    metavar="TEXT",
    help="見合わせた公開を理由を添えて承認する。Approve, with a reason, what was held back.",
)
def run(
    source: str | None, everything: bool, city: str | None, file: Path | None, reason: str
) -> None:
    """取得、正規化、検証、公開をする。Fetch, normalise, validate and publish.

    --reason には部署の管理者のトークンが要る。It needs the token of an administrator of the department.
    """
    if reason and everything:
        raise click.UsageError("--reason は SOURCE と。--reason needs SOURCE.")
    if bool(source) == everything or (everything and file):
        raise click.UsageError("SOURCE か --all のどちらか。Give SOURCE [--from FILE] or --all.")
    spoken = language()
    with refusals(spoken):
        chosen = chosen_jobs([source] if source else [], city)
        setting.need_portal(setting.read())
        if everything:
            chosen = not_paused(with_address(chosen, spoken), spoken)
    if everything:
        sys.exit(harvest_all(chosen, spoken))
    sys.exit(harvest(replace(chosen[0], override_reason=reason), file, spoken))


def with_address(chosen: list[Job], spoken: str) -> list[Job]:
    """Names the jobs that have nothing to fetch; without any other there is nothing to do."""
    for job in chosen:
        if not job.feed.url:
            explain(jobs.no_address(job), spoken)
    ready = [job for job in chosen if job.feed.url]
    if not ready:
        sys.exit(ConfigurationError.exit_code)
    return ready


def not_paused(chosen: list[Job], spoken: str) -> list[Job]:
    """Names the jobs that somebody has stopped, and leaves them out."""
    pauses = {job.source.name: perform.pause_of(job) for job in chosen}
    for job in chosen:
        if paused := pauses[job.source.name]:
            explain(cli_schedule.is_paused(perform.key_of(job), paused), spoken)
    return [job for job in chosen if not pauses[job.source.name]]


def harvest(job: Job, file: Path | None, spoken: str) -> int:
    """Runs one job under its title; its exit code."""
    title = job.feed.dataset.title.said(spoken)
    click.secho(f"{job.city.name.said(spoken)} {title}", bold=True)
    try:
        perform.one(job, file)
    except HarvestError as error:
        explain(error, spoken)
        if isinstance(error, GateError):
            click.echo(cli_versions.what_now(job, file, error).said(spoken), err=True)
        return error.exit_code
    return 0


def harvest_all(chosen: list[Job], spoken: str) -> int:
    """Runs all jobs; the portal is told by one call of those that have nothing new."""
    together = Together()
    codes = [harvest(replace(job, ask=together.ask), None, spoken) for job in chosen]
    try:
        codes += [harvest(replace(job, ask=None), None, spoken) for job in together.tell()]
    except HarvestError as error:
        explain(error, spoken)
        codes.append(error.exit_code)
    return max(codes, default=0)


def one_job(source: str, city: str | None, *, quiet: bool = False) -> Job:
    """The job of one source."""
    return chosen_jobs([source], city, quiet=quiet)[0]


def chosen_jobs(names: list[str], city: str | None, *, quiet: bool = False) -> list[Job]:
    """The jobs asked for, which tell the terminal how they go."""
    current = setting.read()
    tell = jobs.silent if quiet else teller(language())
    return jobs.of_city(current, city or current.city, names, tell, progress)


def teller(spoken: str) -> Callable[[str, Words], None]:
    """Prints one line for each step."""

    def tell(step: str, told: Words) -> None:
        click.echo(f"  {padded(STEPS[step].said(spoken), 10)}{told.said(spoken)}")

    return tell


def progress(done: int, total: int) -> None:
    """Says on a terminal how far a long download is."""
    if total >= LARGE_BYTES and sys.stderr.isatty():
        click.echo(f"\r  {done / total:4.0%} {done:,} / {total:,}", err=True, nl=done >= total)


for command in (check, propose, plan, diff, undo, report, approve, *cli_schedule.COMMANDS):
    cli.add_command(command)
