"""Keys, all outside the database: the master key, a key for each person wrapped by it, and the key that signs the log."""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from aizu_vault.key_files import KeysError, check_private, make_private, read_private

_NONCE = 12
_PERSONS = """
CREATE TABLE IF NOT EXISTS person_key (
    person BLOB PRIMARY KEY,
    master TEXT,
    wrapped BLOB,
    destroyed_at TEXT,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) WITHOUT ROWID
"""
_AGREEMENTS = """
CREATE TABLE IF NOT EXISTS agreement_key (
    agreement TEXT PRIMARY KEY, master TEXT NOT NULL, wrapped BLOB NOT NULL
) WITHOUT ROWID
"""


class ErasedError(KeysError):
    """The person's key was destroyed."""


class MasterError(KeysError):
    """The keys are wrapped by another master key, or were altered."""


class Master(Protocol):
    """What wraps the keys of persons: the file below, or a key management service.

    A service wraps and unwraps at its own place, or unwraps a file's key once at the start.
    """

    @property
    def name(self) -> str:
        """Which master key it is; kept with what it has wrapped."""

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """The key encrypted; it opens only together with the bytes it is bound to."""

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key again.

        Raises:
            MasterError: it was wrapped by another master key, for others, or altered.
        """


class Signer(Protocol):
    """What signs the heads of the log; the public half is published."""

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature."""


@dataclass(frozen=True, kw_only=True)
class FileMaster:
    """A master key in a file that nobody but its owner may read."""

    name: str
    _cipher: AESGCM = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads the key; makes it if there is no such file."""
        make_private(path, _fresh().hex().encode() + b"\n")
        try:
            key = bytes.fromhex(read_private(path).decode("ascii"))
            name = hashlib.sha256(b"aizu master key\0" + key).hexdigest()[:16]
            return cls(name=name, _cipher=AESGCM(key))
        except ValueError:
            raise MasterError(f"{path}: expected a key of 64 hexadecimal digits") from None

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """The key encrypted for what it is bound to."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """The key again; see Master."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], bound)
        except InvalidTag:
            raise MasterError(
                "a person's key is not wrapped by this master key, or was altered"
            ) from None


class FileSigner:
    """The log's signing key in a file that nobody but its owner may read."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Takes the key."""
        self._key = key

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads the key; makes it if there is no such file."""
        make_private(path, _as_pem(Ed25519PrivateKey.generate()))
        try:
            key = serialization.load_pem_private_key(read_private(path), password=None)
        except ValueError:
            raise KeysError(f"{path}: expected an Ed25519 key as PEM") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeysError(f"{path}: expected an Ed25519 key, and not {type(key).__name__}")
        return cls(key)

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature."""
        return self._key.sign(message)


@dataclass(frozen=True)
class PersonKey:
    """What a person's secret gives: a cipher for blocks, and a key for entries of the log.

    The second can be given to the person; the first cannot be had from it.
    """

    blocks: AESGCM = field(repr=False)
    log: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> Self:
        """Derives both."""
        return cls(AESGCM(_derive(secret, b"aizu blocks")), _derive(secret, b"aizu log"))


