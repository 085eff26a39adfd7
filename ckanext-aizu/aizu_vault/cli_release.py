"""`aizu-vault release`: what has gone to whom, and a release made by hand, by the same way as those of the service."""

import os
import select
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import click
from psycopg.rows import dict_row

from aizu_vault.console import Command, CommandError, Desk, Words, at_desk
from aizu_vault.formats import FORMATS
from aizu_vault.release import STALLED_SECONDS, Release
from aizu_vault.stored_register import read_register
from aizu_vault.wishes import OwnWish, Wish, wish_of

RELEASES = Words(
    "番号,状態,理由,日時,協定,提供先,利用者,人数,行数,バイト",
    "release,state,reason,at,agreement,receiver,user,persons,rows,bytes",
)
SHOWN = 50
_COLUMNS = (
    "release_id, state, reason, requested_at, agreement_id, receiver, user_id, persons, rows, bytes"
)


def as_file(command: Command) -> Command:
    """Options: in which form rows go, and into which file."""
    for option in (
        click.option("--field", "fields", multiple=True, help="項目。Field; may be repeated."),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            default="csv",
            show_default=True,
            help="形式。Form.",
        ),
        click.option(
            "--out",
            type=click.Path(dir_okay=False, path_type=Path),
            help="ファイル。なければ標準出力。File; standard output if not given.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def release() -> None:
    """提供：一覧、手での提供。Releases: list, details, one made by hand."""


@release.command()
@click.argument("agreement")
@click.option("--user", required=True, help="提供先の担当者。Somebody who works for the recipient.")
@as_file
@at_desk
def run(
    desk: Desk, agreement: str, user: str, fields: tuple[str, ...], form: str, out: Path | None
) -> None:
    """協定のとおりに渡す。決め方も記録もサービスと同じ。

    Release what the agreement permits now; decided, logged and counted as the service does it.
    """
    with desk.vault.connect("deep_steward") as connection:
        known = read_register(connection).agreements.get(agreement)
    # An unknown one is refused by the release itself, as every other.
    purpose = known.purpose if known else agreement
    said = {"agreement": agreement, "purpose": purpose, "format": form}
    hand_over(desk, user, wish_of(said | ({"fields": [*fields]} if fields else {})), out)


@release.command("list")
@click.option("--agreement", metavar="ID", help="協定。Of one agreement only.")
@at_desk
def list_releases(desk: Desk, agreement: str | None) -> None:
    """最近の提供。The newest releases; all with --json."""
    found = _releases(
        desk, "%(agreement)s::text IS NULL OR agreement_id = %(agreement)s", agreement=agreement
    )
    desk.table(found if desk.as_json else found[:SHOWN], RELEASES)


@release.command()
@click.argument("release_id", metavar="RELEASE", type=click.UUID)
@at_desk
def show(desk: Desk, release_id: UUID) -> None:
    """一つの提供。One release: what was asked, and how far it came."""
    found = _releases(desk, "release_id = %(release)s", release=release_id)
    if not found:
        raise CommandError(Words("その提供はありません。", "there is no such release"))
    desk.answer(found[0], *(f"{name}: {value}" for name, value in found[0].items()))


def hand_over(desk: Desk, user: str, wish: Wish | OwnWish, out: Path | None) -> None:
    """Writes what goes, into a file that is there only if it is whole."""
    with closing(Release.begin(desk.vault, user, wish)) as begun:
        if out is None:
            for piece in begun:
                _give(piece)
            return
        half = out.with_name(f"{out.name}.part")
        try:
            with half.open("xb") as file:
                size = _write(begun, file)
            half.replace(out)
        finally:
            half.unlink(missing_ok=True)
    told = Words(f"{size:,} バイトを {out} に書きました。", f"{size:,} bytes in {out}.")
    desk.answer({"release": begun.release_id, "file": out, "bytes": size}, told)


def _give(piece: bytes) -> None:
    """Writes to standard output, as long as somebody reads: withdrawals wait for the piece to have gone."""
    rest, end = memoryview(piece), time.monotonic() + STALLED_SECONDS
    while rest:
        if not select.select([], [sys.stdout], [], max(0, end - time.monotonic()))[1]:
            raise CommandError(
                Words(
                    "読み手が止まったので、残りは渡しません。--out でファイルに書けます。",
                    "nobody reads on, so nothing more is released; --out writes into a file",
                )
            )
        rest = rest[os.write(sys.stdout.fileno(), rest[: select.PIPE_BUF]) :]


def _write(begun: Release, file: BinaryIO) -> int:
    size = 0
    for piece in begun:
        file.write(piece)
        file.flush()
        size += len(piece)
    return size


def _releases(desk: Desk, which: Any, **values: object) -> list[dict[str, Any]]:
    """Newest first."""
    query = f"SELECT {_COLUMNS} FROM release.release WHERE {which} ORDER BY requested_at DESC"  # noqa: S608  our own words
    with (
        desk.vault.connect("deep_steward") as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        return cursor.execute(query.encode(), values).fetchall()
