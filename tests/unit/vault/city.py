"""The small city of the gate's tests, in a vault: trees, two hospitals, an agreement, five people."""

from contextlib import ExitStack
from datetime import date
from functools import cached_property, partial
from uuid import UUID

import psycopg

from aizu_vault.agreements import Standing, State
from aizu_vault.consent import Cause, Change, Objection, Role, Scope, Subject
from aizu_vault.events import consents, record, record_all
from aizu_vault.gate import Permit
from aizu_vault.gate_set import decide_all
from aizu_vault.register import (
    add_member,
    add_recipient,
    add_terms,
    add_trees,
    put_dataset,
    set_standing,
)
from aizu_vault.register_agreements import approve_agreement, draft_agreement, turn_agreement
from aizu_vault.stored_register import Described
from aizu_vault.subjects import enrol
from tests.unit.gate.stage import FIELDS, asks, register

PEOPLE = tuple(UUID(int=number) for number in range(1, 6))
BORN = date(1980, 5, 5)
COLUMNS = {"time": "time", "heart": "integer", "steps": "integer"}


def described(dataset, **changes):
    """A dataset with what everybody is told of it."""
    said = {
        "dataset": dataset,
        "title_ja": "からだの記録",
        "title_en": "Vital signs",
        "privacy_level": 3,
        "legal_ground": "個人情報の保護に関する法律第61条",
        "purpose_specified": "市民の健康づくり",
        "register_no": "健-1",
        "columns": COLUMNS,
    }
    return Described(**said | changes)


def settle(vault):
    """Fills an empty vault."""
    stage = register()
    with vault.connect("deep_steward") as steward:
        put = partial(_put, steward)
        for one in stage.taxonomy.versions:
            add_trees(steward, one.number, one.nodes, since=one.since, by="clerk")
        put(put_dataset, *map(described, stage.datasets.values()))
        put(add_terms, *stage.terms.values())
        put(add_recipient, *stage.recipients.values())
        for name in stage.recipients:
            set_standing(steward, name, Standing.APPROVED, by="clerk")
            for member in stage.recipients[name].members:
                add_member(steward, name, member.user, member.valid, by="clerk")
        put(draft_agreement, *stage.agreements.values())
        turn_agreement(steward, "deal", State.SUBMITTED, by="doctor")
        approve_agreement(steward, "deal", by="mayor")
        approve_agreement(steward, "deal", by="officer")
        turn_agreement(steward, "deal", State.ACTIVE, by="clerk")
        people = [Subject(subject_id=one, birth_date=BORN) for one in PEOPLE]
        enrol(steward, vault.keys, people)


def _put(steward, change, *values):
    for value in values:
        change(steward, value, by="clerk")


class City(ExitStack):
    """A vault with the small city, and connections for who acts."""

    def __init__(self, vault):
        super().__init__()
        self.vault, self.keys = vault, vault.keys

    @cached_property
    def steward(self):
        """Who keeps the register and who is who."""
        return self.connect("deep_steward")

    @cached_property
    def recorder(self):
        """Who records what people say."""
        return self.connect("deep_consent")

    @cached_property
    def release(self):
        """Who releases."""
        return self.connect("deep_release")

    def connect(self, role):
        """A connection that is closed with the city."""
        return self.enter_context(self.vault.connect(role))

    def admin(self):
        """A connection as superuser."""
        opened = psycopg.connect(self.vault.address, user="postgres", autocommit=True)
        return self.enter_context(opened)

    def record(self, subject, said):
        """One event."""
        return record(self.recorder, self.keys, subject, said)

    def record_all(self, *sayings):
        """Several, together."""
        return record_all(self.recorder, self.keys, sayings)

    def fields(self, subject, **changes):
        """Which fields of the person's data may go to the northern hospital now."""
        (now,) = self.release.execute("SELECT audit.clock()").fetchone()
        with self.release.cursor() as cursor:
            found = decide_all(cursor, asks(now, **changes), [subject])[subject]
        return frozenset(found.windows) if isinstance(found, Permit) else str(found.reason)

    def count(self, table):
        """How many lines a table has."""
        with self.vault.connect("deep_audit" if table.startswith("audit") else "deep_steward") as c:
            return c.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def scope(**changes):
    """Research of all hospitals."""
    usual = {"data": "vitals", "purpose": "research", "recipient": "hospitals", "version": 1}
    return Scope(**usual | {"fields": FIELDS} | changes)


def yes(subject, nonce="yes", **changes):
    """The person consents from now on."""
    about = {name: changes.pop(name) for name in list(changes) if name in Scope.__annotations__}
    said = {"nonce": nonce, "actor": str(subject), "role": Role.SELF, "terms": "terms-1"}
    return consents(**said | changes, scope=scope(**about))


def no(subject, nonce="no", **changes):
    """The person objects."""
    about = {name: changes.pop(name) for name in list(changes) if name in Scope.__annotations__}
    said = {"nonce": nonce, "actor": str(subject), "role": Role.SELF, "cause": Cause.WITHDRAWN}
    return partial(Objection, **said | changes, scope=scope(**about))


def turn(turned, nonce="turn", by="city", role=Role.AUTHORITY):
    """Something happens to a person."""
    return partial(Change, nonce=nonce, actor=by, role=role, turn=turned)
