"""What each field of a dataset's index entry is, after the schema that CKAN ships for Solr."""

import re
from enum import Enum


class Kind(Enum):
    """How a field is compared."""

    TEXT = "text"
    STRING = "string"
    DATE = "date"
    NUMBER = "number"
    REAL = "real"
    PLACE = "place"
    SUBSTRING = "substring"


# Asked for on nearly every page, therefore columns of their own; all others share one.
COLUMNS = {
    "id": "text",
    "name": "text",
    "title_string": "text",
    "site_id": "text",
    "entity_type": "text",
    "dataset_type": "text",
    "state": "text",
    "capacity": "text",
    "organization": "text",
    "license_id": "text",
    "metadata_created": "timestamptz",
    "metadata_modified": "timestamptz",
    "indexed_ts": "timestamptz",
    "permission_labels": "text[]",
    "tags": "text[]",
    "groups": "text[]",
    "res_format": "text[]",
    "minx": "float8",
    "miny": "float8",
    "maxx": "float8",
    "maxy": "float8",
}

CATCH_ALL = "text"
# Each has a letter in the catch-all's vector; other text fields have lexemes of their own.
WEIGHTED = {"title": "A", "notes": "B", "res_name": "C"}
# In the order in which they fill the catch-all, whose length is limited.
COPIED_TO_TEXT = (
    "title",
    "name",
    "tags",
    "groups",
    "organization",
    "notes",
    "text",
    "author",
    "maintainer",
    "license",
    "res_name",
    "res_description",
)
PREFIXES_COPIED_TO_TEXT = ("extras_", "res_extras_", "vocab_")
URLS = ("url", "ckan_url", "download_url", "res_url")
# Their letters in the small vector that orders hits.
HEADLINE = {"title": "A", "name": "B", "tags": "C", "groups": "D"}
# The title in another language counts as the title does.
TRANSLATED_TITLE = re.compile(r"extras_title_[a-z]{2}")

_RELATIONS = (
    "depends_on",
    "dependency_of",
    "derives_from",
    "has_derivation",
    "links_to",
    "linked_from",
    "child_of",
    "parent_of",
)
_COUNTERS = (
    "views_total",
    "views_recent",
    "resources_accessed_total",
    "resources_accessed_recent",
)
_TEXTS = (
    "title",
    "notes",
    "author",
    "author_email",
    "maintainer",
    "maintainer_email",
    "res_name",
    "res_description",
    "text",
    "urls",
    *_RELATIONS,
)
_KINDS = {
    **dict.fromkeys(_TEXTS, Kind.TEXT),
    **dict.fromkeys(_COUNTERS, Kind.NUMBER),
    **dict.fromkeys(("metadata_created", "metadata_modified", "indexed_ts"), Kind.DATE),
    **dict.fromkeys(("minx", "miny", "maxx", "maxy"), Kind.REAL),
    **dict.fromkeys(("spatial_geom", "spatial_bbox"), Kind.PLACE),
    "name_ngram": Kind.SUBSTRING,
    "title_ngram": Kind.SUBSTRING,
}
# Everything else without a name here and of no pattern below can be searched but not shown.
_STORED = frozenset(
    (
        *("index_id", "id", "site_id", "name", "title", "notes", "version", "url", "ckan_url"),
        *("download_url", "entity_type", "dataset_type", "state", "revision_id", "capacity"),
        *("author", "author_email", "maintainer", "maintainer_email", "license", "license_id"),
        *("tags", "groups", "organization", "metadata_created", "metadata_modified", "indexed_ts"),
        *("res_name", "res_description", "res_format", "res_url", "res_type"),
        *("data_dict", "validated_data_dict", "score"),
    )
)
_MULTIPLE = frozenset(("tags", "groups", "permission_labels"))


def kind(field: str) -> Kind:
    """How a field is compared; unknown fields are strings, as in Solr's schema."""
    if field in _KINDS:
        return _KINDS[field]
    if field.startswith(("extras_", "res_extras_")):
        return Kind.TEXT
    return Kind.DATE if field.endswith("_date") else Kind.STRING


def is_multiple(field: str) -> bool:
    """Whether a field is given back as a list."""
    return field in _MULTIPLE or field.startswith(("res_", "vocab_"))


def is_stored(field: str) -> bool:
    """Whether a field can be given back."""
    prefixes = ("extras_", "res_extras_", "vocab_")
    return field in _STORED or field.startswith(prefixes) or field.endswith("_date")


def label(field: str) -> str:
    """What stands before a token that belongs to one field only; no token contains the sign."""
    return f"{field}="
