"""A week in fast time: simulated clock, workers and faults; real Redis that is killed, real queues, real scheduler.

AIZU_TEST_ALL=1 runs the whole week, about 10,000 runs; else two hours of it.
"""

import heapq
import itertools
import os
import random
import resource
from collections import Counter
from dataclasses import dataclass, field

import pytest
from rq.job import Job
from rq.serializers import JSONSerializer

from harvesters import queue, standing
from harvesters.dispatch import Planned, tick
from harvesters.journal import KEPT_RUNS, Journal, Key, Note
from harvesters.schedule import read_schedule
from harvesters.standing import LEASE_S, Outcome

from .redis_server import Server

WEEK_S = 7 * 24 * 3600
LENGTH_S = WEEK_S if os.environ.get("AIZU_TEST_ALL") else 2 * 3600
START = 1_795_366_800.0  # 02:00 in Japan
STEP_S = 5.0
SOURCES = {
    Key("city", "bus-live"): Planned(
        schedule=read_schedule("every 2 min"), deadline=30, hosts=("bus", "portal")
    ),
    Key("city", "snowplow"): Planned(
        schedule=read_schedule("every 100 s"), deadline=30, hosts=("plow", "portal")
    ),
    Key("city", "bus"): Planned(
        schedule=read_schedule("*/30 * * * *"), deadline=1800, hosts=("bus", "portal")
    ),
    Key("city", "hydrant"): Planned(
        schedule=read_schedule("0 3 * * *"), deadline=1800, hosts=("city", "portal")
    ),
}


@dataclass
class Week:
    """The clock, the workers, and what an onlooker has written down."""

    server: Server
    seed: int
    now: float = START
    chance: random.Random = field(init=False)
    going_on: dict = field(default_factory=dict)  # key: until when somebody may publish
    published: list = field(default_factory=list)  # (key, slot, started, ended)
    events: list = field(default_factory=list)
    number: object = field(default_factory=itertools.count)
    faults: Counter = field(default_factory=Counter)
    idle: Counter = field(default_factory=lambda: Counter(live=2, batch=2))
    failing: dict = field(default_factory=dict)  # host: until
    no_scheduler: float = 0.0  # until

    def __post_init__(self):
        self.chance = random.Random(self.seed)
        self.redis = self.server.redis
        # Two schedulers, and workers, each with a connection of its own.
        self.schedulers = [Journal(self.redis, lambda: self.now) for _ in range(2)]
        self.journal = Journal(self.redis, lambda: self.now)

    def run(self, seconds):
        """Time passes in steps; between them the events in their order."""
        end = self.now + seconds
        while self.now < end:
            for scheduler in self.schedulers:
                # Now and then one of them sleeps, and sometimes both are killed for long.
                if self.chance.random() > 0.05 and self.now >= self.no_scheduler:
                    tick(scheduler, SOURCES)
            self.people()
            self.take_work()
            self.now += STEP_S
            while self.events and self.events[0][0] <= self.now:
                at, _, act = heapq.heappop(self.events)
                act(at)

    def later(self, seconds, act):
        """Something that will happen."""
        heapq.heappush(self.events, (self.now + seconds, next(self.number), act))

    def people(self):
        """Pause, resume, ask for a run; hosts fail for a while."""
        dice = self.chance.random()
        key = self.chance.choice(list(SOURCES))
        if dice < 0.0005:
            self.journal.pause(key, Note(by="steward", at=self.now, reason="works"))
            self.later(self.chance.uniform(10, 3000), lambda _at: self.journal.resume(key))
            self.faults["paused"] += 1
        elif dice < 0.001:
            self.journal.want(key, Note(by="steward", at=self.now))
            self.faults["wanted"] += 1
        elif dice < 0.0013:
            host = self.chance.choice(["bus", "plow", "city", "portal"])
            self.failing[host] = self.now + self.chance.uniform(60, 1800)
        elif dice < 0.0016:
            self.no_scheduler = self.now + self.chance.uniform(60, 3600)
            self.faults["times without a scheduler"] += 1

    def restart_redis(self):
        """A kill -9 in the middle of everything; it keeps what it was told."""
        self.server.kill()
        self.server.start()
        self.faults["restarts of Redis"] += 1

    def take_work(self):
        """Every idle worker takes a run; some deliveries get lost, some come twice."""
        for name in ("live", "batch"):
            lane = queue.named(self.redis, name)
            while self.idle[name] and (popped := self.redis.lpop(lane.key)):
                job = Job.fetch(popped.decode(), connection=self.redis, serializer=JSONSerializer)
                arguments = job.args
                job.delete()
                if self.chance.random() < 0.02:
                    self.faults["lost on the way"] += 1
                    continue
                for _ in range(2 if self.chance.random() < 0.02 else 1):
                    self.begin(name, arguments)

    def begin(self, lane, arguments):
        """A worker starts a run, and its fate is drawn."""
        *key, run_id = arguments
        key = Key(*key)
        run = self.journal.start(key, run_id, f"w{next(self.number)}")
        if not run:
            return
        assert key not in self.going_on, f"{key} overlaps"
        self.going_on[key] = run.token
        self.idle[lane] -= 1
        length = self.chance.uniform(1, 25 if lane == "live" else 900)
        fate = self.chance.random()
        if fate < 0.03:
            self.die(key, lane, run, self.chance.uniform(0, length))
        elif fate < 0.05:
            self.freeze(key, lane, run, length)
        else:
            self.beat(key, run, length)
            self.later(length, lambda at: self.finish(key, lane, run, at))

    def beat(self, key, run, length):
        """A heartbeat every few seconds."""
        for seconds in range(5, int(length), 5):
            self.later(seconds, lambda _at: self.journal.beat(key, run.token))

    def die(self, key, lane, run, after):
        """A kill -9 of the worker, which the supervisor starts again."""
        self.beat(key, run, after)

        def dead(_at):
            self.faults["killed"] += 1
            del self.going_on[key]
            self.idle[lane] += 1

        self.later(after, dead)

    def freeze(self, key, lane, run, length):
        """A worker that is silent for longer than a lease, and then wants to publish."""

        def frozen(_at):
            del self.going_on[key]  # it does nothing

        def thawed(_at):
            self.faults["zombies"] += 1
            assert not self.journal.beat(key, run.token), "a zombie would publish"
            self.idle[lane] += 1

        self.later(0, frozen)
        self.later(length + LEASE_S + 2 * STEP_S + 60, thawed)

    def finish(self, key, lane, run, at):
        """The run ends, well or because a host fails."""
        del self.going_on[key]
        self.idle[lane] += 1
        assert self.journal.beat(key, run.token), "a worker that lives has lost its run"
        broken = [host for host in SOURCES[key].hosts if self.failing.get(host, 0) > at]
        for host in SOURCES[key].hosts:
            self.journal.host_failed(host) if host in broken else self.journal.host_well(host)
        state = "failed" if broken else "ok"
        outcome = Outcome(state=state, message="", message_en="", again=bool(broken))
        assert self.journal.end(key, run.token, outcome)
        self.faults["failed hosts"] += bool(broken)
        self.published.append((key, run.id, run.slot, run.started_at, self.now))

    def calm(self):
        """No more faults: what is open comes to its end."""
        self.chance = Calm(self.seed)
        self.failing.clear()
        self.no_scheduler = 0.0
        for key in SOURCES:
            self.journal.resume(key)
        self.redis.delete(*(f"aizu:host:{h}" for h in ("bus", "plow", "city", "portal")))
        # It stops in the middle of a slot, when nothing is due and nothing goes on.
        self.run(3 * 3600 + 26 * 60)


