"""What is said of two small versions of a table."""

import pytest

from ckanext.aizu import diff as diff_module
from ckanext.aizu.diff import Change, Counts, Retyped, Table, UnreadableError, compare

BOM = "\ufeff"


def table(text, key=("id",), **types):
    """A version whose columns are text unless another type is named."""
    columns = text.removeprefix(BOM).partition("\r\n")[0].split(",") if text else []
    fields = [{"name": name, "type": types.get(name, "string")} for name in columns]
    return Table(content=text.encode(), fields=fields, key=key)


def lines(*rows):
    return BOM + "\r\n".join(rows) + "\r\n"


def counted(diff):
    counts = diff.counts
    return counts.added, counts.changed, counts.removed, counts.unchanged


BEFORE = lines("id,kind,lat", "1,消火栓,37.50", "2,防火水槽,37.51", "3,消火栓,37.52")


def test_rows_are_added_changed_and_removed():
    """By key, cell by cell, in the order of the new file and the removed ones last."""
    after = lines("id,kind,lat", "4,消火栓,37.53", "1,消火栓,37.50", "3,防火水槽,37.5")
    diff = compare(table(BEFORE), table(after))
    assert counted(diff) == (1, 1, 1, 1)
    assert [(row.change, row.key, row.row_before, row.row_after) for row in diff.rows()] == [
        (Change.ADDED, {"id": "4"}, None, 2),
        (Change.CHANGED, {"id": "3"}, 4, 4),
        (Change.REMOVED, {"id": "2"}, 3, None),
    ]
    added, changed, removed = diff.rows()
    assert changed.cells == (("kind", "消火栓", "防火水槽"), ("lat", "37.52", "37.5"))
    assert added.after == {"id": "4", "kind": "消火栓", "lat": "37.53"}
    assert removed.before == {"id": "2", "kind": "防火水槽", "lat": "37.51"}
    assert (added.before, added.cells, removed.after, removed.cells) == ({}, (), {}, ())


def test_a_page_is_a_part_of_all(monkeypatch):
    """Offset and limit cut the same order, and so do the parts in which files are read."""
    monkeypatch.setattr(diff_module, "BATCH", 3)
    after = lines("id,kind,lat", *(f"{n},消火栓,37.6" for n in range(2, 20)))
    diff = compare(table(BEFORE), table(after))
    rows = list(diff.rows())
    assert [row.row_after for row in rows] == [*range(2, 20), None]
    assert [row for offset in range(0, 20, 4) for row in diff.rows(offset, 4)] == rows


def test_paths_serve_as_well_as_bytes(tmp_path):
    """Also with a name that looks like a pattern."""
    path = tmp_path / "ver[1]*.csv"
    path.write_text(BEFORE, encoding="utf-8", newline="")
    diff = compare(Table(content=path, fields=table(BEFORE).fields, key=("id",)), table(BEFORE))
    assert counted(diff) == (0, 0, 0, 3)
    assert not diff


@pytest.mark.parametrize("key", [("id",), ()])
def test_nothing_differs_in_bom_line_ends_quotes_and_order_of_columns(key):
    """They are the writing of CSV, not what it says."""
    after = '"lat",kind,id\n37.50,消火栓,1\n37.51,"防火水槽",2\n37.52,消火栓,3'
    fields = [{"name": name, "type": "string"} for name in ("lat", "kind", "id")]
    diff = compare(table(BEFORE, key), Table(content=after.encode(), fields=fields, key=key))
    assert counted(diff) == (0, 0, 0, 3)
    assert not diff


@pytest.mark.parametrize("key", [("id",), ()])
def test_another_order_of_rows_is_told_apart(key):
    """It is no change of a row."""
    first, *rows = BEFORE.splitlines()
    diff = compare(table(BEFORE, key), table(lines(first.lstrip(BOM), *reversed(rows)), key))
    assert counted(diff) == (0, 0, 0, 3)
    assert diff.order_changed
    assert diff


