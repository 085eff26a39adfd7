"""Who may ask for a token: everybody who is logged in."""

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import AuthResult, Context

__all__ = ["aizu_deep_token"]


def aizu_deep_token(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """CKAN takes its own nobody for a user, so that the name has to be looked at."""
    if context.get("user"):
        return {"success": True}
    return {"success": False, "msg": tk._("Log in to ask for deep data")}
