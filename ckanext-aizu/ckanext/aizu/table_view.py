"""A table as a CKAN view: searched, sorted and paged on the server, so it works on every device."""

from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.types import Context
from flask import request

from ckanext.aizu import helpers

ROWS = 25
MAX_PAGE_DIGITS = 8


class AizuTableView(p.SingletonPlugin):
    """Shows a DataStore table as plain HTML.

    CKAN's own DataTables view turns every Japanese letter of a search into a wildcard before it
    asks the DataStore, sits in a frame and cannot be used without JavaScript.
    """

    p.implements(p.IResourceView, inherit=True)

    def info(self) -> dict[str, Any]:
        """Describes the view to CKAN."""
        return {
            "name": "aizu_table",
            "title": tk._("Table"),
            "default_title": tk._("Table"),
            "icon": "table",
            "iframed": False,
            "requires_datastore": True,
            "default_description": "",
        }

    def can_view(self, data_dict: dict[str, Any]) -> bool:
        """Offers the table where the DataStore has one."""
        return bool(data_dict["resource"].get("datastore_active"))

    def setup_template_variables(
        self, context: Context, data_dict: dict[str, Any]
    ) -> dict[str, Any]:
        """Reads the page that the address asks for."""
        return {"table": read_table(data_dict["resource"], request.args)}

    def view_template(self, context: Context, data_dict: dict[str, Any]) -> str:
        """Names the template."""
        return "aizu/table_view.html"

    def form_template(self, context: Context, data_dict: dict[str, Any]) -> str:
        """Names the form; there is nothing to choose, so it is an empty one."""
        return "aizu/view_form.html"


def read_table(resource: dict[str, Any], args: Any) -> dict[str, Any] | None:
    """Returns one page of a table: columns with labels, rows, and where in the whole they stand.

    None where the DataStore has no table: a view can be asked for, or outlive its table.
    """
    columns = helpers.aizu_data_dictionary(resource)
    if not columns:
        return None
    search = str(args.get("q", "")).strip()
    column, direction = _sorting(str(args.get("sort", "")), {found["id"] for found in columns})
    wanted = str(args.get("page", ""))
    page = max(1, int(wanted)) if wanted.isdecimal() and len(wanted) <= MAX_PAGE_DIGITS else 1
    found = tk.get_action("datastore_search")(
        {},
        {
            "resource_id": resource["id"],
            "limit": ROWS,
            "offset": (page - 1) * ROWS,
            **({"q": search} if search else {}),
            **({"sort": [f'"{column}" {direction}']} if column else {}),
        },
    )
    return {
        "columns": columns,
        "records": found["records"],
        "total": found.get("total", 0),
        "pages": max(1, -(-found.get("total", 0) // ROWS)),
        "page": page,
        "first": (page - 1) * ROWS + 1,
        "search": search,
        "sort": column,
        "direction": direction,
    }


def _sorting(wanted: str, columns: set[str]) -> tuple[str, str]:
    """Reads `column` or `-column`; a column that is not there sorts nothing."""
    column = wanted.removeprefix("-")
    return (column if column in columns else ""), ("desc" if wanted.startswith("-") else "asc")
