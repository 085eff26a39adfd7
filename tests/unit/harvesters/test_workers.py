"""Schedulers and workers as processes, each with a folder of its own, killed and stopped at their work.

AIZU_TEST_ALL=1 runs those, too, that wait for long.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from click.testing import CliRunner

from harvesters import dispatch, queue
from harvesters import settings as setting
from harvesters.city import load_city
from harvesters.cli import cli
from harvesters.journal import Journal, Key, Note
from harvesters.perform import MERCY_S
from harvesters.standing import LEASE_S

from .conftest import as_csv, numbered, patient
from .redis_server import Server

KEY = Key("aizuwakamatsu", "hydrant")
pytestmark = pytest.mark.usefixtures("environment")
COMMAND = [sys.executable, "-c", "from harvesters.main import main; main()"]


@pytest.fixture
def city(demo_city):
    """A city whose server answers when it is let, or with a fault."""
    content = requests.get(f"{demo_city}/hydrant/072028_fire_hydrant.csv", timeout=10).content

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):
            told.asked += 1
            told.open.wait(60)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.content)))
            self.end_headers()
            with suppress(OSError):  # whoever asked may have been killed
                self.wfile.write(told.content)

        def log_message(self, format, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        url = f"http://127.0.0.1:{server.server_port}"
        told = SimpleNamespace(url=url, asked=0, open=threading.Event(), status=200, headers={})
        told.content = content
        told.open.set()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield told
        told.open.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def environment(settings_env, redis_server, city, portal):
    """The settings of this process and of those it starts."""
    settings_env.setenv("AIZU_REDIS_URL", redis_server.url)
    settings_env.setenv("AIZU_CITY_URL", city.url)
    settings_env.setenv("AIZU_PORTAL_URL", portal.url)
    settings_env.setenv("AIZU_API_TOKEN", "secret")
    settings_env.setenv("LC_ALL", "C.UTF-8")
    return settings_env


@pytest.fixture
def start(journal, tmp_path):
    """Starts `aizu …` with a folder of its own; ends it with the test."""
    running = []
    leave_alone(journal)

    def started(*words, machine="one"):
        own = os.environ | {"AIZU_VAR": str(tmp_path / machine)}
        with (tmp_path / f"{machine}.log").open("ab") as log:
            process = subprocess.Popen([*COMMAND, *words], env=own, stdout=log, stderr=log)
        running.append(process)
        return process

    yield started
    for process in running:
        process.kill()
        process.wait()


def leave_alone(journal):
    """No other source of the city than the one that is looked at runs meanwhile."""
    for name in load_city(KEY.city).feeds:
        if name != KEY.source:
            journal.pause(Key(KEY.city, name), Note(by="x", at=0.0, reason="test"))


def until(ready, seconds=120):
    """Waits for something, and gives it back."""
    last = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < last, "it did not happen"
        time.sleep(0.05)
    return found


def horse(worker):
    """The process in which a worker does its run."""
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
    return int(until(lambda: children.read_text().split())[0])


def published(portal):
    """How often something was published."""
    return [action for action, *_ in portal.calls].count("aizu_publish")


def run_now(journal):
    """What the scheduler does when a person asks."""
    journal.want(KEY, Note(by="x", at=journal.now()))
    look(journal)


def look(journal, later=0.0):
    """One look of a scheduler, now or in so many seconds."""
    seen = Journal(journal.redis, lambda: journal.now() + later)
    current = setting.read()
    dispatch.tick(seen, dispatch.planned(load_city("aizuwakamatsu", current.city_url), current))


@patient
def test_two_schedulers_and_two_workers_run_a_missed_slot_once(start, journal, portal):
    """Redis, portal and token are all that the machines share."""
    journal.anchor(KEY, journal.now() - 3 * 86_400)
    for machine in ("one", "two"):
        start("schedule", machine=f"{machine}-schedule")
        start("worker", machine=machine)
    (run,) = until(lambda: journal.runs(KEY))
    time.sleep(2.5)
    assert len(journal.runs(KEY)) == 1
    assert published(portal) == 1
    assert (run.state, run.rows, run.starts, run.step) == ("ok", 1486, 1, "publish")


def test_a_worker_that_is_killed_leaves_its_run_to_another_machine(
    start, journal, city, portal, tmp_path
):
    """`kill -9` in the middle of a run: its process dies, too; the run is begun anew, once."""
    city.open.clear()
    first = start("worker")
    run_now(journal)
    until(lambda: city.asked)
    child = horse(first)
    first.kill()
    first.wait()
    until(lambda: not Path(f"/proc/{child}").exists())
    second = start("worker", "--queue", "batch", machine="two")
    look(journal)
    assert journal.known([KEY])[KEY].standing.run.state == "running"
    look(journal, LEASE_S + 1)
    city.open.set()
    (run,) = until(lambda: journal.runs(KEY))
    assert (run.state, run.starts) == ("ok", 2)
    assert f"-{second.pid}-" in run.worker
    assert published(portal) == 1
    assert (tmp_path / "two/harvest/aizuwakamatsu/hydrant/status.json").exists()
    assert not (tmp_path / "one/harvest/aizuwakamatsu/hydrant/status.json").exists()


def test_a_run_that_is_killed_three_times_has_failed(start, journal, city, portal):
    """As when the memory is short; the worker finds it at once."""
    city.open.clear()
    worker = start("worker")
    run_now(journal)
    for times in (1, 2, 3):
        until(lambda times=times: city.asked == times)
        os.kill(horse(worker), signal.SIGKILL)
    (run,) = until(lambda: journal.runs(KEY))
    assert (run.state, run.starts) == ("failed", 3)
    assert worker.poll() is None
    assert published(portal) == 0


@patient
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_stopped_hands_its_run_back(start, journal, city, portal, number):
    """After a while of grace; it exits with 0, and the run counts as not begun."""
    city.open.clear()
    worker = start("worker")
    run_now(journal)
    until(lambda: city.asked)
    worker.send_signal(number)
    assert worker.wait(14) == 0
    run = journal.known([KEY])[KEY].standing.run
    assert (run.state, run.starts) == ("queued", 0)
    city.open.set()
    start("worker", machine="two")
    (run,) = until(lambda: journal.runs(KEY))
    assert (run.state, run.starts, published(portal)) == ("ok", 1, 1)


@patient
def test_a_worker_that_is_stopped_ends_a_quick_run(start, journal, city, portal):
    """Schedulers and idle workers end at once, with 0."""
    city.content = as_csv(numbered(3))  # too few, and refused at once
    city.open.clear()
    worker, scheduler, idle = start("worker"), start("schedule"), start("worker", "--queue", "live")
    run_now(journal)
    until(lambda: city.asked)
    until(lambda: journal.scheduler().endswith(f"-{scheduler.pid}"))
    until(lambda: queue.workers(journal.redis, "live") == 2)
    for process in (worker, scheduler, idle):
        process.terminate()
    city.open.set()
    assert [process.wait(14) for process in (worker, scheduler, idle)] == [0, 0, 0]
    assert journal.runs(KEY)[0].step == "validate"
    assert portal.calls[-1][0] == "aizu_harvest_status"


def test_a_worker_that_comes_back_from_the_dead_does_not_publish(start, journal, city, portal):
    """It was frozen for longer than a lease; another has done its run by then."""
    city.open.clear()
    zombie = start("worker")
    run_now(journal)
    until(lambda: city.asked)
    child = horse(zombie)
    for pid in (zombie.pid, child):
        os.kill(pid, signal.SIGSTOP)
    look(journal, LEASE_S + 1)
    city.open.set()
    start("worker", machine="two")
    until(lambda: journal.runs(KEY))
    for pid in (child, zombie.pid):
        os.kill(pid, signal.SIGCONT)
    until(lambda: not Path(f"/proc/{child}").exists())
    assert published(portal) == 1
    assert {call[0] for call in portal.calls} == {"aizu_harvest_unchanged", "aizu_publish"}
    assert len(journal.runs(KEY)) == 1


def test_a_run_that_hangs_is_given_up(start, journal, city):
    """The deadline is kept, the message says so, and the host is left alone."""
    city.open.clear()
    journal.claim(KEY, journal.now(), queue="live", deadline=2)
    start("worker")
    (run,) = until(lambda: journal.runs(KEY))
    assert run.state == "failed"
    assert "2 s" in run.message_en
    assert run.ended_at - run.started_at < 2 + MERCY_S + 3
    assert journal.hosts([city.url.removeprefix("http://")]).popitem()[1] > journal.now()


def test_a_host_is_left_alone_as_long_as_it_asks(start, journal, city):
    """Retry-After, as far as the status."""
    city.status, city.headers = 503, {"Retry-After": "600"}
    start("worker")
    run_now(journal)
    (run,) = until(lambda: journal.runs(KEY))
    assert (run.state, run.step) == ("failed", "")
    asked = journal.hosts([city.url.removeprefix("http://")]).popitem()[1] - run.ended_at
    assert 590 < asked < 610
    output = CliRunner().invoke(cli, ["status"]).output
    assert "サーバーの回復を" in output


@patient
def test_redis_may_go_and_come_back(tmp_path, environment, start, city, portal):
    """In the middle of a run: it waits before it publishes; nothing is lost, nothing done twice."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = Server(folder, keeps=True)
    environment.setenv("AIZU_REDIS_URL", server.url)
    journal = Journal(server.redis)
    leave_alone(journal)
    try:
        city.open.clear()
        scheduler, worker = start("schedule"), start("worker", machine="two")
        until(lambda: journal.scheduler())
        journal.want(KEY, Note(by="x", at=journal.now()))
        until(lambda: city.asked)
        server.kill()
        city.open.set()
        time.sleep(3)
        assert published(portal) == 0
        server.start()
        (run,) = until(lambda: journal.runs(KEY))
        assert (run.state, run.starts, published(portal)) == ("ok", 1, 1)
        journal.want(KEY, Note(by="x", at=journal.now()))
        until(lambda: len(journal.runs(KEY)) == 2)
        assert (scheduler.poll(), worker.poll()) == (None, None)
    finally:
        server.close()
