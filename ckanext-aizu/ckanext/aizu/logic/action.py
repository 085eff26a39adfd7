"""The portal's own actions: publish a dataset whole, and note that its source was looked at."""

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.uploader import get_resource_uploader
from ckan.types import Context
from psycopg2.extensions import connection

from ckanext.aizu import catalogue_resources, default_views, publication, status, table
from ckanext.aizu.logic import schema
from ckanext.aizu.publication import Publication

__all__ = ["aizu_harvest_status", "aizu_publish"]

REPORTED_ERRORS = 100


def aizu_publish(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Puts a dataset into the catalogue, or a new version in the place of the last one.

    Tables, files and description are handed in by one call (multipart/form-data) and switch
    together: on any error the catalogue keeps what it had. The same content again changes
    nothing. A table or layer that is not handed in any more leaves the catalogue. The
    organisation is created if the caller may create organisations.

    :param dataset: JSON, the description in the fields of package_create; `name` is required
    :param organization: JSON, `name` and `title` of the department, with `title_en`
    :param resources: JSON, a list of the tables: `name` (a-z, 0-9, _), `title`, `title_en` and
        `schema`, a Table Schema; first the one that people look for
    :param layers: JSON, optional: `title` and `title_en` of layers, by name; a layer has else those
        of the table of its name
    :param source: JSON, where it came from: `url`, `fetched_at`, `sha256`, `filename`, `encoding`
    :param report: JSON, Frictionless report; only valid tables are published
    :param table:<name>: file, one for each table, CSV in UTF-8, its header the names of the schema
    :param geojson:<name>: file, optional, any number of them: layers of the map
    :param original: file, what was fetched, untouched
    :returns: `id`, `name`, `rows` (of all tables), `changed`, and `resources`: ids by part, as
        `table:<name>`, `geojson:<name>`, `original`
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
        staged = _stage(database, incoming)
        known = _ids(before or {})
        table.lock(database, known.values())
        with _department(context, incoming.organization) as owner:
            described = _described(incoming, before, owner, now)
            saved = _save(context, described, before)
        gone = set(known.values()) - set(_ids(saved).values())
        tables = {_ids(saved)[part]: loaded for part, loaded in staged.items()}
        table.switch(database, tables, gone)
    _remove_files(gone)
    # The hash comes last: after a crash before this line the next run publishes again.
    done = _mark_complete(context, saved["id"], tables, content_hash)
    rows = {part.partition(":")[2]: loaded.rows for part, loaded in staged.items()}
    status.record(saved["id"], status.REPORT, _short(incoming, rows, now))
    _record_check(saved["id"], "ok", now, now)
    return _result(done, sum(rows.values()), changed=True)


def _stage(database: connection, incoming: Publication) -> dict[str, table.Staged]:
    """Loads every table, by part; the first that does not fit its schema is refused by name."""
    staged = {}
    for one in incoming.tables:
        part = f"{publication.TABLE}:{one.name}"
        try:
            staged[part] = table.stage(database, one.fields, incoming.files[part].stream)
        except ValueError as error:
            raise tk.ValidationError({part: [str(error)]}) from error
    return staged


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
    incoming: Publication, before: dict[str, Any] | None, owner: str, now: str
) -> dict[str, Any]:
    """The dataset as it will be: what stewards wrote and the caller does not send stays."""
    before = before or {}
    return {
        **before,
        **incoming.dataset,
        "owner_org": owner,
        "resources": catalogue_resources.resources(incoming, before),
        "issued": before.get("issued") or now,
        "modified": now,
        "content_hash": "",
    }


@contextmanager
def _department(context: Context, wanted: dict[str, Any]) -> Iterator[str]:
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
def _new_department(context: Context, wanted: dict[str, Any]) -> Iterator[str]:
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
    except tk.ValidationError:
        tk.get_action("organization_purge")({"ignore_auth": True}, {"id": made["id"]})
        raise


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


def _remove_files(resource_ids: Iterable[str]) -> None:
    """CKAN keeps the files of resources that a new version of their dataset does not have."""
    for resource_id in resource_ids:
        get_resource_uploader({"clear_upload": True}).upload(resource_id)


def _mark_complete(
    context: Context, dataset_id: str, tables: Container[str], content_hash: str
) -> dict[str, Any]:
    """Says that the tables can be asked, gives them their views, and lets everybody see them."""
    dataset = tk.get_action("package_show")(tk.fresh_context(context), {"id": dataset_id})
    for resource in dataset["resources"]:
        if resource["id"] in tables:
            resource["datastore_active"] = True
    done: dict[str, Any] = tk.get_action("package_update")(
        tk.fresh_context(context), {**dataset, "content_hash": content_hash, "state": "active"}
    )
    default_views.add(done)
    return done


def _short(incoming: Publication, rows: dict[str, int], now: str) -> dict[str, Any]:
    """What the dataset page shows of the report."""
    tasks = incoming.report.get("tasks", [])
    errors = [error for task in tasks for error in task.get("errors", [])]
    ours = incoming.report.get("aizu", {})
    return {
        "valid": True,
        "rows": sum(rows.values()),
        "tables": rows,
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


def _ids(dataset: dict[str, Any]) -> dict[str, str]:
    return {part: r["id"] for part, r in catalogue_resources.ours(dataset).items()}


def _result(dataset: dict[str, Any], rows: int, *, changed: bool) -> dict[str, Any]:
    return {
        "id": dataset["id"],
        "name": dataset["name"],
        "rows": rows,
        "changed": changed,
        "resources": _ids(dataset),
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
