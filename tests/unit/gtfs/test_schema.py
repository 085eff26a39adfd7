"""The descriptors of the tables are Table Schema, agree with one another, and know GTFS-JP."""

from itertools import pairwise

import pytest
import yaml
from frictionless import Schema

from harvesters.gtfs.schema import japanese, tables

from .conftest import ROOT

FILES = sorted((ROOT / "schemas" / "gtfs").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_descriptor_is_a_table_schema(path):
    """Frictionless reads it; its name is that of the file."""
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert (written["name"], written["path"]) == (path.stem, f"{path.stem}.txt")
    schema = Schema.from_descriptor(written["schema"])
    assert len(schema.fields) == len(set(schema.field_names))
    assert set(schema.primary_key) <= set(schema.field_names)
    assert all(field.title for field in schema.fields)


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_a_table_is_described_in_both_languages(table):
    """Its title, the titles of its columns, and the meaning of every code."""
    assert all(table.title)
    for field in table.fields:
        assert all(field.title), field.name
        assert bool(field.description.ja) == bool(field.description.en), field.name
        assert field.description.ja or not field.enum or field.enum == (1,), field.name


def test_every_reference_leads_to_a_column():
    """In a table that has a descriptor."""
    known = {(name, field.name) for name, table in tables().items() for field in table.fields}
    for table in tables().values():
        for field, targets in table.references.items():
            assert (table.name, field) in known
            assert set(targets) <= known


def test_the_japanese_extension_is_marked():
    """Its tables, and its columns in tables that all feeds have."""
    assert {"agency_jp", "office_jp", "routes_jp", "pattern_jp"} <= japanese()
    assert {"trips.jp_office_id", "routes.jp_parent_route_id"} <= japanese()
    assert "trips.trip_id" not in japanese()


def test_a_service_may_be_in_either_table_of_days():
    """Several foreign keys of one field mean one of them."""
    assert tables()["trips"].references["service_id"] == (
        ("calendar", "service_id"),
        ("calendar_dates", "service_id"),
    )


def test_the_tables_are_in_order():
    """By name, whatever the file system says."""
    assert all(one < other for one, other in pairwise(tables()))
