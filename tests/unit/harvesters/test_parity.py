"""Differential test: on any table, our report is the one that Frictionless gives, time aside."""

import csv
import io
import os
from unittest.mock import patch

import polars as pl
import pytest
from frictionless import (
    Checklist,
    Dialect,
    Field,
    Resource,
    Schema,
    checks,
    system,
)
from frictionless.checks.table.table_dimensions import table_dimensions
from frictionless.formats import CsvControl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvesters.checks import inside_city, plain_numbers
from harvesters.validate import to_csv
from harvesters.validation import judge as judging
from harvesters.validation.judge import judge

TABLES = 10_000 if os.environ.get("AIZU_TEST_ALL") else 500
NUMBERS = [
    "0", "1", "-1", "7", "007", "+5", "-0", "1.0", "1.50", "37.4893", "139.9292", "90", "90.0",
    "1e3", "1_000", "1,000", "NaN", "nan", "-Infinity", "inf", "１２", "٣", " 4 ", "5\u3000", "0x1f",
    "12345678901234567890", "9" * 400, "0." + "3" * 40, "1.", ".5", "-", "1.5.2", "¥100", "80%",
    "１．５", "2m", "90.00000000000000000001", "89.99999999999999999999", "sNaN", "-snan12", "+7",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e400", "−5", "१२",
]  # fmt: skip
TIMES = [
    "2026-11-01", "2026-02-29", "2024-02-29", "2026-2-3", "0000-01-01", "2026-13-01", "1899-12-31",
    "2026/11/01", "令和6年4月1日", "2026-11-01T08:30:00", "2026-11-01T08:30:00Z",
    "2026-11-01T08:30:00+09:00", "2026-10-31T23:30:00Z", "2026-11-01T08:30:00.5Z",
    "2026-11-01T08:30:00.500Z", "2026-11-01T08:30:00.1234567Z", "2016-12-31T23:59:60Z",
    "2026-11-01T24:00:00Z", "2026-11-01T25:00:00Z", "2026-11-01T08:30:00+09:60",
    "2026-11-01T08:30:00-00:00", "2026-11-01T08:30", "2026-11-01 08:30:00", "2026-11-31T08:30:00Z",
    "08:30:00", "08:30:00Z", "08:30", "8:30:00", "24:00:00", "23:59:60", "08:30:00.25", "25:10:00",
    "01/11/2026", "31/02/2026", "1/1/26", "2026", "26", "0026", "２０２６", "-026", "2026-11", "2026-13", "P1Y2M", "PT5M", "P",
]  # fmt: skip
TEXTS = [
    "", "a", "b", "消火栓", "ＡＢＣ", "e\u0301", "😀", "null", "None", "NA", "-", "true", "True", "FALSE",
    "yes", " ", "  a ", "\u00a0", "a,b", 'say "x"', "line\nbreak", "line\r\nbreak", "tab\t", "#c",
    "x;y", "a|b", "07202", "072028", "072028\n", "https://example.jp/", "not a uri", "a@example.jp",
    "a@", "123e4567-e89b-12d3-a456-426614174000", "YWJj", "POINT (1 2)", "{}", "[]", '{"a": 1}',
    '[1, "x"]', "139.9,37.4", "[139.9, 37.4]", '{"lon": 1, "lat": 2}', "200,100", "1,2,x",
    '{"type": "Point", "coordinates": [1, 2]}', '{"type": "Nothing"}', "sNaN", "\u2028", "\ufeff",
]  # fmt: skip
POOLS = {
    "number": NUMBERS, "integer": NUMBERS, "date": TIMES, "time": TIMES, "datetime": TIMES,
    "year": TIMES, "yearmonth": TIMES, "duration": TIMES,
}  # fmt: skip
FORMATS = {
    "string": ["uri", "email", "uuid", "binary"],
    "date": ["any", "%Y/%m/%d", "%d/%m/%Y"],
    "time": ["any", "%H:%M"],
    "datetime": ["any", "%Y-%m-%d %H:%M:%S"],
    "geopoint": ["array", "object"],
    "geojson": ["topojson"],
}
TYPES = [
    "string", "number", "integer", "boolean", "date", "time", "datetime", "year", "yearmonth",
    "duration", "geopoint", "geojson", "object", "array", "list", "any",
]  # fmt: skip
BOUNDS = {
    "number": [0, 1, 1.5, 90, "37.4893", "NaN"],
    "integer": [0, 1, 90, "7"],
    "year": [2000, 2026],
    "date": ["2026-11-01", "2026/11/01", "01/11/2026"],
    "time": ["08:30:00"],
    "datetime": ["2026-11-01T08:30:00Z", "2026-11-01T08:30:00"],
    "yearmonth": ["2026-11"],
    "duration": ["PT5M"],
}
EXTRAS = {
    "number": [
        {"bareNumber": False}, {"groupChar": ","}, {"decimalChar": ","}, {"floatNumber": True}
    ],
    "integer": [{"bareNumber": False}],
    "boolean": [{"trueValues": ["yes"], "falseValues": ["-", "1"]}],
    "list": [{"itemType": "integer"}, {"delimiter": ";"}],
}  # fmt: skip
PATTERNS = [
    "[0-9]{6}", "[a-z]+", "a|b", r"\d+", ".*", "a?", "[^0-9]", "[A-Z]{2,3}", "(?i:A)", "[0-9]{2,}",
    r"(?P<one>.)(?P=one)*", "(?<=0)1|.(?!b)", "^a$", r"\w\Z", "[ぁ-ん消火栓]+", "a{0}", "a+?",
]  # fmt: skip
LABELS = ["", "a", "f0", "f1", "f2", "列", "F0"]
CHECKS = [
    table_dimensions(min_rows=2, max_rows=5),
    table_dimensions(num_fields=2),
    plain_numbers(columns=["f0"]),
    inside_city(latitude="f0", longitude="f1", west=139, south=37, east=140.5, north=38),
    checks.duplicate_row(),
]
DATA_PACKAGE_2 = "https://datapackage.org/profiles/2.0/{}.json"
"""Older versions know no exclusive bounds."""
MATCHES = [{"fieldsMatch": one} for one in ("equal", "subset", "superset", "partial")]
MISSING = [
    ["", "NA"],
    ["-"],
    [],
    ["", "0", "None"],
    [{"value": "", "label": "blank"}, {"value": "-"}],
]


