"""Laws that hold for any two versions, and a comparison with a plain one that uses dictionaries."""

import csv
import io
import os
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckanext.aizu.diff import Change, Table, compare

MANY = 2_000 if os.environ.get("AIZU_TEST_ALL") else 50
COLUMNS = ("id", "part", "kind", "lat")
TYPES = {"lat": "number"}
texts = st.text(alphabet="ab01 .-,\"'\r\n#が\u3099🚒\0é\ufeff", max_size=4)
cells = st.one_of(st.sampled_from(["", "1", "1.0", "01", "a"]), texts)


def rows(width):
    return st.lists(st.tuples(*[cells] * width), max_size=12)


def unique(found, key):
    """The rows whose key is whole and the first of its kind."""
    by_key = {tuple(row[:key]): row for row in reversed(found)}
    return [row for row in by_key.values() if all(row[:key])]


def polars_csv(columns, found):
    """As harvesters write it: a BOM, CRLF, a blank cell without quotes."""
    content = io.BytesIO()
    frame = pl.DataFrame(found, schema=dict.fromkeys(columns, pl.String), orient="row")
    blank = frame.with_columns(pl.all().replace("", None))
    blank.write_csv(content, include_bom=True, line_terminator="\r\n")
    return content.getvalue()


def python_csv(columns, found):
    """As any other client may write it: no BOM, LF, everything in quotes."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([columns, *found])
    return text.getvalue().encode()


def version(found, key, columns=COLUMNS, write=polars_csv):
    fields = [{"name": name, "type": TYPES.get(name, "string")} for name in columns]
    return Table(content=write(columns, found), fields=fields, key=COLUMNS[:key])


def naive(before, after, key):
    """Counts of added, changed, removed and unchanged, row by row."""

    def by_key(found):
        times = Counter(row[:key] for row in found)
        return {row[:key]: row for row in found if times[row[:key]] == 1 and all(row[:key])}

    old, new = by_key(before), by_key(after)
    if not key:
        old = new = {}
    unsound = {row[:key] for found, sound in ((before, old), (after, new)) for row in found
               if row[:key] not in sound}  # fmt: skip
    old, new = ({k: row for k, row in side.items() if k not in unsound} for side in (old, new))
    loose = [Counter(row for row in found if row[:key] not in side)
             for found, side in ((before, old), (after, new))]  # fmt: skip
    kept = sum((loose[0] & loose[1]).values())
    shared = old.keys() & new.keys()
    changed = sum(old[one] != new[one] for one in shared)
    return {
        "added": len(new) - len(shared) + loose[1].total() - kept,
        "changed": changed,
        "removed": len(old) - len(shared) + loose[0].total() - kept,
        "unchanged": len(shared) - changed + kept,
    }


def counted(diff):
    return {
        name: getattr(diff.counts, name) for name in ("added", "changed", "removed", "unchanged")
    }


def applied(diff, before):
    """The earlier rows with the differences carried out."""
    found = Counter(before)
    for row in diff.rows():
        found.subtract([tuple(row.before.values())] if row.before else [])
        found.update([tuple(row.after.values())] if row.after else [])
    assert min(found.values(), default=0) >= 0
    return +found


@pytest.mark.parametrize("key", [0, 1, 2])
@settings(max_examples=MANY, deadline=None)
@given(before=rows(4), after=rows(4))
def test_counts_are_those_of_a_plain_comparison(key, before, after):
    """With a key, with a key that repeats or is blank, and without one."""
    assert counted(compare(version(before, key), version(after, key))) == naive(before, after, key)


@pytest.mark.parametrize("key", [0, 1, 2])
@settings(max_examples=MANY, deadline=None)
@given(before=rows(4), after=rows(4))
def test_the_differences_lead_from_one_version_to_the_other(key, before, after):
    """As a multiset, whichever program wrote the file."""
    diff = compare(version(before, key), version(after, key, write=python_csv))
    assert applied(diff, before) == Counter(after)


@settings(max_examples=MANY, deadline=None)
@given(before=rows(4), after=rows(4))
def test_with_a_key_they_lead_there_exactly(before, after):
    """Place by place: removed rows go, changed cells are set, added rows stand where they say."""
    before, after = unique(before, 1), unique(after, 1)
    diff = compare(version(before, 1), version(after, 1))
    changes = list(diff.rows())
    held = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in before}
    for row in changes:
        if row.change is Change.REMOVED:
            assert held.pop(row.key["id"]) == row.before
        elif row.change is Change.ADDED:
            held[row.key["id"]] = row.after
        for cell in row.cells:
            assert held[row.key["id"]][cell.column] == cell.before
            held[row.key["id"]][cell.column] = cell.after
    assert held == {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in after}
    for row in changes:
        assert not row.row_after or after[row.row_after - 2] == tuple(row.after.values())
        assert not row.row_before or before[row.row_before - 2] == tuple(row.before.values())
    kept = [row[0] for row in after if row[0] in {one[0] for one in before}]
    assert diff.order_changed == (kept != [row[0] for row in before if row[0] in kept])


@pytest.mark.parametrize("key", [0, 1, 2])
@settings(max_examples=MANY, deadline=None)
@given(found=rows(4))
def test_a_version_does_not_differ_from_itself(key, found):
    """Whatever it holds and whichever program wrote it."""
    assert not compare(version(found, key), version(found, key, write=python_csv))


@pytest.mark.parametrize("key", [0, 1, 2])
@settings(max_examples=MANY, deadline=None)
@given(before=rows(4), after=rows(4))
def test_backwards_it_is_the_mirror_image(key, before, after):
    """Added rows are removed ones, and a changed cell changes back."""
    there = compare(version(before, key), version(after, key))
    back = compare(version(after, key), version(before, key))
    mirrored = {
        Change.ADDED: Change.REMOVED,
        Change.REMOVED: Change.ADDED,
        Change.CHANGED: Change.CHANGED,
    }
    told = {(row.change, row.row_before, row.row_after, tuple(row.before.items()),
             tuple(row.after.items())) for row in there.rows()}  # fmt: skip
    told_back = {(mirrored[row.change], row.row_after, row.row_before, tuple(row.after.items()),
                  tuple(row.before.items())) for row in back.rows()}  # fmt: skip
    assert told == told_back
    assert (there.rewritten, there.keyless) == (back.rewritten, back.keyless)
    assert there.order_changed == back.order_changed


@pytest.mark.parametrize("key", [0, 1])
@settings(max_examples=MANY, deadline=None)
@given(before=rows(3), after=rows(3))
def test_columns_of_one_version_alone_change_no_row(key, before, after):
    """The columns that both have are compared as if there were no others."""
    common = ("id", "part")
    old, new = (*common, "kind"), ("lat", *reversed(common))
    diff = compare(version(before, key, old),
                   version([row[::-1] for row in after], key, new))  # fmt: skip
    assert (diff.fields.added, diff.fields.removed) == (("lat",), ("kind",))
    assert counted(diff) == naive([row[:2] for row in before], [row[:2] for row in after], key)
