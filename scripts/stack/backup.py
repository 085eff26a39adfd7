"""`scripts/backup` and `scripts/restore`: everything that cannot be made again, in one file, and keys in another."""

import argparse
import configparser
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stack import folder, portal, services, settings, vault
from stack.packages import MissingError, postgres_bin
from stack.settings import ROOT, VENV, SettingError, Settings
from stack.supervisor import StartError, Supervisor, out, read_procfile

# Option of ckan.ini with the database's address, by the name of its dump.
DUMPS = {"ckan.dump": "sqlalchemy.url", "datastore.dump": "ckan.datastore.write_url"}
VAULT = f"{vault.DATABASE}.dump"
REDIS = "redis.rdb"
KEPT = ("storage", "harvest", "secrets.json", "harvest.env", settings.FILE_NAME)


def main() -> int:
    """Reads the command line: `save FILE --keys FILE` or `restore FILE`, each with --var."""
    parser = argparse.ArgumentParser(prog="scripts/backup or scripts/restore", description=__doc__)
    parser.add_argument("action", choices=("save", "restore"), help=argparse.SUPPRESS)
    parser.add_argument("file", type=Path, help="the backup, a tar file")
    parser.add_argument("--var", help="folder of the portal's data (default var)")
    parser.add_argument(
        "--keys",
        type=Path,
        help="backup alone: a second file, for the keys of deep data; keep it apart from the first",
    )
    arguments = parser.parse_args()
    if arguments.keys and arguments.action == "restore":
        parser.error("keys are unpacked by tar, as docs/operate.md shows")
    try:
        told = settings.load(var=arguments.var)
        if arguments.action == "save":
            save(told, arguments.file.absolute(), arguments.keys and arguments.keys.absolute())
        else:
            restore(told, arguments.file.absolute())
    except (MissingError, SettingError, StartError, OSError, tarfile.TarError) as error:
        sys.stderr.write(f"{arguments.action}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{arguments.action}: interrupted\n")
        return 130
    return 0


def save(told: Settings, file: Path, keys: Path | None) -> None:
    """Writes the backup of a running portal; it appears under its name only when it is whole.

    The keys of deep data are not in it: who has both has everybody's data, and what was erased since.

    Raises:
        StartError: the portal does not run, or has no keys.
        MissingError: a database could not be read.
    """
    if not folder.running_pid(told):
        raise StartError(f"no portal runs with the data in {told.var}; start it, then back it up")
    if keys and not vault.is_prepared(told):
        raise StartError(f"{vault.folder(told)} holds no keys of deep data")
    with tempfile.TemporaryDirectory(dir=told.var / "run") as dumps:
        head = vault.last_head(told)
        _dump_all(told, Path(dumps))
        if keys:
            vault.save_keys(told, Path(dumps, "vault"), head)
            _write(keys, {"vault": Path(dumps, "vault")})
        names = filter(lambda name: Path(dumps, name).exists(), (*DUMPS, VAULT, REDIS))
        parts = {name: Path(dumps, name) for name in names}
        parts |= {name: told.var / name for name in KEPT if (told.var / name).exists()}
        _write(file, parts)
    size = file.stat().st_size // 1_000_000
    out(f"saved to {file} ({size} MB); it contains secrets: keep it safe")
    if keys:
        out(f"saved to {keys}: the keys of deep data; keep them elsewhere")
    elif vault.is_prepared(told):
        out("the keys of deep data are not in it: --keys FILE saves them")


def _dump_all(told: Settings, dumps: Path) -> None:
    ini = configparser.RawConfigParser()
    ini.read(told.var / "ckan.ini", encoding="utf-8")
    addresses = {name: ini["app:main"][option].replace("%%", "%") for name, option in DUMPS.items()}
    if told.own_postgres and vault.is_prepared(told):
        port = urlsplit(addresses["ckan.dump"]).port
        password = portal.read_secrets(told.var)["postgres_password"]
        addresses[VAULT] = vault.dump_address(port, password)
    for name, address in addresses.items():
        _run(address, "pg_dump", "--format=custom", f"--file={dumps}/{name}")
    if told.own_redis:
        _dump_redis(ini["app:main"]["ckan.redis.url"], dumps / REDIS)


def _write(file: Path, parts: Mapping[str, Path]) -> None:
    half = file.with_name(f"{file.name}.new")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    with tarfile.open(half, "w") as tar:
        for name, path in parts.items():
            tar.add(path, name, filter=_lasting)
    half.replace(file)


