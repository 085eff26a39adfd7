"""When a person attains an age under Japanese law."""

from datetime import date, datetime, timedelta, timezone

JST = timezone(timedelta(hours=9), "JST")
MAJORITY = 18


def attains(birth: date, age: int) -> datetime:
    """The first instant of that age: 00:00 of the birthday, in Japan.

    By law the age is attained when the day before ends. Who was born on 29 February attains it, in a
    year without that day, when 28 February ends: at 00:00 of 1 March.
    """
    year = birth.year + age
    try:
        day = birth.replace(year=year)
    except ValueError:
        day = date(year, 3, 1)
    return datetime(day.year, day.month, day.day, tzinfo=JST)
