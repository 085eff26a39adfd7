"""Finds out what is missing on this machine and installs it: system packages by apt, Python packages into the portal's own environment."""

import ctypes.util
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from stack.settings import ROOT, VENV, Settings

UV = "uv==0.13.9"
# Packages that bring a service of their own, which would start with the machine.
SERVICES = ("nginx", "postgresql", "redis-server")
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_MARK = "# Written by the open-data portal while it installs; may be deleted."


class MissingError(Exception):
    """Something is not installed and cannot be installed from here; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A system package and how to see, without asking the package manager, that it is there."""

    name: str
    present: Callable[[], bool]


def program(name: str) -> str | None:
    """Path of a program, the system folders included that an ordinary user's PATH lacks."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def postgres_bin() -> Path | None:
    """Folder of the newest installed PostgreSQL server, or None."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return max((path.parent for path in found), key=lambda p: int(p.parent.name), default=None)


def tied(last: signal.Signals, *more: str) -> list[str]:
    """How a command begins that the kernel ends with this process, however this process ends.

    Args:
        last: the signal it gets then.
        more: further options of setpriv.
    """
    return [program("setpriv") or "setpriv", f"--pdeathsig={last.name}", *more, "--"]


def _has_font() -> bool:
    return any(Path("/usr/share/fonts").glob("**/*CJK*"))


def _is_debian() -> bool:
    """Ubuntu's package `chromium` is only a pointer to a snap."""
    return "ID=debian" in Path("/etc/os-release").read_text().splitlines()


def install_browser(log: Path) -> None:
    """Where the distribution has no Chromium, takes the one that Playwright brings."""
    if program("chromium") is None:
        python = str(VENV / "bin" / "python")
        _run([python, "-m", "playwright", "install", "--with-deps", "chromium"], log)


def _has_venv() -> bool:
    code = "import ensurepip, venv"
    return subprocess.run([base_python(), "-c", code], capture_output=True).returncode == 0


def base_python() -> str:
    """The distribution's Python where it serves: built with optimisation, it starts CKAN twice as fast."""
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    usr = "/usr/bin/python3"
    if Path(usr).exists() and subprocess.run([usr, "-c", code]).returncode == 0:
        return usr
    if sys.version_info < (3, 11):  # noqa: UP036 (this runs under whatever Python is there)
        raise MissingError(
            f"Python 3.11 or newer is needed, found {sys.version.split()[0]} "
            "(Debian 12 and Ubuntu 24.04 bring one)"
        )
    return sys.executable


def for_python() -> tuple[Package, ...]:
    """System packages without which the Python packages cannot be installed or imported."""
    return (
        Package(name="python3-venv", present=_has_venv),
        Package(name="libmagic1", present=lambda: ctypes.util.find_library("magic") is not None),
    )


def needed(settings: Settings, *, browser: bool) -> tuple[Package, ...]:
    """System packages this portal needs; `browser` adds what the browser tests need."""
    packages = [
        *for_python(),
        Package(name="nginx", present=lambda: program("nginx") is not None),
    ]
    if settings.own_postgres:
        packages.append(Package(name="postgresql", present=lambda: postgres_bin() is not None))
    if settings.own_redis:
        packages.append(
            Package(name="redis-server", present=lambda: program("redis-server") is not None)
        )
    if browser:
        packages.append(Package(name="fonts-noto-cjk", present=_has_font))
    if browser and _is_debian():
        packages.append(Package(name="chromium", present=lambda: program("chromium") is not None))
    return tuple(packages)


def install_system(
    packages: tuple[Package, ...], log: Path, say: Callable[[str], None]
) -> list[str]:
    """Installs the missing ones by apt, as root or through sudo; returns their names.

    Args:
        packages: what is needed.
        log: where apt's output goes.
        say: told what is about to be installed.

    Raises:
        MissingError: no apt, no rights, or apt failed.
    """
    missing = [package.name for package in packages if not package.present()]
    if not missing:
        _clear_policy()
        return []
    by_hand = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if not program("apt-get"):
        raise MissingError(
            f"these packages are missing: {', '.join(missing)}. This machine has no apt; install "
            "them with its own package manager and start again"
        )
    sudo = [] if os.geteuid() == 0 else _sudo(by_hand, missing)
    say(f"  installing {', '.join(missing)} …")
    with no_service_starts(sudo):
        apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        logged([*apt, "update"], log)
        if logged([*apt, "install", "-y", "--no-install-recommends", *missing], log):
            said = log.read_text(errors="replace").strip().splitlines()[-1]
            raise MissingError(f"apt could not install {', '.join(missing)}: {said}; see {log}")
        # The portal starts its own; at the next boot theirs would take the standard ports.
        services = [name for name in missing if name in SERVICES]
        if services and program("systemctl"):
            logged([*sudo, "systemctl", "disable", *services], log)
    still = [package.name for package in packages if not package.present()]
    if still:
        raise MissingError(f"apt installed {', '.join(still)}, but it is not usable; see {log}")
    return missing


