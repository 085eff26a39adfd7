"""What the vault of the running portal knows of the readers: whose rows, who may receive them, who receives others."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from psycopg import Connection

from aizu_vault.agreements import Agreement, Dataset, Recipient, Standing, State, Terms
from aizu_vault.consent import Role, Scope, Subject
from aizu_vault.events import consents, record
from aizu_vault.intake import ingest
from aizu_vault.interval import ALWAYS
from aizu_vault.register import (
    add_member,
    add_recipient,
    add_terms,
    add_trees,
    end_member,
    put_dataset,
    set_standing,
)
from aizu_vault.register_agreements import approve_agreement, draft_agreement, turn_agreement
from aizu_vault.settings import Vault
from aizu_vault.stored_register import Described, read_register, read_trees
from aizu_vault.subjects import enrol, erase, link_login
from aizu_vault.trees import Node, Tree, Version

START = datetime(2026, 4, 1, tzinfo=UTC)
BORN = date(1980, 5, 5)
COLUMNS = {"at": "time", "word": "text"}
FIELDS = frozenset({"word"})
SAID = ("title_ja", "title_en", "legal_ground", "purpose_specified", "register_no")
TREES = (
    Node(tree=Tree.DATA, code="deep"),
    Node(tree=Tree.DATA, code="test", parent="deep"),
    Node(tree=Tree.PURPOSE, code="any"),
    Node(tree=Tree.PURPOSE, code="test", parent="any"),
    Node(tree=Tree.RECIPIENT, code="all"),
    Node(tree=Tree.RECIPIENT, code="near", parent="all"),
    Node(tree=Tree.RECIPIENT, code="far", parent="all"),
)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A dataset in the vault, of which somebody may have the rows of a person who consents.

    Attributes:
        persons: the citizen among the readers, and another one.
        receiver: whose members may have them.
    """

    vault: Vault
    name: str
    persons: tuple[uuid.UUID, uuid.UUID]
    agreement: str
    purpose: str
    receiver: str

    @contextmanager
    def employed(self, user: str) -> Iterator[None]:
        """For a while somebody works for the receiver."""
        with self.vault.connect("deep_steward") as steward:
            add_member(steward, self.receiver, user, ALWAYS, by="test")
            yield
            end_member(steward, self.receiver, user, by="test")


@contextmanager
def kept(
    vault: Vault, name: str, word: str, rows: int, *, citizen: str, other: str
) -> Iterator[Kept]:
    """Puts rows into the vault, every second of them with a word, and agrees on them.

    Args:
        vault: of the running portal.
        name: of the dataset, and of the agreement on it.
        word: in the rows of the person who is none of the readers.
        rows: how many.
        citizen: the account of the one whom the other rows are about.
        other: the account of somebody who may receive other data.
    """
    with vault.connect("deep_steward") as steward:
        newest = _trees(steward)
        near, far = _recipients(steward, newest)
        purpose = _leaf(newest, Tree.PURPOSE)
        persons = (uuid.uuid4(), uuid.uuid4())
        people = [Subject(subject_id=one, birth_date=BORN, synthetic=True) for one in persons]
        enrol(steward, vault.keys, people)
        link_login(steward, vault.keys, persons[0], citizen, 2)
        for dataset, receiver in ((name, near), (f"{name}-other", far)):
            _agree(steward, dataset, receiver, purpose, _leaf(newest, Tree.DATA))
        add_member(steward, far, other, ALWAYS, by="test")
        _fill(vault, name, persons, word, rows)
        found = Kept(
            vault=vault, name=name, persons=persons, agreement=name, purpose=purpose, receiver=near
        )
        _consent(found, newest)
        yield found
        end_member(steward, far, other, by="test")
        for dataset in (name, f"{name}-other"):
            turn_agreement(steward, dataset, State.CLOSED, by="test")
        for one in persons:
            erase(steward, vault.keys, one)


def _trees(steward: Connection[Any]) -> Version:
    """Those of the city; a vault without any gets some."""
    if not read_trees(steward).versions:
        add_trees(steward, 1, TREES, by="test")
    return read_trees(steward).versions[-1]


def _leaf(newest: Version, tree: Tree) -> str:
    return _leaves(newest, tree)[0]


def _leaves(newest: Version, tree: Tree) -> list[str]:
    return [
        node.code for node in newest.nodes if node.tree == tree and newest.is_leaf(tree, node.code)
    ]


def _recipients(steward: Connection[Any], newest: Version) -> list[str]:
    """Two that are approved."""
    known = read_register(steward).recipients
    for code in _leaves(newest, Tree.RECIPIENT):
        if code not in known:
            proposed = Recipient(recipient_id=code, standing=Standing.PROPOSED)
            add_recipient(steward, proposed, by="test")
            set_standing(steward, code, Standing.APPROVED, by="test")
    known = read_register(steward).recipients
    leaves = _leaves(newest, Tree.RECIPIENT)
    return [code for code in leaves if known[code].standing == Standing.APPROVED][:2]


def _agree(steward: Connection[Any], name: str, receiver: str, purpose: str, kind: str) -> None:
    """A dataset, what people are told of it, and an agreement on it that is active."""
    dataset = Dataset(dataset_id=name, data_class=kind, fields=FIELDS)
    said = dict.fromkeys(SAID, "試験")
    described = Described(dataset=dataset, privacy_level=4, columns=COLUMNS, **said)
    put_dataset(steward, described, by="test")
    add_terms(steward, Terms(terms_id=name, dataset_id=name, version=1), by="test")
    agreement = Agreement(
        agreement_id=name,
        recipient_id=receiver,
        dataset_id=name,
        purpose=purpose,
        fields=FIELDS,
        terms_id=name,
        valid=ALWAYS,
        requester="doctor",
    )
    draft_agreement(steward, agreement, by="test")
    turn_agreement(steward, name, State.SUBMITTED, by="doctor")
    for approver in ("mayor", "officer"):
        approve_agreement(steward, name, by=approver)
    turn_agreement(steward, name, State.ACTIVE, by="test")


def _fill(
    vault: Vault, name: str, persons: tuple[uuid.UUID, uuid.UUID], word: str, rows: int
) -> None:
    told = {
        "subject": [str(persons[row % 2]) for row in range(rows)],
        "at": [START + timedelta(minutes=row) for row in range(rows)],
        "word": [f"{word}-{row}" if row % 2 else "mine" for row in range(rows)],
    }
    ingest(vault, name, pl.DataFrame(told))


def _consent(found: Kept, newest: Version) -> None:
    """The one who is none of the readers consents."""
    person = found.persons[1]
    scope = Scope(
        data=_leaf(newest, Tree.DATA),
        purpose=found.purpose,
        recipient=found.receiver,
        fields=FIELDS,
        version=newest.number,
    )
    said = {"nonce": uuid.uuid4().hex, "actor": str(person), "role": Role.SELF}
    with found.vault.connect("deep_consent") as recorder:
        grant = consents(**said, terms=found.name, scope=scope, window=ALWAYS)
        record(recorder, found.vault.keys, person, grant)
