"""The files of a publication as resources of its dataset in the catalogue."""

from collections.abc import Mapping
from typing import Any

from ckanext.aizu import media_types
from ckanext.aizu.publication import GEOJSON, ORIGINAL, TABLE, Publication

Resource = dict[str, Any]
KINDS = (TABLE, GEOJSON, ORIGINAL)
# People look for the one table; of many, the file that holds all of them comes first.
_ORDER_OF_MANY = (ORIGINAL, GEOJSON, TABLE)
_NAMES = {
    TABLE: ("データ（CSV・表）", "Data (CSV table)"),
    GEOJSON: ("地図用データ（GeoJSON）", "Map data (GeoJSON)"),
    ORIGINAL: ("元のファイル", "Original file"),
}
_FORMATS = {TABLE: ("CSV", "text/csv"), GEOJSON: ("GeoJSON", "application/geo+json")}
# What follows the title of a table or layer where there are several.
_ENDS_OF_MANY = {
    TABLE: ("（CSV・表）", " (CSV table)"),
    GEOJSON: ("（GeoJSON・地図用）", " (GeoJSON for maps)"),
}
_DESCRIPTIONS = {
    TABLE: (
        "点検と整形を済ませた表です。文字コードはUTF-8（BOM付き）で、Excelでそのまま開けます。",
        "The checked and tidied table; UTF-8 with a BOM, so that Excel opens it as it is.",
    ),
    GEOJSON: (
        "地図やGISで使える形式（RFC 7946）です。",
        "For maps and GIS (RFC 7946).",
    ),
    ORIGINAL: (
        "提供元から届いたままのファイルです（複数に分けて届いたものは1つにまとめています）。",
        "As it came from its source; what came in several parts is put together.",
    ),
}


def ours(dataset: Mapping[str, Any]) -> dict[str, Resource]:
    """The resources of a dataset that aizu_publish looks after, by part (`table:stops`, `original`)."""
    found = [r for r in dataset.get("resources", []) if r.get("kind") in KINDS]
    return {":".join(filter(None, (r["kind"], r.get("part")))): r for r in found}


def resources(publication: Publication, before: Mapping[str, Any]) -> list[Resource]:
    """The dataset's resources: ours renewed under their old ids, those of stewards left as they are.

    Args:
        publication: what is published.
        before: the dataset as it is now.
    """
    known = ours(before)
    kinds = _ORDER_OF_MANY if len(publication.tables) > 1 else KINDS
    parts = sorted(_parts(publication), key=lambda part: kinds.index(part.partition(":")[0]))
    renewed = []
    for part in parts:
        # Versions before there were several tables have a kind, and no name.
        old = known.pop(part, None) or known.pop(part.partition(":")[0], {})
        renewed.append(_resource(part, publication, old))
    return renewed + [r for r in before.get("resources", []) if r.get("kind") not in KINDS]


def _parts(publication: Publication) -> list[str]:
    """Tables in the order of the call; layers in that of their tables."""
    order = [table.name for table in publication.tables]

    def place(part: str) -> tuple[int, str]:
        name = part.partition(":")[2]
        return (order.index(name) if name in order else len(order)), part

    return sorted(publication.files, key=place)


def _resource(part: str, publication: Publication, before: Resource) -> Resource:
    kind, _, name = part.partition(":")
    upload = publication.files[part]
    filename = upload.filename or ""
    form, media_type = _FORMATS.get(kind) or media_types.format_and_type(filename)
    title, title_en = _name(kind, name, publication)
    return {
        **({"id": before["id"]} if before else {}),
        "kind": kind,
        "part": name,
        "name": title,
        "name_en": title_en,
        "description": _DESCRIPTIONS[kind][0],
        "description_en": _DESCRIPTIONS[kind][1],
        "format": form,
        "mimetype": media_type,
        "encoding": publication.source.get("encoding", "") if kind == ORIGINAL else "utf-8",
        "hash": f"sha256:{publication.hashes[part]}",
        "url": filename,
        "upload": upload,
        **({"datastore_active": bool(before.get("datastore_active"))} if kind == TABLE else {}),
    }


def _name(kind: str, name: str, publication: Publication) -> tuple[str, str]:
    """In Japanese and English; where there is one of a kind, what it is says more than whose it is."""
    if [part.partition(":")[0] for part in publication.files].count(kind) == 1:
        return _NAMES[kind]
    titled = {table.name: (table.title, table.title_en) for table in publication.tables}
    if kind == GEOJSON:
        titled |= publication.layers
    title, title_en = titled.get(name, (name, name))
    ja, en = _ENDS_OF_MANY[kind]
    return title + ja, (title_en or title) + en


def bare_title(name: str) -> str:
    """The name of one of many tables or layers without what says that it is one."""
    for ends in _ENDS_OF_MANY.values():
        for end in ends:
            name = name.removesuffix(end)
    return name
