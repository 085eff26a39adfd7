"""A worker of RQ: takes runs from the queues of any number of machines, each in a process of its own."""

import ctypes
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
import redis
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from harvesters import queue
from harvesters import settings as setting
from harvesters.city_file import CityFile
from harvesters.connection import open_redis, unreachable, worker_name
from harvesters.errors import HarvestError, SupersededError
from harvesters.journal import Journal, Key, connect
from harvesters.settings import Settings
from harvesters.standing import Outcome, Run
from harvesters.words import Words

if TYPE_CHECKING:
    from harvesters.jobs import Job as Harvest

GRACE_S = 8.0
"""What a run may take to end when its worker is told to; scripts/serve waits 15 s."""
WAIT_S = 2.0
PR_SET_PDEATHSIG = 1
Say = Callable[[Words], None]
_CITY_FILES: dict[tuple[str, tuple[str, str]], CityFile] = {}


class HarvestWorker(Worker):
    """Leaves its run to the next worker when it has to stop or the run's process is killed."""

    max_connection_wait_time = 5.0

    def __init__(self, queues: list[str], settings: Settings, journal: Journal) -> None:
        connection = open_redis(settings)
        super().__init__(
            [queue.named(connection, name) for name in queues],
            # In a container the process before this one had the same number.
            name=f"{worker_name()}-{secrets.token_hex(2)}",
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=60,
            job_monitoring_interval=10,
        )
        self.stopping = False
        self._journal = journal
        self._parent = os.getpid()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Looks at the city file here, where its last good state outlives the run."""
        with suppress(HarvestError):  # the run says it itself
            _city_file(job.args[0])
        super().execute_job(job, queue)

    def main_work_horse(self, *arguments: Any) -> None:  # noqa: ANN401  RQ's own
        """Dies with the worker above it, which could not end it any more."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._parent:
            os._exit(1)
        super().main_work_horse(*arguments)

    def handle_warm_shutdown_request(self) -> None:
        """The run may end in peace, if it is quick."""
        self.stopping = True
        last_moment = threading.Timer(GRACE_S, self._end_horse)
        last_moment.daemon = True
        last_moment.start()

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Told twice: at once."""
        self._end_horse()

    def _end_horse(self) -> None:
        with suppress(ProcessLookupError):
            if self.horse_pid:
                os.kill(self.horse_pid, signal.SIGKILL)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:  # noqa: ANN401, ARG002
        """The next worker begins the run anew."""
        city, source, run_id = job.args
        if self.stopping:
            self._journal.hand_back(Key(city, source), run_id, self.name)
        else:
            self._journal.killed(Key(city, source), run_id, self.name)


def _city_file(name: str) -> CityFile:
    """The file of a city, of which this process and those that it forks remember the last good state.

    Raises:
        ConfigurationError: it was broken from the beginning.
    """
    current = setting.read()
    key = name, current.servers
    if key not in _CITY_FILES:
        _CITY_FILES[key] = CityFile(name, *current.servers)
    elif told := _CITY_FILES[key].look():
        log_line(told.en)
    return _CITY_FILES[key]


def harvest(city: str, source: str, run_id: str) -> None:
    """What the queue calls: the run, if it is still to be run; its end is told by the journal."""
    from harvesters import jobs  # not above: a worker that waits for its one run a day is small

    settings = setting.read()
    journal = connect(settings)
    key = Key(city, source)
    run = journal.start(key, run_id, os.environ.get("RQ_WORKER_ID") or worker_name())
    if not run:
        return
    try:
        loaded = _city_file(city).city
        (job,) = jobs.of_loaded(settings, loaded, [source])
    except HarvestError as error:
        ja, en = error.words
        journal.end(key, run.token, Outcome(state="failed", message=ja, message_en=en))
        return
    _logged(journal, key, run, job)


def _logged(journal: Journal, key: Key, run: Run, job: "Harvest") -> None:
    """A live feed is silent in the log unless it fails, as it would fill the disk."""
    from harvesters.perform import perform

    begun = time.monotonic()
    try:
        published = perform(journal, key, run, job)
        told = f"{published.rows:,} rows" + ("" if published.changed else ", unchanged")
    except SupersededError as error:
        told = error.words.en
    except HarvestError as error:
        told = f"failed: {error.words.en}"
    if run.queue == "batch" or told.startswith("failed"):
        log_line(f"{key} {run.id}  {told}  ({time.monotonic() - begun:.1f} s)")


def log_line(text: str) -> None:
    """One line of the log."""
    click.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}")


def work(settings: Settings, queues: list[str], say: Say) -> None:
    """Works until it is told to stop; a Redis that has gone is waited for."""
    told = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told.set()  # the exception alone might be caught by whatever goes on
        raise StopRequested

    with suppress(StopRequested):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        journal = connect(settings)
        if "live" in queues:
            # Once for all runs, which follow one another by the second.
            import harvesters.perform  # noqa: F401

        while not told.is_set() and not _work_once(settings, queues, journal, say):
            time.sleep(WAIT_S)


def _work_once(settings: Settings, queues: list[str], journal: Journal, say: Say) -> bool:
    """Until the worker stops or Redis goes; whether it was told to stop."""
    worker = None
    try:
        worker = HarvestWorker(queues, settings, journal)
        worker.work(logging_level="WARNING")
    except redis.RedisError as error:
        say(unreachable(settings, error).words)
    if worker and worker.horse_pid:
        worker.wait_for_horse()
    return bool(worker and worker.stopping)
