"""Tables as people read them: moments in the city's time zone, yes and no in words."""

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.aizu import dates

MOMENT = "timestamptz"


def aizu_heading(column: dict[str, str]) -> str:
    """Returns the heading of a column; of moments it says in which zone they are shown."""
    if column["type"] != MOMENT:
        return column["label"]
    return tk._("{column} ({zone})").format(column=column["label"], zone=dates.aizu_zone_name())


def aizu_cell(value: Any, kind: str) -> Any:
    """Returns what stands in a cell; the files and the API keep UTC, true and false.

    Args:
        value: as the DataStore gives it.
        kind: type of its column.
    """
    if value is None:
        return ""
    if kind == "bool":
        return tk._("Yes") if value else tk._("No")
    if kind == MOMENT and (moment := dates.in_city(value)):
        return moment.replace(tzinfo=None).isoformat(" ")
    return value
