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
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
SERVE = ROOT / "scripts" / "serve"
START_S, STOP_S = 120, 40


def serve(*words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs scripts/serve to its end."""
    return subprocess.run(
        [SERVE, *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=START_S,
        env={**os.environ, **environment},
    )


@dataclass
class Copy:
    """A second portal on the same machine."""

    var: Path
    port: int
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *words: str) -> str:
        """Starts it and returns what it printed until it was ready."""
        process = subprocess.Popen(
            [SERVE, "--var", self.var, "--port", str(self.port), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(process)
        printed = ""
        for line in process.stdout or ():
            printed += line
            if line.startswith("Ctrl-C"):
                return printed
        raise AssertionError(printed)

    def end(self) -> None:
        """Stops it and deletes its folder."""
        serve("--stop", "--var", str(self.var))
        for process in self.running:
            process.communicate(timeout=STOP_S)
        shutil.rmtree(self.var, ignore_errors=True)

    def children(self) -> list[int]:
        """Processes that work for this copy, found by its folder in their command or environment."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if f"AIZU_VAR={self.var.resolve()}\0".encode() in environment:
                found.append(int(folder.name))
        return found


@pytest.fixture(scope="module")
def copy(portal) -> Iterator[Copy]:
    """A folder and a port for another portal, beside the one of the tests."""
    var = portal.var.parent / "test-copy"
    shutil.rmtree(var, ignore_errors=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    other = Copy(var=var, port=port if port < 60000 else port - 5000)
    yield other
    other.end()


def test_first_start_prints_laps_and_the_password_once(copy, portal):
    """The first start sets everything up; the second keeps the data, and the password is not shown."""
    printed = copy.start("--no-demo")
    assert re.search(r"Ready after [\d.]+ s:  http://127\.0\.0\.1:\d+", printed)
    password = re.search(r"password \(shown only now\): (\S+)", printed)[1]
    assert len(password) >= 12
    home = requests.get(f"http://127.0.0.1:{copy.port}/", timeout=30)
    assert home.status_code == 200
    assert portal.get("/").status_code == 200, "the other portal is not disturbed"
    assert serve("--stop", "--var", str(copy.var)).returncode == 0
    copy.running[-1].wait(STOP_S)
    again = copy.start("--no-demo")
    assert "password" not in again
    login = requests.Session()
    page = login.get(f"http://127.0.0.1:{copy.port}/user/login", timeout=30).text
    csrf = re.search(r'name="_csrf_token" content="([^"]+)"', page)[1]
    form = {"login": "admin", "password": password, "_csrf_token": csrf}
    answer = login.post(f"http://127.0.0.1:{copy.port}/user/login", data=form, timeout=30)
    assert "/dashboard" in answer.url or "admin" in answer.text


def test_status_names_processes_and_memory(copy):
    """--status says what runs; the whole stays below a gigabyte."""
    told = serve("--status", "--var", str(copy.var))
    assert told.returncode == 0
    for name in ("postgres", "redis", "web", "worker", "nginx"):
        assert name in told.stdout
    assert int(re.search(r"in all\s+(\d+) MB", told.stdout)[1]) < 1000


def test_one_folder_one_portal(copy):
    """A second start on the same folder is refused in one line, and disturbs nothing."""
    told = serve("--var", str(copy.var), "--port", str(copy.port + 7))
    assert told.returncode == 1
    assert "runs already" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
    assert requests.get(f"http://127.0.0.1:{copy.port}/", timeout=30).status_code == 200


def test_a_process_that_dies_is_started_again(copy):
    """Kill -9 of a web process or of the worker is mended within seconds."""
    state = (copy.var / "run" / "state.json").read_text()
    for name in ("worker", "web"):
        os.kill(int(re.search(rf'"{name}": (\d+)', state)[1]), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = (copy.var / "run" / "state.json").read_text()
        if now == state:
            continue
        try:
            if requests.get(f"http://127.0.0.1:{copy.port}/", timeout=30).status_code == 200:
                break
        except requests.ConnectionError:
            continue
    else:
        pytest.fail("the web server was not started again")


def test_kill_9_leaves_nothing_behind(copy):
    """Kill -9 of scripts/serve takes every process with it; the next start goes on."""
    assert len(copy.children()) > 3
    copy.running[-1].kill()
    copy.running[-1].wait()
    deadline = time.monotonic() + STOP_S
    while copy.children() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert copy.children() == []
    assert serve("--status", "--var", str(copy.var)).returncode == 3
    assert "Ready after" in copy.start("--no-demo")


def test_sigterm_stops_everything_it_started_and_nothing_else(copy, portal):
    """An orderly stop: no process is left, the exit code is 0, the other portal answers."""
    copy.running[-1].send_signal(signal.SIGTERM)
    assert copy.running[-1].wait(STOP_S) == 0
    assert copy.children() == []
    assert portal.get("/").status_code == 200


def test_port_in_use_is_said_in_one_line(copy):
    """Another program on the port: one line, exit code 1, nothing started."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", copy.port))
        other.listen()
        told = serve("--var", str(copy.var), "--port", str(copy.port))
    assert told.returncode == 1
    assert f"port {copy.port} is in use" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
    assert copy.children() == []


def test_first_start_interrupted_anywhere_goes_on(portal):
    """Kill -9 in the middle of the first start, again and again: the next one finishes."""
    var = portal.var.parent / "test-interrupted"
    shutil.rmtree(var, ignore_errors=True)
    other = Copy(var=var, port=5999)
    try:
        for seconds in (0.7, 2.5, 6):
            process = subprocess.Popen(
                [SERVE, "--var", var, "--port", "5999", "--no-demo"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(seconds)
            process.kill()
            process.wait()
        printed = other.start("--no-demo")
        assert "password (shown only now)" in printed
    finally:
        other.end()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AIZU_PORT": "many"}, "AIZU_PORT"),
        ({"AIZU_CITY": "atlantis"}, "atlantis"),
        ({"AIZU_DATABASE_URL": "postgresql://x@y/z"}, "AIZU_DATASTORE_WRITE_URL"),
        ({"AIZU_WORKERS": "0"}, "AIZU_WORKERS"),
        (
            {
                "AIZU_DATABASE_URL": "postgresql://x:p%40ss@y/z",
                "AIZU_DATASTORE_WRITE_URL": "postgresql://x:p%40ss@y/d",
                "AIZU_DATASTORE_READ_URL": "postgresql://r:p@y/d",
            },
            "needs no escaping",
        ),
    ],
)
def test_unusable_settings_are_named(tmp_path, environment, said):
    """A setting that cannot be used: its name, what came, what is expected; exit code 1."""
    told = serve("--var", str(tmp_path), **environment)
    assert told.returncode == 1
    assert said in told.stderr


def test_misspelt_setting_in_the_file_is_named(tmp_path):
    """A name in aizu.env that nobody knows is not passed over in silence."""
    (tmp_path / "aizu.env").write_text("AIZU_PROT=5001\n")
    told = serve("--var", str(tmp_path))
    assert told.returncode == 1
    assert "AIZU_PROT" in told.stderr
    assert "line 1" in told.stderr


def test_reset_asks_first(tmp_path):
    """Without a yes nothing is deleted; with it the data go and the operator's settings stay."""
    (tmp_path / "run").mkdir()
    (tmp_path / "secrets.json").write_text("{}")
    (tmp_path / "aizu.env").write_text("AIZU_WORKERS=1\n")
    assert serve("--reset", "--var", str(tmp_path), stdin="no\n").returncode == 1
    assert (tmp_path / "secrets.json").exists()
    assert serve("--reset", "--var", str(tmp_path), stdin="").returncode != 0
    assert (tmp_path / "secrets.json").exists()
    assert serve("--reset", "--var", str(tmp_path), stdin="yes\n").returncode == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["aizu.env"]


def test_full_disk_is_said_in_one_line(tmp_path):
    """A folder on a full disk: one line that says how much is needed."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small disk this test needs")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"this machine lets nobody mount a disk: {mounted.stderr.decode().strip()}")
    try:
        told = serve("--var", str(tmp_path))
        assert told.returncode == 1
        assert "500 MB are needed" in told.stderr
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_stop_without_a_portal(tmp_path):
    """--stop and --status where nothing runs say so."""
    assert serve("--stop", "--var", str(tmp_path)).returncode == 0
    assert serve("--status", "--var", str(tmp_path)).returncode == 3


def test_existing_postgresql_and_redis(portal):
    """With the addresses of existing servers nothing of the kind is started; their owner is no superuser."""
    ini = (portal.var / "ckan.ini").read_text()
    port = re.search(r"127\.0\.0\.1:(\d+)/ckan", ini)[1]
    redis = re.search(r"redis://127\.0\.0\.1:(\d+)/0", ini)[1]
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
        f"AIZU_REDIS_URL=redis://127.0.0.1:{redis}/3\n"
        "AIZU_WORKERS=1\n"
        "ckan.site_title=わが町のデータ\n"
    )
    other = Copy(var=var, port=5940)
    try:
        other.start()
        running = serve("--status", "--var", str(var)).stdout
        assert "web" in running
        assert "postgres" not in running
        assert "redis" not in running
        page = requests.get("http://127.0.0.1:5940/dataset/aizuwakamatsu-hydrant", timeout=30)
        assert page.status_code == 200
        assert "わが町のデータ" in page.text
        assert "1,486" in page.text
    finally:
        other.end()
