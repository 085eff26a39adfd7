"""What all commands share: options, and how a refusal is said and with which exit code."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from harvesters.errors import HarvestError, InvalidTableError
from harvesters.report import FINDING, Finding, count_of, errors
from harvesters.terminal import as_table
from harvesters.words import Words

SHOWN_FINDINGS = 20
ERRORS = Words("誤り:", "Errors:")
WARNINGS = Words("注意（公開は止めません）:", "Warnings, which keep nothing from being published:")
Decorated = TypeVar("Decorated", bound=Callable[..., Any])

city_option = click.option(
    "--city",
    metavar="CITY",
    help="市のファイルの名前。Name of a file in schemas/cities. [AIZU_CITY, aizuwakamatsu]",
)
from_option = click.option(
    "--from",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="アドレスの代わりに手元のファイルを読む。Read a local file in place of the address.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="機械のための JSON。JSON, for machines."
)


def html_option(told: str) -> Callable[[Decorated], Decorated]:
    """The option --html, whose help says what is written."""
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("--html", "page", metavar="PAGE", type=path, help=told)


@contextmanager
def refusals(spoken: str, *, as_json: bool = False) -> Iterator[None]:
    """Turns an error of ours into a message and the exit code it carries."""
    try:
        yield
    except HarvestError as error:
        if as_json and not isinstance(error, InvalidTableError):
            echo_json(as_report(error))
        explain(error, spoken)
        sys.exit(error.exit_code)


def as_report(error: HarvestError) -> dict[str, Any]:
    """A refusal before any table was read, in the shape of a Frictionless report."""
    told = {"type": type(error).__name__, "message": error.words.ja, "message_en": error.words.en}
    return {"valid": False, "errors": [told], "tasks": []}


def explain(error: HarvestError, spoken: str) -> None:
    """The cells that are wrong, if it is cells, and one sentence."""
    if isinstance(error, InvalidTableError):
        show(errors(error.report), ERRORS, spoken, err=True)
    click.secho(error.words.said(spoken), fg="red", err=True)


def echo_json(value: object) -> None:
    """For machines, and still for people to read."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def show(findings: list[Finding], title: Words, spoken: str, *, err: bool = False) -> None:
    """The first of them as a table under its title, and how many more there are."""
    if not findings:
        return
    click.echo(title.said(spoken), err=err)
    rows = [finding.cells(spoken) for finding in findings[:SHOWN_FINDINGS]]
    click.echo(as_table(rows, FINDING.said(spoken).split(",")), err=err)
    if len(findings) > SHOWN_FINDINGS:
        more = count_of(findings[SHOWN_FINDINGS:])
        click.echo(Words(f"ほか {more:,} 件", f"and {more:,} more").said(spoken), err=err)


def write_page(page: Path, text: str) -> None:
    """Refused as a wrong call where nothing can be written."""
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--html {page}: {error.strerror}") from error
