"""Signs the head of the log each minute, and refuses where the log is not the one that was signed before."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection

from aizu_vault.ages import JST
from aizu_vault.key_files import write_private
from aizu_vault.keys import Signer
from aizu_vault.log.errors import ForkError, NotReadyError
from aizu_vault.log.notes import Checkpoint, PublicKey, read, sign
from aizu_vault.log.query import one_row, rows
from aizu_vault.log.tree import Tree, store_tiles

UNSIGNED_AT_MOST = timedelta(minutes=5)
CLOCK_BACK_AT_MOST = timedelta(seconds=1)
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Head:
    """A signed tree head."""

    checkpoint: Checkpoint
    signed_at: datetime
    note: str


@dataclass(frozen=True, kw_only=True)
class LogSigner:
    """What signs the heads of one log.

    Attributes:
        origin: the name of the log, an address without https://.
        signer: its key.
        last: the file that remembers the last head that was signed. It lies outside the database, so that a
            log which was cut short together with its heads is not signed.
    """

    origin: str
    signer: Signer
    last: Path

    @property
    def trusted(self) -> PublicKey:
        """The key by which anybody checks what is signed."""
        return PublicKey(name=self.origin, key=self.signer.public)

    def sign_head(self, connection: Connection[Any]) -> Head:
        """Signs the log as it is committed now, in a transaction of its own.

        Raises:
            ForkError: it does not begin with what was signed before.
        """
        with connection.transaction():
            tree = Tree(connection)
            size = tree.get_size()
            self._check_last(tree, size)
            store_tiles(connection, tree, size)
            checkpoint = Checkpoint(origin=self.origin, size=size, root=tree.get_root(size))
            head = self._signed(checkpoint)
            self._remember(head)
            _store(connection, head)
        return head

    def known(self) -> Checkpoint | None:
        """What was signed last; nothing before the first head."""
        if not self.last.exists():
            return None
        return read(self.last.read_text(encoding="utf-8"), self.trusted)[0]

    def lost(self, connection: Connection[Any]) -> Checkpoint | None:
        """What was signed last, if the log does not begin with it."""
        tree = Tree(connection)
        try:
            self._check_last(tree, tree.get_size())
        except ForkError:
            return self.known()
        return None

    def forget(self) -> None:
        """The next head may be that of another log; what was signed before is kept beside, under its size."""
        if known := self.known():
            self.last.replace(self.last.with_name(f"{self.last.name}.{known.size}"))

    def sign(self, checkpoint: Checkpoint, beside: Head) -> str:
        """Signs another checkpoint, that of the entries of one person.

        Args:
            checkpoint: what is signed.
            beside: the head it belongs to; it is not signed before that one, wherever the clock stands.
        """
        return self._signed(checkpoint, not_before=beside.signed_at).note

    def _signed(self, checkpoint: Checkpoint, not_before: datetime = _EVER) -> Head:
        now = max(datetime.now(UTC).replace(microsecond=0), not_before)
        note = sign(self.signer, self.origin, checkpoint, now)
        return Head(checkpoint=checkpoint, signed_at=now, note=note)

    def _check_last(self, tree: Tree, size: int) -> None:
        known = self.known()
        if known is None:
            return
        if size < known.size:
            raise ForkError(f"the log has {size} leaves, and {known.size} were signed")
        if tree.get_root(known.size) != known.root:
            raise ForkError(f"the first {known.size} leaves are not those that were signed")

    def _remember(self, head: Head) -> None:
        """Before anybody sees the head: a signed one is never forgotten."""
        write_private(self.last, head.note.encode())


def newest_head(connection: Connection[Any], trusted: PublicKey) -> Head | None:
    """The newest signed head, if there is one."""
    query = "SELECT note FROM audit.log_head ORDER BY tree_size DESC LIMIT 1"
    found = rows(connection, query)
    return _head_of(found[0][0], trusted) if found else None


def daily_heads(connection: Connection[Any], trusted: PublicKey) -> list[tuple[date, Head]]:
    """The first head of each day in Japan on which one was signed."""
    query = "SELECT day, note FROM audit.log_day ORDER BY day"
    return [(day, _head_of(note, trusted)) for day, note in rows(connection, query)]


def check_ready(connection: Connection[Any]) -> None:
    """Sees whether anything may be released now.

    Raises:
        NotReadyError: leaves have waited too long for a signature, or the database's clock went back.
    """
    unsigned_for, clock_behind = one_row(connection, "SELECT * FROM audit.state()")
    if unsigned_for is not None and unsigned_for > UNSIGNED_AT_MOST:
        raise NotReadyError(f"the log has not been signed for {unsigned_for}")
    if clock_behind is not None and clock_behind > CLOCK_BACK_AT_MOST:
        raise NotReadyError(f"the clock stands {clock_behind} before the newest leaf of the log")


def _head_of(note: str, trusted: PublicKey) -> Head:
    checkpoint, signed_at = read(note, trusted)
    return Head(checkpoint=checkpoint, signed_at=signed_at, note=note)


def _store(connection: Connection[Any], head: Head) -> None:
    connection.execute(
        "INSERT INTO audit.log_head AS known (tree_size, root, signed_at, note) "
        "VALUES (%s, %s, %s, %s) ON CONFLICT (tree_size) DO UPDATE "
        "SET signed_at = excluded.signed_at, note = excluded.note WHERE known.signed_at < excluded.signed_at",
        (head.checkpoint.size, head.checkpoint.root, head.signed_at, head.note),
    )
    day = head.signed_at.astimezone(JST).date()
    connection.execute(
        "INSERT INTO audit.log_day (day, note) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (day, head.note),
    )
