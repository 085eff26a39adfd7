"""Cells of a known type are brought into it, whatever way an office writes them."""

import calendar
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvesters.city import load_city
from harvesters.dataset import Field
from harvesters.intake import codes, dates, numbers, positions, values
from harvesters.rules import REPAIRS
from harvesters.source import Table, frame_of
from harvesters.words import Words

ERAS = {"令和": ("R", 2018), "平成": ("H", 1988), "昭和": ("S", 1925)}


def one(column, cell):
    """The value and the rule of a column with a single cell."""
    return tuple(column([cell])[0])


@pytest.mark.parametrize(
    ("cell", "after", "rule"),
    [
        ("1234", "1234", ""),
        ("１２３４", "1234", "half-width"),
        (" 1234　", "1234", "spaces"),
        ("1,234", "1234", "separators"),
        ("1，234，567", "1234567", "separators"),
        ("1,234人", "1234", "unit"),
        ("12.5㎡", "12.5", "unit"),
        ("150㎜", "150", "unit"),
        ("￥1,500", "1500", "unit"),
        ("1,500円", "1500", "unit"),
        ("△12", "-12", "minus-sign"),
        ("▲3.5", "-3.5", "minus-sign"),
        ("−7", "-7", "minus-sign"),
        ("－7", "-7", "half-width"),
        ("-7", "-7", ""),
        ("-", "", "no-value"),
        ("－", "", "no-value"),
        ("…", "", "no-value"),
        ("***", "", "no-value"),
        ("", "", ""),
        ("不明", "不明", ""),
        ("約120", "約120", ""),
        ("1,23", "1,23", ""),
        ("12千円", "12千円", ""),
        ("3万人", "3万人", ""),
        ("10～20", "10~20", "half-width"),
        ("1.2.3", "1.2.3", ""),
        ("007", "007", ""),
    ],
)
def test_a_number(cell, after, rule):
    """Only what changes nothing about the number itself is taken away."""
    assert one(numbers.numbers, cell) == (after, rule)


def test_a_trailing_zero_of_a_whole_number():
    """952150.0 is how pandas writes a whole number beside an empty cell."""
    found = numbers.numbers(["952150.0", "12.5", "3"], whole=True)
    assert [tuple(change) for change in found] == [
        ("952150", "decimal-zero"),
        ("12.5", ""),
        ("3", ""),
    ]


def test_units_go_only_where_the_column_has_one():
    """100 mm and 0.1 m in one column are not the same without their units."""
    assert [change.after for change in numbers.numbers(["100mm", "0.1m"])] == ["100mm", "0.1m"]
    assert [c.after for c in numbers.numbers(["100mm", "75 ミリ", "φ50"])] == ["100", "75", "50"]


@pytest.mark.parametrize(
    ("cell", "after", "rule"),
    [
        ("2024-04-01", "2024-04-01", ""),
        ("令和6年4月1日", "2024-04-01", "wareki"),
        ("令和６年４月１日", "2024-04-01", "wareki"),
        ("令和元年5月1日", "2019-05-01", "wareki"),
        ("㋿6年4月1日", "2024-04-01", "wareki"),
        ("R6.4.1", "2024-04-01", "wareki"),
        ("R06/04/01", "2024-04-01", "wareki"),
        ("平成元年1月8日", "1989-01-08", "wareki"),
        ("H31-4-30", "2019-04-30", "wareki"),
        ("昭和64年1月7日", "1989-01-07", "wareki"),
        ("大正12年9月1日(土)", "1923-09-01", "wareki"),
        ("2024/4/1", "2024-04-01", "date-form"),
        ("２０２４／４／１", "2024-04-01", "date-form"),
        ("２０２４－０４－０１", "2024-04-01", "half-width"),
        ("2024.4.1", "2024-04-01", "date-form"),
        ("2024年4月1日（月）", "2024-04-01", "date-form"),
        ("20240401", "2024-04-01", "date-form"),
        ("45383", "2024-04-01", "serial-date"),
        ("-", "", "no-value"),
        ("2024-02-30", "2024-02-30", ""),
        ("令和6年13月1日", "令和6年13月1日", ""),
        ("6/1/2019", "6/1/2019", ""),
        ("6.4.1", "6.4.1", ""),
        ("令和6年4月", "令和6年4月", ""),
        ("随時", "随時", ""),
    ],
)
def test_a_date(cell, after, rule):
    """Eras, separators and Excel's numbers are understood; what leaves a doubt stays."""
    assert one(dates.dates, cell) == (after, rule)


def test_a_month_before_the_day_is_seen_in_the_whole_column():
    """4/13 proves that 4/5 is the fifth of April; 13/4 beside it proves nothing any more."""
    assert [c.after for c in dates.dates(["4/5/2024", "4/13/2024"])] == ["2024-04-05", "2024-04-13"]
    assert [c.after for c in dates.dates(["5/4/2024", "13/4/2024"])] == ["2024-04-05", "2024-04-13"]
    assert [c.after for c in dates.dates(["4/13/2024", "13/4/2024"])] == ["4/13/2024", "13/4/2024"]


