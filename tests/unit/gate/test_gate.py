"""What the gate refuses before it looks at consent, what freezing does, and that nobody else gives permits."""

import ast
import copy
import pickle
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import pytest

from aizu_vault.agreements import Membership
from aizu_vault.consent import Capacity, Turn
from aizu_vault.gate import Denial, Permit, PermitError, decide
from aizu_vault.gate_set import decide_all
from aizu_vault.requests import Reason
from aizu_vault.trees import Taxonomy

from .stage import (
    FIELDS,
    PARENT,
    TICK,
    agreement,
    and_then,
    asks,
    dataset,
    day,
    ends,
    grants,
    objects,
    person,
    recipient,
    register,
    represented,
    span,
    terms,
    turns,
    version,
)
from .stored import store
from .test_edge_cases import CHILD, grown, permits, refuses

PACKAGE = Path(str(files("aizu_vault")))


@pytest.mark.parametrize("name", ["agreements", "datasets", "terms", "recipients"])
def test_what_is_not_known_is_denied(gate, name):
    """Each thing that an agreement is about, if it is missing."""
    assert refuses(gate, person(grants()), city=replace(register(), **{name: {}})) == "unknown"


def test_what_does_not_belong_together_is_denied(gate):
    """Terms of another dataset; a time before there were any trees."""
    foreign = register(terms(1, dataset_id="energy"), dataset(dataset_id="energy"))
    assert refuses(gate, person(grants()), city=foreign) == "unknown"
    assert refuses(gate, person(grants(-2000)), day(-1000) - TICK) == "unknown"


def test_a_request_has_a_time_of_some_place():
    """Without a zone the database would take it for its own."""
    with pytest.raises(ValueError, match="no time zone"):
        asks(day(1).replace(tzinfo=None))


def test_whoever_is_asked_about_twice_is_answered_once(cursor):
    """And nobody the database does not know is left out."""
    one, unknown = person(grants()), person()
    store(cursor, register(), [one])
    both = [one.subject.subject_id, unknown.subject.subject_id] * 2
    found = decide_all(cursor, asks(), both)
    assert found[both[1]] == Denial(subject_id=both[1], request=asks(), reason=Reason.UNKNOWN)
    assert dict(found[both[0]].windows) == dict(decide(asks(), one, register()).windows)
    assert len(found) == 2
    assert decide_all(cursor, asks(), []) == {}


def test_only_for_the_purpose_of_the_agreement(gate):
    """Whatever else the person consented to."""
    assert refuses(gate, person(grants()), purpose="stroke") == "purpose"
    assert refuses(gate, person(grants()), purpose="research") == "purpose"


def test_only_to_those_who_work_for_the_recipient(gate):
    """From the day they begin, until the day they leave."""
    one, members = person(grants()), (Membership(user="doctor", valid=span(1, 3)),)
    city = register(recipient("north", members=members))
    reasons = [refuses(gate, one, at, city) for at in (day(1) - TICK, 1, day(3) - TICK, 3)]
    assert reasons == ["recipient", None, None, "recipient"]
    assert refuses(gate, one, city=city, user="stranger") == "recipient"


@pytest.mark.parametrize("standing", ["proposed", "suspended", "expelled"])
def test_only_to_recipients_that_are_approved(gate, standing):
    """An agreement outlives its recipient's standing, not the other way round."""
    city = register(recipient("north", standing=standing))
    assert refuses(gate, person(grants()), city=city) == "recipient"


@pytest.mark.parametrize("added", [{"data": {"pulse": "vitals"}}, {"recipient": {"ward": "north"}},
                                   {"purpose": {"type-two": "diabetes"}}])  # fmt: skip
def test_what_was_a_leaf_may_become_a_branch(gate, added):
    """Then the agreement is too broad."""
    city, one = register(taxonomy=grown(**added)), person(grants())
    assert permits(gate, one, day(10) - TICK, city) == FIELDS
    assert refuses(gate, one, 10, city) == "not-leaf"


def test_what_is_in_no_tree_is_denied(gate):
    """A purpose that is not there is not a leaf either."""
    city = register(agreement(purpose="profit"))
    assert refuses(gate, person(grants()), city=city, purpose="profit") == "not-leaf"


