"""`aizu-vault consent`: what a person has said, and what they or those who may act for them say now.

For what reaches the city on paper or at a counter; each command records one event, which is in the person's log.
"""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import click
from psycopg import Connection

from aizu_vault.agreements import Agreement, Register, State
from aizu_vault.cli_scope import (
    DAY,
    PARTS,
    about,
    actor_of,
    agreed_by,
    agreed_or_all,
    as_whom,
    moment_of,
    person_of,
    scope_of,
)
from aizu_vault.consent import (
    Capacity,
    Cause,
    Change,
    Event,
    Objection,
    Person,
    Representation,
    RepresentationEnded,
    Scope,
    Turn,
)
from aizu_vault.console import Desk, Words, at_desk, subject_argument
from aizu_vault.events import Said, consents, entry_of, everything, record, withdraw
from aizu_vault.gate import Denial, decide
from aizu_vault.interval import ALWAYS, Interval
from aizu_vault.log.query import one_row
from aizu_vault.requests import ConsentRequest
from aizu_vault.stored_events import row_of
from aizu_vault.stored_register import read_register

HISTORY = Words(
    "番号,日時,だれが,何を,データ,目的,提供先,項目",
    "no,time,who,what,data,purpose,recipient,fields",
)
NOW = Words("協定,今渡る項目,渡らない理由", "agreement,fields that go now,why not")
REPORTED = [turn.value for turn in Turn if turn not in {Turn.FREEZE, Turn.UNFREEZE, Turn.MERGED}]


@click.group()
def consent() -> None:
    """同意：履歴、同意、反対、撤回、凍結、代理。Consent: history, grants, objections, freezing, representation."""


@consent.command()
@subject_argument
@at_desk
def show(desk: Desk, subject: UUID) -> None:
    """本人の同意の履歴と、いま渡るもの。What a person has said, and what goes now under each agreement."""
    person = person_of(desk, subject)
    with desk.vault.connect("deep_steward") as connection:
        register = read_register(connection)
        (now,) = one_row(connection, "SELECT audit.clock()")
    today = [
        _standing(one, person, register, now)
        for one in register.agreements.values()
        if one.state is State.ACTIVE
    ]
    if desk.as_json:
        history = [entry_of(subject, event).private for event in person.events]
        desk.answer({"events": history, "now": today})
        return
    desk.table([_line(event) for event in person.events], HISTORY)
    desk.table(today, NOW)


@consent.command()
@subject_argument
@about
@click.option("--terms", metavar="ID", help="示した説明。What the person was told.")
@click.option("--until", type=DAY, help="いつまで（その時刻を含まない）。Until, not included.")
@click.option("--since", type=DAY, help="いつからのデータか。Data from then on only.")
@click.option(
    "--future-members", is_flag=True, help="後から加わる提供先にも。Also who joins later."
)
@click.option("--assented", is_flag=True, help="子ども本人も賛成。The child agrees, too.")
@click.option("--representative", metavar="ID", help="代理人の ID。Who represents them.")
@at_desk
def grant(desk: Desk, subject: UUID, **said: Any) -> None:
    """本人または代理人の同意を記録する。Record that a person, or who represents them, consents.

    --agreement は範囲と説明を協定から取る。With --agreement, scope and terms are those of the agreement.
    """
    with desk.vault.connect("deep_consent") as connection:
        agreed, told = agreed_by(desk, said["agreement"])
        terms = said["terms"] or told
        if terms is None:
            raise click.UsageError("--terms か --agreement が要る。Give --terms or --agreement.")
        event = consents(
            end=moment_of(said["until"]),
            **actor_of(subject, said["representative"], None),
            scope=scope_of(connection, said, agreed),
            terms=terms,
            window=Interval(moment_of(said["since"])) if said["since"] else ALWAYS,
            future_members=said["future_members"],
            assented=said["assented"],
        )
        _record(desk, connection, subject, event)


@consent.command("object")
@subject_argument
@about
@as_whom
@click.option(
    "--cause",
    type=click.Choice([cause.value for cause in Cause if cause is not Cause.MERGED]),
    default=Cause.REFUSED.value,
    show_default=True,
    help="理由。Why.",
)
@at_desk
def object_to(
    desk: Desk,
    subject: UUID,
    cause: str,
    representative: str | None,
    authority: str | None,
    **said: Any,
) -> None:
    """反対を記録する。同じ範囲に改めて同意するまで続く。

    Record an objection. It lasts until a grant lifts just that; without a scope it is about everything.
    """
    with desk.vault.connect("deep_consent") as connection:
        scope = scope_of(connection, said, agreed_or_all(desk, connection, said["agreement"]))
        actor = actor_of(subject, representative, authority)
        event = partial(Objection, **actor, scope=scope, cause=Cause(cause))
        _record(desk, connection, subject, event)


@consent.command("withdraw")
@subject_argument
@about
@at_desk
def withdraw_one(desk: Desk, subject: UUID, **said: Any) -> None:
    """本人の撤回を記録する。範囲を言わなければ全部。終わったときには、もう何も渡らない。

    Withdraw in the person's name, everything unless a scope is given. When it ends, nothing of it goes any more.
    """
    with desk.vault.connect("deep_consent") as connection:
        scope = scope_of(connection, said, agreed_or_all(desk, connection, said["agreement"]))
        keys = desk.vault.keys
        recorded = withdraw(connection, keys, subject, nonce=str(uuid4()), scope=scope)
    desk.answer({"seq": recorded.seq, "leaf": recorded.leaf_index}, _told(recorded.seq))


