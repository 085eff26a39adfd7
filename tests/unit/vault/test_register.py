"""The register changes by its rules alone; each change is logged, and none goes past a chunk that is on its way."""

import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from aizu_vault.agreements import AgreementError, Duty, Obligation, Standing, State
from aizu_vault.fence import release_fence
from aizu_vault.interval import ALWAYS, Interval
from aizu_vault.register import (
    RegisterError,
    add_member,
    add_obligation,
    add_terms,
    add_trees,
    end_member,
    fulfil_obligation,
    put_dataset,
    set_standing,
)
from aizu_vault.register_agreements import approve_agreement, draft_agreement, turn_agreement
from aizu_vault.stored_register import Budget, read_descriptions, read_layouts, read_register
from aizu_vault.trees import Node, Tree
from tests.unit.gate.stage import FIELDS, agreement, dataset, register, terms, version

from .city import COLUMNS, PEOPLE, described, yes

ONE = PEOPLE[0]


def now(city):
    """By the clock of the vault."""
    return city.steward.execute("SELECT audit.clock()").fetchone()[0]


def leaves(city):
    """What the log says of the register."""
    found = city.admin().execute("SELECT body FROM audit.log_leaf ORDER BY leaf_index").fetchall()
    said = [json.loads(body) for (body,) in found]
    return [one["facts"] for one in said if one["kind"] == "register"]


def test_the_register_is_read_as_it_was_written(untouched):
    """Every value of the gate's tests comes back."""
    found, said = read_register(untouched.steward), register()
    (trees,), (wanted,) = found.taxonomy.versions, said.taxonomy.versions
    assert (trees.since, set(trees.nodes)) == (wanted.since, set(wanted.nodes))
    assert replace(found, taxonomy=said.taxonomy) == said
    assert read_descriptions(untouched.steward) == {"vitals": described(dataset())}


def test_every_change_is_logged_with_who_made_it(city):
    """Openly: it is nobody's secret who may receive data."""
    set_standing(city.steward, "north", Standing.SUSPENDED, by="clerk")
    assert leaves(city)[-1] == {"recipient": "north", "standing": "suspended", "by": "clerk"}


def suspends(city):
    turn_agreement(city.steward, "deal", State.SUSPENDED, by="clerk")


def revokes(city):
    turn_agreement(city.steward, "deal", State.REVOKED, by="clerk")


def expels(city):
    set_standing(city.steward, "north", Standing.EXPELLED, by="clerk")


def dismisses(city):
    end_member(city.steward, "north", "doctor", by="clerk")


def is_owed(city):
    owed = Obligation(recipient_id="north", duty=Duty.ERASE, due=now(city))
    add_obligation(city.steward, owed, by="clerk")


STOPS = [
    (suspends, "agreement-not-in-force"),
    (revokes, "agreement-not-in-force"),
    (expels, "recipient"),
    (dismisses, "recipient"),
    (is_owed, "obligations"),
]


@pytest.mark.parametrize(("change", "reason"), STOPS)
def test_what_narrows_waits_for_the_chunk_that_goes_and_holds_from_then_on(city, change, reason):
    """E36: nothing of the next chunk is decided on the old register."""
    city.record(ONE, yes(ONE))
    assert city.fields(ONE) == FIELDS
    city.steward.execute("SET lock_timeout = '50ms'")
    with release_fence(city.release, "vitals"), pytest.raises(psycopg.errors.LockNotAvailable):
        change(city)
    assert city.fields(ONE) == FIELDS
    change(city)
    assert city.fields(ONE) == reason


