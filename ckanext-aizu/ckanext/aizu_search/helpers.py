"""Template helpers: what the pages show of the search."""

import logging
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.search.common import SearchError
from pysolr import SolrError

__all__ = ["aizu_search_similar"]

log = logging.getLogger(__name__)


def aizu_search_similar(package: dict[str, Any]) -> list[dict[str, Any]]:
    """Lists datasets like this one; none where the search does not answer, the page opens anyway."""
    try:
        found: list[dict[str, Any]] = tk.get_action("aizu_search_similar")(
            {}, {"id": package["id"]}
        )
    except (SearchError, SolrError, tk.NotAuthorized, tk.ObjectNotFound):
        log.warning("No similar datasets of %s", package["name"], exc_info=True)
        return []
    return found
