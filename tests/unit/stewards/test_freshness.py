"""What a citizen is told of the last check, in Japanese and in English, and when silence counts as failure."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from ckanext.aizu import freshness
from ckanext.aizu.freshness import Translator

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
EU = "http://publications.europa.eu/resource/authority/frequency/"
ENGLISH = Translator(gettext=str, ngettext=lambda one, many, number: one if number == 1 else many)


@pytest.fixture(scope="module")
def japanese():
    """The words of our catalogue."""
    po = ROOT / "ckanext-aizu/ckanext/aizu/i18n/ja/LC_MESSAGES/ckanext-aizu.po"
    with po.open("rb") as file:
        texts = read_po(file, locale="ja")
    return Translator(
        gettext=lambda text: str(texts[text].string),
        ngettext=lambda one, _many, _number: str(texts[one].string[0]),
    )


def check(ago=timedelta(minutes=5), **more):
    """A check that was made a while ago."""
    return {"state": "unchanged", "checked": (NOW - ago).isoformat(), **more}


def told(found, frequency="", words=ENGLISH):
    """State, sentence and change, as the page has them."""
    late = freshness.late_after(found, EU + frequency)
    state = freshness.state(found, late, NOW)
    line = freshness.line(found, state, words)
    return state, line.told.format(time="…"), line.change


@pytest.mark.parametrize(
    ("found", "ja", "en"),
    [
        (check(), ("最終確認 …", "変更なし"), ("Last checked …", "no changes")),
        (
            check(state="ok", version=12, rows_changed=1200),
            ("最終確認 …", "1,200件変わりました"),
            ("Last checked …", "1,200 rows changed"),
        ),
        (
            check(state="ok", version=2, rows_changed=1),
            ("最終確認 …", "1件変わりました"),
            ("Last checked …", "1 row changed"),
        ),
        (
            check(state="ok", version=2, rows_changed=0),
            ("最終確認 …", "説明やファイルが変わりました"),
            ("Last checked …", "description or files changed"),
        ),
        (
            check(state="ok", version=1, rows_changed=1975),
            ("最終確認 …", "はじめて公開しました"),
            ("Last checked …", "published for the first time"),
        ),
        (
            check(state="failed", cause="source", good="2026-11-20T03:00:00+00:00"),
            ("…から更新できていません。", ""),
            ("Updates are failing; the last check that worked was ….", ""),
        ),
        (
            check(state="failed", cause="gate", good="2026-11-20T03:00:00+00:00"),
            ("更新を見合わせています。データは…に確認したものです。", ""),
            ("An update is held back; the data is as checked ….", ""),
        ),
        (
            check(state="failed", cause="gate"),
            ("更新を見合わせています。", ""),
            ("An update is held back.", ""),
        ),
    ],
)
def test_last_check_is_told_to_citizens(japanese, found, ja, en):
    """One short sentence, and what has changed."""
    assert told(found, words=japanese)[1:] == ja
    assert told(found)[1:] == en


def test_failure_counts_from_the_last_check_that_worked():
    """Not from the last failure, of which there may be one every few minutes."""
    found = check(state="failed", good="2026-11-20T03:00:00+00:00")
    assert freshness.line(found, "failed", ENGLISH).instant == "2026-11-20T03:00:00+00:00"
    assert freshness.last_good(check()) == check()["checked"]


def test_checks_from_before_this_was_kept_are_told():
    """A failure without a known good check counts from the last change of the data, or from nothing."""
    assert freshness.line(check(state="failed", changed="2026-11-01"), "failed", ENGLISH).instant
    assert told(check(state="failed"))[1] == "Updates are failing."
    assert told(check(state="ok"))[1:] == ("Last checked …", "")


@pytest.mark.parametrize(
    ("found", "frequency", "state"),
    [
        (check(timedelta(days=3)), "DAILY", "late"),
        (check(timedelta(days=1)), "DAILY", "fresh"),
        (check(timedelta(days=3)), "WEEKLY", "fresh"),
        (check(timedelta(days=3)), "IRREG", "fresh"),
        (check(timedelta(days=3)), "CONT", "fresh"),
        (check(expected_by=(NOW - timedelta(seconds=1)).isoformat()), "ANNUAL", "late"),
        (check(timedelta(days=3), expected_by=(NOW + timedelta(days=1)).isoformat()), "DAILY", "fresh"),
        (check(timedelta(days=3), state="failed"), "DAILY", "failed"),
        ({}, "DAILY", "unchecked"),
    ],
)  # fmt: skip
def test_silence_is_told_as_late(japanese, found, frequency, state):
    """What was promised daily and not looked at for three days says so, though no run has failed."""
    assert told(found, frequency)[0] == state
    if state == "late":
        assert told(found, frequency, japanese)[1] == "予定の確認ができていません（最終確認 …）。"
