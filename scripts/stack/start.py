"""The start of one portal: installs, brings up its servers one after another, harvests, and watches."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from stack import folder, packages, portal, services, signposts, turns, vault
from stack.settings import ROOT, VENV, Settings
from stack.supervisor import Supervisor, out, read_procfile

NO_ADDRESS = 2
"""Exit code of `aizu run --all` where no source of the city has an address."""


@dataclass(kw_only=True)
class Laps:
    """Prints how long each part of the start took."""

    begun: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def lap(self, what: str) -> None:
        """Prints one lap: seconds since the last one."""
        now = time.monotonic()
        out(f"  {now - self.last:6.1f} s  {what}")
        self.last = now

    def total(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.begun


@dataclass(frozen=True, kw_only=True)
class Start:
    """What all parts of one start work from."""

    told: Settings
    laps: Laps
    demo: bool
    ports: dict[str, int]
    secrets: dict[str, str]
    supervisor: Supervisor
    lines: dict[str, str]

    @property
    def simulates_city(self) -> bool:
        """Whether the city of this portal is the simulated one."""
        return self.demo and not self.told["AIZU_CITY_URL"]

    def run(self, name: str, *, user: str | None = None) -> None:
        """Starts one line of the Procfile."""
        self.supervisor.start(name, self.lines[name], user=user)


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
    folder.make(told)
    log = told.var / "log" / "install.log"
    if everything:
        install(told, Laps(), dev=True, browser=True)
    else:
        packages.install_system(packages.for_python(), log, out)
        packages.install_python(log, dev=True)
    return 0


def serve(told: Settings, *, demo: bool) -> int:
    """Starts everything and stays until it is told to stop."""
    laps = Laps()
    folder.make(told)
    with folder.only_one(told) as lock:
        out(f"Starting the portal · data in {told.var.resolve()}")
        services.check_port(told)
        install(told, laps, dev=False, browser=False)
        lock.write(str(os.getpid()))
        lock.flush()
        _run(told, laps, demo=demo)
    return 0


def _run(told: Settings, laps: Laps, *, demo: bool) -> None:
    supervisor: Supervisor | None = None
    try:
        with turns.one_at_a_time():
            start = _prepare(told, laps, demo=demo)
            supervisor = start.supervisor
            _databases(start)
            _vault(start)
            _servers(start)
        _harvest(start)
        _schedule(start)
        _announce(start)
        supervisor.watch()
    except KeyboardInterrupt:
        pass
    finally:
        out("Stopping …")
        if supervisor:
            supervisor.stop()
        out("Stopped.")


def _prepare(told: Settings, laps: Laps, *, demo: bool) -> Start:
    """Chooses the ports and writes what the processes read."""
    ports = _choose_ports(told)
    secrets = portal.read_secrets(told.var)
    ini = portal.write_ini(told, secrets, ports)
    environment = _environment(told, ports, ini, demo=demo)
    redis = portal.redis_url(told, secrets, ports)
    portal.write_harvest_env(told, environment["AIZU_CITY_URL"], redis=redis)
    supervisor = Supervisor(
        environment=environment,
        logs=told.var / "log",
        state=told.var / "run" / "state.json",
        say=lambda line: out(f"  {time.strftime('%H:%M:%S')}  {line}"),
        address=told.site_url,
    )
    lines = read_procfile(ROOT / "Procfile")
    return Start(
        told=told,
        laps=laps,
        demo=demo,
        ports=ports,
        secrets=secrets,
        supervisor=supervisor,
        lines=lines,
    )


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
        "AIZU_VAULT": str(vault.folder(told)),
        "VAULT_SOCKET": vault.socket_file(told),
        "CKAN_INI": str(ini),
        "POSTGRES_BIN": str(packages.postgres_bin() or ""),
        **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
    }


def _databases(start: Start) -> None:
    """Starts PostgreSQL and Redis, where they are the portal's own, and sets up what is new."""
    told, ports, supervisor = start.told, start.ports, start.supervisor
    var = told.var.resolve()
    if told.own_redis:
        services.write_redis(var, ports["redis"], start.secrets["redis_password"])
        start.run("redis")
    if told.own_postgres:
        services.create_cluster(var, start.secrets["postgres_password"])
        start.run("postgres", user=services.own_server_user())
        supervisor.wait("postgres", lambda: services.postgres_ready(ports["postgres"]), 60)
        services.create_databases(ports["postgres"], start.secrets)
    if told.own_redis:
        password = start.secrets["redis_password"]
        supervisor.wait("redis", lambda: services.redis_ready(ports["redis"], password), 20)
    start.laps.lap("PostgreSQL and Redis")
    users = vault.DEMO_USERS if start.simulates_city else {}
    portal.set_up(told, supervisor.environment, var / "log" / "setup.log", users)
    start.laps.lap("databases, accounts, departments and themes")


