"""The statements of searches: right columns, and nothing that people typed inside."""

import re

import pysolr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.aizu_search.request import read

CKAN = {
    "fq": ["+capacity:public +state:(active)", '+site_id:"demo"', '+permission_labels:("public")'],
    "fl": "id validated_data_dict",
    "df": "text",
    "q.op": "AND",
    "rows": 11,
    "sort": "score desc, metadata_modified desc",
    "facet": "true",
    "facet.field": '["organization", "tags", "frequency"]',
    "facet.limit": 50,
    "wt": "json",
}
WORDS = {
    "defType": "dismax",
    "tie": "0.1",
    "mm": "2<-1 5<80%",
    "qf": "name^4 title^4 tags^2 groups^2 text",
}


def where(query, **options):
    """The condition of a query and its parameters in their order."""
    sql, parameters = read({"q": query, "q.op": "AND", **options}).statement()
    hits = sql.split("), page as ")[0]
    condition = hits.rpartition(" from aizu_search.dataset d where ")[2]
    names = re.findall(r"%\((p\d+)\)s", condition)
    return re.sub(r"%\(p\d+\)s", "?", condition), [parameters[name] for name in names]


@pytest.mark.parametrize(
    ("query", "condition", "parameters"),
    [
        ("*:*", "true", []),
        ("塩水", "d.body @@ ?::tsquery", ["('^塩水' | '塩水')"]),
        ('"塩水"', "d.body @@ ?::tsquery", ["('^塩水' | '塩水')"]),
        ("title:栓", "d.body @@ ?::tsquery", ["'栓':*A"]),
        ("author:cities", "d.labelled @@ ?::tsquery", ["'author=citi'"]),
        ("name:x", "d.name = ?", ["x"]),
        ("tags:雪", "d.tags @> array[?]", ["雪"]),
        (
            "frequency:daily",
            "d.other @> jsonb_build_object(?::text, jsonb_build_array(?::text))",
            ["frequency", "daily"],
        ),
        ("name:a*", "d.name like ?", ["a%"]),
        ("name:a_b\\%*", "d.name like ?", ["a\\_b\\%%"]),
        ("tags:a*", "exists (select from unnest(d.tags) v where v like ?)", ["a%"]),
        ("tags:*", "d.tags <> '{}'", []),
        ("organization:*", "d.organization is not null", []),
        ("frequency:*", "d.other ? ?", ["frequency"]),
        ("author:*", "d.labelled @@ ?::tsquery", ["'author=':*"]),
        (
            "title_ngram:火栓",
            "position(? in lower(normalize(d.title_string, NFKC))) > 0",
            ["火栓"],
        ),
        ("name:[a TO c}", 'd.name >= ? collate "C" and d.name < ? collate "C"', ["a", "c"]),
        (
            "views_total:[5 TO *]",
            "exists (select from jsonb_array_elements_text((d.other -> ?)) v where v::numeric >= ?)",
            ["views_total", 5],
        ),
        ("-name:x", "((d.name = ?) is not true)", ["x"]),
        ("name:x OR name:y", "((d.name = ? or d.name = ?))", ["x", "y"]),
        ("塩水 ・ name:x", "(d.body @@ ?::tsquery and d.name = ?)", ["('^塩水' | '塩水')", "x"]),
        ("・", "false", []),
        ("NOT ・", "false", []),
    ],
)
def test_conditions(query, condition, parameters):
    """Each kind of field is compared in its own way, with parameters only."""
    found, values = where(query)
    if condition.startswith("d.other ?"):
        condition = condition.replace("?", "#", 1)
        found = found.replace("?", "#", 1)
    assert (found, values) == (condition, parameters)


def test_words_may_miss_some():
    """Of three words two are enough for CKAN, which the index answers without reading a vector."""
    found, values = where("a b c", **WORDS)
    assert found == "(d.body @@ ?::tsquery)"
    assert values == ["(('a' & 'b') | ('a' & 'c') | ('b' & 'c'))"]
    assert where("a b", **WORDS)[1] == ["('a' & 'b')"]


