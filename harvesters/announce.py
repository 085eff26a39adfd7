"""What the scheduler lets the portal know of each source: its schedule, its next run, what it waits for.

Keys: `aizu:planned:<city>/<source>`, JSON, times seconds since 1970; gone soon after the last
scheduler has stopped.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from redis import Redis

from harvesters import queue
from harvesters.journal import SCHEDULER_S, Key
from harvesters.schedule import Decision, Queue, Reason, Schedule


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a scheduler has seen at its last look at a source."""

    schedule: str
    queue: Queue
    next: float
    waits_for: Reason
    until: float | None
    workers: int | None = None
    """How many listen to the queue, where the run waits for one."""


def plan(redis: Redis, schedule: Schedule, decision: Decision, now: float) -> Plan:
    """What is to be said of a source."""
    waiting = decision.waits_for == "worker"
    return Plan(
        schedule=schedule.text,
        queue=schedule.queue,
        next=schedule.next(now),
        waits_for=decision.waits_for,
        until=decision.until,
        workers=queue.workers(redis, schedule.queue) if waiting else None,
    )


def announce(redis: Redis, plans: Mapping[Key, Plan]) -> None:
    """Says all of it, in one request."""
    with redis.pipeline() as pipe:
        for key, one in plans.items():
            pipe.set(f"aizu:planned:{key}", json.dumps(asdict(one)), ex=SCHEDULER_S)
        pipe.execute()
