"""The scheduler: looks once a second what is due, and finds the runs that have got lost.

Any number of them may run at once: a slot is taken in one transaction, by one of them.
"""

import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import redis

from harvesters.announce import announce, plan
from harvesters.city import City
from harvesters.city_file import CityFile
from harvesters.connection import unreachable, worker_name
from harvesters.journal import Journal, Key, Known, connect
from harvesters.schedule import Decision, Schedule, due, hosts_until, needs_anchor
from harvesters.settings import Settings
from harvesters.standing import lapsed
from harvesters.words import Words

TICK_S = 1.0
REDELIVER_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a scheduler needs to know of a source."""

    schedule: Schedule
    deadline: int
    hosts: tuple[str, ...]
    """Those of the source, and the portal's."""


def planned(city: City, settings: Settings) -> dict[Key, Planned]:
    """The sources of a city that have an address."""
    portal = urlsplit(settings.portal_url).netloc
    return {
        Key(city.id, name): Planned(
            schedule=feed.schedule, deadline=feed.deadline, hosts=(*feed.hosts, portal)
        )
        for name, feed in city.feeds.items()
        if feed.url
    }


def tick(journal: Journal, sources: Mapping[Key, Planned]) -> None:
    """Looks at every source once."""
    now = journal.now()
    journal.scheduler_lives(worker_name())
    pauses = journal.hosts({host for one in sources.values() for host in one.hosts})
    known = journal.known({*sources, *journal.sources()})
    plans = {}
    for key, all_known in known.items():
        _recover(journal, key, all_known, now)
        if key in sources:
            decision = _dispatch(journal, key, sources[key], all_known, pauses, now)
            plans[key] = plan(journal.redis, sources[key].schedule, decision, now)
    announce(journal.redis, plans)


def _recover(journal: Journal, key: Key, known: Known, now: float) -> None:
    """Begins anew what a worker has left, and delivers again what has got lost on the way."""
    run = known.standing.run
    if not run:
        return
    if lapsed(run, now):
        journal.lapse(key)
    elif run.state == "queued" and now - run.delivered_at > REDELIVER_S:
        journal.redeliver(key, run)


def decided(one: Planned, known: Known, pauses: Mapping[str, float], now: float) -> Decision:
    """What is to be done about a source, by all that is known of it."""
    return due(
        now,
        one.schedule,
        known.standing,
        paused=bool(known.paused),
        asked=bool(known.wanted),
        host_until=hosts_until(one.hosts, pauses),
    )


def _dispatch(
    journal: Journal, key: Key, one: Planned, known: Known, pauses: Mapping[str, float], now: float
) -> Decision:
    """Takes the slot that is due; says what the source waits for."""
    decision = decided(one, known, pauses, now)
    if decision.waits_for == "nothing":
        journal.claim(
            key,
            decision.slot,
            queue=one.schedule.queue,
            deadline=one.deadline,
            asked_by=known.wanted.by if known.wanted else "",
        )
    elif decision.waits_for == "slot" and needs_anchor(now, known.standing):
        journal.anchor(key, one.schedule.last(now))
    return decision


def keep_dispatching(settings: Settings, file: CityFile, say: Callable[[Words], None]) -> None:
    """Until it is told to stop; a Redis that has gone is waited for."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    journal, sources = connect(settings), planned(file.city, settings)
    gone = False
    while not over.is_set():
        if told := file.look():
            say(told)
            sources = planned(file.city, settings)
        try:
            tick(journal, sources)
            gone = False
        except redis.RedisError as error:
            if not gone:
                say(unreachable(settings, error).words)
            gone = True
        over.wait(TICK_S)
