"""Faults planted in good catalogues and seats are found in their cells; good ones have none."""

from datetime import UTC, datetime, timedelta

import pytest

from harvesters import report, validate
from harvesters.library.numbers import isbn_of, issn_of, ncid_of

from .test_library_recordings import ASKED_AT, package_of

HEADINGS = "資料ID,タイトル,著者,出版年,ISBN,ISSN,NCID"
GOOD = [
    ["1", "雪国の植物", "白雪, 冬子", "2019", "9784999900015", "1345-8728", "BA51293930"],
    ["2", "会津の地図", "", "", "", "", ""],
    ["3", "城下町", "", "1988", "9784999900022; 9784999900039", "", "AA1070693X"],
]
SEATS = "図書館,階,室名,座席数,空席数,利用中,開室中,観測日時"
ROOMS = [
    ["中央", "1", "閲覧室", "20", "5", "15", "true", "2026-11-22T06:00:00Z"],
    ["中央", "2", "閲覧室", "30", "30", "0", "false", "2026-11-22T06:05:00Z"],
    ["北", "1", "学習室", "8", "0", "8", "", "2026-11-22T06:07:00Z"],
]


def findings(source, headings, rows):
    """What the report says of a list: row, column and rule."""
    content = "\r\n".join([headings, *(",".join(f'"{cell}"' for cell in row) for row in rows)])
    package, feed, city = package_of(source, content.encode())
    verdict = validate.validate(package, feed, city)
    told = report.complete(verdict.report, package)["aizu"]["findings"]
    return {(one["row"], one["column"], one["rule"]) for one in told}


def planted(rows, row, column, value):
    """The rows with one cell changed."""
    changed = [list(cells) for cells in rows]
    changed[row][column] = value
    return changed


def test_good_holdings_and_good_seats_have_no_findings():
    """Neither errors nor warnings."""
    assert findings("library", HEADINGS, GOOD) == set()
    assert findings("library-seats", SEATS, ROOMS) == set()


@pytest.mark.parametrize("row", range(len(GOOD)))
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        (0, "", "required"),
        (1, "", "required"),
        (1, "雪国\ufffd植物", "lost-characters"),
        (3, "昔", "type-error"),
        (4, "9784999900016", "isbn-check-digit"),
        (4, "4999900016", "isbn-check-digit"),
        (4, "97849999000", "isbn-form"),
        (4, "4910000000008", "isbn-form"),
        (4, "9784999900015; 9784999900016", "isbn-check-digit"),
        (5, "1345-8729", "issn-check-digit"),
        (5, "13458", "issn-form"),
        (6, "BA51293931", "ncid-check-digit"),
        (6, "B51293931", "ncid-form"),
    ],
)
def test_a_fault_in_the_holdings_is_found_in_its_cell(row, column, value, rule):
    """And nowhere else."""
    found = findings("library", HEADINGS, planted(GOOD, row, column, value))
    place = (row + 2, HEADINGS.split(",")[column], rule)
    assert place in found
    assert {one for one in found if one[0] == row + 2} <= {
        place, (row + 2, "資料ID", "primary-key-empty"),
    }  # fmt: skip
    assert {one[2] for one in found if one[0] != row + 2} <= {"too-many-damaged"}


def test_two_items_with_one_number_are_found():
    """The key tells items apart."""
    found = findings("library", HEADINGS, planted(GOOD, 2, 0, "1"))
    assert found == {(4, "資料ID", "primary-key")}


