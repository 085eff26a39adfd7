"""Long lists go over several pages: their addresses, and arrows with names for those who cannot see them."""

from typing import Any
from urllib.parse import urlencode

import ckan.plugins.toolkit as tk
from ckan.lib import pagination
from dominate import tags
from flask import request
from markupsafe import Markup

_PAGER = pagination.Page.pager


def install() -> None:
    """Puts our arrows in the place of CKAN's, which are links without a word."""
    pagination.Page.pager = _pager  # type: ignore[assignment]  # CKAN asks nobody


def aizu_page_url(page: int) -> str:
    """Returns the address of this list's page of that number, with all else it is asked for."""
    asked = [(key, value) for key, value in request.args.items(multi=True) if key != "page"]
    return "?" + urlencode([*asked, ("page", str(page))])


def _pager(page: pagination.Page, *args: Any, **wanted: Any) -> Markup:
    arrows = {
        "symbol_previous": _arrow("left", tk._("Previous page")),
        "symbol_next": _arrow("right", tk._("Next page")),
    }
    return _PAGER(page, *args, **{**arrows, **wanted})


def _arrow(side: str, name: str) -> Any:
    return tags.i(cls=f"fa-solid fa-chevron-{side}", role="img", aria_label=name)
