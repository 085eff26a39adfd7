"""Which fields of MARC 21 and UNIMARC lead to which columns of the holdings."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pymarc import Field, Record

from harvesters.library.catalogue import joined, plain
from harvesters.library.marc import NON_SORTING

PUNCTUATION = re.compile(r"\s*[/:;,=]\s*$")
"""Between the areas of ISBD; at the end of a subfield it announces the next one."""
KANA = re.compile(r"[\u3041-\u30ff\uff66-\uff9f]")
KANJI = re.compile(r"[\u4e00-\u9fff々]")
KINDS = {
    "a": "図書", "t": "図書", "b": "図書", "c": "楽譜", "d": "楽譜", "e": "地図", "f": "地図",
    "g": "映像資料", "i": "録音資料", "j": "録音資料", "k": "静止画", "m": "電子資料", "r": "実物",
}  # fmt: skip
"""Position 6 of the leader; the two families agree on these."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Subfields of a field that make one value of a column."""

    tag: str
    codes: str
    glue: str = " "
    holds: Callable[[Field], bool] = lambda field: True  # noqa: ARG005  holds for every field

    def __str__(self) -> str:
        return self.tag + "".join(f"${code}" for code in self.codes)


def _scheme(start: str) -> Callable[[Field], bool]:
    return lambda field: str(field.get("2") or "").lower().startswith(start)


def _each(codes: str, *tags: str, glue: str = " ") -> tuple[Place, ...]:
    return tuple(Place(tag=tag, codes=codes, glue=glue) for tag in tags)


PUBLICATION = ("264", "260")
SUBJECTS = ("600", "610", "611", "630", "650", "651")
MARC_21: dict[str, tuple[tuple[Place, ...], ...]] = {
    "タイトル": (_each("ab", "245"),),
    "巻次": (_each("np", "245"),),
    "著者": (_each("a", "100", "110", "111", "700", "710", "711"), _each("c", "245")),
    "版": (_each("a", "250"),),
    "出版者": tuple(_each("b", tag) for tag in PUBLICATION),
    "出版地": tuple(_each("a", tag) for tag in PUBLICATION),
    "出版日": tuple(_each("c", tag) for tag in PUBLICATION),
    "形態": (_each("abc", "300"),),
    "シリーズ": (_each("av", "490"), _each("av", "830"), _each("av", "440")),
    "ISBN": (_each("a", "020"),),
    "ISSN": (_each("a", "022"),),
    "全国書誌番号": ((Place(tag="015", codes="a", holds=_scheme("jnb")),),),
    "分類": (
        (Place(tag="084", codes="a", holds=_scheme("njb")),), _each("a", "084"), _each("a", "082"),
    ),
    "件名": (_each("axyz", *SUBJECTS, glue="--"),),
    "言語": (_each("a", "041"),),
    "請求記号": (_each("ab", "099"), _each("ab", "090"), _each("ab", "050")),
    "URL": (_each("u", "856"),),
}  # fmt: skip
UNIMARC: dict[str, tuple[tuple[Place, ...], ...]] = {
    "タイトル": (_each("ae", "200", glue=" : "),),
    "巻次": (_each("hi", "200"),),
    "著者": (_each("ab", "700", "701", "702", "710", "711", "712"), _each("fg", "200")),
    "版": (_each("a", "205"),),
    "出版者": (_each("c", "214"), _each("c", "210")),
    "出版地": (_each("a", "214"), _each("a", "210")),
    "出版日": (_each("d", "214"), _each("d", "210")),
    "形態": (_each("acd", "215"),),
    "シリーズ": (_each("av", "225"),),
    "ISBN": (_each("a", "010"),),
    "ISSN": (_each("a", "011"),),
    "分類": (_each("a", "676"), _each("a", "686")),
    "件名": (_each("axyz", "600", "601", "606", "607", glue="--"),),
    "言語": (_each("a", "101"),),
    "URL": (_each("u", "856"),),
}
READINGS = {"タイトルヨミ": "245", "著者ヨミ": "100 110 700 710"}
"""Columns of the reading: the fields that a field 880 repeats in kana."""
ITEMS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("952", "p", {"資料ID": "p", "所蔵館": "a", "所蔵場所": "c", "請求記号": "o"}),
    ("995", "f", {"資料ID": "f", "所蔵館": "b", "所蔵場所": "e", "請求記号": "k"}),
    ("852", "", {"資料ID": "p", "所蔵館": "a", "所蔵場所": "bc", "請求記号": "jhikm"}),
    ("930", "a", {"所蔵館": "b", "請求記号": "a"}),
)
"""Fields of the single items: Koha's, the French recommendation's, MARC 21's own, UNIMARC's."""
Values = dict[str, str]


