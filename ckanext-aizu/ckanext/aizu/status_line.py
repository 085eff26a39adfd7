"""The status line of a dataset on its page: exact times for everybody, relative ones where a script runs."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk
from markupsafe import Markup

from ckanext.aizu import freshness
from ckanext.aizu.dates import aizu_date
from ckanext.aizu.freshness import Line, State, Translator

JSON = dict[str, Any]


def aizu_freshness(package: JSON) -> State:
    """Says in a word how the last check of a dataset went, for lists."""
    return freshness.state(_check(package), _late(package))


def aizu_status_line(package: JSON) -> Line:
    """Returns what a dataset's page says of its last check."""
    return _line(package, aizu_freshness(package))


def aizu_late_line(package: JSON) -> Line | None:
    """Returns what the page says once the next check is overdue; a page may be read long after it was made."""
    return _line(package, "late") if package.get("harvest_late_after") else None


def aizu_time(value: str | datetime | None) -> Markup:
    """Prints a moment in the city's time; where a script runs it says how long ago that was."""
    moment = aizu_date(value, hours=True)
    if not moment:
        return Markup("")
    instant = value.isoformat() if isinstance(value, datetime) else value
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(
        instant, moment, moment
    )


def _line(package: JSON, state: State) -> Line:
    translator = Translator(gettext=tk._, ngettext=tk.ungettext)
    line = freshness.line(_check(package), state, translator)
    return replace(line, told=Markup(line.told).format(time=aizu_time(line.instant)))  # noqa: S704  our own words


def _check(package: JSON) -> JSON:
    return {
        name.removeprefix("harvest_"): value
        for name, value in package.items()
        if name.startswith("harvest_")
    }


def _late(package: JSON) -> datetime | None:
    late = package.get("harvest_late_after")
    return datetime.fromisoformat(late) if late else None
