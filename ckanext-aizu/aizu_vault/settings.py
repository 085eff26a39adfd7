"""Where a vault is: its folder with the address of the database, passwords and keys; see `prepare` for what makes it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import psycopg
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from aizu_vault.key_files import check_private, read_private
from aizu_vault.keys import FileMaster, FileSigner, KeyStore
from aizu_vault.log.heads import LogSigner

FOLDER_VARIABLE = "AIZU_VAULT"
CONNECT_SECONDS = 5

LoginRole = Literal[
    "deep_release", "deep_consent", "deep_audit", "deep_signer", "deep_ingest", "deep_steward"
]
"""A role of the database that logs in; sql/grants.sql says what each may do."""


class VaultError(Exception):
    """The vault cannot be used.

    VaultError
    ├── UnpreparedError     its folder lacks something, or is not what it should be: a person must look
    └── UnreachableError    its database does not answer: later it may
    """


class UnpreparedError(VaultError):
    """The folder lacks something, or is not what it should be."""


class UnreachableError(VaultError):
    """The database does not answer."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """The files in the folder of a vault; its owner alone may read them."""

    folder: Path

    @property
    def database(self) -> Path:
        """One line: where the database is, without user and password."""
        return self.folder / "database"

    @property
    def passwords(self) -> Path:
        """The password of each role, as libpq reads it."""
        return self.folder / "pgpass"

    @property
    def master(self) -> Path:
        """The key that wraps all others."""
        return self.folder / "master.key"

    @property
    def persons(self) -> Path:
        """The wrapped keys of persons and agreements."""
        return self.folder / "persons.db"

    @property
    def log_key(self) -> Path:
        """The key that signs the log."""
        return self.folder / "log.pem"

    @property
    def origin(self) -> Path:
        """One line: the name of the log, an address without https://."""
        return self.folder / "origin"

    @property
    def last_head(self) -> Path:
        """The last head of the log that was signed; there is none before the first."""
        return self.folder / "last-head"

    @property
    def restored(self) -> Path:
        """As old as the backup that the rows came back from; goes when a steward has said so in the log."""
        return self.folder / "restored"

    @property
    def token_key(self) -> Path:
        """The public half of the key by which the portal signs its tokens."""
        return self.folder / "tokens.pub"

    def needed(self) -> tuple[Path, ...]:
        """What a vault cannot be without."""
        made = (self.database, self.passwords, self.master, self.persons)
        return (*made, self.log_key, self.origin, self.token_key)


@dataclass(frozen=True, kw_only=True)
class Vault:
    """An open vault.

    Attributes:
        address: of the database, without user and password.
        token_key: checks the portal's tokens.
    """

    places: Places
    address: str
    keys: KeyStore
    signer: LogSigner
    token_key: OKPKey

    @classmethod
    def open(cls, folder: Path | None = None) -> Self:
        """Reads the folder; the database is not asked yet.

        Args:
            folder: of the vault; None takes what AIZU_VAULT names.

        Raises:
            UnpreparedError: there is no such folder, or something in it is missing.
            KeysError: a key cannot be used, or others may read it.
        """
        places = Places(folder=folder or _named())
        check_folder(places)
        signer = LogSigner(
            origin=places.origin.read_text(encoding="utf-8").strip(),
            signer=FileSigner.open(places.log_key),
            last=places.last_head,
        )
        return cls(
            places=places,
            address=places.database.read_text(encoding="utf-8").strip(),
            keys=KeyStore(places.persons, FileMaster.open(places.master)),
            signer=signer,
            token_key=_token_key(places.token_key),
        )

    def connect(self, role: LoginRole) -> Connection[Any]:
        """A new connection as that role, which commits each statement outside of `transaction()`.

        Raises:
            UnreachableError: the database does not answer, or does not let the role in.
        """
        words = make_conninfo(
            self.address,
            user=role,
            password=passwords_in(self.places.passwords).get(role),
            application_name="aizu-vault",
            connect_timeout=CONNECT_SECONDS,
        )
        try:
            return psycopg.connect(words, autocommit=True)
        except psycopg.OperationalError as error:
            raise UnreachableError(
                f"the vault's database does not let {role} in: {error}"
            ) from error


def passwords_in(file: Path) -> dict[str, str]:
    """The password of each role, from a file as libpq has them; libpq itself would take PGPASSWORD before."""
    lines = (line.split(":") for line in read_private(file).decode().splitlines())
    return {line[-2]: line[-1] for line in lines if len(line) == 5}


def _named() -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        raise UnpreparedError(f"{FOLDER_VARIABLE} is not set; expected the folder of the vault")
    return Path(named)


def check_folder(places: Places) -> None:
    """Sees that everything is there: a key that is missing must not be made anew in silence.

    Raises:
        UnpreparedError: something is missing.
        ExposedError: others may read a file.
    """
    if not places.folder.is_dir():
        raise UnpreparedError(f"{places.folder} is no folder; `aizu-vault prepare` makes a vault")
    for file in places.needed():
        if not file.exists():
            raise UnpreparedError(f"{file} is missing; `aizu-vault prepare` makes a vault")
        check_private(file)


def _token_key(file: Path) -> OKPKey:
    try:
        key = OKPKey.import_key(file.read_bytes())
    except (JoseError, ValueError) as error:
        raise UnpreparedError(f"{file}: expected a public Ed25519 key as PEM: {error}") from None
    if key.curve_name != "Ed25519" or key.is_private:
        raise UnpreparedError(f"{file}: expected the public half of an Ed25519 key")
    return key
