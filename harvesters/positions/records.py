"""Finds the records with a place anywhere in a document; what stands above them holds for each."""

import re
from collections import ChainMap
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from harvesters.dataset import Field
from harvesters.positions import documents
from harvesters.positions.documents import Repeated
from harvesters.positions.geometry import KEYS, points_of
from harvesters.positions.headings import candidates, fold
from harvesters.positions.raw import Point, Raw
from harvesters.words import Words

STRUCTURE = {
    "bbox", "crs", "displayfieldname", "exceededtransferlimit", "fieldaliases", "fields",
    "geometrytype", "globalidfieldname", "hasm", "hasz", "objectidfieldname", "spatialreference",
    "type", "uniqueidfield",
}  # fmt: skip
"""What GeoJSON and Esri JSON say about themselves, on the way to the records."""
NAMES = ("label", "name", "nimi", "title", "tehtava.id", "id")
"""Which part of a task says what it is."""
OFF = {"0", "false", "off", ""}
CODE = re.compile(r"(?:EPSG:{1,2}|EPSG/0/)(\d{4,6})", re.IGNORECASE)
ESRI = {"102100": "3857", "102113": "3857", "900913": "3857"}
DEEPEST = 12


@dataclass(kw_only=True)
class _Found:
    """What the walk through the document has come upon."""

    records: list[dict[str, str]] = field(default_factory=list)
    places: list[list[Point] | None] = field(default_factory=list)
    grids: set[str] = field(default_factory=set)
    partial: bool = False
    placed: bool = False
    """Whether any record says where it is; a vehicle without a fix may leave its place blank."""
    columns: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    """The columns of a place among the names of a record, which come alike by the thousand."""


@dataclass(kw_only=True)
class _Parts:
    """One object, laid flat."""

    values: dict[str, str] = field(default_factory=dict)
    lists: list[tuple[str, list[Any]]] = field(default_factory=list)
    place: list[Point] | None = None


def read(content: bytes, fields: tuple[Field, ...]) -> Raw:
    """The records of a document; refused where none has a place."""
    document = documents.parse(content)
    found = _Found()
    _walk(document, {}, fields, found)
    if not found.placed:
        documents.refuse(document)
    names = list(dict.fromkeys(name for record in found.records for name in record))
    columns = {name: [one.get(name, "") for one in found.records] for name in names}
    return Raw(
        shape=_shape(document, found),
        frame=pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)),
        rows=pl.Series(range(1, len(found.records) + 1), dtype=pl.UInt32),
        places=[place or [] for place in found.places] if any(found.places) else None,
        grid=found.grids.pop() if len(found.grids) == 1 else "",
        kind="json",
        notes=[PARTIAL] if found.partial else [],
    )


PARTIAL = Words(
    "サーバーは一部の車両だけを返しました（exceededTransferLimit）。残りは取得していません。",
    "The server sent a part of the vehicles only (exceededTransferLimit); the others are missing.",
)


def _walk(
    node: Any, above: dict[str, str], fields: tuple[Field, ...], found: _Found, depth: int = 0
) -> None:
    if depth > DEEPEST:
        return
    if isinstance(node, list):
        for one in node:
            _walk(one, above, fields, found, depth + 1)
    elif isinstance(node, dict) and (named := _by_name(node)):
        _walk(named, above, fields, found, depth + 1)
    elif isinstance(node, dict):
        _note_structure(node, found)
        parts, before = _flat(_unwrapped(node)), len(found.records)
        for _, held in parts.lists:
            _walk(held, above | parts.values, fields, found, depth + 1)
        names = tuple(parts.values)
        if names not in found.columns:
            found.columns[names] = _place_columns(names, fields)
        columns = found.columns[names]
        if len(found.records) == before and (parts.place is not None or columns):
            found.placed |= bool(parts.place) or any(parts.values[name] for name in columns)
            tasks = [_told(path, held) for path, held in parts.lists]
            found.records.append(above | parts.values | dict(ChainMap(*tasks)))
            found.places.append(parts.place)