def holdings(record: Record, identifier: str, headings: dict[str, str]) -> list[Values]:
    """The holdings that one record tells of: a row for each item, or one for the title."""
    title = _title(record, headings)
    own = identifier or title.get("書誌ID", "")
    items = [item for item in _items(record, headings) if item]
    rows = [
        title | {"資料ID": own if not place else f"{own}#{place + 1}"} | item
        for place, item in enumerate(items)
    ]
    return rows or [title | ({"資料ID": own} if own else {})]


def _title(record: Record, headings: dict[str, str]) -> Values:
    unimarc = "245" not in record and "200" in record
    values: Values = {}
    if (number := record.get("001")) is not None and str(number.data or "").strip():
        values["書誌ID"] = str(number.data).strip()
        headings.setdefault("書誌ID", "001")
    _fill(values, record, UNIMARC if unimarc else MARC_21, headings)
    if not unimarc:
        _read_out(values, record, headings)
        _fixed(values, record, headings)
    if values and (kind := KINDS.get(str(record.leader)[6:7])):
        serial = str(record.leader)[7:8] == "s" and kind == "図書"
        values["資料種別"] = "逐次刊行物" if serial else kind
        headings.setdefault("資料種別", "LDR/06")
    return values


def _fill(
    values: Values,
    record: Record,
    wanted: Mapping[str, tuple[tuple[Place, ...], ...]],
    headings: dict[str, str],
) -> None:
    for column, candidates in wanted.items():
        for places in candidates:
            found = [(text, place) for text, place in _texts(record, places) if text]
            if found:
                values[column] = joined(text for text, _ in found)
                headings.setdefault(column, str(found[0][1]))
                break


def _texts(record: Record, places: Iterable[Place]) -> Iterable[tuple[str, Place]]:
    for place in places:
        for field in record.get_fields(place.tag):
            if not field.control_field and place.holds(field):
                yield _clean(field, place.codes, place.glue), place


def _clean(field: Field, codes: str, glue: str = " ") -> str:
    """The subfields in the order in which they stand, without ISBD's signs at the end."""
    parts = [plain(part.value.translate(NON_SORTING)) for part in field if part.code in codes]
    whole = glue.join(part if glue == " " else PUNCTUATION.sub("", part) for part in parts if part)
    return PUNCTUATION.sub("", whole)


def _read_out(values: Values, record: Record, headings: dict[str, str]) -> None:
    """Field 880 repeats a field in another script; one in kana alone is its reading."""
    for column, tags in READINGS.items():
        readings = [
            _clean(field, "ab" if column == "タイトルヨミ" else "a")
            for field in record.get_fields("880")
            if str(field.get("6") or "")[:3] in tags.split()
        ]
        kana = [reading for reading in readings if KANA.search(reading)]
        if value := joined(reading for reading in kana if not KANJI.search(reading)):
            values[column] = value
            headings.setdefault(column, f"880 ({tags.split()[0]})")


def _fixed(values: Values, record: Record, headings: dict[str, str]) -> None:
    """Field 008 tells year and language where no other field does."""
    fixed = record.get("008")
    data = str(fixed.data or "") if fixed is not None else ""
    for column, said, form in (
        ("出版日", data[7:11], r"\d{4}"), ("言語", data[35:38], r"[a-z]{3}"),
    ):  # fmt: skip
        if column not in values and re.fullmatch(form, said):
            values[column] = said
            headings.setdefault(column, "008")


def _items(record: Record, headings: dict[str, str]) -> list[Values]:
    for tag, needed, columns in ITEMS:
        fields = [
            field for field in record.get_fields(tag) if not needed or field.get(needed) is not None
        ]
        if fields:
            return [_item(field, columns, headings) for field in fields]
    return []


def _item(field: Field, columns: dict[str, str], headings: dict[str, str]) -> Values:
    values = {column: _clean(field, codes) for column, codes in columns.items()}
    for column, value in values.items():
        if value:
            headings.setdefault(column, f"{field.tag}${columns[column][0]}")
    return {column: value for column, value in values.items() if value}
