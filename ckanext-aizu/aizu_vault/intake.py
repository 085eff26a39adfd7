"""Takes rows about persons into the vault: checks them, files them by person and day, encrypts them; all or none."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import polars as pl

from aizu_vault.blocks import Place, seal_blocks
from aizu_vault.log.append import append
from aizu_vault.log.entries import Entry
from aizu_vault.log.query import rows
from aizu_vault.stored_register import read_layouts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from psycopg import Connection

    from aizu_vault.blocks import Layout
    from aizu_vault.keys import PersonKey
    from aizu_vault.settings import Vault

SUBJECT: Final = "subject"
"""The column that says whom a row is about."""
_DAY: Final = "vault day"
_ZONE: Final = "Asia/Tokyo"
_AT_ONCE: Final = 1000
_INSERT: Final = """
    INSERT INTO vault.block (
        dataset_id, version, subject_id, day, part, n_rows, t_min, t_max, sealed
    ) SELECT %s, %s, block.* FROM unnest(
        %s::uuid[], %s::date[], %s::integer[], %s::integer[], %s::timestamptz[], %s::timestamptz[], %b::bytea[]
    ) AS block"""


class IntakeError(ValueError):
    """The rows are not what the dataset has; the message tells columns and lines, and no content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What has come in."""

    rows: int
    blocks: int
    persons: int


def ingest(vault: Vault, dataset: str, frame: pl.DataFrame) -> Taken:
    """Takes rows in. What comes late for a day that is filed already becomes a further part of it.

    Args:
        vault: where they go.
        dataset: what they belong to.
        frame: the columns of the dataset's newest layout, and `subject`: the ids of persons as text.

    Raises:
        IntakeError: the rows do not fit the dataset, or are about somebody who is not in the vault.
    """
    with vault.connect("deep_ingest") as connection:
        layout = _newest(connection, dataset)
        filed = _filed(_fitting(frame, layout), layout)
        keys = _keys(connection, vault, filed)
        days = _days(filed, layout)
        with connection.transaction():
            # One intake of a dataset at a time: parts of a day are numbered.
            words = "SELECT pg_advisory_xact_lock(hashtext('vault.intake'), hashtext(%s))"
            connection.execute(words, (dataset,))
            parts = _next_parts(connection, dataset, days)
            _store(connection, dataset, layout, filed, days.with_columns(part=parts), keys)
            facts = {"dataset": dataset, "rows": frame.height}
            append(connection, {}, [Entry(kind="intake", facts=facts)])
    return Taken(rows=frame.height, blocks=days.height, persons=len(keys))


def _newest(connection: Connection[Any], dataset: str) -> Layout:
    layouts = read_layouts(connection, dataset)
    if not layouts:
        raise IntakeError(f"there is no dataset {dataset!r}")
    return layouts[max(layouts)]


def _fitting(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The columns in their order and kinds."""
    expected = [SUBJECT, *layout.columns]
    if odd := set(expected) ^ set(frame.columns):
        raise IntakeError(
            f"expected the columns {', '.join(expected)}; "
            f"missing: {_named(odd & set(expected))}; not known: {_named(odd - set(expected))}"
        )
    if frame.is_empty():
        raise IntakeError("there are no rows")
    time = next(iter(layout.columns))
    for name in (SUBJECT, time):
        _refuse(frame, name, pl.col(name).is_null(), "is empty")
    if frame.schema[SUBJECT] != pl.String:
        raise IntakeError(f"{SUBJECT}: expected text, and not {frame.schema[SUBJECT]}")
    columns = [_as_kind(frame, name, kind) for name, kind in layout.columns.items()]
    return pl.DataFrame([frame[SUBJECT], *columns])


def _as_kind(frame: pl.DataFrame, name: str, kind: str) -> pl.Series:
    """The same values in the width in which blocks have them; nothing is made to fit."""
    column, dtype = frame[name], frame.schema[name]
    match kind:
        case "time" if isinstance(dtype, pl.Datetime) and dtype.time_zone:
            return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        case "integer" if dtype.is_integer():
            _refuse(frame, name, pl.col(name) > 2**63 - 1, "is too large")
            return column.cast(pl.Int64)
        case "number" if dtype.is_float() or dtype.is_integer():
            made = column.cast(pl.Float64)
            _refuse(made.to_frame(), name, ~pl.col(name).is_finite(), "is no number")
            return made
        case "text" if dtype == pl.String:
            return column
    zone = " with a time zone" if kind == "time" else ""
    raise IntakeError(f"{name}: expected {kind}{zone}, and not {dtype}")