@given(st.dates(date(1926, 12, 25), date(2099, 12, 31)), st.sampled_from("字点略"))
def test_every_day_of_an_era_is_found_again(day, style):
    """Any day, written in its era in three ways."""
    era = next(name for name, (_, zero) in ERAS.items() if day.year > zero)
    letter, zero = ERAS[era]
    count = day.year - zero
    written = {
        "字": f"{era}{'元' if count == 1 else count}年{day.month}月{day.day}日",
        "点": f"{letter}{count}.{day.month}.{day.day}",
        "略": f"{era}{count:02}/{day.month:02}/{day.day:02}",
    }[style]
    assert one(dates.dates, written) == (day.isoformat(), "wareki")


@given(st.integers(1955, 2090), st.integers(1, 12))
def test_the_last_day_of_a_month_is_in_the_calendar(year, month):
    """The day after it is not, and stays as it is."""
    last = calendar.monthrange(year, month)[1]
    assert one(dates.dates, f"{year}/{month}/{last}")[0] == f"{year}-{month:02}-{last:02}"
    assert one(dates.dates, f"{year}/{month}/{last + 1}")[0] == f"{year}/{month}/{last + 1}"


@pytest.mark.parametrize(
    ("column", "cell", "after", "rule"),
    [
        (dates.times, "09:30:00", "09:30:00", ""),
        (dates.times, "9:30", "09:30:00", "time-form"),
        (dates.times, "９：３０", "09:30:00", "time-form"),
        (dates.times, "9時30分", "09:30:00", "time-form"),
        (dates.times, "9時", "09:00:00", "time-form"),
        (dates.times, "9時半", "09:30:00", "time-form"),
        (dates.times, "午後3時", "15:00:00", "time-form"),
        (dates.times, "午前10時15分", "10:15:00", "time-form"),
        (dates.times, "3:05 PM", "15:05:00", "time-form"),
        (dates.times, "正午", "12:00:00", "time-form"),
        (dates.times, "24:00", "24:00:00", "time-form"),
        (dates.times, "25:10", "25:10:00", "time-form"),
        (dates.times, "翌1時", "25:00:00", "time-form"),
        (dates.times, "0930", "09:30:00", "time-form"),
        (dates.times, "午後12時", "午後12時", ""),
        (dates.times, "9:75", "9:75", ""),
        (dates.times, "日没", "日没", ""),
        (dates.years, "令和6年度", "2024", "wareki"),
        (dates.years, "平成元年", "1989", "wareki"),
        (dates.years, "2024年", "2024", "date-form"),
        (dates.years, "2024", "2024", ""),
        (dates.year_months, "令和6年4月", "2024-04", "wareki"),
        (dates.year_months, "2024/4", "2024-04", "date-form"),
        (dates.datetimes, "2024/4/1 9:30", "2024-04-01T09:30:00", "date-form"),
        (dates.datetimes, "令和6年4月1日 午後3時", "2024-04-01T15:00:00", "wareki"),
        (dates.datetimes, "2024-04-01T09:30:00+09:00", "2024-04-01T09:30:00+09:00", ""),
        (dates.datetimes, "2024-04-01", "2024-04-01", ""),
    ],
)
def test_times_and_parts_of_dates(column, cell, after, rule):
    """Hours past midnight stay past midnight; 午後12時 is noon to some and midnight to others."""
    assert one(column, cell) == (after, rule)


@pytest.mark.parametrize(
    ("cells", "city", "after"),
    [
        (["072028", "72028"], "", ["072028", "072028"]),
        (["07202", "07204"], "", ["072028", "072044"]),
        (["7202"], "", ["072028"]),
        (["131083", "13108"], "", ["131083", "131083"]),
        (["72028"], "072028", ["072028"]),
        (["０７２０２８"], "", ["072028"]),
        (["99", "会津"], "", ["99", "会津"]),
    ],
)
def test_municipality_codes_get_back_their_digits(cells, city, after):
    """The check digit tells a code without its zero from one without its last digit."""
    assert [change.after for change in codes.municipality_codes(cells, city)] == after


@pytest.mark.parametrize("code", ["011002", "072028", "131083", "222127", "372013", "473014"])
def test_the_check_digit_of_real_codes(code):
    """札幌, 会津若松, 江東, 焼津, 高松, 国頭."""
    assert codes.check_digit(code[:5]) == code[5]


@pytest.mark.parametrize(
    ("cell", "after", "rule"),
    [
        ("37.4893", "37.4893", ""),
        ("３７．４８９３", "37.4893", "half-width"),
        ("37度29分21.48秒", "37.4893", "dms"),
        ("北緯37度29分21.48秒", "37.4893", "dms"),
        ("37°29′21.48″", "37.4893", "dms"),
        ("37°29'21.48\"N", "37.4893", "dms"),
        ("37.29.21.48", "37.4893", "dms"),
        ("37-29-21.48", "37.4893", "dms"),
        ("東経139度55分45.12秒", "139.9292", "dms"),
        ("N37.4893", "37.4893", "unit"),
        ("37.4893度", "37.4893", "unit"),
        ("37度75分00秒", "37度75分00秒", ""),
        ("北緯37度", "北緯37度", ""),
        ("-", "", "no-value"),
    ],
)
def test_a_coordinate(cell, after, rule):
    """Degrees, minutes and seconds in every sign in use become decimal degrees."""
    assert one(positions.degrees, cell) == (after, rule)


