"""The portal's own actions: publish a dataset whole, take a version back, note that its source was looked at."""

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.aizu import (
    catalogue_resources,
    fence,
    in_step,
    publication,
    publishing,
    status,
    table,
    unchanged,
)
from ckanext.aizu import undo as undoing
from ckanext.aizu.logic import schema
from ckanext.aizu.logic.action_held import aizu_approve, aizu_discard, aizu_held_show
from ckanext.aizu.logic.action_stewards import aizu_source_wish, aizu_sources
from ckanext.aizu.logic.action_versions import (
    aizu_version_diff,
    aizu_version_show,
    aizu_versions,
)

__all__ = [
    "aizu_approve",
    "aizu_discard",
    "aizu_harvest_status",
    "aizu_harvest_unchanged",
    "aizu_held_show",
    "aizu_publish",
    "aizu_source_wish",
    "aizu_sources",
    "aizu_undo",
    "aizu_version_diff",
    "aizu_version_show",
    "aizu_versions",
    "package_create_default_resource_views",
]


def aizu_publish(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Puts a dataset into the catalogue, or a new version in the place of the last one.

    Tables, files and description are handed in by one call (multipart/form-data) and switch
    together: on any error readers keep what they had. The same content again changes nothing. A
    version that removes much, or changes columns, is refused with the reasons under `gate`. The
    organisation is created if the caller may create organisations.

    :param dataset: JSON, the description in the fields of package_create; `name` is required
    :param organization: JSON, `name` and `title` of the department, with `title_en`
    :param resources: JSON, a list of the tables: `name` (a-z, 0-9, _), `title`, `title_en` and
        `schema`, a Table Schema; first the one that people look for
    :param layers: JSON, optional: `title` and `title_en` of layers, by name; a layer has else those
        of the table of its name
    :param source: JSON, where it came from: `url`, `fetched_at`, `sha256`, `filename`, `encoding`,
        and `fingerprint`, see aizu_harvest_unchanged
    :param report: JSON, Frictionless report; only valid tables are published
    :param table:<name>: file, one for each table, CSV in UTF-8, its header the names of the schema
    :param geojson:<name>: file, optional, any number of them: layers of the map
    :param original: file, what was fetched, untouched
    :param limits: JSON, optional, what may change without being asked: `minimum` and `maximum`
        rows of the first table, `removed_share` (0.1), `all_may_change` (false)
    :param replaces: optional, the number of the version that you believe to be current (0: none)
    :param dry_run: optional, true: only say what would change
    :param override_reason: optional, why what the gate refuses is right; for administrators
    :param fence: optional, a whole number, higher with each of your runs: once it was here, a lower one
        is refused, with `highest` under `fence` in the error; for those who run on several machines
    :param expected_by: optional, as in aizu_harvest_status
    :returns: `id`, `name`, `version`, `rows` (of all tables), `changed`, `seconds` by step where
        something was published, and `resources`: ids by
        part, as `table:<name>`, `geojson:<name>`, `original`; of a dry run `ok`, `version`,
        `replaces`, `tables`, `reasons`, `notes`, `files`
    """
    tk.check_access("aizu_publish", context, {})
    incoming = publication.read(data_dict)
    name = incoming.dataset["name"]
    tk.check_access("aizu_publish", context, {"name": name})
    wishes = _wishes(data_dict)
    if wishes.override_reason:
        tk.check_access(
            "aizu_override", context, {"name": name, "owner": incoming.organization["name"]}
        )
    return publishing.publish(context, incoming, wishes)


def _wishes(data_dict: dict[str, Any]) -> publishing.Wishes:
    asked, errors = tk.navl_validate(data_dict, schema.publish(), {})
    if errors:
        raise tk.ValidationError(errors)
    return publishing.Wishes(
        limits=asked["limits"],
        replaces=asked.get("replaces"),
        dry_run=asked["dry_run"],
        expected_by=asked["expected_by"],
        override_reason=asked["override_reason"],
        fence=asked.get("fence"),
    )


@tk.chained_action
def package_create_default_resource_views(
    next_action: Any, context: Context, data_dict: dict[str, Any]
) -> list[dict[str, Any]]:
    """Leaves published datasets alone, which get all their views at once, without a piece of news for each."""
    tk.check_access("package_create_default_resource_views", context, data_dict)
    if catalogue_resources.ours(data_dict["package"]):
        return []
    views: list[dict[str, Any]] = next_action(context, data_dict)
    return views


@tk.validate_action_data(schema.undo)
def aizu_undo(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Brings an earlier version of a dataset back, byte for byte, as a new version.

    What was undone is not published again by itself, until something else has come.

    :param name: name of the dataset
    :param to: optional, the number of the version; without it, the one before the current
    :param reason: why; it is shown with the version
    :returns: as aizu_publish, and `restores`, the number of the version that came back
    """
    tk.check_access("aizu_undo", context, data_dict)
    name = tk.get_action("package_show")(tk.fresh_context(context), {"id": data_dict["name"]})[
        "name"
    ]
    return undoing.undo(context, name, data_dict.get("to"), data_dict["reason"])


@tk.validate_action_data(schema.harvest_status)
def aizu_harvest_status(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Notes on a dataset that its source was looked at; the dataset itself is not touched.

    :param name: name or id of the dataset
    :param state: `ok`, `unchanged` or `failed`
    :param checked_at: when, ISO 8601
    :param expected_by: optional, from when on the next check is overdue, ISO 8601; without it twice
        the time that the dataset's `frequency` promises
    :param cause: optional, of a failure: `source` (does not answer; may be well the next time),
        `data` (refused; somebody must look), `gate` (held back), `program`
    :param message: why it failed, in Japanese
    :param message_en: the same in English
    :param findings: JSON, optional, what is wrong by cell, for those who look after the dataset: a
        list of `row`, `column`, `value`, `message`, `message_en`
    :param fence: optional, as of aizu_publish: what an older run has to say is refused
    :returns: what the dataset page says now: `state`, `checked`, `good` (the last check that
        worked), `changed`, `expected_by`, `cause`, `message`, `message_en`
    """
    tk.check_access("aizu_harvest_status", context, data_dict)
    dataset = tk.get_action("package_show")(tk.fresh_context(context), {"id": data_dict["name"]})
    failed = data_dict["state"] == "failed"
    check = {
        "state": data_dict["state"],
        "checked": data_dict["checked_at"],
        "changed": dataset.get("harvest_changed") or dataset.get("modified", ""),
        "expected_by": data_dict["expected_by"],
        "cause": data_dict["cause"] if failed else "",
        "message": data_dict["message"],
        "message_en": data_dict["message_en"],
    }
    # Whoever reports a failure may have been cut off from a publication that was done.
    with table.publishing(dataset["name"]) as database:
        fence.let_pass(database, dataset["name"], data_dict.get("fence"))
        in_step.recover(database, dataset["name"])
        return status.note(dataset["id"], check, data_dict["findings"])


@tk.validate_action_data(schema.harvest_unchanged)
def aizu_harvest_unchanged(
    context: Context, data_dict: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Notes on datasets that their sources have not changed, if readers have what comes from there.

    A fingerprint is any text that is the same only where the same source would be made into the
    same dataset by the same rules. The one that came with the current version is compared; where
    it is another, or a file or table of the version is gone, nothing is noted: the dataset is to
    be published. Nothing else is written, and no news is made of it.

    :param checks: a list of `name` of the dataset, `fingerprint`, `checked_at`, ISO 8601, and
        optionally `expected_by`, as in aizu_harvest_status, and `fence`, as in aizu_publish: what
        an older run has to say is not noted
    :returns: of those datasets that stay as they are, by name, `id`, `version` and `rows`
    """
    tk.check_access("aizu_harvest_unchanged", context, data_dict)
    return unchanged.note(context, data_dict.get("checks", []))
