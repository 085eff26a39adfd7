"""What is held back, as those who look after the dataset are told of it."""

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.aizu import gate, held, history
from ckanext.aizu.held import Held

JSON = dict[str, Any]


def whole(dataset: JSON, found: Held) -> JSON:
    """All that is known of a refusal."""
    version = found.version
    return {
        "name": dataset["name"],
        "content_hash": version.content_hash,
        "number": version.number,
        "replaces": version.replaces,
        "since": found.since,
        "sent_by": history.publisher(version),
        "sent_by_program": history.is_by_program(version),
        "reasons": found.reasons,
        "rows": version.rows,
        "changes": version.changes,
        "files": [history.file(part, address(dataset, part["filename"])) for part in version.parts],
        "source": version.source,
        "url": address(dataset),
        "report_url": address(dataset, "report.json"),
    }


def address(dataset: JSON, filename: str = "") -> str:
    """Of the page about it, or of one of its files."""
    page, more = ("file", {"filename": filename}) if filename else ("read", {})
    where = {"id": dataset["name"], "_external": True, "locale": "default"}
    return str(tk.h.url_for(f"aizu_held.{page}", **where, **more))


def aizu_held(package: JSON) -> JSON | None:
    """Returns since when and why an update of a dataset is held back, if one is."""
    found = held.of_datasets([package["id"]]).get(package["id"])
    return {"since": found.since, "reasons": short_reasons(found)} if found else None


def short_reasons(found: Held) -> list[JSON]:
    """The gate's reasons without what to do, as `text` and `text_en`."""
    told = [gate.figures(one["rule"], one["ja"], one["en"]) for one in found.reasons]
    return [{"text": ja, "text_en": en} for ja, en in told]
