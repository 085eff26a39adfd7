"""Dates as this portal prints them, on its own pages and on CKAN's."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from babel.dates import format_date, get_timezone_name


def aizu_date(value: str | datetime | None, hours: bool = False) -> str:
    """Prints a date (and the time) in the reader's language and the city's time zone.

    A time that carries no zone is UTC, as everywhere in CKAN.
    """
    moment = in_city(value)
    if moment is None:
        return ""
    day = format_date(moment, "long", locale=tk.h.lang() or "en")
    return f"{day} {moment:%H:%M}" if hours else day


@tk.chained_helper
def render_datetime(
    next_helper: Callable[..., str],
    datetime_: Any,
    date_format: str | None = None,
    with_hours: bool = False,
    with_seconds: bool = False,
) -> str:
    """Prints dates on CKAN's own pages as on ours.

    CKAN's pattern puts Japanese dates in English order, takes the year of the week for the year,
    and leaves a time that carries a zone in that zone.
    """
    if date_format:
        return next_helper(datetime_, date_format, with_hours, with_seconds)
    known = isinstance(datetime_, str | datetime)
    return aizu_date(datetime_, hours=with_hours or with_seconds) if known else ""


def aizu_zone_name() -> str:
    """Names the time zone in which times are shown: 日本時間."""
    zone = tk.h.get_display_timezone()
    return get_timezone_name(zone, zone_variant="generic", locale=tk.h.lang() or "en")


def in_city(value: str | datetime | None) -> datetime | None:
    """Reads a moment and puts it into the city's time zone; None where it is none."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if moment.tzinfo is None:
        if isinstance(value, str) and len(value) == len("2026-01-31"):
            return moment
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(tk.h.get_display_timezone())
