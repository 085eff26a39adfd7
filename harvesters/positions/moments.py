"""Times as feeds write them, on one clock: ISO 8601 in UTC, to the second or to its fraction."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from harvesters.intake.dates import datetimes
from harvesters.intake.numbers import Change
from harvesters.japanese import half_width

ZONED = r"(?i)(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$"
EPOCH = r"^\d{9,10}(?:\.\d+)?$|^\d{12,13}(?:\.0+)?$|^\d{15,16}$"
CLOCK = r"(?i)^\d{1,2}[:時]\d{1,2}(?:[:分]\d{1,2}秒?)?(?:\.\d+)?(?: ?[ap]m)?$"
SINCE_1970 = re.compile(r"(?:/Date\()?(\d{9,16}(?:\.\d+)?)(?:[+-]\d{4})?(?:\)/)?")
FORMS = (
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S",
)
"""Forms that Polars reads at once; with Z, the time is UTC."""
OTHERS = (
    "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%S.%f%z", "%Y/%m/%d %H:%M:%S%z", "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %z %Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%b/%Y:%H:%M:%S %z",
    "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S%z", "%Y%m%dT%H%M%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M",
    "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M",
    *(form.replace("%.f", "") for form in FORMS[1:]),
)  # fmt: skip
AMERICAN = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p")
EUROPEAN = tuple(form.replace("%m/%d", "%d/%m") for form in AMERICAN)
ZONES = {"CST": "-0600", "CDT": "-0500", "EST": "-0500", "EDT": "-0400", "MST": "-0700",
         "MDT": "-0600", "PST": "-0800", "PDT": "-0700", "JST": "+0900", "UTC": "+0000",
         "GMT": "+0000", "EET": "+0200", "EEST": "+0300", "CET": "+0100", "CEST": "+0200"}  # fmt: skip
UTC = ZoneInfo("UTC")


def is_clock(column: pl.Series) -> bool:
    """Whether a column holds times of day, which need a date beside them."""
    written = column.filter(column != "").head(100)
    return bool(len(written)) and bool(written.str.contains(CLOCK).all())


def evidence(column: pl.Series) -> int:
    """How surely a column tells the moment: 0 with a zone or since 1970, 1 without, 2 if it is no time."""
    written = column.filter(column != "").head(100)
    if written.str.contains(f"(?:{ZONED})|(?:{EPOCH})").any():
        return 0
    return 1 if written.str.contains(r"\d[:時]\d").any() else 2


def to_utc(column: pl.Series, zone: ZoneInfo) -> tuple[pl.Series, pl.Series]:
    """Moments (null where no form fits) and whether each was told without a zone."""
    moments = column.str.to_datetime(FORMS[0], time_unit="ms", strict=False)
    local = pl.repeat(False, len(column), eager=True)
    if moments.null_count():
        moments = moments.fill_null(_since_1970(column))
    for form in FORMS[1:]:
        if not (open_ := moments.is_null() & (column != "")).any():
            break
        naive = column.str.to_datetime(form, time_unit="ms", strict=False)
        told = open_ & naive.is_not_null()
        moments, local = moments.fill_null(_from(naive, zone)), local | told
    return _slowly(column, moments, local, zone)


def _since_1970(column: pl.Series) -> pl.Series:
    """Seconds, milliseconds or microseconds, told apart by their length."""
    number = column.str.extract(f"({EPOCH})").cast(pl.Float64, strict=False)
    factor = pl.when(number < 1e11).then(1000.0).when(number < 1e14).then(1.0).otherwise(0.001)
    return (
        pl.select((pl.lit(number) * factor).round(0).cast(pl.Int64))
        .to_series()
        .cast(pl.Datetime("ms"))
    )


def _from(naive: pl.Series, zone: ZoneInfo) -> pl.Series:
    """Local times on the clock of UTC; an hour that occurs twice is taken as the first."""
    aware = naive.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")
    return aware.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def _slowly(
    column: pl.Series, moments: pl.Series, local: pl.Series, zone: ZoneInfo
) -> tuple[pl.Series, pl.Series]:
    """The rest, value by value: the intake knows the forms of Japanese offices."""
    rest = column.filter(moments.is_null() & (column != "")).unique(maintain_order=True)
    if rest.is_empty():
        return moments, local
    parsed = dict(zip(rest, _parsed(rest.to_list()), strict=True))
    naive = [value for value, moment in parsed.items() if moment and not moment.tzinfo]
    milliseconds = {
        value: round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
        for value, moment in parsed.items()
        if moment
    }
    more = column.replace_strict(
        list(milliseconds), list(milliseconds.values()), default=None, return_dtype=pl.Int64
    )
    return moments.fill_null(more.cast(pl.Datetime("ms"))), local | column.is_in(naive)


def _parsed(values: Sequence[str]) -> list[datetime | None]:
    """31/1 in one value settles which of day and month comes first in all."""
    texts = [_tidy(value) for value in values]
    orders = [AMERICAN, EUROPEAN]
    fits = [
        all(_by(text, (*OTHERS, *order)) or "/" not in text for text in texts) for order in orders
    ]
    order = next((one for one, fit in zip(orders, fits, strict=True) if fit), AMERICAN)
    sure = order if sum(fits) == 1 else ()
    office: list[Change] = datetimes(values)
    return [
        _by(text, (*OTHERS, *sure)) or _by(_tidy(change.after), OTHERS)
        for text, change in zip(texts, office, strict=True)
    ]


def _tidy(value: str) -> str:
    """Half width; names of zones as offsets; no more digits of a second than Python knows."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", half_width(value))
    if found := SINCE_1970.fullmatch(text):
        return found[1]
    for name, offset in ZONES.items():
        text = re.sub(rf"\b{name}\b", offset, text)
    return re.sub(r"\s+([+-]\d\d:?\d\d)$", r"\1", text).replace(", ", ", ")


def _by(text: str, forms: Sequence[str]) -> datetime | None:
    if SINCE_1970.fullmatch(text) and len(text) != 14:
        number = float(text)
        return datetime.fromtimestamp(number / (1 if number < 1e11 else 1000), UTC)
    for form in forms:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  the zone of the city is added
        except ValueError:
            continue
    return None


def written(moments: pl.Series, before: pl.Series) -> pl.Series:
    """2026-01-20T06:30:00Z; a fraction of a second stays, and so does what is no time."""
    whole = pl.lit(moments).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    split = pl.lit(moments).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    text = pl.when(pl.lit(moments).dt.millisecond() == 0).then(whole).otherwise(split)
    return pl.select(text.fill_null(pl.lit(before))).to_series()
