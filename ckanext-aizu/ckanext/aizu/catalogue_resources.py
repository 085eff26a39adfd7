"""The files of a publication as resources of its dataset in the catalogue."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ckan.lib import munge

from ckanext.aizu import media_types, versions
from ckanext.aizu.byproducts import Made
from ckanext.aizu.publication import (
    GEOJSON,
    GEOPARQUET,
    ORIGINAL,
    PARQUET,
    PMTILES,
    TABLE,
    Publication,
)

Resource = dict[str, Any]
Part = dict[str, Any]
# Beside the files of a version stands its report.
RESERVED = ("report.json",)
KINDS = (TABLE, GEOJSON, ORIGINAL, PARQUET, GEOPARQUET, PMTILES)
# People look for the one table; of many, the file that holds all of them comes first.
_ORDER_OF_MANY = (ORIGINAL, GEOJSON, TABLE, PARQUET, GEOPARQUET, PMTILES)
_NAMES = {
    TABLE: ("データ（CSV・表）", "Data (CSV table)"),
    GEOJSON: ("地図用データ（GeoJSON）", "Map data (GeoJSON)"),
    ORIGINAL: ("元のファイル", "Original file"),
    PARQUET: ("データ（Parquet・分析用）", "Data (Parquet for analysis)"),
    GEOPARQUET: ("地図用データ（GeoParquet・分析用）", "Map data (GeoParquet for analysis)"),
    PMTILES: ("地図用データ（PMTiles・地図タイル）", "Map data (PMTiles, map tiles)"),
}
_FORMATS = {TABLE: ("CSV", "text/csv"), GEOJSON: ("GeoJSON", "application/geo+json")}
# What follows the title of a table or layer where there are several.
_ENDS_OF_MANY = {
    TABLE: ("（CSV・表）", " (CSV table)"),
    GEOJSON: ("（GeoJSON・地図用）", " (GeoJSON for maps)"),
    PARQUET: ("（Parquet・分析用）", " (Parquet for analysis)"),
    GEOPARQUET: ("（GeoParquet・分析用）", " (GeoParquet for analysis)"),
    PMTILES: ("（PMTiles・地図タイル）", " (PMTiles, map tiles)"),
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
    PARQUET: (
        "同じ表を、列の型を保って小さくまとめた形式です。pandas、R、DuckDBなどの分析ソフトで読めます。"
        "緯度・経度のある表はGeoParquetで、GISでも開けます。",
        "The same table, small and with the types of its columns, for pandas, R, DuckDB and the like; "
        "with latitude and longitude it is GeoParquet, which GIS open too.",
    ),
    GEOPARQUET: (
        "同じ図形を、分析ソフトやGIS（QGIS、GeoPandasなど）で速く読める形式（GeoParquet 1.1）です。",
        "The same shapes, quick to read for GIS and analysis such as QGIS and GeoPandas (GeoParquet 1.1).",
    ),
    PMTILES: (
        "同じ図形を地図タイルにしたファイルです。MapLibreなどのウェブ地図やQGISで、必要な部分だけを読み込めます。",
        "The same shapes as map tiles: web maps such as MapLibre, and QGIS, load only what they show.",
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


def parts(
    publication: Publication, made: Iterable[Made], dataset_id: str, known: Mapping[str, str]
) -> list[Part]:
    """The files of a publication, in the order of the dataset's page, with all that is said of them.

    Args:
        publication: what is published.
        made: what the portal has made of it.
        dataset_id: id of its dataset.
        known: ids of the resources that the dataset has, by part.
    """
    sent = [_sent(part, publication) for part in _in_order(publication)]
    files = [*sent, *map(_made, made)]
    kinds = _ORDER_OF_MANY if len(publication.tables) > 1 else KINDS
    taken = set(RESERVED)
    return [
        {
            **file,
            "resource_id": _id(versions.part_name(file), dataset_id, known),
            "filename": _own_name(file["filename"], file["part"] or file["kind"], taken),
            **_titles(file, files, publication),
        }
        for file in sorted(files, key=lambda file: kinds.index(file["kind"]))
    ]


def _in_order(publication: Publication) -> list[str]:
    """Tables in the order of the call; layers in that of their tables."""
    order = [table.name for table in publication.tables]

    def place(part: str) -> tuple[int, str]:
        name = part.partition(":")[2]
        return (order.index(name) if name in order else len(order)), part

    return sorted(publication.files, key=place)


def _id(part: str, dataset_id: str, known: Mapping[str, str]) -> str:
    """Of the resource: the old one, or one that anybody can tell before the catalogue knows it.

    Datasets from before there were several tables have parts with a kind and no name.
    """
    old = known.get(part) or known.get(part.partition(":")[0])
    return old or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{dataset_id}:{part}"))


def _sent(part: str, publication: Publication) -> Part:
    kind, _, name = part.partition(":")
    filename = publication.files[part].filename or part
    form, media_type = _FORMATS.get(kind) or media_types.format_and_type(filename)
    return {
        "kind": kind,
        "part": name,
        "filename": munge.munge_filename(filename),
        "media_type": media_type,
        "format": form,
        "encoding": publication.source.get("encoding", "") if kind == ORIGINAL else "utf-8",
        "size": publication.sizes[part],
        "sha256": publication.hashes[part],
    }


def _made(file: Made) -> Part:
    form, media_type = media_types.format_and_type(file.filename)
    return {
        "kind": file.kind,
        "part": file.part,
        "filename": munge.munge_filename(file.filename),
        "media_type": media_type,
        "format": form,
        "encoding": "",
        "size": file.size,
        "sha256": file.sha256,
        **({"as_text": list(file.as_text)} if file.as_text else {}),
    }


def _own_name(filename: str, part: str, taken: set[str]) -> str:
    """A name that no other file of the version has; names that differ in case alone are the same."""
    while filename.lower() in taken:
        filename = f"{part}-{filename}"
    taken.add(filename.lower())
    return filename


def resources(files: Iterable[Part], before: Mapping[str, Any], changed_at: str) -> list[Resource]:
    """The dataset's resources: those of a version, and behind them what stewards have added.

    Args:
        files: of `parts`.
        before: the dataset as the catalogue has it.
        changed_at: when the version was published.
    """
    known = {resource["id"]: resource for resource in before.get("resources", [])}
    renewed = [_resource(part, known.get(part["resource_id"], {}), changed_at) for part in files]
    return renewed + [r for r in known.values() if r.get("kind") not in KINDS]


def _resource(part: Part, before: Resource, changed_at: str) -> Resource:
    sha256 = f"sha256:{part['sha256']}"
    same = before.get("hash") == sha256
    description, description_en = _description(part)
    return {
        "id": part["resource_id"],
        "kind": part["kind"],
        "part": part["part"],
        "name": part["title"],
        "name_en": part["title_en"],
        "description": description,
        "description_en": description_en,
        "format": part["format"],
        "mimetype": part["media_type"],
        "encoding": part["encoding"],
        "hash": sha256,
        "size": part["size"],
        "url": part["filename"],
        "url_type": "upload",
        "last_modified": before.get("last_modified") if same else _in_utc(changed_at),
        **({"datastore_active": True} if part["kind"] == TABLE else {}),
    }


def _description(part: Part) -> tuple[str, str]:
    ja, en = _DESCRIPTIONS[part["kind"]]
    if columns := part.get("as_text"):
        ja += f"型に合わない値があるため、次の列は文字列です: {'、'.join(columns)}"
        en += f" Columns that are text, since not all values have the type: {', '.join(columns)}"
    return ja, en


def _in_utc(moment: str) -> str:
    """As CKAN stores moments: in UTC, without saying so."""
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None).isoformat()


def _titles(file: Part, files: Iterable[Part], publication: Publication) -> dict[str, str]:
    """In both languages; where there is one of a kind, what it is says more than whose it is."""
    kind, name = file["kind"], file["part"]
    if [one["kind"] for one in files].count(kind) == 1:
        title, title_en = _NAMES[kind]
        return {"title": title, "title_en": title_en}
    titled = {table.name: (table.title, table.title_en) for table in publication.tables}
    if kind not in (TABLE, PARQUET):
        titled |= publication.layers
    title, title_en = titled.get(name, (name, name))
    ja, en = _ENDS_OF_MANY[kind]
    return {"title": title + ja, "title_en": (title_en or title) + en}


def bare_title(name: str) -> str:
    """The name of one of many tables or layers without what says that it is one."""
    for ends in _ENDS_OF_MANY.values():
        for end in ends:
            name = name.removesuffix(end)
    return name
