"""`aizu-vault register`, `recipient` and `agreement`: what the vault looks up, and what recipients are promised."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from aizu_vault.ages import JST
from aizu_vault.agreements import Agreement, Duty, Standing, State
from aizu_vault.cli_scope import DAY
from aizu_vault.console import CommandError, Desk, Words, at_desk, by_option
from aizu_vault.register import fulfil_obligation, set_standing
from aizu_vault.register_agreements import approve_agreement, turn_agreement
from aizu_vault.register_export import Said, as_yaml, read_all
from aizu_vault.register_file import load_register
from aizu_vault.stored_register import read_register
from aizu_vault.trees import Tree

RECIPIENTS = Words(
    "提供先,状態,国,担当者,果たすべき義務", "recipient,standing,country,members,owes"
)
AGREEMENTS = Words(
    "協定,状態,提供先,データ,目的,項目,開始,終了,申請,承認",
    "agreement,state,recipient,dataset,purpose,fields,from,until,asked by,approved by",
)


@click.group()
def register() -> None:
    """登録簿：木、データ、説明、提供先、協定。The register: trees, datasets, terms, recipients, agreements."""


@register.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@by_option
@at_desk
def load(desk: Desk, file: Path, by: str) -> None:
    """FILE（YAML）のとおりにする。消しはしない。もう一度実行しても何も変わらない。

    Bring the register to what FILE (YAML) says. Nothing is removed; running it again changes nothing.
    """
    with desk.vault.connect("deep_steward") as connection:
        done = load_register(connection, file, by=by)
    nothing = Words("変わったものはありません。", "Nothing has changed.")
    desk.answer({"changed": done}, *(done or (nothing,)))


@register.command("show")
@at_desk
def show_register(desk: Desk) -> None:
    """登録簿の概要。--json は全部。What is in the register, in short; all of it with --json."""
    with desk.vault.connect("deep_steward") as connection:
        said = read_all(connection)
    lines: list[str | Words] = []
    for tree in Tree if "trees" in said else ():
        lines += [f"{tree}:", *_branches(said["trees"][tree], None, "  ", desk.spoken)]
    for part in ("datasets", "terms", "recipients", "agreements"):
        lines.append(f"{part}: {', '.join(said[part])}")
    desk.answer(said, *lines)


@register.command()
@at_desk
def export(desk: Desk) -> None:
    """登録簿を、load が読む YAML として書く。Write the register as YAML, as `load` reads it."""
    with desk.vault.connect("deep_steward") as connection:
        said = read_all(connection)
    desk.answer(said, as_yaml(said).rstrip())


@click.group()
def recipient() -> None:
    """提供先：一覧、承認、停止、除名、義務。Recipients: their standing, and what they owe."""


@recipient.command("show")
@at_desk
def show_recipients(desk: Desk) -> None:
    """提供先の一覧。List recipients, and what each owes."""
    with desk.vault.connect("deep_steward") as connection:
        known = read_register(connection)
    owed = [one for one in known.obligations if one.fulfilled_at is None]
    lines = [
        {
            "recipient": one.recipient_id,
            "standing": one.standing.value,
            "country": one.country,
            "members": [member.user for member in one.members],
            "owes": [
                f"{x.duty} {x.due.astimezone(JST):%Y-%m-%d}"
                for x in owed
                if x.recipient_id == one.recipient_id
            ],
        }
        for _, one in sorted(known.recipients.items())
    ]
    desk.table(lines, RECIPIENTS)


@recipient.command()
@click.argument("recipient_id", metavar="RECIPIENT")
@click.argument("duty", type=click.Choice([duty.value for duty in Duty]))
@click.argument("due", type=DAY)
@by_option
@at_desk
def fulfil(desk: Desk, recipient_id: str, duty: str, due: datetime, by: str) -> None:
    """DUE までの義務が果たされたと記録する。Record that what was due then is done."""
    with desk.vault.connect("deep_steward") as connection:
        moment = due.replace(tzinfo=JST)
        fulfil_obligation(connection, recipient_id, Duty(duty), moment, by=by)
    desk.answer({"fulfilled": True}, Words("記録しました。", "Recorded."))


def _standing(name: str, standing: Standing, told: str) -> None:
    """A command that gives a recipient a standing."""

    @recipient.command(name, help=told)
    @click.argument("recipient_id", metavar="RECIPIENT")
    @by_option
    @at_desk
    def stood(desk: Desk, recipient_id: str, by: str) -> None:
        with desk.vault.connect("deep_steward") as connection:
            set_standing(connection, recipient_id, standing, by=by)
        desk.answer({"standing": standing}, _became(recipient_id, standing))


_standing(
    "approve", Standing.APPROVED, "承認する、または停止を解く。Approve it, or lift a suspension."
)
_standing("suspend", Standing.SUSPENDED, "すぐに止める。Suspend it; nothing goes to it any more.")
_standing("expel", Standing.EXPELLED, "除名する。戻れない。Expel it; it does not come back.")


@click.group()
def agreement() -> None:
    """協定：表示、提出、二人の承認、開始、停止、終了。Agreements, from submission to their end."""


@agreement.command("show")
@click.argument("agreement_id", metavar="[AGREEMENT]", required=False)
@at_desk
def show_agreement(desk: Desk, agreement_id: str | None) -> None:
    """協定の一覧。List agreements, or show one."""
    with desk.vault.connect("deep_steward") as connection:
        known = read_register(connection).agreements
    if agreement_id and agreement_id not in known:
        words = f"協定 {agreement_id} はありません。", f"there is no agreement {agreement_id!r}"
        raise CommandError(Words(*words))
    chosen = [known[agreement_id]] if agreement_id else [one for _, one in sorted(known.items())]
    desk.table([_line(one) for one in chosen], AGREEMENTS)


@agreement.command()
@click.argument("agreement_id", metavar="AGREEMENT")
@by_option
@at_desk
def approve(desk: Desk, agreement_id: str, by: str) -> None:
    """承認する。申請者以外の二人が要る。Approve; it takes two people other than who asked."""
    with desk.vault.connect("deep_steward") as connection:
        state = approve_agreement(connection, agreement_id, by=by)
    desk.answer({"state": state}, _became(agreement_id, state))


def _step(name: str, state: State, told: str) -> None:
    """A command that brings an agreement into a state."""

    @agreement.command(name, help=told)
    @click.argument("agreement_id", metavar="AGREEMENT")
    @by_option
    @at_desk
    def turned(desk: Desk, agreement_id: str, by: str) -> None:
        with desk.vault.connect("deep_steward") as connection:
            turn_agreement(connection, agreement_id, state, by=by)
        desk.answer({"state": state}, _became(agreement_id, state))


_step("submit", State.SUBMITTED, "承認を求める。Submit a draft for approval.")
_step("return", State.RETURNED, "直しを求めて戻す。Return it to be drawn up anew.")
_step("reject", State.REJECTED, "認めない。Reject it.")
_step("activate", State.ACTIVE, "開始、または再開する。Activate it, or go on after a suspension.")
_step("suspend", State.SUSPENDED, "すぐに止める。Suspend it; running releases stop at once.")
_step("close", State.CLOSED, "終える。Close it for good.")
_step("revoke", State.REVOKED, "取り消す。Revoke it for good.")


def _became(name: str, state: State | Standing) -> Words:
    return Words(f"{name} は {state} です。", f"{name} is {state}.")


def _line(one: Agreement) -> dict[str, Any]:
    return {
        "agreement": one.agreement_id,
        "state": one.state.value,
        "recipient": one.recipient_id,
        "dataset": one.dataset_id,
        "purpose": one.purpose,
        "fields": one.fields,
        "from": one.valid.start,
        "until": one.valid.end,
        "requester": one.requester,
        "approvers": one.approvers,
    }


def _branches(
    nodes: Mapping[str, Said], above: str | None, indent: str, spoken: str
) -> Iterator[str]:
    """A tree as lines, each below what it is in."""
    for code, node in nodes.items():
        if node.get("in") == above:
            yield f"{indent}{code}  {node.get('title_en' if spoken == 'en' else 'title_ja', '')}"
            yield from _branches(nodes, code, f"{indent}  ", spoken)
