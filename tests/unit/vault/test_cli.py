"""The command `aizu-vault`, run as an operator runs it."""

import os
import subprocess
from pathlib import Path

import pytest

from aizu_vault.settings import Vault

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(server, tmp_path):
    """Runs `aizu-vault prepare` into a folder of the test's own."""

    def called(**changes):
        options = {
            "folder": str(tmp_path / "vault"),
            "admin": f"host={server.folder} user=postgres dbname=postgres",
            "database": "called",
            "origin": "city.example/deep-log",
            "token-key": str(tmp_path / "deep-token.pem"),
        } | changes
        words = [f"--{name}={value}" for name, value in options.items()]
        return subprocess.run(
            [ROOT / ".venv" / "bin" / "aizu-vault", "prepare", *words],
            capture_output=True,
            text=True,
            env=os.environ | {"LANG": "C.UTF-8"},
        )

    yield called
    with server.connect("postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS called WITH (FORCE)")


def test_a_vault_is_prepared(run, tmp_path):
    """It says nothing, also the second time."""
    for _ in range(2):
        told = run()
        assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    assert (tmp_path / "vault" / "master.key").exists()


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"admin": "host=/nowhere user=postgres"}, 4, "the server of the vault's database"),
        ({"admin": "host"}, 2, 'missing "=" after "host"'),
        ({"token-key": "/proc/version"}, 2, "others may read"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(run, changes, code, said):
    """With the exit code of who must act, and no traceback."""
    told = run(**changes)
    assert told.returncode == code
    assert said in told.stderr
    assert len(told.stderr.strip().splitlines()) <= 3
    assert "Traceback" not in told.stderr


def test_the_master_key_is_renewed(vault):
    """By a command that asks for nothing but the folder, and refuses one that is no vault's."""
    command = [ROOT / ".venv" / "bin" / "aizu-vault", "renew-master", "--folder"]
    done = subprocess.run([*command, vault.places.folder], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert Vault.open(vault.places.folder).keys.master.name != vault.keys.master.name
    refused = subprocess.run([*command, vault.places.folder.parent], capture_output=True, text=True)
    assert refused.returncode == 2
    assert "database is missing" in refused.stderr
    assert not (vault.places.folder.parent / "master.key").exists()