NOTHING = st.none()


def sometimes(strategy, otherwise=NOTHING):
    """One in six."""
    return st.integers(0, 5).flatmap(lambda one: strategy if one == 5 else otherwise)


@st.composite
def field(draw, name):
    """Any type, with formats, constraints and missing values of its own."""
    kind = draw(st.sampled_from(TYPES))
    told = {"name": name, "type": kind, "constraints": draw(constraints(kind))}
    told |= {"format": draw(sometimes(st.sampled_from(FORMATS.get(kind, ["default"]))))}
    told |= {"missingValues": draw(sometimes(st.sampled_from(MISSING)))}
    told |= draw(sometimes(st.sampled_from(EXTRAS.get(kind, [{}])), st.just({})))
    return {key: value for key, value in told.items() if value is not None}


@st.composite
def constraints(draw, kind):
    """Some that the type knows, and unique."""
    values = {
        "required": st.booleans(),
        "pattern": st.sampled_from(PATTERNS),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(1, 6),
        "enum": st.lists(st.sampled_from(POOLS.get(kind, TEXTS)), min_size=1, max_size=4),
    }
    known = set(system.select_field_class(kind).supported_constraints)
    if kind not in BOUNDS:
        known -= {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    names = draw(st.lists(st.sampled_from(sorted(known)), max_size=2, unique=True))
    bound = st.sampled_from(BOUNDS.get(kind, [None]))
    told = {name: draw(values.get(name, bound)) for name in names}
    return told | draw(sometimes(st.just({"unique": True}), st.just({})))


def cells(described):
    """Mostly what the field accepts; one table in two has anything else, too."""
    pool = POOLS.get(described["type"], TEXTS) + ["", "a", "1"]
    read = Field.from_descriptor(described).create_cell_reader()
    good = [text for text in pool if outcome(lambda text=text: read(text)[1]) is None]
    return st.sampled_from(good or pool), st.sampled_from(pool)


@st.composite
def tables(draw):
    """A schema, the bytes of a table, how they are to be read, what else is checked."""
    fields = [draw(field(f"f{place}")) for place in range(draw(st.integers(1, 4)))]
    schema = {"fields": fields}
    names = [one["name"] for one in fields]
    if key := draw(sometimes(st.lists(st.sampled_from(names), max_size=2, unique=True))):
        schema["primaryKey"] = key
    if missing := draw(sometimes(st.sampled_from(MISSING))):
        schema["missingValues"] = missing
    if draw(st.integers(0, 9)) == 9:
        schema = {}
    elif newer(schema):
        schema["$schema"] = DATA_PACKAGE_2.format("tableschema")
    schema |= draw(sometimes(st.sampled_from(MATCHES), st.just({})))
    labels = draw(sometimes(st.lists(st.sampled_from(LABELS), max_size=5), st.just(names)))
    pools = [cells(one) for one in fields]
    good = st.tuples(*(pool[0] for pool in pools)).map(list)
    mixed = st.tuples(*(sometimes(*reversed(pool)) for pool in pools)).map(list)
    ragged = st.lists(st.sampled_from(["", "1", "a"]), max_size=5)
    rows = draw(st.lists(st.one_of(good, good, mixed, sometimes(ragged, good)), max_size=12))
    return schema, [labels, *rows], draw(reading()), draw(checklists()), draw(limits)


def newer(schema):
    """Whether it says what only the second version of Data Package knows."""
    told = [schema, *schema["fields"]]
    bounds = [name for one in schema["fields"] for name in one["constraints"]]
    missing = [one for part in told for one in part.get("missingValues", [])]
    exclusive = any(name.startswith("exclusive") for name in bounds)
    return exclusive or any(isinstance(one, dict) for one in missing)


limits = st.sampled_from([1000, 1000, 1, 2, 5])


@st.composite
def reading(draw):
    """Encoding, delimiter, quotes, line ends, damage, and what Frictionless is told of it."""
    return {
        "encoding": draw(sometimes(st.sampled_from(["utf-8", "utf-16", "cp932"]))) or "utf-8-sig",
        "delimiter": draw(sometimes(st.sampled_from(["\t", ";", "|"]))) or ",",
        "told": draw(st.integers(0, 4)) > 0,
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        "ends": draw(sometimes(st.just("\r"), st.sampled_from(["\r\n", "\n"]))),
        "cut": draw(st.booleans()),
        "damage": draw(sometimes(st.tuples(st.floats(0, 1), st.sampled_from(DAMAGES)))),
        "part": draw(sometimes(st.sampled_from([1, 50, 1000]))),
        "repeat": draw(sometimes(st.sampled_from([1, 30, 200]))) or 1,
        "dialect": draw(sometimes(st.sampled_from(DIALECTS))) or {},
    }


DAMAGES = [
    b'"',
    b"\r",
    b"\n",
    b",",
    b"\0",
    b" ",
    b"\xff",
    b"\xe7",
    b"\xef\xbb\xbf",
    b"\n\n",
    b"\r\r\n",
]
DIALECTS = [
    {"header": False}, {"headerRows": [1, 2]}, {"headerRows": [2]}, {"headerRows": []},
    {"headerRows": [1, 2], "headerJoin": "-"}, {"commentChar": "#"}, {"commentChar": "a"},
    {"skipBlankRows": True}, {"headerCase": False}, {"commentRows": [2]}, {"commentRows": [1]},
    {"csv": {"quoteChar": "'"}}, {"csv": {"quoteChar": ""}}, {"csv": {"skipInitialSpace": True}},
    {"csv": {"escapeChar": "\\", "doubleQuote": False}}, {"csv": {"escapeChar": "\\"}},
    {"csv": {"nullSequence": "NA"}}, {"csv": {"lineTerminator": "\n"}}, {"csv": {"delimiter": "\t"}},
]  # fmt: skip


def checklists():
    """None, some of ours, or one of Frictionless's."""
    return sometimes(
        st.lists(st.sampled_from(CHECKS), min_size=1, max_size=2, unique_by=lambda one: one.type),
        st.just([]),
    )


def written(rows, how):
    """The table as bytes, with a few bytes too many if it is to be damaged."""
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=how["delimiter"], quoting=how["quoting"], lineterminator=how["ends"]
    )
    writer.writerows([rows[0], *(rows[1:] * how["repeat"])])
    content = text.getvalue().removesuffix(how["ends"] if how["cut"] else "")
    content = content.encode(how["encoding"], errors="replace")
    if how["damage"]:
        share, signs = how["damage"]
        place = round(share * len(content))
        content = content[:place] + signs + content[place:]
    return content


