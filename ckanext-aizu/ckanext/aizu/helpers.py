"""Template helpers: what the pages ask for, in the reader's language and ready to print."""

import json
import logging
import re
from typing import Any

import ckan.plugins.toolkit as tk
from ckan.lib.search.common import SearchError
from flask import g

from ckanext.aizu import city
from ckanext.aizu.cells import aizu_cell, aizu_heading
from ckanext.aizu.contents import (
    Entity,
    aizu_bare_title,
    aizu_copies,
    aizu_map_resources,
    aizu_other_formats,
    aizu_resource_kind,
    aizu_table_resource,
    aizu_tables,
)
from ckanext.aizu.dates import aizu_date, aizu_zone_name, render_datetime
from ckanext.aizu.held_shown import aizu_held
from ckanext.aizu.history import aizu_version_totals
from ckanext.aizu.pages import aizu_page_url
from ckanext.aizu.runs_told import aizu_may_see_sources, aizu_outcome, aizu_step, aizu_took
from ckanext.aizu.status_line import (
    aizu_freshness,
    aizu_late_line,
    aizu_status_line,
    aizu_time,
)

__all__ = [
    "aizu_bare_title",
    "aizu_cell",
    "aizu_choice",
    "aizu_column_type",
    "aizu_data_dictionary",
    "aizu_date",
    "aizu_extract",
    "aizu_freshness",
    "aizu_front_page",
    "aizu_heading",
    "aizu_held",
    "aizu_languages",
    "aizu_late_line",
    "aizu_licence",
    "aizu_licences",
    "aizu_localised",
    "aizu_map_resources",
    "aizu_may_see_sources",
    "aizu_outcome",
    "aizu_page_url",
    "aizu_resource_kind",
    "aizu_row_counts",
    "aizu_simulated",
    "aizu_site_title",
    "aizu_status_line",
    "aizu_step",
    "aizu_table_preview",
    "aizu_table_resource",
    "aizu_copies",
    "aizu_other_formats",
    "aizu_tables",
    "aizu_time",
    "aizu_title_of",
    "aizu_took",
    "aizu_validation",
    "aizu_version_totals",
    "aizu_zone_name",
    "render_datetime",
]

log = logging.getLogger(__name__)

EN = "en"
FRONT_PAGE_SEARCH = {
    "q": "*:*",
    "fq": "+dataset_type:dataset",
    "rows": 6,
    "sort": "metadata_modified desc",
    "facet.field": ["groups"],
    "facet.limit": -1,
}
PREVIEW_ROWS = 5


def _english() -> bool:
    return (tk.h.lang() or "").split("_")[0] == EN


def aizu_localised(entity: Entity | None, field: str) -> str:
    """Returns a text field in the reader's language; Japanese stands where English is missing."""
    entity = entity or {}
    english = entity.get(f"{field}_en") or _extra(entity, f"{field}_en") if _english() else ""
    return str(english or entity.get(field) or "")


def _extra(entity: Entity, key: str) -> str:
    extras = entity.get("extras") or []
    return next((str(extra["value"]) for extra in extras if extra.get("key") == key), "")


def aizu_title_of(name: str, title: str) -> str:
    """Returns the title of a department, theme or licence that a page knows by name and title only.

    Datasets and filters carry the Japanese title alone; the English one is looked up once a page.
    """
    return _english_titles().get(name) or title if _english() else title


def _english_titles() -> dict[str, str]:
    if "aizu_english_titles" not in g:
        wanted = {"all_fields": True, "include_extras": True, "include_dataset_count": False}
        known = [
            *tk.get_action("organization_list")({}, dict(wanted)),
            *tk.get_action("group_list")({}, dict(wanted)),
        ]
        g.aizu_english_titles = {found["name"]: _extra(found, "title_en") for found in known} | {
            licence["id"]: licence.get("title_en", "") for licence in _known_licences()
        }
    titles: dict[str, str] = g.aizu_english_titles
    return titles


def aizu_site_title() -> str:
    """Returns the name of the portal: the operator's own in Japanese, else that of the city."""
    given = str(tk.config.get("ckan.site_title") or "")
    if given not in ("", "CKAN") and not _english():
        return given
    return tk._("{city} Open Data").format(city=aizu_localised(city.here(), "name"))


def aizu_languages() -> list[dict[str, Any]]:
    """Lists the offered languages, each with its own name and this page's address in it."""
    current, default = tk.h.lang(), tk.config.get("ckan.locale_default")
    return [
        {
            "code": str(locale),
            "name": locale.display_name or locale.english_name,
            "url": tk.h.url_for(
                tk.h.current_url(), locale="default" if str(locale) == default else str(locale)
            ),
            "current": str(locale) == current,
        }
        for locale in tk.h.get_available_locales()
    ]


def aizu_front_page() -> dict[str, Any]:
    """Gathers the home page with one search: numbers, themes with counts, newest datasets.

    The page opens even where the search does not answer; it then says so.
    """
    try:
        found = tk.get_action("package_search")({}, FRONT_PAGE_SEARCH)
    except SearchError:
        log.exception("The home page is shown without datasets")
        return {"answered": False, "count": 0, "themes": [], "datasets": [], "simulated": False}
    return {
        "answered": True,
        "count": found["count"],
        "datasets": found["results"],
        "departments": len(tk.get_action("organization_list")({}, {})),
        "themes": _themes(found["facets"].get("groups", {})),
        "simulated": any(map(aizu_simulated, found["results"])),
    }


