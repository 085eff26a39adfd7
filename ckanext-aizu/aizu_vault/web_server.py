"""How gunicorn runs the service; it has no words of its own: what it would quote or log may be somebody's."""

import resource
import sys
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.util import close_graceful
from gunicorn.workers.gthread import ThreadWorker

from aizu_vault.answers import CLOSED, place_of

REFUSED = (
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n"
    + "".join(f"{name}: {value}\r\n" for name, value in CLOSED.items())
    + "\r\n"
).encode()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threads, and one answer to whatever is no HTTP."""

    def handle(self, conn: Any) -> Any:
        """Waits in its own thread for whoever has not read to the end; gunicorn would where it accepts all others."""
        goes_on = super().handle(conn)
        if goes_on is False:
            close_graceful(conn.sock)
            conn.close = _closed_already
        return goes_on

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answers what could not be read, without quoting it."""
        self.log.warning("A request could not be read: %s", place_of(exc))
        client.settimeout(1)
        client.sendall(REFUSED)


def _closed_already(graceful: bool = False) -> None:  # noqa: ARG001  gunicorn fixes it
    """What is left to do for gunicorn."""


class Errors(Logger):  # type: ignore[misc]
    """Says of errors what they are and where, and nothing that is in them."""

    def exception(self, msg: str, *args: object, **kwargs: Any) -> None:
        """An error that nobody has caught."""
        error = sys.exception()
        self.error("Not answered: %s", place_of(error) if error else msg)


# Who crashes leaves no memory on the disk: there are keys and rows in it.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

# One process, so that one thread signs the log; releases take half of the threads at most.
workers = 1
threads = 16
worker_class = Worker
logger_class = Errors
timeout = 120
graceful_timeout = 10
control_socket_disable = True
