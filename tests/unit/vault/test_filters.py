"""Filters choose among the rows that go, by kinds of values and nothing else."""

import random
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aizu_vault.filters import MOST_VALUES, kept, read_filters
from aizu_vault.intake import ingest
from aizu_vault.interval import Interval
from aizu_vault.refusals import WishError
from aizu_vault.wishes import own_wish_of, wish_of

from .city import PEOPLE, yes
from .conftest import ALL
from .releases import DAY, release, table

KINDS = {"time": "time", "pulse": "integer", "kwh": "number", "note": "text"}
SCHEMA = {"time": pl.Datetime("us", "UTC"), "pulse": pl.Int64, "kwh": pl.Float64, "note": pl.String}

instants = st.integers(0, 9).map(lambda second: DAY + timedelta(seconds=second))
VALUES = {
    "time": instants,
    "pulse": st.integers(0, 9),
    "kwh": st.sampled_from([0.0, 0.1, 1.0, 2.5, 3.0]),
    "note": st.sampled_from(["", "家", "a", "A", "' OR 1=1 --"]),
}


def said(value):
    """As it comes as JSON."""
    return value.isoformat() if isinstance(value, datetime) else value


@st.composite
def filters(draw):
    """Any filters, as they come and as a plain function says it."""
    wanted, tests = {}, []
    for field in draw(st.lists(st.sampled_from(list(KINDS)), unique=True)):
        one = VALUES[field]
        if draw(st.booleans()):
            among = draw(st.lists(one, min_size=1, max_size=3))
            wanted[field] = [said(value) for value in among]
            tests.append(lambda row, field=field, among=among: row[field] in among)
        else:
            start, end = sorted((draw(one), draw(one)))
            bounds = {"from": start} | ({"to": end} if start < end else {})
            wanted[field] = {name: said(value) for name, value in bounds.items()}
            tests.append(
                lambda row, field=field, start=start, bounds=bounds: (
                    row[field] is not None
                    and row[field] >= start
                    and ("to" not in bounds or row[field] < bounds["to"])
                )
            )
    return wanted, lambda row: all(test(row) for test in tests)


data = st.lists(st.tuples(*(st.none() | one for one in VALUES.values())), max_size=8)


@settings(max_examples=3_000 if ALL else 150, deadline=None)
@given(filters(), data)
def test_rows_are_those_a_plain_function_chooses(chosen, rows):
    """Ranges and lists, of all kinds, also of empty cells."""
    wanted, test = chosen
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    got = kept(frame, read_filters(wanted, KINDS))
    assert got.rows(named=True) == [row for row in frame.rows(named=True) if test(row)]


