"""Rows of a household are about everybody in it, and each of them reads that in the log."""

from uuid import UUID

import psycopg
import pytest

from aizu_vault.fence import release_fence
from aizu_vault.households import set_households
from aizu_vault.subjects import SubjectError, erase

from .city import PEOPLE

ONE, TWO, THREE, FOUR, _ = PEOPLE


def homes(city):
    """Who lives with whom."""
    query = "SELECT subject_id, concerned_id FROM vault.concerned ORDER BY 1, 2"
    return city.steward.execute(query).fetchall()


def say(city, households, dataset="vitals"):
    """As a steward."""
    set_households(city.steward, city.keys, dataset, households)


def test_what_is_said_replaces_what_was_said(city):
    """For these persons, and not for others."""
    leaves = city.count("audit.log_leaf")
    say(city, {ONE: [TWO, THREE], FOUR: [TWO]})
    assert homes(city) == [(ONE, TWO), (ONE, THREE), (FOUR, TWO)]
    assert city.count("audit.log_leaf") == leaves + 4
    say(city, {ONE: [THREE]})
    assert homes(city) == [(ONE, THREE), (FOUR, TWO)]
    say(city, {ONE: []})
    assert homes(city) == [(FOUR, TWO)]


@pytest.mark.parametrize(
    ("households", "dataset", "told"),
    [
        ({ONE: [TWO], TWO: [UUID(int=99)]}, "vitals", "not in the vault"),
        ({ONE: [ONE]}, "vitals", "expected others"),
        ({ONE: [TWO, TWO]}, "vitals", "expected others"),
        ({ONE: [TWO]}, "teeth", "no dataset 'teeth'"),
    ],
)
def test_what_cannot_be_said(untouched, households, dataset, told):
    """Nothing of it is kept; no person is named."""
    with pytest.raises(SubjectError, match=told) as caught:
        say(untouched, households, dataset)
    assert str(ONE) not in str(caught.value)
    assert homes(untouched) == []


def test_an_erased_person_joins_no_household(city):
    """Nothing more is recorded about them."""
    erase(city.steward, city.keys, TWO)
    with pytest.raises(SubjectError, match="erased"):
        say(city, {ONE: [TWO]})


def test_a_household_that_grows_waits_for_the_chunk_that_goes(city):
    """From then on the new member decides, too."""
    city.steward.execute("SET lock_timeout = '50ms'")
    with release_fence(city.release, "vitals"), pytest.raises(psycopg.errors.LockNotAvailable):
        say(city, {ONE: [TWO]})
