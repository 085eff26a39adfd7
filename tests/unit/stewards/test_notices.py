"""When those who answer for a dataset are told: what somebody must look at, and that it is well again."""

import pytest

from ckanext.aizu.notices import next_state

CHECKED = "2026-11-23T03:00:00+00:00"


def failed(cause, good=""):
    """A check that has failed."""
    return {"state": "failed", "cause": cause, "checked": CHECKED, "good": good}


@pytest.mark.parametrize("before", ["well", "failed", "held"])
@pytest.mark.parametrize(
    ("check", "after"),
    [
        ({"state": "ok", "checked": CHECKED}, "well"),
        ({"state": "unchanged", "checked": CHECKED}, "well"),
        (failed("data"), "failed"),
        (failed("program"), "failed"),
        (failed("gate"), "held"),
        (failed("source", good="2026-11-22T02:59:59+00:00"), "failed"),
    ],
)
def test_news_do_not_depend_on_what_was_known(before, check, after):
    """What a person must look at, and what is well again."""
    assert next_state(before, check) == after


@pytest.mark.parametrize("before", ["well", "failed", "held"])
@pytest.mark.parametrize("good", ["2026-11-22T03:00:01+00:00", ""])
def test_source_that_is_silent_for_a_while_is_no_news(before, good):
    """It neither alarms anybody nor counts as a recovery; after a day it alarms."""
    assert next_state(before, failed("source", good)) == before
