"""What a person takes away to check the log alone: all entries about the person, with proofs and signed heads."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row
from pymerkle import InmemoryTree

from aizu_vault.log.entries import EntryKey, Leaf, private_content
from aizu_vault.log.errors import NotReadyError, UnreadableError
from aizu_vault.log.heads import LogSigner, newest_head
from aizu_vault.log.notes import Checkpoint
from aizu_vault.log.query import one_row, snapshot
from aizu_vault.log.tree import Tree

FORMAT = "aizu-log-bundle/1"


@dataclass(frozen=True, kw_only=True)
class OwnEntry:
    """An entry about a person as that person reads it."""

    number: int
    index: int
    leaf: Leaf
    content: bytes


@dataclass(frozen=True, kw_only=True)
class _Row:
    leaf_index: int
    tag: bytes
    body: bytes
    sealed: bytes


def own_entries(
    connection: Connection[Any], person: UUID, log_key: bytes, *, newest: int | None = None
) -> list[OwnEntry]:
    """The entries about a person in their order; the newest ones only where a number is given.

    Raises:
        UnreadableError: one is missing or does not fit.
    """
    with snapshot(connection):
        (last,) = one_row(connection, "SELECT audit.count_of(%s)", (person,))
        first = 1 if newest is None else max(1, last - newest + 1)
        # One number more than was counted: an entry there would be kept from the person.
        tags = {EntryKey(log_key, number).tag: number for number in range(first, last + 2)}
        query = "SELECT leaf_index, tag, body, sealed FROM audit.log_leaf WHERE tag = ANY(%s)"
        with connection.cursor(row_factory=class_row(_Row), binary=True) as cursor:
            found = {tags[row.tag]: row for row in cursor.execute(query, (list(tags),))}
    if wrong := set(found) ^ set(range(first, last + 1)):
        raise UnreadableError(f"entry {min(wrong)} of {last} is not where it belongs")
    return [_own(number, found[number], log_key) for number in sorted(found)]


def make_bundle(
    connection: Connection[Any],
    signer: LogSigner,
    person: UUID,
    log_key: bytes,
    *,
    since: int | None = None,
) -> dict[str, Any]:
    """Everything the offline check needs, as JSON; for the person alone, since the key is in it.

    Args:
        connection: reads the log.
        signer: signs how many entries there are.
        person: whose entries they are.
        log_key: the person's.
        since: the size of the tree in an earlier bundle; a proof is added that the log still begins with it.

    Raises:
        NotReadyError: no head was signed yet, or none since that bundle.
    """
    with snapshot(connection):
        head = newest_head(connection, signer.trusted)
        if head is None or (since or 0) > head.checkpoint.size:
            raise NotReadyError("no head of the log was signed yet, or none since then")
        tree, size = Tree(connection), head.checkpoint.size
        # What was logged since the last head follows with the next one.
        entries = [one for one in own_entries(connection, person, log_key) if one.index < size]
        with_proofs = [_with_proof(one, tree, size) for one in entries]
        known = [] if since is None else tree.consistency(since, size)
    bundle: dict[str, Any] = {
        "format": FORMAT,
        "key": log_key.hex(),
        "head": head.note,
        "own_head": signer.sign(_own_checkpoint(signer.origin, log_key, entries), head),
        "entries": with_proofs,
    }
    if since is not None:
        bundle["consistency"] = {str(since): [node.hex() for node in known]}
    return bundle


def _own_checkpoint(origin: str, log_key: bytes, entries: list[OwnEntry]) -> Checkpoint:
    """The person's own entries as a small log, signed so that none can be denied later."""
    tree = InmemoryTree()
    for entry in entries:
        tree.append_entry(entry.leaf.body)
    mark = hashlib.sha256(b"aizu log of" + log_key).hexdigest()
    return Checkpoint(origin=f"{origin}/{mark}", size=len(entries), root=tree.get_root())


def _with_proof(entry: OwnEntry, tree: Tree, size: int) -> dict[str, Any]:
    return {
        "index": entry.index,
        "leaf": entry.leaf.body.decode(),
        "content": entry.content.decode(),
        "proof": [node.hex() for node in tree.inclusion(entry.index, size)],
    }


def _own(number: int, row: _Row, log_key: bytes) -> OwnEntry:
    leaf = Leaf(body=row.body, tag=row.tag, sealed=row.sealed)
    content = private_content(leaf, log_key, number)
    return OwnEntry(number=number, index=row.leaf_index, leaf=leaf, content=content)
