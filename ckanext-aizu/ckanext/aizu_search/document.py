"""What CKAN hands over about one dataset becomes the row that is searched and the row given back."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pysolr

from . import dates, fields, spatial
from .characters import storable
from .fields import Kind
from .geometry import is_geojson
from .text import Vector

Values = dict[str, list[str]]
_WORDS = re.compile(r"\w+")
# Kinds of fields that are found by other means than their value as a whole.
_APART = (Kind.TEXT, Kind.SUBSTRING, Kind.PLACE)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One dataset, ready for the tables."""

    searched: dict[str, Any]
    stored: dict[str, Any]
    places: list[dict[str, Any]]


def row(document: Mapping[str, Any], now: datetime) -> Row:
    """Sort a document's values into the columns of the index."""
    values = {field: found for field, value in document.items() if (found := _values(value))}
    for required in ("id", "site_id", "index_id"):
        if required not in values:
            raise pysolr.SolrError(f"Document is missing mandatory field: {required}")
    values.setdefault("indexed_ts", [dates.written(now)])
    data_dicts = {
        name: values.pop(name, [None])[0] for name in ("data_dict", "validated_data_dict")
    }
    values = {field: _checked(field, found) for field, found in values.items()}
    index_id = values["index_id"][0]
    # A hundred files of one format are found by one.
    distinct = {field: list(dict.fromkeys(found)) for field, found in values.items()}
    searched = {
        "index_id": index_id,
        **{field: _column(field, distinct.get(field)) for field in fields.COLUMNS},
        "other": json.dumps(_other(distinct), ensure_ascii=False),
        "headline": str(_headline(distinct)),
        "body": str(_body(distinct)),
        "labelled": str(_labelled(distinct)),
    }
    stored = {"index_id": index_id, "document": json.dumps(_plain(values)), **data_dicts}
    in_places = {f: found for f, found in values.items() if fields.kind(f) is Kind.PLACE}
    return Row(searched=searched, stored=stored, places=list(spatial.rows(index_id, in_places)))


def _values(value: Any) -> list[str]:
    """The values of a field as texts, without the empty ones and what the store cannot hold."""
    many = value if isinstance(value, list | tuple | set) else [value]
    texts = [
        json.dumps(one) if isinstance(one, bool) else str(one) for one in many if one is not None
    ]
    return [storable(text) for text in texts if text]


def _checked(field: str, values: list[str]) -> list[str]:
    try:
        if fields.kind(field) is Kind.DATE:
            return [dates.written(_moment(value)) for value in values]
        if fields.kind(field) is Kind.NUMBER:
            return [str(int(value)) for value in values]
        if fields.kind(field) is Kind.REAL:
            return [str(float(value)) for value in values]
    except ValueError as error:
        message = f"Error adding field '{field}'='{values[0][:100]}'"
        raise pysolr.SolrError(message) from error
    return values


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _column(field: str, values: list[str] | None) -> Any:
    if fields.COLUMNS[field] == "text[]":
        return values or []
    return values[0] if values else None


def _other(values: Values) -> dict[str, list[Any]]:
    """Every field without a column that is compared as a whole."""
    other: dict[str, list[Any]] = {}
    for field, found in values.items():
        kind = fields.kind(field)
        if field in ("index_id", *fields.COLUMNS) or kind in _APART:
            continue
        if kind is Kind.DATE:
            other[field] = [dates.sortable(_moment(value)) for value in found]
        else:
            other[field] = [int(value) for value in found] if kind is Kind.NUMBER else found
    return other


def _headline(values: Values) -> Vector:
    vector = Vector()
    translated = {
        field: "A" for field in sorted(values) if fields.TRANSLATED_TITLE.fullmatch(field)
    }
    for field, weight in {**fields.HEADLINE, **translated}.items():
        for value in values.get(field, []):
            vector.add(value, weight=weight)
    return vector


def _body(values: Values) -> Vector:
    by_prefix = [f for f in values if f.startswith(fields.PREFIXES_COPIED_TO_TEXT)]
    vector = Vector()
    for field in dict.fromkeys((*fields.COPIED_TO_TEXT, *sorted(by_prefix))):
        for value in values.get(field, []):
            # Coordinates are no words to be found.
            if not is_geojson(value):
                vector.add(value, weight=fields.WEIGHTED.get(field, ""))
    return vector


def _labelled(values: Values) -> Vector:
    """Text fields that can be asked for by name and have no letter in the body."""
    vector = Vector()
    for field, found in values.items():
        if fields.kind(field) is Kind.TEXT and field not in fields.WEIGHTED:
            for value in found:
                vector.add(value, label=fields.label(field))
    addresses = " ".join(value for field in fields.URLS for value in values.get(field, []))
    # Most words of most addresses are the same.
    for word in dict.fromkeys(_WORDS.findall(addresses)):
        vector.add(word, label=fields.label("urls"))
    return vector


def _plain(values: Values) -> dict[str, Any]:
    """The values as they came: one alone, several or what may be several as a list."""
    return {
        field: found if len(found) > 1 or fields.is_multiple(field) else found[0]
        for field, found in values.items()
    }
