"""Notes that sources have not changed, where the version that readers see was made from just what was found there."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context
from psycopg2.extensions import cursor

from ckanext.aizu import blobs, fence, in_step, publication, status, table, versions
from ckanext.aizu.versions import Version

JSON = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of a dataset whose source was looked at."""

    current: Version | None
    in_step: bool
    """Whether the catalogue tells of the current version."""
    whole: bool
    """Whether its tables and files are there."""


def stays(standing: Standing, fingerprint: str) -> bool:
    """Whether a source with this fingerprint would give what readers see, so that nothing is to be done."""
    made = str(standing.current.source.get("fingerprint", "")) if standing.current else ""
    return bool(made) and made == fingerprint and standing.in_step and standing.whole


def note(context: Context, checks: Iterable[JSON]) -> dict[str, JSON]:
    """Notes those checks whose datasets stay as they are.

    Args:
        context: of the action.
        checks: `name` of a dataset, `fingerprint` of its source, `checked_at`, `expected_by`, and
            `fence`, the number of the run.

    Returns:
        By the names of these datasets, `id`, `version` and `rows`; of all others nothing is noted.
    """
    by_name = {check["name"]: check for check in checks}
    found = _allowed(context, by_name)
    # Whoever publishes a dataset just now will say himself how it stands.
    with table.undisturbed(found) as (database, names), database.cursor() as cur:
        current_runs = fence.passing(cur, {name: by_name[name].get("fence") for name in names})
        standings = _standings(cur, {name: found[name] for name in current_runs})
        noted = {
            name: standing.current
            for name, standing in standings.items()
            if standing.current and stays(standing, by_name[name]["fingerprint"])
        }
        status.note_unchanged(
            {one.dataset_id: _look(by_name[name], one) for name, one in noted.items()}
        )
        database.commit()
    return {
        name: {"id": one.dataset_id, "version": one.number, "rows": sum(one.rows.values())}
        for name, one in noted.items()
    }


def _look(check: JSON, current: Version) -> JSON:
    return {
        "checked": check["checked_at"],
        "changed": current.published_at,
        "expected_by": check["expected_by"],
    }


def _allowed(context: Context, names: Collection[str]) -> dict[str, model.Package]:
    """The datasets of these names that are there, each of which the caller must be allowed to change."""
    package = model.Package
    found = model.Session.query(package).filter(package.name.in_(names))
    there = {one.name: one for one in found if one.state == model.State.ACTIVE}
    for name in there:
        tk.check_access("aizu_harvest_status", tk.fresh_context(context), {"name": name})
    return there


def _standings(cur: cursor, packages: Mapping[str, model.Package]) -> dict[str, Standing]:
    current = versions.current_of(cur, [package.id for package in packages.values()])
    lost = _lost(cur, current.values())
    return {
        name: Standing(
            current=version,
            in_step=version is not None and not in_step.is_behind(version),
            whole=package.id not in lost,
        )
        for name, package in packages.items()
        for version in [current.get(package.id)]
    }


def _lost(cur: cursor, current: Iterable[Version]) -> set[str]:
    """Ids of the datasets of which a table or a file is gone."""
    tables = {
        part["resource_id"]: version.dataset_id
        for version in current
        for part in version.parts
        if part["kind"] == publication.TABLE
    }
    gone = tables.keys() - set(table.present(cur, tables))
    return {tables[resource_id] for resource_id in gone} | {
        version.dataset_id
        for version in current
        if not all(blobs.is_kept(sha256) for sha256 in version.contents)
    }


def is_whole(cur: cursor, version: Version) -> bool:
    """Whether the tables and files of a current version are there."""
    return not _lost(cur, [version])
