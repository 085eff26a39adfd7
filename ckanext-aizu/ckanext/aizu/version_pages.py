"""Pages, files and feeds of the versions of a dataset; their addresses stay for good."""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import ckan.plugins.toolkit as tk
from ckan.types import Context
from flask import Blueprint, Response, current_app, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import Gone, HTTPException, NotFound
from werkzeug.wsgi import FileWrapper

from ckanext.aizu import blobs, city, feeds, history, versions
from ckanext.aizu.history import Comparison

blueprint = Blueprint("aizu_versions", __name__)
PAGE_ROWS = 50
LISTED = 50
FOREVER = "public, max-age=31536000, immutable"
PRIVATE = "private, max-age=31536000, immutable"


class UnchangingResponse(Response):
    """A file at an address where it will always be; CKAN writes its own Cache-Control, last of all."""

    caching = FOREVER

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """What is sent, after everybody has had his say."""
        headers = super().get_wsgi_headers(environ)
        headers["Cache-Control"] = self.caching
        return headers


@blueprint.errorhandler(tk.ObjectNotFound)
@blueprint.errorhandler(tk.NotAuthorized)
def not_found(error: Exception) -> Any:
    """No dataset, version, table or file of this name; nobody learns that there is a private dataset."""
    told = str(error) if isinstance(error, tk.ObjectNotFound) else ""
    return page_of(NotFound(told or tk._("Dataset not found")))


@blueprint.errorhandler(tk.ValidationError)
def gone(error: tk.ValidationError) -> Any:
    """Files that are not kept any more."""
    return page_of(Gone("; ".join(map(str, error.error_summary.values()))))


def page_of(error: HTTPException) -> Any:
    """CKAN's page of an error; raised in here it would be none."""
    return current_app.handle_http_exception(error)


def _context() -> Context:
    return {"user": tk.current_user.name, "auth_user_obj": tk.current_user}


