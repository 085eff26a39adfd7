"""What each action of ours accepts."""

from collections.abc import Callable
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.logic.schema import validator_args

from ckanext.aizu import fence
from ckanext.aizu.status import CAUSES, STATES

MOST_INTEGER = 2**31 - 1
"""Of PostgreSQL."""

__all__ = [
    "approve",
    "discard",
    "harvest_status",
    "harvest_unchanged",
    "held_show",
    "publish",
    "source_wish",
    "sources",
    "undo",
    "version_diff",
    "version_show",
    "versions",
]


@validator_args
def harvest_status(
    not_empty: Any,
    default: Any,
    one_of: Any,
    aizu_instant: Any,
    aizu_findings: Any,
    ignore_missing: Any,
    natural_number_validator: Any,
    unicode_safe: Any,
) -> dict[str, Any]:
    """Of aizu_harvest_status."""
    return {
        "name": [not_empty, unicode_safe],
        "state": [not_empty, one_of([*STATES])],
        "checked_at": [not_empty, unicode_safe, aizu_instant],
        "expected_by": [default(""), unicode_safe, aizu_instant],
        "cause": [default("data"), one_of([*CAUSES])],
        "findings": [default("[]"), aizu_findings],
        "message": [default(""), unicode_safe],
        "message_en": [default(""), unicode_safe],
        "fence": [ignore_missing, natural_number_validator, _limited(fence.MOST)],
    }


@validator_args
def harvest_unchanged(
    not_empty: Any,
    default: Any,
    ignore_missing: Any,
    natural_number_validator: Any,
    aizu_instant: Any,
    unicode_safe: Any,
) -> dict[str, Any]:
    """Of aizu_harvest_unchanged."""
    return {
        "checks": {
            "name": [not_empty, unicode_safe],
            "fingerprint": [not_empty, unicode_safe],
            "checked_at": [not_empty, unicode_safe, aizu_instant],
            "expected_by": [default(""), unicode_safe, aizu_instant],
            "fence": [ignore_missing, natural_number_validator, _limited(fence.MOST)],
        },
    }


@validator_args
def publish(
    default: Any,
    ignore_missing: Any,
    natural_number_validator: Any,
    boolean_validator: Any,
    unicode_safe: Any,
    aizu_limits: Any,
    aizu_instant: Any,
    ignore: Any,
) -> dict[str, Any]:
    """Of aizu_publish, but for the parts of the publication, which are read by `publication.read`."""
    return {
        "limits": [default("{}"), aizu_limits],
        "replaces": [ignore_missing, natural_number_validator],
        "dry_run": [default(False), boolean_validator],
        "override_reason": [default(""), unicode_safe, _stripped],
        "fence": [ignore_missing, natural_number_validator, _limited(fence.MOST)],
        "expected_by": [default(""), unicode_safe, aizu_instant],
        "__extras": [ignore],
    }


@validator_args
def undo(
    not_empty: Any, ignore_missing: Any, is_positive_integer: Any, unicode_safe: Any
) -> dict[str, Any]:
    """Of aizu_undo."""
    return {
        "name": [not_empty, unicode_safe],
        "to": [ignore_missing, is_positive_integer],
        "reason": [not_empty, unicode_safe, _stripped, not_empty],
    }


@validator_args
def held_show(not_empty: Any, unicode_safe: Any) -> dict[str, Any]:
    """Of aizu_held_show."""
    return {"name": [not_empty, unicode_safe]}


@validator_args
def approve(not_empty: Any, unicode_safe: Any) -> dict[str, Any]:
    """Of aizu_approve."""
    return {
        "name": [not_empty, unicode_safe],
        "content_hash": [not_empty, unicode_safe],
        "reason": [not_empty, unicode_safe, _stripped, not_empty],
    }


@validator_args
def discard(not_empty: Any, unicode_safe: Any) -> dict[str, Any]:
    """Of aizu_discard."""
    return {"name": [not_empty, unicode_safe], "content_hash": [not_empty, unicode_safe]}


@validator_args
def versions(
    not_empty: Any,
    default: Any,
    natural_number_validator: Any,
    unicode_safe: Any,
) -> dict[str, Any]:
    """Of aizu_versions."""
    return {
        "name": [not_empty, unicode_safe],
        "limit": [default(50), natural_number_validator, _at_most(200)],
        "offset": [default(0), natural_number_validator, _at_most(MOST_INTEGER)],
    }


@validator_args
def version_show(not_empty: Any, is_positive_integer: Any, unicode_safe: Any) -> dict[str, Any]:
    """Of aizu_version_show."""
    return {
        "name": [not_empty, unicode_safe],
        "number": [not_empty, is_positive_integer],
    }


@validator_args
def version_diff(
    not_empty: Any,
    default: Any,
    ignore_missing: Any,
    is_positive_integer: Any,
    natural_number_validator: Any,
    unicode_safe: Any,
) -> dict[str, Any]:
    """Of aizu_version_diff."""
    return {
        "name": [not_empty, unicode_safe],
        "from": [not_empty, is_positive_integer],
        "to": [not_empty, is_positive_integer],
        "table": [ignore_missing, unicode_safe],
        "limit": [default(100), natural_number_validator, _at_most(1000)],
        "offset": [default(0), natural_number_validator],
    }


@validator_args
def sources(
    ignore_missing: Any, default: Any, is_positive_integer: Any, unicode_safe: Any
) -> dict[str, Any]:
    """Of aizu_sources."""
    return {
        "name": [ignore_missing, unicode_safe],
        "runs": [default(1), is_positive_integer, _at_most(100)],
    }


@validator_args
def source_wish(not_empty: Any, default: Any, one_of: Any, unicode_safe: Any) -> dict[str, Any]:
    """Of aizu_source_wish."""
    return {
        "name": [not_empty, unicode_safe],
        "wish": [not_empty, one_of(["run", "pause", "resume"])],
        "reason": [default(""), unicode_safe, _stripped],
    }


def _at_most(most: int) -> Callable[[int], int]:
    def validator(value: int) -> int:
        return min(value, most)

    return validator


def _limited(most: int) -> Callable[[object], object]:
    def validator(value: object) -> object:
        # What was no number is here, too, as it came.
        if isinstance(value, int) and value > most:
            raise tk.Invalid(tk._("A whole number of at most %i is expected") % most)
        return value

    return validator


def _stripped(value: str) -> str:
    return value.strip()
