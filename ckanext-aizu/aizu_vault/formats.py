"""How rows are written for those who receive them: CSV and JSON Lines."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from polars._typing import CsvQuoteStyle

Format = Literal["csv", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
}
PERSON = "person"
# Left out are only digits of the second that are zero.
_TIME = "%Y-%m-%dT%H:%M:%S%.f+09:00"


def header(columns: Iterable[str], form: Format) -> bytes:
    """What stands before the rows."""
    if form == "jsonl":
        return b""
    return pl.DataFrame({name: [] for name in columns}).write_csv().encode()


def with_written_times(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The same rows, the time as text in Japan's time.

    Many persons are measured at the same times: each time is written once and looked up.
    """
    times = frame[column]
    known = times.drop_nulls().unique()
    written = known.dt.convert_time_zone("Asia/Tokyo").dt.strftime(_TIME)
    looked_up = times.replace_strict(known, written, return_dtype=pl.String)
    return frame.with_columns(looked_up.alias(column))


def pieces(
    frame: pl.DataFrame, ends: Sequence[int], form: Format, *, has_texts: bool
) -> Iterator[bytes]:
    """The rows, one piece up to each of these ends.

    What did not go and what nobody measured are both empty: nobody can tell them apart.

    Args:
        frame: rows.
        ends: of the pieces, in their order; the last one is that of the rows.
        form: in which they are written.
        has_texts: whether there are texts in which there may be anything. Without them all rows are written at
            once, which takes half as long, and cut at the ends of lines.
    """
    if has_texts or not ends:
        parts = pairwise([0, *ends])
        return (_written(frame[start:end], form, has_texts=has_texts) for start, end in parts)
    whole = _written(frame, form, has_texts=has_texts)
    lines = np.flatnonzero(np.frombuffer(whole, dtype="u1") == ord("\n")) + 1
    cuts = [0, *lines[np.array(ends) - 1].tolist()]
    return (whole[start:end] for start, end in pairwise(cuts))


def _written(frame: pl.DataFrame, form: Format, *, has_texts: bool) -> bytes:
    written = io.BytesIO()
    if form == "csv":
        quotes: CsvQuoteStyle = "necessary" if has_texts else "never"
        frame.write_csv(written, include_header=False, quote_style=quotes)
    else:
        frame.write_ndjson(written)
    return written.getvalue()


def as_json(value: object) -> str:
    """For messages: what came, on one line and not at length."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:79]}…"
