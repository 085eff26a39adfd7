"""One run of a source on this machine: with a heartbeat, a deadline, and a last look before the portal is told."""

import getpass
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TypeVar
from urllib.parse import urlsplit

import redis

from harvesters import pipeline
from harvesters.connection import unreachable, worker_name
from harvesters.errors import (
    DeadlineError,
    HarvestError,
    PortalError,
    PortalUnreachableError,
    RunningError,
    SourceFailedError,
    SupersededError,
    TryAgainLaterError,
)
from harvesters.jobs import Job, Tell
from harvesters.journal import Journal, Key, Note, connect
from harvesters.publish import Published
from harvesters.standing import LEASE_S, Outcome, Run
from harvesters.words import Words

BEAT_S = 5.0
BY_HAND_S = 1800
"""What a file that somebody hands over may take: a day's log is no poll of a live feed."""
MERCY_S = 15.0
"""What a run may take to say that its deadline is over; then its process is ended."""
T = TypeVar("T")


def one(job: Job, file: Path | None) -> Published:
    """Runs a source in this process; where there is a queue, its journal knows of it.

    Raises:
        HarvestError: as pipeline.run, or because the source is running somewhere.
    """
    if not job.settings.redis_url:
        return pipeline.run(job, file)
    try:
        return _here(connect(job.settings), key_of(job), job, file)
    except redis.RedisError as error:
        raise unreachable(job.settings, error) from error


def pause_of(job: Job) -> Note | None:
    """Who has paused the source and why; nobody where there is no queue.

    Raises:
        QueueUnreachableError: Redis is silent.
    """
    if not job.settings.redis_url:
        return None
    try:
        return connect(job.settings).known([key_of(job)])[key_of(job)].paused
    except redis.RedisError as error:
        raise unreachable(job.settings, error) from error


def key_of(job: Job) -> Key:
    """The name of the source in the journal."""
    return Key(job.city.id, job.source.name)


def _here(journal: Journal, key: Key, job: Job, file: Path | None) -> Published:
    """Runs a source in this process, unless it runs somewhere.

    Raises:
        HarvestError: as pipeline.run, or because the source is running.
    """
    run = journal.start_here(
        key,
        job.feed.schedule.last(journal.now()),
        deadline=job.feed.deadline if file is None else max(job.feed.deadline, BY_HAND_S),
        worker=worker_name(),
        asked_by=getpass.getuser(),
        covers=file is None,
    )
    if not run:
        raise _running(journal, key)
    return perform(journal, key, run, job, file)


def perform(journal: Journal, key: Key, run: Run, job: Job, file: Path | None = None) -> Published:
    """The four steps of a run that this process has started, and its line in the journal.

    Raises:
        HarvestError: as pipeline.run; or the run took too long, or is another worker's by now.
    """
    with Heart(journal, key, run) as heart:
        watched = replace(job, tell=heart.listening(job.tell), guard=heart.guard)
        try:
            with _time_limit(run.deadline):
                published = pipeline.run(watched, file)
        except SupersededError:
            raise
        except HarvestError as error:
            again = _blame(journal, job, heart.step, error) and file is None
            heart.end(_failed(error, heart.step, again=again))
            raise
        heart.end(_good(watched, published, heart.step))
    for host in (*job.feed.hosts, _portal(job)):
        patiently(lambda host=host: journal.host_well(host))  # type: ignore[misc]
    return published


