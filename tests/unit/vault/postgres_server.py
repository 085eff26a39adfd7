"""A PostgreSQL of the tests' own, on a socket in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

USER = "postgres"


class Server:
    """A cluster that lives as long as the tests; root drops to the user of the distribution's package."""

    def __init__(self):
        found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
        newest = max((one.parent for one in found), key=lambda p: int(p.parent.name), default=None)
        if newest is None:
            pytest.skip("needs PostgreSQL (scripts/serve --install-only everything)")
        self.binaries = newest
        # A path in the folder of tests may be longer than a socket's can be.
        self.folder = Path(tempfile.mkdtemp(prefix="aizu-vault-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        data = str(self.folder / "data")
        self.run(
            "initdb", "-D", data, "-U", USER, "-A", "trust", "-N", "--locale=C.UTF-8", "-E", "UTF8"
        )
        words = ["-D", data, "-k", str(self.folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        self.process = subprocess.Popen(
            [*self._drop(), str(self.binaries / "postgres"), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._made = 0
        self._await()

    def connect(self, database, **options):
        """A connection as superuser."""
        options = {"autocommit": True, **options}
        return psycopg.connect(host=str(self.folder), user=USER, dbname=database, **options)

    def create(self, template="template1"):
        """A new database, perhaps a copy; its name."""
        self._made += 1
        name = f"test{self._made}"
        with self.connect("postgres") as connection:
            parts = (sql.Identifier(name), sql.Identifier(template))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*parts))
        return name

    def drop(self, database):
        """Removes a database, whoever is connected."""
        with self.connect("postgres") as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
            )

    def run(self, program, *words, **options):
        """Runs a program of PostgreSQL."""
        command = [*self._drop(), str(self.binaries / program), *words]
        place = {"PGHOST": str(self.folder), "PGUSER": USER, "PATH": os.environ["PATH"]}
        return subprocess.run(
            command, check=True, capture_output=True, cwd="/", env=place, **options
        ).stdout

    def close(self):
        """Ends it at once, whoever is connected, and removes its folder."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        shutil.rmtree(self.folder)

    def _drop(self):
        user = ["--reuid", USER, "--regid", USER, "--init-groups"] if os.geteuid() == 0 else []
        return ["setpriv", "--pdeathsig=QUIT", *user, "--"]

    def _await(self):
        for _ in range(400):
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("PostgreSQL does not answer")
