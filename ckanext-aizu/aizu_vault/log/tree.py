"""pymerkle's tree over the leaves in PostgreSQL: roots, inclusion proofs and consistency proofs as RFC 9162 has them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, LiteralString

from psycopg import Connection
from pymerkle import BaseMerkleTree

from aizu_vault.log.query import one_row, rows

# Leaves below one stored tile; tiles of the next level stand on as many tiles.
FAN = 256
_TILES_KEPT = 1024
# Roots of subtrees from this width on are kept, in so many bytes.
_SMALL = 8
_KEPT_BYTES = 64 * 1024 * 1024


class Tree(BaseMerkleTree):  # type: ignore[misc]  # pymerkle has no types
    """The tree as it is committed when this is made; it reads only.

    Leaves are read 256 at a time and kept; above them stand the tiles that the signer has stored.
    """

    def __init__(self, connection: Connection[Any], *, stored_tiles: bool = True) -> None:
        """Takes the connection; without stored tiles everything is computed from the leaves."""
        super().__init__("sha256", threshold=_SMALL, capacity=_KEPT_BYTES)
        self._connection = connection
        self._stored_tiles = stored_tiles
        self._tile = lru_cache(_TILES_KEPT)(self._read_tile)
        query = "SELECT coalesce(max(leaf_index) + 1, 0) FROM audit.log_leaf"
        self._size = int(one_row(connection, query)[0])

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf `index`, counted from 0, is in the tree of that size."""
        path: list[bytes] = self.prove_inclusion(index + 1, size).path
        return path[1:]  # pymerkle's begins with the leaf itself

    def consistency(self, earlier: int, later: int) -> list[bytes]:
        """The proof that the later tree begins with the whole earlier one.

        Built as RFC 9162, 2.1.4.1 has it: pymerkle's own consistency proofs have another form.
        """
        if not 0 <= earlier <= later <= self._size:
            raise ValueError(f"expected sizes up to {self._size}, and not {earlier} and {later}")
        return self._subproof(earlier, 0, later, known=True) if earlier else []

    def _subproof(self, earlier: int, start: int, end: int, *, known: bool) -> list[bytes]:
        if earlier == end - start:
            return [] if known else [self._get_root(start, end)]
        middle = 1 << (end - start - 1).bit_length() - 1
        if earlier <= middle:
            below = self._subproof(earlier, start, start + middle, known=known)
            return [*below, self._get_root(start + middle, end)]
        below = self._subproof(earlier - middle, start + middle, end, known=False)
        return [*below, self._get_root(start, start + middle)]

    def full_subtree(self, offset: int, width: int) -> bytes:
        """The root of a full subtree; its width is a power of 2."""
        return self._get_subroot_uncached(offset, width)

    def _get_size(self) -> int:
        return self._size

    def _get_leaf(self, index: int) -> bytes:
        return self._get_leaves(index - 1, 1)[0]

    def _get_leaves(self, offset: int, width: int) -> Sequence[bytes]:
        """The hashes of a range that lies within one tile, or is made of whole ones."""
        tile, within = divmod(offset, FAN)
        if within + width <= FAN:
            return self._tile(tile)[within : within + width]
        return [one for step in range(0, width, FAN) for one in self._tile(tile + step // FAN)]

    def _read_tile(self, position: int) -> Sequence[bytes]:
        return self._column(
            "SELECT leaf_hash FROM audit.log_leaf WHERE leaf_index >= %s AND leaf_index < %s "
            "ORDER BY leaf_index",
            (position * FAN, min((position + 1) * FAN, self._size)),
        )

    def _get_subroot_uncached(self, offset: int, width: int) -> bytes:
        """The root of a full subtree: from stored tiles where there are, else from the leaves."""
        span, level = FAN, 1
        while span * FAN <= width:
            span, level = span * FAN, level + 1
        if self._stored_tiles and width >= FAN:
            nodes = self._column(
                "SELECT tile_hash FROM audit.log_tile WHERE level = %s AND position >= %s "
                "AND position < %s ORDER BY position",
                (level, offset // span, (offset + width) // span),
            )
            if len(nodes) == width // span:
                return self._fold(nodes)
        return self._fold(self._get_leaves(offset, width))

    def _fold(self, nodes: Sequence[bytes]) -> bytes:
        while len(nodes) > 1:
            nodes = [self.hash_pair(*pair) for pair in zip(nodes[::2], nodes[1::2], strict=True)]
        return nodes[0]

    def _column(self, query: LiteralString, values: tuple[int, ...]) -> list[bytes]:
        return [value for (value,) in rows(self._connection, query, values)]

    def _encode_entry(self, data: Any) -> bytes:
        raise NotImplementedError("leaves are added by aizu_vault.log.append")

    def _store_leaf(self, data: Any, digest: bytes) -> int:
        raise NotImplementedError("leaves are added by aizu_vault.log.append")


def store_tiles(connection: Connection[Any], tree: Tree, size: int) -> None:
    """Stores the tiles that are full at this size and not there yet."""
    level, span = 1, FAN
    while span <= size:
        query = "SELECT coalesce(max(position) + 1, 0) FROM audit.log_tile WHERE level = %s"
        (first,) = one_row(connection, query, (level,))
        for position in range(first, size // span):
            root = tree.full_subtree(position * span, span)
            connection.execute(
                "INSERT INTO audit.log_tile VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (level, position, root),
            )
        level, span = level + 1, span * FAN
