"""A vault is prepared once and again, says what it lacks, and never replaces a key."""

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from aizu_vault.key_files import ExposedError, KeysError
from aizu_vault.prepare import ROLES, STEPS, prepare
from aizu_vault.settings import FOLDER_VARIABLE, UnpreparedError, UnreachableError, Vault

from .conftest import ORIGIN

FILES = {"database", "log.pem", "master.key", "origin", "persons.db", "pgpass", "tokens.pub"}


@pytest.fixture
def place(server, tmp_path):
    """Where to prepare a vault, with a database of its own name."""
    made = SimpleNamespace(
        admin=f"host={server.folder} user=postgres dbname=postgres",
        folder=tmp_path / "vault",
        options={
            "origin": ORIGIN,
            "token_key": tmp_path / "portal" / "deep-token.pem",
            "database": "fresh",
        },
    )
    yield made
    with server.connect("postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS fresh WITH (FORCE)")


@pytest.fixture
def folder(prepared, tmp_path):
    """A copy of a vault's folder, to spoil."""
    return shutil.copytree(prepared / "vault", tmp_path / "copy")


def dumped(server):
    """The whole database, what its roles may do and their settings; without what differs from dump to dump."""
    lines = server.run("pg_dump", "--dbname=fresh").decode().splitlines()
    text = [line for line in lines if "restrict " not in line]
    with server.connect("postgres") as connection:
        roles = "SELECT rolname, rolcanlogin, rolconfig FROM pg_roles ORDER BY 1"
        return text, connection.execute(roles).fetchall()


def test_everything_is_closed_to_others(place):
    """The folder and each file in it, whatever the umask; the portal's key lies elsewhere."""
    before = os.umask(0)
    try:
        prepare(place.admin, place.folder, **place.options)
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    assert {file.name for file in place.folder.iterdir()} == FILES
    for file in (*place.folder.iterdir(), place.options["token_key"]):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_again_changes_nothing(server, place):
    """Neither keys nor passwords nor tables, also where two do it at once."""
    with ThreadPoolExecutor(2) as pool:
        first = [pool.submit(prepare, place.admin, place.folder, **place.options) for _ in range(2)]
    assert [one.result().folder for one in first] == [place.folder, place.folder]
    files = {file: file.read_bytes() for file in place.folder.iterdir()}
    before = dumped(server)
    prepare(place.admin, place.folder, **place.options | {"origin": "another.example/log"})
    assert {file: file.read_bytes() for file in place.folder.iterdir()} == files
    assert dumped(server) == before


def test_grants_that_were_changed_by_hand_are_put_right(server, place):
    """Given too much or taken away."""
    prepare(place.admin, place.folder, **place.options)
    before = dumped(server)
    with server.connect("fresh") as connection:
        connection.execute("GRANT SELECT ON vault.block, ident.subject_link TO deep_release")
        connection.execute("GRANT UPDATE (sealed) ON vault.block TO deep_ingest")
        connection.execute("REVOKE INSERT ON consent.event FROM deep_consent")
        connection.execute("GRANT EXECUTE ON FUNCTION vault.release_chunk TO PUBLIC")
        connection.execute("GRANT CONNECT, TEMPORARY ON DATABASE fresh TO PUBLIC")
    assert dumped(server) != before
    prepare(place.admin, place.folder, **place.options)
    assert dumped(server) == before


def test_passwords_are_told_as_verifiers(server, place):
    """Each role has its own; the server keeps none."""
    prepare(place.admin, place.folder, **place.options)
    lines = (place.folder / "pgpass").read_text().splitlines()
    assert [line.split(":")[3] for line in lines] == list(ROLES)
    assert len({line.split(":")[4] for line in lines}) == len(ROLES)
    with server.connect("postgres") as connection:
        query = "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'deep%' AND rolpassword LIKE 'SCRAM-SHA-256$%'"
        assert connection.execute(query).fetchone() == (len(ROLES),)


def test_tables_of_a_newer_program_are_left_alone(server, place):
    """It says which version there is, and changes nothing."""
    prepare(place.admin, place.folder, **place.options)
    with server.connect("fresh") as connection:
        connection.execute(f"INSERT INTO vault.schema_version VALUES ({len(STEPS) + 1})")
    with pytest.raises(
        UnpreparedError, match=rf"version {len(STEPS) + 1}; .* {len(STEPS)} at most"
    ):
        prepare(place.admin, place.folder, **place.options)


