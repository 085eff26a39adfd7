"""Actions that tell of the versions of a dataset; they change nothing and are open to whoever may see the dataset."""

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.aizu import history
from ckanext.aizu.logic import schema

__all__ = ["aizu_version_diff", "aizu_version_show", "aizu_versions"]


@tk.side_effect_free
@tk.validate_action_data(schema.versions)
def aizu_versions(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Lists the versions of a dataset, the newest first.

    :param name: name or id of the dataset
    :param limit: how many, at most 200 (default 50)
    :param offset: how many newer ones to leave out
    :returns: `name`, `count` and `versions`: of each `number`, `state` (current, past, or gone:
        its files are not kept any more), `published_at`, `content_hash`, `rows`, `changes`
        (rows added, changed, removed, by table), `restores` (of an undo: which version came
        back), `reason`, `files` with their permanent addresses, `url`
    """
    tk.check_access("aizu_versions", context, data_dict)
    dataset = history.dataset_of(context, data_dict["name"])
    found, count = history.listed(context, dataset, data_dict["limit"], data_dict["offset"])
    return {"name": dataset["name"], "count": count, "versions": found}


@tk.side_effect_free
@tk.validate_action_data(schema.version_show)
def aizu_version_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Tells all that is known of one version.

    :param name: name or id of the dataset
    :param number: of the version
    :returns: as in aizu_versions, and `dataset`, `resources` (with their Table Schemas), `source`,
        `report_url`
    """
    tk.check_access("aizu_version_show", context, data_dict)
    dataset = history.dataset_of(context, data_dict["name"])
    return history.whole(context, dataset, history.one(dataset, data_dict["number"]))


@tk.side_effect_free
@tk.validate_action_data(schema.version_diff)
def aizu_version_diff(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Compares a table of two versions, row by row by its key, cell by cell.

    :param name: name or id of the dataset
    :param from: number of the version that counts as the earlier one
    :param to: number of the other
    :param table: name of the table; without it, the first
    :param limit: rows on this page, at most 1000 (default 100)
    :param offset: rows before this page
    :returns: `table`, `tables`, `counts`, `fields`, `key`, `total` and `rows`: of each `change`
        (added, changed, removed), `key`, `cells` (of a changed row those that changed, with
        `before` and `after`), `row_before`, `row_after`
    """
    tk.check_access("aizu_version_diff", context, data_dict)
    from ckanext.aizu.diff_shown import to_json  # Polars, as in history

    dataset = history.dataset_of(context, data_dict["name"])
    found = history.compared(
        dataset, data_dict["from"], data_dict["to"], data_dict.get("table") or ""
    )
    return {
        "name": dataset["name"],
        "from": found.before.number,
        "to": found.after.number,
        "table": found.table,
        "tables": list(history.tables(found.before, found.after)),
        **to_json(found.diff, data_dict["offset"], data_dict["limit"]),
    }
