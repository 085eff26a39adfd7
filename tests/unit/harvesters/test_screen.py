"""Faults planted into good tables are found in their very cells; good tables keep Frictionless idle."""

import csv
import io
from itertools import pairwise

import pytest
from frictionless import Checklist, Dialect, Schema, fields
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

from harvesters.checks import inside_city, plain_numbers
from harvesters.validation import judge as judging
from harvesters.validation.judge import judge

ROWS = 3_000
VERSION_2 = "https://datapackage.org/profiles/2.0/{}.json"
"""Older versions of Table Schema know no exclusive bounds."""
FIELDS = {
    "id": ("integer", {"required": True, "unique": True}),
    "time": ("datetime", {"required": True}),
    "vehicle": ("string", {"pattern": "[0-9]{6}", "required": True}),
    "name": ("string", {"minLength": 2, "maxLength": 8}),
    "lat": ("number", {"minimum": -90, "maximum": 90}),
    "lon": ("number", {"minimum": -180, "maximum": 180}),
    "heading": ("integer", {"minimum": 0, "maximum": 360}),
    "blade": ("boolean", {}),
    "task": ("string", {"enum": ["plow", "salt"]}),
    "day": ("date", {"minimum": "2025-12-01"}),
    "clock": ("time", {}),
    "season": ("year", {"minimum": 2000}),
    "link": ("string", {}, "uri"),
    "mail": ("string", {}, "email"),
    "uuid": ("string", {}, "uuid"),
    "width": ("number", {"exclusiveMinimum": 0, "exclusiveMaximum": 10}),
    "lanes": ("integer", {"enum": [1, 2, 4]}),
    "depth": ("number", {}),
    "month": ("yearmonth", {"minimum": "2025-11"}),
    "taken": ("duration", {}),
    "point": ("geopoint", {}, "array"),
    "shape": ("geojson", {}),
    "more": ("object", {"maxLength": 1}),
    "crew": ("array", {"minLength": 1}),
    "roads": ("list", {}),
    "other": ("any", {"enum": ["a", "b"]}),
    "notes": ("string", {}),
}
NAMES = list(FIELDS)
PLANTED = {
    ("id", ""): "constraint-error",
    ("id", "12a"): "type-error",
    ("id", "1"): "unique-error",
    ("id", "+1"): "unique-error",
    ("time", "2026-01-32T00:00:00Z"): "type-error",
    ("time", "2026-01-20 08:00"): "type-error",
    ("time", "2025-02-29T08:00:00Z"): "type-error",
    ("time", "2026-01-20T08:00:60Z"): "type-error",
    ("time", ""): "constraint-error",
    ("vehicle", "95215"): "constraint-error",
    ("vehicle", "９５２１５０"): "constraint-error",
    ("vehicle", "952150.0"): "constraint-error",
    ("name", "雪"): "constraint-error",
    ("name", "除雪車の名前が長い"): "constraint-error",
    ("lat", "北緯37度"): "type-error",
    ("lat", "90.00000000000000000001"): "constraint-error",
    ("lat", "NaN"): "constraint-error",
    ("lat", "1e1"): "number-form",
    ("lat", "139.95"): "constraint-error",
    ("lat", "35.68"): "outside-city",
    ("lat", ""): "half-position",
    ("lon", "-180.1"): "constraint-error",
    ("lon", ""): "half-position",
    ("heading", "361"): "constraint-error",
    ("heading", "-1"): "constraint-error",
    ("heading", "90.5"): "type-error",
    ("heading", "9_0"): "number-form",
    ("blade", "down"): "type-error",
    ("task", "plough"): "constraint-error",
    ("day", "2026-02-30"): "type-error",
    ("day", "2025-11-30"): "constraint-error",
    ("day", "令和8年1月20日"): "type-error",
    ("clock", "8:30"): "type-error",
    ("clock", "24:30:00"): "type-error",
    ("season", "26"): "type-error",
    ("season", "1999"): "constraint-error",
    ("link", "雪"): "type-error",
    ("mail", "a@"): "type-error",
    ("uuid", "952150"): "type-error",
    ("lat", "sNaN"): "type-error",
    ("heading", "sNaN"): "type-error",
    ("width", "-snan7"): "type-error",
    ("width", "0"): "constraint-error",
    ("width", "10"): "constraint-error",
    ("width", "9.99999999999999999999"): None,
    ("lanes", "3"): "constraint-error",
    ("depth", "sNaN"): "number-form",
    ("depth", "２"): "number-form",
    ("depth", "1,5"): "type-error",
    ("month", "2025-13"): "type-error",
    ("month", "2025-10"): "constraint-error",
    ("taken", "5 min"): "type-error",
    ("point", "[181, 37]"): "type-error",
    ("point", "139.9, 37.4"): "type-error",
    ("shape", '{"type": "Place"}'): "type-error",
    ("shape", "{"): "type-error",
    ("more", "[]"): "type-error",
    ("more", '{"a": 1, "b": 2}'): "constraint-error",
    ("crew", "{}"): "type-error",
    ("crew", "[]"): "constraint-error",
    ("other", "c"): "constraint-error",
}


CHECKS = [
    plain_numbers(columns=["lat", "lon", "heading", "depth"]),
    inside_city(latitude="lat", longitude="lon", west=139, south=37, east=140.5, north=38),
]


def good(number):
    """One row that breaks no rule."""
    clock = f"{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
    return [
        str(number), f"2026-01-20T{clock}Z", f"95{number % 250:04d}", "除雪車", f"37.{48000 + number}",
        f"139.{92000 + number}", str(number % 361), "true", "plow", "2026-01-20", clock, "2026",
        "https://example.jp/", "plow@example.jp", "123e4567-e89b-12d3-a456-426614174000",
        f"{number % 9 + 0.5}", "2", f"0.{number}", "2026-01", "PT5M", "[139.9, 37.4]",
        '{"type": "Point", "coordinates": [139.9, 37.4]}', '{"a": 1}', '["x"]', "1,2", "a",
        "" if number % 3 else "a, b",
    ]  # fmt: skip


