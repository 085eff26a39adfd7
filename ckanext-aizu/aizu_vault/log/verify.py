"""Checks the whole log from its leaves: order, content, tiles, heads, and heads that were kept elsewhere."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from pymerkle.hasher import MerkleHasher

from aizu_vault.log.entries import as_text
from aizu_vault.log.errors import NoteError
from aizu_vault.log.notes import PublicKey, read
from aizu_vault.log.query import one_row, rows, snapshot
from aizu_vault.log.tree import FAN

_AT_ONCE = 5_000


@dataclass(frozen=True, kw_only=True)
class Audit:
    """How many leaves were read, and what is wrong, in the order it was found."""

    leaves: int
    findings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Stored:
    leaf_index: int
    leaf_hash: bytes
    recorded_at: datetime
    tag: bytes | None
    body: bytes
    sealed: bytes | None


@dataclass
class _Range:
    """The roots of the full subtrees of the leaves so far, from left to right (a compact range)."""

    size: int = 0
    roots: list[bytes] = field(default_factory=list)
    hasher: MerkleHasher = field(default_factory=lambda: MerkleHasher("sha256"))

    def add(self, leaf: bytes) -> Iterator[tuple[int, bytes]]:
        """Adds a leaf hash; yields each subtree that is full now, as its height and root."""
        node, filled, height = leaf, self.size, 0
        while filled & 1:
            node = self.hasher.hash_pair(self.roots.pop(), node)
            filled, height = filled >> 1, height + 1
            yield height, node
        self.roots.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self.roots:
            return bytes(self.hasher.hash_empty())
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = self.hasher.hash_pair(left, node)
        return node


def verify_log(connection: Connection[Any], trusted: PublicKey, kept: Sequence[str] = ()) -> Audit:
    """Reads the whole log in one snapshot, which may be the caller's, and says all that is wrong.

    Args:
        connection: reads the log.
        trusted: the log's public key.
        kept: signed heads from outside the database: published ones, the signer's last one.
    """
    with snapshot(connection):
        return _Check(connection, trusted, kept).run()


class _Check:
    """One pass over the log."""

    def __init__(
        self, connection: Connection[Any], trusted: PublicKey, kept: Sequence[str]
    ) -> None:
        self.connection = connection
        self.range = _Range()
        self.findings: list[str] = []
        self.last_time = ""
        self.personal = 0
        self.heads = self._heads(trusted, kept)
        stored = rows(connection, "SELECT level, position, tile_hash FROM audit.log_tile")
        self.tiles = {(level, position): root for level, position, root in stored}

    def run(self) -> Audit:
        """Leaf after leaf; at the size of each head its root is compared."""
        self._compare_heads()
        with self.connection.cursor(
            "leaves", row_factory=class_row(_Stored), binary=True
        ) as cursor:
            cursor.itersize = _AT_ONCE
            for stored in cursor.execute("SELECT * FROM audit.log_leaf ORDER BY leaf_index"):
                self._check_leaf(stored)
                for height, root in self.range.add(hashlib.sha256(b"\0" + stored.body).digest()):
                    self._compare_tile(height, root)
                self._compare_heads()
        self._compare_counts()
        for size in sorted(self.heads):
            self._find(
                f"the log ends after {self.range.size} leaves, and a head of {size} was signed"
            )
        for level, position in self.tiles:
            self._find(f"tile {level}/{position} stands on leaves that are not there")
        return Audit(leaves=self.range.size, findings=tuple(self.findings))

    def _heads(self, trusted: PublicKey, kept: Sequence[str]) -> dict[int, set[bytes]]:
        """The roots that were signed for each size; two for one size are a fork."""
        heads: dict[int, set[bytes]] = {}
        stored = rows(
            self.connection, "SELECT tree_size, root, signed_at, note FROM audit.log_head"
        )
        for name, columns, note in [
            *((f"head {size}", (size, root, at), note) for size, root, at, note in stored),
            *((f"kept head {place}", None, note) for place, note in enumerate(kept, 1)),
        ]:
            try:
                head, at = read(note, trusted)
            except NoteError as error:
                self._find(f"{name}: {error}")
                continue
            if head.origin != trusted.name or columns not in (None, (head.size, head.root, at)):
                self._find(f"{name} is not what was signed")
            heads.setdefault(head.size, set()).add(head.root)
        if not heads:
            self._find("the log has no signed head")
        return heads

    def _check_leaf(self, stored: _Stored) -> None:
        index = stored.leaf_index
        if index != self.range.size:
            self._find(f"leaf {index} stands where leaf {self.range.size} belongs")
        said = _said(stored.body)
        if hashlib.sha256(b"\0" + stored.body).digest() != stored.leaf_hash:
            self._find(f"leaf {index}: its hash is not that of its body")
        if said.get("tag") != _hex(stored.tag):
            self._find(f"leaf {index}: its tag is not that of its body")
        if said.get("sealed") != _hex(stored.sealed and hashlib.sha256(stored.sealed).digest()):
            self._find(f"leaf {index}: what is sealed is not what was logged")
        if said.get("at") != as_text(stored.recorded_at):
            self._find(f"leaf {index}: its time is not that of its body")
        elif as_text(stored.recorded_at) < self.last_time:
            self._find(f"leaf {index} was recorded before the one in front of it")
        self.last_time = as_text(stored.recorded_at)
        self.personal += stored.tag is not None

    def _compare_tile(self, height: int, root: bytes) -> None:
        level, rest = divmod(height, FAN.bit_length() - 1)
        if rest == 0 and level:
            position = self.range.size >> height
            if self.tiles.pop((level, position), root) != root:
                self._find(f"tile {level}/{position} is not that of its leaves")

    def _compare_counts(self) -> None:
        (counted,) = one_row(self.connection, "SELECT audit.count_all()")
        if counted != self.personal:
            self._find(f"{self.personal} leaves are about persons, and {counted} were counted")

    def _compare_heads(self) -> None:
        for root in self.heads.pop(self.range.size, ()):
            if root != self.range.root():
                self._find(f"the first {self.range.size} leaves are not those that were signed")

    def _find(self, finding: str) -> None:
        self.findings.append(finding)


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
