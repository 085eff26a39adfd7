"""The table as a map layer: a GeoJSON FeatureCollection as RFC 7946 describes it."""

import json

from harvesters.source import Table

NUMBERS = ("number", "integer")


def to_geojson(table: Table, position: tuple[str, str]) -> bytes:
    """One feature a line, in the table's order; rows without a position are left out.

    Written by hand: through geopandas the same file takes two seconds more to import than to
    make, and the digits of the source would pass through a second writer.
    """
    latitude, longitude = (table.frame.columns.index(name) for name in position)
    features = (
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [float(row[longitude]), float(row[latitude])],
            },
            "properties": {
                field.name: _value(field.type, text)
                for field, text in zip(table.fields, row, strict=True)
            },
        }
        for row in table.frame.iter_rows()
        if row[latitude] and row[longitude]
    )
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'.encode()


def _value(kind: str, text: str) -> str | int | float | None:
    if not text:
        return None
    if kind not in NUMBERS:
        return text
    return float(text) if "." in text else int(text)
