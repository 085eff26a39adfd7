"""Actions on what the gate has refused: look at it, publish it all the same, let it go."""

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.aizu import approval, held, held_shown, history
from ckanext.aizu.logic import schema

__all__ = ["aizu_approve", "aizu_discard", "aizu_held_show"]


@tk.side_effect_free
@tk.validate_action_data(schema.held_show)
def aizu_held_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Tells what of a dataset was refused and waits for a steward's word.

    :param name: name or id of the dataset
    :returns: `content_hash`, `number` and `replaces` (as it would be, and would replace), `since`,
        `sent_by`, `reasons` (`table`, `rule`, `ja`, `en`), `rows` and `changes` by table, `files`
        with their addresses, `source`, `url`, `report_url`
    """
    tk.check_access("aizu_held_show", context, data_dict)
    dataset = history.dataset_of(context, data_dict["name"])
    found = held.of_datasets([dataset["id"]]).get(dataset["id"])
    if found is None:
        raise approval.nothing_held()
    return held_shown.whole(dataset, found)


@tk.validate_action_data(schema.approve)
def aizu_approve(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Publishes what the gate has refused, as it was sent, as the next version.

    :param name: name or id of the dataset
    :param content_hash: of what you have looked at, as aizu_held_show tells it
    :param reason: why it is right; it is shown with the version
    :returns: as aizu_publish
    """
    tk.check_access("aizu_approve", context, data_dict)
    name = history.dataset_of(context, data_dict["name"])["name"]
    return approval.approve(context, name, data_dict["content_hash"], data_dict["reason"])


@tk.validate_action_data(schema.discard)
def aizu_discard(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Lets go what the gate has refused; the same content is not held again.

    :param name: name or id of the dataset
    :param content_hash: of what you have looked at, as aizu_held_show tells it
    :returns: `name`, `content_hash`
    """
    tk.check_access("aizu_discard", context, data_dict)
    name = history.dataset_of(context, data_dict["name"])["name"]
    return approval.discard(context, name, data_dict["content_hash"])
