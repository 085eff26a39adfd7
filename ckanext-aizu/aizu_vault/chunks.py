"""One chunk of a release: the blocks of some persons are read, opened, and what may not go is taken out.

It runs in a transaction under the fence of the dataset. The database records who is read, and lets nobody commit before
the log names them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from aizu_vault.blocks import Place, open_blocks
from aizu_vault.filters import kept, times
from aizu_vault.interval import Interval, union
from aizu_vault.log.query import rows
from aizu_vault.masks import common, masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from psycopg import Connection

    from aizu_vault.budget import Budget
    from aizu_vault.keys import PersonKey
    from aizu_vault.matter import Matter
    from aizu_vault.permits import Owner

SEGMENT_ROWS: Final = 4_000
_READ: Final = """
    SELECT subject_id, day, part, version, sealed
    FROM vault.release_chunk(
        %s, %s, %s::uuid[], %s::text[]::tstzmultirange[], %s, %s::date, %s::integer
    )
"""


class Spot(NamedTuple):
    """A block's place in the order of a release."""

    subject: UUID
    day: date
    part: int


@dataclass(frozen=True, kw_only=True)
class Turn:
    """How far a chunk may go.

    Attributes:
        release_id: of the release.
        number: of the chunk.
        after: a block of the first person; only what comes behind it is meant.
        most_bytes: of blocks; the one that passes it is the last.
    """

    release_id: UUID
    number: int
    after: Spot | None
    most_bytes: int


class Share(NamedTuple):
    """What goes of a person's data."""

    fields: tuple[str, ...] = ()
    rows: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def and_also(self, other: Share) -> Share:
        """Both together."""
        if not self.rows or not other.rows:
            return self if self.rows else other
        return Share(
            fields=tuple(sorted({*self.fields, *other.fields})),
            rows=self.rows + other.rows,
            first=min(filter(None, (self.first, other.first))),
            last=max(filter(None, (self.last, other.last))),
        )


class Segment(NamedTuple):
    """Rows of some whole blocks one after the other: where they end, the last block, and whom they are about."""

    end: int
    last: Spot
    persons: set[UUID]


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """What was read, and what of it goes.

    Attributes:
        frame: the rows that go, with two more columns: the places of their block in `spots` and of its owner in
            `owners`.
        spots: the blocks that were read.
        is_cut: whether there may be more of those whose turn it was, behind the last block.
        is_spent: whether something stays since the budget is used up.
    """

    matter: Matter
    frame: pl.DataFrame
    spots: Sequence[Spot]
    owners: Sequence[Owner]
    is_cut: bool
    is_spent: bool

    @property
    def reached(self) -> int | None:
        """How many persons' turn it was when the blocks became too many; None if they did not."""
        return len({spot.subject for spot in self.spots}) if self.is_cut else None

    @cached_property
    def shares(self) -> dict[UUID, Share]:
        """What goes of each person who is read, to the log; of some it may be nothing."""
        found: dict[UUID, Share] = {}
        time = pl.col(self.matter.time)
        gone = self.frame.group_by("owner", maintain_order=True).agg(
            pl.len(), time.min().alias("first"), time.max().alias("last")
        )
        for place, count, first, last in gone.iter_rows():
            owner = self.owners[place]
            share = Share(tuple(sorted(owner.windows)), count, first, last)
            found |= {one: found.get(one, Share()).and_also(share) for one in owner.about}
        return found

    def segments(self) -> Iterator[Segment]:
        """All rows that go, in their order."""
        blocks, owners = self.frame["block"].to_numpy(), self.frame["owner"].to_numpy()
        begin = 0
        while begin < len(blocks):
            last = blocks[min(begin + SEGMENT_ROWS, len(blocks)) - 1]
            end = int(np.searchsorted(blocks, last, side="right"))
            places = np.unique(owners[begin:end]).tolist()
            persons = {one for place in places for one in self.owners[place].about}
            yield Segment(end, self.spots[last], persons)
            begin = end


