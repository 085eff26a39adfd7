"""The map layer is GeoJSON as RFC 7946 has it, and loses no digit of the source."""

import json

from harvesters.dataset import Field
from harvesters.geojson import to_geojson
from harvesters.source import Table, frame_of
from harvesters.words import Words

from .conftest import as_csv


def test_a_row_becomes_a_point_with_its_columns(normalised):
    """Longitude first, numbers as numbers, empty cells as null."""
    table = normalised(as_csv([{"緯度": "37.49961234567891", "経度": "139.9", "口径": "100"}]))
    layer = json.loads(to_geojson(table, table.position))
    (feature,) = layer["features"]
    assert layer["type"] == "FeatureCollection"
    assert feature["geometry"] == {"type": "Point", "coordinates": [139.9, 37.49961234567891]}
    assert feature["properties"]["口径"] == 100
    assert feature["properties"]["ID"] == "1"
    assert feature["properties"]["備考"] is None
    assert "crs" not in layer


def test_yes_and_no_are_those_of_json():
    """A program that reads the layer need not know how the table writes them."""
    fields = tuple(
        Field(
            name=name,
            type=kind,
            title=Words(name, name),
            description=Words("", ""),
            constraints={},
            origins=(),
        )
        for name, kind in {"lat": "number", "lon": "number", "open": "boolean"}.items()
    )
    table = Table(
        name="doors",
        title=Words("扉", "Doors"),
        fields=fields,
        key=(),
        frame=frame_of(
            ["lat", "lon", "open"],
            [["37.5", "139.9", cell] for cell in ("true", "1", "FALSE", "")],
        ),
        row_numbers=range(2, 6),
        headings={},
        encoding="UTF-8",
    )
    layer = json.loads(to_geojson(table, ("lat", "lon")))
    told = [feature["properties"]["open"] for feature in layer["features"]]
    assert told == [True, True, False, None]


def test_the_digits_of_the_source_are_kept(normalised):
    """The position in the file is the number that the city wrote."""
    table = normalised(as_csv([{"緯度": "37.4898765432", "経度": "139.9298765432"}]))
    assert b"[139.9298765432, 37.4898765432]" in to_geojson(table, table.position)


def test_a_row_without_position_is_not_on_the_map(normalised):
    """It stays in the table."""
    table = normalised(as_csv([{"緯度": "", "経度": ""}, {"ID": "2"}]))
    layer = json.loads(to_geojson(table, table.position))
    assert [feature["properties"]["ID"] for feature in layer["features"]] == ["2"]