def test_many_words_are_counted():
    """Of twelve words nine are enough, and there are too many ways to choose them."""
    found, _ = where("a b c d e f g h i j k l", **WORDS)
    assert found.count(" or ") == 11
    assert found.endswith(">= 9)")


def test_fields_to_search_in_can_be_chosen():
    """With a qf of one's own, only those fields count."""
    found, values = where("雪", defType="edismax", qf="title^2 tags")
    assert found == "(d.body @@ ?::tsquery or d.tags @> array[?])"
    assert values == ["'雪':*A", "雪"]


NASTY = [
    "'; drop table package; --",
    '" or 1=1',
    "name:'x' union select * from \"user\"",
    "%(p0)s %s %%",
    "$1 $$x$$",
    "title:{a TO b} \\' \\\\",
    "{!lucene}'",
    'res_format:"CSV\'); delete from package;"',
    "a:b' OR c'd:e",
]


@pytest.mark.parametrize("query", NASTY)
@pytest.mark.parametrize("parser", [{}, WORDS])
def test_nothing_typed_is_in_the_statement(query, parser):
    """A statement is made of our own words: the same signs whatever was typed."""
    try:
        sql, parameters = read({**CKAN, **parser, "q": query}).statement()
    except pysolr.SolrError:
        return
    assert_own_words(sql, parameters)


@given(st.text(max_size=60))
def test_no_text_at_all_gets_into_a_statement(text):
    """Whatever is typed, and in whatever place, is a parameter or an error."""
    for place in ({"q": text, **WORDS}, {"q": text}, {"q": "*:*", "fq": [text]}):
        try:
            sql, parameters = read({**CKAN, **place}).statement()
        except pysolr.SolrError:
            continue
        assert_own_words(sql, parameters)


def assert_own_words(sql, parameters):
    placeholders = re.findall(r"%\((p\d+)\)s", sql)
    assert set(placeholders) <= set(parameters)
    bare = re.sub(r"%\(p\d+\)s", "", sql)
    assert re.fullmatch(r"[a-zA-Z0-9_ .,:;/()\[\]{}'\"@<>=+*?\-]*", bare)
    assert set(re.findall(r"'([^']*)'", bare)) <= {
        *("{}", "[]", "", "{A}", "{B}", "aizu_search.dataset")
    }
    assert set(re.findall(r'"([^"]*)"', bare)) <= {"C"}
    for word in ("package", "union", "drop", "delete", "1=1"):
        assert word not in bare


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"defType": "edismax", "bf": "recip(x)"}, "function recip"),
        ({"sort": "name"}, "Can't determine a Sort Order"),
        ({"sort": "title_string; drop table x asc"}, "Can't determine a Sort Order"),
        ({"sort": "geodist() asc"}, "function geodist"),
        ({"sort": "tags asc"}, "can not sort"),
        ({"sort": "notes asc"}, "can not sort"),
        ({"rows": "many"}, "Not a number: rows"),
        ({"start": -1}, "cannot be negative"),
        ({"mm": "most", **{k: v for k, v in WORDS.items() if k != "mm"}, "q": "a b"}, "mm"),
        ({"facet.field": "[broken"}, "facet.field"),
        ({"facet.field": ["title"]}, "facet on text field title"),
        ({"q": "title:[a TO b]"}, "range in text field title"),
        ({"q": "title:消?栓"}, "wildcard inside 消?栓"),
        ({"q": "metadata_modified:2026*"}, "wildcard in date or number field"),
        ({"q": "metadata_modified:[yesterday TO *]"}, "Invalid Date"),
        ({"q": "views_total:many"}, "Invalid Number"),
    ],
)
def test_names_what_is_wrong(parameters, message):
    """A parameter that means nothing to the engine is an error that names it."""
    with pytest.raises(pysolr.SolrError) as error:
        read({**CKAN, **parameters}).statement()
    assert message in str(error.value)


def test_sort_names_are_parameters():
    """Any field may be sorted by, and its name is not written into the statement."""
    sql, parameters = read({"q": "*:*", "sort": "my_field desc, name asc"}).statement()
    assert "my_field" not in sql
    assert "my_field" in parameters.values()
