"""What a request may bring: only files may be large, since everything else is read into memory whole."""

from typing import Any

import ckan.plugins.toolkit as tk
from flask import Blueprint, Response, jsonify, make_response, request

MB = 1 << 20
MOST_MB = 50
"""As much as a program puts into the DataStore by one call."""
FILES = "multipart/form-data"

bodies = Blueprint("aizu_bodies", __name__)


@bodies.before_app_request
def refuse_large() -> Response | None:
    """A large body without files is never held in memory, whoever sends it."""
    length = request.content_length or 0
    if request.mimetype == FILES or length <= MOST_MB * MB:
        return None
    # To its end: nginx drops an answer that comes while it is still sending.
    while request.stream.read(MB):
        pass
    told = (MOST_MB, length // MB)
    message = tk._("At most %i MB are expected without files, found %i MB") % told
    return _refused(message, 413)


@bodies.app_errorhandler(RecursionError)
def too_deep(error: RecursionError) -> Any:
    """JSON of thousands of levels breaks Python's reading of it; anything else is a fault of ours."""
    if not request.is_json:
        raise error
    return _refused(tk._("The JSON has too many levels"), 400)


def _refused(message: str, status: int) -> Response:
    return make_response(jsonify(success=False, error={"message": message}), status)
