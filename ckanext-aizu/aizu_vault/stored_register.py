"""The register as the vault's database holds it: trees, datasets, terms, recipients, agreements, obligations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import dict_row

from aizu_vault.agreements import (
    Agreement,
    Dataset,
    Duty,
    Membership,
    Obligation,
    Recipient,
    Register,
    RowOwners,
    Standing,
    State,
    Terms,
)
from aizu_vault.blocks import Layout
from aizu_vault.log.query import rows
from aizu_vault.stored_events import as_interval, as_range
from aizu_vault.trees import Node, Taxonomy, Tree, Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString

    from psycopg import Connection

Row = dict[str, Any]

_RULES: Final = (
    "dataset_id", "data_class", "fields", "row_owners", "self_consent_age", "assent_age",
    "emergency_recipients", "emergency_fields",
)  # fmt: skip
_TOLD: Final = (
    "title_ja", "title_en", "privacy_level", "legal_ground", "purpose_specified", "register_no",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Described:
    """A dataset with what everybody is told of it, and the columns of its rows.

    Attributes:
        privacy_level: from 0, open statistics, to 4, medical records.
        legal_ground: on which the city holds the data.
        purpose_specified: for which it holds them.
        register_no: in the city's register of personal information files.
        columns: names and kinds (time, integer, number, text); the first is the time of the row.
    """

    dataset: Dataset
    title_ja: str
    title_en: str
    privacy_level: int
    legal_ground: str
    purpose_specified: str
    register_no: str
    columns: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much may go under an agreement; None is without bound."""

    rows_per_day: int | None = None
    persons: int | None = None


def read_register(connection: Connection[Any]) -> Register:
    """Everything a decision looks up."""
    members = defaultdict(list)
    for row in _all(connection, "SELECT * FROM consent.recipient_member"):
        one = Membership(user=row["user_id"], valid=as_interval(row["valid"]))
        members[row["recipient_id"]].append(one)
    return Register(
        taxonomy=read_trees(connection),
        datasets=read_datasets(connection),
        terms={
            row["terms_id"]: Terms(**row) for row in _all(connection, "SELECT * FROM consent.terms")
        },
        recipients={
            row["recipient_id"]: Recipient(
                recipient_id=row["recipient_id"],
                standing=Standing(row["standing"]),
                country=row["country"],
                members=tuple(members[row["recipient_id"]]),
            )
            for row in _all(connection, "SELECT * FROM consent.recipient")
        },
        agreements={
            row["agreement_id"]: agreement_of(row)
            for row in _all(connection, "SELECT * FROM consent.agreement")
        },
        obligations=tuple(
            Obligation(**row | {"duty": Duty(row["duty"])})
            for row in _all(connection, "SELECT * FROM consent.obligation ORDER BY due")
        ),
    )


def read_datasets(connection: Connection[Any]) -> dict[str, Dataset]:
    """The datasets as a decision needs them."""
    found = _all(connection, "SELECT * FROM consent.dataset")
    return {row["dataset_id"]: _dataset_of(row) for row in found}


def read_trees(connection: Connection[Any]) -> Taxonomy:
    """All versions of the trees."""
    nodes = defaultdict(list)
    query: LiteralString = "SELECT version, tree, code, parent, grantable FROM consent.taxonomy_node ORDER BY tree, code"
    for version, tree, code, parent, grantable in rows(connection, query):
        one = Node(tree=Tree(tree), code=code, parent=parent, grantable=grantable)
        nodes[version].append(one)
    query = "SELECT version, since FROM consent.taxonomy_version ORDER BY version"
    return Taxonomy(
        versions=tuple(
            Version(number=number, since=since, nodes=tuple(nodes[number]))
            for number, since in rows(connection, query)
        )
    )


def read_descriptions(connection: Connection[Any]) -> dict[str, Described]:
    """The datasets with what everybody is told of them, and their columns as they are now."""
    query: LiteralString = (
        "SELECT DISTINCT ON (dataset_id) dataset.*, layout.columns"
        " FROM consent.dataset JOIN vault.layout USING (dataset_id)"
        " ORDER BY dataset_id, layout.version DESC"
    )
    return {
        row["dataset_id"]: Described(
            dataset=_dataset_of(row),
            columns=dict(row["columns"]),
            **{name: row[name] for name in _TOLD},
        )
        for row in _all(connection, query)
    }


def read_layouts(connection: Connection[Any], dataset: str) -> dict[int, Layout]:
    """The versions of the columns of a dataset, oldest first; none if there is no such dataset."""
    query: LiteralString = (
        "SELECT version, columns FROM vault.layout WHERE dataset_id = %s ORDER BY version"
    )
    return {
        version: Layout(version=version, columns=dict(columns))
        for version, columns in rows(connection, query, (dataset,))
    }


def read_budgets(connection: Connection[Any]) -> dict[str, Budget]:
    """How much may go under each agreement."""
    query: LiteralString = (
        "SELECT agreement_id, budget_rows_per_day, budget_persons FROM consent.agreement"
    )
    return {
        name: Budget(rows_per_day=rows_per_day, persons=persons)
        for name, rows_per_day, persons in rows(connection, query)
    }


def dataset_row(described: Described) -> Row:
    """A dataset as a row, without its columns."""
    row = {name: getattr(described.dataset, name) for name in _RULES}
    row |= {name: sorted(value) for name, value in row.items() if isinstance(value, frozenset)}
    told = {name: getattr(described, name) for name in _TOLD}
    return row | told | {"row_owners": described.dataset.row_owners.value}


def agreement_row(agreement: Agreement, budget: Budget) -> Row:
    """An agreement as a row."""
    first, second = [*sorted(agreement.approvers), None, None][:2]
    return {
        "agreement_id": agreement.agreement_id,
        "recipient_id": agreement.recipient_id,
        "dataset_id": agreement.dataset_id,
        "purpose": agreement.purpose,
        "fields": sorted(agreement.fields),
        "terms_id": agreement.terms_id,
        "valid": as_range(agreement.valid),
        "requester": agreement.requester,
        "onward": sorted(agreement.onward),
        "state": agreement.state.value,
        "first_approver": first,
        "second_approver": second,
        "budget_rows_per_day": budget.rows_per_day,
        "budget_persons": budget.persons,
    }


def agreement_of(row: Row) -> Agreement:
    """A row as an agreement."""
    approvers = {row["first_approver"], row["second_approver"]} - {None}
    return Agreement(
        agreement_id=row["agreement_id"],
        recipient_id=row["recipient_id"],
        dataset_id=row["dataset_id"],
        purpose=row["purpose"],
        fields=frozenset(row["fields"]),
        terms_id=row["terms_id"],
        valid=as_interval(row["valid"]),
        requester=row["requester"],
        onward=frozenset(row["onward"]),
        state=State(row["state"]),
        approvers=frozenset(approvers),
    )


def budget_of(row: Row) -> Budget:
    """How much may go under the agreement of a row."""
    return Budget(rows_per_day=row["budget_rows_per_day"], persons=row["budget_persons"])


def _dataset_of(row: Row) -> Dataset:
    said = {name: row[name] for name in _RULES}
    said |= {name: frozenset(value) for name, value in said.items() if isinstance(value, list)}
    return Dataset(**said | {"row_owners": RowOwners(row["row_owners"])})


def _all(connection: Connection[Any], query: LiteralString) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()
