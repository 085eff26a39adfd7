"""What each action of ours accepts."""

from typing import Any

from ckan.logic.schema import validator_args

from ckanext.aizu.status import STATES

__all__ = ["harvest_status"]


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