def outcome(act):
    """What is returned or raised."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001  Frictionless raises many kinds
        return error


def timeless(report):
    """A report without its times."""
    told = report.to_descriptor()
    for stats in (told["stats"], *(task["stats"] for task in told["tasks"])):
        del stats["seconds"]
    return told


def resource(content, schema, how):
    """The table as Frictionless takes it."""
    dialect = Dialect.from_descriptor(how["dialect"])
    if how["told"] and not dialect.controls:
        dialect.add_control(
            CsvControl(
                delimiter=how["delimiter"],
                quote_char='"',
                line_terminator="\r\n",
                skip_initial_space=False,
            )
        )
    return Resource(
        name="table",
        data=content,
        scheme="buffer",
        format="csv",
        encoding=how["encoding"],
        dialect=dialect,
        schema=Schema.from_descriptor(schema) if schema else None,
        schema_profile=DATA_PACKAGE_2.format("dataresource") if "$schema" in schema else None,
    )


def large(part):
    """What is taken for a large table, of which a part is looked at first."""
    return {"LARGE": 0, "PART": part} if part else {"PART": judging.PART}


@given(tables())
@settings(
    max_examples=TABLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
def test_any_table_gets_the_report_of_frictionless(table):
    """Types, formats, constraints, keys, missing values, ragged rows, odd headings and dialects."""
    schema, rows, how, rules, limit = table
    compare(written(rows, how), schema, how, rules, limit)


ODD_LINES = [
    b"f0,f1\r\n1,a\rb\r\n2,c\r\n", b"f0,f1\r\n1,a\r\n2,c\r", b"f0,f1\n1,a\r\n2,c\n", b"f0,f1\n1,a\n2,c",
    b"f0,f1\r\n1,a\r\r\n2,c\r\n", b"f0,f1\r\n1\r\n2,c,x\r\n", b"f0,f1\r\n1\r\n\r\n", b"f0,f1\n\n1,a\n",
    b"\xef\xbb\xbf\xef\xbb\xbff0,f1\n1,a\n", b"f0,f1\r\n1,\xff\r\n", b"f0,f1", b"", b"\r\n", b"f0,f1\n1,\0\n",
]  # fmt: skip


@pytest.mark.parametrize("content", ODD_LINES)
def test_odd_lines_are_read_as_frictionless_reads_them(content):
    """Returns without line feeds, short, long and blank lines, marks and bytes out of place."""
    schema = {"fields": [{"name": "f0", "type": "integer"}, {"name": "f1", "type": "string"}]}
    how = {"told": True, "encoding": "utf-8-sig", "delimiter": ",", "dialect": {}, "part": None}
    compare(content, schema, how, [], 1000)


@given(tables())
@settings(
    max_examples=TABLES // 5, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
def test_a_table_that_we_wrote_need_not_be_read_again(table):
    """Its columns get the report that Frictionless gives to its bytes, line breaks and all."""
    schema, rows, how, rules, limit = table
    names = [one["name"] for one in schema.get("fields", [])] or ["f0", "f1"]
    even = [(row + [""] * len(names))[: len(names)] for row in rows[1:] * how["repeat"]]
    frame = pl.DataFrame(even, schema=dict.fromkeys(names, pl.String), orient="row")
    plain = {"told": True, "encoding": "utf-8-sig", "delimiter": ",", "dialect": {}}
    compare(to_csv(frame), schema, how | plain, rules, limit, frame)


def compare(content, schema, how, rules, limit, frame=None):
    """Where Frictionless breaks off with an error of Python, ours may name the cell instead."""

    def make():
        return resource(content, schema, how)

    checklist = Checklist(checks=rules)
    theirs = outcome(lambda: timeless(make().validate(checklist, limit_errors=limit)))
    with patch.multiple(judging, **large(how["part"])):
        ours = outcome(lambda: timeless(judge(make, checklist, limit, frame)))
    crashed = isinstance(theirs, Exception)
    named = isinstance(ours, dict) and not ours["valid"]
    assert ours == theirs or (crashed and (named or repr(ours) == repr(theirs)))
