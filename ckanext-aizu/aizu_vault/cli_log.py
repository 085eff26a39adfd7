"""`aizu-vault log`: the newest signed head, a check of the whole log, and one person's proof."""

import json
from pathlib import Path
from uuid import UUID

import click

from aizu_vault.console import (
    CommandError,
    Desk,
    Words,
    as_cell,
    at_desk,
    by_option,
    confirm,
    subject_argument,
)
from aizu_vault.key_files import write_private
from aizu_vault.log.bundles import make_bundle
from aizu_vault.log.heads import newest_head
from aizu_vault.log.verify import verify_log
from aizu_vault.restored import go_on

SHOWN = 20


@click.group()
def log() -> None:
    """利用記録：署名、検証、本人の証明。The log: its signed head, its verification, a person's proof."""


@log.command()
@click.option("--sign", is_flag=True, help="今の記録に署名する。Sign the log as it is now.")
@at_desk
def head(desk: Desk, sign: bool) -> None:
    """署名された最新の先頭と、確かめるための公開鍵。The newest signed head, and the key to check it by."""
    signer = desk.vault.signer
    with desk.vault.connect("deep_signer") as connection:
        found = signer.sign_head(connection) if sign else newest_head(connection, signer.trusted)
    if found is None:
        raise CommandError(
            Words(
                "まだ署名がありません。--sign で署名します。",
                "nothing is signed yet; --sign signs it",
            )
        )
    said = {
        "size": found.checkpoint.size,
        "root": found.checkpoint.root.hex(),
        "signed_at": found.signed_at,
        "note": found.note,
        "key": str(signer.trusted),
    }
    desk.answer(said, found.note.rstrip(), "", Words("公開鍵：", "Key:"), str(signer.trusted))


@log.command()
@click.argument("heads", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@at_desk
def verify(desk: Desk, heads: tuple[Path, ...]) -> None:
    """記録全体を先頭から確かめる。HEADS は外で保存した署名。改ざんがあれば終了コード 1。

    Check the whole log, leaf by leaf. HEADS are signed heads kept elsewhere. Exit code 1: it was altered.
    """
    kept = [path.read_text(encoding="utf-8") for path in heads]
    if desk.vault.places.last_head.exists():
        kept.append(desk.vault.places.last_head.read_text(encoding="utf-8"))
    with desk.vault.connect("deep_audit") as connection:
        audit = verify_log(connection, desk.vault.signer.trusted, kept)
    desk.answer(
        {"leaves": audit.leaves, "findings": audit.findings},
        Words(f"{audit.leaves:,} 件を確かめました。", f"{audit.leaves:,} leaves were checked."),
        *audit.findings[:SHOWN],
    )
    if audit.findings:
        number = len(audit.findings)
        raise CommandError(
            Words(f"記録に {number:,} 件の異常があります。", f"the log has {number:,} faults")
        )


@log.command()
@subject_argument
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="ファイル。File."
)
@click.option(
    "--since", type=int, metavar="SIZE", help="前の証明の大きさ。Size of an earlier proof's head."
)
@at_desk
def bundle(desk: Desk, subject: UUID, out: Path, since: int | None) -> None:
    """本人に渡す証明のファイルを書く。本人の鍵が入っているので本人以外に渡さない。

    Write a person's proof, which scripts/verify_log.py checks. The person's key is in it: give it to nobody else.
    """
    key = desk.vault.keys.read([subject]).get(subject)
    if key is None:
        raise CommandError(Words("その人の鍵がありません。", "the person has no key"))
    with desk.vault.connect("deep_audit") as connection:
        made = make_bundle(connection, desk.vault.signer, subject, key.log, since=since)
    write_private(out, json.dumps(made, ensure_ascii=False, indent=1).encode())
    entries = len(made["entries"])
    words = Words(f"{entries:,} 件の記録を {out} に書きました。", f"{entries:,} entries in {out}.")
    desk.answer({"file": out, "entries": entries}, words)


@log.command()
@by_option
@click.option("--yes", is_flag=True, help="尋ねない。Do not ask.")
@at_desk
def restored(desk: Desk, by: str, yes: bool) -> None:
    """バックアップから戻した後に提供を再開する。戻したことが利用記録に残る。

    Release again after a restore: what people said since the backup is not in the vault. Tell them first, and stop for
    those who withdrew since. That it was restored stands in the log from then on.
    """
    question = Words(
        "バックアップの後の同意と停止はここにありません。その間に停止した人のデータも、再び渡されます。続けますか？",
        "What was said since the backup is not here: data of people who withdrew since will go again. Go on?",
    )
    confirm(question, yes=yes)
    done = go_on(desk.vault, by=by)
    said = {
        "since": done.since,
        "signed": done.signed and done.signed.size,
        "size": done.head.checkpoint.size,
    }
    since = as_cell(done.since) or "?"
    words = Words(
        f"{since} までの記録で再開しました。利用記録は {done.head.checkpoint.size:,} 件です。",
        f"Released again, with what was said until {since}. The log has {done.head.checkpoint.size:,} leaves.",
    )
    desk.answer(said, words)
