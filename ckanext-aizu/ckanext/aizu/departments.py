"""The department of a dataset that is published: found, or made where the caller may make one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

JSON = dict[str, Any]


@contextmanager
def department(context: Context, wanted: JSON) -> Iterator[str]:
    """The id of the department; the caller's rights decide whether a new one is made."""
    show = {"id": wanted["name"], "include_datasets": False}
    try:
        found = tk.get_action("organization_show")(tk.fresh_context(context), show)
    except tk.ObjectNotFound:
        with _new_department(context, wanted) as made:
            yield made
    else:
        yield found["id"]


@contextmanager
def _new_department(context: Context, wanted: JSON) -> Iterator[str]:
    """One that was made for a dataset that is then refused goes again."""
    extras = [
        {"key": key, "value": wanted[key]}
        for key in ("title_en", "description_en")
        if wanted.get(key)
    ]
    known = {key: wanted.get(key, "") for key in ("name", "title", "description")}
    create = tk.get_action("organization_create")
    made = create(tk.fresh_context(context), {**known, "extras": extras})
    try:
        yield made["id"]
    except Exception:
        tk.get_action("organization_purge")({"ignore_auth": True}, {"id": made["id"]})
        raise
