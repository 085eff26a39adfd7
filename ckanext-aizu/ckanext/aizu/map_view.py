"""A map as a CKAN view: GeoJSON resources, and tables with a latitude and a longitude column."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import js_lib_leaflet
from ckan.common import CKANConfig
from ckan.types import Context

from ckanext.aizu import city, contents, helpers
from ckanext.aizu.contents import Entity

LEAFLET = Path(js_lib_leaflet.__file__).parent / "static"
LATITUDE = ("緯度", "lat", "latitude")
LONGITUDE = ("経度", "lon", "lng", "long", "longitude")
# As many rows as the DataStore gives in one answer.
MAP_ROWS = 32000


class AizuMapView(p.SingletonPlugin):
    """Draws a resource with Leaflet, served from the installed package and never from elsewhere."""

    p.implements(p.IConfigurer)
    p.implements(p.IResourceView, inherit=True)
    p.implements(p.ITemplateHelpers)

    def update_config(self, config: CKANConfig) -> None:
        """Serves Leaflet's files under /js_lib_leaflet/."""
        tk.add_public_directory(config, str(LEAFLET))

    def get_helpers(self) -> dict[str, Callable[..., Any]]:
        """Lets the dataset page draw a map, too."""
        return {"aizu_map": settings}

    def info(self) -> dict[str, Any]:
        """Describes the view to CKAN."""
        return {
            "name": "aizu_map",
            "title": tk._("Map"),
            "default_title": tk._("Map"),
            "icon": "map",
            "iframed": False,
            "default_description": "",
        }

    def can_view(self, data_dict: dict[str, Any]) -> bool:
        """Offers the map where there are coordinates."""
        resource = data_dict["resource"]
        return helpers.aizu_resource_kind(resource) == "map" or bool(coordinate_columns(resource))

    def setup_template_variables(
        self, context: Context, data_dict: dict[str, Any]
    ) -> dict[str, Any]:
        """Hands the map's settings to the template."""
        return {"map": settings(data_dict["package"], [data_dict["resource"]])}

    def view_template(self, context: Context, data_dict: dict[str, Any]) -> str:
        """Names the template."""
        return "aizu/map_view.html"

    def form_template(self, context: Context, data_dict: dict[str, Any]) -> str:
        """Names the form; there is nothing to choose, so it is an empty one."""
        return "aizu/view_form.html"


def settings(package: Entity, resources: list[Entity]) -> dict[str, Any]:
    """Returns everything the map script needs, as one JSON object."""
    return {
        "layers": [
            {
                "source": _source(package, resource),
                "title": helpers.aizu_bare_title(helpers.aizu_localised(resource, "name")),
                "labels": _labels(package, resource),
            }
            for resource in resources
        ],
        "base": city.here()["map"] | {"bbox": city.here()["bbox"]},
        "zone": str(tk.h.get_display_timezone()),
    }


def _labels(package: Entity, resource: Entity) -> dict[str, str]:
    """Maps property names to the labels that differ from them, for popups on the map."""
    tables = contents.of_kind(package, "table")
    named = [table for table in tables if table.get("part") == resource.get("part")]
    columns = helpers.aizu_data_dictionary((named or tables)[0]) if tables else []
    labels = {found["id"]: found["label"] for found in columns if found["label"] != found["id"]}
    ours = {"route_names": tk._("Routes"), "from": tk._("From"), "until": tk._("Until")}
    return ours | labels


def coordinate_columns(resource: Entity) -> tuple[str, str] | None:
    """Returns the names of a table's columns of latitude and longitude, where it has both."""
    columns = {found["id"].lower(): found["id"] for found in helpers.aizu_data_dictionary(resource)}
    latitude = next((columns[name] for name in LATITUDE if name in columns), None)
    longitude = next((columns[name] for name in LONGITUDE if name in columns), None)
    return (latitude, longitude) if latitude and longitude else None


def _source(package: Entity, resource: Entity) -> dict[str, str]:
    """Says where the places come from: a GeoJSON file, or two columns of a table."""
    if columns := coordinate_columns(resource):
        address = tk.h.url_for(
            "api.action",
            ver=3,
            logic_function="datastore_search",
            resource_id=resource["id"],
            limit=MAP_ROWS,
            include_total=False,
            locale="default",
        )
        return {"url": address, "latitude": columns[0], "longitude": columns[1]}
    route = f"{package.get('type') or 'dataset'}_resource.download"
    address = tk.h.url_for(route, id=package["name"], resource_id=resource["id"], locale="default")
    return {"url": address}
