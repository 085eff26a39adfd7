"""Brings the catalogue in step with the version that readers see: done after every switch, and again after a crash."""

import json
import logging
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.uploader import ResourceUpload
from ckan.types import Context
from psycopg2.extensions import connection

from ckanext.aizu import blobs, catalogue_resources, default_views, status, table, versions
from ckanext.aizu.versions import Version

JSON = dict[str, Any]
REPORTED_ERRORS = 100

log = logging.getLogger(__name__)


def recover(database: connection, name: str) -> None:
    """Rolls a dataset forward to its current version, where somebody was stopped before he had told of it.

    Args:
        database: of `table.publishing(name)`.
        name: of the dataset.
    """
    # While we waited, another may have changed what this session has read.
    model.Session.expire_all()
    known = model.Package.get(name)
    with database.cursor() as cur:
        found = versions.current(cur, known.id) if known else None
        waiting = [found] if found else versions.unannounced(cur, name)
    for version in waiting:
        bring(database, version)


def recover_all() -> list[str]:
    """Rolls every dataset forward that needs it; returns their names."""
    with versions.reading() as cur:
        waiting = [version for version in versions.all_current(cur) if is_behind(version)]
    names = [version.dataset["name"] for version in waiting]
    for name in names:
        try:
            with table.publishing(name) as database:
                recover(database, name)
        except Exception:  # one dataset must not keep the others, or the portal, from coming back
            log.exception("The catalogue is not in step with the current version of %s", name)
    return names


def is_behind(version: Version) -> bool:
    """Whether the catalogue has not been told of a current version."""
    package = model.Package.get(version.dataset_id)
    if package is None or package.state == model.State.DELETED:
        # What was told of and is not there was purged by a sysadmin.
        return package is None and not version.in_step
    return not version.in_step or package.version != str(version.number)


def bring(database: connection, version: Version, expected_by: str = "") -> None:
    """Tells the catalogue of a version that the DataStore has, if it does not know.

    Args:
        database: of `table.publishing(name)`.
        version: the current one.
        expected_by: when the next check is overdue, if the publisher has said so.
    """
    if not is_behind(version):
        return
    before = _package(version.dataset_id)
    action = tk.get_action("package_update" if before else "package_create")
    described = {"id": version.dataset_id, **as_dataset(version, before or {})}
    done = action(_as_publisher(version), described)
    default_views.add(done)
    _remove_unversioned_files(version, before or {})
    status.record(version.dataset_id, status.REPORT, _short(version))
    _note_published(version, expected_by)
    versions.mark_in_step(database, version)


def as_dataset(version: Version, before: JSON) -> JSON:
    """The dataset as the catalogue shall have it: what stewards wrote and no publisher sends stays."""
    moment = version.published_at
    return {
        **before,
        **version.dataset,
        "resources": catalogue_resources.resources(version.parts, before, moment),
        "issued": before.get("issued") or moment,
        "modified": moment,
        "version": str(version.number),
        "content_hash": version.content_hash,
        "state": "active",
        "type": "dataset",
    }


def _package(dataset_id: str) -> JSON | None:
    try:
        found: JSON = tk.get_action("package_show")({"ignore_auth": True}, {"id": dataset_id})
    except tk.ObjectNotFound:
        return None
    return found


def _as_publisher(version: Version) -> Context:
    """His rights were looked at before the switch; now it is done in his name."""
    user = model.User.get(version.published_by)
    return {"ignore_auth": True, "user": user.name if user else ""}


def _remove_unversioned_files(version: Version, before: JSON) -> None:
    """Datasets from before there were versions have their files where CKAN puts them."""
    ids = {part["resource_id"] for part in version.parts}
    ids |= {resource["id"] for resource in catalogue_resources.ours(before).values()}
    for resource_id in ids:
        ResourceUpload({"clear_upload": True}).upload(resource_id)


def _short(version: Version) -> JSON:
    """What the dataset page shows of the report."""
    with blobs.opened(version.report_sha256) as file:
        report = json.load(file)
    errors = [error for task in report.get("tasks", []) for error in task.get("errors", [])]
    ours = report.get("aizu", {})
    return {
        "valid": True,
        "rows": sum(version.rows.values()),
        "tables": version.rows,
        "errors": errors[:REPORTED_ERRORS],
        "repairs": ours.get("repairs", [])[:REPORTED_ERRORS],
        "notes": ours.get("notes", []),
        "checked_at": version.published_at,
        "source": version.source,
    }


def _note_published(version: Version, expected_by: str) -> None:
    kinds = ("added", "changed", "removed")
    rows = sum(table[kind] for table in version.changes.values() for kind in kinds)
    news = {"state": "ok", "version": version.number, "rows_changed": rows}
    note_good(version.dataset_id, version.published_at, version.published_at, expected_by, news)


def note_good(
    dataset_id: str, checked: str, changed: str, expected_by: str, news: JSON | None = None
) -> None:
    """Notes that a dataset's source was looked at and was in order; unchanged, if there is no news."""
    check = {"checked": checked, "changed": changed, "expected_by": expected_by}
    empty = {"cause": "", "message": "", "message_en": ""}
    status.note(dataset_id, {"state": "unchanged", **check, **empty, **(news or {})})
