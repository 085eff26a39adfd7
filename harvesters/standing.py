"""What is known of the runs of one source, and every way in which it changes; pure.

A run is queued, is running, and ends. There is at most one that has not ended: that is how runs of
a source never overlap. Whoever starts it gets a token; each start has a higher one, so that
a worker that was thought dead finds that the run is no longer its own.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

LEASE_S = 20.0
"""A run that has not been heard of for so long is taken from its worker."""
MOST_STARTS = 3
CLOCK_ERROR_S = 60.0
"""A slot further ahead was taken by a clock that was wrong."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One harvest that has not ended."""

    id: str
    """Slot, in Japanese time, and how many runs that slot has had."""
    slot: float
    queue: str
    deadline: int
    queued_at: float
    delivered_at: float
    """When it was last put into the queue."""
    deliveries: int = 1
    asked_by: str = ""
    """Who wanted it out of turn."""
    state: Literal["queued", "running"] = "queued"
    starts: int = 0
    token: int = 0
    worker: str = ""
    started_at: float = 0.0
    heartbeat: float = 0.0
    step: str = ""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A line of the journal: a run and how it ended."""

    id: str
    slot: float
    asked_by: str
    starts: int
    worker: str
    queued_at: float
    started_at: float
    ended_at: float
    state: str
    step: str
    """The last one that was done."""
    message: str
    message_en: str
    rows: int | None = None
    repairs: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run has ended."""

    state: str
    message: str
    message_en: str
    rows: int | None = None
    repairs: int | None = None
    step: str = ""
    """The last one that was done."""
    again: bool = False
    """The same slot is wanted again as soon as the host lets us."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A source: the last slot that was taken, and the run that has not ended."""

    slot: float | None = None
    tries: int = 0
    """How many runs the slot has had."""
    again: bool = False
    token: int = 0
    run: Run | None = None
    last_good: float | None = None
    rows: int | None = None
    """Of the last good run."""

    @property
    def anchor(self) -> float:
        """The slot that a new one must be later than."""
        return self.slot or 0.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """A new standing, and what goes with it."""

    standing: Standing
    deliver: bool = False
    """The run is to be put into its queue."""
    ended: Ended | None = None

    @property
    def run(self) -> Run:
        """The run that has not ended."""
        assert self.standing.run, "asked for only where there is one"
        return self.standing.run


def anchored(standing: Standing, slot: float) -> Change:
    """From here on slots count."""
    return Change(standing=replace(standing, slot=slot, tries=0, again=False))


def claim(
    standing: Standing,
    slot: float,
    now: float,
    *,
    queue: str,
    deadline: int,
    asked_by: str = "",
    covers: bool = True,
) -> Change | None:
    """Takes a slot; nobody else can take it, and no other run of the source begins before the end.

    Args:
        standing: before.
        slot: the latest of the schedule.
        now: seconds since 1970.
        queue: of the schedule.
        deadline: seconds that the run may take.
        asked_by: the person who wants the run, whether the slot has been taken or not.
        covers: the slot needs no other run; a file in place of the address does not cover it.
    """
    if standing.anchor <= now + CLOCK_ERROR_S:
        # Whoever asks may have looked at the clock before another took the next slot.
        slot = max(slot, standing.anchor)
    taken = slot <= standing.anchor and not standing.again
    if standing.run or (taken and not asked_by):
        return None
    tries = standing.tries + 1 if slot == standing.slot else 1
    run = Run(
        id=f"{_jst(slot):%Y%m%d-%H%M%S}-{tries}",
        slot=slot,
        queue=queue,
        deadline=deadline,
        queued_at=now,
        delivered_at=now,
        asked_by=asked_by,
    )
    if not covers:
        return Change(standing=replace(standing, run=run), deliver=True)
    after = replace(standing, slot=slot, tries=tries, again=False, run=run)
    return Change(standing=after, deliver=True)


def start(standing: Standing, run_id: str, worker: str, now: float) -> Change | None:
    """The run becomes the worker's; nothing where it was delivered twice and another was first."""
    if not (run := _queued(standing, run_id)):
        return None
    # By the clock, too: a Redis that was restored from a backup must not give out old tokens.
    token = max(standing.token + 1, int(now * 1000))
    begun = replace(
        run,
        state="running",
        starts=run.starts + 1,
        token=token,
        worker=worker,
        started_at=now,
        heartbeat=now,
        step="",
    )
    return Change(standing=replace(standing, run=begun, token=token))