@blueprint.route("/dataset/<id>/versions")
def index(id: str) -> str:  # noqa: A002 (CKAN's name for it)
    """All versions, with what each changed."""
    dataset = history.dataset_of(_context(), id)
    page = max(1, request.args.get("page", 1, int))
    asked = {"name": dataset["id"], "limit": LISTED, "offset": (page - 1) * LISTED}
    found = tk.get_action("aizu_versions")(_context(), asked)
    return tk.render(
        "aizu/versions.html",
        {"pkg_dict": dataset, "pkg": dataset, "page": page, "pages": -(-found["count"] // LISTED)}
        | found,
    )


@blueprint.route("/dataset/<id>/version/<int:number>")
def read(id: str, number: int) -> str:  # noqa: A002
    """One version: its files, its hash, where it came from."""
    dataset = history.dataset_of(_context(), id)
    found = history.whole(_context(), dataset, history.one(dataset, number))
    return tk.render("aizu/version.html", {"pkg_dict": dataset, "pkg": dataset, "version": found})


@blueprint.route("/dataset/<id>/version/<int:number>/report.json")
def report(id: str, number: int) -> Response:  # noqa: A002
    """The Frictionless report of a version."""
    dataset = history.dataset_of(_context(), id)
    version = history.one(dataset, number)
    return _sent(dataset, version, version.report_sha256, "report.json", "application/json")


@blueprint.route("/dataset/<id>/version/<int:number>/<filename>")
def file(id: str, number: int, filename: str) -> Response:  # noqa: A002
    """A file as it was in a version; it never changes."""
    dataset = history.dataset_of(_context(), id)
    version = history.one(dataset, number)
    part = next((part for part in version.parts if part["filename"] == filename), None)
    if part is None:
        raise tk.ObjectNotFound(tk._("Version %i has no file of this name") % number)
    return _sent(dataset, version, part["sha256"], filename, part["media_type"])


def _sent(
    dataset: dict[str, Any], version: versions.Version, sha256: str, name: str, media_type: str
) -> Response:
    try:
        content = kept_file(sha256) if version.state != versions.GONE else None
    except FileNotFoundError:
        content = None
    if content is None:
        message = tk._("The files of version %i are not kept any more") % version.number
        raise tk.ValidationError({"version": [message]})
    response = UnchangingResponse(
        content, mimetype=media_type, direct_passthrough=True, headers=as_download(name)
    )
    response.set_etag(sha256)
    if dataset["private"] or dataset["state"] != "active":
        response.caching = PRIVATE
    response.make_conditional(request)
    return response


def kept_file(sha256: str) -> Iterable[bytes]:
    """The content of a file, block by block."""
    # The server's own way of sending files would send a packed one as it lies on the disk.
    return FileWrapper(blobs.opened(sha256))


def as_download(name: str) -> dict[str, str]:
    """Headers of a file that browsers save and do not open."""
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
    }


@blueprint.route("/dataset/<id>/diff/<int:before>..<int:after>")
def diff(id: str, before: int, after: int) -> str:  # noqa: A002
    """What differs between two versions, page by page."""
    found = _compared(id, before, after)
    where = {"id": found.dataset["name"], "before": before, "after": after, "table": found.table}
    layer = tk.h.url_for("aizu_versions.diff_map", **where)
    return tk.render("aizu/version_diff.html", differences(found, layer))


def differences(found: Comparison, layer: str) -> dict[str, Any]:
    """What a page says of a table that differs, with the rows of the page that is asked for.

    Args:
        found: the table in two versions.
        layer: address of its `changes_map`.
    """
    from ckanext.aizu.diff_shown import summary, to_json  # Polars, as in history

    page = max(1, request.args.get("page", 1, int))
    shown = to_json(found.diff, (page - 1) * PAGE_ROWS, PAGE_ROWS)
    return {
        "pkg_dict": found.dataset,
        "pkg": found.dataset,
        "before": found.before,
        "after": found.after,
        "table": found.table,
        "tables": history.tables(found.before, found.after),
        "columns": list(found.diff.after.types or found.diff.before.types),
        "summary": summary(found.diff, "en" if str(tk.h.lang()).startswith("en") else "ja"),
        "diff": shown,
        "page": page,
        "pages": -(-shown["total"] // PAGE_ROWS),
        "map": _map(layer) if found.position and shown["total"] else None,
    }


@blueprint.route("/dataset/<id>/diff/<int:before>..<int:after>.geojson")
def diff_map(id: str, before: int, after: int) -> Response:  # noqa: A002
    """The rows that differ as places, what moved as a line."""
    return changes_map(_compared(id, before, after))


def changes_map(found: Comparison) -> Response:
    """The rows of a table that differ, as a layer of a map."""
    from ckanext.aizu.diff_shown import as_geojson  # Polars, as in history

    if not found.position:
        raise tk.ObjectNotFound(tk._("The table has no coordinates"))
    layer = as_geojson(found.diff, found.position)
    for feature in layer["features"]:
        feature["properties"] = _in_words(feature["properties"])
    return Response(json.dumps(layer, ensure_ascii=False), mimetype="application/geo+json")


def _compared(name: str, before: int, after: int) -> Comparison:
    dataset = history.dataset_of(_context(), name)
    return history.compared(dataset, before, after, request.args.get("table", ""))


def _in_words(row: dict[str, Any]) -> dict[str, str]:
    """A row that differs as a place on the map tells of it: `kind` is what the map tells apart."""
    words = {"added": tk._("Added"), "changed": tk._("Changed"), "removed": tk._("Removed")}
    cells = {
        column: f"{cell['before']} → {cell['after']}" if isinstance(cell, dict) else cell
        for column, cell in row["cells"].items()
    }
    return {**row["key"], **cells, "kind": words[row["change"]]}


def _map(address: str) -> dict[str, Any]:
    layer = {
        "source": {"url": address},
        "title": tk._("Changes"),
        "labels": {"kind": tk._("Change")},
    }
    here = city.here()
    base = here["map"] | {"bbox": here["bbox"]}
    return {"layers": [layer], "base": base, "zone": str(tk.h.get_display_timezone())}


@blueprint.route("/dataset/<id>/changes.atom")
def atom(id: str) -> Response:  # noqa: A002
    """The changes of the data as an Atom feed."""
    return _feed(id, feeds.atom, "application/atom+xml")


@blueprint.route("/dataset/<id>/changes.json")
def json_feed(id: str) -> Response:  # noqa: A002
    """The changes of the data as a JSON Feed."""
    return _feed(id, feeds.json_feed, "application/feed+json")


def _feed(name: str, write: Callable[..., str | bytes], mimetype: str) -> Response:
    """Versions are compared for those alone who do not have the feed: readers ask for it all day."""
    dataset = history.dataset_of(_context(), name)
    asked = {"name": dataset["id"], "limit": feeds.ENTRIES}
    found = tk.get_action("aizu_versions")(_context(), asked)["versions"]
    seen = json.dumps([dataset["metadata_modified"], found, tk.h.lang()], sort_keys=True)
    tag = hashlib.sha256(seen.encode()).hexdigest()
    known = request.if_none_match.contains_weak(tag)
    response = Response("" if known else write(dataset, found), 304 if known else 200)
    response.mimetype = mimetype
    response.set_etag(tag)
    return response
