"""The servers below the portal: an own PostgreSQL cluster, an own Redis, and nginx in front, all below `var/`."""

import errno
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from string import Template

from stack.folder import write_private
from stack.packages import MissingError, postgres_bin
from stack.settings import Settings, in_address

SERVER_USER = "postgres"
WEB_USER = "www-data"
MAX_UPLOAD_MB = 200
# A large list comes as table, map layer and original by one request.
MAX_REQUEST_MB = 3 * MAX_UPLOAD_MB
_LOCAL_ONLY = "127.0.0.1"
SNAPSHOT = "dump.rdb"
"""Where Redis would write and look for one."""


class PortError(Exception):
    """A port is taken; the message names it and what to do."""


def free_port(start: int, taken: set[int]) -> int:
    """The first free loopback port from `start` on that is not in `taken`."""
    for port in range(start, 65536):
        if port not in taken and not in_use(port):
            taken.add(port)
            return port
    raise PortError(f"no free port between {start} and 65535 on {_LOCAL_ONLY}")


def in_use(port: int, address: str = _LOCAL_ONLY) -> bool:
    """Whether somebody listens there."""
    refusal = _refusal(port, address)
    return refusal is not None and refusal.errno == errno.EADDRINUSE


def listens(file: str) -> bool:
    """Whether somebody listens at this socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(file) == 0


def check_port(settings: Settings) -> None:
    """Sees whether nginx will be able to listen where it is told to.

    Raises:
        PortError: it will not; the message says why.
    """
    refusal = _refusal(settings.port, settings["AIZU_BIND"])
    if refusal is None:
        return
    port = f"port {settings.port}"
    said = {
        errno.EADDRINUSE: f"{port} is in use by another program; choose one with --port",
        errno.EACCES: f"{port} may be opened by root only; choose one above 1023 with --port",
    }
    address = f"AIZU_BIND: cannot listen on {settings['AIZU_BIND']!r}: {refusal.strerror}"
    raise PortError(said.get(refusal.errno or 0, address))


def _refusal(port: int, address: str) -> OSError | None:
    """What the machine answers to somebody who wants to listen there; None if it is free."""
    try:
        (family, kind, protocol, _, place), *_rest = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM
        )
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # As nginx does: :: stands for the addresses of IPv6 alone.
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(place)
    except OSError as error:
        return error
    return None


def own_server_user() -> str | None:
    """The ordinary user PostgreSQL runs as when root starts it; None for an ordinary user."""
    return SERVER_USER if os.geteuid() == 0 else None


def run_as_server(command: list[str], *, secret: str = "", script: str = "") -> None:
    """Runs a PostgreSQL program as the user it may run as.

    Raises:
        MissingError: the program failed; the message has its last line.
    """
    drop = ["--reuid", SERVER_USER, "--regid", SERVER_USER, "--init-groups", "--"]
    prefix = ["setpriv", *drop] if os.geteuid() == 0 else []
    path = os.environ.get("PATH", "")
    result = subprocess.run(
        [*prefix, *command],
        input=script,
        capture_output=True,
        text=True,
        env={"PATH": path, "LC_ALL": "C.UTF-8", "PGPASSWORD": secret},
        cwd="/",
    )
    if result.returncode:
        words = (result.stderr or result.stdout).strip().splitlines()
        raise MissingError(f"{Path(command[0]).name}: {words[-1] if words else 'failed'}")


def create_cluster(var: Path, password: str) -> None:
    """Makes the PostgreSQL cluster; a half-made one from an interrupted start is made anew."""
    data, half = var / "postgres", var / "postgres.new"
    if data.exists():
        _await_last_postmaster(data)
        return
    binaries = postgres_bin()
    assert binaries is not None, "installed before"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    password_file = var / "run" / "postgres-password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if os.geteuid() == 0:
        shutil.chown(half, SERVER_USER, SERVER_USER)
        shutil.chown(password_file, SERVER_USER, SERVER_USER)
    try:
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
        command = [str(binaries / "initdb"), "--pgdata", str(half), f"--username={SERVER_USER}"]
        run_as_server([*command, *options, f"--pwfile={password_file}"])
    finally:
        password_file.unlink()
    half.rename(data)


def _await_last_postmaster(data: Path) -> None:
    """After `kill -9` of a start its server may still be shutting down, with its lock file in place."""
    deadline = time.monotonic() + 30
    while _has_postmaster(data) and time.monotonic() < deadline:
        time.sleep(0.1)


def _has_postmaster(data: Path) -> bool:
    try:
        pid = (data / "postmaster.pid").read_text().partition("\n")[0]
        return Path("/proc", pid, "comm").read_text().strip() == "postgres"
    except OSError:
        return False


def postgres_ready(port: int) -> bool:
    """Whether the own cluster takes connections."""
    binaries = postgres_bin()
    assert binaries is not None, "installed before"
    command = [str(binaries / "pg_isready"), "-q", "-h", _LOCAL_ONLY, "-p", str(port)]
    return subprocess.run(command).returncode == 0


def create_databases(port: int, secrets: dict[str, str]) -> None:
    """Makes the roles and databases of catalogue and DataStore where they are not there yet."""
    roles = [_role(role, secrets[f"{role}_password"]) for role in ("ckan", "datastore_reader")]
    script = "\n".join(roles + [_database(name) for name in ("ckan", "datastore")])
    run_script(port, secrets["postgres_password"], script)


def run_script(port: int, password: str, script: str) -> None:
    """Runs statements in the own cluster as its superuser."""
    binaries = postgres_bin()
    assert binaries is not None, "installed before"
    psql = [str(binaries / "psql"), "-h", _LOCAL_ONLY, "-p", str(port), "-U", SERVER_USER]
    words = ["-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    run_as_server([*psql, *words], secret=password, script=script)


def _role(name: str, password: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN "
        f"CREATE ROLE {name} LOGIN PASSWORD '{password}'; END IF; END $$;"
    )


def _database(name: str) -> str:
    """CREATE DATABASE cannot stand in a DO block; \\gexec runs what the query says."""
    return (
        f"SELECT 'CREATE DATABASE {name} OWNER ckan' "
        f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec"
    )


def write_redis(var: Path, port: int, password: str) -> None:
    """Writes the configuration of the own Redis; sessions, jobs, journal and pauses survive a restart.

    A power cut takes the last second. Jobs are Python objects that the worker unpickles: whoever may write them may run anything.
    """
    _adopt_snapshot(var / "redis")
    place = str(var / "redis").replace("\\", "\\\\").replace('"', '\\"')
    lines = (
        f"bind {_LOCAL_ONLY}",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{place}"',
        "appendonly yes",
        "auto-aof-rewrite-min-size 16mb",
        'save ""',
        "databases 8",
        "maxmemory 256mb",
        "daemonize no",
    )
    write_private(var / "redis.conf", "".join(f"{line}\n" for line in lines))


def _adopt_snapshot(place: Path) -> None:
    """Lets Redis begin with a snapshot, of a backup or an older portal, which it passes over beside its log."""
    snapshot = place / SNAPSHOT
    if snapshot.exists() and not any(place.glob("appendonly*")):
        snapshot.rename(place / "appendonly.aof")


def redis_ready(port: int, password: str) -> bool:
    """Whether the own Redis answers to whoever knows its password."""
    try:
        with socket.create_connection((_LOCAL_ONLY, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            with connection.makefile("rb") as answer:
                return [answer.readline(), answer.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False


def write_nginx(settings: Settings, web_port: int, vault_socket: str) -> None:
    """Writes the configuration of nginx from the template beside this file."""
    folder = settings.var / "nginx"
    folder.mkdir(exist_ok=True)
    template = Template((Path(__file__).parent / "nginx.conf").read_text(encoding="utf-8"))
    user = f"user {WEB_USER};" if os.geteuid() == 0 else ""
    listen = f"{in_address(settings['AIZU_BIND'])}:{settings.port}"
    for page in ("unavailable.html", "not-stopped.html"):
        shutil.copyfile(Path(__file__).parent / page, folder / page)
    text = template.safe_substitute(
        USER=user,
        LISTEN=listen,
        WEB_PORT=web_port,
        VAULT_SOCKET=vault_socket,
        REQUEST=f"{MAX_REQUEST_MB}m",
    )
    (folder / "nginx.conf").write_text(text, encoding="utf-8")


def answers(url: str, seconds: float = 5) -> bool:
    """Whether an address answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False
