"""The harvester is killed while it fetches, judges, sends or waits: readers keep what they had, and the next run heals."""

import os
import re
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from socket import create_connection
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

import polars as pl
import pytest
import requests
from redis import Redis

from harvesters.journal import Journal, Key
from harvesters.standing import LEASE_S

from .conftest import ROOT
from .copies import eventually
from .leftovers import nothing_left
from .test_killed import ckan

ALL = bool(os.environ.get("AIZU_TEST_ALL"))
ROUNDS = 3 if ALL else 1
KEY = Key("aizuwakamatsu", "hydrant")
DATASET = "aizuwakamatsu-hydrant"
SENT = 1_500_000
"""Bytes, a little less than all of a publication of the hydrants."""
STEPS = {"has fetched": "取得", "has normalised": "正規化", "has judged": "検証"}
FETCHES = {"asks the city": 0.0, "is half through fetching": 0.5, "has nearly fetched": 0.99}
SENDS = {"begins to send": 0.01, "is half through sending": 0.5, "has nearly sent": 0.99}
WAITS = ("waits for the answer", "is answered")
FEW = {"is half through fetching", "has judged", "is half through sending", "waits for the answer"}
MOMENTS = [
    moment
    for moment in (*STEPS, *FETCHES, *SENDS, *WAITS)
    for _ in range(ROUNDS)
    if ALL or moment in FEW
]
ROW = {"rows": '"_id":', "geojson": '"Feature"'}
"""What each row has once; in the other parts it is a line."""


class City(BaseHTTPRequestHandler):
    """Has one list at every address."""

    def do_GET(self):
        """Sends it; up to the share at which whoever asks is killed."""
        content, run = self.server.content, self.server.run
        upto = int(len(content) * FETCHES.get(run.moment, 1))
        with suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:upto])
            if run.moment in FETCHES:
                run.kill()
            self.wfile.write(content[upto:])

    def log_message(self, *_):
        """Nobody reads it."""


class Door(BaseRequestHandler):
    """Stands between the harvester and the portal, and counts what is sent."""

    def handle(self):
        """Lets all pass until the moment."""
        place, sent = urlsplit(self.server.url), 0
        with suppress(OSError), create_connection((place.hostname, place.port)) as portal:
            while True:
                ready, _, _ = select([self.request, portal], [], [], 0.1)
                answered = portal in ready
                if self._is_now(sent, answered=answered, waits=not ready):
                    self.server.run.kill()
                    return
                source, target = (portal, self.request) if answered else (self.request, portal)
                block = source.recv(16384) if ready else b""
                if ready and not block:
                    return
                sent += len(block) * (not answered)
                target.sendall(block)

    def _is_now(self, sent, *, answered, waits):
        moment = self.server.run.moment
        return (
            (moment in SENDS and sent > SENDS[moment] * SENT)
            or (moment == "waits for the answer" and sent > SENT and waits)
            or (moment == "is answered" and sent > SENT and answered)
        )


