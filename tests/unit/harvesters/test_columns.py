"""Every heading of a list is led to its column, kept, ignored by name, or stops the run."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvesters.dataset import Field, Origin
from harvesters.errors import ColumnsError
from harvesters.words import Words

from .conftest import ROW, as_csv, numbered

FULL_WIDTH = {ord(half): half_full for half, half_full in zip("()_ID", "（）＿ＩＤ", strict=True)}


def refusal(normalised, content, **city):
    with pytest.raises(ColumnsError) as caught:
        normalised(content, **city)
    return caught.value.words


@pytest.mark.parametrize(
    "spelling",
    [
        lambda heading: heading,
        lambda heading: heading.translate(FULL_WIDTH),
        lambda heading: f" {heading}　",
        lambda heading: heading.lower(),
        lambda heading: heading.replace("_", "_\n") if "_" in heading else heading,
        lambda heading: {"建物名等(方書)": "建物名等_方書", "口径": "口径(mm)"}.get(
            heading, heading
        ),
    ],
)
def test_a_heading_may_be_spelt_in_any_width(normalised, spelling):
    """Width, brackets, spaces, case and known variants make no difference."""
    headings = [spelling(heading) for heading in ROW]
    lines = [[f'"{heading}"' for heading in headings], list(ROW.values())]
    content = "\r\n".join(",".join(line) for line in lines) + "\r\n"
    assert normalised(content.encode()).rows == [list(ROW.values())]


@given(st.permutations(list(ROW)))
@settings(max_examples=20, deadline=None)
def test_columns_may_come_in_any_order(order):
    """The clean table has the standard's order, whatever the city's."""
    from harvesters.city import load_city

    from .conftest import snapshot_of, table_of

    city = load_city("aizuwakamatsu")
    table = table_of(snapshot_of(as_csv([{}], order)), city)
    assert table.rows == [list(ROW.values())]


def test_a_new_column_stops_the_run_and_says_what_to_write(normalised):
    """An unknown heading is named, with the place in the city file where it can be accounted for."""
    said = refusal(normalised, as_csv(numbered(2), [*ROW, "点検日"]))
    assert "点検日" in said.ja
    assert "schemas/cities/aizuwakamatsu.yaml" in said.ja
    for word in ("columns", "extra", "ignore"):
        assert word in said.ja
        assert word in said.en


@pytest.mark.parametrize("column", ["全国地方公共団体コード", "ID", "種別", "緯度", "経度"])
def test_a_missing_column_stops_the_run(normalised, column):
    """Without code, number, kind or position a list is not a hydrant list."""
    said = refusal(normalised, as_csv(numbered(2), [name for name in ROW if name != column]))
    assert column in said.ja
    assert "cp932" in said.ja


def test_a_missing_column_that_nobody_needs_is_empty_and_noted(normalised):
    """町字ID may be absent; the report says so."""
    table = normalised(as_csv(numbered(2), [name for name in ROW if name != "町字ID"]))
    assert [row[5] for row in table.rows] == ["", ""]
    assert "町字ID" in table.notes[0].ja


def test_a_heading_that_occurs_twice_stops_the_run(normalised):
    """Which of two columns is meant cannot be guessed."""
    assert "備考" in refusal(normalised, as_csv(numbered(2), [*ROW, "備考"])).ja


def test_a_column_without_heading_but_with_values_stops_the_run(normalised):
    """Values that nobody has named are not dropped in silence."""
    content = "種別,,緯度\r\n消火栓,何か,37.5\r\n".encode()
    assert "2 列目" in refusal(normalised, content).ja


def test_a_city_keeps_a_column_of_its_own(normalised, aizu):
    """An extra column stands behind the standard ones, under the name that the city file gives."""
    field = Field(
        name="点検日",
        type="date",
        title=Words("点検日", "Inspected"),
        description=Words("", ""),
        constraints={},
        origins=(Origin(headings=("最終点検",)),),
    )
    feed = replace(aizu.feeds["hydrant"], extra=(field,), ignore=("写真",))
    city = replace(aizu, feeds={"hydrant": feed})
    content = as_csv([{"最終点検": "2026-10-01"}], [*ROW, "写真", "最終点検"])
    table = normalised(content, city=city)
    assert table.fields[-1].name == "点検日"
    assert table.rows == [[*ROW.values(), "2026-10-01"]]


def test_a_heading_that_the_city_file_promises_must_come(normalised, aizu):
    """A mapping from a heading that is not there is a mistake, not an empty column."""
    feed = replace(aizu.feeds["hydrant"], columns={"備考": Origin(headings=("摘要",))})
    said = refusal(normalised, as_csv([{}]), city=replace(aizu, feeds={"hydrant": feed}))
    assert "備考" in said.ja
    assert "摘要" in said.ja


def test_a_constant_does_not_hide_a_column_of_the_list(normalised, aizu):
    """Two answers to one question: the city file must settle it, and learns where."""
    feed = replace(aizu.feeds["hydrant"], constants={"種別": "消火栓"})
    said = refusal(normalised, as_csv([{}]), city=replace(aizu, feeds={"hydrant": feed}))
    assert "「種別」がファイルにありますが" in said.ja
    assert "sources.hydrant.constants" in said.en
