"""Whatever is typed or sent: a result or a clear message, never a crash, never a word of it in an SQL statement."""

import re
from contextlib import contextmanager
from urllib.parse import quote_from_bytes

import pysolr
import pytest
import sqlalchemy as sa
from ckan import model
from ckan.lib.search.common import make_connection
from ckan.tests import factories, helpers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

NAMES = ["消火栓マップ", "避難所一覧", "除雪車位置情報", "Budget 2026"]
MARK = "qzxjvkw"
# A result, a query that is none, a search that cannot be done.
CLEAR = {200, 400, 409}


def thorough(examples):
    """One fixed run; the fixtures clean once for all examples, which only read."""
    return settings(
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=examples,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(autouse=True)
def catalogue(with_plugins, clean_db, clean_index):  # noqa: ARG001 (first clean, then fill)
    """A few datasets, which must all be there afterwards."""
    organization = factories.Organization(name="bosai")
    for number, title in enumerate(NAMES):
        factories.Dataset(
            name=f"n{number}",
            title=title,
            notes="",
            owner_org=organization["id"],
            tags=[{"name": "防災"}],
        )
    before = everything()
    yield
    assert everything() == before
    assert model.Session.query(model.Package).count() == len(NAMES)


def everything():
    found = helpers.call_action("package_search", sort="name asc")
    return [(dataset["name"], dataset["title"]) for dataset in found["results"]]


# -- what is typed ----------------------------------------------------------------------------

BROKEN = [
    *('"', "'", "(", ")", "[", "{", "\\", "/", "*", "?", "~", "^", ":", "+", "-", "!", "&&", "||"),
    *("AND", "OR", "NOT", "a AND", "OR b", "NOT NOT a", "+-a", "--a", "a:b:c", ":a", "a:", "a^b"),
    *("title:(", "[* TO", "title:[a TO b]", "name:[a TO", "views_total:x", "views_total:[x TO 1]"),
    *(
        "a~",
        "a~2",
        '"a b"~3',
        "/a+/",
        "a^1e999",
        "a^-1",
        "a^nan",
        "**",
        "*?*?*",
        "?*",
        "title:*a*b*",
    ),
    *("metadata_modified:[soon TO *]", "metadata_modified:x", "metadata_modified:*x"),
    *(
        "metadata_modified:[NOW+99999999YEARS TO *]",
        "metadata_modified:[0000-00-00T00:00:00Z TO *]",
    ),
    *(
        "{!frange l=0 u=1}div(1,2)",
        "{!func}1",
        "{!",
        "{!}",
        "{!lucene",
        "{!bool must=$x}",
        "{!term f=}",
    ),
    *("{!lucene df=name}a", "a {!lucene}b", "_query_:a", "_val_:1", "*:a", "id:*", "index_id:x"),
    *("x" * 10_000, "あ" * 10_000, "消火栓" * 4_000, "a " * 5_000, "バス " * 2_000, "ー" * 9_999),
    *(
        "(" * 3_000,
        "(" * 400 + "a" + ")" * 400,
        "-" * 3_000,
        '"' * 3_001,
        "NOT " * 3_000,
        "\\" * 9_999,
    ),
    *("a OR " * 2_000 + "a", "+" * 999 + "a", "name:" + "*a" * 500, "name:" + "?" * 5_000),
    *("'; drop table package; --", "' or '1'='1", "\\'; select pg_sleep(9); --", "$$; $$", "/* */"),
    *("%s", "%(p0)s", "%%", "%", ":p0", "?::text", "{0}", "${jndi}", "\\u0000", "p0", "d.name"),
    *("\0", "a\0b", "\u0001\u0007\u001b[2J", "\r\n\t", "\ud83d", "a\udc00b", "\ufeff", "\uffff"),
    *(
        "👨‍👩‍👧",
        "🚒",
        "\u202eabc שלום",
        "مرحبا",
        "e\u0301",
        "ﷺ" * 500,
        "\u0300" * 2_000,
        "İ",
        "ß",
        "ﬁ",
    ),
    *("𠮷野家", "\U0010ffff", "\U0002a6a5", "〆々〇ゝ", "゛゜", "ｶﾞｷﾞ", "㍿㌔", "⑩", "か\u3099"),
]


# Of these one is a query: something with a letter, with an id, or, if nothing is typed, everything.
FINDING = {"*", "?", "**", "*?*?*", "?*", "id:*", "{0}", "\r\n\t", "/", "/* */"}


def test_what_is_typed_gets_an_answer(app):
    """Broken queries, hostile ones, and characters of all kinds find nothing or get a message."""
    answers = {query: answer(app, {"q": query}) for query in BROKEN}
    assert {query[:50]: told for query, told in answers.items() if told[0] not in CLEAR} == {}
    assert {query for query, (_, count) in answers.items() if count} == FINDING


def test_what_is_sent_as_a_filter_gets_an_answer(app):
    """The same in the place of a filter, where CKAN writes its own conditions around it."""
    answers = {query: answer(app, {"fq": query})[0] for query in BROKEN}
    assert {query[:50]: told for query, told in answers.items() if told not in CLEAR} == {}


PLACES = [
    "1,2,3",
    "nan,nan,nan,nan",
    "1e999,0,0,0",
    "inf,0",
    "180,-90,-180,90",
    "9,9,-9,-9",
    "0,999",
]
PLACES += [
    "ENVELOPE(1,2,3)",
    "Intersects(ENVELOPE(1,2,3))",
    "Intersects(POLYGON((0 0,1 1)))",
    "POINT",
]


@pytest.mark.parametrize(
    ("action", "place"),
    [
        *(("package_search", "ext_bbox"), ("package_search", "ext_near")),
        *(("aizu_search_suggest", "q"), ("package_autocomplete", "q")),
    ],
)
def test_what_is_asked_otherwise_gets_an_answer(app, action, place):
    """Boxes of a map, suggestions, CKAN's own completion."""
    sent = [*BROKEN, *PLACES, *(f"spatial_geom:{written}" for written in PLACES)]
    told = {
        text: app.post(f"/api/3/action/{action}", json={place: text}, status=None).status_code
        for text in sent
    }
    assert {text[:50]: code for text, code in told.items() if code not in CLEAR} == {}


def test_the_page_shows_a_message(app):
    """The page of datasets stands whatever is typed into its box, even if it is no text."""
    typed = [query.encode("utf-8", "surrogatepass") for query in BROKEN if len(query) < 9_000]
    typed += [b"\xff\xfe", b"%", b"\xe6\xb6", bytes(range(256))]
    answers = {text: page(app, f"q={quote_from_bytes(text)}") for text in typed}
    assert {text[:50]: told for text, told in answers.items() if told not in CLEAR} == {}


def page(app, query_string):
    return app.get(f"/dataset/?{query_string}", status=None).status_code


def answer(app, parameters):
    """Status and number of hits, once it is sure that a message says nothing of what lies below."""
    told = app.post("/api/3/action/package_search", json=parameters, status=None)
    if told.status_code == 200:
        assert 0 <= told.json["result"]["count"] <= len(NAMES)
        return 200, told.json["result"]["count"]
    assert told.json["error"]["__type"]
    assert not re.search(r"psycopg|sqlalchemy|Traceback|aizu_search\.", told.body), parameters
    return told.status_code, 0


# -- what is sent -----------------------------------------------------------------------------

FRAGMENTS = [
    *('"', "'", "(", ")", "[", "]", "{", "}", " TO ", "*", "?", "~", "^", ":", "\\", "/", "+", "-"),
    *(
        " ",
        "　",
        "!",
        " && ",
        " || ",
        " AND ",
        " OR ",
        " NOT ",
        ",",
        "=",
        "$",
        "%",
        "%(p0)s",
        ";",
        "--",
    ),
    *("title:", "tags:", "name:", "views_total:", "metadata_modified:", "text:", "name_ngram:"),
    *(
        "{!lucene}",
        "{!bool must=",
        "{!term f=name}",
        "NOW",
        "NOW/DAY+1MONTH",
        "2026-01-01T00:00:00Z",
    ),
    *(
        "消火栓",
        "避難所の",
        "しょうか",
        "バ",
        "道",
        "budget",
        "a" * 300,
        "1e999",
        "-1",
        "0",
        "score",
        "desc",
    ),
    *(
        "\0",
        "\ud800",
        "👨‍👩‍👧",
        "\u202e",
        "\u0301",
        "asc",
        "null",
        "[]",
        '["name"]',
        "organization",
    ),
]
anything = st.text(st.characters(exclude_categories=()), max_size=40)
fragment = st.sampled_from(FRAGMENTS)
typed = st.lists(fragment | fragment | fragment | anything, max_size=8).map("".join)
TEXTS = ("q", "fq", "sort", "facet.field", "fl", "mm", "qf", "df", "q.op", "tie", "defType", "bf")
NUMBERS = ("rows", "start", "facet", "facet.limit", "facet.mincount")
several = st.lists(typed, max_size=3)
# CKAN's own check of numbers fails for blank ones, with any search engine.
number = typed.filter(str.strip) | st.integers() | st.booleans()
parameters = st.dictionaries(st.sampled_from(TEXTS), typed | several, max_size=2)
numbers = st.dictionaries(st.sampled_from(NUMBERS), number, max_size=2)


@thorough(300)
@given(parameters, numbers)
def test_what_is_sent_to_the_index_gets_an_answer(texts, numbers):
    """Any parameter with any value: a result or an error of the kind that CKAN knows."""
    try:
        found = make_connection().search(**{"q": "*:*", **texts, **numbers})
    except pysolr.SolrError as error:
        assert str(error)
    else:
        assert 0 <= found.hits <= len(NAMES)


@thorough(200)
@given(parameters, numbers)
def test_what_is_sent_to_ckan_gets_an_answer(app, texts, numbers):
    """The same through `package_search`, where wrong numbers and unknown parameters are refused."""
    assert answer(app, {**texts, **numbers})[0] in CLEAR, (texts, numbers)


# -- and never becomes SQL --------------------------------------------------------------------


@contextmanager
def statements():
    """Every statement sent to any database meanwhile, with its values."""
    sent = []

    def keep(_connection, _cursor, statement, values, *_):
        sent.append((statement, repr(values)))

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", keep)
    try:
        yield sent
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", keep)


@thorough(150)
@given(st.sampled_from(["q", "fq", "qf", "sort", "facet.field", "fl", "df", "start"]), typed, typed)
@example("q", "", "")
@example("q", "title:", "^2")
@example("q", "tags:[", " TO *]")
@example("fq", "extras_x:", "*")
@example("facet.field", "", "")
@example("sort", "", " desc")
@example("qf", "", "^2")
def test_nothing_sent_is_ever_part_of_a_statement(place, before, after):
    """A word in any place is a value in what reaches the database, never a part of the statement."""
    value = before + MARK + after
    parameters = {"q": "x", "rows": 10, "facet": "true", "defType": "edismax", place: value}
    with statements() as sent:
        try:
            make_connection().search(**parameters)
        except pysolr.SolrError:
            return
    assert sent
    assert not any(MARK in statement.lower() for statement, _ in sent), value


@pytest.mark.parametrize("query", [MARK, f'"{MARK}"', f"{MARK}*", f"tags:{MARK}", f"{MARK}:{MARK}"])
def test_what_is_typed_reaches_the_database_as_a_value(query):
    """The mark is really on its way to the database: as a value."""
    with statements() as sent:
        helpers.call_action("package_search", q=query)
    assert any(MARK in values for _, values in sent)
    assert not any(MARK in statement.lower() for statement, _ in sent)
