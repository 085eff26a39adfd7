"""What CKAN and scheming lack to check a dataset of ours."""

from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk

__all__ = ["aizu_instant", "aizu_keep"]


def aizu_instant(value: str) -> str:
    """Accepts a moment: ISO 8601 with its distance from UTC."""
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise tk.Invalid(tk._("A moment in ISO 8601 is expected, found %s") % value) from error
    if instant.tzinfo is None:
        raise tk.Invalid(tk._("%s does not say its distance from UTC (Z or +09:00)") % value)
    return value


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
