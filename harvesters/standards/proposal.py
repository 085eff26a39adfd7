"""The block that leads a city's list into a dataset of ours, for its city file: each line says why."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NoReturn

from harvesters.city import City
from harvesters.columns import places_of
from harvesters.configuration import SCHEMAS, read_part
from harvesters.dataset import LONGEST_NAME, Dataset, Origin, load
from harvesters.errors import ColumnsError
from harvesters.intake import Sheet
from harvesters.standards import forms
from harvesters.standards.definitions import columns_of, key_of, standards, vocabulary
from harvesters.standards.kinds import kinds
from harvesters.standards.matching import NAME, WHY, Listed, Match, listed, match
from harvesters.standards.ranking import rank
from harvesters.words import Words

LOOKED_AT = 12
"""Columns that are tried when several are needed to tell the rows apart."""
TOGETHER = 3
MOST = 0.5
"""The share of the columns of a list that a dataset must know to be proposed."""
SURE = {True: "確実 / sure", False: "要確認 / check"}
NUMBERS = {"count": "integer", "number": "number", "amount": "number", "date": "date"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the block and why it is there."""

    text: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.text}  # {self.why}" if self.why else self.text


def propose(sheet: Sheet, city: City, schema: str) -> str:
    """YAML for sources in schemas/cities/<city>.yaml."""
    places_of(sheet.headings)
    dataset = load(schema or _dataset_of(sheet))
    given = {one.place: one for one in listed(sheet)}
    found = _matches(dataset, list(given.values()))
    key = _key(dataset, found, given, len(sheet.rows))
    used = {
        place
        for one in found
        if one.column.name not in dataset.key or not key
        for place in one.places
    }
    sections = {
        "columns": [*_columns(dataset, found, given, key)],
        "constants": [*_constants(dataset, found, city)],
        "extra": [*_extra(dataset, given, used)],
        "ignore": [*_ignored(given, used)],
    }
    body = [*_head(city)]
    for name, lines in sections.items():
        if lines:
            body += [f"    {name}:", *(f"      {line}" for line in lines)]
    return "\n".join(["sources:", f"  {dataset.name}:", *body, *_lacking(dataset, found), ""])


def _dataset_of(sheet: Sheet) -> str:
    """The dataset of ours that the list is in the standard, else one whose needed columns are there."""
    ranked = rank(sheet)
    if ranked and ranked[0].standard.descriptor:
        return ranked[0].standard.descriptor
    in_the_standard = {one.descriptor for one in standards().values()}
    given = listed(sheet)
    for name in [] if ranked else _with_columns():
        if name not in in_the_standard and _holds(load(name), given):
            return name
    _refuse(ranked[0].standard.title if ranked else None)


def _holds(dataset: Dataset, given: list[Listed]) -> bool:
    """Whether the needed columns are there, and most of the list is known."""
    found = match(columns_of(dataset), given)
    wanted = {field.name for field in dataset.fields if field.required} | set(dataset.key)
    known = {place for one in found for place in one.places}
    there = {one.column.name for one in found}
    return bool(wanted) and wanted <= there and len(known) >= MOST * len(given)


def _with_columns() -> list[str]:
    """The descriptors that say which columns there are."""
    files = [one.name for one in SCHEMAS.iterdir() if one.name.endswith(".yaml")]
    return [name for file in sorted(files) if load(name := file.removesuffix(".yaml")).fields]


def _refuse(title: Words | None) -> NoReturn:
    names = ", ".join(_with_columns())
    like_ja = f"「{title.ja}」のようですが、" if title else ""
    like_en = f"this looks like {title.en}, and " if title else ""
    raise ColumnsError(
        f"{like_ja}この一覧を読むデータの定義がありません（あるもの: {names}）。"
        "どれかに当たるなら --schema で指定してください。",
        f"{like_en}no dataset of ours has these columns (there are: {names}); "
        "if it is one of them, name it with --schema",
    )


def _matches(dataset: Dataset, given: list[Listed]) -> list[Match]:
    told = [one for one in standards().values() if one.descriptor == dataset.name]
    words, where = (told[0].content, told[0].content_in) if told else (None, "")
    found = match(columns_of(dataset), given, words, where)
    return [one for one in found if one.part is None]  # a city file cannot divide a column


