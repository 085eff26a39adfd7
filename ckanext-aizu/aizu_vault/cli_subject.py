"""`aizu-vault subject`: who is in the vault, by which login or code they act, and their erasure."""

from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import click

from aizu_vault.ages import MAJORITY, attains
from aizu_vault.cli_release import as_file, hand_over
from aizu_vault.cli_scope import person_of
from aizu_vault.consent import Subject
from aizu_vault.console import (
    CommandError,
    Desk,
    Words,
    as_cell,
    at_desk,
    confirm,
    subject_argument,
)
from aizu_vault.log.query import one_row
from aizu_vault.subjects import enrol, erase, link_login, make_withdrawal_code
from aizu_vault.wishes import own_wish_of


@click.group()
def subject() -> None:
    """本人：登録、ログイン、停止コード、消去。Persons: enrolment, logins, codes, erasure."""


@subject.command("enrol")
@click.option(
    "--born",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="生年月日。Date of birth.",
)
@click.option("--id", "subject", type=click.UUID, help="決まった ID。An id that is given already.")
@click.option("--synthetic", is_flag=True, help="架空の人。An invented person.")
@at_desk
def enrol_one(desk: Desk, born: datetime, subject: UUID | None, synthetic: bool) -> None:
    """保管庫に人を登録し、その人の鍵を作る。Take a person into the vault, with a key; print the id."""
    made = Subject(subject_id=subject or uuid4(), birth_date=born.date(), synthetic=synthetic)
    with desk.vault.connect("deep_steward") as connection:
        enrol(connection, desk.vault.keys, [made])
    desk.answer({"subject": made.subject_id}, str(made.subject_id))


@subject.command("show")
@subject_argument
@at_desk
def show_one(desk: Desk, subject: UUID) -> None:
    """保管庫がその人について知ること。データは開かない。What is known of a person; opens no data."""
    person = person_of(desk, subject)
    with desk.vault.connect("deep_steward") as connection:
        (now,) = one_row(connection, "SELECT audit.clock()")
        query = "SELECT count(*) FROM ident.subject_link WHERE subject_id = %s"
        (logins,) = one_row(connection, query, (subject,))
        query = (
            "SELECT count(*) FROM ident.withdrawal_code"
            " WHERE subject_id = %s AND revoked_at IS NULL"
        )
        (codes,) = one_row(connection, query, (subject,))
    known = person.subject
    said = {
        "subject": subject,
        "birth_date": known.birth_date,
        "of_age": attains(known.birth_date, MAJORITY) <= now,
        "synthetic": known.synthetic,
        "erased": known.erased,
        "events": len(person.events),
        "logins": logins,
        "withdrawal_codes": codes,
    }
    names = Words(
        "ID,生年月日,成年,架空,消去済み,同意の記録,ログイン,有効な停止コード",
        "id,born,of age,invented,erased,events,logins,withdrawal codes",
    ).said(desk.spoken)
    lines = zip(names.split(","), map(as_cell, said.values()), strict=True)
    desk.answer(said, *(f"{name}: {value}" for name, value in lines))


@subject.command()
@subject_argument
@click.argument("login")
@click.option(
    "--assurance",
    type=click.IntRange(1, 3),
    default=1,
    show_default=True,
    help="本人確認の強さ。How well it was proven who logs in.",
)
@at_desk
def link(desk: Desk, subject: UUID, login: str, assurance: int) -> None:
    """ポータルの利用者 LOGIN（ID）が本人として振る舞えるようにする。Let a portal user's id act for a person."""
    with desk.vault.connect("deep_steward") as connection:
        link_login(connection, desk.vault.keys, subject, login, assurance)
    desk.answer({"linked": True}, Words("結び付けました。", "Linked."))


@subject.command()
@subject_argument
@at_desk
def code(desk: Desk, subject: UUID) -> None:
    """ログインせずに止められるコードを作る。前のコードは使えなくなる。

    Make a code to withdraw without a login. It is shown once; earlier ones are good no more.
    """
    with desk.vault.connect("deep_steward") as connection:
        made = make_withdrawal_code(connection, desk.vault.keys, subject)
    desk.answer({"code": made}, made)


@subject.command("erase")
@subject_argument
@click.option("--yes", is_flag=True, help="尋ねない。Do not ask.")
@at_desk
def erase_one(desk: Desk, subject: UUID, yes: bool) -> None:
    """本人の鍵を壊す。データはバックアップからも二度と読めない。取り消せない。

    Destroy a person's key: the data open no more, in no backup either. It cannot be undone.
    """
    if person_of(desk, subject).subject.erased:
        raise CommandError(Words("すでに消去されています。", "the person was erased already"))
    question = Words(
        f"{subject} の鍵を壊します。データは二度と読めません。続けますか？",
        f"This destroys the key of {subject}; the data open no more. Go on?",
    )
    confirm(question, yes=yes)
    with desk.vault.connect("deep_steward") as connection:
        erase(connection, desk.vault.keys, subject)
    desk.answer({"erased": True}, Words("消去しました。", "Erased."))


@subject.command()
@subject_argument
@click.argument("dataset")
@as_file
@at_desk
def export(
    desk: Desk, subject: UUID, dataset: str, fields: tuple[str, ...], form: str, out: Path | None
) -> None:
    """本人に渡す、本人のデータ。A person's own data, for that person; it is logged as their own release."""
    said = {"dataset": dataset, "format": form, **({"fields": [*fields]} if fields else {})}
    hand_over(desk, str(subject), own_wish_of(said), out)