@dataclass
class Run:
    """An `aizu run` that is killed at a moment."""

    moment: str
    process: subprocess.Popen[str] | None = None

    def kill(self):
        """Kill -9."""
        self.process.kill()

    def start(self, portal, **environment):
        """Runs until it is killed; its exit code and what it has said."""
        known = {**os.environ, "AIZU_VAR": str(portal.var), "LANG": "ja_JP.UTF-8", **environment}
        self.process = subprocess.Popen(
            [ROOT / ".venv/bin/aizu", "run", "hydrant"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=known,
        )
        said = ""
        with self.process:
            for line in self.process.stdout:
                said += line
                if self.moment in STEPS and STEPS[self.moment] in line:
                    self.kill()
        return self.process.returncode, said


@contextmanager
def serving(server_class, handler, **known):
    """The address of a server that knows these things."""
    with server_class(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        vars(server).update(known)
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def _text(kind, content):
    """What can be read of a file."""
    if kind == "parquet":
        return pl.read_parquet(content).select(pl.exclude(pl.Binary)).write_csv()
    return content.decode("cp932" if kind == "original" else "utf-8")


def harvest(portal, content, moment=""):
    """Runs the hydrants of a city that has this list."""
    run = Run(moment)
    with (
        serving(ThreadingHTTPServer, City, content=content, run=run) as city,
        serving(ThreadingTCPServer, Door, url=portal.url, run=run) as door,
    ):
        return run.start(portal, AIZU_CITY_URL=city, AIZU_PORTAL_URL=door)


class Look:
    """What a reader finds: which list the table and the files are of."""

    def __init__(self, portal):
        told = portal.api().action.package_show(id=DATASET)
        self.portal = portal
        self.paths = {
            one["kind"]: f"/dataset/{DATASET}/resource/{one['id']}/download/x"
            for one in told["resources"]
        }
        (table,) = [one["id"] for one in told["resources"] if one["kind"] == "table"]
        self.paths["rows"] = f"/api/3/action/datastore_search?resource_id={table}&limit=2000"
        self.sizes, self.faults = {}, []

    def __call__(self):
        """The mark of the list that each part is of; the sound one has none."""
        return {kind: self._mark(kind, path) for kind, path in self.paths.items()}

    def at_all(self, over):
        """Looks until it is told that all is over."""
        while not over.wait(0.3):
            self()

    def _mark(self, kind, path):
        answer = self.portal.get(path)
        text = _text(kind, answer.content) if answer.ok else ""
        size = text.count(ROW.get(kind, "\n"))
        if not answer.ok or size != self.sizes.setdefault(kind, size) or size < 1000:
            self.faults.append(f"{kind}: {answer.status_code}, {size} rows")
        return "".join(re.findall("第[0-9]+世代", text))


@pytest.fixture(scope="module", autouse=True)
def cleaned(portal):
    """A publication lets go what was held before, whose files the operator's command removes."""
    with nothing_left(portal):
        yield
        ckan(portal, "versions", "prune")


@pytest.fixture(scope="module")
def journal(portal):
    """Of all runs; the portal's own workers see to the hydrants, too."""
    known = (portal.var / "harvest.env").read_text()
    address = re.search("^AIZU_REDIS_URL=(.*)$", known, re.MULTILINE)[1]
    with Redis.from_url(address) as redis:
        found = Journal(redis)
        portal.aizu("resume", "hydrant")
        assert eventually(lambda: idle(found), 60)
        yield found
        assert eventually(lambda: idle(found), 60)
        paused = portal.aizu("pause", "hydrant", "--reason", "試験")
        assert paused.returncode == 0, paused.stderr


def idle(journal):
    """Whether no run of the hydrants is on its way."""
    return journal.known([KEY])[KEY].standing.run is None


@pytest.fixture(scope="module")
def lists(portal):
    """Makes lists of which one row says a number."""
    sound = requests.get(f"{portal.city_url}/hydrant/072028_fire_hydrant.csv", timeout=60).content
    rows = sound.split(b"\r\n")
    return lambda number: b"\r\n".join(
        [rows[0], rows[1].rpartition(b',"')[0] + f",第{number}世代".encode("cp932"), *rows[2:]]
    )


@pytest.mark.parametrize(("number", "moment"), list(enumerate(MOMENTS, 1)))
def test_killed_harvester(portal, journal, lists, number, moment):
    """Nothing is half published; the run is made again by itself, and readers see no gap."""
    look, over = Look(portal), threading.Event()
    reader = threading.Thread(target=look.at_all, args=(over,))
    reader.start()
    try:
        code, said = harvest(portal, lists(number), moment)
        assert code == -signal.SIGKILL, said
        lost = journal.known([KEY])[KEY].standing.run
        assert eventually(lambda: len(set(look().values())) == 1)
        assert look()["rows"] in ("", f"第{number}世代")
        made_again(journal, lost)
        assert set(look().values()) == {""}
    finally:
        over.set()
        reader.join()
    assert not look.faults
    # In the folders of the live sources there are such for a moment with every run.
    assert not list((portal.var / "harvest" / KEY.city / KEY.source).rglob(".new-*"))


@pytest.mark.usefixtures("journal")
def test_next_list_is_published_after_all_that(portal, lists):
    """By hand, and then the sound one again."""
    code, said = harvest(portal, lists(0))
    assert code == 0, said
    assert set(Look(portal)().values()) == {"第0世代"}
    assert portal.aizu("run", "hydrant").returncode == 0
    assert set(Look(portal)().values()) == {""}


def made_again(journal, lost):
    """The scheduler finds the run when it looks for lost ones; a worker does it, under the same slot."""
    assert (lost.state, lost.starts) == ("running", 1)
    # The portal's own scheduler may have been here before.
    Journal(journal.redis, lambda: journal.now() + LEASE_S + 1).lapse(KEY)
    assert eventually(lambda: idle(journal), 60)
    (made,) = journal.runs(KEY, 1)
    assert (made.id, made.starts) == (lost.id, 2)
    assert made.state in ("ok", "unchanged"), made
