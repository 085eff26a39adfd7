"""Who may publish: those who may change the dataset, or create one in its department."""

from typing import Any

import ckan.plugins.toolkit as tk
from ckan import authz, model
from ckan.types import AuthResult, Context

__all__ = [
    "aizu_approve",
    "aizu_discard",
    "aizu_harvest_status",
    "aizu_harvest_unchanged",
    "aizu_held_show",
    "aizu_override",
    "aizu_publish",
    "aizu_source_wish",
    "aizu_sources",
    "aizu_undo",
    "aizu_version_diff",
    "aizu_version_show",
    "aizu_versions",
    "organization_create",
    "task_status_show",
]

HARVESTER = "harvester"


def aizu_publish(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Not for strangers; an existing dataset needs the right to change it, a new one to create it."""
    name = data_dict.get("name")
    if not name:
        return {"success": bool(context.get("user"))}
    return _may_update(context, name) if model.Package.get(name) else _may_create(context)


def aizu_override(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """What the gate refuses is let through by an administrator of the department that has the dataset."""
    package = model.Package.get(data_dict["name"])
    owner = package.owner_org if package else data_dict.get("owner")
    user = context.get("user", "")
    if authz.users_role_for_group_or_org(owner, user) == "admin":
        return {"success": True}
    return {"success": False, "msg": tk._("Only an administrator of the department may do this")}


aizu_approve = aizu_discard = aizu_override


def aizu_undo(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """As for a change of the dataset."""
    return _may_update(context, data_dict["name"])


@tk.auth_allow_anonymous_access
def aizu_versions(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """As for seeing the dataset."""
    try:
        tk.check_access("package_show", tk.fresh_context(context), {"id": data_dict["name"]})
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    return {"success": True}


aizu_version_show = aizu_version_diff = aizu_versions


def aizu_harvest_status(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """As for a change of the dataset."""
    return _may_update(context, data_dict["name"])


def aizu_harvest_unchanged(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Not for strangers; each dataset is looked at when it is found."""
    return {"success": bool(context.get("user"))}


def aizu_sources(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """For those who may change datasets of some department, or the one that is asked for."""
    if data_dict.get("name"):
        return aizu_source_wish(context, data_dict)
    user = context.get("user", "")
    if authz.has_user_permission_for_some_org(user, "update_dataset"):
        return {"success": True}
    return {"success": False, "msg": tk._("Only for those who look after datasets")}


def aizu_source_wish(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """As for a change of the dataset; of a source that was never published, for sysadmins."""
    if not model.Package.get(data_dict.get("name")):
        return {"success": False, "msg": tk._("Only for those who look after datasets")}
    return _may_update(context, data_dict["name"])


def aizu_held_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """As for a change of the dataset."""
    return _may_update(context, data_dict["name"])


def task_status_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Nobody: the last check is shown with its dataset, to those who may see the dataset."""
    return {"success": False}


def _may_update(context: Context, name: str) -> AuthResult:
    try:
        tk.check_access("package_update", tk.fresh_context(context), {"id": name})
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    return {"success": True}


def _may_create(context: Context) -> AuthResult:
    """In which department is seen when the dataset is made; here, whether there can be any."""
    if authz.has_user_permission_for_some_org(context.get("user", ""), "create_dataset"):
        return {"success": True}
    try:
        tk.check_access("organization_create", tk.fresh_context(context), {})
    except tk.NotAuthorized:
        return {"success": False, "msg": tk._("Only for those who look after datasets")}
    return {"success": True}


@tk.chained_auth_function
def organization_create(next_auth: Any, context: Context, data_dict: Any) -> AuthResult:
    """The harvesters' account may make the department that a new source names, and nothing else."""
    user = context.get("auth_user_obj")
    if isinstance(user, model.User) and (user.plugin_extras or {}).get("aizu", {}).get(HARVESTER):
        return {"success": True}
    result: AuthResult = next_auth(context, data_dict)
    return result
