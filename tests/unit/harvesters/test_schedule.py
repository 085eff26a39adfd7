"""When a source is due: cron in Japanese time, intervals, missed slots, pauses of hosts."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvesters import backoff
from harvesters.city import load_city
from harvesters.errors import ConfigurationError
from harvesters.schedule import JST, Decision, due, read_duration, read_schedule
from harvesters.standing import Run, Standing

DAILY = read_schedule("0 3 * * *")
LIVE = read_schedule("every 30 s")
RUN = Run(id="1", slot=0, queue="live", deadline=30, queued_at=0, delivered_at=0)


def at(text):
    """An instant of the Japanese clock."""
    return datetime.fromisoformat(text).replace(tzinfo=JST).timestamp()


THREE = at("2026-11-23 03:00")
DONE = Standing(slot=THREE)


@pytest.mark.parametrize(
    ("text", "now", "last", "following"),
    [
        ("0 3 * * *", "2026-11-23 02:59:59", "2026-11-22 03:00", "2026-11-23 03:00"),
        ("0 3 * * *", "2026-11-23 03:00:00", "2026-11-23 03:00", "2026-11-24 03:00"),
        ("0 3 * * *", "2026-11-23 03:00:59.9", "2026-11-23 03:00", "2026-11-24 03:00"),
        ("*/15 * * * *", "2026-01-01 00:07", "2026-01-01 00:00", "2026-01-01 00:15"),
        ("30 9 * * mon-fri", "2026-11-22 12:00", "2026-11-20 09:30", "2026-11-23 09:30"),
        ("0 0 29 2 *", "2027-01-01 00:00", "2024-02-29 00:00", "2028-02-29 00:00"),
        ("0 0 1 1,7 *", "2026-12-31 23:59", "2026-07-01 00:00", "2027-01-01 00:00"),
        ("every 30 s", "2026-11-23 03:00:29.5", "2026-11-23 03:00:00", "2026-11-23 03:00:30"),
        ("every 5 min", "2026-11-23 03:05:00", "2026-11-23 03:05:00", "2026-11-23 03:10:00"),
    ],
)
def test_slots_are_those_of_the_japanese_clock(text, now, last, following):
    """A slot counts from its very second on."""
    schedule = read_schedule(text)
    assert (schedule.last(at(now)), schedule.next(at(now))) == (at(last), at(following))


def test_no_slot_is_missing_or_double_when_other_countries_change_their_clocks(monkeypatch):
    """A year has 365 mornings, wherever the machine thinks that it stands."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    slots, now = [], at("2026-01-01 00:00")
    while (now := DAILY.next(now)) < at("2027-01-01 00:00"):
        slots.append(now)
    assert len(slots) == 365
    assert {later - slot for slot, later in zip(slots, slots[1:], strict=False)} == {86_400}


@pytest.mark.parametrize("text", ["0 3 * * *", "*/7 1-5 * * mon", "every 30 s", "every 7 min"])
@given(now=st.floats(at("2020-01-01"), at("2050-01-01")))
def test_a_moment_lies_between_its_slots(text, now):
    """It holds that last <= now < next, and nothing lies between them."""
    schedule = read_schedule(text)
    last, following = schedule.last(now), schedule.next(now)
    assert last <= now < following
    assert schedule.last(following - 0.001) == last
    assert schedule.last(following) == following


@pytest.mark.parametrize(
    "text",
    [
        *("", "daily", "0 3 * *", "0 3 * * * *", "60 3 * * *", "0 0 30 2 *", "@daily", "R R * * *"),
        *("every", "every 30", "every 0 s", "every -5 s", "every 30s", "every 2 h", "H * * * *"),
    ],
)
def test_what_is_no_schedule_is_refused(text):
    """Also what never comes."""
    with pytest.raises(ValueError, match=re.escape(text.removeprefix("every").strip()) + "$"):
        read_schedule(text)


def test_a_live_feed_has_its_own_queue_and_a_short_deadline():
    """Seconds for what changes in seconds."""
    assert (LIVE.queue, LIVE.deadline) == ("live", 30)
    assert (DAILY.queue, DAILY.deadline) == ("batch", 1800)
    assert read_duration("45 min") == 2700


