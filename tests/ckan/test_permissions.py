"""Nobody finds, counts or sees in a facet a dataset that is not theirs, whatever is asked."""

import random
from dataclasses import dataclass, field

import pytest
from ckan import model
from ckan.lib import search
from ckan.lib.search.common import make_connection
from ckan.tests import factories, helpers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# What might loosen a filter: the whole index, negations, ends of filters and of what CKAN puts around them.
PRYING = (
    *(
        "*:*",
        "secret",
        "-name:x",
        "NOT x",
        "secret OR *:*",
        "name:* OR -name:*",
        "(secret) OR (*:*)",
    ),
    *("permission_labels:*", "permission_labels:[* TO *]", "-permission_labels:public"),
    *("capacity:private", "state:draft", ") OR (*:*", '" OR *:*', "*:* OR state:draft", "secret^9"),
    *("+state:draft", "*:* OR", "{!lucene}*:*", "{!bool should='*:*'}", "_query_:x"),
)


# -- labels, asked of the index ---------------------------------------------------------------

# One label is the beginning of another, one has a wildcard, one is a query.
LABELS = ("public", "member-a", "member-ab", "creator-*", "x OR public", "*", "公")
labels = st.lists(st.sampled_from(LABELS), max_size=4, unique=True)


@pytest.mark.usefixtures("with_plugins", "clean_db", "clean_index")
@settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(labels, min_size=1, max_size=12),
    labels.filter(bool),
    st.lists(st.tuples(st.sampled_from(PRYING), st.sampled_from(PRYING)), min_size=3, max_size=6),
)
def test_labels_never_leak(theirs, mine, asked):
    """A reader's labels are compared as they are, and no query or filter gets around them."""
    index = make_connection()
    index.delete(q=f'site_id:"{search.config["ckan.site_id"]}"')
    index.add([labelled(number, given) for number, given in enumerate(theirs)])
    visible = {f"n{number}" for number, given in enumerate(theirs) if set(given) & set(mine)}
    assert set(run("*:*", "", mine).results) == visible
    for query, more in asked:
        try:
            found = run(query, more, mine)
        except search.SearchError:
            continue
        assert set(found.results) <= visible, (query, more)
        assert found.count <= len(visible), (query, more)
        assert set(found.facets["name"]) <= visible, (query, more)


def labelled(number, given):
    return {
        "index_id": f"i{number}",
        "id": f"id{number}",
        "name": f"n{number}",
        "title": "secret",
        "site_id": search.config["ckan.site_id"],
        "entity_type": "package",
        "state": "active",
        "capacity": "public",
        "permission_labels": given,
    }


def run(query, more, mine):
    asked = {"q": query, "fq": more, "rows": 100, "fl": "name", "facet.field": ["name"]}
    found = search.query_for(model.Package)
    found.run(asked, permission_labels=mine)
    return found


# -- people, asked through CKAN ---------------------------------------------------------------


def is_for_everybody(one):
    return one["state"] == "active" and not one["private"]


@dataclass
class City:
    """Organisations, people in some of them, and what CKAN's rules let each person find."""

    organizations: list[str]
    people: dict[str, set[str]] = field(default_factory=dict)
    datasets: dict[str, dict] = field(default_factory=dict)

    def may_find(self, person: str | None, name: str) -> bool:
        one = self.datasets[name]
        if is_for_everybody(one):
            return True
        if person in one["collaborators"]:
            return True
        if one["owner_org"]:
            return one["owner_org"] in self.people.get(person, ())
        return person == one["creator"]


@pytest.fixture
def city(ckan_config, monkeypatch, with_plugins, clean_db, clean_index):  # noqa: ARG001 (first clean, then fill)
    """Some dozens of datasets: open, private, drafts, of organisations and of nobody, with collaborators."""
    for option in ("allow_dataset_collaborators", "create_unowned_dataset"):
        monkeypatch.setitem(ckan_config, f"ckan.auth.{option}", True)
    chance = random.Random(4)
    made = City([factories.Organization(name=f"org-{number}")["name"] for number in range(4)])
    for number in range(6):
        name = factories.User(name=f"person-{number}")["name"]
        made.people[name] = set(chance.sample(made.organizations, chance.randint(0, 2)))
        for one in made.people[name]:
            role = chance.choice(["member", "editor", "admin"])
            helpers.call_action(
                "member_create", id=one, object=name, object_type="user", capacity=role
            )
    for number in range(36):
        add_dataset(made, f"dataset-{number}", chance)
    return made


