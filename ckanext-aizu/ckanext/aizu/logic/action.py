"""The portal's own actions: publish a dataset whole, and note that its source was looked at."""

from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.aizu import publication, status, table
from ckanext.aizu.logic import schema
from ckanext.aizu.publication import Publication

__all__ = ["aizu_harvest_status", "aizu_publish"]

REPORTED_ERRORS = 100


def aizu_publish(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Puts a dataset into the catalogue, or a new version in the place of the last one.

    Table, files and description are handed in by one call (multipart/form-data) and switch
    together: on any error the catalogue keeps what it had. The same content again changes
    nothing. The organisation is created if the caller may create organisations.

    :param dataset: JSON, the description in the fields of package_create; `name` is required
    :param organization: JSON, `name` and `title` of the department, with `title_en`
    :param schema: JSON, Table Schema of the table
    :param source: JSON, where it came from: `url`, `fetched_at`, `sha256`, `filename`, `encoding`
    :param report: JSON, Frictionless report; only a valid table is published
    :param table: file, CSV in UTF-8, its header the names of the schema
    :param geojson: file, optional, the same rows as GeoJSON
    :param original: file, what was fetched, untouched
    :returns: `id`, `name`, `rows`, `changed`, and `resources`: ids by kind
    """
    tk.check_access("aizu_publish", context, {})
    incoming = publication.read(data_dict)
    name = incoming.dataset["name"]
    tk.check_access("aizu_publish", context, {"name": name})
    content_hash = incoming.content_hash()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with table.replacing(name) as database:
        # While we waited, another publication may have changed what this session has read.
        model.Session.expire_all()
        before = _existing(context, name)
        if before and before.get("content_hash") == content_hash:
            _record_check(before["id"], "unchanged", now, before.get("modified") or now)
            return _result(before, _rows(before["id"]), changed=False)
        staged, rows = table.stage(database, incoming.fields, incoming.files["table"].stream)
        table.lock(database, _resource_ids(before or {}).get("table"))
        saved = _save(context, _described(context, incoming, before, now), before)
        ids = _resource_ids(saved)
        table.switch(database, staged, rows, ids["table"])
    # The hash comes last: after a crash before this line the next run publishes again.
    done = _mark_complete(context, saved["id"], ids["table"], content_hash)
    status.record(saved["id"], status.REPORT, _short(incoming, rows, now))
    _record_check(saved["id"], "ok", now, now)
    return _result(done, rows, changed=True)


def _existing(context: Context, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = tk.get_action("package_show")(
            tk.fresh_context(context), {"id": name}
        )
    except tk.ObjectNotFound:
        return None
    if found["name"] != name:
        raise tk.ValidationError({"dataset": [tk._("A name is expected, not the id of a dataset")]})
    if found["state"] == "deleted":
        message = tk._("%s was deleted in the catalogue: restore it there, or stop publishing it")
        raise tk.ValidationError({"dataset": [message % name]})
    return found


def _described(
    context: Context, incoming: Publication, before: dict[str, Any] | None, now: str
) -> dict[str, Any]:
    """The dataset as it will be: what stewards wrote and the caller does not send stays."""
    before = before or {}
    return {
        **before,
        **incoming.dataset,
        "owner_org": _organization(context, incoming),
        "resources": publication.resources(incoming, before.get("resources", [])),
        "issued": before.get("issued") or now,
        "modified": now,
        "content_hash": "",
    }


def _organization(context: Context, incoming: Publication) -> str:
    """The id of the department; the caller's rights decide whether a new one is made."""
    wanted = incoming.organization
    try:
        show = {"id": wanted["name"], "include_datasets": False}
        return str(tk.get_action("organization_show")(tk.fresh_context(context), show)["id"])
    except tk.ObjectNotFound:
        extras = [
            {"key": key, "value": wanted[key]}
            for key in ("title_en", "description_en")
            if wanted.get(key)
        ]
        known = {key: wanted.get(key, "") for key in ("name", "title", "description")}
        create = tk.get_action("organization_create")
        return str(create(tk.fresh_context(context), {**known, "extras": extras})["id"])


def _save(
    context: Context, described: dict[str, Any], before: dict[str, Any] | None
) -> dict[str, Any]:
    """A new dataset is a draft, which nobody else sees, until its files and table are in."""
    if before is None:
        draft = {**described, "state": "draft", "resources": []}
        before = tk.get_action("package_create")(tk.fresh_context(context), draft)
    described = {**described, "state": before["state"], "id": before["id"]}
    saved: dict[str, Any] = tk.get_action("package_update")(tk.fresh_context(context), described)
    return saved


def _mark_complete(
    context: Context, dataset_id: str, table_id: str, content_hash: str
) -> dict[str, Any]:
    """Says that the table can be asked, gives it its views, and lets everybody see it."""
    dataset = tk.get_action("package_show")(tk.fresh_context(context), {"id": dataset_id})
    for resource in dataset["resources"]:
        if resource["id"] == table_id:
            resource["datastore_active"] = True
    done: dict[str, Any] = tk.get_action("package_update")(
        tk.fresh_context(context), {**dataset, "content_hash": content_hash, "state": "active"}
    )
    for in_datastore in (True, False):  # the table before its map
        tk.get_action("package_create_default_resource_views")(
            tk.fresh_context(context), {"package": done, "create_datastore_views": in_datastore}
        )
    return done


def _short(incoming: Publication, rows: int, now: str) -> dict[str, Any]:
    """What the dataset page shows of the report."""
    tasks = incoming.report.get("tasks", [])
    errors = [error for task in tasks for error in task.get("errors", [])]
    ours = incoming.report.get("aizu", {})
    return {
        "valid": True,
        "rows": rows,
        "errors": errors[:REPORTED_ERRORS],
        "repairs": ours.get("repairs", [])[:REPORTED_ERRORS],
        "notes": ours.get("notes", []),
        "checked_at": now,
        "source": incoming.source,
    }


def _record_check(dataset_id: str, state: str, checked: str, changed: str) -> None:
    empty = {"message": "", "message_en": ""}
    check = {"state": state, "checked": checked, "changed": changed, **empty}
    status.record(dataset_id, status.CHECK, check)


def _rows(dataset_id: str) -> int:
    return int(status.read(dataset_id).get(status.REPORT, {}).get("rows", 0))


def _resource_ids(dataset: dict[str, Any]) -> dict[str, str]:
    return {r["kind"]: r["id"] for r in dataset.get("resources", []) if r.get("kind")}


def _result(dataset: dict[str, Any], rows: int, *, changed: bool) -> dict[str, Any]:
    return {
        "id": dataset["id"],
        "name": dataset["name"],
        "rows": rows,
        "changed": changed,
        "resources": _resource_ids(dataset),
    }


@tk.validate_action_data(schema.harvest_status)
def aizu_harvest_status(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Notes on a dataset that its source was looked at; the dataset itself is not touched.

    :param name: name or id of the dataset
    :param state: `ok`, `unchanged` or `failed`
    :param checked_at: when, ISO 8601
    :param message: why it failed, in Japanese
    :param message_en: the same in English
    :returns: what the dataset page says now: `state`, `checked`, `changed`, `message`, `message_en`
    """
    tk.check_access("aizu_harvest_status", context, data_dict)
    dataset = tk.get_action("package_show")(tk.fresh_context(context), {"id": data_dict["name"]})
    check = {
        "state": data_dict["state"],
        "checked": data_dict["checked_at"],
        "changed": dataset.get("harvest_changed") or dataset.get("modified", ""),
        "message": data_dict["message"],
        "message_en": data_dict["message_en"],
    }
    status.record(dataset["id"], status.CHECK, check)
    return check
