"""Publishes inside a process of its own that is killed, by SIGKILL, after any number of lines of the portal's code.

Reads one order a line from its standard input (JSON) and answers each with a line. It forks for every order, so
that the portal's code is loaded once and lost as often as wanted.
"""

import io
import json
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

STEPS = (
    "publishing",
    "undo",
    "in_step",
    "loading",
    "unchanged",
    "table",
    "versions",
    "blobs",
    "departments",
    "retention",
    "held",
    "stored",
    "place",
    "approval",
)


class Killer:
    """Counts the lines of the portal's code that deals with versions, and ends the process at one of them."""

    def __init__(self, die_at: int, told: int) -> None:
        self.die_at, self.told, self.lines = die_at, told, 0

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        """For sys.settrace."""
        module = frame.f_globals.get("__name__", "").removeprefix("ckanext.aizu.")
        if module not in STEPS:
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.die_at:
                os.write(self.told, f"{module}:{frame.f_lineno}".encode())
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def main(ini: str) -> None:
    """Obeys orders until there are no more."""
    app = make_app(CKANConfigLoader(ini).get_config())._wsgi_app
    sys.stdout.write("ready\n")
    for line in sys.stdin:
        sys.stdout.flush()
        heard, told = os.pipe()
        child = os.fork()
        if not child:
            obey(app, json.loads(line), told)
        os.close(told)
        with os.fdopen(heard) as answer:
            where = answer.read()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"status": status, "told": where}) + "\n")
        sys.stdout.flush()


def obey(app: Any, order: dict[str, Any], told: int) -> None:
    """In the child: calls an action as its user and says how many lines it took."""
    from ckan import model
    from ckan.plugins import toolkit as tk
    from ckanext.datastore.backend.postgres import get_read_engine, get_write_engine
    from werkzeug.datastructures import FileStorage

    for engine in (model.meta.engine, get_read_engine(), get_write_engine()):
        engine.dispose(close=False)
    files = {
        part: FileStorage(io.BytesIO(content.encode()), name)
        for part, (name, content) in order["files"].items()
    }
    killer = Killer(order["die_at"], told)
    code = 1
    try:
        with app.test_request_context():
            action = tk.get_action(order["action"])
            context: Any = {"user": order["user"], "ignore_auth": True}
            sys.settrace(killer)
            threading.settrace(killer)
            try:
                action(context, {**order["data"], **files})
            except tk.ValidationError as refused:
                if "gate" not in refused.error_dict:
                    raise
            sys.settrace(None)
            os.write(told, str(killer.lines).encode())
            code = 0
    except Exception as error:  # noqa: BLE001  whatever it is, the test shall see it
        os.write(told, repr(error).encode())
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
