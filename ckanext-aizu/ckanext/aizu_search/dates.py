"""Dates as Solr writes them, with its mathematics: `NOW-7DAYS/DAY`, `2026-01-01T00:00:00Z+1MONTH`."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

import pysolr

_DATE = re.compile(r"(NOW|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)(.*)", re.DOTALL)
_STEP = re.compile(r"([+-]\d+|/)(YEAR|MONTH|DAY|DATE|HOUR|MINUTE|SECOND|MILLISECOND|MILLI)S?")
_UNITS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
_LENGTHS = {
    "DAY": timedelta(days=1),
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "SECOND": timedelta(seconds=1),
    "MILLI": timedelta(milliseconds=1),
}
_SAME = {"DATE": "DAY", "MILLISECOND": "MILLI"}


def resolve(text: str, now: datetime) -> datetime:
    """The moment that a date with mathematics means."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise pysolr.SolrError(f"Invalid Date String: '{text[:100]}'")
    start, steps = match.groups()
    if _STEP.sub("", steps):
        raise pysolr.SolrError(f"Invalid Date Math String: '{text[:100]}'")
    try:
        moment = now if start == "NOW" else datetime.fromisoformat(start).astimezone(UTC)
        for amount, unit in _STEP.findall(steps):
            moment = _step(moment, amount, _SAME.get(unit, unit))
    except (ValueError, OverflowError) as error:
        raise pysolr.SolrError(f"Invalid Date String: '{text[:100]}'") from error
    return moment


def _step(moment: datetime, amount: str, unit: str) -> datetime:
    if amount == "/":
        return _rounded_down(moment, unit)
    count = int(amount)
    if unit in ("YEAR", "MONTH"):
        return _months_later(moment, count * 12 if unit == "YEAR" else count)
    return moment + count * _LENGTHS[unit]


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last_day = monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


def _rounded_down(moment: datetime, unit: str) -> datetime:
    if unit == "MILLI":
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    smaller = _UNITS[_UNITS.index(unit.lower()) + 1 :]
    floor = {"month": 1, "day": 1}
    # mypy takes every keyword for tzinfo, too; the names are those of units of time.
    return moment.replace(**{name: floor.get(name, 0) for name in smaller})  # type: ignore[arg-type]


def written(moment: datetime) -> str:
    """A moment as Solr gives it back: UTC, milliseconds only if there are any."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond >= 1000 else "seconds") + "Z"


def sortable(moment: datetime) -> str:
    """A moment in a form whose alphabetical order is its order in time."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
