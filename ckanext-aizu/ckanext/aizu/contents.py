"""What a dataset holds, as its page lays it out: files to download, tables, layers of the map."""

from typing import Any

from ckanext.aizu import catalogue_resources
from ckanext.aizu.publication import GEOJSON, GEOPARQUET, ORIGINAL, PARQUET, PMTILES, TABLE

Entity = dict[str, Any]
_MADE_OF = {PARQUET: TABLE, GEOPARQUET: GEOJSON, PMTILES: GEOJSON}


def aizu_resource_kind(resource: Entity) -> str:
    """Says what a resource is good for: `table`, `map`, `original`, `copy` in another format, or `file`."""
    if resource.get("kind") in _MADE_OF:
        return "copy"
    if resource.get("kind") == ORIGINAL:
        return "original"
    if resource.get("datastore_active"):
        return "table"
    return "map" if str(resource.get("format", "")).lower() == "geojson" else "file"


def aizu_map_resources(package: Entity) -> list[Entity]:
    """Returns the resources that the dataset page draws as one map."""
    return of_kind(package, "map")


def aizu_table_resource(package: Entity) -> Entity | None:
    """Returns the resource that the dataset page shows as a table."""
    return next(iter(of_kind(package, "table")), None)


def aizu_tables(package: Entity) -> list[Entity]:
    """Returns the tables of a dataset that has several; they stand in a list of their own."""
    tables = of_kind(package, "table")
    return tables if len(tables) > 1 else []


def aizu_copies(package: Entity) -> list[Entity]:
    """Returns the resources that are another one in another format; its entry offers them."""
    return of_kind(package, "copy")


def aizu_other_formats(package: Entity, resource: Entity) -> list[Entity]:
    """Returns the resources that are the same data in another format."""
    return [
        other
        for other in aizu_copies(package)
        if _MADE_OF[other["kind"]] == resource.get("kind")
        and other.get("part") == resource.get("part")
    ]


def aizu_bare_title(name: str) -> str:
    """Returns the name of a table or layer without its format, where the format goes without saying."""
    return catalogue_resources.bare_title(name)


def of_kind(package: Entity, kind: str) -> list[Entity]:
    """The resources of a dataset that are good for the same."""
    return [r for r in package.get("resources") or [] if aizu_resource_kind(r) == kind]
