"""Addresses of our own beside CKAN's pages."""

from flask import Blueprint, Response, jsonify, request

from ckanext.aizu import japanese_names

names = Blueprint("aizu_names", __name__)


@names.route("/aizu/dataset-name")
def dataset_name() -> Response:
    """Proposes a name for `?title=`; the dataset form asks while a steward types."""
    proposal = japanese_names.dataset_name(request.args.get("title", ""))
    return jsonify(name=proposal)


def get_blueprints() -> list[Blueprint]:
    """All of them, for IBlueprint."""
    return [names]
