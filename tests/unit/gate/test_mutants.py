"""The rule made wrong in one place at a time: the tests notice every time.

AIZU_TEST_ALL=1 tries all mutants, and those of the SQL; else every fifth.
"""

import inspect
import itertools
import os
from collections import Counter

import psycopg
import pytest

from aizu_vault import gate_set

from . import test_edge_cases, test_gate
from .conftest import Twins
from .mutants import gate_of, mutants, statements
from .oracle import answer
from .stored import store
from .values import Values
from .worlds import world

ALL = bool(os.environ.get("AIZU_TEST_ALL"))
SHARE = 1 if ALL else 5
LEAST = 60
MANY = 800
WORLDS = 3
WRONG = (AssertionError, AttributeError, LookupError, TypeError, ValueError, pytest.fail.Exception)
"""What a decision that is not as it should be, or none at all, ends in."""
SAME = {
    "acts.py": {"later.seq < freeze.seq", "earlier.seq < event.seq", "held.seq < event.seq",
                "later.seq < event.seq", "later.seq < held.seq"},
    "rule.py": {"objection.seq < grant.seq"},
}  # fmt: skip
SAME_IN_SQL = ("later.seq >= held.seq", "held.seq <= event.seq", "event.seq < ended_seq",
               "earlier.seq <= event.seq", "later.seq >= began.seq", "met.seq <= given.seq")  # fmt: skip
"""Before and not after is the same as before here: no two events of a person have one seq."""


def is_the_same(mutant):
    """Whether it decides as the rule does, by construction."""
    module, _, change = mutant.name.partition(": ")
    before, _, after = change.partition(" -> ")
    return before in SAME.get(module, ()) and after == before.replace("<", "<=")


def cases():
    """Every named test that takes the gate, with each of its parameters."""
    for test in (*vars(test_edge_cases).values(), *vars(test_gate).values()):
        if getattr(test, "__name__", "").startswith("test_") and takes_gate(test):
            ways = [parameters(mark) for mark in getattr(test, "pytestmark", ())]
            for way in itertools.product(*ways):
                yield test, {name: value for part in way for name, value in part.items()}


def takes_gate(test):
    return "gate" in inspect.signature(test).parameters


def parameters(mark):
    names, values = mark.args
    names = [names] if isinstance(names, str) else names
    return [dict(zip(names, [one] if len(names) == 1 else one, strict=True)) for one in values]


@pytest.fixture(scope="module")
def histories():
    """Random decisions with what the oracle says, a few of each kind first."""
    found, seen = [], Counter()
    for seed in range(3):
        plain = world(seed)
        values = Values(plain)
        for asked, request in zip(plain["questions"], values.questions, strict=True):
            for raw, person in zip(plain["people"], values.people, strict=True):
                wanted = answer(plain, raw, asked)
                kind = wanted if isinstance(wanted, str) else "permit"
                seen[kind] += 1
                found.append((seen[kind], values, request, person, wanted))
    return [one[1:] for one in sorted(found, key=lambda one: one[0])[:MANY]]


def notices(gate, histories):
    """Whether some decision is not as it should be."""
    try:
        for values, request, person, wanted in histories:
            if values.found(gate.decide(request, person, values.register)) != wanted:
                return True
        for test, words in cases():
            test(gate=gate, **words)
    except WRONG:
        return True
    return False


def test_every_mutant_is_caught(histories):
    """By a random history or by a named case."""
    tried = [mutant for mutant in mutants() if not is_the_same(mutant)][::SHARE]
    assert len(tried) >= LEAST
    assert [one.name for one in tried if not notices(gate_of(one), histories)] == []


def test_the_rule_itself_passes(histories):
    """Else the mutants would be caught for nothing."""
    assert not notices(gate_of(), histories)


def test_what_is_the_same_is_there():
    """A line that is no more is not excused either."""
    excused = [mutant.name for mutant in mutants() if is_the_same(mutant)]
    assert len(excused) == sum(map(len, SAME.values()))


@pytest.mark.skipif(not ALL, reason="takes minutes; run by scripts/test --all")
def test_every_mutant_of_the_statement_is_caught(cursor, monkeypatch):
    """The same for the SQL: a condition left out, a boundary moved."""
    every = list(statements(gate_set.statement()))
    left = [one for one in every if not any(same in one[0] for same in SAME_IN_SQL)]
    assert len(left) == len(every) - len(SAME_IN_SQL)
    for seed in range(WORLDS):
        plain = world(seed)
        values = Values(plain)
        store(cursor, values.register, values.people)
        left = [one for one in left if not differs(cursor, monkeypatch, one[1], plain, values)]
        cursor.connection.rollback()
    assert [
        name for name, wrong in left if not notices(twins(cursor, monkeypatch, wrong), ())
    ] == []


def twins(cursor, monkeypatch, statement):
    """The gate with a twin that has something wrong."""
    monkeypatch.setattr(gate_set, "statement", lambda: statement)
    return Twins(cursor)


def differs(cursor, monkeypatch, statement, plain, values):
    """Whether the statement gives another answer about somebody, or is not SQL."""
    twins(cursor, monkeypatch, statement)
    subjects = [one.subject.subject_id for one in values.people]
    for asked, request in zip(plain["questions"], values.questions, strict=True):
        try:
            with cursor.connection.transaction():
                found = gate_set.decide_all(cursor, request, subjects)
        except (psycopg.Error, ValueError):
            return True
        for raw, person in zip(plain["people"], values.people, strict=True):
            if values.found(found[person.subject.subject_id]) != answer(plain, raw, asked):
                return True
    return False
