"""scripts/serve as an operator meets it: starts, stops, refuses, goes on where it was interrupted."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .copies import ROOT, STOP_S, Copy, eventually, serve

LONG = pytest.mark.skipif(
    not os.environ.get("AIZU_TEST_ALL"),
    reason="starts portals for most of a minute; only with --all",
)


@pytest.fixture(scope="module")
def copy(portal) -> Iterator[Copy]:
    """A folder and a port for another portal, beside the one of the tests."""
    var = portal.var.parent / "test copy 雪"
    shutil.rmtree(var, ignore_errors=True)
    other = Copy(var=var)
    yield other
    other.end()


def test_first_start_prints_laps_and_the_password_once(copy, portal):
    """The first start sets everything up; the next keeps the password, also with a new token."""
    printed = copy.start("--no-demo")
    assert re.search(r"Ready after [\d.]+ s:  http://127\.0\.0\.1:\d+", printed)
    password = re.search(r"password \(shown only now\): (\S+)", printed)[1]
    assert len(password) >= 12
    assert "all sources harvested, validated and published" in printed
    home = requests.get(f"{copy.url}/", timeout=30)
    assert home.status_code == 200
    assert portal.get("/").status_code == 200, "the other portal is not disturbed"
    assert serve("--stop", "--var", str(copy.var)).returncode == 0
    copy.running[-1].wait(STOP_S)
    before = without_token(copy.var / "harvest.env")
    (copy.var / "set-up").unlink()
    assert "password" not in copy.start("--no-demo")
    assert without_token(copy.var / "harvest.env") not in ("", before)
    login = requests.Session()
    page = login.get(f"{copy.url}/user/login", timeout=30).text
    csrf = re.search(r'name="_csrf_token" content="([^"]+)"', page)[1]
    form = {"login": "admin", "password": password, "_csrf_token": csrf}
    answer = login.post(f"{copy.url}/user/login", data=form, timeout=30)
    assert "/dashboard" in answer.url or "admin" in answer.text


def without_token(file: Path) -> str:
    """Takes the token's line out of harvest.env, as docs/operate.md says; returns the token."""
    lines = file.read_text().splitlines(keepends=True)
    (line,) = [line for line in lines if line.startswith("AIZU_API_TOKEN=")]
    file.write_text("".join(other for other in lines if other != line))
    return line.partition("=")[2].strip()


def test_data_is_closed_to_other_users(copy):
    """Files, logs and what Redis has saved can be read by their owner only."""
    kept = ("storage", "harvest", "redis", "log", "postgres", "vault")
    for name in (*kept, "redis.conf", "ckan.ini", "deep-token.pem"):
        assert (copy.var / name).stat().st_mode & 0o077 == 0, name


def test_redis_is_not_open_to_everybody(portal):
    """The own Redis, whose jobs are run as the portal's user, takes no word without the password."""
    port = re.search(r"^port (\d+)$", (portal.var / "redis.conf").read_text(), re.MULTILINE)[1]
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
        connection.sendall(b"LPUSH rq:queue:ckan:aizu:default job\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")


def test_status_names_processes_memory_and_address(copy):
    """--status says what runs and where; the whole stays below a gigabyte."""
    names = {"postgres", "redis", "vault", "web", "worker", "nginx", "batch", "schedule"}

    def missing():
        told = serve("--status", "--var", str(copy.var))
        assert told.returncode == 0
        return names - {line.split()[0] for line in told.stdout.splitlines()}

    # One that has died is missing for the second until it is started again: its log says why.
    assert eventually(lambda: not missing(), 10), [
        (copy.var / "log" / f"{name}.log").read_text()[-2000:] for name in missing()
    ]
    told = serve("--status", "--var", str(copy.var))
    assert int(re.search(r"in all\s+(\d+) MB", told.stdout)[1]) < 1000
    assert told.stdout.rstrip().endswith(copy.url)


def test_one_folder_one_portal(copy):
    """A second start on the same folder is refused in one line, and disturbs nothing."""
    told = serve("--var", str(copy.var), "--port", str(copy.port + 7))
    assert told.returncode == 1
    assert "runs already" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
    assert requests.get(f"{copy.url}/", timeout=30).status_code == 200


def test_a_process_that_dies_is_started_again(copy):
    """Kill -9 of web server and worker is mended within seconds: pages answer, jobs are done."""
    before = copy.pids()
    for name in ("worker", "web"):
        os.kill(before[name], signal.SIGKILL)
    for name in ("worker", "web"):
        assert eventually(lambda name=name: copy.pids().get(name, before[name]) != before[name])
    assert eventually(lambda: requests.get(f"{copy.url}/", timeout=30).status_code == 200)
    subprocess.run(
        [ROOT / ".venv" / "bin" / "ckan", "jobs", "test"],
        check=True,
        capture_output=True,
        env={**os.environ, "CKAN_INI": str(copy.var / "ckan.ini")},
    )
    log = copy.var / "log" / "worker.log"
    assert eventually(lambda: "A test job" in log.read_text()), log.read_text()[-2000:]


