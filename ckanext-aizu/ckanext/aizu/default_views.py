"""Gives a dataset's resources their default views at once: CKAN's actions take a while for each, and report each as news."""

from collections.abc import Iterator
from typing import Any

from ckan import model
from ckan.lib.datapreview import get_default_view_plugins


def add(dataset: dict[str, Any]) -> None:
    """Adds the views that the portal's settings name, where they can show a resource and are not there yet."""
    for view in _missing(dataset):
        model.Session.add(view)
    model.repo.commit()


def _missing(dataset: dict[str, Any]) -> Iterator[model.ResourceView]:
    ids = [resource["id"] for resource in dataset["resources"]]
    columns = (model.ResourceView.resource_id, model.ResourceView.view_type)
    rows = model.Session.query(*columns).filter(model.ResourceView.resource_id.in_(ids))
    there = {(resource_id, view_type) for resource_id, view_type in rows}
    # The table before its map.
    plugins = [*get_default_view_plugins(True), *get_default_view_plugins(False)]
    for resource in dataset["resources"]:
        for order, plugin in enumerate(plugins):
            info = plugin.info()
            new = (resource["id"], info["name"]) not in there
            if new and plugin.can_view({"resource": resource, "package": dataset}):
                yield _view(resource["id"], order, info)


def _view(resource_id: str, order: int, info: dict[str, Any]) -> model.ResourceView:
    view = model.ResourceView()
    view.resource_id = resource_id
    view.view_type = info["name"]
    view.title = info.get("default_title") or str(info["title"])
    view.description = info.get("default_description", "")
    view.order = order
    view.config = {}
    return view