def _turns(name: str, turn: Turn, told: str) -> None:
    """A command that records one turn."""

    @consent.command(name, help=told)
    @subject_argument
    @as_whom
    @at_desk
    def turned(
        desk: Desk, subject: UUID, representative: str | None, authority: str | None
    ) -> None:
        actor = actor_of(subject, representative, authority)
        with desk.vault.connect("deep_consent") as connection:
            _record(desk, connection, subject, partial(Change, **actor, turn=turn))


_turns("freeze", Turn.FREEZE, "すべて止める。Freeze: nothing goes, whatever was granted.")
_turns("unfreeze", Turn.UNFREEZE, "凍結を解く。Lift a freeze; what was granted counts again.")


@consent.command()
@subject_argument
@click.argument("turn", type=click.Choice(REPORTED), metavar="|".join(REPORTED))
@as_whom
@at_desk
def report(
    desk: Desk, subject: UUID, turn: str, representative: str | None, authority: str | None
) -> None:
    """死亡、転出などの届けを記録する。Record that somebody died, moved away and the like."""
    actor = actor_of(subject, representative, authority)
    with desk.vault.connect("deep_consent") as connection:
        _record(desk, connection, subject, partial(Change, **actor, turn=Turn(turn)))


@consent.command()
@subject_argument
@click.argument("representative", required=False)
@click.option("--authority", metavar="NAME", required=True, help="認めた役所。Who has decided it.")
@click.option(
    "--capacity",
    type=click.Choice([one.value for one in Capacity]),
    default=Capacity.PARENTAL.value,
    show_default=True,
    help="資格。By what right.",
)
@click.option("--until", type=DAY, help="いつまで。Until, not included.")
@click.option("--data", metavar="CODE", help="データの種類。Class of data; all if not given.")
@click.option("--purpose", metavar="CODE", help="目的。Purpose; all if not given.")
@click.option("--end", metavar="ID", help="この代理を終わらせる。End this representation instead.")
@at_desk
def represent(desk: Desk, subject: UUID, **said: Any) -> None:
    """REPRESENTATIVE が本人を代理できることを記録する。終わりは --end。

    Record that REPRESENTATIVE may act for a person; the answer tells its id, by which --end ends it.
    """
    if bool(said["representative"]) == bool(said["end"]):
        raise click.UsageError("REPRESENTATIVE か --end のどちらか。Give REPRESENTATIVE or --end.")
    actor = actor_of(subject, None, said["authority"])
    with desk.vault.connect("deep_consent") as connection:
        if said["end"]:
            event: Said = partial(RepresentationEnded, **actor, representation=said["end"])
        else:
            event = _representation(everything(connection), actor, said)
        _record(desk, connection, subject, event)


def _representation(whole: Scope, actor: dict[str, Any], said: dict[str, Any]) -> Said:
    def make(*, seq: int, recorded_at: datetime) -> Representation:
        return Representation(
            **actor,
            seq=seq,
            recorded_at=recorded_at,
            representation=actor["nonce"],
            representative=said["representative"],
            capacity=Capacity(said["capacity"]),
            data=said["data"] or whole.data,
            purpose=said["purpose"] or whole.purpose,
            version=whole.version,
            valid=Interval(recorded_at, moment_of(said["until"])),
        )

    return make


def _record(desk: Desk, connection: Connection[Any], subject: UUID, said: Said) -> None:
    recorded = record(connection, desk.vault.keys, subject, said)
    event = said(seq=recorded.seq, recorded_at=recorded.recorded_at)
    made: dict[str, Any] = {"seq": recorded.seq, "leaf": recorded.leaf_index}
    lines = [_told(recorded.seq)]
    if isinstance(event, Representation):
        made["representation"] = event.representation
        lines.append(Words(f"代理の ID：{event.representation}", f"Its id: {event.representation}"))
    desk.answer(made, *lines)


def _told(seq: int) -> Words:
    return Words(f"履歴の {seq} 番に記録しました。", f"Recorded as number {seq} of the history.")


def _line(event: Event) -> dict[str, Any]:
    """An event as people read it in a table."""
    row = row_of(UUID(int=0), event)
    what = " ".join(filter(None, (row["kind"], row.get("cause"), row.get("capacity"))))
    return {
        "seq": event.seq,
        "at": event.recorded_at,
        "who": event.role.value,
        "what": what,
        **{name: row.get(name) for name in PARTS[:3]},
        "fields": row.get("fields"),
    }


def _standing(
    agreement: Agreement, person: Person, register: Register, now: datetime
) -> dict[str, Any]:
    """What an agreement would have of a person now, if one of the recipient's people asked."""
    recipient = register.recipients[agreement.recipient_id]
    user = next((one.user for one in recipient.members if now in one.valid), "")
    request = ConsentRequest(
        user=user,
        fields=agreement.fields,
        at=now,
        agreement_id=agreement.agreement_id,
        receiver=agreement.recipient_id,
        purpose=agreement.purpose,
    )
    decision = decide(request, person, register)
    if isinstance(decision, Denial):
        fields, reason = [], decision.reason.value
    else:
        fields, reason = sorted(decision.windows), None
    return {"agreement": agreement.agreement_id, "fields": fields, "reason": reason}
