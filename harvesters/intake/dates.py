"""Dates and times as offices write them: 令和6年4月1日, R6.4.1, 2024/4/1, 午後3時, 25:10."""

import re
from collections.abc import Callable, Sequence
from datetime import date

from harvesters.intake.numbers import Change, nothing, tidy
from harvesters.japanese import half_width

ERAS = {"明治": 1868, "大正": 1912, "昭和": 1926, "平成": 1989, "令和": 2019}
"""The year that is the first (元年) of each."""
LETTERS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
ERA = r"(?:(?P<era>明治|大正|昭和|平成|令和|[MTSHR])\.?\s*(?P<count>\d{1,2}|元))"
YEAR = rf"(?:{ERA}|(?P<year>\d{{4}}))"
WEEKDAY = r"(?:\s*\(?[月火水木金土日](?:曜日?)?\)?)?"
DATE = re.compile(
    rf"{YEAR}\s*[-/.年]\s*(?P<month>\d{{1,2}})\s*[-/.月]\s*(?P<day>\d{{1,2}})日?{WEEKDAY}"
)
COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})")
FOREIGN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
SERIAL = re.compile(r"[2-6]\d{4}(\.0)?")
"""Days since 1899-12-30, which Excel leaves where the format of a date is lost: 1954 to 2091."""
ONLY_YEAR = re.compile(rf"{YEAR}\s*年?度?")
YEAR_MONTH = re.compile(rf"{YEAR}\s*[-/.年]\s*(?P<month>\d{{1,2}})月?")
TIME = re.compile(
    r"(?P<half>午前|午後|翌日?|AM|PM)?\s*(?P<hour>\d{1,2})\s*(?::|時)\s*"
    r"(?:(?P<minute>\d{1,2}|半)\s*(?::\s*|分)?)?(?:(?P<second>\d{1,2})秒?)?\s*(?P<after>AM|PM)?",
    re.IGNORECASE,
)
DIGITS = re.compile(r"(?P<hour>\d{2})(?P<minute>\d{2})")
LATEST = 47
"""Hours; buses and restaurants of one day run past 24:00."""


def dates(cells: Sequence[str]) -> list[Change]:
    """A column of dates; 4/13/2024 is understood only where the column proves the order."""
    order = _order(cells)
    return [_date(cell, order) for cell in cells]


def _date(cell: str, order: str) -> Change:
    text = half_width(cell)
    if (found := DATE.fullmatch(text) or COMPACT.fullmatch(text)) and (day := _day(found)):
        era = "era" in found.groupdict() and found["era"]
        return _changed(cell, day, "wareki" if era else "date-form")
    if order and (found := FOREIGN.fullmatch(text)):
        one, two, year = map(int, found.groups())
        day = _valid(year, *((one, two) if order == "month first" else (two, one)))
        return _changed(cell, day, "date-form") if day else tidy(cell)
    if SERIAL.fullmatch(text):
        day = date.fromordinal(date(1899, 12, 30).toordinal() + int(float(text))).isoformat()
        return Change(day, "serial-date")
    return Change("", "no-value") if nothing(cell) else tidy(cell)


def _order(cells: Sequence[str]) -> str:
    """A number above 12 is a day; both orders in one column prove nothing."""
    pairs = [one.groups() for one in (FOREIGN.fullmatch(half_width(cell)) for cell in cells) if one]
    days_first = any(int(one) > 12 for one, _, _ in pairs)
    days_second = any(int(two) > 12 for _, two, _ in pairs)
    if days_first == days_second:
        return ""
    return "day first" if days_first else "month first"


def _changed(cell: str, after: str, rule: str) -> Change:
    if after == cell:
        return Change(cell)
    tidied = tidy(cell)
    return tidied if tidied.after == after else Change(after, rule)


def _year(found: re.Match[str]) -> int:
    era = found.groupdict().get("era")
    if not era:
        return int(found["year"])
    count = 1 if found["count"] == "元" else int(found["count"])
    return ERAS[LETTERS.get(era, era)] + count - 1


def _day(found: re.Match[str]) -> str:
    return _valid(_year(found), int(found["month"]), int(found["day"]))


def _valid(year: int, month: int, day: int) -> str:
    """The day in ISO form, or nothing where the calendar has no such day."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def years(cells: Sequence[str]) -> list[Change]:
    """A column of years: 令和6年度, 2024年."""
    return [_parted(cell, ONLY_YEAR, lambda found: f"{_year(found):04}") for cell in cells]


def year_months(cells: Sequence[str]) -> list[Change]:
    """A column of months: 令和6年4月, 2024/4."""
    return [
        _parted(cell, YEAR_MONTH, lambda found: _valid(_year(found), int(found["month"]), 1)[:7])
        for cell in cells
    ]


def _parted(cell: str, form: re.Pattern[str], made: Callable[[re.Match[str]], str]) -> Change:
    found = form.fullmatch(half_width(cell))
    if found and (after := made(found)):
        return _changed(cell, after, "wareki" if found["era"] else "date-form")
    return Change("", "no-value") if nothing(cell) else tidy(cell)


def times(cells: Sequence[str]) -> list[Change]:
    """A column of times, as 09:30:00."""
    return [_time(cell) for cell in cells]


def _time(cell: str) -> Change:
    if after := _clock(half_width(cell)):
        return _changed(cell, after, "time-form")
    return Change("", "no-value") if nothing(cell) else tidy(cell)


def _clock(text: str) -> str:
    """The time of day, or nothing; 午後12時 means noon to some and midnight to others."""
    if text == "正午":
        return "12:00:00"
    found = TIME.fullmatch(text) or DIGITS.fullmatch(text)
    if not found:
        return ""
    parts = found.groupdict()
    hour = int(parts["hour"])
    minute = 30 if parts["minute"] == "半" else int(parts["minute"] or 0)
    half = (parts.get("half") or parts.get("after") or "").upper()
    if half in {"午前", "午後", "AM", "PM"}:
        if hour > 11:
            return ""
        hour += 12 if half in {"午後", "PM"} else 0
    hour += 24 if half.startswith("翌") else 0
    second = int(parts.get("second") or 0)
    if hour > LATEST or minute > 59 or second > 59:
        return ""
    return f"{hour:02}:{minute:02}:{second:02}"


def datetimes(cells: Sequence[str]) -> list[Change]:
    """A column of dates with times, as 2024-04-01T09:30:00; an offset at the end stays."""
    return [_datetime(cell) for cell in cells]


def _datetime(cell: str) -> Change:
    text = half_width(cell)
    found = re.fullmatch(r"(.*?日|[^\sT]+)[\sT]*(.*?)(Z|[+-]\d{2}:?\d{2})?", text)
    day = DATE.fullmatch(found[1]) if found else None
    if found and day and (written := _day(day)) and (clock := _clock(found[2])):
        after = f"{written}T{clock}{found[3] or ''}"
        return _changed(cell, after, "wareki" if day["era"] else "date-form")
    return Change("", "no-value") if nothing(cell) else tidy(cell)