def withdraw(standing: Standing, run_id: str) -> Change | None:
    """A queued run is not started after all; its slot is run when the source is resumed."""
    if not _queued(standing, run_id):
        return None
    return Change(standing=replace(standing, run=None, again=True))


def beat(
    standing: Standing, token: int, now: float, step: str = "", above: int = 0
) -> Change | None:
    """The worker lives; nothing where the run is no longer its own.

    Its token becomes higher than `above`, which somebody has seen whom we had forgotten.
    """
    run = _own(standing, token)
    if not run:
        return None
    token = max(token, above + 1) if above else token
    lives = replace(run, heartbeat=now, step=step or run.step, token=token)
    return Change(standing=replace(standing, run=lives, token=token))


def end(standing: Standing, token: int, outcome: Outcome, now: float) -> Change | None:
    """The run is over; nothing where it is no longer the worker's own."""
    run = _own(standing, token)
    return _over(standing, run, outcome, now) if run else None


def hand_back(standing: Standing, run_id: str, worker: str, now: float) -> Change | None:
    """A worker that is told to stop leaves its run to the next one; that start does not count."""
    run = _run_by(standing, run_id, worker)
    return _requeued(standing, replace(run, starts=run.starts - 1), now) if run else None


def killed(standing: Standing, run_id: str, worker: str, now: float) -> Change | None:
    """The process of a run has ended without a word, as the worker above it tells."""
    run = _run_by(standing, run_id, worker)
    return _next_start(standing, run, now) if run else None


def lapse(standing: Standing, now: float) -> Change | None:
    """A run that nobody has heard of is begun anew under its slot; not more than three times."""
    run = standing.run
    return _next_start(standing, run, now) if run and lapsed(run, now) else None


def lapsed(run: Run, now: float) -> bool:
    """Whether the worker of a run must be thought dead; a clock that was set back is no sign of life."""
    return run.state == "running" and abs(now - run.heartbeat) > LEASE_S


def redeliver(standing: Standing, run_id: str, now: float) -> Change | None:
    """Puts a run into its queue once more; being delivered twice does no harm, see start()."""
    run = _queued(standing, run_id)
    return _requeued(standing, run, now) if run else None


def _next_start(standing: Standing, run: Run, now: float) -> Change:
    if run.starts < MOST_STARTS:
        return _requeued(standing, run, now)
    told = Outcome(
        state="failed",
        message=f"{run.starts} 回始めましたが、そのたびに途中で強制終了されました"
        f"（最後の作業プロセス: {run.worker}）。メモリー不足でないか確かめてください。",
        message_en=f"begun {run.starts} times and killed each time (the last worker: {run.worker}); "
        "check whether memory is short",
    )
    return _over(standing, run, told, now)


def _requeued(standing: Standing, run: Run, now: float) -> Change:
    queued = replace(
        run,
        state="queued",
        token=0,
        worker="",
        step="",
        delivered_at=now,
        deliveries=run.deliveries + 1,
    )
    return Change(standing=replace(standing, run=queued), deliver=True)


def _over(standing: Standing, run: Run, outcome: Outcome, now: float) -> Change:
    good = outcome.state != "failed"
    kept = ("id", "slot", "asked_by", "starts", "worker", "queued_at", "started_at")
    ended = Ended(
        **{name: getattr(run, name) for name in kept},
        ended_at=now,
        state=outcome.state,
        step=outcome.step or run.step,
        message=outcome.message,
        message_en=outcome.message_en,
        rows=outcome.rows,
        repairs=outcome.repairs,
    )
    after = replace(
        standing,
        run=None,
        again=outcome.again,
        last_good=now if good else standing.last_good,
        rows=outcome.rows if good else standing.rows,
    )
    return Change(standing=after, ended=ended)


def _queued(standing: Standing, run_id: str) -> Run | None:
    run = standing.run
    return run if run and run.state == "queued" and run.id == run_id else None


def _run_by(standing: Standing, run_id: str, worker: str) -> Run | None:
    run = standing.run
    return run if run and (run.state, run.id, run.worker) == ("running", run_id, worker) else None


def _own(standing: Standing, token: int) -> Run | None:
    """The running run, if the token is its own."""
    run = standing.run
    return run if run and run.state == "running" and run.token == token else None


def _jst(instant: float) -> datetime:
    return datetime.fromtimestamp(instant, UTC) + timedelta(hours=9)
