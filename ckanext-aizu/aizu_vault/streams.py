"""Releases on their way to the socket: how many at once, and what becomes of one that breaks off."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from aizu_vault.answers import Refusal, RefusedRequestError
from aizu_vault.release import Release

AT_ONCE: Final = 8
"""Half of the threads, so that there is always one for a withdrawal."""
MOST_BYTES: Final = 256 * 1024
"""That are given to the socket without looking again whether the fence is held."""


class Places:
    """For what takes long: as many at once as leave threads for the rest, and one for each holder."""

    def __init__(self) -> None:
        """All are free."""
        self._lock = threading.Lock()
        self._held: set[str] = set()

    def take(self, holder: str) -> None:
        """Takes one.

        Raises:
            RefusedRequestError: the holder has one, or there is none left.
        """
        with self._lock:
            if holder in self._held:
                raise RefusedRequestError(Refusal.RUNNING)
            if len(self._held) >= AT_ONCE:
                raise RefusedRequestError(Refusal.BUSY)
            self._held.add(holder)

    def leave(self, holder: str) -> None:
        """Gives it back."""
        with self._lock:
            self._held.remove(holder)

    @contextmanager
    def held(self, holder: str) -> Iterator[None]:
        """Has one for a while.

        Raises:
            RefusedRequestError: see `take`.
        """
        self.take(holder)
        try:
            yield
        finally:
            self.leave(holder)


class Stream:
    """The body of an answer: the pieces of a release.

    `close` is called by the server, whatever happens; a generator would not notice where it was never begun.
    """

    def __init__(
        self, release: Release, leave: Callable[[], None], connection: socket.socket
    ) -> None:
        """Takes the release, what frees its place, and the connection to the recipient."""
        self._release, self._leave, self._connection = release, leave, connection
        self._pieces, self._rest = iter(release), b""
        self._is_over = False

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next part of a piece; that the next piece is asked for says that the last one was handed over.

        A release that stops raises. The server then leaves the last chunk of the answer out, so that nobody takes
        it for whole.
        """
        try:
            if self._rest:
                self._release.check_held()
            piece = self._rest or next(self._pieces)
            self._rest = piece[MOST_BYTES:]
            return piece[:MOST_BYTES]
        except BaseException:
            # Before the recipient knows that it is the end, and asks for more.
            self._end()
            raise

    def close(self) -> None:
        """Lets go of the fence and of the place, where the recipient has gone or takes nothing more."""
        if not self._is_over:
            self._end()
            self._hang_up()

    def _end(self) -> None:
        self._is_over = True
        try:
            self._release.close()
        finally:
            self._leave()

    def _hang_up(self) -> None:
        """Without waiting for a reader who takes nothing: the server would, and answer nobody meanwhile."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
