"""Day blocks: the rows of one person, one dataset and one day, column by column, encrypted with the person's key.

A block is bound to what it holds: person, dataset, day, part and version of the layout are authenticated with it, so
that it opens in its own place only. In PostgreSQL stands nothing else of the rows.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from cryptography.exceptions import InvalidTag

from aizu_vault.keys import PersonKey

_NONCE = 12
_COUNT = struct.Struct("<I")
_WIDTH = 8
# Times are microseconds since 1970 in UTC; lengths of texts are kept as whole numbers are.
_STORED = {"time": "<i8", "integer": "<i8", "number": "<f8", "text": "<i8"}
_KINDS: dict[str, Any] = {
    "time": pl.Datetime("us", "UTC"),
    "integer": pl.Int64,
    "number": pl.Float64,
    "text": pl.String,
}


class BlockError(Exception):
    """A block cannot be made or opened; the message holds nothing of its content, and no person."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of a dataset at one version: names, and kinds among time, integer, number and text."""

    version: int
    columns: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a block belongs; it opens nowhere else.

    Attributes:
        dataset: or data class, by its short name.
        part: 0, and further numbers for what arrives late.
        version: of the layout.
    """

    person: UUID
    dataset: str
    day: date
    part: int
    version: int

    def bound(self) -> bytes:
        """The associated data; of fixed width but for its end, so that no two places have the same."""
        numbers = struct.pack(">IHI", self.day.toordinal(), self.part, self.version)
        return b"aizu block\0" + self.person.bytes + numbers + self.dataset.encode()


def seal_blocks(
    frame: pl.DataFrame,
    places: Sequence[tuple[Place, int]],
    layout: Layout,
    keys: Mapping[UUID, PersonKey],
) -> list[bytes]:
    """Encrypts the rows of a table that has those of each place one after the other.

    The nonce is random and stands in front; a key is used for one person's blocks alone, far fewer than the
    2^32 that random nonces allow.

    Args:
        frame: the rows, in the columns of the layout.
        places: where blocks belong, and how many rows each has.
        layout: the columns.
        keys: of all these persons.

    Raises:
        BlockError: the rows are not those of the layout or of the places, or a person has no key.
    """
    ends = np.concatenate(([0], np.cumsum([count for _, count in places], dtype="i8")))
    if ends[-1] != frame.height:
        raise BlockError(
            f"expected {ends[-1]} rows in {len(places)} blocks, and not {frame.height}"
        )
    pieces = _pieces(frame, layout, ends)
    sealed = []
    for (place, count), *parts in zip(places, *pieces, strict=True):
        cipher, nonce = _key(place, layout, keys).blocks, os.urandom(_NONCE)
        plain = b"".join((_COUNT.pack(count), *parts))
        sealed.append(nonce + cipher.encrypt(nonce, plain, place.bound()))
    return sealed


def open_blocks(
    blocks: Iterable[tuple[Place, bytes]], layout: Layout, keys: Mapping[UUID, PersonKey]
) -> pl.DataFrame:
    """The rows of many blocks as one table.

    A further first column `block` says from which block of the sequence a row is, for what differs from
    person to person: pseudonym, fields, time that is covered.

    Raises:
        BlockError: a key is gone, or a block was altered or stands in another's place. Nothing is opened then.
    """
    return _unpack([_opened(place, sealed, layout, keys) for place, sealed in blocks], layout)


def _opened(place: Place, sealed: bytes, layout: Layout, keys: Mapping[UUID, PersonKey]) -> bytes:
    key = _key(place, layout, keys)
    try:
        return key.blocks.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.bound())
    except (InvalidTag, ValueError):
        told = f"a block of {place.dataset}, {place.day}"
        raise BlockError(f"{told}: it was altered, or belongs to another place") from None


def _key(place: Place, layout: Layout, keys: Mapping[UUID, PersonKey]) -> PersonKey:
    told = f"a block of {place.dataset}, {place.day}"
    if place.version != layout.version:
        raise BlockError(f"{told}: expected layout {layout.version}, and not {place.version}")
    try:
        return keys[place.person]
    except KeyError:
        raise BlockError(f"{told}: its key does not exist or was destroyed") from None


def _pieces(
    frame: pl.DataFrame, layout: Layout, ends: np.ndarray[Any, Any]
) -> Iterator[list[bytes]]:
    """What blocks are made of, block after block: of each column which rows are empty, values, letters."""
    expected = pl.Schema({name: _KINDS[kind] for name, kind in layout.columns.items()})
    if frame.schema != expected:
        raise BlockError(f"expected the columns {dict(expected)}, and not {dict(frame.schema)}")
    for column in frame.iter_columns():
        yield _sliced(column.is_null().to_numpy().tobytes(), ends)
        if column.dtype == pl.String:
            texts = column.fill_null("")
            lengths = texts.str.len_bytes().cast(pl.Int64).to_numpy()
            yield _sliced(lengths.astype("<i8").tobytes(), ends * _WIDTH)
            yield _sliced("".join(texts).encode(), np.concatenate(([0], np.cumsum(lengths)))[ends])
        else:
            stored = "<f8" if column.dtype == pl.Float64 else "<i8"
            values = column.to_physical().fill_null(0).to_numpy().astype(stored)
            yield _sliced(values.tobytes(), ends * _WIDTH)


def _sliced(joined: bytes, ends: np.ndarray[Any, Any]) -> list[bytes]:
    return [joined[start:end] for start, end in pairwise(ends.tolist())]


def _unpack(plain: Sequence[bytes], layout: Layout) -> pl.DataFrame:
    """All blocks at once: the same column of each is joined, and turned into a series only then."""
    counts = [_COUNT.unpack_from(one)[0] for one in plain]
    at = [_COUNT.size] * len(plain)
    columns = [pl.Series("block", np.repeat(np.arange(len(plain), dtype="u4"), counts))]
    for name, kind in layout.columns.items():
        empty = np.frombuffer(_joined(plain, at, counts), dtype=bool)
        sizes = [count * _WIDTH for count in counts]
        values = np.frombuffer(_joined(plain, at, sizes), dtype=_STORED[kind])
        if kind == "text":
            series = _texts(name, plain, at, counts, values)
        else:
            series = pl.Series(name, values).cast(_KINDS[kind])
        columns.append(_emptied(series, empty))
    return pl.DataFrame(columns)


def _joined(plain: Sequence[bytes], at: list[int], sizes: Sequence[int]) -> bytes:
    """The next piece of each block, one after the other; `at` moves behind it."""
    joined = b"".join(
        [one[start : start + size] for one, start, size in zip(plain, at, sizes, strict=True)]
    )
    at[:] = [start + size for start, size in zip(at, sizes, strict=True)]
    return joined


def _texts(
    name: str,
    plain: Sequence[bytes],
    at: list[int],
    counts: Sequence[int],
    lengths: np.ndarray[Any, Any],
) -> pl.Series:
    ends = np.concatenate(([0], np.cumsum(lengths)))
    rows = np.concatenate(([0], np.cumsum(counts, dtype="i8")))
    letters = _joined(plain, at, np.diff(ends[rows]).tolist())
    texts = [
        letters[a:b].decode() for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    return pl.Series(name, texts, dtype=pl.String)


def _emptied(series: pl.Series, empty: np.ndarray[Any, Any]) -> pl.Series:
    return series.set(pl.Series(empty), None) if empty.any() else series
