"""`aizu-vault prepare` and `renew-master`: the vault's database and keys are made, the key of all keys anew."""

from pathlib import Path

import click

from aizu_vault import prepare as prepared
from aizu_vault.console import folder_option, refusals
from aizu_vault.renewal import renew_master
from aizu_vault.settings import Places, check_folder


@click.command("prepare")
@folder_option
@click.option(
    "--admin",
    required=True,
    metavar="CONNINFO",
    help="サーバーと管理者。Server and superuser, as libpq reads it: `host=db.example.jp user=postgres`. "
    "Leave the password to PGPASSWORD or ~/.pgpass.",
)
@click.option(
    "--database", default=prepared.DATABASE, show_default=True, help="データベースの名前。Its name."
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
def prepare(folder: Path, admin: str, database: str, origin: str, token_key: Path) -> None:
    """保管庫のデータベースと鍵を用意する。何度実行してもよい。

    Make database, roles, tables, grants and keys, as far as they are missing.
    """
    with refusals():
        prepared.prepare(admin, folder, origin=origin, token_key=token_key, database=database)


@click.command("renew-master")
@folder_option
def renew(folder: Path) -> None:
    """すべての鍵を包む鍵を新しくする。消去の後に使う。

    Wrap all keys by a new master key and throw the old one away: what was copied before, with the keys of people
    erased since, opens nothing any more. Start the portal anew afterwards, and save the keys.
    """
    with refusals():
        places = Places(folder=folder)
        check_folder(places)
        renew_master(places)
