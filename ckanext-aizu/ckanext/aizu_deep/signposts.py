"""Which datasets are signposts, and what may be done to their resources: a dataset is a signpost or has data, never both."""

from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckanext.datastore.backend import DatastoreBackend

from ckanext.aizu_deep import description
from ckanext.aizu_deep.description import DEEP

Errors = list[dict[str, list[str]]]


def of(package: model.Package | None) -> model.Resource | None:
    """The signpost of a dataset; also of a deleted one, which somebody may bring back."""
    return _stored(package, model.Resource).filter_by(url_type=DEEP).first() if package else None


def _stored(package: model.Package, *wanted: Any) -> Any:
    """Asks the database: what the session knows of a dataset may be older than the lock on it."""
    return model.Session.query(*wanted).filter(model.Resource.package_id == package.id)


def has_resource(reference: Any) -> bool:
    """Whether a resource that a caller names, by id or name as in CKAN, is or stands beside a signpost."""
    resource = model.Resource.get(reference) if isinstance(reference, str) else None
    return resource is not None and of(resource.package) is not None


def is_dataset(reference: Any) -> bool:
    """Whether a dataset that a caller names, by id or name, is a signpost."""
    return isinstance(reference, str) and of(model.Package.get(reference)) is not None


def errors_of_change(package: model.Package | None, resources: list[Any]) -> Errors:
    """What speaks against giving a dataset these resources, by their place; all empty if nothing does.

    Fields of a signpost that a form does not show stay as they are.

    Args:
        package: the dataset as it is; None for a new one.
        resources: as a caller of CKAN hands them in.
    """
    described = [one if isinstance(one, dict) else {} for one in resources]
    if stored := of(package):
        return _of_signpost(stored, described)
    if any(one.get("url_type") == DEEP for one in described):
        return _of_new(package, described)
    moved = _signposts_among(described)
    message = tk._("This is the signpost of another dataset, where it stays")
    return [{"id": [message]} if one.get("id") in moved else {} for one in described]


def _of_signpost(stored: model.Resource, resources: list[dict[str, Any]]) -> Errors:
    errors: Errors = []
    found = False
    for one in resources:
        if one.get("id") != stored.id or found:
            message = tk._("This dataset is deep data: it has a signpost and nothing else")
            errors.append({"url_type": [message]})
        elif one.get("url_type") != DEEP:
            message = tk._("A signpost of deep data cannot become anything else")
            errors.append({"url_type": [message]})
        else:
            kept = {n: stored.extras[n] for n in description.OWN if n in stored.extras}
            one.update({name: value for name, value in kept.items() if name not in one})
            errors.append(description.errors_of(one))
        found = found or one.get("id") == stored.id
    if not found:
        message = tk._("A signpost of deep data goes only with its dataset")
        errors.append({"url_type": [message]})
    return errors


def _of_new(package: model.Package | None, resources: list[dict[str, Any]]) -> Errors:
    if len(resources) > 1:
        message = tk._("A signpost of deep data is the only resource of its dataset")
        return [{"url_type": [message]} for _ in resources]
    (one,) = resources
    if (known := one.get("id")) and (model.Resource.get(known) or _has_table(known)):
        message = tk._("Something else has had this id; a signpost of deep data is a new resource")
        return [{"id": [message]}]
    if package and _has_had_data(package):
        message = tk._(
            "This dataset has rows or files, or has had some that are kept; "
            "deep data needs a new dataset"
        )
        return [{"url_type": [message]}]
    return [description.errors_of(one)]


def _has_had_data(package: model.Package) -> bool:
    """CKAN keeps the file of a removed resource; our publications keep their versions."""
    wanted = (model.Resource.id, model.Resource.state, model.Resource.url_type)
    stored = _stored(package, *wanted).all()
    if any(one.state == "active" or one.url_type == "upload" for one in stored):
        return True
    if any(_has_table(one.id) for one in stored):
        return True
    if not p.plugin_loaded("aizu"):
        return False
    asked = {"name": package.id, "limit": 1}
    count: int = tk.get_action("aizu_versions")({"ignore_auth": True, "user": ""}, asked)["count"]
    return count > 0


def _has_table(name: str) -> bool:
    """Whether the DataStore answers to a name, be it a table or an alias of one."""
    if not p.plugin_loaded("datastore"):
        return False
    found: bool = DatastoreBackend.get_active_backend().resource_id_from_alias(name)[0]
    return found


def _signposts_among(resources: list[dict[str, Any]]) -> set[Any]:
    ids = [one["id"] for one in resources if isinstance(one.get("id"), str)]
    if not ids:
        return set()
    rows = model.Session.query(model.Resource.id).filter(
        model.Resource.id.in_(ids), model.Resource.url_type == DEEP
    )
    return {found for (found,) in rows}
