"""What CKAN and scheming lack to check a dataset of ours."""

import json
from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.aizu.gate import Limits

__all__ = ["aizu_findings", "aizu_instant", "aizu_keep", "aizu_limits"]

MOST_FINDINGS = 100
_FINDING = ("row", "column", "value", "message", "message_en")
_LIMITS = {
    "minimum": (int,),
    "maximum": (int, type(None)),
    "removed_share": (int, float),
    "all_may_change": (bool,),
}


def aizu_instant(value: str) -> str:
    """Accepts a moment, ISO 8601 with its distance from UTC, or nothing."""
    if not value:
        return ""
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise tk.Invalid(tk._("A moment in ISO 8601 is expected, found %s") % value) from error
    if instant.tzinfo is None:
        raise tk.Invalid(tk._("%s does not say its distance from UTC (Z or +09:00)") % value)
    return value


def aizu_findings(value: Any) -> list[dict[str, str]]:
    """Reads what was found wrong with a list, by cell: a JSON list of objects."""
    try:
        told = json.loads(value) if isinstance(value, str) else value
        return [
            {name: str(one.get(name) or "") for name in _FINDING} for one in told[:MOST_FINDINGS]
        ]
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        names = ", ".join(_FINDING)
        raise tk.Invalid(tk._("Expected a JSON list of objects with %s") % names) from error


def aizu_limits(value: Any) -> Limits:
    """Reads what a dataset allows to change: a JSON object."""
    try:
        told = json.loads(value) if isinstance(value, str) else value
        if not all(type(told[name]) in _LIMITS[name] for name in told):
            raise TypeError
        return Limits(**told)
    except (KeyError, TypeError, ValueError) as error:
        message = tk._("Expected a JSON object of minimum, maximum, removed_share, all_may_change")
        raise tk.Invalid(message) from error


def aizu_keep(key: tuple[Any, ...], data: dict[Any, Any], _errors: Any, context: Any) -> None:
    """Keeps what is stored where nothing is given: a form that does not show a field must not erase it.

    Works for fields of the dataset and of its resources; an empty text given on purpose is kept.
    """
    if data.get(key, tk.missing) not in (tk.missing, None):
        return
    package = context.get("package")
    if package is None:
        return
    stored: Any = package
    if key[0] == "resources":
        wanted = data.get((*key[:2], "id"))
        stored = next((found for found in package.resources if found.id == wanted), None)
    if stored is not None:
        value = getattr(stored, key[-1], None) or stored.extras.get(key[-1])
        if value:
            data[key] = value