@pytest.mark.parametrize(
    ("before", "after", "rewritten"),
    [
        ("1.0", "1", 1),
        ("+007", "7", 1),
        ("-0", "0.00", 1),
        (".5", "0.50", 1),
        ("-1", "1", 0),
        ("10", "1", 0),
        ("9007199254740993", "9007199254740992", 0),
        ("123456789012345678901234567890", "123456789012345678901234567891", 0),
        ("1" + "0" * 400, "1" + "0" * 401, 0),
        ("0.1", "0.10000000000000001", 0),
        ("1e3", "1000", 0),
        ("", "0", 0),
        ("NaN", "nan", 0),
    ],
)
def test_numbers_are_compared_as_they_are_written(before, after, rewritten):
    """Every other writing is a change; whether the number is the same is counted apart, exactly."""
    old = table(lines("id,n", f"1,{before}"), n="number")
    new = table(lines("id,n", f"1,{after}"), n="number")
    diff = compare(old, new)
    assert counted(diff) == (0, 1, 0, 0)
    assert next(diff.rows()).cells == (("n", before, after),)
    assert diff.rewritten == rewritten


def test_a_row_is_not_rewritten_when_its_text_changed_too():
    """Nor when the digits belong to a text, such as a code."""
    old = table(lines("id,n,code", "1,1.0,a", "2,1.0,a", "3,1,01"), n="number")
    new = table(lines("id,n,code", "1,1,b", "2,1,a", "3,1,1"), n="number")
    diff = compare(old, new)
    assert (diff.counts.changed, diff.rewritten) == (3, 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("が", "か\u3099"),
        ("１", "1"),
        ("a", "a "),
        ("塩\u3000水", "塩 水"),
        ("", " "),
        ("神\ufe00", "神"),
    ],
)
def test_what_only_looks_the_same_is_a_change(before, after):
    """Unicode is not normalised and nothing is trimmed, in cells and in keys."""
    old, new = (lines("id,name", f"1,{text}") for text in (before, after))
    assert counted(compare(table(old), table(new))) == (0, 1, 0, 0)
    assert counted(compare(table(old, ()), table(new, ()))) == (1, 0, 1, 0)
    assert counted(compare(table(old, ("name",)), table(new, ("name",)))) == (1, 0, 1, 0)


def test_cells_hold_line_breaks_quotes_and_commas():
    """They come out as they are, and rows are counted, not lines."""
    old = table(lines("id,note", '1,"a\r\nb"', '2,"say ""yes"", please"', "3,x"))
    new = table(lines("id,note", '1,"a\nb"', '2,"say ""no"", please"', "3,x"))
    changed = list(compare(old, new).rows())
    assert [row.row_after for row in changed] == [2, 3]
    assert changed[0].cells == (("note", "a\r\nb", "a\nb"),)
    assert changed[1].cells == (("note", 'say "yes", please', 'say "no", please'),)


def test_a_key_of_several_columns_is_not_their_joined_text():
    """(1, 11) is not (11, 1)."""
    key = ("ward", "no")
    old = table(lines("ward,no,kind", "1,11,a", "11,1,b"), key)
    new = table(lines("ward,no,kind", "11,1,b", "1,11,c", "111,,d"), key)
    diff = compare(old, new)
    assert counted(diff) == (1, 1, 0, 1)
    assert diff.keyless == 1
    assert [row.key for row in diff.rows()] == [
        {"ward": "1", "no": "11"},
        {"ward": "111", "no": ""},
    ]


def test_rows_whose_key_repeats_or_is_blank_are_compared_as_a_whole():
    """In either version; the others are compared by their key all the same."""
    old = table(lines("id,kind", "1,a", "2,b", ",c", ",c", "4,d"))
    new = table(lines("id,kind", "1,x", "2,b", "2,e", ",c", "4,d"))
    diff = compare(old, new)
    assert diff.keyless == 2 + 1 + 2 + 1
    told = [(row.change, row.before.get("kind"), row.after.get("kind")) for row in diff.rows()]
    assert told == [
        (Change.CHANGED, "a", "x"),
        (Change.ADDED, None, "e"),
        (Change.REMOVED, "c", None),
    ]
    assert counted(diff) == (1, 1, 1, 3)
    assert not diff.order_changed


