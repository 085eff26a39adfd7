"""Whatever workers, schedulers and people do in whatever order, runs neither overlap nor get lost."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harvesters import standing as change
from harvesters.standing import LEASE_S, Outcome, Standing

QUEUED = {"queue": "batch", "deadline": 60}
GOOD = Outcome(state="ok", message="良", message_en="good", rows=3)


def claimed(slot=10.0, now=100.0):
    """A source with a run in its queue."""
    return change.claim(Standing(slot=0.0), slot, now, **QUEUED).standing


def started(now=101.0):
    """A source with a run that goes on."""
    known = claimed()
    return change.start(known, known.run.id, "w1", now).standing


def test_a_slot_is_taken_once():
    """The next one may be taken when the run has ended."""
    known = claimed()
    assert change.claim(known, 10.0, 100.0, **QUEUED) is None
    assert change.claim(known, 20.0, 100.0, **QUEUED) is None
    over = change.end(started(), started().token, GOOD, 110.0).standing
    assert change.claim(over, 10.0, 120.0, **QUEUED) is None
    assert change.claim(over, 20.0, 120.0, **QUEUED).run.slot == 20.0


def test_a_run_is_named_by_its_slot_in_japanese_time_and_counted():
    """What stands in the journal, the log and the queue."""
    known = claimed(slot=1_795_370_400.0)
    assert known.run.id == "20261123-030000-1"
    over = replace(known, run=None, again=True)
    again = change.claim(over, 1_795_370_400.0, 0.0, **QUEUED)
    assert again.run.id == "20261123-030000-2"


def test_a_run_that_was_delivered_twice_starts_once():
    """The second worker goes on to the next."""
    known = claimed()
    first = change.start(known, known.run.id, "w1", 101.0)
    assert change.start(first.standing, known.run.id, "w2", 101.0) is None


def test_a_worker_that_was_thought_dead_may_not_end_its_run():
    """Nor say that it lives; its token is an old one."""
    zombie = started().token
    lapsed = change.lapse(started(), 101.0 + LEASE_S + 1).standing
    assert lapsed.run.state == "queued"
    again = change.start(lapsed, lapsed.run.id, "w2", 130.0).standing
    assert again.token > zombie
    for known in (lapsed, again):
        assert change.beat(known, zombie, 131.0) is None
        assert change.end(known, zombie, GOOD, 131.0) is None
    assert change.end(again, again.token, GOOD, 131.0).ended.starts == 2


def test_tokens_grow_even_when_redis_has_forgotten_them():
    """A Redis restored from a backup gives out tokens of its time."""
    old = started(now=1000.0).token
    assert change.start(claimed(), claimed().run.id, "w2", 1001.0).standing.token > old


def test_a_token_that_was_forgotten_is_overtaken():
    """A Redis whose clock was set back, too: the run goes on under a number that the portal has not seen."""
    known = started(now=101.0)
    again = change.beat(known, known.run.token, 102.0, above=500_000_000).standing
    assert (again.token, again.run.token) == (500_000_001, 500_000_001)
    assert change.beat(again, known.run.token, 103.0) is None
    assert change.beat(again, again.token, 103.0, above=7).standing.token == again.token
    over = change.end(again, again.token, GOOD, 104.0).standing
    later = change.claim(over, 20.0, 120.0, **QUEUED).standing
    assert change.start(later, later.run.id, "w", 121.0).standing.token == 500_000_002


def test_a_run_that_is_killed_three_times_has_failed():
    """And the message says so."""
    known, now = started(), 101.0
    for _ in range(2):
        now += LEASE_S + 1
        known = change.lapse(known, now).standing
        known = change.start(known, known.run.id, "w", now).standing
    done = change.lapse(known, now + LEASE_S + 1)
    assert (done.ended.state, done.ended.starts) == ("failed", 3)
    assert "killed each time" in done.ended.message_en
    assert done.standing.run is None


def test_a_run_that_is_handed_back_has_not_been_started():
    """However many times a worker is stopped for an update."""
    known = started()
    for _ in range(5):
        known = change.hand_back(known, known.run.id, known.run.worker, 102.0).standing
        assert known.run.starts == 0
        known = change.start(known, known.run.id, "w", 103.0).standing
    assert change.hand_back(known, known.run.id, "another", 104.0) is None


def test_a_failed_run_leaves_what_was_good():
    """The last good rows are still told."""
    good = change.end(started(), started().token, GOOD, 110.0).standing
    bad = Outcome(state="failed", message="", message_en="", again=True)
    known = change.claim(good, 20.0, 120.0, **QUEUED).standing
    known = change.start(known, known.run.id, "w", 121.0).standing
    known = change.end(known, known.token, bad, 122.0).standing
    assert (known.last_good, known.rows, known.again) == (110.0, 3, True)


def test_a_clock_that_is_set_back_is_no_sign_of_life():
    """Else a dead worker would keep its run for as long as the clock was wrong."""
    assert change.lapse(started(now=1e6), 101.0).standing.run.state == "queued"
    assert change.lapse(started(), 102.0) is None


class Sources(RuleBasedStateMachine):
    """One source, any number of workers, and all that can happen to them."""

    def __init__(self):
        super().__init__()
        self.now, self.known = 1000.0, Standing(slot=0.0)
        self.workers, self.delivered, self.ended, self.claims = {}, [], [], []

    def apply(self, changed):
        """What Redis does in one transaction."""
        if changed:
            self.known = changed.standing
            if changed.deliver:
                self.delivered.append(changed.run.id)
            if changed.ended:
                self.ended.append(changed.ended.id)
        return changed

    @rule(seconds=st.floats(0, 60))
    def time_passes(self, seconds):
        """Also longer than a lease."""
        self.now += seconds

    @rule(asked=st.booleans())
    def claim(self, asked):
        """A scheduler looks."""
        slot = self.now // 30 * 30
        if done := self.apply(
            change.claim(self.known, slot, self.now, asked_by="x" if asked else "", **QUEUED)
        ):
            self.claims.append(done.run.id)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data(), name=st.sampled_from("abc"), keep=st.booleans())
    def start(self, data, name, keep):
        """A worker takes what lies in the queue, which may be delivered twice."""
        run_id = data.draw(st.sampled_from(self.delivered))
        if not keep:
            self.delivered.remove(run_id)
        if done := self.apply(change.start(self.known, run_id, name, self.now)):
            self.workers[done.run.token] = run_id

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), again=st.booleans())
    def end(self, data, again):
        """A worker, or a zombie, ends its run."""
        token = data.draw(st.sampled_from(sorted(self.workers)))
        own = self.known.run is not None and self.known.run.token == token
        done = self.apply(change.end(self.known, token, replace(GOOD, again=again), self.now))
        assert bool(done) == own
        del self.workers[token]

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def beat(self, data):
        """A worker, or a zombie, says that it lives."""
        self.apply(
            change.beat(self.known, data.draw(st.sampled_from(sorted(self.workers))), self.now)
        )

    @rule()
    def lapse(self):
        """A scheduler finds a run that nobody has heard of."""
        self.apply(change.lapse(self.known, self.now))

    @precondition(lambda self: self.known.run)
    @rule(name=st.sampled_from("abc"), stopping=st.booleans())
    def horse_dies(self, name, stopping):
        """A worker finds its process dead."""
        act = change.hand_back if stopping else change.killed
        self.apply(act(self.known, self.known.run.id, name, self.now))

    @precondition(lambda self: self.known.run)
    @rule()
    def withdraw_or_redeliver(self):
        """Paused while it waited, or lost on the way."""
        run = self.known.run
        self.apply(change.redeliver(self.known, run.id, self.now))

    @invariant()
    def every_run_has_ended_once_or_is_open(self):
        """None lost, none twice, and at most one open."""
        known = self.known.run
        assert len(set(self.claims)) == len(self.claims)
        assert sorted(self.ended + ([known.id] if known else [])) == sorted(self.claims)

    @invariant()
    def at_most_one_token_is_good(self):
        """Nobody else may publish."""
        good = [t for t in self.workers if change.beat(self.known, t, self.now)]
        assert len(good) <= 1

    @invariant()
    def an_open_run_can_be_reached(self):
        """It lies in the queue, is somebody's, or will lapse."""
        run = self.known.run
        if run and run.state == "queued":
            assert run.starts < change.MOST_STARTS
        if run and run.state == "running":
            assert change.lapse(self.known, self.now + 2 * LEASE_S)


TestSources = Sources.TestCase
TestSources.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
