"""From a query as people and CKAN write it to the tree that the engine works on."""

import pysolr
import pytest

from ckanext.aizu_search.local_params import parse_any
from ckanext.aizu_search.lucene import minimum_match, parse, parse_words
from ckanext.aizu_search.query import (
    Boost,
    Clauses,
    Everything,
    Pattern,
    Range,
    Term,
    Wild,
)

A, B, C = Term("", "a"), Term("", "b"), Term("", "c")


def every(*queries):
    return Clauses(must=queries)


def either(*queries, minimum=1):
    return Clauses(should=queries, minimum=minimum)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*:*", Everything()),
        ("  ", Everything()),
        ("消火栓", Term("", "消火栓")),
        ("title:消火栓", Term("title", "消火栓")),
        ('"消火栓 一覧"', Term("", "消火栓 一覧", is_quoted=True)),
        ('title:"say \\"hello\\""', Term("title", 'say "hello"', is_quoted=True)),
        ("a b", every(A, B)),
        ("a　b", every(A, B)),
        ("a AND b", every(A, B)),
        ("a && b", every(A, B)),
        ("a OR b", either(A, B)),
        ("a || b || c", either(A, B, C)),
        ("+a b", every(A, B)),
        ("a -b", Clauses(must=(A,), must_not=(B,))),
        ("a NOT b", Clauses(must=(A,), must_not=(B,))),
        ("a !b", Clauses(must=(A,), must_not=(B,))),
        ("-b", Clauses(must_not=(B,))),
        ("a (b OR c)", every(A, either(B, C))),
        ("+a OR b", Clauses(must=(A,), should=(B,))),
        ("a OR -b", either(A, Clauses(must_not=(B,)))),
        (
            "+capacity:public x:y OR *:*",
            every(Term("capacity", "public"), either(Term("x", "y"), Everything())),
        ),
        ("+a b OR c +d", every(A, either(B, C), Term("", "d"))),
        ("a OR b +c", every(either(A, B), C)),
        ("a AND b -c", Clauses(must=(every(A, B),), must_not=(C,))),
        ("a OR b AND c +a", every(either(A, every(B, C)), A)),
        ("tags:(a OR b)", either(Term("tags", "a"), Term("tags", "b"))),
        ("a^2.5", Boost(A, 2.5)),
        ("消火*", Pattern("", ("消火", Wild.MANY))),
        ("name:te?t", Pattern("name", ("te", Wild.ONE, "t"))),
        ("name:te\\?t", Term("name", "te?t")),
        ("title:*", Pattern("title", (Wild.MANY,))),
        ("metadata_modified:[NOW-1DAY TO *]", Range("metadata_modified", "NOW-1DAY", None)),
        ("n:{1 TO 5]", Range("n", "1", "5", include_low=False)),
        ("n:[-5 TO -1]", Range("n", "-5", "-1")),
        (
            "d:[2026-01-01T00:00:00Z TO 2026-02-01T00:00:00Z]",
            Range("d", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ),
        ("title:'quoted'", Term("title", "'quoted'")),
        ("a<b", Term("", "a<b")),
        (
            '+entity_type:package AND +(id:"x" OR name:"x") AND +site_id:"s"',
            every(
                Term("entity_type", "package"),
                either(Term("id", "x", is_quoted=True), Term("name", "x", is_quoted=True)),
                Term("site_id", "s", is_quoted=True),
            ),
        ),
    ],
)
def test_reads_lucene_syntax(text, expected):
    """Every form of the syntax becomes the tree that it means when q.op is AND."""
    assert parse(text, "AND") == expected


def test_operator_joins_what_stands_side_by_side():
    """With q.op OR, clauses side by side are a choice, and a sign still makes one required."""
    assert parse("a b", "OR") == either(A, B)
    assert parse("+a b -c", "OR") == Clauses(must=(A,), should=(B,), must_not=(C,))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hydrant~2", "fuzzy"),
        ('"fire hydrant"~5', "proximity"),
        ("title:/hyd.*/", "regex"),
        ("*:foo", "field *"),
        ('_query_:"x"', "field _query_"),
        ("{!func}div(1,2)", "query parser func"),
        ("{!bool must=$other}", "parameter reference $other"),
    ],
)
def test_names_what_it_can_not_do(text, name):
    """A construct that only Solr has is an error that says which construct."""
    with pytest.raises(pysolr.SolrError, match="Not supported by this search engine") as error:
        parse_any(text, "AND")
    assert name in str(error.value)


