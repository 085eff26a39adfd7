"""What each table of GTFS and GTFS-JP must look like, read from schemas/gtfs/*.yaml.

The files are Table Schema with these words more:

``title_en``, ``description_en``  the English twins
``gtfs_type``  the type as the GTFS reference names it, where Table Schema has none (colour, time…)
``standard``   ``gtfs-jp`` for tables and fields of the Japanese extension
``presence``   of a table: required, recommended, conditional, optional; of a field: column, when
               the column must be there although its cells may be blank

Several foreign keys of one field mean that the value must be found in one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from harvesters.words import Words


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column of a table."""

    name: str
    title: Words
    description: Words
    type: str
    gtfs_type: str
    japanese: bool
    required: bool
    column_required: bool
    minimum: float | None
    maximum: float | None
    enum: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TableSchema:
    """One file of a feed."""

    name: str
    title: Words
    japanese: bool
    presence: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    references: Mapping[str, tuple[tuple[str, str], ...]]
    """Field: the tables and fields where its value must be found, in one at least."""
    descriptor: Mapping[str, Any]
    """The Table Schema itself, for those who publish the table."""

    @property
    def path(self) -> str:
        """The file's name in the zip."""
        return f"{self.name}.txt"

    def field(self, name: str) -> Field:
        """The field of that name."""
        return next(field for field in self.fields if field.name == name)


@cache
def tables() -> Mapping[str, TableSchema]:
    """Every table known, by name."""
    folder = resources.files("harvesters.schemas").joinpath("gtfs")
    loaded = (_table(yaml.safe_load(file.read_text("utf-8"))) for file in folder.iterdir())
    return {table.name: table for table in sorted(loaded, key=lambda table: table.name)}


@cache
def japanese() -> frozenset[str]:
    """Tables and fields (`table.field`) of the Japanese extension."""
    return frozenset(
        name
        for table in tables().values()
        for name in (
            *([table.name] if table.japanese else []),
            *(f"{table.name}.{field.name}" for field in table.fields if field.japanese),
        )
    )


def _table(written: dict[str, Any]) -> TableSchema:
    references: dict[str, tuple[tuple[str, str], ...]] = {}
    for key in written["schema"].get("foreignKeys", []):
        (field,), (column,) = key["fields"], key["reference"]["fields"]
        target = (key["reference"]["resource"] or written["name"], column)
        references[field] = (*references.get(field, ()), target)
    return TableSchema(
        name=written["name"],
        title=Words(written["title"], written["title_en"]),
        japanese=written["standard"] == "gtfs-jp",
        presence=written["presence"],
        fields=tuple(_field(field) for field in written["schema"]["fields"]),
        key=tuple(written["schema"].get("primaryKey", [])),
        references=references,
        descriptor=written["schema"],
    )


def _field(written: dict[str, Any]) -> Field:
    constraints = written.get("constraints", {})
    return Field(
        name=written["name"],
        title=Words(written["title"], written["title_en"]),
        description=Words(written.get("description", ""), written.get("description_en", "")),
        type=written["type"],
        gtfs_type=written["gtfs_type"],
        japanese=written.get("standard") == "gtfs-jp",
        required=constraints.get("required", False),
        column_required=constraints.get("required", False) or written.get("presence") == "column",
        minimum=constraints.get("minimum"),
        maximum=constraints.get("maximum"),
        enum=tuple(constraints.get("enum", ())),
    )
