"""Holds a publication up at a certain moment, by locks that it asks for there, so that somebody can be killed just then."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor

from .conftest import Portal
from .leftovers import address

WRITE, CATALOGUE = "ckan.datastore.write_url", "sqlalchemy.url"
MOMENTS = {
    "waits for its turn": (WRITE, "SELECT pg_advisory_lock(hashtext('aizu {name}'))"),
    "before tables and files are laid ready": (WRITE, "SELECT pg_advisory_lock(hashtext('aizu blobs'))"),
    "before the tables are locked": (WRITE, 'LOCK TABLE "{table}" IN ACCESS SHARE MODE'),
    "before the commit": (WRITE, "LOCK TABLE _aizu_version IN SHARE MODE"),
    "before the catalogue is told": (CATALOGUE, "SELECT 1 FROM package WHERE name = '{name}' FOR UPDATE"),
    "before the check is noted": (CATALOGUE, "LOCK TABLE task_status IN SHARE MODE"),
}  # fmt: skip
WAITING = """
    SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
    AND %s = ANY(pg_blocking_pids(pid))
"""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A publication that cannot go on."""

    cur: cursor

    def waiting(self) -> int:
        """The server's process that works for it, once it is there."""
        deadline = time.monotonic() + 30
        own = self.cur.connection.get_backend_pid()
        while time.monotonic() < deadline:
            self.cur.execute(WAITING, [own])
            if found := self.cur.fetchone():
                return int(found[0])
            time.sleep(0.02)
        raise AssertionError("nobody came to this moment")


@contextmanager
def held(portal: Portal, moment: str, name: str, table: str) -> Iterator[Held]:
    """Whoever publishes this dataset meanwhile is held up at this moment.

    Args:
        portal: whose databases are asked.
        moment: of `MOMENTS`.
        name: of the dataset.
        table: id of the resource that has its table.
    """
    setting, statement = MOMENTS[moment]
    connection = psycopg2.connect(address(portal, setting))
    try:
        cur = connection.cursor()
        cur.execute(statement.format(name=name, table=table))
        yield Held(cur=cur)
    finally:
        connection.close()


def web_workers(portal: Portal) -> list[int]:
    """The web server's processes but for the one that starts them."""
    master = str(_processes(portal)["web"])
    told = subprocess.run(["pgrep", "-P", master], capture_output=True, text=True)
    return [int(pid) for pid in told.stdout.split()]


def _processes(portal: Portal) -> dict[str, int]:
    return dict(json.loads((portal.var / "run" / "state.json").read_text())["processes"])


def kill_web(portal: Portal, _backend: int) -> None:
    """All of the web server's processes."""
    for pid in web_workers(portal):
        os.kill(pid, signal.SIGKILL)


def kill_backend(_portal: Portal, backend: int) -> None:
    """The database's process that works for the publication; PostgreSQL then ends all and starts again."""
    os.kill(backend, signal.SIGKILL)


def kill_postgres(portal: Portal, _backend: int) -> None:
    """The database itself; the supervisor starts it again."""
    pid = (portal.var / "postgres" / "postmaster.pid").read_text().partition("\n")[0]
    os.kill(int(pid), signal.SIGKILL)


VICTIMS: dict[str, Callable[[Portal, int], None]] = {
    "web": kill_web,
    "backend": kill_backend,
    "postgres": kill_postgres,
}


def any_backend(portal: Portal) -> int:
    """A process of the database that works for the web server."""
    own = Path(portal.var, "postgres", "postmaster.pid").read_text().partition("\n")[0]
    told = subprocess.run(
        ["pgrep", "-f", "-P", own, "postgres: ckan datastore"], capture_output=True, text=True
    )
    # 0 would be everybody who belongs to these tests.
    return next(map(int, told.stdout.split()))