def _unwrapped(node: dict[str, Any]) -> dict[str, Any]:
    """The properties of a feature stand beside its geometry as in any other record."""
    for key in ("properties", "attributes"):
        if isinstance(node.get(key), dict) and ("geometry" in node or key == "attributes"):
            rest = {name: value for name, value in node.items() if name not in {key, "type"}}
            if "id" in rest:
                rest["feature_id"] = rest.pop("id")
            properties: dict[str, Any] = node[key]
            return rest | properties
    return node


def _note_structure(node: dict[str, Any], found: _Found) -> None:
    """Which grid the coordinates are on, and whether the answer is whole."""
    for key in ("crs", "spatialReference", "geometry"):
        told = node.get(key)
        if key == "geometry" and isinstance(told, dict):
            told = told.get("spatialReference")
        if code := _grid(told):
            found.grids.add(code)
    found.partial |= node.get("exceededTransferLimit") is True


def _grid(told: Any) -> str:
    if not isinstance(told, dict):
        return ""
    if wkid := told.get("latestWkid") or told.get("wkid"):
        return f"EPSG:{ESRI.get(str(wkid), wkid)}"
    code = CODE.search(str(told.get("properties", "")))
    return f"EPSG:{code[1]}" if code else ""


def _flat(node: dict[str, Any], path: str = "", parts: _Parts | None = None) -> _Parts:
    """Values under dotted names; the first geometry; lists of objects, which may be records."""
    parts = parts or _Parts()
    for key, value in node.items():
        name = f"{path}{key}"
        if fold(key) in STRUCTURE:
            continue
        if parts.place is None and (place := _place(key, value)) is not None:
            parts.place = place
        elif isinstance(value, dict) and (named := _by_name(value)):
            parts.lists.append((name, named))
        elif isinstance(value, dict):
            _flat(value, f"{name}.", parts)
        elif isinstance(value, Repeated) or _holds_objects(value):
            parts.lists.append((name, value))
        else:
            parts.values[name] = _text(value)
    return parts


def _by_name(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Records that are kept under their names instead of in a list: two of them alike, or more."""
    inner = list(value.values())
    if len(inner) < 2 or not all(isinstance(one, dict) for one in inner):
        return []
    if any(one.keys() != inner[0].keys() or len(one) < 3 for one in inner):
        return []
    return [{"id": name} | one for name, one in value.items()]


def _place(key: str, value: Any) -> list[Point] | None:
    """The points under a key that speaks of a place, or in anything that is GeoJSON."""
    if fold(key) in KEYS or (isinstance(value, dict) and "coordinates" in value):
        return points_of(fold(key), value)
    return None


def _holds_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict | list) for one in value)


def _text(value: Any) -> str:
    """Numbers are text already; a list of words is one text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(_text(one) for one in value)
    return str(value)


def _place_columns(names: tuple[str, ...], fields: tuple[Field, ...]) -> list[str]:
    """The names of a latitude and a longitude, or of the two coordinates of a grid."""
    found = candidates(names, fields)
    for pair in (("latitude", "longitude"), ("east", "north")):
        if all(found[half] for half in pair):
            return [found[half][0] for half in pair]
    return []


def _told(path: str, held: list[Any]) -> dict[str, str]:
    """A list inside a record, as its tasks: those that are on, with the times of the first and last."""
    objects = [_flat(one).values for one in held if isinstance(one, dict)]
    on = [one for one in objects if one.get("state", "on").casefold() not in OFF]
    names = [next((one[name] for name in NAMES if one.get(name)), "") for one in on]
    times = [one["time"] for one in on if one.get("time")]
    span = {"starttime": min(times), "endtime": max(times)} if times else {}
    return {path: "; ".join(name for name in names if name)} | span


def _shape(document: Any, found: _Found) -> Words:
    """What the records look like, for the line that says what was read."""
    lines = any(place and len(place) > 1 for place in found.places)
    what = Words("軌跡", "tracks") if lines else Words("位置", "positions")
    kind = "JSON"
    if isinstance(document, dict) and document.get("type") in {"FeatureCollection", "Feature"}:
        kind = "GeoJSON"
    elif isinstance(document, dict) and "features" in document:
        kind = "Esri JSON"
    count = len(found.records)
    return Words(f"{kind}、{what.ja}の記録 {count:,} 件", f"{kind}, {count:,} records of {what.en}")
