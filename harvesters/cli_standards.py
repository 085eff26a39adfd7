"""The commands that measure a list by the municipal standard: `aizu check` and `aizu propose`."""

import sys
from pathlib import Path

import click

from harvesters import fetch as fetching
from harvesters import settings as setting
from harvesters.city import load_city
from harvesters.console import (
    city_option,
    echo_json,
    html_option,
    json_option,
    refusals,
    write_page,
)
from harvesters.errors import ColumnsError
from harvesters.standards import checking, proposal
from harvesters.standards.corrected import Corrected, correct
from harvesters.standards.page import as_page
from harvesters.words import Words, language

file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@file_argument
@json_option
@html_option("結果を、開いて印刷できるページに書く。Write the result as a page.")
@click.option(
    "--fixed",
    metavar="COPY.csv",
    type=click.Path(path_type=Path, dir_okay=False),
    help="標準の形に直した写しを書く。Write a copy corrected to the standard.",
)
def check(file: Path, as_json: bool, page: Path | None, fixed: Path | None) -> None:
    """どの標準データセットか、どこまで満たすか。Which standard dataset, and how far.

    自治体標準オープンデータセットのどれに当たるかを見出しと値から判定し、100 点満点で理由とともに示す。

    Says which municipal standard open dataset FILE is, by headings and values, and how far it
    fulfils it, with a reason for every point lost. Exit code 1: none of them.
    """
    refuse_existing(fixed)
    spoken = language()
    with refusals(spoken, as_json=as_json):
        checked = checking.check(file)
    corrected = correct(checked.assessment) if checked.assessment and fixed else None
    if checked.assessment and page:
        write_page(page, as_page(checked, checked.assessment, spoken))
    if corrected and fixed:
        write_copy(fixed, corrected)
    if as_json:
        echo_json(checking.as_report(checked, corrected))
    elif checked.assessment:
        for line in checking.lines(checked, checked.assessment, spoken):
            click.echo(line)
        for line in checking.changes(corrected, spoken) if corrected else []:
            click.echo(line)
    if not checked.assessment:
        click.secho(checking.none_of_them(checked).said(spoken), fg="red", err=True)
        sys.exit(ColumnsError.exit_code)


@click.command()
@file_argument
@city_option
@click.option(
    "--schema",
    metavar="SOURCE",
    default="",
    help="読むデータの名前（hydrant など）。指定がなければ判定する。Name of the dataset; else recognised.",
)
def propose(file: Path, city: str | None, schema: str) -> None:
    """市のファイルに書く設定を提案する。Propose the block for the city file.

    FILE の見出しを標準の列に結び付ける YAML を、確かさと理由を添えて書き出す。

    Writes the YAML that leads the headings of FILE to the standard's columns, with how sure
    each is and why, for sources in schemas/cities/CITY.yaml.
    """
    with refusals(language()):
        current = setting.read()
        loaded = load_city(city or current.city, *current.servers)
        sheet = checking.read(fetching.read_file(file))
        click.echo(proposal.propose(sheet, loaded, schema), nl=False)


def refuse_existing(fixed: Path | None) -> None:
    """A file that is there is never replaced."""
    if fixed and fixed.exists():
        told = Words(
            f"--fixed {fixed}: もうあります。別の名前にしてください。",
            f"--fixed {fixed} exists; choose another name",
        )
        raise click.UsageError(told.said(language()))


def write_copy(fixed: Path, corrected: Corrected) -> None:
    """Refused as a wrong call where nothing can be written, or somebody else was faster."""
    try:
        with fixed.open("xb") as file:
            file.write(corrected.as_csv())
    except OSError as error:
        raise click.UsageError(f"--fixed {fixed}: {error.strerror}") from error
