"""Addresses of our own beside CKAN's pages."""

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import NotFound

from ckanext.aizu import japanese_names
from ckanext.aizu.bodies import bodies
from ckanext.aizu.form_tokens import form_tokens
from ckanext.aizu.held_pages import blueprint as held
from ckanext.aizu.stewards_pages import blueprint as stewards
from ckanext.aizu.version_pages import blueprint as versions

names = Blueprint("aizu_names", __name__)


@names.route("/aizu/dataset-name")
def dataset_name() -> Response:
    """Proposes a name for `?title=`; the dataset form asks while a steward types."""
    proposal = japanese_names.dataset_name(request.args.get("title", ""))
    return jsonify(name=proposal)


@names.app_errorhandler(FileNotFoundError)
def no_such_file(error: FileNotFoundError) -> Any:
    """A resource whose file has just gone with the version that had it."""
    if not (request.endpoint or "").endswith("resource.download"):
        raise error
    return current_app.handle_http_exception(NotFound(tk._("Resource not found")))


@names.after_app_request
def as_download(response: Response) -> Response:
    """Files of datasets are saved, not opened: a page or a drawing among them could act for its reader."""
    inline, semicolon, name = response.headers.get("Content-Disposition", "").partition(";")
    if inline and (request.endpoint or "").endswith("resource.download"):
        response.headers["Content-Disposition"] = f"attachment{semicolon}{name}"
        response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def get_blueprints() -> list[Blueprint]:
    """All of them, for IBlueprint."""
    return [bodies, form_tokens, names, stewards, versions, held]
