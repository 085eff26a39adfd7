"""The changes of a dataset's data as feeds, Atom (RFC 4287) and JSON Feed 1.1, with what has changed in each entry."""

import json
import re
from typing import Any

import ckan.plugins.toolkit as tk
from feedgen.feed import FeedGenerator
from markupsafe import Markup, escape

from ckanext.aizu import helpers, history

JSON = dict[str, Any]
ENTRIES = 30
ROWS = 20
"""Of the first table, shown in an entry."""
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(dataset: JSON, found: list[JSON]) -> bytes:
    """The feed as Atom."""
    feed = FeedGenerator()
    feed.id(_page("index", dataset))
    feed.title(_xml(_title(dataset)))
    feed.author(name=_xml(helpers.aizu_site_title()))
    feed.language(tk.h.lang())
    feed.link(href=_page("index", dataset), rel="alternate")
    feed.link(href=_page("atom", dataset), rel="self")
    feed.updated(found[0]["published_at"] if found else dataset["metadata_modified"] + "Z")
    for version in found:
        entry = feed.add_entry(order="append")
        entry.id(version["url"])
        entry.title(headline(version))
        entry.link(href=version["url"])
        entry.summary(_xml(sentence(version)))
        entry.content(_xml(_content(dataset, version)), type="html")
        entry.published(version["published_at"])
        entry.updated(version["published_at"])
    text: bytes = feed.atom_str()
    return text


def json_feed(dataset: JSON, found: list[JSON]) -> str:
    """The feed as JSON."""
    items = [
        {
            "id": version["url"],
            "url": version["url"],
            "title": headline(version),
            "summary": sentence(version),
            "content_html": str(_content(dataset, version)),
            "date_published": version["published_at"],
            "attachments": [
                {
                    "url": file["url"],
                    "mime_type": file["media_type"],
                    "title": helpers.aizu_localised(file, "title"),
                    "size_in_bytes": file["size"],
                }
                for file in version["files"]
                if file["kept"]
            ],
            "_aizu": {name: version[name] for name in ("number", "rows", "changes", "restores")},
        }
        for version in found
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(dataset),
        "home_page_url": _page("index", dataset),
        "feed_url": _page("json_feed", dataset),
        "language": tk.h.lang(),
        "authors": [{"name": helpers.aizu_site_title()}],
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False)


def _xml(text: str) -> str:
    """Cells and reasons may hold control characters, with which there would be no feed at all."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", str(text))


def headline(version: JSON) -> str:
    """A version in a few words."""
    if version["restores"]:
        return str(
            tk._("Version {number}: version {restored} was brought back").format(
                number=version["number"], restored=version["restores"]
            )
        )
    return str(tk._("Version {number}").format(number=version["number"]))


def sentence(version: JSON) -> str:
    """How many rows became what, and why a steward stepped in."""
    totals = history.aizu_version_totals(version)
    told = tk._("{added} rows added, {changed} changed, {removed} removed").format(
        **{kind: tk.h.localised_number(count) for kind, count in totals.items()}
    )
    reason = tk._("Reason: {reason}").format(reason=version["reason"]) if version["reason"] else ""
    return ". ".join(filter(None, (told, reason)))


def _title(dataset: JSON) -> str:
    title = helpers.aizu_localised(dataset, "title")
    return str(tk._("Changes to {title}").format(title=title))


def _page(page: str, dataset: JSON) -> str:
    return str(tk.h.url_for(f"aizu_versions.{page}", id=dataset["name"], _external=True))


def _content(dataset: JSON, version: JSON) -> Markup:
    """The first rows that differ from the version before, as a table of the entry."""
    parts = [Markup("<p>{}</p>").format(sentence(version))]
    if version["replaces"] and any(history.aizu_version_totals(version).values()):
        parts += _rows(dataset, version)
    return Markup("").join(parts)


def _rows(dataset: JSON, version: JSON) -> list[Markup]:
    changed = next(name for name, one in version["changes"].items() if _any(one))
    try:
        found = history.compared(dataset, version["replaces"], version["number"], changed)
    except (tk.ValidationError, tk.ObjectNotFound):
        return []  # its files are not kept any more
    words = {"added": tk._("Added"), "changed": tk._("Changed"), "removed": tk._("Removed")}
    lines = []
    for row in found.diff.rows(0, ROWS):
        cells = {cell.column: f"{cell.before} → {cell.after}" for cell in row.cells}
        told = "、".join(f"{k}: {v}" for k, v in (cells or row.after or row.before).items() if v)
        key = " ".join(row.key.values())
        lines.append(Markup("<li>{} {}: {}</li>").format(words[row.change], key, escape(told)))
    return [Markup("<ul>"), *lines, Markup("</ul>")]


def _any(one: JSON) -> bool:
    return bool(one["added"] or one["changed"] or one["removed"])
