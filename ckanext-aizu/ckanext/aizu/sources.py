"""The sources of the portal's datasets as their stewards see them: the catalogue, the last checks and the harvests joined."""

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context
from sqlalchemy import or_, select

from ckanext.aizu import freshness, harvests, held, status
from ckanext.aizu.harvests import Harvest, Harvests

JSON = dict[str, Any]
ATTENTION = ("failed", "held", "late", "unchecked", "fresh")
"""States; first what a person must look at."""


def listed(context: Context, known: Harvests) -> list[JSON]:
    """Every source whose dataset the caller may change; to sysadmins also those not published yet."""
    packages = [one for one in _packages(list(known.by_dataset)) if _may_change(context, one)]
    checks = status.checks([package.id for package in packages])
    waiting = held.of_datasets([package.id for package in packages])
    found = [
        _source(known, package.name, package, checks.get(package.id, {}), package.id in waiting)
        for package in packages
    ]
    if _is_sysadmin(context):
        names = {one.name for one in _packages(list(known.by_dataset), states=None)}
        found += [_source(known, name, None, {}, False) for name in {*known.by_dataset} - names]
    return sorted(found, key=lambda one: (ATTENTION.index(one["state"]), one["title"]))


def one(package: model.Package | None, name: str, known: Harvests) -> JSON:
    """A source with all that is known of it.

    Args:
        package: its dataset, if it was published.
        name: of the dataset.
        known: what Redis tells.
    """
    if package is None:
        return _source(known, name, None, {}, False) | {"findings": []}
    told = status.read(package.id)
    is_held = package.id in held.of_datasets([package.id])
    found = _source(known, name, package, told.get(status.CHECK, {}), is_held)
    return found | {"findings": told.get(status.FINDINGS, {}).get("cells", [])}


def _packages(
    names: list[str], states: tuple[str, ...] | None = ("active",)
) -> list[model.Package]:
    """Datasets of these names, and all others that were ever checked."""
    checked = select(model.TaskStatus.entity_id).where(
        model.TaskStatus.task_type == status.TASK_TYPE, model.TaskStatus.key == status.CHECK
    )
    wanted = or_(model.Package.name.in_(names), model.Package.id.in_(checked))
    found = model.Session.query(model.Package).filter(wanted)
    return found.filter(model.Package.state.in_(states)).all() if states else found.all()


def _may_change(context: Context, package: model.Package) -> bool:
    try:
        tk.check_access("package_update", tk.fresh_context(context), {"id": package.id})
    except tk.NotAuthorized:
        return False
    return True


def _is_sysadmin(context: Context) -> bool:
    user = model.User.get(context.get("user") or "")
    return bool(user and user.sysadmin)


def _source(
    known: Harvests, name: str, package: model.Package | None, check: JSON, is_held: bool
) -> JSON:
    harvest = known.by_dataset.get(name)
    return {
        "name": name,
        "published": package is not None,
        **(_described(package) if package else {"title": harvest.key if harvest else name}),
        "check": check,
        "held": is_held,
        "state": _state(check, package, harvest, is_held),
        **_told(check, harvest),
        **(_harvested(harvest, known) if harvest else {"source": None, "now": None, "runs": []}),
    }


def _described(package: model.Package) -> JSON:
    owner = model.Group.get(package.owner_org)
    extras: Mapping[str, Any] = package.extras or {}
    return {
        "id": package.id,
        "title": package.title,
        "title_en": extras.get("title_en", ""),
        "organization": {"name": owner.name, "title": owner.title} if owner else None,
    }


def _state(
    check: JSON, package: model.Package | None, harvest: Harvest | None, is_held: bool
) -> freshness.State:
    """That of the last check, unless a run has failed since of which the dataset has not heard."""
    if is_held:
        return "held"
    if _unheard(check, harvest):
        return "failed"
    frequency = (package.extras or {}).get("frequency", "") if package else ""
    return freshness.state(check, freshness.late_after(check, frequency))


def _unheard(check: JSON, harvest: Harvest | None) -> JSON | None:
    """The last run, if it has failed and the dataset does not know."""
    last = harvest.runs[0] if harvest and harvest.runs else {}
    failed = last.get("state") == "failed" and last["ended_at"] > check.get("checked", "")
    return last if failed else None


def _told(check: JSON, harvest: Harvest | None) -> JSON:
    """Why it is not well."""
    said = _unheard(check, harvest) or check
    return {name: said.get(name, "") for name in ("message", "message_en")}


def _harvested(harvest: Harvest, known: Harvests) -> JSON:
    plan = harvest.plan
    return {
        "source": harvest.key,
        "now": harvests.now(harvest, known.scheduler),
        "until": harvests.moment(plan.get("until")),
        "next_run": None if harvest.paused else harvests.moment(plan.get("next")),
        "schedule": plan.get("schedule"),
        "run": harvests.run_of(harvest),
        "paused": harvest.paused or None,
        "wanted": harvest.wanted or None,
        "runs": harvest.runs,
    }
