"""`scripts/serve`: start the whole portal with one command, look at it, stop it, or delete it."""

import argparse
import errno
import fcntl
import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from stack import packages, portal, services, settings
from stack.settings import ROOT, VENV, Settings
from stack.supervisor import StartError, Supervisor, memory_mb, out, read_procfile

DISK_MB = 500
EXPECTED = (
    packages.MissingError,
    services.PortError,
    settings.SettingError,
    StartError,
)


@dataclass(kw_only=True)
class Laps:
    """Prints how long each part of the start took."""

    begun: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def lap(self, what: str) -> None:
        """Prints one lap: seconds since the last one, seconds in all."""
        now = time.monotonic()
        out(f"  {now - self.last:6.1f} s  {what}")
        self.last = now

    def total(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.begun


def main() -> int:
    """Reads the command line; returns the exit code."""
    arguments = _parser().parse_args()
    try:
        told = settings.load(var=arguments.var, port=arguments.port)
        if arguments.stop:
            return stop(told)
        if arguments.status:
            return status(told)
        if arguments.reset:
            return reset(told)
        if arguments.install_only:
            return install_only(told, everything=arguments.install_only == "everything")
        return serve(told, demo=not arguments.no_demo)
    except EXPECTED as error:
        sys.stderr.write(f"serve: {error}\n")
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        where = f": {error.filename}" if error.filename else ""
        sys.stderr.write(
            f"serve: {error.strerror}{where}. Make room or choose --var; then start again\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nserve: interrupted; the next start goes on from here\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/serve",
        description="Start the whole open-data portal: install what is missing, set up, harvest, "
        "serve. Stays in the foreground; Ctrl-C stops everything it started and nothing else. "
        "Settings beyond these: docs/operate.md.",
    )
    parser.add_argument("--port", type=int, help="port people reach the portal on (default 5000)")
    parser.add_argument("--var", help="folder of all data, logs and secrets (default var)")
    parser.add_argument(
        "--no-demo", action="store_true", help="do not start and harvest the simulated city"
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--stop", action="store_true", help="stop the portal that uses this --var")
    action.add_argument("--status", action="store_true", help="say what runs and how much memory")
    action.add_argument("--reset", action="store_true", help="delete all its data (asks first)")
    action.add_argument(
        "--install-only",
        choices=("python", "everything"),
        help="install what development needs, Python packages or also servers and browser, and end",
    )
    return parser


def install(told: Settings, laps: Laps, *, dev: bool, browser: bool) -> None:
    """Installs what is missing on the machine and in the Python environment."""
    log = told.var / "log" / "install.log"
    if packages.install_system(packages.needed(told, browser=browser), log, out):
        laps.lap("system packages")
    if packages.install_python(log, dev=dev):
        laps.lap("Python packages")
    if browser:
        packages.install_browser(log)


def install_only(told: Settings, *, everything: bool) -> int:
    """Installs for the tests; without the servers and the browser if only Python is wanted."""
    _make_folders(told)
    log = told.var / "log" / "install.log"
    laps = Laps()
    if everything:
        install(told, laps, dev=True, browser=True)
    else:
        packages.install_system(packages.for_python(), log, out)
        packages.install_python(log, dev=True)
    return 0


def serve(told: Settings, *, demo: bool) -> int:
    """Starts everything and stays until it is told to stop."""
    laps = Laps()
    _make_folders(told)
    with _only_one(told) as lock:
        out(f"Starting the portal · data in {told.var.resolve()}")
        if services.port_in_use(told.port, told["AIZU_BIND"]):
            raise services.PortError(
                f"port {told.port} is in use by another program; choose one with --port"
            )
        install(told, laps, dev=False, browser=False)
        lock.write(str(os.getpid()))
        lock.flush()
        return _run(told, laps, demo=demo)


def _make_folders(told: Settings) -> None:
    """Makes the folders below `var/`; root's go where PostgreSQL, which is not root, may enter."""
    closed = services.closed_parent(told.var.resolve()) if os.geteuid() == 0 else None
    if closed and not told.var.exists():
        name = hashlib.sha256(str(told.var).encode()).hexdigest()[:8]
        open_place = Path("/var/lib") / f"aizu-portal-{name}"
        open_place.mkdir(exist_ok=True)
        told.var.symlink_to(open_place)
        out(f"{closed} is closed to other users, so {told.var} is a link to {open_place}")
    for folder in ("log", "run", "storage", "harvest"):
        (told.var / folder).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(told.var).free // 1_000_000
    if free < DISK_MB:
        raise StartError(
            f"{told.var} has {free} MB left, {DISK_MB} MB are needed; make room or choose --var"
        )


@contextmanager
def _only_one(told: Settings) -> Iterator[IO[str]]:
    """Holds the folder's lock while the portal runs; the kernel lets go of it even after kill -9."""
    with _lock_file(told).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"a portal with the data in {told.var} runs already; see --status, or give "
                "this one its own --var and --port"
            ) from None
        lock.truncate(0)
        yield lock


def _lock_file(told: Settings) -> Path:
    return told.var / "run" / "serve.lock"


def _run(told: Settings, laps: Laps, *, demo: bool) -> int:
    stopped = threading.Event()
    ports = _choose_ports(told)
    secrets = portal.read_secrets(told.var)
    ini = portal.write_ini(told, secrets, ports)
    environment = _environment(told, ports, ini, demo=demo)
    portal.write_harvest_env(told, environment["AIZU_CITY_URL"])
    supervisor = Supervisor(
        environment=environment,
        logs=told.var / "log",
        state=told.var / "run" / "state.json",
        say=lambda line: out(f"  {time.strftime('%H:%M:%S')}  {line}"),
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _interrupt(stopped))
    try:
        _start(told, laps, supervisor, ports, secrets, demo=demo)
        supervisor.watch(stopped.is_set)
    except KeyboardInterrupt:
        pass
    finally:
        stopped.set()
        out("Stopping …")
        supervisor.stop()
        out("Stopped.")
    return 0


def _interrupt(stopped: threading.Event) -> None:
    """Ends the start or the watch where it is; what follows is the orderly stop, uninterrupted."""
    if not stopped.is_set():
        stopped.set()
        raise KeyboardInterrupt


def _choose_ports(told: Settings) -> dict[str, int]:
    """Free loopback ports for the servers behind the portal's own."""
    taken = {told.port}
    names = ("web", "postgres", "redis", "city")
    return {name: services.free_port(told.port + 1000, taken) for name in names}


def _environment(told: Settings, ports: dict[str, int], ini: Path, *, demo: bool) -> dict[str, str]:
    """What the processes of the Procfile are told."""
    simulated = f"http://127.0.0.1:{ports['city']}" if demo else ""
    return {
        "PATH": f"{VENV / 'bin'}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "TZ": os.environ.get("TZ", "Asia/Tokyo"),
        "PYTHONUNBUFFERED": "1",
        **told.values,
        "AIZU_ROOT": str(ROOT),
        "AIZU_VAR": str(told.var.resolve()),
        "AIZU_VENV": str(VENV),
        "AIZU_CITY_URL": told["AIZU_CITY_URL"] or simulated,
        "CKAN_INI": str(ini),
        "POSTGRES_BIN": str(packages.postgres_bin() or ""),
        **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
    }


def _start(
    told: Settings,
    laps: Laps,
    supervisor: Supervisor,
    ports: dict[str, int],
    secrets: dict[str, str],
    *,
    demo: bool,
) -> None:
    """Starts the Procfile from the bottom up, sets up what is new, harvests, says the address."""
    lines = read_procfile(ROOT / "Procfile")
    var = told.var.resolve()
    if told.own_redis:
        services.write_redis(var, ports["redis"])
        supervisor.start("redis", lines["redis"])
    if told.own_postgres:
        services.create_cluster(var, secrets["postgres_password"])
        supervisor.start("postgres", lines["postgres"], user=services.own_server_user())
        supervisor.wait("postgres", lambda: services.postgres_ready(ports["postgres"]), 60)
        services.create_databases(ports["postgres"], secrets)
    if told.own_redis:
        supervisor.wait("redis", lambda: services.redis_ready(ports["redis"]), 20)
    laps.lap("PostgreSQL and Redis")
    portal.set_up(told, supervisor.environment, var / "log" / "setup.log")
    laps.lap("databases, accounts, departments and themes")
    if demo and not told["AIZU_CITY_URL"]:
        supervisor.start("city", lines["city"])
    supervisor.start("web", lines["web"])
    supervisor.start("worker", lines["worker"])
    services.write_nginx(told, ports["web"])
    supervisor.start("nginx", lines["nginx"])
    local = f"http://127.0.0.1:{ports['web']}"
    supervisor.wait("web", lambda: services.answers(f"{local}/api/3/action/status_show"), 90)
    supervisor.wait("nginx", lambda: services.port_in_use(told.port, told["AIZU_BIND"]), 20)
    laps.lap("web server and worker")
    _harvest(supervisor, laps, first=portal.first_password(told).exists())
    services.answers(local, 30)
    laps.lap("home page")
    _announce(told, laps)


def _harvest(supervisor: Supervisor, laps: Laps, *, first: bool) -> None:
    """Fetches every source once; the first time the address is told only when data is there."""
    if not supervisor.environment["AIZU_CITY_URL"]:
        out("  no harvest: neither the simulated city nor AIZU_CITY_URL; run: aizu run --all")
        return
    supervisor.start("harvest", "aizu run --all", once=True)
    if not first:
        return
    process = supervisor.processes["harvest"].popen
    assert process is not None, "started above"
    code = process.wait()
    if code:
        log = supervisor.processes["harvest"].log
        laps.lap(f"harvest: a source could not be published (exit {code}); see {log}")
    else:
        laps.lap("all sources harvested, validated and published")


def _announce(told: Settings, laps: Laps) -> None:
    out(f"Ready after {laps.total():.1f} s:  {told.site_url}")
    waiting = portal.first_password(told)
    if waiting.exists():
        name, password = told["AIZU_ADMIN_NAME"], waiting.read_text()
        out(f"Sysadmin: {name}   password (shown only now): {password}")
        waiting.unlink()
    out("Ctrl-C stops the portal.")


def _running_pid(told: Settings) -> int | None:
    """The process that holds the folder's lock, or None."""
    file = _lock_file(told)
    if not file.exists():
        return None
    with file.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read() or 0)
    return None


