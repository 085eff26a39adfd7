"""What the portal makes itself of the tables and layers of a version, and of which of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import ckan.plugins.toolkit as tk

from ckanext.aizu import coordinates, publication, tiles
from ckanext.aizu.blobs import MB, Arrivals
from ckanext.aizu.publication import GEOJSON, GEOPARQUET, PARQUET, PMTILES, TABLE, Publication

# From here on a browser waits for a layer, and tiles are worth the time that they take.
LARGE_LAYER = 5 * MB
# A layer is read whole; one that is larger has its tiles.
LARGEST_LAYER = 32 * MB


@dataclass(frozen=True, kw_only=True)
class Made:
    """One file that the portal has made."""

    kind: str
    part: str
    filename: str
    size: int
    sha256: str
    rows: int = 0
    """Of a table."""
    as_text: tuple[str, ...] = ()
    """Columns that are text in it, though their type is another."""


@dataclass(frozen=True, kw_only=True)
class _Workshop:
    """A publication that has arrived, and room to make more of it."""

    incoming: Publication
    arrivals: Arrivals

    def came(self, part: str) -> Path:
        return self.arrivals.path(self.incoming.hashes[part])

    def new(self) -> Path:
        return self.arrivals.place / "made"

    def stem(self, part: str) -> str:
        return PurePath(self.incoming.files[part].filename or part).stem

    def finished(self, kind: str, name: str, filename: str) -> Made:
        file = self.new()
        with file.open("rb") as content:
            sha256 = self.arrivals.add(content)
        size = file.stat().st_size
        file.unlink()
        return Made(kind=kind, part=name, filename=filename, size=size, sha256=sha256)


def make(incoming: Publication, arrivals: Arrivals) -> list[Made]:
    """Every table as Parquet; every layer that is more than a table's points as GeoParquet; large ones as tiles.

    Args:
        incoming: what is published, its files among the arrivals.
        arrivals: take what is made.
    """
    shop = _Workshop(incoming=incoming, arrivals=arrivals)
    tables = [_parquet(shop, table) for table in incoming.tables]
    return [*tables, *_layers(shop)]


def check(made: Iterable[Made], rows: Mapping[str, int]) -> None:
    """Refuses a table that the DataStore and others read differently.

    Args:
        made: of `make`.
        rows: of each table, as the DataStore has read it.
    """
    for one in made:
        if one.kind == PARQUET and one.rows != rows[one.part]:
            message = tk._("As CSV it is ambiguous: some programs read %i rows, others %i")
            told = message % (one.rows, rows[one.part])
            raise tk.ValidationError({f"{TABLE}:{one.part}": [told]})


def _parquet(shop: _Workshop, table: publication.Table) -> Made:
    # Polars takes a while to load, and the portal's pages do without it.
    from ckanext.aizu import parquet

    part = f"{TABLE}:{table.name}"
    position = _position(table)
    told = _metadata(shop.incoming, part)
    written = parquet.write(shop.came(part), table.fields, position, told, shop.new())
    made = shop.finished(PARQUET, table.name, f"{shop.stem(part)}.parquet")
    return replace(made, rows=written.rows, as_text=written.as_text)


def _layers(shop: _Workshop) -> Iterator[Made]:
    for part, size in shop.incoming.sizes.items():
        kind, _, name = part.partition(":")
        if kind != GEOJSON:
            continue
        if size <= LARGEST_LAYER and (made := _geoparquet(shop, part, name)):
            yield made
        if size >= LARGE_LAYER and tiles.write(shop.came(part), name, shop.new()):
            yield shop.finished(PMTILES, name, f"{shop.stem(part)}.pmtiles")


def _geoparquet(shop: _Workshop, part: str, name: str) -> Made | None:
    """None of places that the Parquet of their table has as well."""
    from ckanext.aizu import geoparquet  # Polars, as above

    try:
        features = geoparquet.features_of(shop.came(part).read_bytes())
        table = next((one for one in shop.incoming.tables if one.name == name), None)
        if not features or table and _position(table) and geoparquet.only_points(features):
            return None
        geoparquet.write_layer(features, _metadata(shop.incoming, part), shop.new())
    except (ValueError, RecursionError) as error:
        raise tk.ValidationError({part: [tk._("Expected GeoJSON: %s") % error]}) from error
    return shop.finished(GEOPARQUET, name, f"{shop.stem(part)}.geo.parquet")


def _position(table: publication.Table) -> tuple[str, str] | None:
    numbers = [one["name"] for one in table.fields if one.get("type") in ("number", "integer")]
    return coordinates.columns(numbers)


def _metadata(incoming: Publication, part: str) -> dict[str, str]:
    """A Data Package of the file that it was made of.

    No number and no time: what did not change stays the same file, and an undo brings back the bytes.
    """
    dataset, source = incoming.dataset, incoming.source
    name = part.partition(":")[2]
    table = next((vars(one) for one in incoming.tables if part == f"{TABLE}:{one.name}"), {})
    resource = {
        "name": name,
        **{key: table[key] for key in ("title", "title_en", "schema") if table.get(key)},
        "path": incoming.files[part].filename,
        "hash": f"sha256:{incoming.hashes[part]}",
    }
    package = {
        "name": dataset["name"],
        **{key: dataset[key] for key in ("title", "title_en") if dataset.get(key)},
        "licenses": [{"name": dataset["license_id"]}] if dataset.get("license_id") else [],
        "sources": [{"title": source["url"], "path": source["url"]}],
        "resources": [resource],
    }
    return {"datapackage": json.dumps(package, ensure_ascii=False)}
