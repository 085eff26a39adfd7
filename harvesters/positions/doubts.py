"""What is doubtful about positions: clocks that are wrong, places without a fix, times that run backwards."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from harvesters.city import Bbox
from harvesters.positions.tracks import AT, RECEIVED, ROW
from harvesters.source import Problem
from harvesters.words import Words

MOST = 1_000
"""Problems of one rule that are listed; how many there are in all is said in a note."""
AHEAD = timedelta(seconds=60)
"""A clock may be so far ahead before a position is one from the future."""
LIVE = timedelta(hours=1)
"""Where the newest position is older, the file is a log, and says nothing of clocks."""
SKEW = timedelta(seconds=30)
FEW = 0.1
"""The share of positions outside the city up to which the others can be trusted."""
SENTENCES = {
    "future-position": Words(
        "{vehicle} の時刻 {value} は、受信した時刻より先です。車載器の時計を確かめてください。",
        "{vehicle}: the time {value} is later than its reception; check the clock of the unit.",
    ),
    "time-backwards": Words(
        "{vehicle} の時刻 {value} は、前の行より戻っています。記録の順序と車載器の時計を確かめてください。",
        "{vehicle}: the time {value} is earlier than in the row before; "
        "check the order of the log and the clock of the unit.",
    ),
    "no-fix": Words(
        "{vehicle} の位置が緯度 0・経度 0 です。測位できていません。車載器を確かめ、行を除いてください。",
        "{vehicle} is at latitude 0, longitude 0: there was no fix. "
        "Check the unit and leave the row out.",
    ),
    "outside-city": Words(
        "{vehicle} の位置（緯度 {value}）は市の外です。隣の町に出ているのでなければ、車載器を確かめてください。",
        "{vehicle} is outside the city (latitude {value}); "
        "check the unit, unless it has driven to the next town.",
    ),
}
"""Rule: what is wrong, and what to do."""
COLUMNS = {
    "future-position": "observed_at",
    "time-backwards": "observed_at",
    "no-fix": "latitude",
    "outside-city": "latitude",
}


def outside(frame: pl.DataFrame, box: Bbox) -> pl.Series:
    """The rows whose position is not in the city; what is no number is for others to judge."""
    latitude, longitude = (
        pl.col(name).cast(pl.Float64, strict=False) for name in ("latitude", "longitude")
    )
    inside = latitude.is_between(box.south, box.north)
    inside &= longitude.is_between(box.west, box.east)
    return frame.select((~inside).fill_null(value=False)).to_series()


def problems(
    frame: pl.DataFrame,
    astray: pl.Series,
    fetched_at: datetime,
    table: str,
    headings: dict[str, str],
) -> tuple[list[Problem], list[Words]]:
    """The doubtful rows, each with its cell, and notes on how many and on the clocks.

    One plough in the next town, or without a fix, must not hide all others: where few positions
    are outside the city (`astray`), they are told; where many are, the table's checks refuse it.
    """
    found: list[Problem] = []
    notes = list(_clocks(frame, fetched_at))
    doubtful = _rows(frame, fetched_at)
    if are_few(astray):
        gone = frame.filter(astray)
        doubtful["outside-city"] = gone.join(doubtful["no-fix"], on=ROW, how="anti")
    for rule, rows in doubtful.items():
        severe = rule == "no-fix" and not are_few(astray)
        found += _listed(rule, rows, table, headings, "error" if severe else "warning")
        if rows.height > MOST:
            notes.append(
                Words(
                    f"{rule} は全部で {rows.height:,} 件あり、最初の {MOST:,} 件を示します。",
                    f"{rule}: {rows.height:,} in all, of which the first {MOST:,} are listed.",
                )
            )
    return found, notes


def are_few(astray: pl.Series) -> bool:
    """Whether most positions are where they should be."""
    return int(astray.sum()) <= FEW * len(astray)


def _rows(frame: pl.DataFrame, fetched_at: datetime) -> dict[str, pl.DataFrame]:
    received = _received(fetched_at)
    zero = [pl.col(name).cast(pl.Float64, strict=False) == 0 for name in ("latitude", "longitude")]
    return {
        "no-fix": frame.filter(zero[0] & zero[1]),
        "future-position": frame.filter(pl.col(AT) > received + AHEAD),
        "time-backwards": frame.filter(_backwards(frame)),
    }


def _received(fetched_at: datetime) -> pl.Expr:
    """When the feed says, else when it was fetched; "created" may be the day the unit was bought."""
    fetched = pl.lit(fetched_at.replace(tzinfo=None)).cast(pl.Datetime("ms"))
    likely = pl.col(AT) - pl.col(RECEIVED) < timedelta(days=1)
    return pl.when(likely).then(RECEIVED).otherwise(fetched)


def _backwards(frame: pl.DataFrame) -> pl.Series:
    """A file may begin with the newest: then the steps forward are the ones that are wrong."""
    step = frame.select(pl.col(AT).diff().over("vehicle").dt.total_milliseconds()).to_series()
    back, forth = (step < 0).fill_null(value=False), (step > 0).fill_null(value=False)
    return forth if back.sum() > forth.sum() else back


def _listed(
    rule: str,
    rows: pl.DataFrame,
    table: str,
    headings: dict[str, str],
    severity: Literal["error", "warning"],
) -> Iterator[Problem]:
    column = COLUMNS[rule]
    cells = rows.head(MOST).select(ROW, "vehicle", column)
    for row, vehicle, value in cells.iter_rows():
        said = {"vehicle": vehicle, "value": value}
        yield Problem(
            rule=rule,
            severity=severity,
            table=table,
            row=row,
            column=headings.get(column, column),
            value=value,
            words=Words(*(text.format(**said) for text in SENTENCES[rule])),
        )


def _clocks(frame: pl.DataFrame, fetched_at: datetime) -> Iterator[Words]:
    """How far the newest position of each operator is from the reception, where that is a fault."""
    ages = (
        frame.filter(pl.col(AT).is_not_null())
        .group_by("operator", maintain_order=True)
        .agg((_received(fetched_at) - pl.col(AT)).min().alias("age"), pl.len())
    )
    live = ages.filter(pl.col("age") < LIVE)
    usual = live["age"].median() if live.height > 1 else timedelta()
    for operator, age, count in live.iter_rows():
        ahead = age < -SKEW
        if ahead or (isinstance(usual, timedelta) and age - usual > 10 * SKEW):
            seconds = round(abs(age).total_seconds())
            name = operator or "—"
            yield Words(
                f"{name} の最新の時刻は受信より {seconds:,} 秒{'先' if ahead else '前'}です"
                f"（{count:,} 件）。時計のずれか、送信の遅れです。",
                f"{name}: the newest time is {seconds:,} s {'ahead of' if ahead else 'before'} "
                f"reception ({count:,} positions): the clock is off, or they were sent late.",
            )