def test_a_duty_that_is_done_stops_nothing(city):
    """E38: the report is there; it is due once."""
    city.record(ONE, yes(ONE))
    due = now(city)
    owed = Obligation(recipient_id="north", duty=Duty.BENEFIT_REPORT, due=due)
    add_obligation(city.steward, owed, by="clerk")
    assert city.fields(ONE) == "obligations"
    fulfil_obligation(city.steward, "north", Duty.BENEFIT_REPORT, due, by="clerk")
    assert city.fields(ONE) == FIELDS
    with pytest.raises(RegisterError, match="owes no benefit-report"):
        fulfil_obligation(city.steward, "north", Duty.BENEFIT_REPORT, due, by="clerk")


def test_an_agreement_goes_its_way(city):
    """Drawn up, sent back, drawn up anew, approved by two, active; each step by its own rule."""
    steward = city.steward
    draft_agreement(steward, agreement("new"), by="doctor")
    turn_agreement(steward, "new", State.SUBMITTED, by="doctor")
    with pytest.raises(RegisterError, match="'new' is submitted: no draft"):
        draft_agreement(steward, agreement("new"), by="doctor")
    turn_agreement(steward, "new", State.RETURNED, by="mayor")
    budget = Budget(rows_per_day=1000, persons=50)
    heart = frozenset({"heart"})
    draft_agreement(steward, agreement("new", fields=heart), budget, by="doctor")
    turn_agreement(steward, "new", State.SUBMITTED, by="doctor")
    for unfit, told in (("doctor", "cannot approve it"), ("mayor", None), ("mayor", "already")):
        if told is None:
            assert approve_agreement(steward, "new", by=unfit) is State.SUBMITTED
            continue
        with pytest.raises(AgreementError, match=told):
            approve_agreement(steward, "new", by=unfit)
    with pytest.raises(AgreementError, match="cannot become active"):
        turn_agreement(steward, "new", State.ACTIVE, by="clerk")
    assert approve_agreement(steward, "new", by="officer") is State.APPROVED
    turn_agreement(steward, "new", State.ACTIVE, by="clerk")
    assert read_register(steward).agreements["new"] == agreement("new", fields=heart)
    row = "SELECT budget_rows_per_day, budget_persons FROM consent.agreement WHERE agreement_id = 'new'"
    assert steward.execute(row).fetchone() == (1000, 50)


def test_nobody_approves_alone(city):
    """Not by saying so either."""
    draft_agreement(city.steward, agreement("new"), by="doctor")
    assert read_register(city.steward).agreements["new"].state is State.DRAFT
    turn_agreement(city.steward, "new", State.SUBMITTED, by="doctor")
    with pytest.raises(RegisterError, match="two people"):
        turn_agreement(city.steward, "new", State.APPROVED, by="mayor")
    with pytest.raises(RegisterError, match="no agreement 'other'"):
        approve_agreement(city.steward, "other", by="mayor")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dataset_id": "teeth"}, "no dataset 'teeth'"),
        ({"fields": frozenset({"heart", "sleep"})}, "no field sleep"),
        ({"fields": frozenset()}, "names no field"),
        ({"purpose": "research"}, "'research' is not at the end"),
        ({"purpose": "golf"}, "'golf' is not at the end"),
        ({"recipient_id": "hospitals"}, "'hospitals' is not at the end"),
        ({"recipient_id": "west"}, "no recipient 'west'"),
        ({"onward": frozenset({"west"})}, "no recipient 'west'"),
        ({"terms_id": "terms-9"}, "terms-9"),
    ],
)
def test_an_agreement_names_what_is_there(untouched, changes, told):
    """Otherwise it would never let anything go, and nobody would know why."""
    with pytest.raises(RegisterError, match=told):
        draft_agreement(untouched.steward, agreement("new", **changes), by="doctor")
    assert "new" not in read_register(untouched.steward).agreements


def test_a_recipient_that_was_expelled_does_not_come_back(city):
    """Suspended ones do."""
    for standing in (Standing.SUSPENDED, Standing.APPROVED, Standing.EXPELLED):
        set_standing(city.steward, "north", standing, by="clerk")
    with pytest.raises(RegisterError, match="'north' is expelled and cannot become approved"):
        set_standing(city.steward, "north", Standing.APPROVED, by="clerk")
    with pytest.raises(RegisterError, match="no recipient 'west'"):
        set_standing(city.steward, "west", Standing.APPROVED, by="clerk")


