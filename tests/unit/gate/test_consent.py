"""Histories, agreements and trees hold only what can be."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aizu_vault.ages import JST, attains
from aizu_vault.agreements import AgreementError, State
from aizu_vault.consent import (
    Capacity,
    Change,
    Grant,
    HistoryError,
    Objection,
    Representation,
    Scope,
    Turn,
)
from aizu_vault.interval import ALWAYS, Interval, union
from aizu_vault.trees import Node, Taxonomy, Tree, Version

from .stage import (
    PARENT,
    START,
    TICK,
    agreement,
    day,
    ends,
    grants,
    objects,
    person,
    represented,
    span,
    turns,
    version,
)


def test_events_do_not_change():
    """What was said stays said."""
    (event,) = person(grants()).events
    with pytest.raises(FrozenInstanceError):
        event.terms = "terms-2"


@pytest.mark.parametrize(
    "change", [{"seq": 1}, {"seq": 0}, {"recorded_at": START - TICK}, {"nonce": "nonce-1"}]
)
def test_a_history_is_in_order(change):
    """By number and by time; and nothing is in it twice."""
    first, second = person(grants(), objects()).events
    with pytest.raises(HistoryError):
        replace(person(), events=(first, replace(second, **change)))


def test_nobody_says_something_in_anothers_name():
    """Who acts for themself is the person."""
    (event,) = person(grants()).events
    with pytest.raises(HistoryError, match="somebody else"):
        replace(person(), events=(event,))


@pytest.mark.parametrize("turn", [turn for turn in Turn if turn not in {"freeze", "unfreeze"}])
def test_who_may_say_what(turn):
    """An authority, what happened; the person alone, what is to be in an emergency; anybody may freeze."""
    own = turn in {Turn.EMERGENCY_REFUSED, Turn.EMERGENCY_ALLOWED}
    assert isinstance(person(turns(turn, 0, "self" if own else "city")).events[0], Change)
    for other in ({"city"} if own else {"self"}) | {PARENT}:
        with pytest.raises(ValueError, match="is said by"):
            person(turns(turn, 0, other))


def test_only_an_authority_says_who_represents():
    """Neither the person nor the representative."""
    for word in (represented(Capacity.PROXY), ends()):
        (event,) = person(word).events
        with pytest.raises(ValueError, match="authority"):
            replace(event, role="representative")
    assert isinstance(person(represented(Capacity.PROXY)).events[0], Representation)


def test_a_grant_is_for_the_future():
    """It is valid from when it is recorded, or later; and no authority gives it."""
    assert isinstance(person(grants(1, valid=span(1))).events[0], Grant)
    for valid in (span(0), span(None, 3), ALWAYS):
        with pytest.raises(ValueError, match="is not valid before"):
            person(grants(1, valid=valid))
    with pytest.raises(ValueError, match="authority"):
        person(grants(by="city"))


def test_a_scope_names_a_field():
    """Consent to nothing is no consent."""
    with pytest.raises(ValueError, match="at least one field"):
        Scope(data="vitals", purpose="any", recipient="all", fields=frozenset(), version=1)
    assert isinstance(person(objects(fields=frozenset({"*"}))).events[0], Objection)


def submitted():
    return agreement(state=State.DRAFT, approvers=frozenset()).turned(State.SUBMITTED)


def test_an_agreement_has_two_approvers():
    """Two others than the one who asks; then it may be put into force, suspended and closed."""
    once = submitted().approved_by("mayor")
    assert once.state is State.SUBMITTED
    twice = once.approved_by("officer")
    assert twice.state is State.APPROVED
    active = twice.turned(State.ACTIVE)
    again = active.turned(State.SUSPENDED).turned(State.ACTIVE)
    assert again.turned(State.CLOSED).approvers == {"mayor", "officer"}


@pytest.mark.parametrize("approver", ["doctor", "mayor"])
def test_nobody_approves_what_they_asked_for_or_approved(approver):
    """Four eyes are those of two people."""
    with pytest.raises(AgreementError, match=approver):
        submitted().approved_by("mayor").approved_by(approver)


def test_what_is_returned_is_approved_anew():
    """Who approved before has not seen what changed."""
    again = submitted().approved_by("mayor").turned(State.RETURNED).turned(State.SUBMITTED)
    assert again.approvers == frozenset()


WAYS = {
    ("draft", "submitted"), ("submitted", "returned"), ("submitted", "rejected"),
    ("returned", "submitted"), ("approved", "active"), ("approved", "revoked"),
    ("approved", "expired"), ("active", "suspended"), ("active", "closed"), ("active", "revoked"),
    ("active", "expired"), ("suspended", "active"), ("suspended", "closed"),
    ("suspended", "revoked"), ("suspended", "expired"),
}  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_there_is_no_other_way(state):
    """Every step from every state: those above and no more."""
    approvers = frozenset({"mayor", "officer"})
    for following in State:
        before = agreement(state=state, approvers=approvers)
        if (state, following) in WAYS or (state, following) == ("submitted", "approved"):
            assert before.turned(following).state is following
        else:
            with pytest.raises(AgreementError, match=f"{state} cannot become {following}"):
                before.turned(following)


@pytest.mark.parametrize("state", [state for state in State if state not in
                                   {"draft", "submitted", "returned", "rejected"}])  # fmt: skip
@pytest.mark.parametrize("approvers", [(), ("mayor",), ("mayor", "doctor")])
def test_no_agreement_is_approved_by_less(state, approvers):
    """However it came to be."""
    with pytest.raises(AgreementError):
        agreement(state=state, approvers=frozenset(approvers))


def test_only_what_is_submitted_is_approved():
    """Not a draft, not what is in force."""
    for state in ("draft", "active"):
        with pytest.raises(AgreementError, match=state):
            agreement(state=state).approved_by("clerk")


def test_a_tree_has_no_knots():
    """No code twice, no parent that is not there, no circle."""
    node = Node(tree=Tree.DATA, code="a", parent="b")
    for nodes in ((node,), (node, node), (node, replace(node, code="b", parent="a"))):
        with pytest.raises(ValueError, match="version 1"):
            Version(number=1, since=START, nodes=nodes)
    with pytest.raises(ValueError, match="'a' cannot be in 'a'"):
        Version(number=1, since=START, nodes=(replace(node, parent="a"),))


def test_versions_follow_one_another():
    """By number and by time."""
    for second in (version(1, day(1)), version(2, day(0)), version(0, day(1))):
        with pytest.raises(ValueError, match="does not come after"):
            Taxonomy(versions=(version(1, day(0)), second))
    trees = Taxonomy(versions=(version(1, day(0)), version(2, day(1))))
    found = [trees.at(moment) for moment in (day(0) - TICK, day(0), day(1) - TICK, day(1))]
    assert [one and one.number for one in found] == [None, 1, 1, 2]


def test_an_interval_has_a_length_and_a_zone():
    """From later to earlier is a mistake, and so is a time of nowhere."""
    for bounds in ((1, 1), (2, 1)):
        with pytest.raises(ValueError, match="nothing lies"):
            span(*bounds)
    with pytest.raises(ValueError, match="no time zone"):
        Interval(datetime(2026, 4, 1))  # noqa: DTZ001


bounds = st.one_of(st.none(), st.integers(0, 9))
intervals = st.tuples(bounds, bounds).filter(
    lambda pair: None in pair or pair[0] < pair[1]
)  # fmt: skip


@given(st.lists(intervals, max_size=6))
def test_a_union_has_the_same_instants(pairs):
    """And its intervals neither touch nor overlap, and are in order."""
    spans = [span(*pair) for pair in pairs]
    joined = union(spans)
    for moment in (
        moment for n in range(-1, 11) for moment in (day(n), day(n) + TICK, day(n) - TICK)
    ):
        assert any(moment in one for one in joined) == any(moment in one for one in spans)
    for earlier, later in zip(joined, joined[1:], strict=False):
        assert earlier.end < later.start


@pytest.mark.parametrize(
    ("born", "age", "wanted"),
    [
        (date(2008, 4, 2), 18, datetime(2026, 4, 2, tzinfo=JST)),
        (date(2008, 2, 29), 18, datetime(2026, 3, 1, tzinfo=JST)),
        (date(2008, 2, 29), 16, datetime(2024, 2, 29, tzinfo=JST)),
        (date(2008, 3, 1), 18, datetime(2026, 2, 28, 15, tzinfo=UTC)),
    ],
)
def test_an_age_begins_at_midnight_in_japan(born, age, wanted):
    """Also for those who have a birthday every four years."""
    assert attains(born, age) == wanted


@given(st.dates(date(1900, 1, 1), date(2030, 12, 31)), st.integers(0, 120))
def test_an_age_is_attained_when_the_day_before_ends(born, age):
    """The day before has, for the law, the number of the day before the birth, or is the last of its month."""
    last = attains(born, age) - timedelta(days=1)
    assert (
        (last.month, last.day + 1) == (born.month, born.day)
        or (born.day == 1 and (last + timedelta(days=1)).day == 1)
        or ((born.month, born.day) == (2, 29) and (last.month, last.day) == (2, 28))
    )
