"""Publishes a dataset whole: what is new is laid ready where nobody sees it, and one commit switches to it."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import ckan.lib.plugins as lib_plugins
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.aizu import (
    blobs,
    byproducts,
    catalogue_resources,
    fence,
    held,
    held_shown,
    in_step,
    loading,
    publication,
    retention,
    table,
    unchanged,
    versions,
)
from ckanext.aizu.departments import department
from ckanext.aizu.gate import Limits, undone
from ckanext.aizu.place import Place, now, opened, user_id
from ckanext.aizu.publication import Publication
from ckanext.aizu.versions import Version

if TYPE_CHECKING:
    from ckanext.aizu.plan import Plan

JSON = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How a caller wants to publish."""

    limits: Limits
    replaces: int | None = None
    """Number of the version that he believes to be current; 0: none."""
    dry_run: bool = False
    override_reason: str = ""
    expected_by: str = ""
    """When the next check is overdue."""
    fence: int | None = None
    """Number of the run, higher with each."""


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A version that only lacks the switch."""

    version: Version
    staged: Mapping[str, table.Staged]
    plan: "Plan"
    reasons: list[JSON]
    """Of the gate."""


def publish(context: Context, incoming: Publication, wishes: Wishes) -> JSON:
    """Makes a publication the current version of its dataset, or says what it would change.

    Returns:
        The answer of aizu_publish.
    """
    name = incoming.dataset["name"]
    with opened(context, name) as place:
        if not wishes.dry_run:
            fence.let_pass(place.database, name, wishes.fence)
        _refuse_other_base(place, wishes)
        with place.laps.lap("hash"):
            incoming.content_hash()
        if place.current and _has(place, place.current, incoming):
            return _unchanged(place, place.current, incoming, wishes)
        if wishes.dry_run:
            with blobs.arriving() as arrivals:
                return _planned(place, _ready(place, incoming, "", arrivals, wishes), wishes)
        with (
            department(context, incoming.organization) as owner_id,
            blobs.arriving() as arrivals,
        ):
            ready = _ready(place, incoming, owner_id, arrivals, wishes)
            check_metadata(place, ready.version)
            if ready.reasons and not wishes.override_reason:
                raise _refused(place, ready, arrivals)
            with place.laps.lap("switch"):
                switch(place, ready.version, ready.staged, arrivals)
        with place.laps.lap("catalogue"):
            in_step.bring(place.database, ready.version, wishes.expected_by)
        retention.prune_in_time()
        return answer(ready.version, changed=True) | {"seconds": place.laps.seconds}


def _refused(place: Place, ready: Ready, arrivals: blobs.Arrivals) -> tk.ValidationError:
    """What the caller is told; where readers have something already, a steward can look at it first."""
    told: dict[str, Any] = {"gate": ready.reasons}
    if place.before:
        table.drop(place.database, ready.staged.values())
        if held.hold(place.database, ready.version, arrivals):
            told["held"] = [held_shown.address(place.before)]
    return tk.ValidationError(told)


def _refuse_other_base(place: Place, wishes: Wishes) -> None:
    there = place.current.number if place.current else 0
    if wishes.replaces not in (None, there):
        message = tk._("Version %i is expected to be current, but it is version %i")
        raise tk.ValidationError({"replaces": [message % (wishes.replaces, there)]})


def _has(place: Place, current: Version, incoming: Publication) -> bool:
    """Whether readers have the content already; what was lost of it is published anew."""
    if current.content_hash != incoming.content_hash():
        return False
    with place.database.cursor() as cur:
        return unchanged.is_whole(cur, current)


def _unchanged(place: Place, current: Version, incoming: Publication, wishes: Wishes) -> JSON:
    if wishes.dry_run:
        return {"changed": False, "ok": True, "version": current.number}
    versions.note_fingerprint(place.database, current, str(incoming.source.get("fingerprint", "")))
    changed = (place.before or {}).get("modified") or current.published_at
    in_step.note_good(place.dataset_id, now(), changed, wishes.expected_by)
    return answer(current, changed=False)


def _described(
    place: Place, incoming: Publication, owner_id: str, made: list[byproducts.Made]
) -> Version:
    """The version as it will be; rows, changes and report are not known yet."""
    dataset = {**incoming.dataset, **({"owner_org": owner_id} if owner_id else {})}
    with place.database.cursor() as cur:
        number = versions.next_number(cur, place.dataset_id)
    return Version(
        dataset_id=place.dataset_id,
        number=number,
        published_at=now(),
        published_by=user_id(place.context),
        content_hash=incoming.content_hash(),
        replaces=place.current.number if place.current else None,
        rows={},
        parts=catalogue_resources.parts(incoming, made, place.dataset_id, place.known),
        dataset=dataset,
        organization=incoming.organization,
        resources=[vars(one) for one in incoming.tables],
        source=incoming.source,
        report_sha256="",
        changes={},
        lifted=[],
    )


def check_metadata(place: Place, version: Version) -> None:
    """Refuses what the catalogue would refuse, before anything is changed, with the caller's own rights."""
    package = model.Package.get(place.dataset_id)
    action = "package_update" if package else "package_create"
    described = in_step.as_dataset(version, place.before or {})
    auth = {"id": place.dataset_id} if package else described
    tk.check_access(action, tk.fresh_context(place.context), dict(auth))
    plugin = lib_plugins.lookup_package_plugin("dataset")
    schema = plugin.update_package_schema() if package else plugin.create_package_schema()
    context = tk.fresh_context(place.context)
    context["schema"] = schema
    if package:
        context["package"] = package
        described["id"] = package.id
    _, errors = lib_plugins.plugin_validate(plugin, context, described, schema, action)
    if errors:
        model.Session.rollback()
        raise tk.ValidationError(errors)


