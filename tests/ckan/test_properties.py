"""Whatever is asked of whatever catalogue, a query means what it says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt

import pytest
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.tests import helpers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")

# One fixed run, whatever the machine: no clock, no chance. The fixtures clean once for all examples;
# each example fills the index anew.
thorough = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

WORDS = ("kra", "kru", "mof", "zub", "公園", "学校", "42")
NAMES = tuple(f"n{number}" for number in range(12))
DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset of a small catalogue, its texts as lists of words."""

    title: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    views_total: int | None = None
    metadata_modified: datetime = DAYS[0]
    labels: tuple[str, ...] = ("public",)
    name: str = field(default="")

    def texts(self, where: str) -> list[tuple[str, ...]]:
        """The texts of one field; of all that can be searched if it is `text`."""
        if where == "text":
            return [self.title, self.notes, *((tag,) for tag in self.tags)]
        return [self.title if where == "title" else self.notes]

    def document(self) -> dict[str, object]:
        """As CKAN hands it to the index."""
        return {
            "index_id": self.name,
            "id": self.name,
            "name": self.name,
            "title": " ".join(self.title),
            "notes": " ".join(self.notes),
            "tags": list(self.tags),
            "views_total": self.views_total,
            "metadata_modified": written(self.metadata_modified),
            "permission_labels": list(self.labels),
            "site_id": search.config["ckan.site_id"],
            "entity_type": "package",
            "dataset_type": "dataset",
            "state": "active",
            "capacity": "public",
        }


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def words(most: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(WORDS), max_size=most).map(tuple)


LABELS = ("public", "member-a", "member-b", "creator-c", "collaborator-d", "collaborator-dd")
datasets = st.builds(
    Dataset,
    title=words(2),
    notes=words(3),
    tags=st.lists(st.sampled_from(WORDS), max_size=2, unique=True).map(tuple),
    views_total=st.none() | st.integers(-3, 6),
    metadata_modified=st.sampled_from(DAYS),
    labels=st.lists(st.sampled_from(LABELS), max_size=3, unique=True).map(tuple),
)


@st.composite
def catalogues(draw: st.DrawFn) -> list[Dataset]:
    drawn = draw(st.lists(datasets, min_size=4, max_size=len(NAMES)))
    return [Dataset(**{**vars(one), "name": name}) for name, one in zip(NAMES, drawn, strict=False)]


# -- a query is its text and, apart from the engine, a function that says what it means --------

Test = Callable[[Dataset], bool]


@dataclass(frozen=True)
class Query:
    """A query in Lucene's syntax and the test that says which datasets fit it."""

    text: str
    fits: Test = field(repr=False)


def has_phrase(phrase: tuple[str, ...], where: str) -> Test:
    def fits(one: Dataset) -> bool:
        return any(
            text[at : at + len(phrase)] == phrase
            for text in one.texts(where)
            for at in range(len(text))
        )

    return fits


def in_field(where: str, text: str) -> str:
    return text if where == "text" else f"{where}:{text}"


fields = st.sampled_from(["text", "title", "notes"])
word = st.sampled_from(WORDS)


@st.composite
def a_word(draw: st.DrawFn) -> Query:
    where, sought = draw(fields), draw(word)
    return Query(in_field(where, sought), has_phrase((sought,), where))


@st.composite
def a_phrase(draw: st.DrawFn) -> Query:
    where = draw(fields)
    sought = tuple(draw(st.lists(word, min_size=1, max_size=2)))
    return Query(in_field(where, f'"{" ".join(sought)}"'), has_phrase(sought, where))


@st.composite
def a_prefix(draw: st.DrawFn) -> Query:
    where, start = draw(fields), draw(st.sampled_from(["k", "kr", "m", "zub", "公", "学校"]))
    return Query(
        in_field(where, f"{start}*"),
        lambda one: any(w.startswith(start) for text in one.texts(where) for w in text),
    )


@st.composite
def a_tag(draw: st.DrawFn) -> Query:
    tag = draw(word)
    start = tag[: draw(st.integers(1, 2))]
    exact = Query(f"tags:{tag}", lambda one: tag in one.tags)
    begun = Query(f"tags:{start}*", lambda one: any(t.startswith(start) for t in one.tags))
    either = Query(f"tags:({tag} OR mof)", lambda one: bool({tag, "mof"} & set(one.tags)))
    some = Query("tags:[* TO *]", lambda one: bool(one.tags))
    return draw(st.sampled_from([exact, begun, either, some]))


@st.composite
def a_range(draw: st.DrawFn) -> Query:
    """From one value to another, either end open, either end excluded."""
    where = draw(st.sampled_from(["views_total", "metadata_modified", "name"]))
    values = {
        "views_total": st.integers(0, 5),
        "metadata_modified": st.sampled_from(DAYS),
        "name": st.sampled_from(NAMES),
    }[where]
    low, high = draw(st.none() | values), draw(st.none() | values)
    with_low, with_high = draw(st.booleans()), draw(st.booleans())
    ends = ["*" if end is None else in_query(end, draw(st.booleans())) for end in (low, high)]
    text = f"{where}:{'{['[with_low]}{ends[0]} TO {ends[1]}{'}]'[with_high]}"

    def fits(one: Dataset) -> bool:
        value = getattr(one, where)
        return (
            value is not None
            and (low is None or (ge if with_low else gt)(value, low))
            and (high is None or (le if with_high else lt)(value, high))
        )

    return Query(text, fits)


