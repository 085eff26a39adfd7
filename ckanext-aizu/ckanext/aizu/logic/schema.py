"""What each action of ours accepts."""

from typing import Any

from ckan.logic.schema import validator_args

from ckanext.aizu.status import STATES

__all__ = ["harvest_status", "publish", "undo"]


@validator_args
def harvest_status(
    not_empty: Any, default: Any, one_of: Any, aizu_instant: Any, unicode_safe: Any
) -> dict[str, Any]:
    """Of aizu_harvest_status."""
    return {
        "name": [not_empty, unicode_safe],
        "state": [not_empty, one_of(STATES)],
        "checked_at": [not_empty, unicode_safe, aizu_instant],
        "message": [default(""), unicode_safe],
        "message_en": [default(""), unicode_safe],
    }


@validator_args
def publish(
    default: Any,
    ignore_missing: Any,
    natural_number_validator: Any,
    boolean_validator: Any,
    unicode_safe: Any,
    aizu_limits: Any,
    ignore: Any,
) -> dict[str, Any]:
    """Of aizu_publish, but for the parts of the publication, which are read by `publication.read`."""
    return {
        "limits": [default("{}"), aizu_limits],
        "replaces": [ignore_missing, natural_number_validator],
        "dry_run": [default(False), boolean_validator],
        "override_reason": [default(""), unicode_safe, _stripped],
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


def _stripped(value: str) -> str:
    return value.strip()
