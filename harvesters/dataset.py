"""What schemas/<name>.yaml says about a dataset, read and checked once."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from frictionless import FrictionlessException, Schema

from harvesters.configuration import Part, read_part
from harvesters.words import Words

FIELD_TYPES = ("string", "number", "integer", "boolean", "date", "time", "datetime", "year")
LONGEST_NAME = 63
"""Bytes; PostgreSQL cuts longer column names."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Which headings of the city's list a column is made from, and what stands between them."""

    headings: tuple[str, ...]
    glue: str = ""

    def __str__(self) -> str:
        return " + ".join(self.headings)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column of the clean table, in the words of Table Schema and in both languages."""

    name: str
    type: str
    title: Words
    description: Words
    constraints: dict[str, Any]
    origins: tuple[Origin, ...]

    @property
    def required(self) -> bool:
        """Whether every row must have a value."""
        return bool(self.constraints.get("required"))

    def descriptor(self) -> dict[str, Any]:
        """The field as Table Schema, with the English twins beside it."""
        told = {
            "title": self.title.ja,
            "title_en": self.title.en,
            "description": self.description.ja,
            "description_en": self.description.en,
            "constraints": self.constraints,
        }
        return {"name": self.name, "type": self.type} | {k: v for k, v in told.items() if v}


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The least and the greatest number of rows that can be right."""

    minimum: int
    maximum: int


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One table of a dataset."""

    name: str
    title: Words
    key: tuple[str, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A descriptor: what is said about a dataset, whichever city it comes from."""

    name: str
    title: Words
    description: Words
    keywords: tuple[str, ...]
    frequency: str
    dcat_themes: tuple[str, ...]
    warnings: tuple[Words, ...]
    rows: Bounds
    """Of the first table."""
    position: tuple[str, str] | None
    """The columns of latitude and longitude in the first table."""
    resources: tuple[Resource, ...]
    """None where the format itself says which tables there are."""

    @property
    def key(self) -> tuple[str, ...]:
        """The key of the first table, which most often is the only one."""
        return self.resources[0].key if self.resources else ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns of the first table."""
        return self.resources[0].fields if self.resources else ()

    @property
    def indispensable(self) -> set[str]:
        """Columns without which a list is not this dataset."""
        required = {field.name for field in self.fields if field.required}
        return required | set(self.key) | set(self.position or ())


@cache
def load(name: str) -> Dataset:
    """The descriptor schemas/<name>.yaml."""
    part = read_part(f"{name}.yaml")
    resources = tuple(_resource(one) for one in part.parts("resources"))
    dataset = Dataset(
        name=part.one_of("name", [name]),
        title=read_words(part, "title"),
        description=read_words(part, "description"),
        keywords=part.texts("keywords"),
        frequency=part.text("frequency"),
        dcat_themes=part.texts("dcat_themes"),
        warnings=tuple(Words(w.text("ja"), w.text("en")) for w in part.parts("warnings")),
        rows=read_bounds(part.part("rows")),
        position=_position(part.part("coordinates", {}), resources),
        resources=resources,
    )
    part.all_read()
    return dataset


def _resource(part: Part) -> Resource:
    """One table; its other keys are for readers of the descriptor as a Data Package."""
    name = part.text("name")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        part.wrong("name", "英小文字・数字・_", "lower-case letters, digits and _", name)
    schema = part.part("schema")
    resource = Resource(
        name=name,
        title=Words(part.text("title", ""), part.text("title_en", "")),
        key=schema.texts("primaryKey", []),
        fields=tuple(read_field(one) for one in schema.parts("fields")),
    )
    _check_schema(schema, resource)
    schema.all_read()
    return resource


def _position(part: Part, resources: tuple[Resource, ...]) -> tuple[str, str] | None:
    """The columns of the position, where there is one."""
    names = [field.name for field in resources[0].fields] if resources else []
    if not part.rest():
        return None
    if not names:
        part.wrong("", "resources の最初の表の列", "columns of the first resource", part.rest())
    position = (part.one_of("latitude", names), part.one_of("longitude", names))
    part.all_read()
    return position


def read_field(part: Part, described_as: str = "") -> Field:
    """A field of a schema, or a city's own column."""
    name = part.text("name", described_as or None)
    if len(name.encode()) > LONGEST_NAME or name.startswith("_") or '"' in name:
        part.wrong(
            "name",
            f'{LONGEST_NAME} バイト以内で、_ で始まらず " を含まない列名',
            f'a column name of {LONGEST_NAME} bytes at most, without a leading _ and without "',
            name,
        )
    field = Field(
        name=name,
        type=part.one_of("type", FIELD_TYPES),
        title=Words(part.text("title", name), part.text("title_en")),
        description=Words(part.text("description", ""), part.text("description_en", "")),
        constraints=part.anything("constraints") or {},
        origins=tuple(read_origin(part, one) for one in part.items("source_names", [])),
    )
    part.all_read()
    return field


def read_origin(part: Part, value: object) -> Origin:
    """A heading, or {join: [headings], with: glue}."""
    if isinstance(value, str):
        return Origin(headings=(value,))
    if not isinstance(value, dict):  # NO without quotes is false in YAML
        part.wrong("", "引用符で囲んだ見出し", "a heading in quotes", value)
    joined = Part(part.file, part.place, value)
    origin = Origin(headings=joined.texts("join"), glue=joined.text("with", ""))
    joined.all_read()
    return origin


def read_bounds(part: Part, default: Bounds | None = None) -> Bounds:
    """Row bounds; a city file may leave one of them to the descriptor."""
    bounds = Bounds(
        minimum=part.whole("minimum", default.minimum if default else None),
        maximum=part.whole("maximum", default.maximum if default else None),
    )
    if bounds.minimum > bounds.maximum:
        part.wrong("minimum", f"{bounds.maximum} 以下", f"at most {bounds.maximum}", bounds.minimum)
    part.all_read()
    return bounds


def read_words(part: Part, key: str) -> Words:
    """A text and its English twin."""
    return Words(part.text(key), part.text(f"{key}_en"))


def _check_schema(schema: Part, resource: Resource) -> None:
    """Asks Frictionless itself whether fields, constraints and key fit together."""
    names = {field.name for field in resource.fields}
    if stray := [name for name in resource.key if name not in names]:
        schema.wrong("primaryKey", "fields にある名前", "names that are in fields", stray)
    try:
        Schema.from_descriptor({"fields": [field.descriptor() for field in resource.fields]})
    except FrictionlessException as error:
        notes = "; ".join(reason.note for reason in error.reasons) or error.error.note
        schema.wrong(
            "fields", f"正しい Table Schema（{notes}）", f"Table Schema ({notes})", "fields"
        )