def in_query(value: int | str | datetime, by_mathematics: bool) -> str:
    """A value as the end of a range; a date also as the day before and a day."""
    if not isinstance(value, datetime):
        return str(value)
    if by_mathematics:
        return f"{written(value - timedelta(days=1))}+1DAY"
    return written(value)


everything = st.just(Query("*:*", lambda _: True))
leaves = st.one_of(a_word(), a_phrase(), a_prefix(), a_tag(), a_range(), everything)


def joined(word: str, together: Callable[[Iterable[bool]], bool]) -> Callable[[list[Query]], Query]:
    """Queries with AND or OR between them, or nothing."""

    def join(queries: list[Query]) -> Query:
        text = f" {word} ".join(one.text for one in queries)
        return Query(text, lambda one: together(query.fits(one) for query in queries))

    return join


def negated(query: Query, sign: str) -> Query:
    return Query(f"{sign}{query.text}", lambda one: not query.fits(one))


def grouped(query: Query) -> Query:
    return Query(f"({query.text})", query.fits)


def signed(query: Query, sign: str) -> Query:
    return negated(query, "-") if sign == "-" else Query(sign + query.text, query.fits)


def compound(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    operand = inner | st.builds(negated, inner, st.sampled_from(["-", "NOT "]))
    # AND binds more than OR, OR more than standing side by side; neither needs parentheses.
    every = st.lists(operand, min_size=2, max_size=3).map(joined("AND", all))
    either = st.lists(operand | every, min_size=2, max_size=3).map(joined("OR", any))
    with_sign = st.builds(signed, inner, st.sampled_from(["", "+", "-"]))
    beside = st.lists(with_sign | either, min_size=2, max_size=4).map(joined("", all))
    alone = st.builds(negated, inner, st.sampled_from(["-", "NOT "]))
    return st.one_of(beside, either, beside, every, alone).map(grouped)


queries = compound(st.recursive(leaves, compound, max_leaves=6))


# -- boolean logic ----------------------------------------------------------------------------


def fill(catalogue: list[Dataset]) -> None:
    index = make_connection()
    index.delete(q=own_site())
    index.add([one.document() for one in catalogue])


def own_site() -> str:
    return f'site_id:"{search.config["ckan.site_id"]}"'


def found_by(text: str, **options: str) -> set[str]:
    documents = make_connection().search(text, fq=own_site(), rows=100, fl="name", **options).docs
    return {document["name"] for document in documents}


def right(catalogue: list[Dataset], fits: Test) -> set[str]:
    return {one.name for one in catalogue if fits(one)}


@thorough
@given(catalogues(), st.lists(queries, min_size=2, max_size=4))
def test_boolean_queries_mean_what_they_say(catalogue, asked):
    """Random queries over random catalogues find exactly the set that plain Python finds."""
    fill(catalogue)
    for query in asked:
        assert found_by(query.text, **{"q.op": "AND"}) == right(catalogue, query.fits), query


@settings(thorough, max_examples=60)
@given(catalogues(), st.lists(st.tuples(st.sampled_from(["", "+", "-"]), word), min_size=1))
def test_side_by_side_in_a_query_one_is_enough(catalogue, signed):
    """Where OR is the default: all with +, none with -, and one of the others if none has a +."""
    fill(catalogue)
    texts = [(sign, has_phrase((w,), "text")) for sign, w in signed]

    def fits(one: Dataset) -> bool:
        has = {sign: [test(one) for given, test in texts if given == sign] for sign in "+-"}
        plain = [test(one) for sign, test in texts if not sign]
        enough = bool(has["+"]) or not plain or any(plain)
        return all(has["+"]) and not any(has["-"]) and enough

    text = " ".join(sign + w for sign, w in signed)
    assert found_by(text, **{"q.op": "OR"}) == right(catalogue, fits), text


@settings(thorough, max_examples=60)
@given(catalogues(), st.lists(word, min_size=1, max_size=9, unique=True))
def test_of_many_words_most_must_be_there(catalogue, sought):
    """In the search box all of two words, all but one of five, four fifths of more."""
    fill(catalogue)
    least = {1: 1, 2: 2, 3: 2, 4: 3, 5: 4, 6: 4, 7: 5}[len(sought)]
    tests = [has_phrase((one,), "text") for one in sought]
    found = helpers.call_action("package_search", q=" ".join(sought), rows=100, fl=["name"])
    expected = right(catalogue, lambda one: sum(test(one) for test in tests) >= least)
    assert {one["name"] for one in found["results"]} == expected, sought