@given(st.integers(0, 3600 * 45 * 100))
def test_seconds_of_arc_come_back(hundredths):
    """Any position to a hundredth of a second, about 30 cm."""
    seconds = timedelta(milliseconds=10 * hundredths).total_seconds() + 20 * 3600
    degrees, rest = divmod(seconds, 3600)
    written = f"{int(degrees)}度{int(rest // 60)}分{rest % 60:.2f}秒"
    if "60.00" not in written:
        assert abs(float(one(positions.degrees, written)[0]) - seconds / 3600) < 1e-6


def test_the_tokyo_datum():
    """The old origin of Japan's survey, in both systems as its office publishes it."""
    north, east = positions.from_tokyo(
        str(35 + 39 / 60 + 17.5148 / 3600), str(139 + 44 / 60 + 40.502 / 3600)
    )
    assert abs(float(north) - (35 + 39 / 60 + 29.1572 / 3600)) * 111_000 < 5
    assert abs(float(east) - (139 + 44 / 60 + 28.8869 / 3600)) * 90_000 < 5


@pytest.mark.parametrize(
    ("heading", "old"),
    [
        ("緯度（日本測地系）", True),
        ("緯度(旧測地系)", True),
        ("LAT_TOKYO", True),
        ("緯度", False),
        ("緯度（世界測地系）", False),
        ("緯度（日本測地系2011）", False),
    ],
)
def test_a_datum_is_believed_only_where_it_is_said(heading, old):
    """400 m cannot be seen in one value; 日本測地系2000 and 2011 are the world's."""
    assert positions.is_old_datum(heading) == old


CITY = load_city("aizuwakamatsu")
HYDRANT = CITY.feeds["hydrant"].dataset


def table_of(rows, heading="緯度"):
    names = ("緯度", "経度", "備考")
    return Table(
        name="hydrant",
        title=HYDRANT.title,
        fields=tuple(field for field in HYDRANT.fields if field.name in names),
        key=(),
        frame=frame_of(names, rows),
        row_numbers=list(range(2, len(rows) + 2)),
        headings={"緯度": heading, "経度": "経度", "備考": "備考"},
        encoding="cp932",
    )


def test_swapped_positions_change_back_and_are_recorded():
    """In the city or at least in Japan the other way round; anything else stays for the checks."""
    rows = [
        ["37.4893", "139.9292", ""],
        ["139.9292", "37.4893", ""],
        ["139度55分45.12秒", "37度29分21.48秒", ""],
        ["139.7", "35.6", "東京"],
        ["12.0", "13.0", ""],
        ["", "139.9", ""],
    ]
    table = values.repair(table_of(rows), HYDRANT, CITY)
    assert [cells[:2] for cells in table.rows] == [
        ["37.4893", "139.9292"],
        ["37.4893", "139.9292"],
        ["37.4893", "139.9292"],
        ["35.6", "139.7"],
        ["12.0", "13.0"],
        ["", "139.9"],
    ]
    swapped = [one.row for one in table.repairs if one.rule == "swapped-coordinates"]
    assert swapped == [3, 3, 4, 4, 5, 5]


@pytest.mark.parametrize(("heading", "said"), [("緯度(日本測地系)", False), ("緯度", True)])
def test_positions_on_the_tokyo_datum_move_where_it_is_said(heading, said):
    """By the heading or by the city; 400 m to the north-west."""
    table = values.repair(
        table_of([["37.4893", "139.9292", ""]], heading), HYDRANT, CITY, old_datum=said
    )
    assert {one.rule for one in table.repairs} == {"tokyo-datum"}
    assert table.rows[0][:2] == ["37.4923359", "139.9258939"]


def test_without_a_word_about_the_datum_nothing_moves():
    """It could as well be right."""
    table = table_of([["37.4893", "139.9292", ""]])
    repaired = values.repair(table, HYDRANT, CITY)
    assert (repaired.rows, repaired.repairs) == (table.rows, [])


def test_the_schema_decides_what_a_column_is():
    """A number in a column of words stays as the city wrote it, but for spaces."""
    field = Field(
        name="備考",
        type="string",
        title=Words("備考", "note"),
        description=Words("", ""),
        constraints={},
        origins=(),
    )
    frame = frame_of(["備考"], [[" １,２００円 "]])
    table = replace(table_of([]), fields=(field,), frame=frame, row_numbers=[2])
    assert values.repair(table, HYDRANT, CITY).rows == [["１,２００円"]]


def test_every_rule_has_its_words():
    """What a repair is called stands in the report."""
    rules = {"separators", "minus-sign", "decimal-zero", "no-value", "wareki", "date-form"}
    rules |= {"serial-date", "time-form", "dms", "swapped-coordinates", "tokyo-datum"}
    rules |= {"merged-cells", "ditto", "short-row", "spaces", "half-width", "unit"}
    assert rules <= set(REPAIRS)