def add_dataset(city, name, chance):
    owner = chance.choice([*city.organizations, None])
    one = {
        "owner_org": owner,
        "private": bool(owner) and chance.random() < 0.5,
        "state": chance.choice(["active", "active", "draft"]),
        "creator": chance.choice(list(city.people)),
        "collaborators": chance.sample(list(city.people), chance.choice([0, 0, 1, 2])),
    }
    helpers.call_action(
        "package_create",
        context={"user": one["creator"], "ignore_auth": True},
        **{key: one[key] for key in ("owner_org", "private", "state")},
        name=name,
        title="secret",
    )
    for person in one["collaborators"]:
        helpers.call_action(
            "package_collaborator_create", id=name, user_id=person, capacity="member"
        )
    city.datasets[name] = one


def asked_by(person, **parameters):
    user = model.User.get(person) if person else None
    context = {"user": person or "", "auth_user_obj": user, "ignore_auth": False}
    asked = {"rows": 100, "facet.field": ["name", "organization"], **parameters}
    return helpers.call_action("package_search", context=context, **asked)


def test_everybody_finds_what_is_theirs_and_nothing_else(city):
    """Members, creators, collaborators and strangers, asking for open, private and draft datasets."""
    for person in [*city.people, None]:
        mine = {name for name in city.datasets if city.may_find(person, name)}
        for private, drafts in ((True, True), (True, False), (False, True), (False, False)):
            expected = {
                name
                for name in mine
                if (private or not city.datasets[name]["private"])
                and (drafts or city.datasets[name]["state"] == "active")
            }
            found = asked_by(person, q="secret", include_private=private, include_drafts=drafts)
            names = {dataset["name"] for dataset in found["results"]}
            assert names == expected, (person, private, drafts)
            assert found["count"] == sum(found["facets"]["name"].values()) == len(expected)
    assert (
        len({frozenset(n for n in city.datasets if city.may_find(p, n)) for p in city.people}) > 3
    )


def test_no_query_shows_more(city):
    """Neither a query nor a filter, with or without private datasets asked for, gets around the rules."""
    chance = random.Random(5)
    for person in [*city.people, None]:
        mine = {name for name in city.datasets if city.may_find(person, name)}
        for place in ("q", "fq"):
            for query in PRYING:
                asked = {place: query, "include_private": chance.random() < 0.8}
                try:
                    found = asked_by(person, include_drafts=True, **asked)
                except search.SearchError:
                    continue
                names = {dataset["name"] for dataset in found["results"]}
                assert names <= mine, (person, asked)
                assert set(found["facets"]["name"]) <= mine, (person, asked)
                assert found["count"] <= len(mine), (person, asked)


def test_nothing_is_suggested_or_called_similar_that_is_not_open(city):
    """Suggestions and similar datasets are of what everybody finds, whoever asks."""
    is_open = {name for name, one in city.datasets.items() if is_for_everybody(one)}
    for person in [*city.people, None]:
        context = {
            "user": person or "",
            "auth_user_obj": model.User.get(person) if person else None,
            "ignore_auth": False,
        }
        suggested = helpers.call_action("aizu_search_suggest", dict(context), q="secret", limit=20)
        similar = helpers.call_action(
            "aizu_search_similar", dict(context), id=min(is_open), limit=20
        )
        assert suggested
        assert {one["name"] for one in suggested} <= is_open, person
        assert {one["name"] for one in similar} <= is_open, person


def test_or_in_a_filter_does_not_loosen_what_ckan_adds(city):
    """CKAN writes its own conditions before and behind a filter; OR in the middle leaves them in force."""
    asked = " OR ".join(f"organization:{name}" for name in city.organizations)
    for person in [*city.people, None]:
        names = {dataset["name"] for dataset in asked_by(person, fq=asked)["results"]}
        wanted = {n for n, one in city.datasets.items() if one["owner_org"]}
        is_open = {n for n, one in city.datasets.items() if is_for_everybody(one)}
        assert names == wanted & is_open, person