def _vault(start: Start) -> None:
    """Starts the vault of deep data, or says why it stays closed."""
    password = start.secrets["postgres_password"]
    refusal = vault.prepare(start.told, start.ports["postgres"], password)
    if not refusal:
        start.run("vault")
        if start.simulates_city:
            start.supervisor.start("citizens", "aizu-vault demo", once=True)
    start.laps.lap(f"deep data stays closed: {refusal}" if refusal else "vault of deep data")


def _servers(start: Start) -> None:
    """Starts web server, worker and nginx; they listen when this returns."""
    told, supervisor = start.told, start.supervisor
    if start.simulates_city:
        start.run("city")
    start.run("web")
    start.run("worker")
    socket_file = supervisor.environment["VAULT_SOCKET"]
    services.write_nginx(told, start.ports["web"], socket_file)
    services.check_port(told)
    start.run("nginx")
    state = f"{_local(start)}/api/3/action/status_show"
    supervisor.wait("web", lambda: services.answers(state), 90)
    supervisor.wait("nginx", lambda: services.in_use(told.port, told["AIZU_BIND"]), 20)
    if "vault" in supervisor.processes:
        supervisor.wait("vault", lambda: services.listens(socket_file), 60)
    if start.simulates_city:
        for problem in signposts.describe(told, _local(start), portal.api_token(told)):
            out(f"  {problem}")
    start.laps.lap("web server and worker")


def _local(start: Start) -> str:
    return f"http://127.0.0.1:{start.ports['web']}"


def _harvest(start: Start) -> None:
    """Fetches every source once; the first time the address is told only when data is there."""
    start.supervisor.start("harvest", "aizu run --all", once=True)
    if portal.first_password(start.told).exists():
        start.laps.lap(_outcome(*_ended(start, "harvest")))
        if "citizens" in start.supervisor.processes:
            code, log = _ended(start, "citizens")
            start.laps.lap(
                f"no citizens in the vault; see {log}"
                if code
                else "3,000 invented citizens in the vault"
            )
    services.answers(_local(start), 30)
    start.laps.lap("home page")


def _ended(start: Start, name: str) -> tuple[int, Path]:
    """Waits for a process that ends by itself; its exit code and its log."""
    process = start.supervisor.processes[name]
    assert process.popen is not None, "started above"
    return process.popen.wait(), process.log


def _schedule(start: Start) -> None:
    """Further harvests are made by the schedule of the city file."""
    start.run("batch")
    if portal.has_live(start.told):
        start.run("live")
    start.run("schedule")


def _outcome(code: int, log: Path) -> str:
    if code == NO_ADDRESS:
        return f"nothing to harvest: no source has an address (AIZU_CITY_URL is empty); see {log}"
    if code:
        return f"harvest: a source could not be published (exit {code}); see {log}"
    return "all sources harvested, validated and published"


def _announce(start: Start) -> None:
    out(f"Ready after {start.laps.total():.1f} s:  {start.told.site_url}")
    waiting = portal.first_password(start.told)
    if waiting.exists():
        name, password = start.told["AIZU_ADMIN_NAME"], waiting.read_text()
        out(f"Sysadmin: {name}   password (shown only now): {password}")
        waiting.unlink()
    out("Ctrl-C stops the portal.")
