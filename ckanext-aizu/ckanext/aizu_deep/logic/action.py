"""The one thing that people ask the catalogue for on their way to deep data: a token for the vault."""

from datetime import UTC, datetime
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context

from ckanext.aizu_deep import tokens

__all__ = ["aizu_deep_token"]


def aizu_deep_token(context: Context, data_dict: dict[str, Any]) -> dict[str, str]:
    """Gives you a token for the vault of deep data, good for one request within a minute.

    It says who you are, and nothing of what you may have: that is decided by the vault.

    :returns: `token`, to be sent to `/deep/…` as `Authorization: Bearer <token>`, and `expires_at`
    """
    tk.check_access("aizu_deep_token", context, data_dict)
    user = model.User.get(context["user"])
    if user is None:
        raise tk.NotAuthorized(tk._("Log in to ask for deep data"))
    token, ends = tokens.mint(user.id)
    return {"token": token, "expires_at": datetime.fromtimestamp(ends, UTC).isoformat()}
