"""Releases: hands rows over, chunk after chunk, each decided, logged and durable before its first byte goes.

One chunk, from the fence to the hand-over:

    the dataset's fence, together with other releases        whoever narrows waits, or goes first
    begin
        the log is signed, the clock does not stand back     else nothing goes
        decide, at the time of the vault's clock             for everybody whom the rows are about
        read the blocks, open them, take out what does not go
        one leaf of the log for everybody who was read
    commit                                                    durable, and only now:
    hand over, some rows at a time
    the fence is left; note what was handed over

A crash can leave something in the log that did not go, and never the other way round.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

import polars as pl
import psycopg

from aizu_vault import formats
from aizu_vault.blocks import BlockError
from aizu_vault.budget import check_budget, take_budget
from aizu_vault.chunks import Turn, read_chunk
from aizu_vault.fence import has_lost, is_wanted, release_fence
from aizu_vault.key_files import KeysError
from aizu_vault.log.errors import LogError, NotReadyError
from aizu_vault.log.heads import check_ready
from aizu_vault.matter import matter_of
from aizu_vault.permits import candidates, owners_now
from aizu_vault.progress import AIM_SECONDS, Course, Pace, Sent
from aizu_vault.pseudonyms import PSEUDONYM_BYTES, in_order
from aizu_vault.refusals import StoppedError
from aizu_vault.release_record import (
    Position,
    begin_release,
    end_release,
    mark_crashed,
    record_chunk,
    record_hand_over,
)
from aizu_vault.requests import ConsentRequest
from aizu_vault.restored import check_whole
from aizu_vault.settings import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from psycopg import Connection

    from aizu_vault.chunks import Chunk, Segment
    from aizu_vault.matter import Matter
    from aizu_vault.settings import Vault
    from aizu_vault.wishes import OwnWish, Wish

    Pieces = Iterator[tuple[Segment, bytes]]

__all__ = ["STALLED_SECONDS", "Release", "mark_crashed"]

STALLED_SECONDS: Final = 2.0
"""A reader who takes nothing for so long is cut off: withdrawals would wait for them."""
_log = logging.getLogger(__name__)


class Release:
    """A release that has begun; iterating over it, once, gives the bytes that go.

    A piece counts as handed over when the next one is asked for; until then the fence is held. Whatever happens,
    `close` it.
    """

    def __init__(self, vault: Vault, connection: Connection[Any], matter: Matter) -> None:
        """See `begin`."""
        self._vault, self._connection, self._matter = vault, connection, matter
        self._begun = begin_release(connection, matter)
        self._course = Course(_order(vault, connection, matter), self._begun.position)
        self._number, self._pace = 0, Pace()
        self._counted: UUID | None = None
        self._head = formats.header(self._columns, matter.wish.format)
        self._pieces = self._until_it_ends()

    @classmethod
    def begin(cls, vault: Vault, user: str, wish: Wish | OwnWish) -> Self:
        """Begins a release, or refuses it; nothing goes yet.

        Args:
            vault: with data and keys.
            user: who asks; for their own data, their id as a subject.
            wish: what they ask for.

        Raises:
            ReleaseError: it may not be, not like this, or not now.
            NotReadyError: nothing may be released now.
            UnreachableError: the database does not answer.
        """
        connection = vault.connect("deep_release")
        connection.prepare_threshold = 0
        try:
            check_ready(connection)
            check_whole(vault, connection)
            matter = matter_of(connection, user, wish)
            check_budget(connection, matter.request)
            return cls(vault, connection, matter)
        except psycopg.OperationalError:
            connection.close()
            raise UnreachableError("the vault's database went away, or is locked") from None
        except BaseException:
            connection.close()
            raise

    @property
    def release_id(self) -> UUID:
        """By which it is resumed."""
        return self._begun.release_id

    @property
    def media_type(self) -> str:
        """Of what goes."""
        return formats.MEDIA_TYPES[self._matter.wish.format]

    def __iter__(self) -> Iterator[bytes]:
        """The bytes that go.

        Raises:
            StoppedError: it does not go on. What has been given is not the whole.
        """
        return self._pieces

    def check_held(self) -> None:
        """Sees that the fence is still held: it is lost with the connection to the database.

        Raises:
            StoppedError: it is not, and no byte more may go.
        """
        if has_lost(self._connection):
            raise StoppedError("unavailable")

    def close(self) -> None:
        """Ends it, if it has not ended, and leaves the fence."""
        with suppress(StoppedError):
            self._pieces.close()
        self._end("stopped", "connection")

    def _until_it_ends(self) -> Generator[bytes]:
        try:
            with _stopping():
                yield from self._stream()
            self._end("completed")
        except StoppedError as stopped:
            self._end("stopped", stopped.reason)
            raise

    def _stream(self) -> Iterator[bytes]:
        while not self._course.is_over:
            yield from self._chunk()
        if self._head:
            yield self._headed(b"")

    def _chunk(self) -> Iterator[bytes]:
        """One chunk; however it ends, what was handed over is noted once the fence is left."""
        sent = Sent()
        try:
            with release_fence(self._connection, self._matter.dataset.dataset_id):
                begun = time.monotonic()
                chunk, pieces, persons = self._take()
                is_whole = yield from self._hand_over(chunk, pieces, sent, begun)
                self._pace.learn(time.monotonic() - begun, chunk.reached)
        finally:
            self._note(sent)
        if is_whole and chunk.is_spent:
            raise StoppedError("budget")
        last = chunk.spots[-1] if is_whole and chunk.is_cut else sent.last
        if is_whole and not chunk.is_cut:
            self._course.go_past(persons)
        elif last is not None:
            self._course.go_behind(last)
        self._number += 1

    def _take(self) -> tuple[Chunk, Pieces, int]:
        """Decides, reads and logs: what may go since that is durable, and how many persons were asked about."""
        connection, matter = self._connection, self._matter
        subjects = self._course.turn(self._pace.persons)
        # The rows are written while the log is, which is a tenth of the time; nobody who logs waits for them.
        with ThreadPoolExecutor(1) as beside:
            with connection.transaction():
                check_ready(connection)
                budget = take_budget(connection, matter.request, self._begun.requested_at)
                owners, keys = owners_now(connection, self._vault.keys, matter, subjects)
                turn = Turn(
                    release_id=self.release_id,
                    number=self._number,
                    after=self._course.after,
                    most_bytes=self._pace.bytes,
                )
                chunk = read_chunk(connection, matter, turn, owners, keys, budget)
                pieces = beside.submit(self._pieces_of, chunk)
                record_chunk(connection, self._begun, self._number, chunk, keys, self._new(chunk))
            return chunk, pieces.result(), len(subjects)

    def _hand_over(
        self, chunk: Chunk, pieces: Pieces, sent: Sent, begun: float
    ) -> Generator[bytes, None, bool]:
        """Gives the rows away, and whether all of them went; the rest is decided anew if somebody waits."""
        for segment, piece in pieces:
            yield self._headed(piece)
            sent.add(segment, len(piece))
            self.check_held()
            if segment.last != chunk.spots[-1] and self._must_leave(begun):
                return False
        return True

    def _must_leave(self, begun: float) -> bool:
        """Whether the fence has been held for long and somebody waits for it."""
        is_late = time.monotonic() - begun > AIM_SECONDS
        return is_late and is_wanted(self._connection, self._matter.dataset.dataset_id)

    def _note(self, sent: Sent) -> None:
        if sent.last is not None:
            name = self._course.name(sent.last.subject)
            position = Position(name, sent.last.day, sent.last.part)
            record_hand_over(
                self._connection, self._begun, self._number, position, sent.size, sent.persons
            )

    def _new(self, chunk: Chunk) -> int:
        """How many persons of whom rows go had none in the chunk before."""
        owners = chunk.frame["owner"].unique(maintain_order=True).to_list()
        subjects = [chunk.owners[place].subject for place in owners]
        count = len(subjects) - (subjects[:1] == [self._counted])
        self._counted = subjects[-1] if subjects else self._counted
        return count

    @property
    def _columns(self) -> list[str]:
        has_names = isinstance(self._matter.request, ConsentRequest)
        return [*((formats.PERSON,) if has_names else ()), *self._matter.columns]

    def _pieces_of(self, chunk: Chunk) -> Pieces:
        """The rows that go as they are written."""
        segments = list(chunk.segments())
        ends = [segment.end for segment in segments]
        form, has_texts = self._matter.wish.format, self._matter.has_texts
        pieces = formats.pieces(self._named(chunk), ends, form, has_texts=has_texts)
        return zip(segments, pieces, strict=True)

    def _named(self, chunk: Chunk) -> pl.DataFrame:
        """The rows that go, with pseudonyms instead of persons, and times as text."""
        names = [self._course.name(owner.subject).hex() for owner in chunk.owners]
        column = pl.Series(formats.PERSON, names, dtype=pl.String).gather(chunk.frame["owner"])
        frame = formats.with_written_times(chunk.frame, self._matter.time)
        return frame.with_columns(column).select(self._columns)

    def _headed(self, piece: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + piece

    def _end(self, state: str, reason: str | None = None) -> None:
        """Once; without a database the release is found to have crashed later on."""
        if self._connection.closed:
            return
        with suppress(psycopg.Error):
            end_release(self._connection, self._begun, state, reason)
        self._connection.close()


@contextmanager
def _stopping() -> Iterator[None]:
    """Whatever goes wrong stops the release, and says nothing of what is in the vault."""
    try:
        yield
    except NotReadyError as error:
        _log.error("A release was stopped: %s", error)
        raise StoppedError("not-ready") from None
    except (BlockError, KeysError) as error:
        _log.error("A release was stopped: %s", error)
        raise StoppedError("failed") from None
    except psycopg.OperationalError:
        raise StoppedError("unavailable") from None
    except (psycopg.Error, LogError, pl.exceptions.PolarsError) as error:
        _log.error("A release was stopped by %s", type(error).__name__)
        raise StoppedError("failed") from None


def _order(vault: Vault, connection: Connection[Any], matter: Matter) -> list[tuple[bytes, UUID]]:
    """Pseudonyms and persons, as a release goes through them; oneself has no pseudonym."""
    request = matter.request
    if not isinstance(request, ConsentRequest):
        return [(bytes(PSEUDONYM_BYTES), UUID(request.user))]
    secret = vault.keys.agreement(request.agreement_id)
    return in_order(secret, candidates(connection, matter.dataset))
