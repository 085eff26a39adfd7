"""What the tests of the vault share: the gate, and an empty database with the vault's tables."""

from importlib.resources import files

import psycopg
import pytest

from aizu_vault import gate as real_gate
from aizu_vault.gate_set import decide_all
from aizu_vault.requests import ConsentRequest
from tests.unit.vault.postgres_server import Server

from .stored import store


class Twins:
    """The gate, which also asks its SQL twin whatever a database can hold, and insists that both say the same."""

    def __init__(self, cursor):
        self.cursor = cursor

    def __getattr__(self, name):
        return getattr(real_gate, name)

    def decide(self, request, person, register):
        """What the gate decides."""
        decision = real_gate.decide(request, person, register)
        if isinstance(request, ConsentRequest):
            try:
                store(self.cursor, register, [person])
                twin = decide_all(self.cursor, request, [person.subject.subject_id])
                assert plainly(twin[person.subject.subject_id]) == plainly(decision)
            except psycopg.errors.ForeignKeyViolation:
                pass  # The database does not hold what names something unknown (test_schema).
            finally:
                self.cursor.connection.rollback()
        return decision


def plainly(decision):
    """A decision without what makes permits incomparable."""
    return dict(decision.windows) if isinstance(decision, real_gate.Permit) else decision


@pytest.fixture(params=["rule", "sql"])
def gate(request):
    """What decides; the mutants take its place."""
    return real_gate if request.param == "rule" else Twins(request.getfixturevalue("cursor"))


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL for all tests of the vault."""
    server = Server()
    with server.connect("postgres") as connection:
        connection.execute(files("aizu_vault").joinpath("sql/schema.sql").read_bytes())
    yield server
    server.close()


@pytest.fixture(scope="module")
def connection(postgres):
    """One connection for the tests of a module."""
    with postgres.connect("postgres", autocommit=False) as opened:
        opened.execute("SET SESSION jit = off")
        opened.commit()
        yield opened


@pytest.fixture
def cursor(connection):
    """The empty tables; whatever a test writes is taken back."""
    with connection.cursor() as opened:
        yield opened
    connection.rollback()
