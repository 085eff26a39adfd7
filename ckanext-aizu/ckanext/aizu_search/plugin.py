"""CKAN without Solr: puts the embedded index where CKAN looks for a Solr server.

CKAN's modules hold their own references to `make_connection`, but all of them end in a look-up of
`pysolr.Solr` at the time of the call. That one name is therefore the place to stand in for Solr.
It happens on import, because CKAN speaks to the index before any plugin is asked to configure.
"""

from typing import Any

import ckan.lib.search
import ckan.plugins as p
import ckan.plugins.toolkit as tk
import pysolr
from ckan.common import config

from . import actions, helpers
from .engine import PostgresIndex
from .in_step import InStep
from .map_search import MapSearch

_Solr = pysolr.Solr
_check_solr_schema_version = ckan.lib.search.check_solr_schema_version


def _is_solr(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _connection(url: str, *arguments: Any, **options: Any) -> Any:
    """A Solr client for a web address, the embedded index for anything else."""
    make = _Solr if _is_solr(url) else PostgresIndex
    return make(url, *arguments, **options)


def _checked_schema_version(schema_file: str | None = None) -> bool:
    """The embedded index has the schema of this CKAN; only a server or a file can have another."""
    if schema_file is None and not _is_solr(config["solr_url"]):
        return True
    return _check_solr_schema_version(schema_file)


pysolr.Solr = _connection
ckan.lib.search.check_solr_schema_version = _checked_schema_version


# CKAN's interfaces for groups and for datasets give one name to methods of different types.
@tk.blanket.actions(actions)
@tk.blanket.helpers(helpers)
class AizuSearchPlugin(p.SingletonPlugin, InStep, MapSearch):  # type: ignore[misc]
    """The import above has put the index in its place; this adds what people see of it."""

    p.implements(p.IConfigurer)

    def update_config(self, config: Any) -> None:
        """IConfigurer: adds templates and assets."""
        tk.add_template_directory(config, "templates")
        tk.add_resource("assets", "aizu_search")
