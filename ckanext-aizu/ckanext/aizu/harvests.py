"""The harvests as their schedulers and workers tell of them in the portal's Redis, and what a steward may write there.

Keys and values are those of docs/schedule.md; nothing else of the harvesters is known here.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import redis
from ckan.lib.redis import connect_to_redis

JSON = dict[str, Any]
KINDS = ("source", "planned", "paused", "wanted")

Now = Literal[
    "running", "queued", "no_worker", "paused", "wanted", "host", "slot", "unplanned", "unscheduled"
]


@dataclass(frozen=True, kw_only=True)
class Harvest:
    """One source: what it does now, and its last runs, newest first."""

    key: str
    """`<city>/<source>`."""
    standing: JSON
    plan: JSON
    """What a scheduler that runs has said of it."""
    paused: JSON
    wanted: JSON
    runs: list[JSON]

    @property
    def dataset(self) -> str:
        """Name of the dataset that is harvested from it."""
        return self.key.replace("/", "-", 1)


@dataclass(frozen=True, kw_only=True)
class Harvests:
    """All that Redis tells."""

    answered: bool
    scheduler: bool = False
    """Whether one runs."""
    by_dataset: dict[str, Harvest] = field(default_factory=dict)


def read(runs: int, dataset: str = "") -> Harvests:
    """What is known of all sources, or of one; nothing where Redis is silent.

    Args:
        runs: how many of the last runs of each.
        dataset: the name of the one.
    """
    connection = connect_to_redis()
    try:
        known = sorted(_text(key) for key in connection.smembers("aizu:sources"))
        keys = [key for key in known if dataset in ("", key.replace("/", "-", 1))]
        with connection.pipeline(transaction=False) as pipe:
            pipe.exists("aizu:scheduler")
            for key in keys:
                pipe.mget([f"aizu:{kind}:{key}" for kind in KINDS])
                pipe.lrange(f"aizu:journal:{key}", 0, runs - 1)
            scheduler, *answers = pipe.execute()
    except redis.RedisError:
        return Harvests(answered=False)
    found = map(_harvest, keys, answers[::2], answers[1::2])
    by_dataset = {harvest.dataset: harvest for harvest in found}
    return Harvests(answered=True, scheduler=bool(scheduler), by_dataset=by_dataset)


def _harvest(key: str, values: list[bytes | None], runs: list[bytes]) -> Harvest:
    standing, plan, paused, wanted = map(_json, values)
    return Harvest(
        key=key,
        standing=standing,
        plan=plan,
        paused=_readable(paused),
        wanted=_readable(wanted),
        runs=[_readable(_json(run)) for run in runs],
    )


def now(harvest: Harvest, scheduler: bool) -> Now:
    """What a source does or waits for.

    Args:
        harvest: the source.
        scheduler: whether one runs.
    """
    run, plan = harvest.standing.get("run") or {}, harvest.plan
    if run.get("state") == "running":
        return "running"
    if run:
        return "no_worker" if plan.get("workers") == 0 else "queued"
    if harvest.paused:
        return "paused"
    if not plan:
        return "unplanned" if scheduler else "unscheduled"
    if harvest.wanted or plan.get("waits_for") == "nothing":
        return "wanted"
    return "host" if plan.get("waits_for") == "host" else "slot"


def run_of(harvest: Harvest) -> JSON | None:
    """The run that has not ended."""
    return _readable(harvest.standing.get("run") or {}) or None


def moment(seconds: float | None) -> str | None:
    """Seconds since 1970 as everywhere else: ISO 8601, UTC."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def run_now(key: str, by: str) -> None:
    """Has a scheduler run a source before its time.

    Raises:
        redis.RedisError: Redis is silent; so of the others.
    """
    _put("wanted", key, {"by": by})


def pause(key: str, by: str, reason: str) -> None:
    """No run of the source begins until it is resumed."""
    _put("paused", key, {"by": by, "reason": reason})


def resume(key: str) -> None:
    """Lets a source run again."""
    connect_to_redis().delete(f"aizu:paused:{key}")


def _put(kind: str, key: str, note: JSON) -> None:
    connection = connect_to_redis()
    seconds, microseconds = connection.time()
    told = {**note, "at": seconds + microseconds / 1_000_000}
    connection.set(f"aizu:{kind}:{key}", json.dumps(told, ensure_ascii=False))


def _readable(told: JSON) -> JSON:
    """With moments in place of seconds since 1970."""
    times = ("at", "slot", "queued_at", "started_at", "ended_at", "heartbeat")
    return {name: moment(value) if name in times else value for name, value in told.items()}


def _json(value: bytes | None) -> JSON:
    """What was kept; nothing where it is absent or another program's."""
    try:
        told = json.loads(value or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
