"""One version of a table, as the comparison of versions reads it: text, row by row, as the file has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

PLACE = "_place"
"""Of a row among the rows of its file, from 0; no column that is published begins with _."""


class UnreadableError(ValueError):
    """A file is not the CSV that its schema describes."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """CSV in UTF-8, with or without a byte order mark, and what describes it."""

    content: Path | bytes = field(repr=False)
    fields: Sequence[dict[str, Any]]
    """Of its Table Schema."""
    key: tuple[str, ...] = ()

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of each column."""
        return {one["name"]: one.get("type", "any") for one in self.fields}

    def scan(self) -> pl.LazyFrame:
        """All rows; a blank cell is "", never null."""
        if not self._size():
            return pl.LazyFrame(schema={PLACE: pl.UInt32} | dict.fromkeys(self.types, pl.String))
        return pl.scan_csv(
            self.content,
            infer_schema=False,
            empty_string_is_null=False,
            glob=False,
            row_index_name=PLACE,
        )

    def at(self, places: pl.Series) -> pl.LazyFrame:
        """The rows at these places; nothing is read behind the last of them."""
        last = places.max()
        head = self.scan().head(last + 1 if isinstance(last, int) else 0)
        wanted = places.to_frame(PLACE).lazy()
        return head.join(wanted, on=PLACE, how="semi")

    def check(self) -> None:
        """Refuses a file that the schema does not describe."""
        found = [name for name in self.scan().collect_schema().names() if name != PLACE]
        if found != [one["name"] for one in self.fields]:
            raise UnreadableError(f"expected the columns {list(self.types)}, found {found}")

    def _size(self) -> int:
        content = self.content
        return content.stat().st_size if isinstance(content, Path) else len(content)
