"""Which datasets a reader may be told of without having asked for them."""

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import authz
from ckan.lib import plugins
from ckan.types import Context

# What package_search adds to every search that does not ask for private datasets or drafts.
VISIBLE = (
    "d.site_id = %(site)s and d.state = 'active' and d.capacity = 'public'"
    " and (%(labels)s::text[] is null or d.permission_labels && %(labels)s)"
)

# For what nobody has asked for a search may not take long.
SETTINGS = "set local random_page_cost = 1; set local jit = off; set local statement_timeout = '2s'"


def visible(context: Context) -> dict[str, Any]:
    """The parameters of `VISIBLE` for the reader whom the context names."""
    return {"site": tk.config["ckan.site_id"], "labels": _labels(context)}


def _labels(context: Context) -> list[str] | None:
    """The labels of which a dataset must have one; None if all may be seen."""
    user = context.get("user")
    if context.get("ignore_auth") or (user and authz.is_sysadmin(user)):
        return None
    labels: list[str] = plugins.get_permission_labels().get_user_dataset_labels(
        context["auth_user_obj"]
    )
    return labels
