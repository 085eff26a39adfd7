"""The tables hold only what the values can be, and nothing in them changes."""

from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest

from aizu_vault.ages import attains
from aizu_vault.consent import Capacity, Turn

from .stage import (
    PARENT,
    TICK,
    agreement,
    day,
    grants,
    objects,
    person,
    register,
    represented,
    turns,
    version,
)
from .stored import insert, row_of, store


@pytest.fixture
def somebody(cursor):
    """In the database, with a grant."""
    one = person(grants())
    store(cursor, register(), [one])
    return one


def second(one, word=None):
    """The row of one more event."""
    return row_of(one, (word or objects(1))(seq=2, own=str(one.subject.subject_id)))


@pytest.mark.parametrize(
    "table", ["event", "taxonomy_version", "taxonomy_node", "taxonomy_closure"]
)
@pytest.mark.parametrize("words", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.usefixtures("somebody")
def test_what_was_said_and_shown_does_not_change(cursor, table, words):
    """Even the owner of the table neither changes nor removes a line."""
    column = "seq = seq" if table == "event" else "version = version"
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(psycopg.errors.RestrictViolation, match="only ever added to"):
        cursor.execute(words.format(f"consent.{table}", column))


@pytest.mark.usefixtures("somebody")
def test_a_complete_version_gets_no_more_nodes(cursor):
    """People have seen it."""
    row = {"version": 1, "tree": "data", "code": "new", "parent": "deep", "grantable": True}
    with pytest.raises(psycopg.errors.RestrictViolation, match="version 1 is complete"):
        insert(cursor, "taxonomy_node", [row])


def test_nobody_speaks_of_trees_that_are_not_complete(cursor, somebody):
    """An objection in them would meet nothing."""
    rows = [
        {
            "version": 2,
            "tree": node.tree,
            "code": node.code,
            "parent": node.parent,
            "grantable": True,
        }
        for node in version(2, day(0)).nodes
    ]
    insert(cursor, "taxonomy_version", [{"version": 2, "since": day(0)}])
    insert(cursor, "taxonomy_node", rows)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        insert(cursor, "event", [second(somebody, objects(1, version=2))])


@pytest.mark.parametrize(
    "word", [objects(1), grants(1), turns(Turn.FREEZE, 1), turns(Turn.DEATH, 1)]
)
def test_what_is_whole_is_taken(cursor, somebody, word):
    """So that what follows is refused for what is wrong with it."""
    insert(cursor, "event", [second(somebody, word)])


@pytest.mark.parametrize(
    "change",
    [{"seq": 1}, {"seq": 0}, {"recorded_at": day(0) - TICK}, {"nonce": "nonce-1"}],
)
def test_events_come_in_order(cursor, somebody, change):
    """By number and by time, and none comes twice."""
    with pytest.raises(psycopg.errors.IntegrityError):
        insert(cursor, "event", [second(somebody) | change])


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "somebody else"},
        {"role": "king"},
        {"kind": "wish"},
        {"kind": "death"},
        {"cause": None},
        {"cause": "mood"},
        {"version": None},
        {"data": None},
        {"purpose": None},
        {"recipient": None},
        {"fields": None},
        {"fields": []},
        {"data": "unknown"},
        {"purpose": "unknown"},
        {"recipient": "unknown"},
        {"version": 9},
        {"terms_id": "terms-1"},
        {"onward": True},
        {"representation": "mother"},
    ],
    ids=str,
)
def test_an_objection_is_whole(cursor, somebody, change):
    """It says who, against what and why, and nothing else."""
    with pytest.raises(psycopg.errors.IntegrityError):
        insert(cursor, "event", [second(somebody) | change])


@pytest.mark.parametrize(
    "change",
    [
        {"valid": None},
        {"valid": "[2026-03-01T00:00+09,)"},
        {"valid": "(,)"},
        {"valid": "(2026-04-02T00:00+09,)"},
        {"valid": "empty"},
        {"data_window": None},
        {"data_window": "empty"},
        {"terms_id": "terms-9"},
        {"fields": ["heart", "*"]},
        {"role": "authority", "actor": "city"},
        {"cause": "withdrawn"},
        {"capacity": "proxy"},
    ]
    + [
        {name: None} for name in ("onward", "future_members", "countries", "assented", "posthumous")
    ],
    ids=str,
)
def test_a_grant_is_whole(cursor, somebody, change):
    """It names its fields, its terms and its times, begins not before it is recorded, and no authority gives it."""
    with pytest.raises(psycopg.errors.IntegrityError):
        insert(cursor, "event", [second(somebody, grants(1)) | change])


@pytest.mark.parametrize(
    ("word", "role"),
    [
        (turns(Turn.DEATH, 1), "representative"),
        (turns(Turn.EMERGENCY_ALLOWED, 1, "self"), "authority"),
        (represented(Capacity.GUARDIAN, 1), "representative"),
    ],
)
def test_not_everybody_may_say_everything(cursor, somebody, word, role):
    """As the values have it."""
    with pytest.raises(psycopg.errors.CheckViolation, match="who_may_say"):
        insert(cursor, "event", [second(somebody, word) | {"role": role, "actor": PARENT}])


@pytest.mark.parametrize(
    "approvers",
    [(None, None), ("mayor", None), ("mayor", "mayor"), ("mayor", "doctor"), ("doctor", "mayor")],
)
def test_an_agreement_has_two_approvers(cursor, approvers):
    """Whatever a program writes."""
    store(cursor, register(agreements={}), [])
    row = {"agreement_id": "deal", "recipient_id": "north", "dataset_id": "vitals",
           "purpose": "diabetes", "fields": ["heart"], "terms_id": "terms-1", "valid": "[,)",
           "requester": "doctor", "state": "active"}  # fmt: skip
    first, other = approvers
    with pytest.raises(psycopg.errors.CheckViolation):
        insert(cursor, "agreement", [row | {"first_approver": first, "second_approver": other}])


def test_an_agreement_keeps_to_the_terms_of_its_dataset(cursor):
    """Those of another dataset are refused."""
    city = register(agreement())
    foreign = replace(city.terms["terms-1"], dataset_id="energy")
    energy = replace(city.datasets["vitals"], dataset_id="energy")
    wrong = replace(city, terms={"terms-1": foreign}, datasets=city.datasets | {"energy": energy})
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        store(cursor, wrong, [])


def test_the_trees_are_closed_as_python_closes_them(cursor):
    """Every node with all that is above it."""
    one = version(1, day(-1000))
    store(cursor, register(), [])
    cursor.execute("SELECT tree, high, low FROM consent.taxonomy_closure")
    pairs = {
        (high.tree.value, high.code, low.code)
        for high in one.nodes
        for low in one.nodes
        if high.tree is low.tree and one.covers(high.tree, high.code, low.code)
    }
    assert set(cursor.fetchall()) == pairs


def test_ages_are_attained_as_python_has_it(cursor):
    """For every day of eight years and every age that matters."""
    births = [date(2004, 1, 1) + timedelta(days=number) for number in range(8 * 365)]
    for age in (12, 16, 18):
        cursor.execute(
            "SELECT consent.attains(birth, %s) FROM unnest(%s::date[]) WITH ORDINALITY b(birth, n)"
            " ORDER BY n",
            [age, births],
        )
        assert [row[0] for row in cursor.fetchall()] == [attains(birth, age) for birth in births]
