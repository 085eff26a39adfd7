"""Searching on the running portal, as a reader and as a program do."""

import pytest
import requests


def names(portal, **asked):
    return [found["name"] for found in portal.api().action.package_search(**asked)["results"]]


@pytest.mark.parametrize(
    "query", ["消火栓", "消火", "消", "title:消防水利", "name:aizuwakamatsu-h*"]
)
def test_hydrants_are_found_by_any_part_of_the_word(portal, query):
    """The hydrant list is found by its word, a part of it, a character of it."""
    assert "aizuwakamatsu-hydrant" in names(portal, q=query)


def test_other_words_do_not_find_hydrants(portal):
    """Characters in another order, and words that are nowhere, find nothing."""
    assert "aizuwakamatsu-hydrant" not in names(portal, q="栓火消")
    assert names(portal, q="ゴリラ") == []


def test_page_shows_hits_and_their_number(portal):
    """The search page lists the dataset that was searched for."""
    page = portal.get("/dataset/", params={"q": "消火栓"})
    assert page.status_code == 200
    assert "/dataset/aizuwakamatsu-hydrant" in page.text


@pytest.mark.parametrize(
    "query", ['"', "(", "title:(", "*", "--", "'; drop table package; --", "🚒"]
)
def test_broken_query_is_answered(portal, query):
    """Whatever is typed, the page comes, and the API says what is wrong if anything is."""
    assert portal.get("/dataset/", params={"q": query}).status_code == 200
    answer = requests.post(
        f"{portal.url}/api/3/action/package_search", json={"q": query}, timeout=60
    )
    assert answer.status_code in (200, 400, 409)
