"""Who is in the vault: persons and their keys, the logins and codes by which they act, their erasure and merging."""

from __future__ import annotations

import base64
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from aizu_vault.acts import Acts, has_refused_emergencies, is_frozen
from aizu_vault.consent import Change, Role, Subject, Turn, merged
from aizu_vault.events import all_datasets, record_all
from aizu_vault.fence import close_fences
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry
from aizu_vault.log.query import one_row, rows
from aizu_vault.stored_events import read_people
from aizu_vault.stored_register import read_datasets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from aizu_vault.consent import Person
    from aizu_vault.events import Said
    from aizu_vault.keys import KeyStore

_CODE_BYTES: Final = 16
_GROUP: Final = 4
# Base32 has neither of these digits: they were misread.
_MISREAD: Final = str.maketrans("018", "OIB")

_ERASE: Final = """
    UPDATE consent.subject SET erased = true, birth_date = date_trunc('year', birth_date)
    WHERE subject_id = %s AND NOT erased
    RETURNING subject_id
"""


class SubjectError(ValueError):
    """What is asked cannot be done for this person; the message does not say who it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """For whom a login acts.

    Attributes:
        assurance: how well it was proven who logs in, from 1 to 3.
    """

    subject_id: UUID
    assurance: int


def enrol(connection: Connection[Any], keys: KeyStore, subjects: Sequence[Subject]) -> None:
    """Takes persons into the vault, all or none: a key for each, and the first entry of each one's log.

    Raises:
        SubjectError: one is there already, or invented people would come among real ones.
        ErasedError: one was there and was erased.
    """
    log_keys = {one: key.log for one, key in keys.create(s.subject_id for s in subjects).items()}
    try:
        with connection.transaction():
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO consent.subject (subject_id, birth_date, synthetic)"
                    " VALUES (%s, %s, %s)",
                    [(one.subject_id, one.birth_date, one.synthetic) for one in subjects],
                )
            append(connection, log_keys, [Entry(kind="enrolment", person=one) for one in log_keys])
    except psycopg.errors.UniqueViolation:
        raise SubjectError("a person is in the vault already") from None
    except psycopg.errors.CheckViolation:
        raise SubjectError("a vault holds invented people or real ones, never both") from None


def link_login(
    connection: Connection[Any], keys: KeyStore, subject: UUID, login: str, assurance: int
) -> None:
    """Lets a login act for a person; a login acts for one person only.

    Raises:
        SubjectError: it acts for somebody, the person is not in the vault, or there is no such assurance.
    """
    said = {"login": login, "assurance": assurance}
    try:
        with connection.transaction():
            log_keys = _present(connection, keys, subject)
            connection.execute(
                "INSERT INTO ident.subject_link (login, subject_id, assurance) VALUES (%s, %s, %s)",
                (login, subject, assurance),
            )
            append(connection, log_keys, [Entry(kind="login", person=subject, private=said)])
    except psycopg.errors.UniqueViolation:
        raise SubjectError("the login acts for somebody already") from None
    except psycopg.errors.CheckViolation:
        raise SubjectError(f"expected an assurance from 1 to 3, and not {assurance}") from None


def subject_of_login(connection: Connection[Any], login: str) -> Link | None:
    """For whom a login acts."""
    found = one_row(connection, "SELECT * FROM ident.subject_of_login(%s)", (login,))
    subject_id, assurance = found
    return None if subject_id is None else Link(subject_id=subject_id, assurance=assurance)


def make_withdrawal_code(connection: Connection[Any], keys: KeyStore, subject: UUID) -> str:
    """A code by which a person withdraws without a login; earlier ones are good no more.

    It is told once: the vault keeps its hash, which nobody can try out, since 128 random bits are in it.

    Raises:
        SubjectError: the person is not in the vault.
    """
    code = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().rstrip("=")
    with connection.transaction():
        log_keys = _present(connection, keys, subject)
        connection.execute(
            "UPDATE ident.withdrawal_code SET revoked_at = audit.clock()"
            " WHERE subject_id = %s AND revoked_at IS NULL",
            (subject,),
        )
        connection.execute(
            "INSERT INTO ident.withdrawal_code (code_hash, subject_id) VALUES (%s, %s)",
            (_hashed(code), subject),
        )
        append(connection, log_keys, [Entry(kind="withdrawal-code", person=subject)])
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def subject_of_code(connection: Connection[Any], code: str) -> UUID | None:
    """Whose withdrawal code it is, however it was typed: small, wide, with or without hyphens."""
    (found,) = one_row(connection, "SELECT ident.subject_of_code(%s)", (_hashed(code),))
    subject: UUID | None = found
    return subject


def erase(connection: Connection[Any], keys: KeyStore, subject: UUID) -> None:
    """Destroys a person's key: their data and their entries in the log open no more, in no backup either.

    Logins and codes go, and of the birthday the year stays. Asked for again it finishes what was interrupted.

    Raises:
        SubjectError: the person is not in the vault.
    """
    with connection.transaction():
        close_fences(connection, all_datasets(connection))
        if not rows(connection, "SELECT FROM consent.subject WHERE subject_id = %s", (subject,)):
            raise SubjectError("the person is not in the vault")
        if rows(connection, _ERASE, (subject,)):
            connection.execute("DELETE FROM ident.subject_link WHERE subject_id = %s", (subject,))
            connection.execute(
                "DELETE FROM ident.withdrawal_code WHERE subject_id = %s", (subject,)
            )
            log_keys = {one: key.log for one, key in keys.read([subject]).items()}
            # Without a key, an earlier attempt got as far as the next line, and nobody can be named any more.
            append(connection, log_keys, [Entry(kind="erasure", person=next(iter(log_keys), None))])
        # Before the commit, so that what the log calls erased is. Should the commit fail, the blocks are closed.
        keys.destroy(subject)


def merge(
    recorder: Connection[Any],
    steward: Connection[Any],
    keys: KeyStore,
    *,
    survivor: UUID,
    duplicate: UUID,
    authority: str,
) -> None:
    """Makes one of two records of the same person: objections and freezing of both count, grants of the survivor alone.

    The logins and withdrawal codes of the duplicate act for the survivor from then on. Asked for again it finishes
    what was interrupted.

    Raises:
        SubjectError: they are the same, or one is not in the vault.
        HistoryError: one was erased.
    """
    if survivor == duplicate:
        raise SubjectError("expected two records, and not the same one twice")
    with recorder.transaction():
        close_fences(recorder, all_datasets(recorder))
        rows(recorder, "SELECT FROM consent.take_turns(%s::uuid[])", ([survivor, duplicate],))
        record_all(recorder, keys, _merging(recorder, survivor, duplicate, authority))
    with steward.transaction():
        for table in ("subject_link", "withdrawal_code"):
            statement = sql.SQL("UPDATE ident.{} SET subject_id = %s WHERE subject_id = %s")
            steward.execute(statement.format(sql.Identifier(table)), (survivor, duplicate))


def _merging(
    connection: Connection[Any], survivor: UUID, duplicate: UUID, authority: str
) -> list[tuple[UUID, Said]]:
    """What is recorded: all that the duplicate's history holds against releases, and that it is a duplicate."""
    people = read_people(connection, (survivor, duplicate))
    if set(people) != {survivor, duplicate}:
        raise SubjectError("a person is not in the vault")
    (now,) = one_row(connection, "SELECT audit.clock()")
    whole = merged(people[survivor], people[duplicate], now, authority)
    added: list[Said] = [
        partial(replace, event) for event in whole.events[len(people[survivor].events) :]
    ]
    change = partial(Change, actor=authority, role=Role.AUTHORITY)
    if _is_frozen(connection, people[duplicate]):
        added.append(partial(change, nonce=f"merged-{duplicate}-freeze", turn=Turn.FREEZE))
    if has_refused_emergencies(people[duplicate].events):
        own = partial(change, actor=str(survivor), role=Role.SELF, turn=Turn.EMERGENCY_REFUSED)
        added.append(partial(own, nonce=f"merged-{duplicate}-emergency"))
    became = partial(change, nonce=f"merged-into-{survivor}", turn=Turn.MERGED)
    return [*((survivor, said) for said in added), (duplicate, became)]


def _is_frozen(connection: Connection[Any], person: Person) -> bool:
    """For any dataset: at which age somebody lifts what is frozen is said by each."""
    datasets = read_datasets(connection).values()
    return any(
        is_frozen(Acts(person=person, dataset=one, events=person.events)) for one in datasets
    )


def _present(connection: Connection[Any], keys: KeyStore, subject: UUID) -> dict[UUID, bytes]:
    """The key of the person's log, while nobody erases them."""
    query = "SELECT FROM consent.subject WHERE subject_id = %s AND NOT erased FOR SHARE"
    known = keys.read([subject])
    if not known or not rows(connection, query, (subject,)):
        raise SubjectError("the person is not in the vault, or was erased")
    return {one: key.log for one, key in known.items()}


def _hashed(code: str) -> bytes:
    typed = unicodedata.normalize("NFKC", code).upper().translate(_MISREAD)
    letters = "".join(letter for letter in typed if letter.isascii() and letter.isalnum())
    return hashlib.sha256(b"aizu withdrawal code\0" + letters.encode()).digest()
