"""What nobody may do to a signpost, sysadmins included: CKAN's actions that would attach data are refused before they begin."""

import json
import logging
from collections.abc import Callable
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context
from ckanext.datastore.helpers import get_list

from ckanext.aizu_deep import signposts

JSON = dict[str, Any]
Concerns = Callable[[JSON], bool]

log = logging.getLogger(__name__)


def actions() -> dict[str, Any]:
    """The refusing actions, by name, of those plugins that are there; for IActions."""
    found = {
        "package_create": package_create,
        "package_update": package_update,
        "package_create_default_resource_views": package_create_default_resource_views,
        "resource_create_default_resource_views": resource_create_default_resource_views,
    }
    for plugin, named in _ATTACHING.items():
        if p.plugin_loaded(plugin) or plugin == CORE:
            found |= {action: _refusing(action, names) for action, names in named.items()}
    return found


@tk.chained_action
def package_create(next_action: Any, context: Context, data_dict: JSON) -> Any:
    """A new dataset is a signpost or has resources of its own."""
    _check_resources("package_create", context, data_dict, None)
    return next_action(context, data_dict)


@tk.chained_action
def package_update(next_action: Any, context: Context, data_dict: JSON) -> Any:
    """A signpost stays one; every change of resources comes through here."""
    # Whoever else changes the dataset now waits, or has been seen.
    package = model.Package.get(data_dict.get("id") or data_dict.get("name"), for_update=True)
    if package:
        _check_resources("package_update", context, data_dict, package)
    return next_action(context, data_dict)


def _check_resources(
    action: str, context: Context, data_dict: JSON, package: model.Package | None
) -> None:
    resources = data_dict.get("resources", [])
    if not isinstance(resources, list):
        # CKAN would take an empty object for an empty list.
        message = tk._("Resources are expected as a list")
        _refuse(action, context, data_dict, {"resources": [message]})
    elif "resources" in data_dict:
        errors = signposts.errors_of_change(package, resources)
        if any(errors):
            _refuse(action, context, data_dict, {"resources": errors})


def _refuse(action: str, context: Context, data_dict: JSON, errors: JSON) -> None:
    """Whoever may not do it anyway is told that, and no more."""
    tk.check_access(action, tk.fresh_context(context), dict(data_dict))
    model.Session.rollback()
    log.warning("Deep data: %s was refused", action)
    raise tk.ValidationError(errors)


@tk.chained_action
def package_create_default_resource_views(
    next_action: Any, context: Context, data_dict: JSON
) -> list[JSON]:
    """CKAN asks for views of whatever is new; there is nothing to view."""
    if signposts.is_dataset(_id_of(data_dict.get("package"))):
        tk.check_access("package_create_default_resource_views", context, data_dict)
        return []
    views: list[JSON] = next_action(context, data_dict)
    return views


@tk.chained_action
def resource_create_default_resource_views(
    next_action: Any, context: Context, data_dict: JSON
) -> list[JSON]:
    """As for a whole dataset."""
    if signposts.has_resource(_id_of(data_dict.get("resource"))):
        tk.check_access("resource_create_default_resource_views", context, data_dict)
        return []
    views: list[JSON] = next_action(context, data_dict)
    return views


def _id_of(entity: Any) -> Any:
    return entity.get("id") if isinstance(entity, dict) else None


def _refusing(action: str, concerns_signpost: Concerns) -> Any:
    """An action that does what it always does, but not to a signpost."""

    @tk.chained_action
    def refusing(next_action: Any, context: Context, data_dict: JSON) -> Any:
        if concerns_signpost(data_dict):
            message = tk._("This is deep data: its rows, files and views are not in the catalogue")
            _refuse(action, context, data_dict, {"message": message})
        return next_action(context, data_dict)

    return refusing


def _resource(data_dict: JSON) -> bool:
    return signposts.has_resource(data_dict.get("resource_id"))


def _table(data_dict: JSON) -> bool:
    """An alias is a table under another name, which might be that of a signpost."""
    aliases = get_list(data_dict.get("aliases")) or []
    return _resource(data_dict) or any(map(signposts.has_resource, aliases))


def _owner(data_dict: JSON) -> bool:
    owner = data_dict.get("owner_id")
    return signposts.has_resource(owner) or signposts.is_dataset(owner)


def _dataset(data_dict: JSON) -> bool:
    return signposts.is_dataset(data_dict.get("name"))


def _publication(data_dict: JSON) -> bool:
    """What cannot be read is refused by the action itself."""
    told = data_dict.get("dataset")
    try:
        described = json.loads(told) if isinstance(told, str) else told
    except (ValueError, RecursionError):
        return False
    return isinstance(described, dict) and signposts.is_dataset(described.get("name"))


CORE = "core"
_ATTACHING: dict[str, dict[str, Concerns]] = {
    CORE: {"resource_view_create": _resource, "file_ownership_transfer": _owner},
    "datastore": {
        "datastore_create": _table,
        "datastore_upsert": _resource,
        "datastore_delete": _resource,
        "datastore_records_delete": _resource,
        "datastore_run_triggers": _resource,
    },
    "datapusher": {"datapusher_submit": _resource},
    "xloader": {"xloader_submit": _resource},
    "aizu": {"aizu_publish": _publication, "aizu_harvest_status": _dataset},
}