def _sudo(by_hand: str, missing: list[str]) -> list[str]:
    sudo = program("sudo")
    interactive = sys.stdin.isatty()
    if sudo and (
        interactive or subprocess.run([sudo, "-n", "true"], capture_output=True).returncode == 0
    ):
        return [sudo]
    raise MissingError(
        f"these packages are missing: {', '.join(missing)}. Ask an administrator to run\n"
        f"    {by_hand}\nand start again"
    )


@contextmanager
def no_service_starts(sudo: list[str]) -> Iterator[None]:
    """Keeps the packages from starting servers of their own on the standard ports.

    The portal runs its own processes on its own ports; a policy-rc.d that denies is how Debian
    is told. One that is there already is left alone, unless a killed start has left it.
    """
    if POLICY.exists() and not _policy_is_ours():
        yield
        return
    script = f"printf '#!/bin/sh\\n{POLICY_MARK}\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}"
    try:
        subprocess.run([*sudo, "sh", "-c", script], check=True)
        yield
    finally:
        subprocess.run([*sudo, "rm", "-f", str(POLICY)], check=True)


def _clear_policy() -> None:
    """Takes away what a start has left that was killed while it installed, where that is possible."""
    if _policy_is_ours():
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        with suppress(FileNotFoundError):
            subprocess.run([*sudo, "rm", "-f", str(POLICY)], capture_output=True)


def _policy_is_ours() -> bool:
    return POLICY.exists() and POLICY_MARK in POLICY.read_text(errors="replace")


def install_python(log: Path, *, dev: bool) -> bool:
    """Brings the Python environment to what the lock file says; returns whether it had to.

    Raises:
        MissingError: the packages could not be installed.
    """
    with VENV.with_name(f"{VENV.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = VENV / "installed"
        wanted = _fingerprint(dev=False), _fingerprint(dev=True)
        found = stamp.read_text().strip() if stamp.exists() else ""
        if found == wanted[1] or (found == wanted[0] and not dev):
            return False
        stamp.unlink(missing_ok=True)
        _install_locked(log, "requirements-dev.lock" if dev else "requirements.lock")
        stamp.write_text(wanted[1] if dev else wanted[0])
        return True


def _fingerprint(*, dev: bool) -> str:
    """Changes with everything that changes what is installed: lock, metadata, translations, Python."""
    digest = hashlib.sha256(f"{dev} {base_python()} {os.path.realpath(base_python())}".encode())
    files = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock", ROOT / "setup.cfg"]
    files += sorted((ROOT / "ckanext-aizu").glob("ckanext/*/i18n/*/LC_MESSAGES/*.po"))
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _install_locked(log: Path, lock: str) -> None:
    python = str(VENV / "bin" / "python")
    uv = [python, "-m", "uv", "pip", "install", "--python", python, "--no-deps"]
    own = ["--no-build-isolation", "--editable", str(ROOT)]
    compile_catalogues = [python, str(ROOT / "scripts" / "compile-translations")]
    _run([base_python(), "-m", "venv", str(VENV)], log)
    _run([python, "-m", "pip", "install", "--quiet", UV], log)
    _run([*uv, "--requirement", str(ROOT / lock)], log)
    # One left in the checkout by another build would hide the entry points installed here.
    shutil.rmtree(ROOT / "aizu_portal.egg-info", ignore_errors=True)
    _run([*uv, *own], log)
    _run(compile_catalogues, log)


def _run(command: list[str], log: Path) -> None:
    if logged(command, log):
        tail = log.read_text(errors="replace").splitlines()[-3:]
        raise MissingError("\n".join([f"{' '.join(command[:5])} … failed; see {log}", *tail]))


def logged(command: list[str], log: Path) -> int:
    """Runs a program to its end and returns its exit code.

    Interrupted, it hands the interruption on and waits: apt ends a download at once, but finishes
    what dpkg has begun, without which the next installation would be refused.
    """
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [*tied(signal.SIGINT), *command], stdout=output, stderr=subprocess.STDOUT, cwd=ROOT
        ) as process,
    ):
        try:
            return process.wait()
        except KeyboardInterrupt:
            # What sudo has started may not be signalled; the terminal has told it.
            with suppress(PermissionError):
                process.send_signal(signal.SIGINT)
            process.wait()
            raise
