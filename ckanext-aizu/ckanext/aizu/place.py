"""A dataset that is about to get a version: nobody else publishes it meanwhile."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context
from psycopg2.extensions import connection

from ckanext.aizu import catalogue_resources, in_step, table, versions
from ckanext.aizu.laps import Laps
from ckanext.aizu.versions import Version

JSON = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A dataset that is about to get a version, and what is there now."""

    context: Context
    database: connection
    dataset_id: str
    before: JSON | None
    """As the catalogue has it."""
    current: Version | None
    laps: Laps = field(default_factory=Laps)

    @property
    def known(self) -> dict[str, str]:
        """Ids of the resources that it has, by part."""
        return {
            part: one["id"] for part, one in catalogue_resources.ours(self.before or {}).items()
        }


@contextmanager
def opened(context: Context, name: str) -> Iterator[Place]:
    """Waits for others who publish the dataset, and ends what one of them had to leave unfinished."""
    with table.publishing(name) as database:
        in_step.recover(database, name)
        before = _existing(context, name)
        with database.cursor() as cur:
            current = versions.current(cur, before["id"]) if before else None
        yield Place(
            context=context,
            database=database,
            dataset_id=before["id"] if before else str(uuid.uuid4()),
            before=before,
            current=current,
        )


def _existing(context: Context, name: str) -> JSON | None:
    # What the index has may be older than what another has just done to the dataset.
    current: Context = {**tk.fresh_context(context), "use_cache": False}
    try:
        found: JSON = tk.get_action("package_show")(current, {"id": name})
    except tk.ObjectNotFound:
        return None
    if found["name"] != name:
        raise tk.ValidationError({"dataset": [tk._("A name is expected, not the id of a dataset")]})
    if found["state"] == "deleted":
        message = tk._("%s was deleted in the catalogue: restore it there, or stop publishing it")
        raise tk.ValidationError({"dataset": [message % name]})
    return found


def user_id(context: Context) -> str:
    user = model.User.get(context.get("user") or "")
    return user.id if user else ""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
