"""What the portal says to a reader's account is for that reader: no cache on the way may give it to others."""

from ckan.common import current_user
from flask import Blueprint, Response, request

# The same for everybody.
_FILES = ("static", "webassets.index")

answers = Blueprint("aizu_deep_answers", __name__)


@answers.after_app_request
def keep_apart(response: Response) -> Response:
    """CKAN lets shared caches keep answers to those who are logged in or send a token; we do not."""
    if request.endpoint in _FILES:
        return response
    response.vary.update(["Authorization", "Cookie"])
    if current_user.is_authenticated:
        # CKAN, which comes after this, would write `public` without it.
        request.environ["__no_cache__"] = True
        response.cache_control.no_store = True
    return response


def get_blueprints() -> list[Blueprint]:
    """All of them, for IBlueprint."""
    return [answers]
