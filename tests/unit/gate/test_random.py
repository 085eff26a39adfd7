"""Random histories: the gate, its SQL twin and an independent oracle say the same.

AIZU_TEST_ALL=1 tries twenty times as many.
"""

import os
from collections import Counter
from dataclasses import replace

import pytest

from aizu_vault.gate import Permit, decide
from aizu_vault.gate_set import decide_all

from .conftest import plainly
from .oracle import answer
from .stored import store
from .values import Values
from .worlds import PEOPLE, QUESTIONS, world

HISTORIES = 100_000 if os.environ.get("AIZU_TEST_ALL") else 5_000
LEAST_PERMITS = 0.02
HEARD = {
    "permit", "agreement-not-in-force", "purpose", "recipient", "not-leaf", "obligations", "erased",
    "merged", "deceased", "moved-away", "frozen", "no-consent",
}  # fmt: skip


def test_gate_and_sql_say_what_the_oracle_says(cursor):
    """To the field and the minute, or with the same reason; every reason there is comes up."""
    said = Counter()
    for seed in range(HISTORIES // PEOPLE):
        plain = world(seed)
        values = Values(plain)
        store(cursor, values.register, values.people)
        for asked, request in zip(plain["questions"], values.questions, strict=True):
            said.update(compared(cursor, plain, values, asked, request))
        cursor.connection.rollback()
    assert said.total() == HISTORIES * QUESTIONS
    assert said["permit"] / said.total() >= LEAST_PERMITS
    assert set(said) == HEARD


def compared(cursor, plain, values, asked, request):
    """What all three say about everybody, once they agree."""
    by_sql = decide_all(cursor, request, [one.subject.subject_id for one in values.people])
    for number, (raw, person) in enumerate(zip(plain["people"], values.people, strict=True)):
        decision = decide(request, person, values.register)
        found = values.found(decision)
        if found != answer(plain, raw, asked):
            pytest.fail(told(plain, asked, shrunk(plain, values, asked, request, number)))
        twin = by_sql[person.subject.subject_id]
        assert plainly(twin) == plainly(decision), told(plain, asked, raw)
        yield found if isinstance(found, str) else "permit"


def shrunk(plain, values, asked, request, number):
    """The person with as few events as still make gate and oracle differ."""
    raw = plain["people"][number]

    def differs(one):
        decision = decide(request, values.person(number, one), values.register)
        return values.found(decision) != answer(plain, one, asked)

    for event in list(raw["events"]):
        fewer = raw | {"events": [one for one in raw["events"] if one is not event]}
        raw = fewer if differs(fewer) else raw
    return raw


def told(plain, asked, raw):
    """What is needed to see the difference again."""
    deal = plain["agreements"][asked["agreement"]]
    return f"world({plain['seed']}): {asked}\nunder {deal}\nabout {raw}"


def test_what_is_recorded_later_does_not_change_a_decision():
    """An old decision, asked again after everything that came later, is the same to the instant."""
    values = Values(world(7))
    for request in values.questions:
        for person in values.people:
            then = replace(person, events=person.known_at(request.at))
            before = decide(request, then, values.register)
            assert plainly(decide(request, person, values.register)) == plainly(before)


def test_fields_do_not_depend_on_one_another():
    """Asked one by one or all together, each field may go from the same times."""
    for seed in range(4):
        values = Values(world(seed))
        for request in values.questions:
            for person in values.people:
                together = plainly(decide(request, person, values.register))
                if isinstance(together, dict):
                    for field in request.fields:
                        alone = replace(request, fields=frozenset({field}))
                        found = decide(alone, person, values.register)
                        windows = found.windows if isinstance(found, Permit) else {}
                        assert windows.get(field) == together.get(field)


def test_an_objection_never_opens_anything():
    """With one objection more, said last, what may go is less or the same."""
    for seed in range(6):
        plain = world(seed)
        values = Values(plain)
        for asked, request in zip(plain["questions"], values.questions, strict=True):
            for number, raw in enumerate(plain["people"]):
                before = values.found(decide(request, values.people[number], values.register))
                for objection in (one for one in raw["events"] if one["kind"] == "objection"):
                    last = objection | {"at": max(asked["at"], raw["events"][-1]["at"])}
                    more = values.person(number, raw | {"events": [*raw["events"], last]})
                    after = values.found(decide(request, more, values.register))
                    assert isinstance(after, str) or all(
                        minutes & ~before[field] == 0 for field, minutes in after.items()
                    )


def test_nothing_is_permitted_of_whom_nothing_is_known():
    """An empty history is a no."""
    values = Values(world(3))
    for request in values.questions:
        for person in values.people:
            silent = replace(person, events=())
            assert not isinstance(decide(request, silent, values.register), Permit)