def _ready(
    place: Place, incoming: Publication, owner_id: str, arrivals: blobs.Arrivals, wishes: Wishes
) -> Ready:
    """Loads the tables, writes the files and compares; nothing of it can be seen."""
    # Polars takes a while to load, and the portal's pages do without it.
    from ckanext.aizu import conformity
    from ckanext.aizu import plan as planning

    with place.database.cursor() as cur:
        versions.keep_blobs(cur)
    with place.laps.lap("files"):
        for file in incoming.files.values():
            arrivals.add(file.stream)
    schemas = {one.name: one.fields for one in incoming.tables}
    files = {n: arrivals.path(incoming.hashes[f"{publication.TABLE}:{n}"]) for n in schemas}
    with loading.meanwhile(place.database, schemas, files, place.laps) as coming:
        with place.laps.lap("check"):
            wrong = conformity.wrong_tables(incoming, files)
        with place.laps.lap("compare"):
            tables = [] if wrong else [vars(one) for one in incoming.tables]
            key = incoming.dataset["key_columns"]
            plan = planning.make(place.current, tables, files, wishes.limits, key)
        with place.laps.lap("formats"):
            made = [] if wrong else byproducts.make(incoming, arrivals)
    staged = coming.result()
    rows = {name: loaded.rows for name, loaded in staged.items()}
    conformity.refuse(incoming, rows, wrong)
    byproducts.check(made, rows)
    version = _described(place, incoming, owner_id, made)
    reasons = [*plan.reasons, *_undone(place, version)]
    report = json.dumps(incoming.report, ensure_ascii=False).encode()
    version = replace(
        version,
        rows=rows,
        report_sha256=arrivals.add(io.BytesIO(report)),
        changes=plan.changes(),
        lifted=reasons,
        reason=wishes.override_reason if reasons else "",
    )
    return Ready(version=version, staged=staged, plan=plan, reasons=reasons)


def _undone(place: Place, version: Version) -> list[JSON]:
    """The reason against content that was undone, as long as nothing else has come since."""
    last = place.current
    if last is None or last.restores is None:
        return []
    with place.database.cursor() as cur:
        same = versions.with_content(cur, place.dataset_id, version.content_hash)
    for one in same:
        if last.restores < one.number < last.number:
            told = undone(one.number, last.reason)
            return [{"table": "", "rule": str(told.rule), "ja": told.ja, "en": told.en}]
    return []


def _planned(place: Place, ready: Ready, wishes: Wishes) -> JSON:
    """What a dry run answers."""
    version, reasons = ready.version, ready.reasons
    there = {part["sha256"] for part in place.current.parts} if place.current else set()
    return {
        "changed": True,
        "ok": not reasons or bool(wishes.override_reason),
        "version": version.number,
        "replaces": version.replaces,
        "tables": ready.plan.tables(),
        "reasons": reasons,
        "notes": ready.plan.notes,
        "files": [
            {
                "part": versions.part_name(part),
                "filename": part["filename"],
                "size": part["size"],
                "changed": part["sha256"] not in there,
            }
            for part in version.parts
        ],
    }


def switch(
    place: Place, version: Version, staged: Mapping[str, table.Staged], arrivals: blobs.Arrivals
) -> None:
    """The commit; the catalogue is brought in step with it next, or after a crash by `in_step.recover`.

    Args:
        place: the dataset.
        version: the new version, complete.
        staged: its tables, loaded, by name.
        arrivals: its files.
    """
    ids = {versions.part_name(part): part["resource_id"] for part in version.parts}
    gone = set(place.known.values()) - set(ids.values())
    loaded = {ids[f"{publication.TABLE}:{name}"]: one for name, one in staged.items()}
    table.lock(place.database, {*place.known.values(), *loaded})
    arrivals.keep()
    table.switch(place.database, loaded, gone)
    versions.add(place.database, version)
    with place.database.cursor() as cur:
        held.end(cur, place.dataset_id)
        versions.retire(cur, place.dataset_id, retention.kept(place.before))
    place.database.commit()


def answer(version: Version, *, changed: bool) -> JSON:
    """What aizu_publish says."""
    return {
        "id": version.dataset_id,
        "name": version.dataset["name"],
        "version": version.number,
        "rows": sum(version.rows.values()),
        "changed": changed,
        "resources": {versions.part_name(part): part["resource_id"] for part in version.parts},
    }
