"""Where CKAN itself would let index and catalogue fall apart, and what keeps them in step there.

Everybody who writes an entry has first locked the dataset, then read it, and holds the lock until
dataset and entry are committed. So whoever writes later has read later: a rebuild never puts an
older state over a newer one, and it waits for nobody longer than for one commit.
"""

from typing import Any

import ckan.logic
import ckan.plugins as p
import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.lib.search.common import make_connection
from ckan.types import Action, Context, DataDict
from sqlalchemy.orm import object_session

from . import storage
from .engine import PostgresIndex


@tk.chained_action
@tk.side_effect_free
def package_show(up_next: Action, context: Context, data_dict: DataDict) -> Any:
    """What CKAN reads for the index, it reads of a locked dataset."""
    # Only reading for the index wants neither what the index has nor what a form would make of it.
    for_index = not (context.get("use_cache", True) or context.get("validate", True))
    if not for_index or not _embedded():
        return up_next(context, data_dict)
    step = storage.about_to_read()
    dataset = _locked(data_dict.get("id"))
    if dataset:
        step.read[dataset.id] = dataset
    return up_next(context, data_dict)


@tk.chained_action
def dataset_purge(up_next: Action, context: Context, data_dict: DataDict) -> Any:
    """CKAN removes the entry before it changes anything; the lock makes that one transaction."""
    model.Session.flush()
    _locked(data_dict.get("id"))
    return up_next(context, data_dict)


@tk.chained_action
def member_create(up_next: Action, context: Context, data_dict: DataDict) -> Any:
    """A dataset joins a group once: CKAN looks for a membership and makes one without a lock."""
    of_dataset = data_dict.get("object_type") == "package"
    dataset = model.Package.get(data_dict.get("object")) if of_dataset else None
    if dataset:
        # Not the dataset's own lock, which everywhere else is taken after the group's.
        lock = sa.text("select pg_advisory_xact_lock(hashtextextended('member:' || :dataset, 0))")
        model.Session.execute(lock, {"dataset": dataset.id})
    return up_next(context, data_dict)


class InStep(p.IDomainObjectModification, p.IGroupController, p.IOrganizationController):
    """The part of a plugin that CKAN calls before it commits what concerns a dataset's entry."""

    def notify(self, entity: Any, operation: str) -> None:
        """Write the entry of a dataset that was changed without CKAN writing it.

        CKAN does so only after its commit when a dataset joins or leaves a group or loses a tag,
        and not at all when `package_owner_org_update` gives it to another organisation.
        """
        # In a session that somebody has made for himself, CKAN writes no entry either.
        of_ckan = isinstance(entity, model.Package) and object_session(entity) is model.Session()
        if operation == "changed" and of_ckan and _embedded():
            _follow([entity.id])

    def edit(self, entity: model.Group | model.Package) -> None:
        """Write the entries of all datasets of a group or organisation that gets a new name."""
        # A plugin that has to do with datasets, too, is called with these by the same name.
        if isinstance(entity, model.Group) and _is_renamed(entity) and _embedded():
            # A dataset that joins now waits for this change of the name, or this waits for it.
            model.Session.flush()
            members = model.Session.query(model.Member.table_id).filter_by(
                group_id=entity.id, table_name="package", state="active"
            )
            _follow([package_id for (package_id,) in members])


def _is_renamed(group: model.Group) -> bool:
    return bool(sa.inspect(group, raiseerr=True).attrs.name.history.has_changes())


def _locked(reference: str | None) -> model.Package | None:
    dataset = model.Package.get(reference)
    if dataset is None:
        return None
    # The lock that an UPDATE takes. What the session has read before may be old by now: CKAN's own
    # `for_update` would lock the row and go on with that.
    return model.Session.get(
        model.Package, dataset.id, with_for_update={"key_share": True}, populate_existing=True
    )


def _embedded() -> bool:
    return isinstance(make_connection(), PostgresIndex)


def _follow(package_ids: list[str]) -> None:
    step = storage.step()
    # CKAN is about to commit.
    step.ours = False
    for package_id in sorted(set(package_ids) - step.read.keys()):
        if _has_entry(package_id):
            ckan.logic.index_update_package({"ignore_auth": True}, package_id)


def _has_entry(package_id: str) -> bool:
    with storage.writing() as connection:
        entry = sa.text("select exists (select from aizu_search.dataset where id = :id)")
        return bool(connection.execute(entry, {"id": package_id}).scalar())