def _themes(counts: dict[str, int]) -> list[Entity]:
    """Lists the themes in the order of the city's file; those that stewards added come last."""
    groups = tk.get_action("group_list")(
        {}, {"all_fields": True, "include_dataset_count": False, "include_extras": True}
    )
    order = [theme["name"] for theme in city.here()["themes"]]
    groups.sort(key=lambda group: order.index(group["name"]) if group["name"] in order else 999)
    return [group | {"count": counts.get(group["name"], 0)} for group in groups]


def aizu_simulated(package: Entity) -> bool:
    """Tells whether a dataset was made up; the form stores its choice as a word."""
    return bool(tk.asbool(package.get("simulated") or False))


def aizu_data_dictionary(resource: Entity) -> list[dict[str, str]]:
    """Lists the columns of a table with their label and description in the reader's language."""
    if not resource.get("datastore_active"):
        return []
    return _columns(tk.h.datastore_dictionary(resource["id"]))


def _columns(fields: list[Entity]) -> list[dict[str, str]]:
    return [
        {
            "id": field["id"],
            "type": field["type"],
            "label": aizu_localised(field.get("info"), "label") or field["id"],
            "description": aizu_localised(field.get("info"), "notes"),
        }
        for field in fields
        if not field["id"].startswith("_")
    ]


def aizu_table_preview(resource: Entity) -> dict[str, Any]:
    """Returns the first rows of a table, or none where the DataStore does not have it."""
    wanted = {"resource_id": resource["id"], "limit": PREVIEW_ROWS}
    try:
        found = tk.get_action("datastore_search")({}, wanted)
    except (tk.ObjectNotFound, tk.NotAuthorized):
        return {"columns": [], "records": [], "total": 0}
    return {
        "columns": _columns(found["fields"]),
        "records": found["records"],
        "total": found["total"],
    }


def aizu_validation(package: Entity) -> dict[str, Any] | None:
    """Returns the last validation report of a dataset, or None where there is none to read."""
    try:
        report = json.loads(package.get("validation_report") or "null")
    except (TypeError, ValueError):
        return None
    return report if isinstance(report, dict) else None


def aizu_row_counts(package: Entity) -> dict[str, int]:
    """Returns the number of rows of each table by its name, as they were when it was published."""
    counts: dict[str, int] = (aizu_validation(package) or {}).get("tables", {})
    return counts


def aizu_choice(field_name: str, value: str) -> str:
    """Names a value of a dataset field as the dataset schema names it, in the reader's language."""
    schema = tk.h.scheming_get_dataset_schema("dataset") or {}
    field = tk.h.scheming_field_by_name(schema.get("dataset_fields", []), field_name) or {}
    return str(tk.h.scheming_choices_label(field.get("choices", []), value))


def aizu_licence(package: Entity) -> str:
    """Names a dataset's licence in the reader's language; the dataset has it in Japanese only."""
    titles = {licence["id"]: aizu_localised(licence, "title") for licence in _known_licences()}
    return str(titles.get(package.get("license_id"), package.get("license_title") or ""))


def aizu_licences(current: str | None) -> list[dict[str, str]]:
    """Lists the licences for a form, in the order of our file.

    Args:
        current: id of the dataset's licence; it is offered even when it is not on the list.
    """
    choices = [
        {"value": licence["id"], "text": aizu_localised(licence, "title")}
        for licence in _known_licences()
    ]
    if current and current not in [choice["value"] for choice in choices]:
        choices.append({"value": current, "text": current})
    return choices


def _known_licences() -> list[Entity]:
    licences: list[Entity] = tk.get_action("license_list")({}, {})
    return licences


def aizu_extract(text: str, length: int = 120) -> str:
    """Returns the beginning of a Markdown text without its marks.

    CKAN's own cuts at blanks; a Japanese text has none, and nothing of it would be left.

    Args:
        text: what somebody wrote.
        length: in Japanese letters; English takes twice as many to say the same.
    """
    length = length * 2 if _english() else length
    plain = " ".join(str(tk.h.markdown_extract(text, extract_length=0)).split())
    if len(plain) <= length:
        return plain
    cut = plain[:length]
    whole_words = re.sub(r"[!-~]+$", "", cut) or cut
    return whole_words.rstrip(" 、,") + "…"


def aizu_column_type(kind: str) -> str:
    """Names the type of a column in a word that needs no database."""
    return {
        "text": tk._("Text"),
        "numeric": tk._("Number"),
        "float8": tk._("Number"),
        "int4": tk._("Whole number"),
        "int8": tk._("Whole number"),
        "bool": tk._("Yes or no"),
        "date": tk._("Date"),
        "time": tk._("Time"),
        "timestamp": tk._("Date and time"),
        "timestamptz": tk._("Date and time"),
    }.get(kind, kind)
