"""Which row of one version became which row of the next, told by hashes of the rows."""

import secrets
from collections.abc import Sequence

import polars as pl

from ckanext.aizu.diff_table import PLACE, Table

KEY, WHOLE = ("_key", "_key2"), ("_whole", "_whole2")
"""128 bits each, of the cells of a row's key and of all its cells."""
NTH = "_nth"


def match(before: Table, after: Table, key: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """Pairs the rows of two versions, by their key where they have one that is theirs alone.

    Other rows, all of them if `key` is empty, are paired if all cells of the columns that both
    versions have are the same. The hashes have a seed of their own each time, so that no file can
    be made to look unchanged; they take 40 bytes a row however wide the table is.

    Returns:
        A row for every pair (`before`, `after`: places; `same`: whether all cells are), with null
        where a row has no partner; and how many rows of both versions have no key of their own.
    """
    common = [column for column in after.types if column in before.types]
    seeds = secrets.randbits(63), secrets.randbits(63)
    old, new = (_digest(table, key, common, seeds) for table in (before, after))
    return _pairs(old, new) if common else (_unpaired(old, new), len(old) + len(new))


def _digest(
    table: Table, key: Sequence[str], common: Sequence[str], seeds: tuple[int, int]
) -> pl.DataFrame:
    """The place, the hashes, and whether the key is incomplete, of each row."""
    blank = pl.any_horizontal(pl.col(key) == "") if key else pl.lit(value=True)
    hashes = [*_hashes(key, KEY, seeds), *_hashes(common, WHOLE, seeds)]
    return table.scan().select(pl.col(PLACE), *hashes, blank=blank).collect(engine="streaming")


def _hashes(
    columns: Sequence[str], names: tuple[str, str], seeds: tuple[int, int]
) -> list[pl.Expr]:
    cells = pl.struct(columns) if columns else pl.lit(0)
    return [cells.hash(seed).alias(name) for name, seed in zip(names, seeds, strict=True)]


def _pairs(old: pl.DataFrame, new: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    unsound = pl.concat([_unsound(old), _unsound(new)]).unique()
    by_key = _joined(
        old.join(unsound, on=KEY, how="anti"), new.join(unsound, on=KEY, how="anti"), on=[*KEY]
    )
    before, after = (_numbered(side.join(unsound, on=KEY, how="semi")) for side in (old, new))
    whole = _joined(before, after, on=[*WHOLE, NTH])
    return pl.concat([by_key, whole]), len(before) + len(after)


def _unsound(side: pl.DataFrame) -> pl.DataFrame:
    """Keys that are blank or not alone."""
    return side.filter(pl.col("blank") | pl.col(KEY[0]).is_duplicated()).select(KEY)


def _numbered(side: pl.DataFrame) -> pl.DataFrame:
    """Counts rows that hold the same, so that the third of them is paired with the third.

    By sorting: a window over about as many groups as rows takes four times as long.
    """
    number = pl.int_range(pl.len())
    starts = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in WHOLE)
    first = pl.when(starts).then(number).forward_fill()
    return side.sort(*WHOLE, PLACE).with_columns((number - first).alias(NTH))


def _joined(old: pl.DataFrame, new: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    same = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_new") for name in WHOLE)
    joined = old.lazy().join(new.lazy(), on=on, how="full", suffix="_new")
    pairs = joined.select(before=PLACE, after=f"{PLACE}_new", same=same.fill_null(value=False))
    return pairs.collect(engine="streaming")


def _unpaired(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Of versions without a column that both have, no row can be told to be the same."""
    sides = [old.select(before=PLACE), new.select(after=PLACE)]
    return pl.concat(sides, how="diagonal").with_columns(same=pl.lit(value=False))
