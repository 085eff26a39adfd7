"""Reads a register from a YAML file and adds to the vault what it lacks; loaded again it changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from aizu_vault.agreements import (
    Agreement,
    Dataset,
    Duty,
    Membership,
    Obligation,
    Recipient,
    RowOwners,
    Standing,
    Terms,
)
from aizu_vault.interval import Interval
from aizu_vault.log.query import rows
from aizu_vault.register import (
    RegisterError,
    add_member,
    add_obligation,
    add_recipient,
    add_terms,
    add_trees,
    put_dataset,
)
from aizu_vault.register_agreements import draft_agreement
from aizu_vault.stored_register import Budget, Described, read_descriptions, read_register
from aizu_vault.trees import Node, Tree

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[frozenset[Text], Field(min_length=1)]


class _Part(BaseModel):
    """A piece of the file; what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Times(_Part):
    start: Annotated[AwareDatetime | None, Field(alias="from")] = None
    end: Annotated[AwareDatetime | None, Field(alias="until")] = None

    @model_validator(mode="after")
    def _has_times(self) -> Self:
        self.interval()
        return self

    def interval(self) -> Interval:
        return Interval(self.start, self.end)


class _Node(_Part):
    parent: Annotated[Text | None, Field(alias="in")] = None
    grantable: bool = True


class _Trees(_Part):
    version: Annotated[int, Field(gt=0)]
    since: AwareDatetime | None = None
    data: dict[Text, _Node]
    purpose: dict[Text, _Node]
    recipient: dict[Text, _Node]

    def nodes(self) -> tuple[Node, ...]:
        return tuple(
            Node(tree=tree, code=code, parent=node.parent, grantable=node.grantable)
            for tree in Tree
            for code, node in sorted(getattr(self, tree.value).items())
        )


class _Dataset(_Part):
    title_ja: Text
    title_en: Text
    data_class: Text
    privacy_level: Annotated[int, Field(ge=0, le=4)]
    legal_ground: Text
    purpose_specified: Text
    register_no: Text
    columns: Annotated[
        dict[Text, Literal["time", "integer", "number", "text"]], Field(min_length=2)
    ]
    row_owners: RowOwners = RowOwners.SUBJECT
    self_consent_age: int = 16
    assent_age: int = 12
    emergency_recipients: frozenset[Text] = frozenset()
    emergency_fields: frozenset[Text] = frozenset()

    def described(self, name: str) -> Described:
        told = {
            "title_ja",
            "title_en",
            "privacy_level",
            "legal_ground",
            "purpose_specified",
            "register_no",
        }
        dataset = Dataset(
            dataset_id=name,
            fields=frozenset([*self.columns][1:]),
            **self.model_dump(exclude={*told, "columns"}),
        )
        return Described(dataset=dataset, columns=self.columns, **self.model_dump(include=told))


class _Terms(_Part):
    dataset: Text
    version: Annotated[int, Field(gt=0)]
    material: bool = True
    residents_only: bool = False

    def terms(self, name: str) -> Terms:
        return Terms(terms_id=name, dataset_id=self.dataset, **self.model_dump(exclude={"dataset"}))


class _Member(_Times):
    user: Text


class _Recipient(_Part):
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "JP"
    members: tuple[_Member, ...] = ()


class _Agreement(_Part):
    recipient: Text
    dataset: Text
    purpose: Text
    fields_: Annotated[Names, Field(alias="fields")]
    terms: Text
    valid: _Times
    requester: Text
    onward: frozenset[Text] = frozenset()
    rows_per_day: Annotated[int | None, Field(gt=0)] = None
    persons: Annotated[int | None, Field(gt=0)] = None

    def agreement(self, name: str) -> Agreement:
        return Agreement(
            agreement_id=name,
            recipient_id=self.recipient,
            dataset_id=self.dataset,
            purpose=self.purpose,
            fields=self.fields_,
            terms_id=self.terms,
            valid=self.valid.interval(),
            requester=self.requester,
            onward=self.onward,
        )

    def budget(self) -> Budget:
        return Budget(rows_per_day=self.rows_per_day, persons=self.persons)


class _Obligation(_Part):
    recipient: Text
    duty: Duty
    due: AwareDatetime


class _File(_Part):
    trees: _Trees | None = None
    datasets: dict[Text, _Dataset] = {}
    terms: dict[Text, _Terms] = {}
    recipients: dict[Text, _Recipient] = {}
    agreements: dict[Text, _Agreement] = {}
    obligations: tuple[_Obligation, ...] = ()


