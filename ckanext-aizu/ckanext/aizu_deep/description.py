"""What a signpost says of deep data, and what it may not hold: it is a description, and leads to no rows."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import ckan.plugins.toolkit as tk

DEEP = "deep_data"
"""The `url_type` of a signpost."""
LEVELS = range(5)
LEAST_PERSONS = 100
"""Numbers of people are told in steps of it."""
TYPES = ("string", "integer", "number", "boolean", "date", "datetime")
MOST_FIELDS, MOST_LETTERS = 200, 5000

_TEXTS = ("name", "deep_people", "deep_purpose", "deep_legal_ground", "deep_ask", "deep_consent")
_FIELD_TEXTS = ("label", "meaning")
_CODE = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_IRI = re.compile(r"https?://[^\s<>\"]+")
# What CKAN itself keeps of a resource, and people's own words on it.
_OF_CKAN = {
    *("id", "package_id", "url_type", "description", "description_en", "state", "position"),
    *("created", "metadata_modified", "last_modified", "tracking_summary"),
}


def errors_of(resource: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with the description, by field; empty if it can be shown."""
    errors = _errors(_CHECKS, resource)
    for name in resource.keys() - _CHECKS.keys() - _OF_CKAN:
        if resource[name]:
            errors[name] = [tk._("A signpost holds no rows, files or links: this must stay empty")]
    return errors


def _errors(
    checks: Mapping[str, Callable[[Any], None]], described: Mapping[str, Any]
) -> dict[str, list[str]]:
    errors = {}
    for name, check in checks.items():
        try:
            check(described.get(name))
        except tk.Invalid as error:
            errors[name] = [error.error]
    return errors


def _text(value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise tk.Invalid(tk._("A text is expected"))
    if len(value) > MOST_LETTERS:
        raise tk.Invalid(tk._("At most %i letters are expected") % MOST_LETTERS)


def _maybe(check: Callable[[Any], None]) -> Callable[[Any], None]:
    def checked(value: Any) -> None:
        if value not in (None, "", []):
            check(value)

    return checked


def _code(value: Any) -> None:
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise tk.Invalid(tk._("Expected a-z, then a-z, 0-9, _ or -, found %s") % value)


def _level(value: Any) -> None:
    if _whole(value) not in LEVELS:
        raise tk.Invalid(tk._("Expected a privacy level from 0 to 4, found %s") % value)


def _persons(value: Any) -> None:
    """An exact number would change with each person who comes or goes, and tell of them."""
    number = _whole(value)
    if number is None or number < LEAST_PERSONS or number % LEAST_PERSONS:
        raise tk.Invalid(tk._("Expected a number of people in hundreds, at least 100"))


def _whole(value: Any) -> int | None:
    """Forms send numbers as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if re.fullmatch(r"\d{1,9}", str(value), re.ASCII) else None


def _iri(value: Any) -> None:
    if not isinstance(value, str) or not _IRI.fullmatch(value):
        raise tk.Invalid(tk._("Expected an address of a vocabulary (IRI), found %s") % value)


def _iris(value: Any) -> None:
    for one in value if isinstance(value, list) else [value]:
        _iri(one)


def _type(value: Any) -> None:
    if value not in TYPES:
        raise tk.Invalid(tk._("Expected one of %s, found %s") % (", ".join(TYPES), value))


def _fields(value: Any) -> None:
    """Names every field once, with its type, unit and meaning."""
    if not isinstance(value, list) or not 0 < len(value) <= MOST_FIELDS:
        raise tk.Invalid(tk._("A list of 1 to %i fields is expected") % MOST_FIELDS)
    for number, field in enumerate(value, 1):
        if not isinstance(field, dict):
            raise tk.Invalid(tk._("Field %i: an object is expected") % number)
        errors = _errors(_FIELD_CHECKS, field)
        errors |= {name: [tk._("Unknown name")] for name in field.keys() - _FIELD_CHECKS.keys()}
        for name, (message, *_) in errors.items():
            raise tk.Invalid(tk._("Field %i, %s: %s") % (number, name, message))
    names = [field["name"] for field in value]
    if len(set(names)) < len(names):
        raise tk.Invalid(tk._("A field stands in the list twice"))


_FIELD_CHECKS: dict[str, Callable[[Any], None]] = {
    "name": _code,
    "type": _type,
    "unit": _maybe(_text),
    "unit_en": _maybe(_text),
    "personal_data": _maybe(_iri),
    **{f"{name}{language}": _text for name in _FIELD_TEXTS for language in ("", "_en")},
}
_CHECKS: dict[str, Callable[[Any], None]] = {
    "deep_dataset": _code,
    "deep_level": _level,
    "deep_persons": _persons,
    "deep_fields": _fields,
    "deep_register_no": _text,
    "deep_health_category": _maybe(_iris),
    **{f"{name}{language}": _text for name in _TEXTS for language in ("", "_en")},
}
OWN = tuple(name for name in _CHECKS if name.startswith("deep_"))
"""Names that only a signpost has."""
