"""Blocks give back what was put in, in their own place only, and nothing at all when they are altered."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aizu_vault.blocks import BlockError, Layout, Place, open_blocks, seal_blocks
from aizu_vault.keys import PersonKey

from .conftest import ALL, person

LAYOUT = Layout(
    version=3, columns={"time": "time", "pulse": "integer", "kwh": "number", "note": "text"}
)
SCHEMA = {"time": pl.Datetime("us", "UTC"), "pulse": pl.Int64, "kwh": pl.Float64, "note": pl.String}
KEYS = {person(number): PersonKey.of(os.urandom(32)) for number in range(4)}
PLACE = Place(person=person(1), dataset="energy", day=date(2026, 1, 31), part=0, version=3)
FRAME = pl.DataFrame(
    {
        "time": [
            datetime(2026, 1, 31, 8, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(3)
        ],
        "pulse": [61, None, 2**63 - 1],
        "kwh": [0.1, float("inf"), None],
        "note": ["朝", "", None],
    },
    schema=SCHEMA,
)


def opened(*blocks, layout=LAYOUT, keys=KEYS):
    """What the blocks hold."""
    return open_blocks(blocks, layout, keys)


def sealed(frame=FRAME, place=PLACE):
    """One block."""
    (one,) = seal_blocks(frame, [(place, frame.height)], LAYOUT, KEYS)
    return one


def test_rows_come_back_as_they_were():
    """All kinds, with empty cells; the column in front says which block a row is from."""
    got = opened((PLACE, sealed()))
    assert got.schema == {"block": pl.UInt32, **SCHEMA}
    assert got.drop("block").equals(FRAME)
    assert opened().schema == got.schema


times = st.datetimes(timezones=st.just(UTC))
values = st.tuples(
    st.none() | times,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(),
    st.none() | st.text(max_size=20),
)


@settings(max_examples=1_000 if ALL else 100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.lists(values, max_size=5)), max_size=6))
def test_any_rows_come_back_from_any_number_of_blocks(parts):
    """Empty blocks, several of one person, odd texts and numbers."""
    rows = [row for _, part in parts for row in part]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    places = [
        (replace(PLACE, person=person(number), part=place), len(part))
        for place, (number, part) in enumerate(parts)
    ]
    blocks = seal_blocks(frame, places, LAYOUT, KEYS)
    got = opened(*zip([place for place, _ in places], blocks, strict=True))
    assert got.drop("block").equals(frame)
    assert got["block"].to_list() == [n for n, (_, part) in enumerate(parts) for _ in part]


def test_a_block_opens_in_its_own_place_only():
    """Not as another person's, of another dataset, day, part or version."""
    one = sealed()
    elsewhere = [
        replace(PLACE, person=person(2)),
        replace(PLACE, dataset="vitals"),
        replace(PLACE, day=date(2026, 2, 1)),
        replace(PLACE, part=1),
    ]
    for place in elsewhere:
        with pytest.raises(BlockError, match="altered, or belongs to another place"):
            opened((place, one))
    other = replace(LAYOUT, version=4)
    with pytest.raises(BlockError, match="expected layout 4, and not 3"):
        opened((PLACE, one), layout=other)
    with pytest.raises(BlockError, match="altered"):
        opened((replace(PLACE, version=4), one), layout=other)


@given(
    st.sampled_from([person(1), person(2)]),
    st.text(max_size=8),
    st.dates(),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**32 - 1),
)
def test_no_two_places_are_bound_alike(who, dataset, day, part, version):
    """Whatever the name of the dataset is."""
    place = Place(person=who, dataset=dataset, day=day, part=part, version=version)
    bound = place.bound()
    assert bound.startswith(b"aizu block\0" + who.bytes)
    assert bound[37:].decode() == dataset
    assert bound != PLACE.bound() or place == PLACE


def test_every_altered_bit_is_found_and_nothing_is_told():
    """Also one bit in the middle of many good blocks: none of them is opened."""
    good = sealed()
    for place in range(0, len(good), 3):
        altered = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises(BlockError) as refused:
            opened((PLACE, good), (PLACE, altered), (PLACE, good))
        said = str(refused.value)
        assert said == "a block of energy, 2026-01-31: it was altered, or belongs to another place"
        assert refused.value.__cause__ is None and refused.value.__suppress_context__
    for short in (b"", good[:5], good[:12], good[:-1]):
        with pytest.raises(BlockError):
            opened((PLACE, short))


def test_without_the_key_nothing_opens():
    """A destroyed key, or another one."""
    with pytest.raises(BlockError, match="destroyed"):
        opened((PLACE, sealed()), keys={})
    with pytest.raises(BlockError, match="altered"):
        opened((PLACE, sealed()), keys={person(1): PersonKey.of(b"x" * 32)})
    with pytest.raises(BlockError, match="destroyed"):
        seal_blocks(FRAME, [(PLACE, 3)], LAYOUT, {})


def test_nonces_are_never_the_same():
    """One hundred thousand blocks of one person; a million in the long run."""
    many = 1_000_000 if ALL else 100_000
    frame = pl.DataFrame(schema=SCHEMA)
    blocks = seal_blocks(frame, [(PLACE, 0)] * many, LAYOUT, KEYS)
    assert len({block[:12] for block in blocks}) == many


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.drop("note"),
        FRAME.select("pulse", "time", "kwh", "note"),
        FRAME.with_columns(pl.col("pulse").cast(pl.Float64)),
        FRAME.with_columns(pl.col("time").dt.convert_time_zone("Asia/Tokyo")),
        FRAME.rename({"kwh": "kw"}),
    ],
)
def test_other_columns_are_refused(frame):
    """Names, order and kinds are the layout's; the message names both."""
    with pytest.raises(BlockError, match="expected the columns"):
        sealed(frame)


def test_rows_must_be_as_many_as_the_places_say():
    """Else rows would land in a neighbour's block."""
    with pytest.raises(BlockError, match="expected 4 rows in 2 blocks, and not 3"):
        seal_blocks(FRAME, [(PLACE, 2), (PLACE, 2)], LAYOUT, KEYS)
