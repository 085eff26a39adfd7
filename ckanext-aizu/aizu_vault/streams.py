"""Releases on their way to the socket: how many at once, and what becomes of one that breaks off."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from aizu_vault.release import Release

AT_ONCE: Final = 8
"""Half of the threads, so that there is always one for a withdrawal."""


class Places:
    """As many releases as may run at once."""

    def __init__(self) -> None:
        """All are free."""
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def take(self) -> bool:
        """Takes one, if there is one."""
        return self._free.acquire(blocking=False)

    def leave(self) -> None:
        """Gives it back."""
        self._free.release()


class Stream:
    """The body of an answer: the pieces of a release.

    `close` is called by the server, whatever happens; a generator would not notice where it was never begun.
    """

    def __init__(self, release: Release, places: Places, connection: socket.socket) -> None:
        """Takes the release, a place that was taken for it, and the connection to the recipient."""
        self._release, self._places, self._connection = release, places, connection
        self._pieces = iter(release)
        self._is_over = False

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next piece; that it is asked for says that the last one was handed over.

        A release that stops raises. The server then leaves the last chunk of the answer out, so that nobody takes
        it for whole.
        """
        try:
            return next(self._pieces)
        except BaseException:
            self._is_over = True
            raise

    def close(self) -> None:
        """Lets go of the fence and of the place."""
        try:
            self._release.close()
        finally:
            self._places.leave()
            if not self._is_over:
                self._hang_up()

    def _hang_up(self) -> None:
        """Without waiting for a reader who takes nothing: the server would, and answer nobody meanwhile."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