@pytest.mark.parametrize("word", [grants, objects])
@pytest.mark.parametrize(
    "scope", [{"data": "x"}, {"purpose": "x"}, {"recipient": "x"}, {"version": 9}]
)
def test_a_history_that_cannot_be_read_is_denied(gate, word, scope):
    """An objection to something unknown may be an objection to this."""
    assert refuses(gate, person(grants(), word(**scope))) == "unreadable"
    assert permits(gate, person(grants(), word(2, **scope))) == FIELDS


def test_erased_comes_before_everything_about_the_person(gate):
    """Nothing is told of a history that should be forgotten."""
    assert refuses(gate, person(turns(Turn.DEATH), erased=True)) == "erased"


def test_consent_is_for_what_it_names(gate):
    """Other data, another purpose, another recipient, another field."""
    for scope in ({"data": "energy"}, {"purpose": "snow"}, {"recipient": "lab"}):
        assert refuses(gate, person(grants(**scope))) == "no-consent"
    assert permits(gate, person(grants(fields=frozenset({"heart"})))) == {"heart"}
    assert permits(gate, person(grants()), fields=frozenset({"heart", "name"})) == {"heart"}
    assert permits(gate, person(grants(), objects(fields=frozenset({"steps"})))) == {"heart"}


@pytest.mark.parametrize("scope", [{"data": "body"}, {"purpose": "any"}, {"recipient": "all"},
                                   {"fields": frozenset({"*"})}])  # fmt: skip
def test_an_exception_is_lifted_by_what_is_as_narrow(gate, scope):
    """A grant is as narrow as an objection in every respect, or lifts nothing."""
    assert permits(gate, person(objects(**scope), grants())) == FIELDS
    assert permits(gate, person(objects(), grants())) == FIELDS


@pytest.mark.parametrize("scope", [{"data": "body"}, {"purpose": "research"}, {"recipient": "hospitals"},
                                   {"fields": FIELDS}])  # fmt: skip
def test_an_exception_is_not_lifted_by_what_is_wider(gate, scope):
    """Wider in one respect is enough."""
    narrow = {"data": "vitals", "purpose": "diabetes", "recipient": "north",
              "fields": frozenset({"heart"})}  # fmt: skip
    kept = permits(gate, person(objects(**narrow), grants(**narrow | scope)))
    assert "heart" not in kept


@pytest.mark.parametrize("scope", [{"data": "energy"}, {"purpose": "snow"}, {"recipient": "south"},
                                   {"fields": frozenset({"sleep"})}])  # fmt: skip
def test_an_objection_is_against_what_it_names(gate, scope):
    """Elsewhere it stops nothing."""
    assert permits(gate, person(grants(), objects(**scope))) == FIELDS


@pytest.mark.parametrize(
    ("tree", "code"), [("data", "body"), ("purpose", "research"), ("recipient", "hospitals")]
)
def test_an_objection_counts_in_both_versions_of_a_tree(gate, tree, code):
    """A node that moved out of what was objected to, and one that moved in, are both meant."""
    moved = {"data": "vitals", "purpose": "diabetes", "recipient": "north"}[tree]
    root = {"data": "deep", "purpose": "any", "recipient": "all"}[tree]
    elsewhere, within = version(1, day(-9), **{tree: {moved: root}}), version(2, day(0))
    for versions in ((elsewhere, within), (replace(within, number=1, since=day(-9)),
                                           replace(elsewhere, number=2, since=day(0)))):  # fmt: skip
        city = register(taxonomy=Taxonomy(versions=versions))
        one = person(grants(**{tree: moved}), objects(**{tree: code}))
        assert refuses(gate, one, city=city) == "no-consent"


def test_frozen_is_frozen(gate):
    """Until it is lifted; what was granted is there again then."""
    one = person(grants(), turns(Turn.FREEZE, 1, "self"), turns(Turn.UNFREEZE, 3, "self"))
    reasons = [refuses(gate, one, at) for at in (day(1) - TICK, 1, 2, 3)]
    assert reasons == [None, "frozen", "frozen", None]
    again = and_then(one, turns(Turn.FREEZE, 4, "self"))
    assert refuses(gate, again, 4) == "frozen"


