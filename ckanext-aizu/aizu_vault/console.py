"""What all commands of the vault share: languages, options, tables, and how a refusal is said and with which code."""

import functools
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import click
import psycopg

from aizu_vault.ages import JST
from aizu_vault.key_files import KeysError
from aizu_vault.log.errors import LogError
from aizu_vault.refusals import ReleaseError
from aizu_vault.settings import FOLDER_VARIABLE, UnreachableError, Vault, VaultError

REFUSED, UNUSABLE, UNREACHABLE = 1, 2, 4
Command = Callable[..., None]


class Words(NamedTuple):
    """One sentence in both languages."""

    ja: str
    en: str

    def said(self, spoken: str) -> str:
        """The sentence in the language asked for."""
        return self.en if spoken == "en" else self.ja


def language(environ: Mapping[str, str] = os.environ) -> str:
    """Japanese, unless the locale names another language; C and POSIX name none."""
    named = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    tongue = named.partition(".")[0].partition("_")[0]
    return "ja" if tongue in {"", "C", "POSIX", "ja"} else "en"


class CommandError(Exception):
    """What was asked for is not done, for a reason that a command found itself."""

    def __init__(self, words: Words) -> None:
        """Takes the reason."""
        super().__init__(words.en)
        self.words = words


_KINDS: tuple[tuple[type[Exception], int, Words], ...] = (
    (UnreachableError, UNREACHABLE, Words("データベースに接続できません", "no database")),
    (psycopg.OperationalError, UNREACHABLE, Words("データベースが答えません", "no database")),
    (VaultError, UNUSABLE, Words("保管庫を使えません", "the vault cannot be used")),
    (KeysError, UNUSABLE, Words("鍵を使えません", "a key cannot be used")),
    (ReleaseError, REFUSED, Words("渡せません", "nothing is released")),
    (OSError, UNUSABLE, Words("ファイルを扱えません", "a file cannot be used")),
    (LogError, REFUSED, Words("利用記録が受け付けません", "the log refuses")),
    # Whatever the vault's own rules refuse: SubjectError, HistoryError, RegisterError and so on.
    (ValueError, REFUSED, Words("保管庫が受け付けません", "the vault refuses")),
)

folder_option = click.option(
    "--folder",
    envvar=FOLDER_VARIABLE,
    show_envvar=True,
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="保管庫のフォルダー。Folder of the vault: address, passwords, keys.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="機械のための JSON。JSON, for machines."
)
by_option = click.option(
    "--by", required=True, metavar="NAME", help="担当者。利用記録に残る。Who does it, for the log."
)
subject_argument = click.argument("subject", metavar="SUBJECT", type=click.UUID)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One call of a command: the vault it is about, and how its answer is given."""

    vault: Vault
    spoken: str
    as_json: bool

    def answer(self, value: object, *lines: str | Words) -> None:
        """The value for machines, or the lines for people."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=plainly))
            return
        for line in lines:
            click.echo(line if isinstance(line, str) else line.said(self.spoken))

    def table(self, rows: Sequence[Mapping[str, Any]], headings: Words) -> None:
        """Rows under the headings, which are joined by commas; all of each row for machines."""
        shown = [[as_cell(value) for value in row.values()] for row in rows]
        self.answer(rows, as_table(shown, headings.said(self.spoken).split(",")))


def at_desk(command: Command) -> Command:
    """Opens the vault for a command; adds --folder and --json, and says what is refused."""

    @folder_option
    @json_option
    @functools.wraps(command)
    def called(folder: Path, as_json: bool, **arguments: Any) -> None:
        with refusals(as_json=as_json):
            desk = Desk(vault=Vault.open(folder), spoken=language(), as_json=as_json)
            command(desk, **arguments)

    return called


@contextmanager
def refusals(*, as_json: bool = False) -> Iterator[None]:
    """Says on standard error what cannot be done, and ends with the code for it."""
    try:
        yield
    except CommandError as error:
        _end(error, error.words, REFUSED, as_json=as_json)
    except BrokenPipeError:
        # Whoever reads has enough, as `head` has; click ends without a word.
        raise
    except tuple(kind for kind, _, _ in _KINDS) as error:
        code, words = next((code, words) for kind, code, words in _KINDS if isinstance(error, kind))
        told = " ".join(str(error).split())
        _end(error, Words(f"{words.ja}：{told}", f"{words.en}: {told}"), code, as_json=as_json)


def _end(error: Exception, words: Words, code: int, *, as_json: bool) -> NoReturn:
    if as_json:
        told = {"type": type(error).__name__, "message": words.ja, "message_en": words.en}
        click.echo(json.dumps({"error": told}, ensure_ascii=False, indent=1))
    click.secho(f"aizu-vault: {words.said(language())}", fg="red", err=True)
    sys.exit(code)


def confirm(words: Words, *, yes: bool) -> None:
    """Asks before what cannot be undone; where nobody can answer, --yes must have been given."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError(
            Words(
                "取り消せない操作です。確かめたうえで --yes を付けてください。",
                "this cannot be undone; be sure, and give --yes",
            )
        )
    click.confirm(words.said(language()), abort=True, err=True)


def progress(words: Words, done: int, total: int) -> None:
    """Says on a terminal how far something long is."""
    if sys.stderr.isatty():
        told = f"\r  {words.said(language())}  {done:,} / {total:,}"
        click.echo(told, err=True, nl=done >= total)


def as_table(rows: Iterable[Sequence[str]], headings: Sequence[str]) -> str:
    """Columns that stay straight although Japanese characters are twice as wide."""
    lines = [headings, *rows]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (wide - _width(cell)) for cell, wide in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "FWA" else 1 for sign in text)


def as_cell(value: Any) -> str:
    """A value as people read it in a table; times are Japan's."""
    match value:
        case None:
            return ""
        case bool():
            return "✓" if value else ""
        case int():
            return f"{value:,}"
        case datetime():
            return f"{value.astimezone(JST):%Y-%m-%d %H:%M}"
        case list() | tuple() | set() | frozenset():
            return " ".join(sorted(map(as_cell, value)))
    return str(value)


def plainly(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case set() | frozenset():
            return sorted(value)
    return str(value)
