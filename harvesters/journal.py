"""What all machines know of the runs, in the portal's Redis: standings, journal, pauses, hosts.

Keys: `aizu:sources` (set), and for each `<city>/<source>` in it `aizu:source:…` (its standing),
`aizu:journal:…` (list of the last runs, newest first), `aizu:paused:…` and `aizu:wanted:…`;
`aizu:host:<host>` while a host is left alone. All values are JSON, times seconds since 1970.
"""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

import redis
from redis.client import Pipeline

from harvesters import backoff, queue, standing
from harvesters.connection import open_redis, server_time
from harvesters.settings import Settings
from harvesters.standing import Change, Ended, Run, Standing

KEPT_RUNS = 100
SCHEDULER_S = 30
HOST_FORGOTTEN_S = 24 * 3600

T = TypeVar("T")
Step = Callable[[Standing, float], Change | None]


class Key(NamedTuple):
    """A source of a city."""

    city: str
    source: str

    def __str__(self) -> str:
        return f"{self.city}/{self.source}"


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a person has said about a source: stop it, or run it now."""

    by: str
    at: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Known:
    """All that is known of a source."""

    standing: Standing
    paused: Note | None
    wanted: Note | None


class Journal:
    """The runs of all machines; every change is made in one transaction, or not at all."""

    def __init__(self, connection: redis.Redis, clock: Callable[[], float] | None = None) -> None:
        """Tells the time by the clock of Redis, which all machines share, unless told otherwise."""
        self.redis = connection
        self._clock = clock or partial(server_time, connection)

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    def claim(
        self, key: Key, slot: float, *, queue: str, deadline: int, asked_by: str = ""
    ) -> Run | None:
        """Takes a slot and puts the run into its queue; nothing where another was first."""
        step = partial(_claim, slot=slot, queue=queue, deadline=deadline, asked_by=asked_by)
        changed = self._change(key, step, also_delete=_name("wanted", key) if asked_by else "")
        return changed.run if changed else None

    def anchor(self, key: Key, slot: float) -> None:
        """From here on the slots of a source count."""
        self._change(key, lambda known, now: standing.anchored(known, slot))

    def start(self, key: Key, run_id: str, worker: str) -> Run | None:
        """The run becomes the worker's; nothing where it is not to be run, or not any more."""

        def step(known: Standing, now: float) -> Change | None:
            if self.redis.exists(_name("paused", key)):
                return standing.withdraw(known, run_id)
            return standing.start(known, run_id, worker, now)

        changed = self._change(key, step, watched=_name("paused", key))
        return changed.standing.run if changed else None

    def start_here(
        self, key: Key, slot: float, *, deadline: int, worker: str, asked_by: str, covers: bool
    ) -> Run | None:
        """Takes a run and starts it in this process, without a queue."""

        def step(known: Standing, now: float) -> Change | None:
            claimed = standing.claim(
                known,
                slot if covers else now,
                now,
                queue="batch",
                deadline=deadline,
                asked_by=asked_by,
                covers=covers,
            )
            if not claimed:
                return None
            return standing.start(claimed.standing, claimed.run.id, worker, now)

        changed = self._change(key, step)
        return changed.run if changed else None

    def beat(self, key: Key, token: int, step: str = "", above: int = 0) -> int:
        """Says that the run goes on; its token, or 0 where it is not the worker's own any more."""
        changed = self._change(
            key, lambda known, now: standing.beat(known, token, now, step, above)
        )
        return changed.run.token if changed else 0

    def end(self, key: Key, token: int, outcome: standing.Outcome) -> Ended | None:
        """Writes the run into the journal; nothing where it is no longer the worker's own."""
        changed = self._change(key, lambda known, now: standing.end(known, token, outcome, now))
        return changed.ended if changed else None

    def hand_back(self, key: Key, run_id: str, worker: str) -> bool:
        """Leaves a run to the next worker."""
        return bool(self._change(key, lambda k, now: standing.hand_back(k, run_id, worker, now)))

    def killed(self, key: Key, run_id: str, worker: str) -> Ended | None:
        """Has a run begun anew whose process has ended without a word, or ends it as failed."""
        changed = self._change(key, lambda k, now: standing.killed(k, run_id, worker, now))
        return changed.ended if changed else None

    def lapse(self, key: Key) -> Change | None:
        """Has a run begun anew that nobody has heard of, or ends it as failed."""
        return self._change(key, standing.lapse)

    def redeliver(self, key: Key, run: Run) -> None:
        """Puts a run into its queue again from which it has got lost."""
        if not queue.holds(self.redis, *key, run):
            self._change(key, lambda known, now: standing.redeliver(known, run.id, now))

    def pause(self, key: Key, note: Note) -> None:
        """No run of the source begins until it is resumed."""
        self._put("paused", key, note)

    def resume(self, key: Key) -> bool:
        """Whether the source was paused."""
        return bool(self.redis.delete(_name("paused", key)))

    def want(self, key: Key, note: Note) -> None:
        """Has the source run at once."""
        self._put("wanted", key, note)

    def _put(self, kind: str, key: Key, note: Note) -> None:
        with self.redis.pipeline() as pipe:
            pipe.sadd("aizu:sources", str(key))
            pipe.set(_name(kind, key), _dump(note))
            pipe.execute()

    def known(self, keys: Iterable[Key]) -> dict[Key, Known]:
        """What is known of these sources, in one request."""
        asked = list(keys)
        names = [_name(kind, key) for key in asked for kind in ("source", "paused", "wanted")]
        values = iter(self.redis.mget(names)) if names else iter(())
        return {
            key: Known(
                standing=_standing(next(values)),
                paused=_load(Note, next(values)),
                wanted=_load(Note, next(values)),
            )
            for key in asked
        }

    def sources(self) -> list[Key]:
        """Every source that was ever run or scheduled."""
        members = (_text(member) for member in self.redis.smembers("aizu:sources"))
        return sorted(Key(*member.split("/", 1)) for member in members)

    def runs(self, key: Key, most: int = KEPT_RUNS) -> list[Ended]:
        """The last runs, newest first."""
        lines = self.redis.lrange(_name("journal", key), 0, most - 1)
        return [ended for line in lines if (ended := _load(Ended, line))]

    def host_failed(self, host: str, asked: float = 0.0) -> None:
        """Leaves a host alone, longer than the last time."""
        name = f"aizu:host:{host}"

        def attempt(pipe: Pipeline) -> None:
            known = _load(backoff.Pause, pipe.get(name))
            pause = backoff.after_failure(known, self.now(), asked, random.random())  # noqa: S311  no secret
            pipe.multi()
            pipe.set(name, _dump(pause), ex=HOST_FORGOTTEN_S)

        self.redis.transaction(attempt, name)

    def host_well(self, host: str) -> None:
        """The host has answered: its failures are forgotten."""
        self.redis.delete(f"aizu:host:{host}")

    def hosts(self, hosts: Iterable[str]) -> dict[str, float]:
        """Until when each of the hosts is left alone; 0 where it may be asked."""
        asked = list(hosts)
        values = self.redis.mget([f"aizu:host:{host}" for host in asked]) if asked else []
        pauses = (_load(backoff.Pause, value) for value in values)
        return {host: p.until if p else 0.0 for host, p in zip(asked, pauses, strict=True)}

    def scheduler_lives(self, name: str) -> None:
        """A scheduler says that it is there."""
        self.redis.set("aizu:scheduler", name, ex=SCHEDULER_S)

    def scheduler(self) -> str:
        """The scheduler that was heard of last; nothing where none runs."""
        return _text(self.redis.get("aizu:scheduler") or b"")

    def _change(
        self, key: Key, step: Step, *, watched: str = "", also_delete: str = ""
    ) -> Change | None:
        """Applies a step; where another was faster, to what that one has left."""
        name = _name("source", key)

        with self.redis.pipeline() as pipe:
            while True:
                try:
                    pipe.watch(name, *([watched] if watched else []))  # type: ignore[no-untyped-call]
                    changed = step(_standing(pipe.get(name)), self.now())
                    if not changed:
                        return None
                    pipe.multi()
                    self._write(pipe, key, changed)
                    if also_delete:
                        pipe.delete(also_delete)
                    pipe.execute()
                except redis.WatchError:
                    continue
                return changed

    def _write(self, pipe: Pipeline, key: Key, changed: Change) -> None:
        pipe.sadd("aizu:sources", str(key))
        pipe.set(_name("source", key), _dump(changed.standing))
        if changed.ended:
            pipe.lpush(_name("journal", key), _dump(changed.ended))
            pipe.ltrim(_name("journal", key), 0, KEPT_RUNS - 1)
        if changed.deliver:
            queue.put(pipe, self.redis, *key, changed.run)


