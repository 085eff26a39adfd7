"""What schemas/standards/*.yaml says about the municipal standard open datasets."""

import re
from dataclasses import dataclass, replace
from functools import cache

from harvesters.configuration import SCHEMAS, Part, read_part
from harvesters.dataset import Dataset, Origin, load, read_origin, read_words
from harvesters.japanese import heading_key
from harvesters.standards.kinds import kinds
from harvesters.standards.recognise import recognise
from harvesters.words import Words

REQUIRED, RECOMMENDED, OPTIONAL = "required", "recommended", "optional"
NOT_DATASETS = {"columns", "kinds"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """One column of a standard: what its values are, and which headings it may have."""

    name: str
    kind: str
    english: str
    origins: tuple[Origin, ...] = ()
    """Other headings: older editions and spellings."""
    level: str = OPTIONAL


@dataclass(frozen=True, kw_only=True)
class Standard:
    """One dataset of the standard."""

    name: str
    number: int
    title: Words
    columns: tuple[Column, ...]
    ordered: bool
    """Whether the order of the columns is known."""
    marks: str
    """The edition that says which columns are required: current, older or none."""
    content: re.Pattern[str] | None
    """Words of which such a list holds one in most of its rows."""
    content_in: str
    """The column that holds them, where it is always the same."""
    descriptor: str
    """Of our own dataset in these columns, if there is one."""

    @property
    def headings(self) -> set[str]:
        """Every heading that one of its columns may have."""
        return {
            heading
            for column in self.columns
            for origin in (Origin(headings=(column.name,)), *column.origins)
            for heading in origin.headings
        }


@cache
def standards() -> dict[str, Standard]:
    """All of them by name, in the order of their numbers."""
    names = [one.name.removesuffix(".yaml") for one in SCHEMAS.joinpath("standards").iterdir()]
    found = [_standard(name) for name in names if name not in NOT_DATASETS]
    return {one.name: one for one in sorted(found, key=lambda one: one.number)}


@cache
def vocabulary() -> dict[str, Column]:
    """Every column of the standard once."""
    part = read_part("standards", "columns.yaml").part("columns")
    return {name: _column(part.part(name), name) for name in part.rest()}


def columns_of(dataset: Dataset) -> tuple[Column, ...]:
    """The columns of a descriptor of ours, with the other names that the standard knows of them."""
    return tuple(
        Column(
            name=field.name,
            kind=known.kind if (known := vocabulary().get(field.name)) else _kind(field.name),
            english=field.title.en,
            origins=tuple(dict.fromkeys((*field.origins, *(known.origins if known else ())))),
            level=REQUIRED if field.required else OPTIONAL,
        )
        for field in dataset.fields
    )


def _kind(name: str) -> str:
    return recognise(name, []).kind


def _column(part: Part, name: str) -> Column:
    column = Column(
        name=name,
        kind=part.one_of("kind", kinds()),
        english=part.text("en"),
        origins=tuple(read_origin(part, one) for one in part.items("names", [])),
    )
    part.all_read()
    return column


def _standard(name: str) -> Standard:
    part = read_part("standards", f"{name}.yaml")
    content = part.text("content", "")
    descriptor = part.text("descriptor", "")
    standard = Standard(
        name=part.one_of("name", [name]),
        number=part.whole("number"),
        title=read_words(part, "title"),
        columns=_columns(part, descriptor),
        ordered=part.one_of("order", ["known", "unknown"]) == "known",
        marks=part.one_of("marks", ["current", "older", "none"]),
        content=re.compile(content) if content else None,
        content_in=part.text("content_in", ""),
        descriptor=descriptor,
    )
    part.all_read()
    return standard


def _columns(part: Part, descriptor: str) -> tuple[Column, ...]:
    levels = dict.fromkeys(part.texts("recommended"), RECOMMENDED)
    levels |= dict.fromkeys(part.texts("required"), REQUIRED)
    if descriptor:
        known = columns_of(load(descriptor))
    else:
        known = tuple(_named(part, name) for name in _spelt_out(part))
    names = {column.name for column in known}
    if stray := [name for name in levels if name not in names]:
        part.wrong("required", "columns にある列名", "names that are in columns", stray[0])
    return tuple(replace(one, level=levels.get(one.name, one.level)) for one in known)


def _spelt_out(part: Part) -> list[str]:
    """The names of the columns, with those of a group in its place."""
    groups = read_part("standards", "columns.yaml").part("groups")
    names: list[str] = []
    for name in part.texts("columns"):
        names.extend(groups.texts(name[1:]) if name.startswith("$") else [name])
    return names


def _named(part: Part, name: str) -> Column:
    if name not in vocabulary():
        part.wrong("columns", "columns.yaml にある列名", "a name that is in columns.yaml", name)
    return vocabulary()[name]


def key_of(origin: Origin) -> tuple[str, ...]:
    """What is the same in two spellings of an origin's headings."""
    return tuple(heading_key(heading) for heading in origin.headings)
