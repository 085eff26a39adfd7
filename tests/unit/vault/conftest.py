"""A vault's log in a PostgreSQL of its own, keys in a folder, and synthetic persons."""

import importlib.util
import os
import shutil
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from psycopg.conninfo import conninfo_to_dict

from aizu_vault.keys import FileMaster, FileSigner, KeyStore
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry
from aizu_vault.log.heads import LogSigner
from aizu_vault.prepare import prepare
from aizu_vault.settings import Vault

from .city import City, settle
from .postgres_server import Server
from .running import Running

ALL = bool(os.environ.get("AIZU_TEST_ALL"))
SCRIPT = Path(__file__).parents[3] / "scripts" / "verify_log.py"
ORIGIN = "city.example/deep-log"


def person(number):
    """A synthetic citizen."""
    return UUID(int=number)


def load_script():
    """The offline check as a module."""
    spec = importlib.util.spec_from_file_location("verify_log", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL for all tests of the vault."""
    started = Server()
    yield started
    started.close()


@pytest.fixture(scope="session")
def empty_log(server):
    """The name of a database with the log's schema, to copy from; the schema is run twice."""
    name = server.create()
    schema = files("aizu_vault.log").joinpath("schema.sql").read_text(encoding="utf-8")
    with server.connect(name) as connection:
        connection.execute(schema)
        connection.execute(schema)
    return name


class Log:
    """A log, with what writes, signs and reads it."""

    def __init__(self, server, database, folder):
        self.server, self.database = server, database
        self.store = KeyStore(folder / "persons.db", FileMaster.open(folder / "master.key"))
        signer = FileSigner.open(folder / "log.pem")
        self.signer = LogSigner(origin=ORIGIN, signer=signer, last=folder / "last-head")
        self.connection = self.connect()

    def connect(self, role=None):
        """A connection, as one of the roles."""
        connection = self.server.connect(self.database)
        if role:
            connection.execute(f"SET SESSION AUTHORIZATION {role}")
        return connection

    def keys(self, persons):
        """The keys by which entries about these persons are made."""
        return {
            one: key.log for one, key in self.store.create(one for one in persons if one).items()
        }

    def add(self, *numbers, **private):
        """One release that concerns these persons; 0 is nobody's entry."""
        entries = [
            Entry(kind="release", facts={"release": "r1"}, person=person(one), private=private)
            if one
            else Entry(kind="agreement", facts={"agreement": f"a{place}"})
            for place, one in enumerate(numbers)
        ]
        with self.connection.transaction():
            return append(self.connection, self.keys(entry.person for entry in entries), entries)

    def sign(self):
        """A head of the log as it is now."""
        return self.signer.sign_head(self.connection)


@pytest.fixture(scope="session")
def one_log(server, empty_log):
    """The name of a database that is emptied for every test that wants a log of its own."""
    return server.create(empty_log)


@pytest.fixture
def log(server, one_log, tmp_path):
    """An empty log."""
    made = Log(server, one_log, tmp_path)
    made.connection.execute(
        "SET session_replication_role = replica; DROP TABLE IF EXISTS block; "
        "TRUNCATE audit.log_leaf, audit.log_tile, audit.log_head, audit.log_day, audit.log_count; "
        "SET session_replication_role = origin"
    )
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def long_log(server, empty_log, tmp_path_factory):
    """A log of 600 leaves about 7 persons and nobody, with heads; for tests that only read."""
    made = Log(server, server.create(empty_log), tmp_path_factory.mktemp("keys"))
    heads = []
    for step in range(20):
        made.add(*[(step * 7 + one) % 8 for one in range(30)], rows=step)
        heads.append(made.sign())
    yield SimpleNamespace(**vars(made), heads=heads)
    made.connection.close()


@pytest.fixture(scope="session")
def prepared(server, tmp_path_factory):
    """A vault as `aizu-vault prepare` makes it; tests get copies of its database and folder."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(
        f"host={server.folder} user=postgres dbname=postgres",
        folder / "vault",
        origin=ORIGIN,
        token_key=folder / "deep-token.pem",
    )
    return folder


def database_of(vault):
    """The name of its database, for a superuser."""
    return conninfo_to_dict(vault.address)["dbname"]


@pytest.fixture
def vault(server, prepared, tmp_path):
    """An empty vault of the test's own."""
    copy, name = copied(server, prepared, "deep", tmp_path)
    yield copy
    server.drop(name)


def copied(server, folder, database, into):
    """A vault with the keys and the rows of another one, and the name of its database."""
    shutil.copytree(folder / "vault", into / "vault")
    name = server.create(database)
    (into / "vault" / "database").write_text(f"host={server.folder} dbname={name}\n")
    return Vault.open(into / "vault"), name


@pytest.fixture(scope="session")
def settled(server, prepared, tmp_path_factory):
    """The small city of the gate's tests in a vault, with people who have said nothing; to copy from."""
    folder = tmp_path_factory.mktemp("settled")
    vault, name = copied(server, prepared, "deep", folder)
    settle(vault)
    return folder, name


@pytest.fixture(scope="module")
def untouched(server, settled, tmp_path_factory):
    """A vault with the small city, for tests that leave it as it is."""
    folder, name = settled
    vault, copy = copied(server, folder, name, tmp_path_factory.mktemp("untouched"))
    with City(vault) as opened:
        yield opened
    server.drop(copy)


@pytest.fixture
def city(server, settled, tmp_path):
    """A vault with the small city, of the test's own."""
    folder, name = settled
    vault, copy = copied(server, folder, name, tmp_path)
    with City(vault) as opened:
        yield opened
    server.drop(copy)


@pytest.fixture(scope="session")
def service(server, settled, prepared, tmp_path_factory):
    """The service of a vault with the small city; all tests that speak to it share it."""
    folder, name = settled
    vault, copy = copied(server, folder, name, tmp_path_factory.mktemp("service"))
    with Running(vault, prepared / "deep-token.pem") as running:
        yield running
    server.drop(copy)