@pytest.mark.parametrize("row", range(len(ROOMS)))
@pytest.mark.parametrize(
    ("changes", "column", "rule"),
    [
        ({2: ""}, "室名", "required"),
        ({4: "-1", 5: ""}, "空席数", "minimum"),
        ({3: "たくさん"}, "座席数", "type-error"),
        ({4: "31"}, "空席数", "free-above-seats"),
        ({4: "", 5: "31"}, "利用中", "used-above-seats"),
        ({4: "8", 5: "30", 3: "30"}, "利用中", "more-than-all-seats"),
        ({6: "たぶん"}, "開室中", "type-error"),
        ({7: "いつか"}, "観測日時", "type-error"),
        ({7: "2026-11-22 07:05 Aizu/Wakamatsu"}, "観測日時", "type-error"),
        ({7: "0001-01-01 00:00"}, "観測日時", "time-too-old"),
        ({7: "2026-11-22T06:20:00Z"}, "観測日時", "time-in-future"),
        ({7: "2026-11-22T05:40:00Z"}, "観測日時", "time-too-old"),
    ],
)
def test_a_fault_in_the_seats_is_found_in_its_cell(row, changes, column, rule):
    """And nowhere else."""
    rows = [list(cells) for cells in ROOMS]
    for place, value in changes.items():
        rows[row][place] = value
    assert findings("library-seats", SEATS, rows) == {(row + 2, column, rule)}


def test_one_room_twice_is_found():
    """A room of one name on another floor is another room."""
    assert findings("library-seats", SEATS, planted(ROOMS, 1, 1, "1")) == {
        (3, "図書館 + 階 + 室名", "primary-key")
    }


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("4-591-04623-0", "9784591046234"),
        ("４－５９１－０４６２３－０", "9784591046234"),
        ("ISBN978-4-591-04623-4", "9784591046234"),
        ("urn:isbn:4-591-04623-0", "9784591046234"),
        ("020161622x (pbk.)", "9780201616224"),
        ("4591046230 : 900円", "9784591046234"),
        ("978‐4‐591‐04623‐4　(セット)", "9784591046234"),
    ],
)
def test_an_isbn_in_any_dress_becomes_thirteen_digits(written, read):
    """What stands around the digits is no part of the number."""
    assert isbn_of(written).text == read
    assert not isbn_of(written).broken


def test_a_wrong_number_stays_and_the_right_one_is_told():
    """Nobody but the library can know which digit is wrong."""
    assert isbn_of("4-591-04623-1").text == "4-591-04623-1"
    assert isbn_of("4-591-04623-1").right == "9784591046234"
    assert issn_of("13458729").right == "1345-8728"
    assert ncid_of("AA10706930").right == "AA1070693X"


@pytest.mark.parametrize(
    "number",
    ["BA51293930", "AA1070693X", "BN16011136", "BN01797559", "BB08796640", "BB23841999",
     "BA23921310", "BC14188705", "AN00406024", "AN10491143", "AA12031302"],
)  # fmt: skip
def test_numbers_of_the_union_catalogue_are_right(number):
    """Numbers that NACSIS-CAT has given; with any other last digit they would be wrong."""
    assert not ncid_of(number).broken
    others = [digit for digit in "0123456789X" if digit != number[-1]]
    assert all(ncid_of(number[:-1] + digit).broken for digit in others)


@pytest.mark.parametrize(
    "written",
    ["2026-11-22T15:05:00+09:00", "2026-11-22T06:05:00Z", "2026-11-22 15:05", "1795327500", "1795327500.0",
     "1795327500000", "2026/11/22 15:05:00", "令和8年11月22日 15時05分", "15:05", "午後3時5分",
     "2026-11-22 15:05:00 JST", "2026-11-22 07:05:00.000000 Europe/Berlin",
     "Sun, 22 Nov 2026 15:05:00 +0900"],
)  # fmt: skip
def test_a_time_in_any_form_is_told_in_utc(written):
    """Without a zone it is Japan's, without a day it is today's."""
    headings = "室名,空席数,観測日時"
    package, _, _ = package_of("library-seats", f'{headings}\r\n閲覧室,5,"{written}"\r\n'.encode())
    assert package.tables[0].frame.item(0, "観測日時") == "2026-11-22T06:05:00Z"
    assert datetime(2026, 11, 22, 6, 5, tzinfo=UTC) == ASKED_AT - timedelta(minutes=2)