def connect(settings: Settings) -> Journal:
    """The journal in the portal's Redis."""
    return Journal(open_redis(settings))


def _claim(
    known: Standing, now: float, *, slot: float, queue: str, deadline: int, asked_by: str
) -> Change | None:
    return standing.claim(known, slot, now, queue=queue, deadline=deadline, asked_by=asked_by)


def _name(kind: str, key: Key) -> str:
    return f"aizu:{kind}:{key}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _dump(value: Any) -> str:  # noqa: ANN401  any of our dataclasses
    return json.dumps(asdict(value), ensure_ascii=False, separators=(",", ":"))


def _standing(value: bytes | str | None) -> Standing:
    """The standing that was kept; of a new source, that of one that was never run."""
    told = _load(Standing, value)
    if told is None:
        return Standing()
    return replace(told, run=_load(Run, json.dumps(told.run)))


def _load(kind: type[T], value: bytes | str | None) -> T | None:
    """What was kept; nothing where it is absent or another program's."""
    try:
        return _build(kind, json.loads(value)) if value else None
    except (ValueError, TypeError, AttributeError):
        return None


def _build(kind: type[T], told: dict[str, Any]) -> T:
    """The fields that this version knows; one after it may have written more."""
    names = {field.name for field in fields(cast("Any", kind))}
    return kind(**{name: value for name, value in told.items() if name in names})
