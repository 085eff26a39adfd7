"""Dates with Solr's mathematics."""

from datetime import UTC, datetime, timedelta, timezone

import pysolr
import pytest

from ckanext.aizu_search.dates import resolve, sortable, written

NOW = datetime(2026, 3, 31, 15, 42, 7, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NOW", "2026-03-31T15:42:07.123456"),
        ("NOW-1DAY", "2026-03-30T15:42:07.123456"),
        ("NOW-7DAYS/DAY", "2026-03-24T00:00:00"),
        ("NOW/MONTH", "2026-03-01T00:00:00"),
        ("NOW/YEAR-1YEAR", "2025-01-01T00:00:00"),
        ("NOW-1MONTH", "2026-02-28T15:42:07.123456"),
        ("NOW/HOUR+30MINUTES", "2026-03-31T15:30:00"),
        ("NOW+2SECONDS-500MILLIS/SECOND", "2026-03-31T15:42:08"),
        ("NOW/MILLI", "2026-03-31T15:42:07.123000"),
        ("2024-02-29T00:00:00Z+1YEAR", "2025-02-28T00:00:00"),
        ("2026-12-15T00:00:00Z+1MONTH", "2027-01-15T00:00:00"),
        ("2026-01-01T09:00:00.5Z", "2026-01-01T09:00:00.500000"),
    ],
)
def test_resolves_date_mathematics(text, expected):
    """Steps are taken from left to right, and roundings go down."""
    assert resolve(text, NOW).replace(tzinfo=None).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026",
        "2026-01-01",
        "NOW-DAY",
        "NOW+1FORTNIGHT",
        "2026-13-01T00:00:00Z",
        "NOW+999999YEARS",
    ],
)
def test_refuses_other_dates(text):
    """What Solr does not take for a date is an error that shows it."""
    with pytest.raises(pysolr.SolrError, match="Invalid Date") as error:
        resolve(text, NOW)
    assert text in str(error.value)


def test_writes_dates_as_solr_does():
    """UTC with a Z; milliseconds only if there are any."""
    tokyo = datetime(2026, 1, 1, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    assert written(tokyo) == "2026-01-01T00:00:00Z"
    assert written(NOW) == "2026-03-31T15:42:07.123Z"
    assert sortable(tokyo) < sortable(NOW)