def _key(
    dataset: Dataset, found: list[Match], given: dict[int, Listed], rows: int
) -> tuple[int, ...]:
    """Several columns that tell the rows apart together, where the one that numbers them does not."""
    mine = [one for one in found if (one.column.name,) == dataset.key]
    if not mine or _apart([given[mine[0].places[0]]], rows):
        return ()
    last = mine[0].places[0]
    known = {place for one in found for place in one.places}
    full = [one for one in given.values() if one.place != last and all(one.values)]
    full.sort(key=lambda one: (one.place not in known, len(set(one.values))))
    for largest in (rows // 2, rows - 1):  # categories before what is nearly a number itself
        few = [one for one in full if len(set(one.values)) <= largest][:LOOKED_AT]
        for size in range(1, TOGETHER):
            for others in combinations(few, size):
                if _apart([*others, given[last]], rows):
                    return (*sorted(one.place for one in others), last)
    return ()


def _apart(columns: list[Listed], rows: int) -> bool:
    return len(set(zip(*(one.values for one in columns), strict=True))) == rows


def _head(city: City) -> Iterator[str]:
    """What the list cannot say; a city file must."""
    part = read_part("cities", f"{city.id}.yaml")
    offices = [one.text("name") for one in part.parts("departments")]
    chosen = "選んでください / choose"
    yield '    url: ""  # 一覧のアドレス。空なら --from で渡す / address of the list; empty: use --from'
    yield f"    department: {offices[0]}  # {chosen}: {', '.join(offices)}"
    yield f"    themes: []  # {chosen}: {', '.join(one.text('name') for one in part.parts('themes'))}"
    yield "    licence: cc-by  # 確かめてください / check"
    yield "    schedule: 0 3 1 * *"


def _columns(
    dataset: Dataset, found: list[Match], given: dict[int, Listed], key: tuple[int, ...]
) -> Iterator[Line]:
    """What the descriptor does not know by itself."""
    origins = {field.name: {key_of(one) for one in field.origins} for field in dataset.fields}
    for one in found:
        headings = [given[place].heading for place in one.places]
        if key and (one.column.name,) == dataset.key:
            names = ", ".join(_quoted(given[place].heading) for place in key)
            why = f"{given[key[-1]].heading} は重複 / repeats; {SURE[False]}"
            yield Line(text=f'{_quoted(one.column.name)}: {{join: [{names}], with: "-"}}', why=why)
        elif (
            one.by != NAME
            and key_of(Origin(headings=tuple(headings))) not in origins[one.column.name]
        ):
            why = f"{' / '.join(WHY[one.by])}; {SURE[one.certainty == 1]}"
            value = _quoted(headings[0])
            if len(headings) > 1:
                value = f'{{join: [{", ".join(map(_quoted, headings))}], with: "{one.glue}"}}'
            yield Line(text=f"{_quoted(one.column.name)}: {value}", why=why)


def _constants(dataset: Dataset, found: list[Match], city: City) -> Iterator[Line]:
    """What the list leaves unsaid because it is the city's own."""
    there = {one.column.name for one in found}
    said = {"municipality-code": city.code, "municipality": city.prefecture.ja + city.name.ja}
    for column in columns_of(dataset):
        value = said.get(column.kind)
        of_the_place = column.name.startswith("所在地")
        if column.name not in there and value and not of_the_place:
            why = f"一覧に無い / not in the list; schemas/cities/{city.id}.yaml"
            written = json.dumps(value, ensure_ascii=False)
            yield Line(text=f"{_quoted(column.name)}: {written}", why=why)


def _extra(dataset: Dataset, given: dict[int, Listed], used: set[int]) -> Iterator[Line]:
    """Every other column that holds anything is kept."""
    names = {field.name for field in dataset.fields}
    for place, one in given.items():
        if place in used or not any(one.values):
            continue
        name = _column_name(one.heading)
        name = f"{name}_2" if name in names else name
        names.add(name)
        english = next(
            (known.english for known in vocabulary().values() if known.name == one.heading), ""
        )
        kind = kinds()[one.guess.kind]
        why = f"{kind.words.ja} / {kind.words.en}, {one.guess.why.en}"
        yield Line(
            text=f"- {{name: {_quoted(name)}, source: {_quoted(one.heading)}, type: {_type(one)}, "
            f"title_en: {_quoted(english or one.heading)}}}",
            why=why if english else f"{why}; title_en を英語に / translate title_en",
        )


def _ignored(given: dict[int, Listed], used: set[int]) -> Iterator[Line]:
    for place, one in given.items():
        if place not in used and not any(one.values):
            yield Line(text=f"- {_quoted(one.heading)}", why="空 / empty")


def _lacking(dataset: Dataset, found: list[Match]) -> Iterator[str]:
    """Columns without which the dataset cannot be made; a person must find them."""
    there = {one.column.name for one in found}
    for column in columns_of(dataset):
        city_s_own = column.kind in {"municipality-code", "municipality"}
        if column.name in dataset.indispensable - there and not city_s_own:
            yield f"    # {column.name}: 見つかりません。columns に見出しを書いてください / not found; write its heading under columns"


def _type(one: Listed) -> str:
    """A type only where every value is of it, or can be made so."""
    wanted = NUMBERS.get(one.guess.kind, "string")
    if wanted == "string":
        return wanted
    found = forms.faults(one.guess.kind, one.values, range(len(one.values)))
    return wanted if all(fault.mended for fault in found) else "string"


def _column_name(heading: str) -> str:
    """The heading, as far as PostgreSQL takes it for the name of a column."""
    plain = heading.replace('"', "").lstrip("_") or "列"
    return plain.encode()[:LONGEST_NAME].decode(errors="ignore")


def _quoted(text: str) -> str:
    """The text for YAML, in quotes where it would be taken for something else."""
    plain = re.fullmatch(r"[^\W\d_][\w()（）ー・]*", text) and text.lower() not in {
        "no", "yes", "on", "off", "true", "false", "null", "y", "n",
    }  # fmt: skip
    return text if plain else json.dumps(text, ensure_ascii=False)