def test_without_a_key_rows_that_repeat_are_counted():
    """As a multiset: two of three equal rows stay."""
    old, new = (
        table(lines("a,b", "1,x", "1,x", "1,x", "2,y"), ()),
        table(lines("a,b", "2,y", "1,x", "1,x", "2,y"), ()),
    )
    diff = compare(old, new)
    assert counted(diff) == (1, 0, 1, 3)
    assert (diff.key, diff.keyless) == ((), 8)
    assert [(row.row_before, row.row_after) for row in diff.rows()] == [(None, 5), (4, None)]


def test_columns_are_told_by_name():
    """A new column, one that is gone and one of another type change no row."""
    old = table(lines("id,kind,open", "1,a,2020"), open="string")
    new = table(lines("note,open,id", "new,2020,1"), open="year")
    diff = compare(old, new)
    assert diff.fields.added == ("note",)
    assert diff.fields.removed == ("kind",)
    assert diff.fields.retyped == (Retyped("open", "string", "year"),)
    assert counted(diff) == (0, 0, 0, 1)
    assert diff


def test_the_other_key_serves_when_one_is_gone():
    """The later version's first; none where a column of both is missing."""
    old, new = lines("id,code", "1,a"), lines("id,code", "1,b")
    assert compare(table(old, ("id",)), table(new, ("code",))).key == ("code",)
    assert compare(table(old, ("id",)), table(new, ())).key == ("id",)
    assert compare(table(old, ("id",)), table(lines("code", "b"), ())).key == ()


def test_tables_without_a_common_column_have_no_common_row():
    """Nothing that both hold could be the same."""
    diff = compare(table(lines("a", "1", "2")), table(lines("b", "1"), ("b",)))
    assert counted(diff) == (1, 0, 2, 0)
    assert [row.before or row.after for row in diff.rows()] == [{"b": "1"}, {"a": "1"}, {"a": "2"}]


@pytest.mark.parametrize("key", [("id",), ()])
@pytest.mark.parametrize("empty", [BOM + "id,kind,lat", lines("id,kind,lat"), BOM, ""])
def test_empty_tables(key, empty):
    """No file, nothing in it, or a header alone."""
    fields = table(BEFORE).fields
    nothing = Table(content=empty.encode().removeprefix(b"\xef\xbb\xbf"), fields=fields, key=key)
    assert compare(table(BEFORE, key), nothing).counts == Counts(
        added=0, changed=0, removed=3, unchanged=0
    )
    assert counted(compare(nothing, table(BEFORE, key))) == (3, 0, 0, 0)
    assert not compare(nothing, nothing)
    assert list(compare(nothing, nothing).rows()) == []


def test_a_single_column_has_blank_cells():
    """They are rows, though their lines are empty."""
    diff = compare(table(lines("id", "", "x", ""), ()), table(lines("id", "x", ""), ()))
    assert counted(diff) == (0, 0, 1, 2)
    assert next(diff.rows()).row_before == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,sort,lat\r\n1,2,3\r\n", "expected the columns .*kind.*, found .*sort"),
        (b"id,kind,kind\r\n1,2,3\r\n", "expected the columns"),
        (b"id,kind,lat\r\n1,2,3,4\r\n", "expected CSV in UTF-8"),
        ("id,kind,lat\r\n1,消火栓,3\r\n".encode("cp932"), "expected CSV in UTF-8"),
    ],
)
def test_what_is_not_the_described_table_is_refused(content, message):
    """With what was expected and what came."""
    fields = table(BEFORE).fields
    with pytest.raises(UnreadableError, match=message):
        compare(table(BEFORE), Table(content=content, fields=fields, key=("id",)))
