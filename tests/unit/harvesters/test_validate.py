"""The verdict is Frictionless's, and a planted fault is found in its very cell."""

from dataclasses import replace

import pytest
from frictionless import Report
from hypothesis import given, settings
from hypothesis import strategies as st

from harvesters import validate
from harvesters.dataset import Bounds
from harvesters.report import findings

from .conftest import as_csv, numbered, only, small, snapshot_of, table_of


def found(normalised, aizu, rows):
    """The findings of a list as (row, column, rule)."""
    table = normalised(as_csv(rows))
    verdict = validate.validate(only(table), aizu.feeds["hydrant"], aizu)
    return [(one.row, one.column, one.rule) for one in findings(verdict.report, only(table))]


@pytest.mark.parametrize(
    ("column", "value", "rules"),
    [
        ("種別", "", {("種別", "required")}),
        ("全国地方公共団体コード", "", {("全国地方公共団体コード", "required")}),
        ("全国地方公共団体コード", "7", {("全国地方公共団体コード", "pattern")}),
        ("町字ID", "x", {("町字ID", "pattern")}),
        ("ID", "1", {("ID", "primary-key")}),
        ("ID", "", {("ID", "primary-key-empty")}),
        ("口径", "太い", {("口径", "type-error")}),
        ("口径", "-5", {("口径", "minimum")}),
        ("口径", "5001", {("口径", "maximum")}),
        ("口径", "1_000", {("口径", "number-form")}),
        ("口径", "Infinity", {("口径", "number-form"), ("口径", "maximum")}),
        ("緯度", "不明", {("緯度", "type-error")}),
        ("緯度", "", {("緯度", "half-position")}),
        ("緯度", "35.68", {("緯度", "outside-city"), ("経度", "outside-city")}),
        ("緯度", "91", {("緯度", "outside-city"), ("経度", "outside-city")}),
        ("緯度", "nan", {("緯度", "number-form")}),
    ],
)
def test_a_planted_fault_is_found_where_it_is_and_nowhere_else(
    normalised, aizu, column, value, rules
):
    """One spoilt cell among good rows gives findings for that cell alone (a position is two)."""
    rows = numbered(5)
    rows[3][column] = value
    told = found(normalised, aizu, rows)
    assert {(name, rule) for _, name, rule in told} <= rules
    assert {(row, column) for row, column, _ in told} >= {(5, column)}
    assert {row for row, _, _ in told} == {5}


INSIDE = st.tuples(st.floats(37.28, 37.61), st.floats(139.79, 140.13))


@given(st.lists(INSIDE, min_size=1, max_size=6), st.data())
@settings(max_examples=40, deadline=None)
def test_positions_inside_pass_and_swapped_ones_are_put_right(positions, data):
    """Any position in the city is valid; the same one the wrong way round is turned, and it is said."""
    from harvesters.city import load_city

    city = small(load_city("aizuwakamatsu"))
    feed = city.feeds["hydrant"]
    swapped = data.draw(st.sets(st.sampled_from(range(len(positions)))))
    rows = [
        {"ID": str(number), "緯度": f"{north:.9f}", "経度": f"{east:.9f}"}
        if number not in swapped
        else {"ID": str(number), "緯度": f"{east:.9f}", "経度": f"{north:.9f}"}
        for number, (north, east) in enumerate(positions)
    ]
    table = table_of(snapshot_of(as_csv(rows)), city)
    assert validate.validate(only(table), feed, city).valid
    assert [(one.row, one.column, one.rule) for one in table.repairs] == [
        (number + 2, column, "swapped-coordinates")
        for number in sorted(swapped)
        for column in ("緯度", "経度")
    ]


@pytest.mark.parametrize("count", [4, 11])
def test_too_few_or_too_many_rows_are_refused(normalised, aizu, count):
    """A list that has shrunk or swollen beyond its bounds is not published."""
    feed = replace(aizu.feeds["hydrant"], rows=Bounds(minimum=5, maximum=10))
    verdict = validate.validate(only(normalised(as_csv(numbered(count)))), feed, aizu)
    assert [error["type"] for error in verdict.report["tasks"][0]["errors"]] == ["table-dimensions"]


def test_the_report_is_one_that_frictionless_reads(normalised, aizu):
    """What is kept and published can be loaded with Frictionless again."""
    table = normalised(as_csv([{"口径": "x"}]))
    verdict = validate.validate(only(table), aizu.feeds["hydrant"], aizu)
    report = Report.from_descriptor(verdict.report)
    assert report.flatten(["rowNumber", "fieldName", "type"]) == [[2, "口径", "type-error"]]


def test_the_clean_table_opens_in_excel_and_elsewhere(normalised):
    """UTF-8 with a byte order mark, CRLF, quotes where they are needed."""
    content = validate.to_csv(normalised(as_csv([{"備考": '"a,b"'}])).frame)
    assert content.startswith("\ufeff全国地方公共団体コード,ID,".encode())
    assert content.endswith(b',"a,b"\r\n')
    assert content.count(b"\r\n") == content.count(b"\n") == 2