def _filed(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """By person, by day in Japan, and by time."""
    time = next(iter(layout.columns))
    day = pl.col(time).dt.convert_time_zone(_ZONE).dt.date().alias(_DAY)
    return frame.with_row_index("vault row").with_columns(day).sort(SUBJECT, time, "vault row")


def _days(filed: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """What becomes a block each."""
    time = pl.col(next(iter(layout.columns)))
    return filed.group_by(SUBJECT, _DAY, maintain_order=True).agg(
        rows=pl.len(), first=time.first(), last=time.last()
    )


def _keys(connection: Connection[Any], vault: Vault, filed: pl.DataFrame) -> dict[UUID, PersonKey]:
    """The key of everybody the rows are about."""
    firsts = filed.group_by(SUBJECT).agg(pl.col("vault row").min()).sort("vault row")
    named = {_id(text, row): row for text, row in firsts.iter_rows()}
    query = "SELECT subject_id FROM consent.subject WHERE subject_id = ANY (%s) AND NOT erased"
    keys = vault.keys.read(one for (one,) in rows(connection, query, (list(named),)))
    if strangers := [row for one, row in named.items() if one not in keys]:
        raise IntakeError(
            f"{len(strangers)} of {len(named)} persons are not in the vault or were erased; "
            f"the first stands in row {min(strangers) + 1}"
        )
    return keys


def _id(text: str, row: int) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if str(found) != text:
        raise IntakeError(f"row {row + 1}: {SUBJECT} is no id as the vault writes it")
    return UUID(text)


def _next_parts(connection: Connection[Any], dataset: str, days: pl.DataFrame) -> pl.Series:
    """For each day of a person the number of the part that comes now."""
    query = (
        "SELECT coalesce(max(part) + 1, 0)"
        " FROM unnest(%s::uuid[], %s::date[]) WITH ORDINALITY AS filed (subject_id, day, place)"
        " LEFT JOIN vault.block AS block ON block.dataset_id = %s"
        " AND (block.subject_id, block.day) = (filed.subject_id, filed.day)"
        " GROUP BY place ORDER BY place"
    )
    filed = days[SUBJECT].to_list(), days[_DAY].to_list()
    return pl.Series([part for (part,) in rows(connection, query, (*filed, dataset))])


def _store(
    connection: Connection[Any],
    dataset: str,
    layout: Layout,
    filed: pl.DataFrame,
    days: pl.DataFrame,
    keys: Mapping[UUID, PersonKey],
) -> None:
    """Some blocks at a time, so that the transaction never stands still for long."""
    ends = np.concatenate(([0], days["rows"].cum_sum().to_numpy())).tolist()
    cuts = [*range(0, days.height, _AT_ONCE), days.height]
    for start, end in pairwise(cuts):
        some = days.slice(start, end - start)
        places = [
            _place(dataset, layout, *row) for row in some.select(SUBJECT, _DAY, "part").iter_rows()
        ]
        counts = some["rows"].to_list()
        piece = filed.slice(ends[start], ends[end] - ends[start]).select([*layout.columns])
        sealed = seal_blocks(piece, list(zip(places, counts, strict=True)), layout, keys)
        connection.execute(_INSERT, [dataset, layout.version, *_columns(places, some, sealed)])


def _place(dataset: str, layout: Layout, subject: str, day: date, part: int) -> Place:
    person = UUID(subject)
    return Place(person=person, dataset=dataset, day=day, part=part, version=layout.version)


def _columns(places: Sequence[Place], days: pl.DataFrame, sealed: list[bytes]) -> list[list[Any]]:
    """As the statement takes them."""
    return [
        [place.person for place in places],
        [place.day for place in places],
        [place.part for place in places],
        *(days[name].to_list() for name in ("rows", "first", "last")),
        sealed,
    ]


def _refuse(frame: pl.DataFrame, name: str, wrong: pl.Expr, told: str) -> None:
    lines = frame.select(wrong.arg_true()).to_series()
    if lines.len():
        raise IntakeError(f"row {lines[0] + 1}: {name} {told} ({lines.len()} such rows)")


def _named(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