@pytest.fixture
def server(tmp_path):
    """A Redis that keeps what it was told when it is killed."""
    found = Server(tmp_path, keeps=True)
    yield found
    found.close()


class Calm(random.Random):
    """No accidents."""

    def random(self):
        """Never under any threshold of a fault."""
        return 0.9


@pytest.mark.parametrize("seed", [20261123])
def test_a_week_in_fast_time(server, monkeypatch, seed, capsys):
    """No run lost, none twice, none overlapping; queues empty at the end, memory flat."""
    claims, ends, withdrawals = [], [], []
    change, withdraw = Journal._change, standing.withdraw

    def watched(self, key, step, **said):
        # What was tried in vain, and tried again, has not happened.
        changed = change(self, key, step, **said)
        run = changed.standing.run if changed else None
        if run and run.state == "queued" and run.deliveries == 1:
            claims.append((key, run.id))
        if changed and changed.ended:
            ends.append((key, changed.ended))
        return changed

    def withdrawn(known, run_id):
        withdrawals.append(run_id)
        return withdraw(known, run_id)

    monkeypatch.setattr(Journal, "_change", watched)
    monkeypatch.setattr(standing, "withdraw", withdrawn)
    journal = Journal(server.redis)
    week = Week(server=server, seed=seed)
    week.run(LENGTH_S * 0.2)
    early = memory(journal.redis)
    for _ in range(8):
        week.restart_redis()
        week.run(LENGTH_S * 0.1)
    late = memory(journal.redis)
    week.calm()

    names = [(key, run.id) for key, run in ends]
    assert len(set(claims)) == len(claims), "a slot was taken twice"
    assert len(set(names)) == len(names), "a run has ended twice"
    lost = [(key, run_id) for key, run_id in claims if (key, run_id) not in set(names)]
    assert sorted(run_id for _, run_id in lost) == sorted(withdrawals), "a run is lost"
    for key, one in SOURCES.items():
        slots = [run.slot for k, run in ends if k == key]
        assert slots == sorted(slots)
        assert slots[-1] == one.schedule.last(week.now - 3 * STEP_S)
        assert journal.known([key])[key].standing.run is None
        assert len(journal.runs(key)) == min(KEPT_RUNS, len(slots))
    for name in queue.QUEUES:
        assert queue.named(journal.redis, name).count == 0
    grown = {place: round(late[place] / early[place], 3) for place in early}
    told = ", ".join(f"{count} {what}" for what, count in sorted(week.faults.items()))
    with capsys.disabled():
        print(f"\n{len(ends)} runs ({told}); memory, late to early: {grown}")  # noqa: T201
    assert len(ends) > LENGTH_S / 3600 * 50
    # In a few hours the journals, which hold so many runs, are still filling.
    assert grown["redis"] < (1.1 if LENGTH_S == WEEK_S else 1.5)
    assert grown["python"] < 1.2


def memory(redis):
    """What Redis holds, and this process at its most, in bytes."""
    python = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"redis": redis.info("memory")["used_memory_dataset"], "python": python}
