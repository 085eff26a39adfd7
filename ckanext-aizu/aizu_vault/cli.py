"""The `aizu-vault` command: what an operator and a steward of deep data do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from aizu_vault.key_files import KeysError
from aizu_vault.prepare import DATABASE, prepare
from aizu_vault.settings import FOLDER_VARIABLE, UnreachableError, VaultError

UNUSABLE, UNREACHABLE = 2, 4

folder_option = click.option(
    "--folder",
    envvar=FOLDER_VARIABLE,
    show_envvar=True,
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="保管庫のフォルダー。Folder of the vault: address, passwords, keys.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aizu-portal")
def cli() -> None:
    """本人の同意で渡すデータの保管庫。

    The vault of deep data, which leaves only by the will of those it is about.

    Exit codes: 0 done, 2 usage, folder or keys, 4 database unreachable.
    """


@contextmanager
def refusals() -> Iterator[None]:
    """Says on standard error what cannot be done, and ends with the code for it."""
    try:
        yield
    except (KeysError, VaultError) as error:
        click.echo(f"aizu-vault: {error}", err=True)
        sys.exit(UNREACHABLE if isinstance(error, UnreachableError) else UNUSABLE)


@cli.command("prepare")
@folder_option
@click.option(
    "--admin",
    required=True,
    metavar="CONNINFO",
    help="サーバーと管理者。Server and superuser, as libpq reads it: `host=db.example.jp user=postgres`. "
    "Leave the password to PGPASSWORD or ~/.pgpass.",
)
@click.option(
    "--database", default=DATABASE, show_default=True, help="データベースの名前。Its name."
)
@click.option(
    "--origin",
    required=True,
    help="利用記録の名前。Name of the log, an address without https://; it is kept once there is one.",
)
@click.option(
    "--token-key",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="ポータルの署名鍵のファイル。File of the key by which the portal signs its tokens; made if there is none.",
)
def prepare_vault(folder: Path, admin: str, database: str, origin: str, token_key: Path) -> None:
    """保管庫のデータベースと鍵を用意する。何度実行してもよい。

    Make database, roles, tables, grants and keys, as far as they are missing.
    """
    with refusals():
        prepare(admin, folder, origin=origin, token_key=token_key, database=database)
