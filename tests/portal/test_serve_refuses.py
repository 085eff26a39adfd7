"""What scripts/serve refuses, and in which words; what is left where it is interrupted early."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .copies import ROOT, STOP_S, eventually, free_port, serve


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder that other users than root may enter, as PostgreSQL has to."""
    for folder in (tmp_path, *tmp_path.parents):
        mode = folder.stat().st_mode
        if folder.owner() == tmp_path.owner() and not mode & 1:
            folder.chmod(mode | 1)
    return tmp_path


def test_address_of_another_machine_is_not_called_a_port_in_use(place):
    """An address that this machine does not have is named as what it is."""
    told = serve("--var", str(place), "--port", str(free_port()), AIZU_BIND="192.0.2.1")
    assert told.returncode == 1
    assert "AIZU_BIND: cannot listen on '192.0.2.1'" in told.stderr


INSTALL = """
import sys
from pathlib import Path
from stack import packages
from stack.__main__ import listen_to_signals
listen_to_signals()
packages.POLICY = Path(sys.argv[1]) / "policy-rc.d"
with packages.no_service_starts([]):
    packages.logged(sys.argv[2:], Path(sys.argv[1]) / "install.log")
"""


def test_interrupted_installation_leaves_nothing_behind(tmp_path):
    """SIGTERM or kill -9 while something is installed: it ends, too, and services may start again."""
    seconds = str(random.uniform(300, 600))
    policy = tmp_path / "policy-rc.d"
    begin = [sys.executable, "-c", INSTALL, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    for number, stays in ((signal.SIGTERM, False), (signal.SIGKILL, True)):
        process = subprocess.Popen(
            [*begin, "sleep", seconds], env=environment, stderr=subprocess.DEVNULL
        )
        assert eventually(lambda: runs("sleep", seconds))
        assert policy.stat().st_mode & 0o111
        process.send_signal(number)
        process.wait(STOP_S)
        assert eventually(lambda: not runs("sleep", seconds))
        assert policy.exists() == stays
    subprocess.run([*begin, "true"], env=environment, check=True)
    assert not policy.exists(), "what a killed installation has left is recognised"
    policy.write_text("#!/bin/sh\nexit 101\n")
    subprocess.run([*begin, "true"], env=environment, check=True)
    assert policy.exists(), "another's is left alone"


def runs(*command: str) -> bool:
    """Whether a process with this command lives."""
    wanted = "".join(f"{word}\0" for word in command).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes() == wanted:
                return True
        except OSError:
            continue
    return False


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AIZU_PORT": "many"}, "AIZU_PORT"),
        ({"AIZU_CITY": "atlantis"}, "atlantis"),
        ({"AIZU_DATABASE_URL": "postgresql://x@y/z"}, "AIZU_DATASTORE_WRITE_URL"),
        ({"AIZU_WORKERS": "0"}, "AIZU_WORKERS"),
        (
            {
                "AIZU_DATABASE_URL": "postgresql://x:p%40ss@y/z",
                "AIZU_DATASTORE_WRITE_URL": "postgresql://x:p%40ss@y/d",
                "AIZU_DATASTORE_READ_URL": "postgresql://r:p@y/d",
            },
            "needs no escaping",
        ),
    ],
)
def test_unusable_settings_are_named(tmp_path, environment, said):
    """A setting that cannot be used: its name, what came, what is expected; exit code 1."""
    told = serve("--var", str(tmp_path), **environment)
    assert told.returncode == 1
    assert said in told.stderr


def test_misspelt_setting_in_the_file_is_named(tmp_path):
    """A name in aizu.env that nobody knows is not passed over in silence."""
    (tmp_path / "aizu.env").write_text("AIZU_PROT=5001\n")
    told = serve("--var", str(tmp_path))
    assert told.returncode == 1
    assert "AIZU_PROT" in told.stderr
    assert "line 1" in told.stderr


def test_reset_asks_first(tmp_path):
    """Without a yes nothing is deleted; with it the portal's data go and what is another's stays."""
    (tmp_path / "run").mkdir()
    (tmp_path / "secrets.json").write_text("{}")
    (tmp_path / "aizu.env").write_text("AIZU_WORKERS=1\n")
    assert serve("--reset", "--var", str(tmp_path), stdin="no\n").returncode == 1
    assert (tmp_path / "secrets.json").exists()
    (tmp_path / "letters").mkdir()
    asked = serve("--reset", "--var", str(tmp_path), stdin="")
    assert asked.returncode == 1
    assert asked.stderr == ""
    assert (tmp_path / "secrets.json").exists()
    assert serve("--reset", "--var", str(tmp_path), stdin="yes\n").returncode == 0
    assert {entry.name for entry in tmp_path.iterdir()} == {"aizu.env", "letters"}


def test_full_disk_is_said_in_one_line(place):
    """A folder on a full disk: one line that says how much is needed."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small disk this test needs")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"this machine lets nobody mount a disk: {mounted.stderr.decode().strip()}")
    try:
        told = serve("--var", str(place))
        assert told.returncode == 1
        assert "500 MB are needed" in told.stderr
    finally:
        subprocess.run(["umount", place], check=True)


def test_folder_nobody_may_enter_is_named(place):
    """A folder that is there, in one that is closed to PostgreSQL's user: said before it fails."""
    if os.geteuid() != 0:
        pytest.skip("only root starts PostgreSQL as another user")
    closed = place / "closed"
    (closed / "var").mkdir(parents=True)
    closed.chmod(0o700)
    told = serve("--var", str(closed / "var"))
    assert told.returncode == 1
    assert f"{closed} is closed to other users" in told.stderr


def test_link_to_nowhere_is_named(tmp_path):
    """A folder that is a link whose aim has gone: one line that says which."""
    (tmp_path / "var").symlink_to(tmp_path / "gone")
    told = serve("--var", str(tmp_path / "var"))
    assert told.returncode == 1
    assert str(tmp_path / "gone") in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


def test_stop_without_a_portal(tmp_path):
    """--stop and --status where nothing runs say so."""
    assert serve("--stop", "--var", str(tmp_path)).returncode == 0
    assert serve("--status", "--var", str(tmp_path)).returncode == 3
