"""What the search offers besides CKAN's own actions: suggestions while typing, similar datasets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import ckan.plugins.toolkit as tk
import pysolr
from ckan.lib.search.common import SearchError, make_connection
from ckan.logic.schema import validator_args
from ckan.types import Context, Schema
from flask import has_request_context

from .engine import PostgresIndex
from .in_step import dataset_purge, member_create, package_show
from .readers import visible
from .similar import similar
from .suggest import Suggestion, chosen, suggestions

__all__ = [
    "aizu_search_similar",
    "aizu_search_suggest",
    "dataset_purge",
    "member_create",
    "package_show",
]

_MOST_SUGGESTIONS = 20
_MOST_SIMILAR = 20


def _has_embedded_index() -> bool:
    return isinstance(make_connection(), PostgresIndex)


@contextmanager
def _errors_of_a_search() -> Iterator[None]:
    """As CKAN's own searches do it; the API knows how to say these."""
    try:
        yield
    except pysolr.SolrError as error:
        raise SearchError(str(error)) from error


@validator_args
def _suggest_schema(
    not_missing: Any, unicode_safe: Any, default: Any, natural_number_validator: Any
) -> Schema:
    return {"q": [not_missing, unicode_safe], "limit": [default(8), natural_number_validator]}


@validator_args
def _similar_schema(
    not_missing: Any, unicode_safe: Any, default: Any, natural_number_validator: Any
) -> Schema:
    return {"id": [not_missing, unicode_safe], "limit": [default(4), natural_number_validator]}


@tk.side_effect_free
@tk.validate_action_data(_suggest_schema)
def aizu_search_suggest(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Suggests what to search for while somebody types: tags, and datasets by their titles.

    Only of what a search without special wishes would find: no private dataset, no draft.

    :param q: what was typed so far; kana stand for what is so read
    :param limit: how many suggestions at most (optional, default: 8, at most 20)
    :returns: `text`, `kind` (`tag` or `dataset`), `name`, `url` of the page, and for a tag
        `count`, the number of its datasets; what so begins comes before what has a word that does
    """
    tk.check_access("package_search", context, data_dict)
    limit = min(data_dict["limit"], _MOST_SUGGESTIONS)
    dataset_type = tk.h.default_package_type()
    if not _has_embedded_index():
        found = _suggested_by_solr(context, data_dict["q"], limit, dataset_type)
    else:
        with _errors_of_a_search():
            found = suggestions(
                data_dict["q"],
                limit,
                dataset_type=dataset_type,
                languages=_languages(),
                reader=visible(context),
            )
    return [_with_url(one, dataset_type) for one in found]


def _languages() -> list[str]:
    """The reader's language, then the others of the portal."""
    mine = tk.h.lang() if has_request_context() else tk.config["ckan.locale_default"]
    return list(dict.fromkeys([mine, *tk.config["ckan.locales_offered"]]))


def _suggested_by_solr(
    context: Context, typed: str, limit: int, dataset_type: str
) -> list[Suggestion]:
    """What a search of CKAN's gives by the parts of titles, names and tags.

    Not by CKAN's own autocompletion, which also tells of tags that only private datasets have.
    """
    parts = re.findall(r"\w+", typed)
    if not parts:
        return []
    plain = " ".join(parts)
    asked = {
        "q": f'title_ngram:"{plain}" OR name_ngram:"{plain}" OR tags:*{"*".join(parts)}*',
        "fq": f"dataset_type:{dataset_type}",
        "fl": ["name", "title"],
        "rows": limit,
        "facet.field": ["tags"],
        "facet.limit": -1,
    }
    found = tk.get_action("package_search")(tk.fresh_context(context), asked)
    tags = [
        Suggestion(kind="tag", text=tag, name=tag, count=count)
        for tag, count in found["facets"].get("tags", {}).items()
    ]
    datasets = [
        Suggestion(kind="dataset", text=one["title"] or one["name"], name=one["name"])
        for one in found["results"]
    ]
    return chosen(typed, tags, datasets, limit)


def _with_url(suggestion: Suggestion, dataset_type: str) -> dict[str, Any]:
    if suggestion.kind == "tag":
        url = tk.h.url_for(f"{dataset_type}.search", tags=suggestion.name)
    else:
        url = tk.h.url_for(f"{dataset_type}.read", id=suggestion.name)
    shown = {name: value for name, value in asdict(suggestion).items() if value is not None}
    return {**shown, "url": url}


@tk.side_effect_free
@tk.validate_action_data(_similar_schema)
def aizu_search_similar(context: Context, data_dict: dict[str, Any]) -> list[dict[str, Any]]:
    """Lists the datasets that share the most rare words of title, tags and groups with one.

    Only those that a search without special wishes would find; none where Solr is in use.

    :param id: id or name of the dataset
    :param limit: how many datasets at most (optional, default: 4, at most 20)
    :returns: datasets as `package_search` has them, the most similar first
    """
    tk.check_access("package_show", context, {"id": data_dict["id"]})
    limit = min(data_dict["limit"], _MOST_SIMILAR)
    if not _has_embedded_index():
        return []
    with _errors_of_a_search():
        ids = similar(data_dict["id"], limit, visible(context))
    if not ids:
        return []
    asked = {"fq": "id:({})".format(" OR ".join(f'"{one}"' for one in ids)), "rows": limit}
    found = tk.get_action("package_search")(tk.fresh_context(context), asked)
    return sorted(found["results"], key=lambda package: ids.index(package["id"]))