def _lasting(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Files that are just arriving may be gone before they are read; no version names them."""
    return None if member.name == "storage/versions/arriving" else member


def restore(told: Settings, file: Path) -> None:
    """Fills an empty folder from a backup; start the portal with it afterwards.

    Everything is made in a folder of its own, whose parts take their places when it is whole: one
    that broke off is no hindrance to the next.

    Raises:
        StartError: the folder is not empty, or the databases are the operator's own.
        MissingError: a database could not be written.
    """
    if any((told.var / name).exists() for name in ("postgres", "ckan.ini")):
        raise StartError(f"{told.var} holds a portal already; give an empty folder with --var")
    if not told.own_postgres:
        raise StartError(
            "AIZU_DATABASE_URL names an existing server: restore the two dumps in the file with "
            "pg_restore, as docs/operate.md shows"
        )
    folder.make(told)
    half = told.var.resolve() / "restore"
    with folder.only_one(told), tarfile.open(file) as tar:
        shutil.rmtree(half, ignore_errors=True)
        for name in ("log", "run"):
            (half / name).mkdir(parents=True)
        tar.extractall(half, members=filter(_expected, tar))  # noqa: S202 (checked one by one)
        _restore_databases(told, half)
        # The cluster comes last: by it the portal is known to be there.
        _move(half / REDIS, told.var / "redis" / services.SNAPSHOT)
        for name in (*KEPT, "postgres"):
            _move(half / name, told.var / name)
        if is_closed := (half / VAULT).exists():
            # The dump before the vault's: what was said while that one was written may be missing in it.
            vault.close_restored(told, tar.getmember([*DUMPS][-1]).mtime)
        shutil.rmtree(half)
    out(f"restored to {told.var}; start it with scripts/serve --var {told.var}")
    if is_closed:
        out(
            "deep data stays closed until its keys are unpacked and a steward opens it: see docs/operate.md"
        )


def _expected(member: tarfile.TarInfo) -> bool:
    """Plain files and folders that `save` writes, and nothing else that a tar file can hold."""
    parts = Path(member.name).parts
    return (
        (member.isfile() or member.isdir())
        and parts[0] in (*DUMPS, VAULT, REDIS, *KEPT)
        and ".." not in parts
    )


def _move(found: Path, place: Path) -> None:
    if found.is_dir() and place.exists():
        shutil.rmtree(place)
    if found.exists():
        found.rename(place)


def _restore_databases(told: Settings, half: Path) -> None:
    secrets = portal.read_secrets(half)
    password = secrets["postgres_password"]
    port = services.free_port(told.port + 1000, set())
    services.create_cluster(half, password)
    supervisor = Supervisor(
        environment=_environment(half, port),
        logs=half / "log",
        state=half / "run" / "state.json",
        say=out,
    )
    try:
        line = read_procfile(ROOT / "Procfile")["postgres"]
        supervisor.start("postgres", line, user=services.own_server_user())
        supervisor.wait("postgres", lambda: services.postgres_ready(port), 60)
        services.create_databases(port, secrets)
        for name in DUMPS:
            database = f"postgresql://{services.SERVER_USER}:{password}@127.0.0.1:{port}"
            address = f"{database}/{name.removesuffix('.dump')}"
            _run(address, "pg_restore", "--exit-on-error", str(half / name))
        if (half / VAULT).exists():
            vault.make_empty(port, password)
            address = vault.dump_address(port, password)
            _run(address, "pg_restore", "--exit-on-error", str(half / VAULT))
    finally:
        supervisor.stop()


def _dump_redis(address: str, file: Path) -> None:
    """Has Redis write all that it holds; its password goes where other users cannot see it."""
    parts = urlsplit(address)
    result = subprocess.run(
        ["redis-cli", "-h", parts.hostname or "", "-p", str(parts.port), "--rdb", str(file)],
        capture_output=True,
        text=True,
        env={**os.environ, "REDISCLI_AUTH": unquote(parts.password or "")},
    )
    if result.returncode:
        raise MissingError(f"redis-cli: {result.stderr.strip().splitlines()[-1]}")


def _environment(half: Path, port: int) -> Mapping[str, str]:
    return {
        "LANG": "C.UTF-8",
        "AIZU_ROOT": str(ROOT),
        "AIZU_VAR": str(half),
        "AIZU_VENV": str(VENV),
        "POSTGRES_BIN": str(postgres_bin()),
        "POSTGRES_PORT": str(port),
    }


def _run(address: str, program: str, *words: str) -> None:
    """Runs a PostgreSQL program on a database; the password goes where other users cannot see it."""
    binaries = postgres_bin()
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    shown = parts._replace(netloc=user.partition(":")[0] + at + host).geturl()
    command = [str(binaries / program) if binaries else program, *words, f"--dbname={shown}"]
    environment = {**os.environ, "PGPASSWORD": unquote(parts.password or "")}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode:
        raise MissingError(f"{program}: {result.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    sys.exit(main())