def stop(told: Settings) -> int:
    """Stops the portal that uses this folder; 0 also when none runs."""
    pid = _running_pid(told)
    if pid is None:
        out(f"no portal runs with the data in {told.var}")
        return 0
    if pid == 0:
        raise StartError("the portal is installing packages; interrupt it where it was started")
    os.kill(pid, signal.SIGTERM)
    while _running_pid(told) is not None:
        time.sleep(0.1)
    out("stopped")
    return 0


def status(told: Settings) -> int:
    """Prints what runs; exit code 3 when nothing does, as service managers expect."""
    if _running_pid(told) is None:
        out(f"no portal runs with the data in {told.var}")
        return 3
    state = json.loads((told.var / "run" / "state.json").read_text())
    living = {n: pid for n, pid in state["processes"].items() if Path(f"/proc/{pid}").exists()}
    memory = {name: memory_mb(pid) for name, pid in living.items()}
    for name, pid in living.items():
        out(f"  {name:10} process {pid:<8} {memory[name]:6.0f} MB")
    out(f"  {'in all':27} {sum(memory.values()):6.0f} MB")
    out(f"{told.site_url}")
    return 0


def reset(told: Settings) -> int:
    """Deletes all data of this portal, after asking."""
    if not (told.var / "run").exists():
        out(f"nothing to delete: no portal has been started with the data in {told.var}")
        return 0
    with _only_one(told):
        out(f"This deletes the catalogue, all files, accounts and secrets in {told.var}.")
        if input("Type yes to delete: ").strip() != "yes":
            out("nothing deleted")
            return 1
        for entry in told.var.iterdir():
            if entry.name == settings.FILE_NAME:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    out("deleted; aizu.env, if you wrote one, is kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