@pytest.mark.parametrize("seed", range(40 if ALL else 4))
def test_a_filter_chooses_among_what_goes(city, seed):
    """A release with a filter has the rows that the filter chooses in one without, whoever permits what."""
    chance = random.Random(seed)
    lines = [
        (str(one), DAY + timedelta(hours=hour), chance.choice([None, *range(9)]), chance.randrange(9))
        for one in PEOPLE
        for hour in range(60)
    ]  # fmt: skip
    ingest(city.vault, "vitals", pl.DataFrame(lines, ["subject", "time", "heart", "steps"], orient="row"))  # fmt: skip
    for one in PEOPLE:
        fields = chance.choice([{"heart"}, {"steps"}, {"heart", "steps"}])
        window = Interval(DAY + timedelta(hours=chance.randrange(40)), None)
        city.record(one, yes(one, fields=frozenset(fields), window=window))
    everything = table(release(city))
    assert everything
    for field in ("heart", "steps"):
        low, high = sorted(chance.sample(range(10), 2))
        among = chance.sample(range(9), 3)
        for wanted, test in (
            ({"from": low, "to": high}, lambda cell, low=low, high=high: low <= int(cell) < high),
            (among, lambda cell, among=among: int(cell) in among),
        ):
            rows = table(release(city, where={field: wanted}))
            assert rows == [row for row in everything if row[field] and test(row[field])]
    later = DAY + timedelta(hours=chance.randrange(60))
    rows = table(release(city, where={"time": {"from": later.isoformat()}}))
    assert rows == [row for row in everything if datetime.fromisoformat(row["time"]) >= later]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"name": [1]}, "expected one of the released time, pulse, kwh, note"),
        ({"pulse": []}, r"expected \{\"from\": …, \"to\": …\} or a list of 1 to 1000 values, and not \[\]"),
        ({"pulse": {}}, "expected"),
        ({"pulse": 60}, "and not 60"),
        ({"pulse": {"from": 1, "than": 2}}, "than"),
        ({"pulse": list(range(MOST_VALUES + 1))}, "list of 1 to 1000"),
        ({"pulse": {"from": 2, "to": 2}}, "nothing lies"),
        ({"pulse": ["60"]}, "pulse: expected a whole number, and not \"60\""),
        ({"pulse": [True]}, "a whole number, and not true"),
        ({"pulse": [1.0]}, "a whole number"),
        ({"pulse": [2**63]}, "a whole number"),
        ({"kwh": [float("nan")]}, "a number"),
        ({"kwh": ["1"]}, "a number"),
        ({"kwh": [10**400]}, "a number"),
        ({"note": ["a\0"]}, "a text"),
        ({"note": ["\ud800"]}, "a text"),
        ({"note": [None]}, "a text, and not null"),
        ({"time": ["2026-06-01T00:00:00"]}, "a time with its zone"),
        ({"time": ["yesterday"]}, "a time with its zone"),
        ({"time": {"from": "0001-01-01T00:00:00Z"}}, "a time with its zone"),
        ({"time": {"from": {"$gt": 0}}}, "a time with its zone"),
    ],
)  # fmt: skip
def test_what_is_no_filter_is_told(wanted, told):
    """What came, and what was expected."""
    with pytest.raises(WishError, match=told):
        read_filters(wanted, KINDS)


RELEASE = {"agreement": "deal", "purpose": "diabetes"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"agreement": 5}, "agreement: expected a word, and not 5"),
        ({"purpose": ""}, "purpose: expected a word"),
        ({"purpose": "x" * 201}, "purpose: expected a word"),
        ({"agreement": "a\0b"}, "agreement: expected a word"),
        ({"receiver": []}, "receiver: expected a word"),
        ({"format": "xlsx"}, "format: expected csv or jsonl, and not \"xlsx\""),
        ({"fields": "heart"}, "fields: expected a list of 1 to 100 names"),
        ({"fields": []}, "fields: expected a list"),
        ({"fields": [1]}, "fields: expected a word"),
        ({"where": []}, "where: expected filters by field"),
        ({"resume": "1"}, "resume: expected the id of a release"),
        ({"resume": {"a": 1}}, "resume: expected the id of a release"),
        ({"after": "00" * 16}, "together with `resume`"),
        ({"after": "00" * 15, "resume": "0" * 32}, "after: expected a pseudonym"),
        ({"after": "x", "resume": "0" * 32}, "after: expected a pseudonym"),
        ({"limit": 5}, "unknown words: \\[\"limit\"\\]"),
    ],
)  # fmt: skip
def test_what_is_no_wish_is_told(words, told):
    """Word by word."""
    with pytest.raises(WishError, match=told):
        wish_of(RELEASE | words)


def test_wishes_are_read():
    """Whole, and with what may be left out."""
    assert wish_of(RELEASE).fields is None
    whole = RELEASE | {"fields": ["heart"], "where": {"heart": [1]}, "format": "jsonl",
                       "receiver": "north", "resume": "0" * 32, "after": "00" * 16}  # fmt: skip
    read = wish_of(whole)
    assert (read.fields, read.format, read.after) == (frozenset({"heart"}), "jsonl", bytes(16))
    with pytest.raises(WishError, match="purpose: expected a word, and not null"):
        wish_of({"agreement": "deal"})
    assert own_wish_of({"dataset": "vitals"}).format == "csv"
    with pytest.raises(WishError, match="unknown words"):
        own_wish_of({"dataset": "vitals", "agreement": "deal"})