@pytest.mark.parametrize(
    "text", ["(a", "a)", "title:", "a AND", '"a', "[a TO", "a^", "^2", "\\", "AND"]
)
def test_broken_query_is_an_error_in_lucene_and_words_in_a_search_box(text):
    """What is not a query is refused where a query was meant, and searched for as words where not."""
    if text != "a^":
        with pytest.raises(pysolr.SolrError, match="Cannot parse"):
            parse(text, "AND")
    assert isinstance(parse_words(text, "100%"), Clauses | Boost)


@pytest.mark.parametrize("text", ["--a", "+-a", "NOT -a", "b AND --a"])
def test_two_signs_in_a_row_are_an_error(text):
    """As in Solr, a doubled sign is refused even in a search box."""
    with pytest.raises(pysolr.SolrError, match="two signs in a row"):
        parse_words(text, "100%")


def test_words_keep_signs_and_quotes():
    """Even where the syntax is broken, a minus excludes and quotes hold together."""
    assert parse_words('a) -b "c d', "100%") == Clauses(
        should=(Term("", "a)"), Term("", "c"), Term("", "d")), must_not=(B,), minimum=3
    )


@pytest.mark.parametrize(
    "text", ["(" * 5000 + "a" + ")" * 5000, " ".join("a" * 5000), "a OR " * 2000 + "a"]
)
def test_excessive_query_is_refused(text):
    """Thousands of clauses or parentheses end in an error and not in a crash."""
    with pytest.raises(pysolr.SolrError, match="too deeply|Too many clauses"):
        parse(text, "AND")


def test_question_is_no_wildcard():
    """Who asks 除雪車はどこ? means the words; in other scripts ? is one letter."""
    assert parse_words("消火栓? b?s", "100%") == Clauses(
        should=(Term("", "消火栓"), Pattern("", ("b", Wild.ONE, "s"))), minimum=2
    )


def test_signs_part_words_but_not_a_date():
    """、 and / stand between words in a search box, not in quotation marks and not in NOW/DAY."""
    both = Clauses(should=(Term("", "消火栓"), Term("", "水利")), minimum=2)
    assert parse_words("消火栓、水利", "100%") == parse_words("消火栓/水利", "100%") == both
    assert parse_words('"消火栓/水利"', "100%") == Term("", "消火栓/水利", is_quoted=True)
    assert parse_words("d:[NOW/DAY TO *]", "100%") == Range("d", "NOW/DAY", None)


def test_pasted_page_is_refused_in_a_search_box():
    """More words than anybody types are an error that says how many there may be."""
    with pytest.raises(pysolr.SolrError, match="101, at most 100"):
        parse_words("a " * 101, "100%")
    with pytest.raises(pysolr.SolrError, match="too long: 60001 characters, at most 60000"):
        parse_words("あ" * 60_001, "100%")


@pytest.mark.parametrize(
    ("rules", "counts"),
    [
        ("2<-1 5<80%", [1, 2, 2, 3, 4, 4, 5]),
        ("100%", [1, 2, 3, 4, 5, 6, 7]),
        ("75%", [0, 1, 2, 3, 3, 4, 5]),
        ("-25%", [1, 2, 3, 3, 4, 5, 6]),
        ("2", [1, 2, 2, 2, 2, 2, 2]),
        ("-1", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_minimum_match_counts_as_solr_does(rules, counts):
    """How many of one to seven words a dataset must have, after each kind of rule."""
    assert [minimum_match(rules, count) for count in range(1, 8)] == counts


def test_minimum_match_applies_to_words_only():
    """Words side by side may miss some; what is joined by an operator may not."""
    assert parse_words("a b c", "2<-1 5<80%") == either(A, B, C, minimum=2)
    assert parse_words("a AND b AND c", "2<-1 5<80%") == every(A, B, C)
    assert parse_words("a OR b OR c", "2<-1 5<80%") == either(A, B, C)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{!bool must=bees}", every(Term("", "bees"))),
        ("{!must=bees type=bool}", every(Term("", "bees"))),
        (
            "{!bool should='a b' must_not=c}",
            Clauses(should=(every(A, B),), must_not=(C,), minimum=1),
        ),
        ("{!lucene q.op=OR}a b", either(A, B)),
        ("{!type=lucene df=title}a", Term("title", "a")),
        ("{!field f=tags}a b", Term("tags", "a b")),
        ("{!term f=tags v='a b'}", Term("tags", "a b")),
    ],
)
def test_reads_local_parameters(text, expected):
    """The query parsers that need no Solr work in the notation of local parameters."""
    assert parse_any(text, "AND") == expected
