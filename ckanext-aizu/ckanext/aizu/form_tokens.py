"""Forms go on asking for the token that keeps other sites from filling them in, whoever has used them."""

from flask import Blueprint, current_app, g, request

form_tokens = Blueprint("aizu_form_tokens", __name__)


@form_tokens.teardown_app_request
def protect_again(_error: BaseException | None) -> None:
    """CKAN lets a caller with an API token pass without, and then asks nobody for it any more at that view."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view and g.get("login_via_auth_header"):
        current_app.extensions["csrf"]._exempt_views.discard(f"{view.__module__}.{view.__name__}")