def test_who_has_left_may_come_back(city):
    """The time in between stays in the register."""
    end_member(city.steward, "north", "doctor", by="clerk")
    with pytest.raises(RegisterError, match="'doctor' does not work for recipient 'north'"):
        end_member(city.steward, "north", "doctor", by="clerk")
    add_member(city.steward, "north", "doctor", Interval(start=now(city)), by="clerk")
    first, second = read_register(city.steward).recipients["north"].members
    assert first.valid.start is None
    assert first.valid.end < second.valid.start
    with pytest.raises(RegisterError, match="west"):
        add_member(city.steward, "west", "doctor", ALWAYS, by="clerk")


def test_trees_grow_by_versions(city):
    """A node that people saw stays; what is new begins now or later."""
    grown = version(2, now(city), purpose={"dementia": "research"}).nodes
    add_trees(city.steward, 2, grown, by="clerk")
    assert read_register(city.steward).taxonomy.versions[1].is_leaf(Tree.PURPOSE, "dementia")
    draft_agreement(city.steward, agreement("new", purpose="dementia"), by="doctor")
    later, past = now(city) + timedelta(days=1), now(city) - timedelta(seconds=1)
    stray = Node(tree=Tree.DATA, code="stray", parent="nowhere")
    for number, nodes, since, told in (
        (2, grown, later, "does not come after"),
        (3, grown, past, "cannot begin before now"),
        (3, grown[:3], later, "one root in each"),
        (3, (*grown, stray), later, "cannot be in 'nowhere'"),
    ):
        with pytest.raises(RegisterError, match=told):
            add_trees(city.steward, number, nodes, since=since, by="clerk")


def test_other_columns_are_a_further_layout(city):
    """In another order, too; what stays the same makes none."""
    put_dataset(city.steward, described(dataset(), title_en="Vitals"), by="clerk")
    assert read_descriptions(city.steward)["vitals"].title_en == "Vitals"
    turned = {name: COLUMNS[name] for name in ("time", "steps", "heart")}
    put_dataset(city.steward, described(dataset(), columns=turned), by="clerk")
    layouts = read_layouts(city.steward, "vitals")
    assert [[*one.columns] for one in layouts.values()] == [[*COLUMNS], [*turned]]
    assert read_layouts(city.steward, "teeth") == {}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dataset": dataset(data_class="body")}, "'body' is not at the end"),
        ({"columns": {"time": "time", "heart": "integer"}}, "fields as columns"),
        (
            {"columns": {"when": "text", "heart": "integer", "steps": "integer"}},
            "fields as columns",
        ),
        ({"dataset": dataset(emergency_fields=frozenset({"blood"}))}, "emergency fields"),
        (
            {
                "dataset": dataset(fields=frozenset({"person"})),
                "columns": {"time": "time", "person": "text"},
            },
            "no column may be called person",
        ),
        ({"privacy_level": 5}, "privacy_level"),
        ({"legal_ground": ""}, "legal_ground"),
    ],
)
def test_a_dataset_is_whole(untouched, changes, told):
    """The rule that is broken is named."""
    with pytest.raises(RegisterError, match=told):
        put_dataset(untouched.steward, described(**{"dataset": dataset()} | changes), by="clerk")
    assert read_descriptions(untouched.steward)["vitals"] == described(dataset())


def test_terms_stay_as_people_read_them(city):
    """A further version has its own name and number."""
    add_terms(city.steward, terms(2), by="clerk")
    with pytest.raises(RegisterError, match="terms"):
        add_terms(city.steward, terms(2, material=False), by="clerk")
    assert read_register(city.steward).terms["terms-2"].material
