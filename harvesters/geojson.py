"""Map layers, those of tables among them: a GeoJSON FeatureCollection as RFC 7946 describes it."""

import json
from collections.abc import Iterable
from typing import Any

from harvesters.source import Table

NUMBERS = ("number", "integer")


def to_geojson(table: Table, position: tuple[str, str]) -> bytes:
    """The rows in the table's order; those without a position are left out."""
    latitude, longitude = (table.frame.columns.index(name) for name in position)
    return collection(
        feature(
            "Point",
            [float(row[longitude]), float(row[latitude])],
            {
                field.name: _value(field.type, text)
                for field, text in zip(table.fields, row, strict=True)
            },
        )
        for row in table.frame.iter_rows()
        if row[latitude] and row[longitude]
    )


def feature(kind: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    """A geometry and what is said of it."""
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def collection(features: Iterable[dict[str, Any]]) -> bytes:
    """One feature a line, so that versions can be compared line by line.

    Written by hand: through geopandas the same file takes two seconds more to import than to
    make, and the digits of the source would pass through a second writer.
    """
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'.encode()


def _value(kind: str, text: str) -> str | int | float | bool | None:
    if not text:
        return None
    if kind == "boolean":
        return text.casefold() in ("true", "1")
    if kind not in NUMBERS:
        return text
    return float(text) if "." in text else int(text)
