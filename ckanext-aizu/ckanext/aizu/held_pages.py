"""The page about what the gate has refused, where a steward looks at it and decides."""

from dataclasses import replace
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context
from flask import Blueprint, Response, request
from werkzeug.exceptions import Forbidden

from ckanext.aizu import held, held_shown, history, versions
from ckanext.aizu.held import Held
from ckanext.aizu.history import Comparison
from ckanext.aizu.version_pages import (
    as_download,
    changes_map,
    differences,
    gone,
    kept_file,
    not_found,
    page_of,
)

blueprint = Blueprint("aizu_held", __name__)
blueprint.register_error_handler(tk.ObjectNotFound, not_found)
blueprint.register_error_handler(tk.ValidationError, gone)
JSON = dict[str, Any]


@blueprint.errorhandler(tk.NotAuthorized)
def not_yours(error: tk.NotAuthorized) -> Any:
    """Whoever may see the dataset may be somebody who has not signed in yet; others learn nothing."""
    if tk.h.check_access("package_show", {"id": (request.view_args or {})["id"]}):
        return page_of(Forbidden())
    return not_found(error)


@blueprint.before_request
def for_stewards_alone() -> None:
    """No cache between here and a browser keeps any of it; CKAN reads this."""
    request.environ["__no_cache__"] = True


def _context() -> Context:
    return {"user": tk.current_user.name, "auth_user_obj": tk.current_user}


@blueprint.route("/dataset/<id>/held")
def read(id: str) -> Any:  # noqa: A002 (CKAN's name for it)
    """Why it was held back, and what it would change."""
    return _page(id)


@blueprint.route("/dataset/<id>/held", methods=["POST"])
def decide(id: str) -> Any:  # noqa: A002
    """Publishes it, or lets it go."""
    asked = {name: request.form.get(name, "") for name in ("content_hash", "reason")}
    discarded = request.form.get("decision") == "discard"
    action = tk.get_action("aizu_discard" if discarded else "aizu_approve")
    try:
        done = action(_context(), {"name": id, **asked})
    except tk.ValidationError as error:
        return _page(id, errors=error.error_dict, reason=asked["reason"])
    except tk.ObjectNotFound:
        return _page(id)
    told = tk._("Discarded. Readers keep what they have.")
    if not discarded:
        told = tk._("Published as version {number}.").format(number=done["version"])
    tk.h.flash_success(told)
    return tk.redirect_to("dataset.read", id=done["name"])


def _page(name: str, errors: JSON | None = None, reason: str = "") -> Any:
    dataset, found = _held(name)
    about = {"pkg_dict": dataset, "pkg": dataset}
    if found is None:
        return tk.render("aizu/held_nothing.html", about), 404
    compared = _compared(dataset, found)
    layer = tk.h.url_for("aizu_held.diff_map", id=dataset["name"], table=compared.table)
    shown = {"held": held_shown.whole(dataset, found), "errors": errors or {}, "reason": reason}
    return tk.render(
        "aizu/held.html", {**differences(compared, layer), **_deciders(dataset), **shown}
    )


def _held(name: str) -> tuple[JSON, Held | None]:
    """What is held of a dataset, for those who look after it."""
    dataset = history.dataset_of(_context(), name)
    tk.check_access("aizu_held_show", _context(), {"name": dataset["id"]})
    return dataset, held.of_datasets([dataset["id"]]).get(dataset["id"])


def _compared(dataset: JSON, found: Held) -> Comparison:
    with versions.reading() as cur:
        current = versions.current(cur, dataset["id"])
    nothing = replace(found.version, parts=[], resources=[])
    table = request.args.get("table", "")
    return history.comparison(dataset, current or nothing, found.version, table)


def _deciders(dataset: JSON) -> JSON:
    """Whether the reader may decide; if not, who may."""
    if tk.h.check_access("aizu_approve", {"name": dataset["id"]}):
        return {"may_decide": True}
    asked = {"id": dataset["owner_org"], "include_users": True, "include_datasets": False}
    department = tk.get_action("organization_show")({"ignore_auth": True}, asked)
    admins = [one["display_name"] for one in department["users"] if one["capacity"] == "admin"]
    return {"may_decide": False, "admins": admins}


@blueprint.route("/dataset/<id>/held.geojson")
def diff_map(id: str) -> Response:  # noqa: A002
    """The rows that would change, as places."""
    return changes_map(_compared(*_known(id)))


@blueprint.route("/dataset/<id>/held/<filename>")
def file(id: str, filename: str) -> Response:  # noqa: A002
    """A file as it was sent, or the report of its checks."""
    _, found = _known(id)
    named = {part["filename"]: (part["sha256"], part["media_type"]) for part in found.version.parts}
    named["report.json"] = (found.version.report_sha256, "application/json")
    if filename not in named:
        raise tk.ObjectNotFound(tk._("There is no file of this name"))
    sha256, media_type = named[filename]
    response = Response(
        kept_file(sha256),
        mimetype=media_type,
        direct_passthrough=True,
        headers=as_download(filename),
    )
    response.set_etag(sha256)
    return response


def _known(name: str) -> tuple[JSON, Held]:
    dataset, found = _held(name)
    if found is None:
        raise tk.ObjectNotFound(tk._("Nothing of this dataset is held back"))
    return dataset, found
