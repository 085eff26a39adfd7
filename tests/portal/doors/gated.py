"""A signpost in the catalogue whose rows lie in the vault of the running portal, every one of them a canary."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from psycopg import Connection

from aizu_vault.agreements import Dataset
from aizu_vault.consent import Subject
from aizu_vault.intake import ingest
from aizu_vault.register import add_trees, put_dataset
from aizu_vault.settings import Vault
from aizu_vault.stored_register import Described, read_trees
from aizu_vault.subjects import enrol, erase, link_login
from aizu_vault.trees import Node, Tree
from tests.portal.conftest import Portal
from tests.unit.deep.described import SIGNPOST

from .datasets import canaries, values
from .people import People
from .walk import Target

START = datetime(2026, 4, 1, tzinfo=UTC)
BORN = date(1980, 5, 5)
COLUMNS = {"at": "time", "word": "text"}
SAID = ("title_ja", "title_en", "legal_ground", "purpose_specified", "register_no")
TREES = (
    Node(tree=Tree.DATA, code="deep"),
    Node(tree=Tree.DATA, code="test", parent="deep"),
    Node(tree=Tree.PURPOSE, code="any"),
    Node(tree=Tree.RECIPIENT, code="all"),
)


@contextmanager
def signpost(portal: Portal, people: People) -> Iterator[Target]:
    """A dataset of deep data with rows of two persons, of whom the first is the citizen among the readers.

    `word` is what attempts to put something behind it carry.
    """
    vault = Vault.open(portal.var / "vault")
    persons = [uuid.uuid4(), uuid.uuid4()]
    words = canaries("cell", "count", "tried")
    name, title = f"test-{uuid.uuid4().hex[:8]}", f"扉{uuid.uuid4().hex[:6]}"
    citizen = people["citizen"].api.user_show()["id"]
    with vault.connect("deep_steward") as steward:
        put_dataset(steward, _described(steward, name), by="test")
        enrol(steward, vault.keys, [Subject(subject_id=one, birth_date=BORN) for one in persons])
        link_login(steward, vault.keys, persons[0], citizen, 2)
        _fill(vault, name, [str(one) for one in persons], words)
        dataset = people["editor"].api.package_create(
            name=name,
            title=title,
            notes="試験",
            tags=[{"name": title}],
            license_id="other-closed",
            owner_org=people.department,
            resources=[SIGNPOST | {"deep_dataset": name}],
        )
        (own,) = dataset["resources"]
        secrets = words | {"person": str(persons[1]), "folder": str(vault.places.folder).lower()}
        places = {f"{kind}_id": [own["id"]] for kind in ("table", "file", "link")}
        places |= {"filename": ["list.csv"], "word": [words["tried"]]}
        yield Target(
            canaries=secrets,
            values=values(people, dataset, title, places),
        )
        for one in persons:
            erase(steward, vault.keys, one)


def _described(steward: Connection[Any], name: str) -> Described:
    """Of a class of data that the city has; a vault without any gets one."""
    if not read_trees(steward).versions:
        add_trees(steward, 1, TREES, by="test")
    newest = read_trees(steward).versions[-1]
    leaf = next(
        node.code
        for node in newest.nodes
        if node.tree == Tree.DATA and newest.is_leaf(Tree.DATA, node.code)
    )
    return Described(
        dataset=Dataset(dataset_id=name, data_class=leaf, fields=frozenset({"word"})),
        privacy_level=4,
        columns=COLUMNS,
        **dict.fromkeys(SAID, "試験"),
    )


def _fill(vault: Vault, name: str, persons: list[str], words: dict[str, str]) -> None:
    rows = range(int(words["count"]))
    told = {
        "subject": [persons[row % 2] for row in rows],
        "at": [START + timedelta(minutes=row) for row in rows],
        "word": ["mine" if row % 2 == 0 else f"{words['cell']}-{row}" for row in rows],
    }
    ingest(vault, name, pl.DataFrame(told))
