"""What the pages ask of a signpost."""

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.aizu_deep.description import DEEP

__all__ = ["aizu_deep_level", "aizu_deep_signpost", "aizu_deep_type"]


def aizu_deep_signpost(package: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the signpost of a dataset, if it is deep data."""
    resources: list[dict[str, Any]] = package.get("resources") or []
    return next((one for one in resources if one.get("url_type") == DEEP), None)


def aizu_deep_level(level: int) -> str:
    """Says what data of a privacy level is."""
    return [
        tk._("Statistics. Nothing in it is about a single person."),
        tk._("Totals of many people who have agreed."),
        tk._("Records of single people under pseudonyms, which do not leave a closed environment."),
        tk._("Records of single people under pseudonyms, handed out under an agreement."),
        tk._("Records of single people that need the strictest care, such as those of health."),
    ][int(level)]


def aizu_deep_type(kind: str) -> str:
    """Names the type of a field."""
    return {
        "string": tk._("Text"),
        "integer": tk._("Whole number"),
        "number": tk._("Number"),
        "boolean": tk._("Yes or no"),
        "date": tk._("Date"),
        "datetime": tk._("Date and time"),
    }.get(kind, kind)
