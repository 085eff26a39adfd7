"""What is taken out of rows is what the gate says of each of them alone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from aizu_vault.gate import _decision, fields_of_row
from aizu_vault.interval import ALWAYS, Interval, union
from aizu_vault.masks import masked, windows_of_rows
from aizu_vault.requests import Reason

from .conftest import ALL

START = datetime(2026, 6, 1, tzinfo=UTC)
FIELDS = ("heart", "steps")


def moment(number):
    """So many microseconds after the start: bounds are exact."""
    return START + timedelta(microseconds=number)


bounds = st.none() | st.integers(0, 12).map(moment)
spans = st.tuples(bounds, bounds).filter(lambda two: None in two or two[0] < two[1])
times = st.lists(spans.map(lambda two: Interval(*two)), min_size=1, max_size=3).map(union)
windows = st.dictionaries(st.sampled_from(FIELDS), times | st.just((ALWAYS,)), min_size=1)
decisions = (windows | st.just(Reason.NO_CONSENT)).map(
    lambda found: _decision(None, UUID(int=1), found)
)
homes = st.lists(st.lists(decisions, max_size=3), min_size=1, max_size=3)
values = st.none() | st.integers(0, 9)
rows = st.lists(st.tuples(st.integers(0, 13).map(moment), values, values), max_size=8)


@settings(max_examples=5_000 if ALL else 200, deadline=None)
@given(homes, rows, st.randoms(use_true_random=False))
def test_rows_keep_what_everybody_accountable_permits(persons, data, chance):
    """Any number of people, each with any windows: as the gate has it, row by row."""
    frame = pl.DataFrame(
        data, schema={"time": pl.Datetime("us", "UTC"), "heart": pl.Int64, "steps": pl.Int64},
        orient="row",
    )  # fmt: skip
    owners = [chance.randrange(len(persons)) for _ in data]
    expected = []
    for owner, (at, *cells) in zip(owners, data, strict=True):
        goes = fields_of_row(at, persons[owner])
        kept = [cell if name in goes else None for name, cell in zip(FIELDS, cells, strict=True)]
        expected += [(at, *kept)] if goes else []
    shared = [windows_of_rows(home) for home in persons]
    got = masked(frame, "time", np.array(owners, dtype="u4"), shared, FIELDS)
    assert got.rows() == expected


def test_of_nobody_nothing_goes():
    """No person, no permit."""
    assert windows_of_rows([]) == {}
