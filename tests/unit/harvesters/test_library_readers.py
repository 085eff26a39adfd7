"""Damaged and foreign files are refused with the place, damaged records are named and left out."""

import pytest

from harvesters.errors import ColumnsError, NotTheListError
from harvesters.library import reading

from .conftest import ROOT
from .test_library_recordings import package_of

RECORDINGS = ROOT / "tests" / "recordings" / "library"
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE collection [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">
<!ENTITY c SYSTEM "file:///etc/passwd">]><collection><record><leader>%s</leader></record></collection>"""
OAI = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">{}</OAI-PMH>'


def recorded(name):
    return (RECORDINGS / name).read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html><body>maintenance</body></html>", "web page"),
        (LAUGHS % b"&b;", "entities"),
        (LAUGHS % b"&c;", "entities"),
        (recorded("dcndl-simple.xml")[:1500], "line 12"),
        (recorded("dcndl-simple.xml").decode().encode("cp932"), "encoding"),
        (recorded("marc21.mrc")[:-20], "middle of record 4"),
        (b"<feed><entry/></feed>", "root element feed"),
        (b'{"rooms": []}', "no catalogue"),
        (b'[{"leader": "0"', "JSON"),
        (OAI.format('<error code="noRecordsMatch"/>').encode(), "noRecordsMatch"),
        (OAI.format("<Identify/>").encode(), "answer to Identify"),
        (OAI.format("<ListRecords/>").encode(), "no records"),
        (OAI.format("<ListRecords><record/></ListRecords>").encode(), "no metadata"),
    ],
)
def test_what_is_no_catalogue_is_refused_with_what_came(content, said):
    """In one sentence that says where or what."""
    with pytest.raises(NotTheListError, match=said):
        reading.read(content)


def test_entities_hidden_in_attributes_do_no_harm():
    """They are replaced while the attribute is read; the parser stops before they grow."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    content = f'<!DOCTYPE a [<!ENTITY l0 "ha">{levels}]><a b="&l11;"/>'
    with pytest.raises(NotTheListError):
        reading.read(content.encode())


def test_a_table_that_is_no_list_of_holdings_is_refused_by_its_headings():
    """A list of libraries is not what libraries have."""
    content = "名称,住所,緯度,経度\r\n中央図書館,追手町,37.49,139.93\r\n"
    with pytest.raises(ColumnsError, match="タイトル"):
        package_of("library", content.encode())


def test_a_page_of_a_longer_list_is_an_error():
    """It must not take the place of the whole list."""
    token = '<resumptionToken completeListSize="600">next</resumptionToken></ListRecords>'
    content = recorded("repository.xml").decode().replace("</ListRecords>", token)
    package, _, _ = package_of("library", content.encode())
    (problem,) = package.problems
    assert (problem.rule, problem.severity, problem.value) == (
        "incomplete-list",
        "error",
        "4 / 600",
    )


def test_records_in_a_wrong_encoding_are_found_and_stop_the_run():
    """Russian under a leader that says MARC-8 would be nonsense in the catalogue."""
    content = recorded("marc21.mrc").split(b"\x1d")[1]
    spoilt = content.replace(b"Snow houses", "Снежныедома"[:11].encode("cp1251")) + b"\x1d"
    package, _, _ = package_of("library", spoilt)
    rules = {(one.rule, one.severity) for one in package.problems}
    assert rules == {("lost-characters", "warning"), ("too-many-damaged", "error")}


def test_one_bad_record_among_many_is_a_warning():
    """The others are read, and it is named by its number."""
    good = recorded("marc21.mrc").split(b"\x1d")[3] + b"\x1d"
    records = [good.replace(b"100000231", b"1000%05d" % number) for number in range(20)]
    records[7] = records[7].replace(b"00161", b"0016x").replace(b"00073", b"0007x")
    package, _, _ = package_of("library", b"".join(records))
    assert [(one.rule, one.severity, one.row) for one in package.problems] == [
        ("unreadable-record", "warning", 8)
    ]
    assert package.tables[0].frame.height == 19


def test_seats_in_cp932_are_read_as_such():
    """JSON is UTF-8, but not every system knows that."""
    content = (RECORDINGS.parent / "library-seats" / "branches.json").read_text("utf-8")
    package, _, _ = package_of("library-seats", content.encode("cp932"))
    (table,) = package.tables
    assert table.encoding == "cp932"
    assert table.frame.item(0, "図書館") == "中央図書館"


def test_a_subfield_that_has_lost_its_code_is_told():
    """Otherwise an ISBN would disappear without a word."""
    content = recorded("marcxml.xml").replace(b'tag="020" ind1=" " ind2=" "><subfield code="a"',
                                              b'tag="020" ind1=" " ind2=" "><subfield')  # fmt: skip
    package, _, _ = package_of("library", content)
    (problem,) = package.problems
    assert (problem.rule, problem.row) == ("nameless-subfield", 1)
    assert problem.value.startswith("97849999")


def test_text_whose_delimiter_was_lost_is_told():
    """A binary record without the sign before a subfield keeps its lengths, but not its meaning."""
    content = recorded("marc21.mrc").replace(b"\x1fa978-4-999900-12", b" a978-4-999900-12")
    package, _, _ = package_of("library", content)
    found = {(one.rule, one.row, one.value) for one in package.problems}
    assert ("nameless-subfield", 1, " a978-4-999900-12-1") in found


@pytest.mark.parametrize("encoding", ["utf-16", "shift_jis", "euc-jp"])
def test_xml_in_the_encoding_that_it_declares(encoding):
    """Old systems of libraries write Shift_JIS, and say so."""
    text = recorded("opensearch.xml").decode().replace("UTF-8", encoding)
    catalogue = reading.read(text.encode(encoding))
    assert [one.values["タイトル"] for one in catalogue.holdings] == [
        "会津の祭り 21",
        "会津の祭り 22",
    ]
