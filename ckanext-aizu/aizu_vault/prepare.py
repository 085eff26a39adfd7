"""Makes a vault: its database with roles, tables and grants, and its folder with passwords and keys; again at will."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, get_args

import psycopg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aizu_vault.key_files import make_private, write_private
from aizu_vault.keys import FileMaster, FileSigner, KeyStore
from aizu_vault.log.query import one_row
from aizu_vault.settings import (
    LoginRole,
    Places,
    UnpreparedError,
    UnreachableError,
    passwords_in,
)

DATABASE: Final = "deep"
ROLES: Final[tuple[LoginRole, ...]] = get_args(LoginRole)
STEPS: Final = (("sql/schema.sql", "sql/vault.sql"),)
"""What brings the tables from each version to the next, beside those of the log, which are made again at will."""
_ONE_AT_A_TIME = "SELECT pg_advisory_lock(hashtext('vault.prepare'))"
_ON_THE_WAY = ("sslmode", "sslrootcert", "sslcert", "sslkey")
_VERSION = """
CREATE SCHEMA IF NOT EXISTS vault;
CREATE TABLE IF NOT EXISTS vault.schema_version (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


def prepare(
    admin: str, folder: Path, *, origin: str, token_key: Path, database: str = DATABASE
) -> Places:
    """Makes what is missing of a vault; what is there stays as it is, but for grants that were changed by hand.

    Args:
        admin: where the server is, as its superuser (a connection string of libpq).
        folder: of the vault.
        origin: the name of its log, an address without https://; a log that has one keeps it.
        token_key: the private key of the portal's tokens, which is the portal's alone; its public half comes
            into the folder.
        database: its name.

    Raises:
        UnreachableError: the server does not answer.
        UnpreparedError: the role is no superuser, the tables were made by a newer version, or they are there
            and their keys are not: they are not made anew.
        KeysError: a key cannot be used, or others may read it.
    """
    places = Places(folder=folder)
    with _connect(admin) as server:
        server.execute(_ONE_AT_A_TIME)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        _make_roles(server, _passwords(places.passwords))
        _make_database(server, database)
        with _connect(make_conninfo(admin, dbname=database)) as inside:
            _make_keys(places, origin, has_tables=_has_tables(inside))
            _make_tables(inside)
            write_private(places.database, _address(inside, admin).encode() + b"\n")
    _take_token_key(places, token_key)
    return places


@contextmanager
def _connect(words: str) -> Iterator[Connection[Any]]:
    try:
        connection = psycopg.connect(words, autocommit=True)
    except psycopg.ProgrammingError as error:
        raise UnpreparedError(f"expected a connection string of libpq: {error}") from None
    except psycopg.OperationalError as error:
        raise UnreachableError(f"the server of the vault's database: {error}") from error
    with connection:
        query = "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user"
        name, is_superuser = connection.execute(query).fetchone() or ("", False)
        if not is_superuser:
            raise UnpreparedError(f"{name} is no superuser; a vault is prepared by one")
        yield connection


def _passwords(file: Path) -> dict[str, str]:
    """The password of each role, which are made at first; the file is one of libpq's."""
    made = "".join(f"*:*:*:{role}:{secrets.token_hex(24)}\n" for role in ROLES)
    make_private(file, made.encode())
    found = passwords_in(file)
    if missing := set(ROLES) - set(found):
        raise UnpreparedError(f"{file}: no password for {', '.join(sorted(missing))}")
    return found


def _make_roles(server: Connection[Any], passwords: dict[str, str]) -> None:
    """The server is told verifiers, so that no password stands in its log."""
    known = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
    with server.transaction():
        for role in {"deep_owner", *ROLES} - known:
            server.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        for role in ROLES:
            verifier = server.pgconn.encrypt_password(
                passwords[role].encode(), role.encode(), b"scram-sha-256"
            )
            words = sql.Identifier(role), sql.Literal(verifier.decode())
            server.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(*words))


def _make_database(server: Connection[Any], database: str) -> None:
    name = sql.Identifier(database)
    known = server.execute("SELECT FROM pg_database WHERE datname = %s", (database,)).fetchone()
    if known is None:
        server.execute(sql.SQL("CREATE DATABASE {} OWNER deep_owner").format(name))
    roles = sql.SQL(", ").join(map(sql.Identifier, ROLES))
    server.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    server.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, roles))


def _has_tables(inside: Connection[Any]) -> bool:
    return one_row(inside, "SELECT to_regclass('vault.schema_version') IS NOT NULL")[0] is True


def _make_keys(places: Places, origin: str, *, has_tables: bool) -> None:
    """Before the tables: a vault that has those is never without its keys."""
    keys = (places.master, places.persons, places.log_key, places.origin)
    if has_tables and (missing := [file.name for file in keys if not file.exists()]):
        told = f"the database holds a vault whose {', '.join(missing)} is not in {places.folder}"
        raise UnpreparedError(f"{told}; bring the keys back, new ones would open nothing")
    KeyStore(places.persons, FileMaster.open(places.master)).erased()
    FileSigner.open(places.log_key)
    make_private(places.origin, origin.encode() + b"\n")


def _make_tables(inside: Connection[Any]) -> None:
    """All steps that are missing, and the grants, together or not at all."""
    with inside.transaction():
        inside.execute(_read("log/schema.sql"))
        inside.execute("SET LOCAL ROLE deep_owner")
        inside.execute(_VERSION)
        version = _version(inside)
        for number, names in enumerate(STEPS[version:], version + 1):
            for name in names:
                inside.execute(_read(name))
            inside.execute("INSERT INTO vault.schema_version VALUES (%s)", (number,))
        inside.execute("RESET ROLE")
        inside.execute(_read("sql/grants.sql"))


def _version(inside: Connection[Any]) -> int:
    query = "SELECT coalesce(max(version), 0) FROM vault.schema_version"
    version: int = one_row(inside, query)[0]
    if version > len(STEPS):
        raise UnpreparedError(
            f"the vault's tables have version {version}; this program knows {len(STEPS)} at most"
        )
    return version


def _address(inside: Connection[Any], admin: str) -> str:
    """Where the database is, for roles that bring their own name and password."""
    told = conninfo_to_dict(admin)
    kept = {name: str(told[name]) for name in _ON_THE_WAY if told.get(name)}
    info = inside.info
    return make_conninfo(host=info.host, port=info.port, dbname=info.dbname, **kept)


def _take_token_key(places: Places, token_key: Path) -> None:
    public = Ed25519PublicKey.from_public_bytes(FileSigner.open(token_key).public)
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    write_private(places.token_key, public.public_bytes(*form))


def _read(name: str) -> bytes:
    return files("aizu_vault").joinpath(name).read_bytes()
