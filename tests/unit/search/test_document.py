"""What the index keeps of a dataset as CKAN hands it over."""

import json
import re
from datetime import UTC, datetime

import pysolr
import pytest

from ckanext.aizu_search.document import row

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DOCUMENT = {
    "index_id": "abc",
    "id": "1",
    "site_id": "demo",
    "entity_type": "package",
    "name": "hydrant",
    "title": "消火栓",
    "title_string": "消火栓",
    "notes": "市内の消火栓",
    "state": "active",
    "capacity": "public",
    "organization": None,
    "url": "",
    "tags": ["防災", "防災", "水"],
    "res_format": ["CSV", "", "CSV"],
    "private": False,
    "frequency": "daily",
    "extras_district": "東山",
    "start_date": "2026-04-01T00:00:00+09:00",
    "views_total": 7,
    "metadata_modified": "2026-01-01T00:00:00.123456Z",
    "permission_labels": ["public"],
    "data_dict": "{}",
    "validated_data_dict": '{"name": "hydrant"}',
}


def test_sorts_values_into_columns():
    """Columns hold what they are named after, without repetitions, the rest is in one more."""
    searched = row(DOCUMENT, NOW).searched
    assert searched["tags"] == ["防災", "水"]
    assert searched["res_format"] == ["CSV"]
    assert searched["groups"] == []
    assert searched["organization"] is None
    assert searched["metadata_modified"] == "2026-01-01T00:00:00.123Z"
    assert json.loads(searched["other"]) == {
        "private": ["false"],
        "frequency": ["daily"],
        "start_date": ["2026-03-31T15:00:00.000000"],
        "views_total": [7],
    }


def test_weighs_headline_and_text():
    """Title, name and tags decide the order; the body has everything that words are sought in."""
    searched = row(DOCUMENT, NOW).searched
    assert searched["headline"].split() == [
        *("'消火':1A", "'^消火':1A", "'火|栓':2A", "'栓':3A", "'^栓':3A"),
        *("'=しょうか':1A", "'=しょうかせん':1A", "'=せん':1A", "'hydrant':5B"),
        *("'防災':7C", "'^防災':7C", "'災':8C", "'=ぼうさい':7C"),
        *("'水':10C", "'^水':10C", "'=みず':10C"),
    ]
    for lexeme in ("'消火':1A", "'hydrant'", "'防災'", "'^市内'", "'^東山'"):
        assert lexeme in searched["body"]
    assert "'extras_district=^東山'" in searched["labelled"]


def test_title_in_another_language_is_a_title():
    """On the English pages a dataset about snow comes before one of the theme snow."""
    headline = row({**DOCUMENT, "extras_title_en": "Hydrants"}, NOW).searched["headline"]
    assert re.search(r"'hydrants':\d+A", headline)


def test_keeps_what_came():
    """The document that is kept has everything but the two dictionaries, which stand apart."""
    stored = row(DOCUMENT, NOW).stored
    kept = json.loads(stored["document"])
    assert kept["tags"] == ["防災", "防災", "水"]
    assert kept["frequency"] == "daily"
    assert kept["indexed_ts"] == "2026-01-02T03:04:05Z"
    assert "data_dict" not in kept
    assert stored["validated_data_dict"] == '{"name": "hydrant"}'
    again = row({**kept, "data_dict": "{}", "validated_data_dict": '{"name": "hydrant"}'}, NOW)
    assert again == row(DOCUMENT, NOW)


@pytest.mark.parametrize("field", ["id", "site_id", "index_id"])
def test_refuses_a_document_without_identity(field):
    """A document that could not be found again is an error that names what is missing."""
    with pytest.raises(pysolr.SolrError, match=f"missing mandatory field: {field}"):
        row({**DOCUMENT, field: ""}, NOW)


def test_refuses_wrong_dates_and_numbers():
    """A value that is not what its field asks for is an error that shows both."""
    with pytest.raises(pysolr.SolrError, match="start_date.*soon"):
        row({**DOCUMENT, "start_date": "soon"}, NOW)
    with pytest.raises(pysolr.SolrError, match="views_total.*many"):
        row({**DOCUMENT, "views_total": "many"}, NOW)
