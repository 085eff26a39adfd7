"""Runs that are numbered: who was thought dead and comes back publishes and reports nothing."""

import uuid

import pytest
from ckanapi import ValidationError

from .dataset_versions import publish

LOW, HIGH = 1_795_370_400_000, 1_795_370_400_001


@pytest.fixture
def name():
    """A name nobody has used."""
    return f"test-{uuid.uuid4().hex[:8]}"


def dataset(portal, name):
    return portal.api().action.package_show(id=name)


def report(portal, name, fence=None):
    told = {"name": name, "state": "failed", "message": f"試験 {fence}"}
    told |= {"checked_at": "2026-11-23T09:00:00+09:00"} | ({"fence": fence} if fence else {})
    return portal.api(portal.token).action.aizu_harvest_status(**told)


def highest(refused):
    (told,) = refused.value.error_dict["fence"]
    return told["highest"]


def test_a_lower_number_publishes_nothing(portal, name):
    """Neither new content nor a check of the old; the run with the number may come again."""
    publish(portal, name, 1, fence=HIGH)
    before = dataset(portal, name)
    for version in (1, 2):
        with pytest.raises(ValidationError) as refused:
            publish(portal, name, version, fence=LOW)
        assert highest(refused) == HIGH
        assert f"実行 {HIGH}" in refused.value.error_dict["fence"][0]["message"]
    assert dataset(portal, name) == before
    assert publish(portal, name, 2, fence=HIGH)["version"] == 2


def test_a_check_without_news_counts(portal, name):
    """And a failed one: whoever has a lower number comes too late."""
    publish(portal, name, 1, fence=LOW)
    assert not publish(portal, name, 1, fence=LOW + 5)["changed"]
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 2, fence=LOW + 4)
    assert highest(refused) == LOW + 5
    report(portal, name, LOW + 9)
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 2, fence=LOW + 8)
    assert highest(refused) == LOW + 9


def test_an_old_run_does_not_report_over_a_newer_one(portal, name):
    """The page keeps saying what the newer one has found."""
    publish(portal, name, 1, fence=HIGH)
    with pytest.raises(ValidationError) as refused:
        report(portal, name, LOW)
    assert highest(refused) == HIGH
    assert dataset(portal, name)["harvest_state"] == "ok"
    report(portal, name, HIGH + 1)
    assert dataset(portal, name)["harvest_message"] == f"試験 {HIGH + 1}"


def test_a_publication_that_is_refused_counts(portal, name):
    """The first one of a dataset, too, which leaves nothing else behind."""
    with pytest.raises(ValidationError):
        publish(portal, name, 1, fence=HIGH, replaces=7)
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 1, fence=LOW)
    assert highest(refused) == HIGH


def test_who_is_not_numbered_is_not_held_up(portal, name):
    """A steward's call, his dry run and his undo; they leave the number as it is."""
    publish(portal, name, 1, fence=HIGH)
    assert publish(portal, name, 2)["version"] == 2
    assert publish(portal, name, 3, dry_run="true", fence=HIGH + 7)["version"] == 3
    undone = portal.api(portal.token).action.aizu_undo(name=name, reason="試験")
    assert undone["restores"] == 1
    report(portal, name)
    assert publish(portal, name, 3, fence=HIGH)["version"] == 4


@pytest.mark.parametrize("number", ["-1", "1.5", "x", str(2**53)])
def test_what_is_no_number_is_refused(portal, name, number):
    """Nothing is published."""
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 1, fence=number)
    assert "fence" in refused.value.error_dict


def test_an_old_run_finds_nothing_unchanged(portal, name):
    """It is sent to publish, and turned away there; the page keeps the check of the newer run."""
    source = {"url": "https://example.jp/list.csv", "fingerprint": "same"}
    publish(portal, name, 1, source=source, fence=HIGH)
    check = {"name": name, "fingerprint": "same", "checked_at": "2026-11-23T09:00:00+09:00"}
    unchanged = portal.api(portal.token).action.aizu_harvest_unchanged
    before = dataset(portal, name)
    assert unchanged(checks=[check | {"fence": LOW}]) == {}
    assert dataset(portal, name) == before
    assert unchanged(checks=[check | {"fence": HIGH + 1}])[name]["version"] == 1
    assert dataset(portal, name)["harvest_state"] == "unchanged"
    assert unchanged(checks=[check | {"fence": HIGH}]) == {}
    with pytest.raises(ValidationError) as refused:
        publish(portal, name, 2, fence=HIGH)
    assert highest(refused) == HIGH + 1
