"""The vault of deep data beside the portal: its folder, its database, and the portal's key for tokens."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from stack import services
from stack.folder import write_private
from stack.settings import VENV, Settings
from stack.supervisor import StartError

DATABASE = "deep"
# Owner and roles that log in; `aizu-vault prepare` makes them, except where a backup needs them before.
ROLES = (
    *("deep_owner", "deep_release", "deep_consent", "deep_audit", "deep_signer"),
    *("deep_ingest", "deep_steward"),
)
DEMO_USERS = {
    name: f"de300000-0000-4000-8000-{number:012}"
    for number, name in enumerate(
        (
            *("demo-citizen", "demo-parent"),
            *("demo-asahi", "demo-kita", "demo-bandai", "demo-snowlab", "demo-kenko"),
        ),
        1,
    )
}
"""The portal's users whom the demonstration's vault knows by these ids: two citizens, one of each recipient."""
KEYS = ("master.key", "log.pem", "origin")
PERSONS = "persons.db"
LONGEST_SOCKET = 107


def folder(told: Settings) -> Path:
    """Where keys and passwords of the vault are."""
    return told.var.resolve() / "vault"


def socket_file(told: Settings) -> str:
    """Where the service listens.

    Raises:
        StartError: the portal's folder has too long a name.
    """
    file = str(told.var.resolve() / "run" / "vault.sock")
    if (size := len(os.fsencode(file))) > LONGEST_SOCKET:
        limit = f"a socket's name may have {LONGEST_SOCKET} bytes"
        raise StartError(f"{file} has {size}, and {limit}; give a shorter folder with --var")
    return file


def token_key(told: Settings) -> Path:
    """The key by which the portal signs its tokens; nobody else has it."""
    return told.var.resolve() / "deep-token.pem"


def prepare(told: Settings, port: int, password: str) -> str | None:
    """Makes what is missing of the vault in the own cluster, by hand elsewhere; says why it stays closed, if it does."""
    if not told.own_postgres:
        return None if is_prepared(told) else f"no vault is prepared in {folder(told)}"
    words = {
        "folder": folder(told),
        "admin": f"host=127.0.0.1 port={port} user={services.SERVER_USER} dbname=postgres",
        "origin": f"{urlsplit(told.site_url).netloc}/deep/log",
        "token-key": token_key(told),
    }
    result = subprocess.run(
        [VENV / "bin" / "aizu-vault", "prepare", *(f"--{name}={words[name]}" for name in words)],
        env={"PATH": os.environ.get("PATH", ""), "LC_MESSAGES": "en", "PGPASSWORD": password},
        capture_output=True,
        text=True,
    )
    if result.returncode:
        return (result.stderr.strip().splitlines() or ["aizu-vault: failed"])[-1]
    return None


def dump_address(port: int | None, password: str) -> str:
    """Where the whole database can be read: row security shows its blocks to a superuser alone."""
    return f"postgresql://{services.SERVER_USER}:{password}@127.0.0.1:{port}/{DATABASE}"


def make_empty(port: int, password: str) -> None:
    """Makes roles and database, for a dump to be restored into; `prepare` does the rest."""
    roles = [f"CREATE ROLE {role};" for role in ROLES]
    script = "\n".join([*roles, f"CREATE DATABASE {DATABASE} OWNER {ROLES[0]};"])
    services.run_script(port, password, script)


def close_restored(told: Settings, saved_at: float) -> None:
    """Nothing is released of rows from a backup of that time until a steward has said in the log that they came back."""
    file = folder(told) / "restored"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(file, "")
    os.utime(file, (saved_at, saved_at))


def is_prepared(told: Settings) -> bool:
    """Whether there is a vault to start, made here or by hand on the operator's own server."""
    return (folder(told) / "database").exists() and token_key(told).exists()


def last_head(told: Settings) -> str:
    """The last head of the log that was signed, or nothing.

    A backup takes it first: the copy of the log that is made afterwards goes on from it.
    """
    file = folder(told) / "last-head"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def save_keys(told: Settings, into: Path, head: str) -> None:
    """Copies what opens and signs; passwords and address, which `prepare` makes again, are left out.

    After the copy of the database: there is nobody in it whose key is not here.
    """
    into.mkdir(mode=0o700)
    for name in KEYS:
        write_private(into / name, (folder(told) / name).read_text(encoding="utf-8"))
    if head:
        write_private(into / "last-head", head)
    (into / PERSONS).touch(mode=0o600)
    persons, copy = folder(told) / PERSONS, into / PERSONS
    with closing(sqlite3.connect(persons)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