class Heart(threading.Thread):
    """Says every few seconds that a run goes on, and learns whether it is still this process's own."""

    def __init__(self, journal: Journal, key: Key, run: Run) -> None:
        super().__init__(name=f"heart of {key}", daemon=True)
        self.step = ""
        self._journal, self._key, self._token = journal, key, run.token
        self._deadline = run.deadline
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._last_moment = time.monotonic() + run.deadline + MERCY_S

    def __enter__(self) -> "Heart":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def listening(self, tell: Tell) -> Tell:
        """The same, and the journal learns how far the run is."""

        def told(step: str, words: Words) -> None:
            self.step = step
            tell(step, words)

        return told

    def guard(self, above: int) -> int:
        """The run's token; refuses to go on where the run is another worker's, or nobody can tell."""
        try:
            own = patiently(lambda: self._beat(above))
        except redis.RedisError as error:
            raise SupersededError(
                "Redis に接続できず、ほかの作業プロセスが引き継いだかどうか分からないため、公開しません。",
                "not published: without Redis nobody can tell whether another worker has taken over",
            ) from error
        if not own:
            raise SupersededError(
                "ほかの作業プロセスが引き継いだので、ここでは公開しません。",
                "not published here: another worker has taken the run over",
            )
        return own

    def end(self, outcome: Outcome) -> None:
        """Writes how the run ended; without Redis it will be found lapsed, and made again."""
        with suppress(redis.RedisError):
            patiently(lambda: self._journal.end(self._key, self._token, outcome))

    def run(self) -> None:
        """Beats until the run is over."""
        while not self._over.wait(BEAT_S):
            if time.monotonic() > self._last_moment:
                self._give_up()
            with suppress(redis.RedisError):
                if not self._beat():
                    return

    def _beat(self, above: int = 0) -> int:
        with self._turn:  # the thread must not beat with the token of a moment ago
            own = self._journal.beat(self._key, self._token, self.step, above)
            self._token = own or self._token
        return own

    def _give_up(self) -> None:
        """Ends the process: what does not listen to its deadline hangs in foreign code."""
        outcome = _failed(_too_long(self._deadline), self.step, again=False)
        with suppress(redis.RedisError):
            self._journal.end(self._key, self._token, outcome)
        os._exit(1)


def patiently(ask: Callable[[], T]) -> T:
    """Asks again while Redis does not answer, as long as a run is not thought dead.

    Raises:
        RedisError: it did not come back.
    """
    last = time.monotonic() + LEASE_S
    while True:
        try:
            return ask()
        except redis.RedisError:
            if time.monotonic() > last:
                raise
            time.sleep(1)


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Has an alarm interrupt whatever goes on; RQ's own, which is later, gives way to it."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise _too_long(seconds)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _blame(journal: Journal, job: Job, step: str, error: HarvestError) -> bool:
    """Leaves the host alone that has failed; whether the run is made again when it is well."""
    hosts: tuple[str, ...] = ()
    if isinstance(error, PortalUnreachableError):
        hosts = (_portal(job),)
    elif isinstance(error, TryAgainLaterError) and not (isinstance(error, DeadlineError) and step):
        hosts = job.feed.hosts
    asked = error.retry_after if isinstance(error, SourceFailedError) else 0.0
    with suppress(redis.RedisError):
        for host in hosts:
            journal.host_failed(host, asked)
        if isinstance(error, PortalError) or step:
            for host in set(job.feed.hosts) - set(hosts):
                journal.host_well(host)
    return bool(hosts)


def _portal(job: Job) -> str:
    return urlsplit(job.settings.portal_url).netloc


def _good(job: Job, published: Published, step: str) -> Outcome:
    status = job.folder.status() or {}
    return Outcome(
        state="ok" if published.changed else "unchanged",
        message=str(status.get("message", "")),
        message_en=str(status.get("message_en", "")),
        rows=published.rows,
        repairs=status.get("repairs"),
        step=step,
    )


def _failed(error: HarvestError, step: str, *, again: bool) -> Outcome:
    ja, en = error.words
    return Outcome(state="failed", message=ja, message_en=en, step=step, again=again)


def _too_long(seconds: int) -> DeadlineError:
    return DeadlineError(
        f"{seconds} 秒以内に終わらないため打ち切りました（市のファイルの deadline）。",
        f"given up as it took more than {seconds} s (deadline in the city file)",
    )


def _running(journal: Journal, key: Key) -> RunningError:
    run = journal.known([key])[key].standing.run
    worker = run.worker if run else ""
    return RunningError(
        f"{key} はいま実行中か、順番を待っています（{worker or '待ち行列'}）。"
        "aizu status で確かめ、あとでもう一度実行してください。",
        f"{key} is running or queued ({worker or 'queue'}); see aizu status, and try again later",
    )
