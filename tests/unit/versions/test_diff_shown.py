"""The differences as JSON, as a map layer and as a sentence."""

import json

import pytest

from ckanext.aizu.diff import Table, compare
from ckanext.aizu.diff_shown import as_geojson, summary, to_json

TYPES = {"id": "string", "kind": "string", "lat": "number", "lon": "number"}
FIELDS = [{"name": name, "type": kind} for name, kind in TYPES.items()]
HEADER = "id,kind,lat,lon"
BEFORE = (
    "1,消火栓,37.50,139.90",
    "2,防火水槽,37.51,139.91",
    "3,消火栓,37.52,139.92",
    "4,消火栓,,",
    "5,消火栓,37.54,139.94",
)
AFTER = (
    "1,消火栓,37.50,139.90",
    "2,消火栓,37.51,139.91",
    "3,消火栓,37.6,139.92",
    "4,消火栓,37.53,139.93",
    "5,消火栓,37.540,139.94",
    "6,消火栓,137.5,139.95",
)
POSITION = ("lat", "lon")


def table(rows, header=HEADER):
    fields = [{"name": name, "type": TYPES.get(name, "string")} for name in header.split(",")]
    return Table(content="\r\n".join([header, *rows]).encode(), fields=fields, key=("id",))


def test_json_has_the_page_and_what_is_said_of_all():
    """Everything that is needed to show a page and to ask for the next one."""
    told = to_json(compare(table(BEFORE), table(AFTER[1:])), offset=3, limit=2)
    assert json.loads(json.dumps(told)) == {
        "counts": {
            "added": 1,
            "changed": 4,
            "removed": 1,
            "unchanged": 0,
            "before": 5,
            "after": 5,
            "rewritten": 1,
            "keyless": 0,
        },
        "key": ["id"],
        "fields": {"added": [], "removed": [], "retyped": []},
        "order_changed": False,
        "offset": 3,
        "limit": 2,
        "total": 6,
        "rows": [
            {
                "change": "changed",
                "key": {"id": "5"},
                "row_before": 6,
                "row_after": 5,
                "cells": {"lat": {"before": "37.54", "after": "37.540"}},
            },
            {
                "change": "added",
                "key": {"id": "6"},
                "row_before": None,
                "row_after": 6,
                "cells": {"id": "6", "kind": "消火栓", "lat": "137.5", "lon": "139.95"},
            },
        ],
    }


def test_json_tells_of_columns():
    """By name, with both types of one that changed its type."""
    after = Table(
        content=b"id,lat,new\r\n1,37,x\r\n",
        fields=[{"name": "id"}, {"name": "lat", "type": "integer"}, {"name": "new"}],
        key=("id",),
    )
    told = to_json(compare(table(["1,a,37,139"]), after), 0, 10)
    assert told["fields"] == {
        "added": ["new"],
        "removed": ["kind", "lon"],
        "retyped": [
            {"name": "id", "before": "string", "after": "any"},
            {"name": "lat", "before": "number", "after": "integer"},
        ],
    }
    assert told["rows"] == []


def test_the_map_shows_points_and_moves():
    """Longitude first; a line for what moved, a point for what was only written otherwise."""
    layer = as_geojson(compare(table(BEFORE), table(AFTER)), POSITION)
    shown = {f["properties"]["key"]["id"]: f["geometry"] for f in layer["features"]}
    assert json.loads(json.dumps(shown)) == {
        "2": {"type": "Point", "coordinates": [139.91, 37.51]},
        "3": {"type": "LineString", "coordinates": [[139.92, 37.52], [139.92, 37.6]]},
        "4": {"type": "Point", "coordinates": [139.93, 37.53]},
        "5": {"type": "Point", "coordinates": [139.94, 37.54]},
        "6": None,
    }
    assert layer["features"][0]["properties"]["change"] == "changed"
    assert layer["features"][0]["properties"]["cells"] == {
        "kind": {"before": "防火水槽", "after": "消火栓"}
    }
    assert (layer["type"], layer["left_out"]) == ("FeatureCollection", 0)


def test_removed_rows_stand_where_they_were():
    """And rows that have no place on the map are told without one."""
    layer = as_geojson(compare(table(BEFORE), table([])), POSITION)
    assert [f["properties"]["change"] for f in layer["features"]] == ["removed"] * 5
    assert layer["features"][0]["geometry"]["coordinates"] == (139.9, 37.5)
    assert layer["features"][3]["geometry"] is None


def test_the_map_says_what_it_leaves_out():
    """A browser cannot draw a million points."""
    layer = as_geojson(compare(table(BEFORE), table([])), POSITION, limit=2)
    assert (len(layer["features"]), layer["left_out"]) == (2, 3)


@pytest.mark.parametrize("position", ["NaN,1", "inf,1", "x,1", "91,1", "1,181"])
def test_what_is_no_position_is_not_drawn(position):
    """JSON knows no NaN, and maps no latitude beyond the poles."""
    layer = as_geojson(compare(table([]), table([f"1,a,{position}"])), POSITION)
    assert [f["geometry"] for f in layer["features"]] == [None]


def test_a_version_without_the_columns_of_the_position():
    """What was drawn once is drawn where it was."""
    after = table(["1,a"], header="id,kind")
    layer = as_geojson(compare(table(["1,b,37,139"]), after), POSITION)
    assert layer["features"][0]["geometry"] == {"type": "Point", "coordinates": (139.0, 37.0)}


@pytest.mark.parametrize(
    ("after", "japanese", "english"),
    [
        (BEFORE, "変更はありません", "No changes"),
        (AFTER, "追加 1 行、変更 4 行、削除 0 行", "1 row added, 4 changed, 0 removed"),
        (
            BEFORE[::-1],
            "追加 0 行、変更 0 行、削除 0 行、並び順の変更あり",
            "0 rows added, 0 changed, 0 removed, order of rows changed",
        ),
        (
            [f"x{n},a,1,1" for n in range(1234)],
            "追加 1,234 行、変更 0 行、削除 5 行",
            "1,234 rows added, 0 changed, 5 removed",
        ),
    ],
)
def test_one_sentence(after, japanese, english):
    """In both languages, with figures that people can read."""
    diff = compare(table(BEFORE), table(after))
    assert summary(diff, "ja") == japanese
    assert summary(diff, "en") == english


def test_one_sentence_names_columns():
    """New ones, those that are gone, those of another type."""
    fields = [{"name": "id"}, {"name": "備考", "type": "string"}]
    after = Table(content="id,備考\r\n1,\r\n".encode(), fields=fields, key=("id",))
    diff = compare(table(["1,a"], header="id,kind"), after)
    rows = "追加 0 行、変更 0 行、削除 0 行"
    assert summary(diff, "ja") == f"{rows}、列の追加: 備考、列の削除: kind、型の変わった列: id"
    assert summary(diff, "en") == (
        "0 rows added, 0 changed, 0 removed, new columns: 備考, columns gone: kind, "
        "columns of another type: id"
    )
