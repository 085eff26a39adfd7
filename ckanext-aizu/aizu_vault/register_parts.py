"""What the YAML file of a register may say, and the values that it means."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from aizu_vault.agreements import Agreement, Dataset, Duty, RowOwners, Terms
from aizu_vault.interval import Interval
from aizu_vault.node_names import Name, Names
from aizu_vault.stored_register import Budget, Described
from aizu_vault.trees import Node, Tree

Text = Annotated[str, Field(min_length=1)]
SomeNames = Annotated[frozenset[Text], Field(min_length=1)]


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
    title_ja: Text | None = None
    title_en: Text | None = None
    iri: Annotated[str | None, Field(pattern="^https://")] = None

    @model_validator(mode="after")
    def _has_both_names(self) -> Self:
        if (self.title_ja is None) != (self.title_en is None) or (self.iri and not self.title_ja):
            raise ValueError("a node has a name in both languages, or none")
        return self


class TreesPart(_Part):
    """A version of the trees."""

    version: Annotated[int, Field(gt=0)]
    since: AwareDatetime | None = None
    data: dict[Text, _Node]
    purpose: dict[Text, _Node]
    recipient: dict[Text, _Node]

    def names(self) -> Names:
        """What the nodes are called."""
        return {
            (tree, code): Name(ja=node.title_ja, en=node.title_en, iri=node.iri)
            for tree in Tree
            for code, node in getattr(self, tree.value).items()
            if node.title_ja and node.title_en
        }

    def nodes(self) -> tuple[Node, ...]:
        """All nodes of the three trees."""
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
    fields_: Annotated[SomeNames, Field(alias="fields")]
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


class RegisterFile(_Part):
    """The whole file."""

    trees: TreesPart | None = None
    datasets: dict[Text, _Dataset] = {}
    terms: dict[Text, _Terms] = {}
    recipients: dict[Text, _Recipient] = {}
    agreements: dict[Text, _Agreement] = {}
    obligations: tuple[_Obligation, ...] = ()