def test_kill_9_leaves_nothing_behind(copy):
    """Kill -9 of scripts/serve takes every process with it; the next start goes on."""
    assert len(copy.children()) > 3
    copy.running[-1].kill()
    copy.running[-1].wait()
    assert eventually(lambda: not copy.children())
    assert serve("--status", "--var", str(copy.var)).returncode == 3
    assert "Ready after" in copy.start("--no-demo")


def test_sigterm_stops_everything_it_started_and_nothing_else(copy, portal):
    """An orderly stop: no process is left, the exit code is 0, the other portal answers."""
    copy.running[-1].send_signal(signal.SIGTERM)
    assert copy.running[-1].wait(STOP_S) == 0
    assert copy.children() == []
    assert portal.get("/").status_code == 200


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_port_in_use_is_said_in_one_line(copy, family, address):
    """Another program on the port: one line, exit code 1, nothing started."""
    with socket.socket(family) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind((address, copy.port))
        except OSError as error:
            pytest.skip(f"this machine has no {address}: {error}")
        other.listen()
        told = serve("--var", str(copy.var), "--port", str(copy.port), AIZU_BIND=address)
    assert told.returncode == 1
    assert f"port {copy.port} is in use" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
    assert copy.children() == []


@LONG
def test_first_start_interrupted_anywhere_goes_on(portal, copy):
    """Kill -9 in the first start, again and again: the next one finishes, also beside another's."""
    var = portal.var.parent / "test-interrupted"
    shutil.rmtree(var, ignore_errors=True)
    # The ports behind two neighbours are looked for in the same place.
    other = Copy(var=var, port=copy.port + 1)
    try:
        for seconds in (0.7, 2.5, 6):
            other.begin("--no-demo")
            time.sleep(seconds)
            other.running[-1].kill()
            other.running[-1].communicate()
        serve("--stop", "--var", str(copy.var))
        for one in (other, copy):
            one.begin("--no-demo")
        assert "password (shown only now)" in other.ready()
        assert "Ready after" in copy.ready()
        for one in (other, copy):
            assert requests.get(f"{one.url}/", timeout=30).status_code == 200
        ports = [
            set(re.findall(r"127\.0\.0\.1:(\d+)/", (one.var / "ckan.ini").read_text()))
            for one in (other, copy)
        ]
        assert not ports[0] & ports[1], "neither works with the other's servers"
    finally:
        other.end()


@LONG
def test_existing_postgresql_and_redis(portal):
    """With the addresses of existing servers nothing of the kind is started; their owner is no superuser."""
    ini = (portal.var / "ckan.ini").read_text()
    port = re.search(r"127\.0\.0\.1:(\d+)/ckan", ini)[1]
    redis = re.search(r"(redis://:\w+@127\.0\.0\.1:\d+)/0", ini)[1]
    password = json.loads((portal.var / "secrets.json").read_text())["postgres_password"]
    script = """
        DROP DATABASE IF EXISTS town; DROP DATABASE IF EXISTS town_tables;
        DROP ROLE IF EXISTS town; DROP ROLE IF EXISTS town_reader;
        CREATE ROLE town LOGIN PASSWORD 'p-ss'; CREATE ROLE town_reader LOGIN PASSWORD 'read';
        CREATE DATABASE town OWNER town; CREATE DATABASE town_tables OWNER town;
    """
    subprocess.run(
        ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port, "-U", "postgres"],
        input=script,
        text=True,
        check=True,
        env={**os.environ, "PGPASSWORD": password},
    )
    server = f"127.0.0.1:{port}"
    var = portal.var.parent / "test-existing"
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir()
    (var / "aizu.env").write_text(
        "# an operator's own servers\n"
        f"AIZU_DATABASE_URL=postgresql://town:p-ss@{server}/town\n"
        f"AIZU_DATASTORE_WRITE_URL=postgresql://town:p-ss@{server}/town_tables\n"
        f"AIZU_DATASTORE_READ_URL=postgresql://town_reader:read@{server}/town_tables\n"
        f"AIZU_REDIS_URL={redis}/3\n"
        "AIZU_WORKERS=1\n"
        "AIZU_SITE_URL=https://data.example.jp\n"
        "ckan.site_title=わが町の'データ'\n"
    )
    other = Copy(var=var)
    try:
        assert "https://data.example.jp" in other.start()
        running = serve("--status", "--var", str(var)).stdout
        assert "web" in running
        assert "postgres" not in running
        assert "redis" not in running
        page = requests.get(f"{other.url}/dataset/aizuwakamatsu-hydrant", timeout=30)
        assert page.status_code == 200
        assert "わが町の&#39;データ&#39;" in page.text
        assert "1,486" in page.text
        assert "Secure" in page.headers["Set-Cookie"], "behind https cookies are for https alone"
    finally:
        other.end()