def read_chunk(
    connection: Connection[Any],
    matter: Matter,
    turn: Turn,
    owners: Sequence[Owner],
    keys: Mapping[UUID, PersonKey],
    budget: Budget,
) -> Chunk:
    """What goes of these persons.

    Raises:
        BlockError: a block was altered.
    """
    affordable = budget.affordable(owners)
    spots, frame, size = _opened(connection, matter, turn, affordable, keys)
    places = {owner.subject: place for place, owner in enumerate(affordable)}
    owner_of = np.array([places[spot.subject] for spot in spots], dtype="u4")
    frame = frame.with_columns(pl.Series("owner", owner_of[frame["block"].to_numpy()]))
    goes = _permitted(frame, matter, affordable)
    limited = goes if budget.rows is None else goes.head(budget.rows)
    return Chunk(
        matter=matter,
        frame=limited,
        spots=spots,
        owners=affordable,
        is_cut=size >= turn.most_bytes,
        is_spent=len(affordable) < len(owners) or limited.height < goes.height,
    )


def _permitted(frame: pl.DataFrame, matter: Matter, owners: Sequence[Owner]) -> pl.DataFrame:
    windows = [owner.windows for owner in owners]
    rest = masked(frame, matter.time, frame["owner"].to_numpy(), windows, matter.fields)
    return kept(_told(rest, matter.fields), matter.filters)


def _told(frame: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """The rows that say something: that there is one would tell when another field was measured."""
    if not any(frame[name].null_count() for name in fields[:1]):
        return frame
    return frame.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in fields))


def _opened(
    connection: Connection[Any],
    matter: Matter,
    turn: Turn,
    owners: Sequence[Owner],
    keys: Mapping[UUID, PersonKey],
) -> tuple[list[Spot], pl.DataFrame, int]:
    """Which blocks were read, their rows, and how large they were."""
    subjects = [owner.subject for owner in owners]
    # What went before is of the first person, if it is still their turn.
    after = turn.after if turn.after and turn.after.subject in subjects[:1] else None
    _, day, part = after or (None, None, None)
    values = (
        turn.release_id,
        turn.number,
        subjects,
        _times(owners, Interval(*times(matter.filters, matter.time))),
        turn.most_bytes,
        day,
        part,
    )
    read = rows(connection, _READ, values) if subjects else []
    spots = [Spot(*row[:3]) for row in read]
    blocks = [
        (
            Place(
                person=one, dataset=matter.dataset.dataset_id, day=day, part=part, version=version
            ),
            sealed,
        )
        for one, day, part, version, sealed in read
    ]
    return spots, _rows(matter, blocks, keys), sum(len(row[4]) for row in read)


def _times(owners: Sequence[Owner], wanted: Interval) -> list[str]:
    """For each person the times of which something may go and is wanted: of others no block is opened, nor counted."""
    texts: dict[frozenset[tuple[Interval, ...]], str] = {}
    for owner in owners:
        windows = frozenset(owner.windows.values())
        if windows not in texts:
            times = common(union(chain.from_iterable(windows)), (wanted,))
            texts[windows] = f"{{{','.join(map(_as_range, times))}}}"
    return [texts[frozenset(owner.windows.values())] for owner in owners]


def _as_range(one: Interval) -> str:
    start, end = (bound.isoformat() if bound else "" for bound in (one.start, one.end))
    return f"[{start},{end})"


def _rows(
    matter: Matter, blocks: Sequence[tuple[Place, bytes]], keys: Mapping[UUID, PersonKey]
) -> pl.DataFrame:
    """The rows of blocks, as the newest layout has them, whichever each of them has."""
    wanted = ("block", matter.time, *matter.fields)
    versions = {place.version for place, _ in blocks}
    if versions <= {matter.layout.version}:
        return open_blocks(blocks, matter.layout, keys).select(wanted)
    parts = [open_blocks((), matter.layout, {}).select(wanted)]
    for version in versions:
        chosen = [number for number, (place, _) in enumerate(blocks) if place.version == version]
        layout = matter.layouts[version]
        opened = open_blocks([blocks[number] for number in chosen], layout, keys)
        named = opened.rename({next(iter(layout.columns)): matter.time})
        numbers = np.array(chosen, dtype="u4")[opened["block"].to_numpy()]
        parts.append(named.with_columns(pl.Series("block", numbers)))
    whole = pl.concat(parts, how="diagonal_relaxed").select(wanted).cast(parts[0].schema)
    return whole.sort("block", maintain_order=True)
