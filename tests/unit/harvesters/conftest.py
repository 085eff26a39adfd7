"""What the harvester tests share: the demonstration city, a stand-in portal, lists made from rows."""

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from harvesters.city import load_city
from harvesters.dataset import Bounds
from harvesters.fetch import Snapshot
from harvesters.journal import Journal
from harvesters.source import Package
from harvesters.sources import hydrant

from .redis_server import Server

ROOT = Path(__file__).parents[3]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
patient = pytest.mark.skipif(
    not os.environ.get("AIZU_TEST_ALL"), reason="waits for long; run by scripts/test --all"
)
ROW = {
    "全国地方公共団体コード": "072028",
    "ID": "1",
    "地方公共団体名": "福島県会津若松市",
    "種別": "消火栓",
    "所在地_全国地方公共団体コード": "072028",
    "町字ID": "0001000",
    "所在地_連結表記": "福島県会津若松市追手町1番1号",
    "所在地_都道府県": "福島県",
    "所在地_市区町村": "会津若松市",
    "所在地_町字": "追手町",
    "所在地_番地以下": "1番1号",
    "建物名等(方書)": "",
    "緯度": "37.4893",
    "経度": "139.9292",
    "口径": "100",
    "備考": "",
}


@pytest.fixture(scope="session")
def demo_city():
    """The address of a demonstration city that runs as long as the tests."""
    server = subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "demo-city", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    yield ADDRESS.search(server.stdout.readline())[0]
    server.terminate()
    server.communicate(timeout=5)


@pytest.fixture
def server():
    """A server that answers as its `respond` says, and counts."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):
            server.requests.append(self.headers)
            server.respond(self)

        def log_message(self, format, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.requests = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def portal():
    """A stand-in that answers the portal's two actions as it is told, and keeps what it was sent."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            action = self.path.rpartition("/")[2]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stand_in.calls.append((action, self.headers, sent(self.headers, body)))
            told = stand_in.answers[action]
            status, answer = told(stand_in.calls[-1][2]) if callable(told) else told
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        stand_in = SimpleNamespace(
            url=f"http://127.0.0.1:{server.server_port}",
            calls=[],
            answers={
                "aizu_publish": (200, {"success": True, "result": published()}),
                "aizu_harvest_status": (200, {"success": True, "result": {}}),
                "aizu_harvest_unchanged": (200, {"success": True, "result": {}}),
                "aizu_versions": (404, {"success": False, "error": {"__type": "Not Found Error"}}),
            },
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield stand_in
        server.shutdown()
        thread.join()


def published(**changes):
    """What aizu_publish answers when all is well."""
    answer = {"name": "aizuwakamatsu-hydrant", "id": "1", "rows": 1486, "changed": True}
    return answer | {"resources": {}} | changes


def sent(headers, body):
    """The parts of a multipart request, or the JSON of any other."""
    if not headers["Content-Type"].startswith("multipart/"):
        return json.loads(body)
    message = message_from_bytes(
        b"Content-Type: " + headers["Content-Type"].encode() + b"\n\n" + body
    )
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in message.get_payload()
    }


@pytest.fixture
def settings_env(monkeypatch, tmp_path):
    """An empty environment of our settings, with a folder of its own; Japanese."""
    for name in ("PORTAL_URL", "API_TOKEN", "CITY", "CITY_URL", "CONTACT", "REDIS_URL"):
        monkeypatch.delenv(f"AIZU_{name}", raising=False)
    monkeypatch.setenv("AIZU_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    return monkeypatch


def as_csv(rows, headings=None, encoding="cp932"):
    """A list as a city would send it, from rows that say only what is particular about them."""
    headings = headings or list(ROW)
    lines = [headings] + [[(ROW | row).get(name, "") for name in headings] for row in rows]
    return "".join(",".join(line) + "\r\n" for line in lines).encode(encoding)


def snapshot_of(content, filename="list.csv"):
    """Bytes as if they had just been fetched."""
    return Snapshot(
        content=content,
        url="http://127.0.0.1/list.csv",
        filename=filename,
        fetched_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def numbered(count, **same):
    """Rows that differ in nothing but their number."""
    return [{"ID": str(number)} | same for number in range(1, count + 1)]


@pytest.fixture
def aizu():
    """The city of Aizuwakamatsu, with row bounds that small lists keep."""
    return small(load_city("aizuwakamatsu"))


def small(city):
    """The city with room for small lists."""
    feeds = {
        name: replace(feed, rows=Bounds(minimum=1, maximum=3000))
        for name, feed in city.feeds.items()
    }
    return replace(city, feeds=feeds)


def hydrants_only(load):
    """The city as if it had one dataset, so that `--all` is the same as one source."""

    def loaded(*arguments):
        city = load(*arguments)
        return replace(city, feeds={"hydrant": city.feeds["hydrant"]})

    return loaded


@pytest.fixture
def normalised(aizu):
    """Reads the bytes of a hydrant list into a table."""
    return lambda content, city=aizu: table_of(snapshot_of(content), city)


def table_of(snapshot, city):
    """The table of a hydrant list."""
    (table,) = hydrant.normalise(snapshot, city.feeds["hydrant"], city, alone).tables
    return table


def alone(name):
    """No other source has brought anything."""


def only(table):
    """The package of a dataset that has one table."""
    return Package(tables=(table,))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """A Redis for all tests of this module's folder."""
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.close()


@pytest.fixture
def journal(redis_server):
    """An empty journal."""
    redis_server.redis.flushall()
    return Journal(redis_server.redis)


@pytest.fixture
def queue_env(settings_env, redis_server, journal, demo_city, portal):
    """A portal, a city and an empty journal."""
    settings_env.setenv("AIZU_REDIS_URL", redis_server.url)
    settings_env.setenv("AIZU_CITY_URL", demo_city)
    settings_env.setenv("AIZU_PORTAL_URL", portal.url)
    settings_env.setenv("AIZU_API_TOKEN", "secret")
    assert journal.sources() == []
    return settings_env