@pytest.mark.parametrize("name", ["master.key", "persons.db", "log.pem", "origin"])
def test_a_vault_whose_keys_are_gone_gets_no_new_ones(place, name):
    """Those would open nothing, and sign another log; passwords alone are made anew."""
    prepare(place.admin, place.folder, **place.options)
    (place.folder / "pgpass").unlink()
    prepare(place.admin, place.folder, **place.options)
    (place.folder / name).unlink()
    with pytest.raises(
        UnpreparedError, match=f"holds a vault whose {name} is not in .*vault; bring"
    ):
        prepare(place.admin, place.folder, **place.options)
    assert not (place.folder / name).exists()


def test_only_a_superuser_prepares(server, place):
    """Others are told before anything is made."""
    with server.connect("postgres") as connection:
        connection.execute("DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN CREATEDB CREATEROLE")
    with pytest.raises(UnpreparedError, match="clerk is no superuser"):
        prepare(place.admin.replace("user=postgres", "user=clerk"), place.folder, **place.options)
    with pytest.raises(UnreachableError, match="the server of the vault's database"):
        prepare(f"{place.admin} port=1", place.folder, **place.options)
    assert not place.folder.exists()


def test_a_folder_that_is_not_whole_is_refused(prepared, tmp_path):
    """It names the file; no key is made anew."""
    for name in sorted(FILES):
        folder = tmp_path / name
        shutil.copytree(prepared / "vault", folder)
        (folder / name).unlink()
        with pytest.raises(UnpreparedError, match=f"{name} is missing; `aizu-vault prepare`"):
            Vault.open(folder)
        assert not (folder / name).exists()
    with pytest.raises(UnpreparedError, match="nothing is no folder"):
        Vault.open(tmp_path / "nothing")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_that_others_may_read_is_refused(folder, name):
    """Whichever it is."""
    (folder / name).chmod(0o644)
    with pytest.raises(ExposedError, match=f"{name}.*mode 644"):
        Vault.open(folder)


def test_the_portals_private_key_is_refused_in_the_vault(folder, prepared):
    """As is what is no key."""
    for content in ((prepared / "deep-token.pem").read_bytes(), b"none", b""):
        (folder / "tokens.pub").write_bytes(content)
        with pytest.raises(UnpreparedError, match="tokens.pub: expected"):
            Vault.open(folder)


def test_the_environment_names_the_folder(folder, monkeypatch):
    """Where nobody else does; without either it says what is expected."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    assert Vault.open().places.folder == folder
    monkeypatch.delenv(FOLDER_VARIABLE)
    with pytest.raises(UnpreparedError, match="AIZU_VAULT is not set"):
        Vault.open()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_connects(untouched, role):
    """Each statement is committed as it is made."""
    with untouched.vault.connect(role) as connection:
        assert connection.autocommit
        assert connection.execute("SELECT current_user").fetchone() == (role,)


def test_a_database_that_does_not_answer_is_told(folder, server):
    """By an error of its own, for it may answer later."""
    (folder / "database").write_text(f"host={server.folder} dbname=nowhere\n")
    with pytest.raises(UnreachableError, match='deep_audit in: .*"nowhere" does not exist'):
        Vault.open(folder).connect("deep_audit")


def test_people_who_wait_for_one_another_are_not_waited_for_for_ever(untouched):
    """A lock that is not had in ten seconds is an error."""
    limits = dict.fromkeys(("deep_release", "deep_consent", "deep_steward"), "10s")
    for role, limit in limits.items():
        with untouched.vault.connect(role) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == (limit,)
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_the_keys_of_another_portal_are_refused(place):
    """What is no private key is not taken for one."""
    place.options["token_key"].parent.mkdir()
    place.options["token_key"].write_bytes(b"none")
    place.options["token_key"].chmod(0o600)
    with pytest.raises(KeysError, match=r"deep-token\.pem: expected an Ed25519 key"):
        prepare(place.admin, place.folder, **place.options)
    assert not (place.folder / "tokens.pub").exists()