@pytest.mark.parametrize(
    ("key", "value"), [("schedule", "every day"), ("schedule", ""), ("deadline", "long")]
)
def test_a_city_file_is_refused_with_the_forms_that_can_be_used(monkeypatch, key, value):
    """File, key, what stands there and what may."""
    import yaml

    load = yaml.safe_load

    def changed(text):
        told = load(text)
        if "sources" in told:
            told["sources"]["hydrant"][key] = value
        return told

    monkeypatch.setattr(yaml, "safe_load", changed)
    if key == "deadline" or value:
        with pytest.raises(ConfigurationError, match=rf"sources\.hydrant\.{key}: got '{value}'"):
            load_city("aizuwakamatsu")
    else:
        with pytest.raises(ConfigurationError, match=r"sources\.hydrant\.schedule"):
            load_city("aizuwakamatsu")


@pytest.mark.parametrize(
    ("now", "standing", "told", "decision"),
    [
        # seen for the first time: nothing was missed
        (THREE + 9, Standing(), {}, Decision(waits_for="slot", until=THREE + 86_400)),
        (THREE - 1, replace(DONE, slot=THREE - 86_400), {}, Decision(waits_for="slot", until=THREE)),
        (THREE, replace(DONE, slot=THREE - 86_400), {}, Decision(waits_for="nothing", slot=THREE)),
        # a month was missed: only the last morning is made up for
        (THREE, replace(DONE, slot=THREE - 30 * 86_400), {}, Decision(waits_for="nothing", slot=THREE)),
        (THREE + 5, DONE, {}, Decision(waits_for="slot", until=THREE + 86_400)),
        (THREE + 5, DONE, {"asked": True}, Decision(waits_for="nothing", slot=THREE)),
        (THREE + 5, replace(DONE, again=True), {}, Decision(waits_for="nothing", slot=THREE)),
        (
            THREE + 5,
            replace(DONE, again=True),
            {"host_until": THREE + 60},
            Decision(waits_for="host", until=THREE + 60),
        ),
        (
            THREE + 5,
            replace(DONE, again=True),
            {"host_until": THREE + 60, "asked": True},
            Decision(waits_for="nothing", slot=THREE),
        ),
        (THREE, replace(DONE, slot=0.0), {"paused": True}, Decision(waits_for="paused")),
        (THREE, replace(DONE, slot=0.0, run=RUN), {"paused": True}, Decision(waits_for="worker")),
        (
            THREE,
            replace(DONE, slot=0.0, run=replace(RUN, state="running")),
            {},
            Decision(waits_for="end"),
        ),
        # the clock was a year ahead when the slot was taken
        (THREE, replace(DONE, slot=THREE + 365 * 86_400), {}, Decision(waits_for="slot", until=THREE + 86_400)),
    ],
)  # fmt: skip
def test_what_is_due(now, standing, told, decision):
    """The whole decision, from what is known."""
    assert due(now, DAILY, standing, **told) == decision


def test_pauses_grow_to_an_hour_and_are_scattered():
    """30 s, 1 min, 2 min, … at most a quarter longer by chance."""
    now, pause, lengths = 0.0, None, []
    for _ in range(10):
        pause = backoff.after_failure(pause, now, 0.0, 0.0)
        lengths.append(pause.until - now)
        now = pause.until
    assert lengths == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert backoff.after_failure(None, 0.0, 0.0, 1.0).until == 37.5


def test_what_a_host_asks_for_is_honoured_up_to_an_hour():
    """Retry-After: 86400 may be a mistake."""
    assert backoff.after_failure(None, 100.0, 600.0, 0.0).until == 700
    assert backoff.after_failure(None, 100.0, 86_400.0, 0.0).until == 3700


def test_runs_that_fail_together_count_as_one_failure():
    """They had begun before the pause."""
    first = backoff.after_failure(None, 0.0, 0.0, 0.0)
    assert backoff.after_failure(first, 1.0, 0.0, 0.0) == replace(first, until=31.0)


@given(
    failures=st.integers(0, 10_000),
    now=st.floats(0, 1e10),
    asked=st.floats(0, 1e12),
    chance=st.floats(0, 1),
)
def test_no_pause_is_without_end(failures, now, asked, chance):
    """However long a host has failed."""
    pause = backoff.after_failure(
        backoff.Pause(failures=failures, until=now - 1), now, asked, chance
    )
    assert 30 <= round(pause.until - now, 3) <= 3600 * 1.25


def test_missed_slots_of_a_live_feed_are_one_run():
    """An hour of silence is not 120 runs."""
    now = at("2026-11-23 12:00:10")
    decision = due(now, LIVE, Standing(slot=now - 3610))
    assert decision == Decision(waits_for="nothing", slot=at("2026-11-23 12:00:00"))
    taken = Standing(slot=decision.slot)
    assert due(now + 1, LIVE, taken).until == now + timedelta(seconds=20).total_seconds()
