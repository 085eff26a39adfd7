"""Template helpers: what the pages show of the search."""

import logging
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.search.common import SearchError
from flask import request
from markupsafe import Markup

from .highlight import excerpt, marked

__all__ = ["aizu_search_excerpt", "aizu_search_highlight", "aizu_search_similar"]

log = logging.getLogger(__name__)


def aizu_search_similar(package: dict[str, Any]) -> list[dict[str, Any]]:
    """Lists datasets like this one; none where the search does not answer, the page opens anyway."""
    try:
        found: list[dict[str, Any]] = tk.get_action("aizu_search_similar")(
            {}, {"id": package["id"]}
        )
    except (SearchError, tk.NotAuthorized, tk.ObjectNotFound):
        log.warning("No similar datasets of %s", package["name"], exc_info=True)
        return []
    return found


def aizu_search_highlight(text: str) -> Markup:
    """Returns a text of the page with the words marked that the reader searches for on it."""
    return marked(text, _query())


def aizu_search_excerpt(text: str | None, length: int = 160) -> Markup:
    """Returns what stands around the first hits in a Markdown text; nothing if there are none."""
    plain = " ".join(str(tk.h.markdown_extract(text or "", extract_length=0)).split())
    return excerpt(plain, _query(), length)


def _query() -> str:
    return request.args.get("q", "")
