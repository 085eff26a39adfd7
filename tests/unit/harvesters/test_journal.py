"""The journal in a real Redis: many at once, people, hosts, and what others may have written there."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from redis import Redis

from harvesters import queue
from harvesters.dispatch import REDELIVER_S, Planned, tick
from harvesters.journal import KEPT_RUNS, Journal, Key, Note
from harvesters.schedule import read_schedule
from harvesters.standing import LEASE_S, Outcome

KEY = Key("aizuwakamatsu", "hydrant")
NOON = 1_795_316_400.0
GOOD = Outcome(state="ok", message="良", message_en="good", rows=3, step="publish")
PLAN = {KEY: Planned(schedule=read_schedule("every 30 s"), deadline=30, hosts=("h", "portal"))}


@pytest.fixture
def clock(redis_server):
    """A journal whose clock the test sets: clock.now."""
    redis_server.redis.flushall()

    class Told(Journal):
        at = NOON

        def now(self):
            return self.at

    return Told(redis_server.redis)


def claim(journal, slot=NOON, **told):
    """A run of the source in the live queue."""
    return journal.claim(KEY, slot, queue="live", deadline=30, **told)


def started(journal, worker="w", slot=NOON):
    """A run that goes on."""
    return journal.start(KEY, claim(journal, slot).id, worker)


def queued(journal):
    """The names of what lies in the live queue."""
    return queue.named(journal.redis, "live").job_ids


def many(server, act, count=16):
    """The same at the same time, each over a connection of its own."""
    ready = threading.Barrier(count)

    def one(number):
        with Redis.from_url(server.url) as connection:
            ready.wait()
            return act(Journal(connection), number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_of_many_schedulers_one_takes_the_slot(journal, redis_server):
    """And the run lies in the queue once."""
    taken = many(redis_server, lambda own, _: claim(own))
    assert len([run for run in taken if run]) == 1
    assert queued(journal) == [f"aizu-{KEY.city}-{KEY.source}-{run.id}-1" for run in taken if run]


def test_of_many_workers_one_starts_the_run(journal, redis_server):
    """However often it was delivered."""
    run = claim(journal)
    begun = many(redis_server, lambda own, number: own.start(KEY, run.id, f"w{number}"))
    assert len([run for run in begun if run]) == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("journal")
def test_runs_never_overlap_under_contention(redis_server, seed):
    """Schedulers, workers and commands at once: inside a run nobody else is."""
    inside, runs, fault = [], [], []

    def one(own, number):
        chance = random.Random(seed * 100 + number)
        for slot in range(25):
            run = claim(own, NOON + slot) if number % 2 else None
            if number % 4 == 0:
                run = own.start_here(
                    KEY, NOON + slot, deadline=30, worker="c", asked_by="x", covers=True
                )
            elif waiting := own.known([KEY])[KEY].standing.run:
                run = own.start(KEY, waiting.id, f"w{number}")
            if not run or run.state != "running":
                continue
            inside.append(number)
            if len(inside) > 1:
                fault.append(list(inside))
            time.sleep(chance.random() / 500)
            inside.remove(number)
            runs.append(own.end(KEY, run.token, GOOD).id)

    many(redis_server, one, count=8)
    assert fault == []
    assert len(runs) > 10
    assert len(set(runs)) == len(runs)


def test_the_journal_keeps_so_many_runs_and_no_more(journal):
    """Newest first; nothing else is left of them."""
    for slot in range(KEPT_RUNS + 20):
        run = started(journal, slot=NOON + slot)
        journal.end(KEY, run.token, GOOD)
        journal.redis.delete(queue.named(journal.redis, "live").key)
    runs = journal.runs(KEY)
    assert len(runs) == KEPT_RUNS
    assert runs[0].slot == NOON + KEPT_RUNS + 19
    assert (runs[0].message_en, runs[0].rows, runs[0].worker) == ("good", 3, "w")


def test_a_missed_slot_is_caught_up_once(clock):
    """An hour without a scheduler is one run."""
    tick(clock, PLAN)
    assert queued(clock) == []
    clock.at += 3600
    for _ in range(3):
        tick(clock, PLAN)
        tick(clock, PLAN)
    assert len(queued(clock)) == 1


def test_a_run_whose_worker_was_killed_is_begun_anew_once(clock):
    """Under its slot, from its beginning; the zombie may do nothing."""
    run = started(clock)
    clock.at += LEASE_S - 1
    tick(clock, PLAN)
    assert clock.beat(KEY, run.token)
    clock.at += LEASE_S + 1
    tick(clock, PLAN)
    tick(clock, PLAN)
    assert not clock.beat(KEY, run.token)
    again = clock.start(KEY, run.id, "w2")
    assert (again.slot, again.starts) == (run.slot, 2)
    assert clock.end(KEY, run.token, GOOD) is None
    assert clock.end(KEY, again.token, GOOD).starts == 2
    assert len(clock.runs(KEY)) == 1


def test_a_run_that_got_lost_on_the_way_is_delivered_again(clock):
    """A worker that died between taking and starting it."""
    run = claim(clock)
    queue.named(clock.redis, "live").empty()
    clock.at += REDELIVER_S + 1
    tick(clock, PLAN)
    tick(clock, PLAN)
    assert queued(clock) == [f"aizu-{KEY.city}-{KEY.source}-{run.id}-2"]


def test_a_run_that_waits_long_is_not_delivered_again(clock):
    """No worker may be there for hours."""
    claim(clock)
    for _ in range(5):
        clock.at += 600
        tick(clock, PLAN)
    assert len(queued(clock)) == 1


def test_a_paused_source_does_not_run_and_then_runs_once(clock):
    """Neither what is due nor what already waits in the queue."""
    tick(clock, PLAN)
    clock.at += 30
    tick(clock, PLAN)
    run = clock.known([KEY])[KEY].standing.run
    clock.pause(KEY, Note(by="佐藤", at=clock.at, reason="工事"))
    assert clock.start(KEY, run.id, "w") is None
    clock.at += 3600
    tick(clock, PLAN)
    assert clock.known([KEY])[KEY].standing.run is None
    assert clock.known([KEY])[KEY].paused == Note(by="佐藤", at=NOON + 30, reason="工事")
    assert clock.resume(KEY)
    assert not clock.resume(KEY)
    tick(clock, PLAN)
    run = clock.known([KEY])[KEY].standing.run
    assert (run.slot, run.state) == (NOON + 3630, "queued")


def test_a_source_runs_now_when_it_is_asked_for(clock):
    """Once, with the name of who asked."""
    tick(clock, PLAN)
    clock.want(KEY, Note(by="佐藤", at=clock.at))
    tick(clock, PLAN)
    run = clock.start(KEY, clock.known([KEY])[KEY].standing.run.id, "w")
    assert run.asked_by == "佐藤"
    clock.end(KEY, run.token, GOOD)
    tick(clock, PLAN)
    assert clock.known([KEY])[KEY].standing.run is None


def test_a_host_that_fails_is_left_alone_by_all_its_sources(clock):
    """Then the slot is made up for, once."""
    other = Key("aizuwakamatsu", "bus")
    plans = PLAN | {other: replace(PLAN[KEY], hosts=("h",))}
    tick(clock, plans)
    clock.host_failed("h", 100.0)
    for seconds in (30, 30, 30):
        clock.at += seconds
        tick(clock, plans)
        assert queued(clock) == []
    clock.at += 12
    tick(clock, plans)
    assert len(queued(clock)) == 2
    clock.host_well("h")
    assert clock.hosts(["h"]) == {"h": 0.0}


def test_a_failure_of_the_host_is_made_up_for_under_its_slot(clock):
    """As soon as the host may be asked, not only at the next slot."""
    daily = {KEY: replace(PLAN[KEY], schedule=read_schedule("0 12 * * *"), hosts=("h",))}
    tick(clock, daily)
    clock.at += 86_400
    tick(clock, daily)
    run = clock.start(KEY, clock.known([KEY])[KEY].standing.run.id, "w")
    clock.host_failed("h")
    clock.end(KEY, run.token, replace(GOOD, state="failed", again=True))
    tick(clock, daily)
    assert clock.known([KEY])[KEY].standing.run is None
    clock.at += 40
    tick(clock, daily)
    again = clock.known([KEY])[KEY].standing.run
    assert (again.slot, again.id) == (run.slot, run.id[:-1] + "2")


def test_a_clock_that_was_wrong_silences_no_source(clock):
    """A slot of next year counts for nothing when the clock is right again."""
    clock.anchor(KEY, NOON + 365 * 86_400)
    tick(clock, PLAN)
    clock.at += 30
    tick(clock, PLAN)
    assert len(queued(clock)) == 1


@pytest.mark.parametrize("value", ["", "{", "[1]", "null", '{"run": 5}', '{"slot": 1, "new": 2}'])
def test_what_cannot_be_read_counts_as_absent(clock, value):
    """Another program's, or a later version's."""
    clock.redis.set(f"aizu:source:{KEY}", value)
    clock.redis.set(f"aizu:paused:{KEY}", value if "slot" not in value else "x")
    clock.redis.lpush(f"aizu:journal:{KEY}", value)
    assert clock.known([KEY])[KEY].standing.run is None
    assert clock.runs(KEY) == []
    tick(clock, PLAN)


def test_all_machines_tell_the_time_by_redis(journal):
    """Whatever their own clocks say."""
    assert abs(journal.now() - time.time()) < 5
