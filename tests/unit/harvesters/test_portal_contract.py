"""The portal reads in Redis what scheduler and workers write there, and they do what it writes: both sides, one Redis."""

import pytest

from ckanext.aizu import harvests
from harvesters.announce import announce
from harvesters.dispatch import Planned, tick
from harvesters.journal import Journal, Key, Note
from harvesters.schedule import read_schedule
from harvesters.standing import Outcome

KEY = Key("aizuwakamatsu", "bus-live")
NAME = "aizuwakamatsu-bus-live"
NOON = 1_795_316_400.0
PLAN = {KEY: Planned(schedule=read_schedule("0 3 * * *"), deadline=30, hosts=("h", "portal"))}
FAILED = Outcome(state="failed", message="切れた", message_en="cut", step="fetch")
GOOD = Outcome(state="ok", message="良", message_en="good", rows=3, repairs=2, step="publish")


class Clock(Journal):
    """A journal that tells the time of the test."""

    def now(self):
        return NOON


@pytest.fixture
def journal(redis_server, monkeypatch):
    """The journal of the harvesters, in the Redis that the portal reads."""
    redis_server.redis.flushall()
    monkeypatch.setattr(harvests, "connect_to_redis", lambda: redis_server.redis)
    return Clock(redis_server.redis)


def seen(runs=5):
    """The source as the portal sees it, and what it does now."""
    known = harvests.read(runs, NAME)
    found = known.by_dataset[NAME]
    return found, harvests.now(found, known.scheduler)


def test_portal_sees_what_a_source_does(journal):
    """Before its time, wanted, queued, running, done; each as soon as it is so."""
    tick(journal, PLAN)
    found, now = seen()
    assert (found.key, now, found.plan["schedule"]) == (str(KEY), "slot", "0 3 * * *")
    assert harvests.moment(found.plan["next"]) == "2026-11-22T18:00:00+00:00"
    harvests.run_now(found.key, "道路課 佐藤")
    assert seen()[1] == "wanted"
    tick(journal, PLAN)
    assert seen()[1] == "queued"
    tick(journal, PLAN)
    assert seen()[1] == "no_worker"
    run = journal.start(KEY, harvests.run_of(seen()[0])["id"], "vm-1")
    assert (seen()[1], harvests.run_of(seen()[0])["asked_by"]) == ("running", "道路課 佐藤")
    journal.end(KEY, run.token, GOOD)
    last = seen()[0].runs[0]
    assert seen()[1] == "slot"
    assert (last["state"], last["rows"], last["repairs"], last["worker"]) == ("ok", 3, 2, "vm-1")
    assert last["ended_at"] == harvests.moment(NOON)


def test_paused_by_the_portal_is_paused_for_the_harvesters(journal):
    """Who and why is known on both sides; so is that it goes on."""
    tick(journal, PLAN)
    harvests.pause(str(KEY), "佐藤", "点検中")
    paused = journal.known([KEY])[KEY].paused
    assert (paused.by, paused.reason) == ("佐藤", "点検中")
    assert seen()[1] == "paused"
    harvests.run_now(str(KEY), "佐藤")
    tick(journal, PLAN)
    assert harvests.run_of(seen()[0]) is None
    harvests.resume(str(KEY))
    assert journal.known([KEY])[KEY].paused is None
    journal.pause(KEY, Note(by="root", at=NOON, reason="手入れ"))
    assert seen()[0].paused == {"by": "root", "at": harvests.moment(NOON), "reason": "手入れ"}


def test_portal_says_whether_anybody_schedules(journal):
    """No scheduler; one that has no address for the source; a host that is left alone."""
    journal.pause(KEY, Note(by="root", at=NOON, reason="x"))
    journal.resume(KEY)
    assert seen()[1] == "unscheduled"
    tick(journal, {})
    assert seen()[1] == "unplanned"
    tick(journal, PLAN)
    run = journal.start(KEY, journal.claim(KEY, NOON, queue="batch", deadline=9).id, "w")
    journal.end(KEY, run.token, Outcome(**{**vars(FAILED), "again": True}))
    journal.host_failed("h")
    tick(journal, PLAN)
    assert seen()[1] == "host"
    assert seen()[0].plan["until"] > NOON


def test_plan_is_forgotten_when_the_scheduler_is(journal):
    """A next run that nobody will start is not promised for long."""
    tick(journal, PLAN)
    assert 0 < journal.redis.ttl(f"aizu:planned:{KEY}") <= 30
    announce(journal.redis, {})


def test_silent_redis_and_foreign_values_are_survived(journal, monkeypatch):
    """The page is shown all the same."""
    tick(journal, PLAN)
    for kind, value in (("source", "[]"), ("paused", "nonsense"), ("planned", "1")):
        journal.redis.set(f"aizu:{kind}:{KEY}", value)
    assert seen()[1] == "unplanned"
    silent = type(journal.redis).from_url("redis://127.0.0.1:9/0")
    monkeypatch.setattr(harvests, "connect_to_redis", lambda: silent)
    assert harvests.read(1) == harvests.Harvests(answered=False)
