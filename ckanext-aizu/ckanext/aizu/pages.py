"""The arrows to the next and the previous page of a list have names, for those who cannot see them."""

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib import pagination
from dominate import tags
from markupsafe import Markup

_PAGER = pagination.Page.pager


def install() -> None:
    """Puts our arrows in the place of CKAN's, which are links without a word."""
    pagination.Page.pager = _pager  # type: ignore[assignment]  # CKAN asks nobody


def _pager(page: pagination.Page, *args: Any, **wanted: Any) -> Markup:
    arrows = {
        "symbol_previous": _arrow("left", tk._("Previous page")),
        "symbol_next": _arrow("right", tk._("Next page")),
    }
    return _PAGER(page, *args, **{**arrows, **wanted})


def _arrow(side: str, name: str) -> Any:
    return tags.i(cls=f"fa-solid fa-chevron-{side}", role="img", aria_label=name)
