"""When a source is due: the forms of `schedule:`, the slots that they name, and what a source waits for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

from croniter import CroniterError, croniter

from harvesters.standing import CLOCK_ERROR_S, Standing

JST = timezone(timedelta(hours=9), "JST")
"""Japan has no summer time: every day has each minute once."""

LIVE_DEADLINE_S, BATCH_DEADLINE_S = 30, 30 * 60
PATIENCE_S = 300
DURATION = re.compile(r"([1-9]\d{0,4}) (s|min)")
_FIELD = (
    "(?:[0-9*,/-]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)+"
)
CRON = re.compile(" +".join([_FIELD] * 5), re.IGNORECASE)
"""Without the letters by which croniter takes times by chance."""
UNITS = {"s": 1, "min": 60}

Queue = Literal["live", "batch"]
Reason = Literal["slot", "host", "worker", "end", "paused", "nothing"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The slots of a source: by cron, in Japanese time, or every so many seconds."""

    text: str
    seconds: int = 0
    """Between the slots of a live source; 0 where cron tells."""

    @property
    def queue(self) -> Queue:
        """Live feeds never wait behind a long batch harvest."""
        return "live" if self.seconds else "batch"

    @property
    def deadline(self) -> int:
        """Seconds after which a run is given up, where the city file says nothing else."""
        return LIVE_DEADLINE_S if self.seconds else BATCH_DEADLINE_S

    def last(self, now: float) -> float:
        """The latest slot that is not after now."""
        if self.seconds:
            return now // self.seconds * self.seconds
        return _around(self.text, int(now // 60))[0]

    def next(self, now: float) -> float:
        """The first slot after now."""
        return self.last(now) + self.seconds if self.seconds else self._next_by_cron(now)

    def overdue(self, now: float) -> float:
        """When a second slot in a row has been missed; of live feeds, not at every restart."""
        return max(self.next(self.next(now)), now + PATIENCE_S)

    def _next_by_cron(self, now: float) -> float:
        return _around(self.text, int(now // 60))[1]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to be done about a source now: run a slot, or wait."""

    waits_for: Reason
    """`nothing`: the slot is due."""
    until: float | None = None
    slot: float = 0.0


def due(
    now: float,
    schedule: Schedule,
    standing: Standing,
    *,
    paused: bool = False,
    asked: bool = False,
    host_until: float = 0.0,
) -> Decision:
    """What a source waits for; however many slots were missed, only the latest is due, once.

    Args:
        now: seconds since 1970, by the clock that all machines share.
        schedule: of the source.
        standing: what is known of its runs.
        paused: a person has stopped it.
        asked: a person wants it now; a host that fails is asked all the same.
        host_until: when the hosts that the run needs may be asked again.
    """
    if standing.run:
        return Decision(waits_for="end" if standing.run.state == "running" else "worker")
    if paused:
        return Decision(waits_for="paused")
    slot = schedule.last(now)
    if asked:
        return Decision(waits_for="nothing", slot=slot)
    if needs_anchor(now, standing) or (slot <= standing.anchor and not standing.again):
        return Decision(waits_for="slot", until=schedule.next(now))
    if host_until > now:
        return Decision(waits_for="host", until=host_until)
    return Decision(waits_for="nothing", slot=slot)


def needs_anchor(now: float, standing: Standing) -> bool:
    """A source seen for the first time, or by a clock that has been set back, starts at its next slot."""
    return standing.slot is None or standing.slot > now + CLOCK_ERROR_S


def read_schedule(text: str) -> Schedule:
    """`0 3 * * *` or `every 30 s`.

    Raises:
        ValueError: neither of them, or a time that never comes.
    """
    kind, _, rest = text.partition(" ")
    if kind == "every":
        return Schedule(text=text, seconds=read_duration(rest))
    if not CRON.fullmatch(text):
        raise ValueError(text)
    try:
        _around(text, int(datetime.now(UTC).timestamp() // 60))
    except (CroniterError, TypeError) as error:
        raise ValueError(text) from error
    return Schedule(text=" ".join(text.split()))


def read_duration(text: str) -> int:
    """`30 s` or `5 min` in seconds.

    Raises:
        ValueError: something else.
    """
    found = DURATION.fullmatch(text)
    if not found:
        raise ValueError(text)
    return int(found[1]) * UNITS[found[2]]


@lru_cache(maxsize=1024)
def _around(cron: str, minute: int) -> tuple[float, float]:
    """The slots before and after; asking once a minute is enough, as cron knows no seconds."""
    start = datetime.fromtimestamp(minute * 60, JST)
    before = croniter(cron, start + timedelta(seconds=1)).get_prev(datetime)
    after = croniter(cron, start).get_next(datetime)
    return before.timestamp(), after.timestamp()


def hosts_until(hosts: tuple[str, ...], pauses: Mapping[str, float]) -> float:
    """When the last of the hosts may be asked again."""
    return max((pauses.get(host, 0.0) for host in hosts), default=0.0)
