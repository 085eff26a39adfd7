"""A map as a CKAN view: GeoJSON resources, and tables with a latitude and a longitude column."""

from pathlib import Path
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import js_lib_leaflet
from ckan.common import CKANConfig
from ckan.types import Context

from ckanext.aizu import helpers

LEAFLET = Path(js_lib_leaflet.__file__).parent / "static"


class AizuMapView(p.SingletonPlugin):
    """Draws a resource with Leaflet, served from the installed package and never from elsewhere."""

    p.implements(p.IConfigurer)
    p.implements(p.IResourceView, inherit=True)

    def update_config(self, config: CKANConfig) -> None:
        """Serves Leaflet's files under /js_lib_leaflet/."""
        tk.add_public_directory(config, str(LEAFLET))

    def info(self) -> dict[str, Any]:
        """Describes the view to CKAN."""
        return {
            "name": "aizu_map",
            "title": tk._("Map"),
            "default_title": tk._("Map"),
            "icon": "map",
            "iframed": False,
            "always_available": False,
            "default_description": "",
        }

    def can_view(self, data_dict: dict[str, Any]) -> bool:
        """Offers the map where there are coordinates."""
        resource = data_dict["resource"]
        return helpers.aizu_resource_kind(resource) == "map" or bool(
            helpers.coordinate_columns(resource)
        )

    def setup_template_variables(
        self, context: Context, data_dict: dict[str, Any]
    ) -> dict[str, Any]:
        """Hands the map's settings to the template."""
        return {"map": helpers.aizu_map(data_dict["package"], data_dict["resource"])}

    def view_template(self, context: Context, data_dict: dict[str, Any]) -> str:
        """Names the template."""
        return "aizu/map_view.html"

    def form_template(self, context: Context, data_dict: dict[str, Any]) -> str:
        """Names the form; there is nothing to choose, so it is an empty one."""
        return "aizu/view_form.html"