def table(rows):
    """The rows as Frictionless takes them; an empty line of the list is an empty line."""
    text = io.StringIO()
    csv.writer(text).writerows([NAMES, *rows])
    content = text.getvalue().encode("utf-8-sig")
    described = [
        {"name": name, "type": kind, "constraints": constraints, "format": (*form, "default")[0]}
        for name, (kind, constraints, *form) in FIELDS.items()
    ]
    schema = {"$schema": VERSION_2.format("tableschema"), "fields": described}
    return lambda: TableResource(
        name="log",
        data=content,
        scheme="buffer",
        format="csv",
        encoding="utf-8-sig",
        dialect=Dialect(controls=[CsvControl(delimiter=",", line_terminator="\r\n")]),
        schema=Schema.from_descriptor(schema | {"primaryKey": ["vehicle", "time"]}),
        schema_profile=VERSION_2.format("dataresource"),
    )


def judged(rows):
    """The errors of a table with all our checks."""
    checklist = Checklist(checks=CHECKS)
    report = judge(table(rows), checklist, limit_errors=0)
    return [error.to_descriptor() for error in report.tasks[0].errors]


@pytest.fixture
def seen(monkeypatch):
    """How many rows Frictionless is handed in each verdict."""
    counts = []
    counted = judging._counted

    def counting(resource, cells, doubts):
        counts.append(len(doubts.rows))
        return counted(resource, cells, doubts)

    monkeypatch.setattr(judging, "_counted", counting)
    return counts


def test_of_a_clean_table_frictionless_sees_the_first_row_alone(seen):
    """No finding, and nothing to do for the slow reader."""
    assert judged([good(number) for number in range(1, ROWS)]) == []
    assert seen == [1]


@pytest.mark.parametrize("places", [range(5, ROWS, 61), range(700, ROWS, 67)])
def test_every_planted_fault_is_found_in_its_cell_and_nothing_else_is(seen, places):
    """Every rule many times over, in one table."""
    rows = [good(number) for number in range(1, ROWS)]
    planted = {}
    faults = list(PLANTED.items()) * 2
    for place, ((column, value), kind) in zip(places, faults, strict=False):
        rows[place][NAMES.index(column)] = value
        if kind:
            planted[place + 2, column] = kind
    errors = [error for error in judged(rows) if error["type"] != "primary-key"]
    found = {(error["rowNumber"], error["fieldName"], error["type"]) for error in errors}
    assert {(row, column, kind) for (row, column), kind in planted.items()} <= found
    assert {row for row, _, _ in found} == {row for row, _ in planted}
    assert all(
        (row, column) in planted or {(row, "lat"), (row, "lon")} & set(planted)
        for row, column, _ in found
    )
    assert seen[0] <= len(planted) + 2


def test_every_rule_has_a_planted_fault():
    """All constraints and types of Table Schema, and all that our own checks may say of one cell."""
    rules = {name for _, constraints, *_ in FIELDS.values() for name in constraints}
    assert rules == {rule for kind in field_types() for rule in kind.supported_constraints} | {
        "unique"
    }
    assert {kind for kind, *_ in FIELDS.values()} == {kind.type for kind in field_types()}
    said = {error.type for check in CHECKS for error in check.Errors}
    assert said - set(PLANTED.values()) == {"swapped-coordinates"}


def field_types():
    """Those that Frictionless has."""
    return [kind for kind in vars(fields).values() if isinstance(kind, type)]


def test_swapped_coordinates_are_found_in_both_cells():
    """Neither cell alone says it."""
    rows = [good(number) for number in range(1, ROWS)]
    places = NAMES.index("lat"), NAMES.index("lon")
    rows[700][places[0]], rows[700][places[1]] = "75.5", "37.5"
    rows[900][places[0]], rows[900][places[1]] = rows[900][places[1]], rows[900][places[0]]
    told = [(error["rowNumber"], error["fieldName"], error["type"]) for error in judged(rows)]
    assert told == [
        (702, "lat", "outside-city"),
        (702, "lon", "outside-city"),
        (902, "lat", "constraint-error"),
        (902, "lat", "swapped-coordinates"),
        (902, "lon", "swapped-coordinates"),
    ]


@pytest.mark.parametrize(
    ("broken", "kinds"),
    [
        ([], {"blank-row", "primary-key"}),
        (["9999"], {"missing-cell", "constraint-error", "primary-key"}),
        ([*good(9_999), "x", "y"], {"extra-cell"}),
        ([""] * len(NAMES), {"blank-row", "primary-key"}),
    ],
)
def test_a_row_of_another_width_is_found_without_reading_the_others(seen, broken, kinds):
    """Blank, short and long rows between thousands of good ones."""
    rows = [good(number) for number in range(1, ROWS)]
    rows[1_000] = broken
    errors = judged(rows)
    assert {error["type"] for error in errors} == kinds
    assert {error["rowNumber"] for error in errors} == {1_002}
    assert seen == [2]


def test_rows_with_the_same_key_are_found_however_far_apart():
    """Each names the one before it."""
    rows = [good(number) for number in range(1, ROWS)]
    places = [10, 800, 2_900]
    for place in places:
        rows[place][1:3] = "2026-01-20T23:00:00Z", "952150"
    told = [(error["rowNumber"], error["note"]) for error in judged(rows)]
    assert told == [
        (later + 2, f"the same as in the row at position {earlier + 2}")
        for earlier, later in pairwise(places)
    ]
