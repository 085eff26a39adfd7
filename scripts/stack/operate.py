"""What an operator asks of a portal that is there: how it is, that it stops, that its data go."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

from stack import folder
from stack.settings import Settings
from stack.supervisor import StartError, memory_mb, out

# Everything the portal makes in its folder; what else lies there is not its own to delete.
MADE = (
    *("ckan.ini", "deep-token.pem", "first-password", "harvest", "harvest.env", "log", "nginx"),
    *("postgres", "redis", "redis.conf", "restore", "run", "secrets.json", "set-up", "storage"),
    "vault",
)


def stop(told: Settings) -> int:
    """Stops the portal that uses this folder; 0 also when none runs."""
    pid = folder.running_pid(told)
    if pid is None:
        out(f"no portal runs with the data in {told.var}")
        return 0
    if pid == 0:
        raise StartError("the portal is installing packages; interrupt it where it was started")
    os.kill(pid, signal.SIGTERM)
    while folder.running_pid(told) is not None:
        time.sleep(0.1)
    out("stopped")
    return 0


def status(told: Settings) -> int:
    """Prints what runs; exit code 3 when nothing does, as service managers expect."""
    file = told.var / "run" / "state.json"
    if folder.running_pid(told) is None or not file.exists():
        out(f"no portal runs with the data in {told.var}")
        return 3
    state = json.loads(file.read_text())
    living = {n: pid for n, pid in state["processes"].items() if Path(f"/proc/{pid}").exists()}
    memory = {name: memory_mb(pid) for name, pid in living.items()}
    for name, pid in living.items():
        out(f"  {name:10} process {pid:<8} {memory[name]:6.0f} MB")
    out(f"  {'in all':27} {sum(memory.values()):6.0f} MB")
    out(state["address"])
    return 0


def reset(told: Settings) -> int:
    """Deletes all data of this portal, after asking."""
    if not (told.var / "run").exists():
        out(f"nothing to delete: no portal has been started with the data in {told.var}")
        return 0
    with folder.only_one(told):
        out(f"This deletes the catalogue, all files, accounts and secrets in {told.var}.")
        if not _agreed("Type yes to delete: "):
            out("nothing deleted")
            return 1
        for name in MADE:
            _delete(told.var / name)
            _delete(told.var / f"{name}.new")
    out("deleted; aizu.env and whatever else the portal has not made are kept")
    return 0


def _agreed(question: str) -> bool:
    try:
        return input(question).strip() == "yes"
    except EOFError:
        out("")
        return False


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)