@dataclass(frozen=True)
class KeyStore:
    """The wrapped keys of all persons and agreements, in an SQLite file beside the master key.

    The row of an erased person stays without its key, so that nobody makes a new one.
    """

    path: Path
    master: Master

    def create(self, persons: Iterable[UUID]) -> dict[UUID, PersonKey]:
        """The keys of these persons; those that are missing are made, all in one transaction.

        Raises:
            ErasedError: a key was destroyed. No key is made then.
        """
        wanted = list(persons)
        with self._open("IMMEDIATE") as store:
            known = _wrapped(store, wanted)
            if any(row and row[1] is None for row in known.values()):
                raise ErasedError("the key of a person was destroyed")
            missing = [person.bytes for person, row in known.items() if row is None]
            store.executemany(
                "INSERT INTO person_key (person, master, wrapped) VALUES (?, ?, ?)",
                [(one, self.master.name, self.master.wrap(_fresh(), one)) for one in missing],
            )
        return self.read(wanted)

    def read(self, persons: Iterable[UUID]) -> dict[UUID, PersonKey]:
        """The keys of those who have one; the others are left out."""
        with self._open() as store:
            found = _wrapped(store, persons)
        return {
            person: PersonKey.of(self._unwrap(*row, person.bytes))
            for person, row in found.items()
            if row and row[1] is not None
        }

    def agreement(self, agreement: str) -> bytes:
        """The secret that makes an agreement's pseudonyms; made when it is first asked for."""
        bound = _bound(agreement)
        query = "SELECT master, wrapped FROM agreement_key WHERE agreement = ?"
        with self._open("IMMEDIATE") as store:
            store.execute(
                "INSERT INTO agreement_key VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (agreement, self.master.name, self.master.wrap(_fresh(), bound)),
            )
            master, wrapped = store.execute(query, (agreement,)).fetchone()
        return self._unwrap(master, wrapped, bound)

    def destroy(self, person: UUID) -> None:
        """Destroys the key for good; when this returns, it is gone from the disk's file."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._open("IMMEDIATE") as store:
            store.execute(
                "INSERT INTO person_key (person, destroyed_at) VALUES (?, ?) ON CONFLICT DO "
                "UPDATE SET master = NULL, wrapped = NULL, destroyed_at = excluded.destroyed_at "
                "WHERE wrapped IS NOT NULL",
                (person.bytes, now),
            )

    def erased(self) -> set[UUID]:
        """Those whose keys were destroyed."""
        with self._open() as store:
            rows = store.execute("SELECT person FROM person_key WHERE wrapped IS NULL").fetchall()
        return {UUID(bytes=person) for (person,) in rows}

    def rewrap(self, new: Master) -> "KeyStore":
        """Wraps all keys by another master key, all or none; those that are wrapped by it already stay.

        Once the old master key is thrown away, old copies of this file open nothing.
        """
        with self._open("IMMEDIATE") as store:
            for table, column in (("person_key", "person"), ("agreement_key", "agreement")):
                store.executemany(
                    f"UPDATE {table} SET master = ?, wrapped = ? WHERE {column} = ?",  # noqa: S608  our own tables
                    self._rewrapped(store, table, column, new),
                )
        return KeyStore(self.path, new)

    def _rewrapped(
        self, store: sqlite3.Connection, table: str, column: str, new: Master
    ) -> list[tuple[str, bytes, bytes | str]]:
        query = f"SELECT {column}, master, wrapped FROM {table} WHERE master <> ?"  # noqa: S608  our own tables
        return [
            (new.name, new.wrap(self._unwrap(master, wrapped, _bound(one)), _bound(one)), one)
            for one, master, wrapped in store.execute(query, (new.name,)).fetchall()
        ]

    def _unwrap(self, master: str, wrapped: bytes, bound: bytes) -> bytes:
        if master != self.master.name:
            told = f"{self.path} is wrapped by master key {master}"
            raise MasterError(f"{told}, and the one at hand is {self.master.name}")
        return self.master.unwrap(wrapped, bound)

    @contextmanager
    def _open(self, begin: str = "DEFERRED") -> Iterator[sqlite3.Connection]:
        """A transaction on the file; those that write wait for one another.

        secure_delete overwrites a destroyed key in the file. What the disk or a copy still holds of it
        is wrapped: `rewrap` closes that, too.
        """
        make_private(self.path, b"")
        check_private(self.path)
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as store:
            store.execute("PRAGMA secure_delete = ON")
            store.execute("PRAGMA synchronous = FULL")
            store.execute(f"BEGIN {begin}")
            store.execute(_PERSONS)
            store.execute(_AGREEMENTS)
            yield store
            store.execute("COMMIT")


def _wrapped(
    store: sqlite3.Connection, persons: Iterable[UUID]
) -> dict[UUID, tuple[str, bytes] | None]:
    """What the file has of each person: nothing, a wrapped key, or that it was destroyed."""
    query = "SELECT master, wrapped FROM person_key WHERE person = ?"
    return {one: store.execute(query, (one.bytes,)).fetchone() for one in persons}


def _bound(one: bytes | str) -> bytes:
    """What a key is bound to: the 16 bytes of a person, or an agreement by its name, which is longer."""
    return one if isinstance(one, bytes) else b"aizu agreement key\0" + one.encode()


def _fresh() -> bytes:
    return secrets.token_bytes(32)


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=hashes.SHA256(), length=32, info=purpose).derive(secret)


def _as_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