def load_register(connection: Connection[Any], file: Path, *, by: str) -> list[str]:
    """Adds what the vault lacks of the file, all or nothing, and says what that was.

    Nobody is approved by a file: recipients come in as proposed, agreements as drafts.

    Raises:
        RegisterError: the file is not what it should be, or says of what is settled already something else.
        AgreementError: see `register`.
    """
    wanted = _read(file)
    with connection.transaction():
        return [
            *_load_trees(connection, wanted.trees, by),
            *_load_datasets(connection, wanted, by),
            *_load_terms(connection, wanted, by),
            *_load_recipients(connection, wanted, by),
            *_load_agreements(connection, wanted, by),
            *_load_obligations(connection, wanted, by),
        ]


def _read(file: Path) -> _File:
    try:
        return _File.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
        )
        raise RegisterError(f"{file.name}: {told}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RegisterError(f"{file.name}: {error}") from error


def _load_trees(connection: Connection[Any], trees: _Trees | None, by: str) -> list[str]:
    if trees is None:
        return []
    name = f"trees {trees.version}"
    register = read_register(connection)
    known = register.taxonomy.numbered(trees.version)
    if known is not None:
        if set(known.nodes) != set(trees.nodes()):
            raise RegisterError(f"{name} are complete: other nodes come in a version of their own")
        return []
    add_trees(connection, trees.version, trees.nodes(), since=trees.since, by=by)
    return [name]


def _load_datasets(connection: Connection[Any], wanted: _File, by: str) -> list[str]:
    known = read_descriptions(connection)
    changed = []
    for name, part in wanted.datasets.items():
        described = part.described(name)
        same = known.get(name) == described
        # Mappings are equal in any order; columns are not.
        if not same or [*known[name].columns] != [*described.columns]:
            put_dataset(connection, described, by=by)
            changed.append(f"dataset {name}")
    return changed


def _load_terms(connection: Connection[Any], wanted: _File, by: str) -> list[str]:
    known = read_register(connection).terms
    changed = []
    for name, part in wanted.terms.items():
        terms = part.terms(name)
        if name not in known:
            add_terms(connection, terms, by=by)
            changed.append(f"terms {name}")
        elif known[name] != terms:
            raise RegisterError(f"terms {name!r} stay as people read them: expected a new name")
    return changed


def _load_recipients(connection: Connection[Any], wanted: _File, by: str) -> list[str]:
    known = read_register(connection).recipients
    changed = []
    for name, part in wanted.recipients.items():
        new = Recipient(recipient_id=name, standing=Standing.PROPOSED, country=part.country)
        old = known.get(name)
        if old is None:
            add_recipient(connection, new, by=by)
            changed.append(f"recipient {name}")
        elif old.country != new.country:
            raise RegisterError(f"recipient {name!r} is in {old.country}, and not in {new.country}")
        for member in part.members:
            one = Membership(user=member.user, valid=member.interval())
            if old is None or one not in old.members:
                add_member(connection, name, one.user, one.valid, by=by)
                changed.append(f"member {one.user} of {name}")
    return changed


def _load_agreements(connection: Connection[Any], wanted: _File, by: str) -> list[str]:
    known = read_register(connection).agreements
    query = "SELECT agreement_id, budget_rows_per_day, budget_persons FROM consent.agreement"
    budgets = {
        name: Budget(rows_per_day=rows_per_day, persons=persons)
        for name, rows_per_day, persons in rows(connection, query)
    }
    changed = []
    for name, part in wanted.agreements.items():
        agreement, budget = part.agreement(name), part.budget()
        old = known.get(name)
        settled = old and replace(old, state=agreement.state, approvers=agreement.approvers)
        if (settled, budgets.get(name)) != (agreement, budget):
            draft_agreement(connection, agreement, budget, by=by)
            changed.append(f"agreement {name}")
    return changed


def _load_obligations(connection: Connection[Any], wanted: _File, by: str) -> list[str]:
    known = {replace(one, fulfilled_at=None) for one in read_register(connection).obligations}
    changed = []
    for part in wanted.obligations:
        owed = Obligation(recipient_id=part.recipient, duty=part.duty, due=part.due)
        if owed not in known:
            add_obligation(connection, owed, by=by)
            changed.append(f"obligation {owed.duty} of {owed.recipient_id}")
    return changed
