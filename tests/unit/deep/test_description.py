"""What a signpost of deep data must say, and what it may not hold."""

import pytest

from ckanext.aizu_deep import description
from tests.unit.deep.described import FIELD, SIGNPOST


def test_a_whole_description_is_taken():
    """Also with what CKAN itself adds to a resource, and with numbers as a form sends them."""
    assert description.errors_of(SIGNPOST) == {}
    shown = {"id": "x", "url": "", "format": "", "size": None, "datastore_active": False}
    as_form = {"deep_level": "0", "deep_persons": "100"}
    assert description.errors_of(SIGNPOST | shown | as_form) == {}


@pytest.mark.parametrize("name", sorted(SIGNPOST.keys() - {"url_type"}))
def test_nothing_of_it_may_be_missing(name):
    """Whoever may be in the data is told all of this, in both languages."""
    left = {key: value for key, value in SIGNPOST.items() if key != name}
    assert list(description.errors_of(left)) == [name]
    assert list(description.errors_of(SIGNPOST | {name: ""})) == [name]
    assert list(description.errors_of(SIGNPOST | {name: {"x": 1}})) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("deep_persons", wrong) for wrong in (0, 99, 2964, -100, "1e3", "１００", 100.0, True)),
        *(("deep_level", wrong) for wrong in (-1, 5, "4.0", None, True)),
        *(("deep_dataset", wrong) for wrong in ("Vitals", "../x", "a b", "a" * 64)),
        ("deep_purpose", "あ" * 5001),
        ("deep_health_category", ["no address"]),
        *(("url", "https://example.org/rows.csv"), ("cache_url", "https://example.org/rows.csv")),
        *(("format", "CSV"), ("kind", "table"), ("datastore_active", True), ("upload", b"x")),
        ("deep_rows", [{"pulse": 60}]),
    ],
)
def test_what_would_tell_of_people_or_lead_to_rows_is_refused(name, value):
    """Exact numbers of people, links, files, and names that nobody knows."""
    assert list(description.errors_of(SIGNPOST | {name: value})) == [name]


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["pulse"],
        [FIELD, FIELD],
        [FIELD | {"type": "geometry"}],
        [FIELD | {"meaning_en": ""}],
        [FIELD | {"example": "72"}],
        [FIELD | {"personal_data": "heart rate"}],
        [FIELD | {"name": "氏名"}],
        [FIELD | {"name": f"f{n}"} for n in range(201)],
    ],
)
def test_every_field_has_name_type_and_meaning(fields):
    """And nothing else: an example would be somebody's value."""
    assert list(description.errors_of(SIGNPOST | {"deep_fields": fields})) == ["deep_fields"]
