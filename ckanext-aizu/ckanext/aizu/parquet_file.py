"""Writes a Parquet file whose key-value metadata every reader finds."""

from collections.abc import Mapping
from pathlib import Path

import nanoarrow as na
import polars as pl

# As views, which is how Polars holds them, many readers do not know them yet.
_PLAIN = {pl.String: na.large_string, pl.Binary: na.large_binary}


def save(frame: pl.LazyFrame, metadata: Mapping[str, str], to: Path) -> None:
    """Writes rows as they come, never all of them in memory.

    Metadata stand in the file twice: Arrow's readers, GeoPandas among them, look for them in Arrow's
    schema alone, which Polars writes without.
    """
    columns = {name: _arrow(name, kind) for name, kind in frame.collect_schema().items()}
    schema = na.c_schema(na.struct(columns)).modify(metadata=dict(metadata))
    frame.sink_parquet(to, compression="zstd", metadata=dict(metadata), arrow_schema=schema)


def _arrow(name: str, kind: pl.DataType) -> na.Schema:
    plain = _PLAIN.get(kind.base_type())
    return plain() if plain else na.Schema(na.c_schema(pl.Schema({name: kind})).child(0))