@pytest.mark.parametrize(
    ("frozen_by", "lifted_by", "wanted"),
    [
        ("self", "self", None),
        ("self", "city", None),
        ("self", PARENT, "frozen"),
        ("city", PARENT, "frozen"),
        ("city", "self", None),
        (PARENT, "self", None),
        (PARENT, PARENT, None),
        (PARENT, "uncle", "frozen"),
        ("uncle", "city", None),
    ],
)
def test_who_may_lift_what_is_frozen(gate, frozen_by, lifted_by, wanted):
    """A representative does not lift what the person froze; who represents nobody does nothing."""
    said = (turns(Turn.FREEZE, 0, frozen_by), turns(Turn.UNFREEZE, 0, lifted_by))
    helped = represented(Capacity.PROXY)
    assert refuses(gate, person(helped, grants(), *said)) == wanted
    unlifted = "frozen" if frozen_by != "uncle" else None
    assert refuses(gate, person(helped, grants(), said[0])) == unlifted


def test_a_child_freezes_and_does_not_lift(gate):
    """To stop is open at any age, to open is not."""
    frozen = (represented(Capacity.PARENTAL), grants(by=PARENT), turns(Turn.FREEZE, 0, PARENT))
    lifted = turns(Turn.UNFREEZE, 0, "self")
    assert refuses(gate, person(*frozen, lifted, born=CHILD)) == "frozen"
    assert refuses(gate, person(*frozen, lifted, born=date(2010, 4, 2))) == "frozen"
    of_age = person(represented(Capacity.PARENTAL), turns(Turn.FREEZE, 0, PARENT), lifted, grants(),
                    born=date(2010, 4, 1))  # fmt: skip
    assert permits(gate, of_age) == FIELDS
    capable = (turns(Turn.CAPACITY_LOST), turns(Turn.CAPACITY_REGAINED))
    assert permits(gate, person(grants(), turns(Turn.FREEZE), *capable, lifted)) == FIELDS
    lost = person(grants(), turns(Turn.FREEZE), capable[0], lifted)
    assert refuses(gate, lost) == "frozen"


def test_a_representation_ends_for_its_own_person_only(gate):
    """Two hold one each; the end of one is not the end of the other."""
    both = (represented(Capacity.PARENTAL), represented(Capacity.PARENTAL, by="father"))
    one = person(*both, ends(by="father"), grants(by=PARENT), born=CHILD)
    assert permits(gate, one) == FIELDS


def permit():
    """One that the gate gave."""
    decision = decide(asks(), person(grants()), register())
    assert isinstance(decision, Permit)
    return decision


def test_a_permit_says_what_it_is_for():
    """Whose data, asked for by whom, which fields, from which times; and it cannot be changed."""
    given = permit()
    assert given.request == asks()
    assert set(given.windows) == FIELDS
    assert isinstance(given.windows, MappingProxyType)
    with pytest.raises(AttributeError):
        given.windows = {}
    with pytest.raises(TypeError):
        given.windows["name"] = given.windows["heart"]


@pytest.mark.parametrize("seal", [{}, {"seal": None}, {"seal": object()}, {"seal": True}])
def test_nobody_else_gives_permits(seal):
    """Not even with everything that one says."""
    given = permit()
    said = {"subject_id": given.subject_id, "request": given.request, "windows": given.windows}
    with pytest.raises(PermitError):
        Permit(**said, **seal)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps, replace])
def test_permits_are_not_kept(way):
    """What was so a moment ago may not be so now."""
    with pytest.raises((PermitError, ValueError, TypeError)):
        way(permit())


def test_there_is_one_kind_of_permit():
    """A subclass could give itself."""
    with pytest.raises(PermitError):
        type("Permission", (Permit,), {})


def test_a_denial_says_no_more_than_its_reason():
    """It has no windows to look through."""
    denied = decide(asks(), person(), register())
    assert isinstance(denied, Denial)
    assert not hasattr(denied, "windows")


def test_only_the_gate_and_its_twin_make_decisions():
    """In no other module stands a call that makes one, nor the seal."""
    making, sealing = set(), set()
    for path in PACKAGE.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "id", getattr(node, "attr", getattr(node, "name", None)))
            if name == "_SEAL":
                sealing.add(path.name)
            if name == "_decision":
                making.add(path.name)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Permit":
                assert path.name == "gate.py"
    assert sealing == {"gate.py"}
    assert making == {"gate.py", "gate_set.py"}
