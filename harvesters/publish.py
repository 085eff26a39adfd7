"""Hands a checked dataset to the portal, and says how the looks at its source ended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from harvesters.city import City, Feed
from harvesters.fetch import Snapshot
from harvesters.geojson import to_geojson
from harvesters.original import name_and_type
from harvesters.portal import Files, call, fenced
from harvesters.report import short
from harvesters.settings import Settings
from harvesters.source import Package, Table
from harvesters.validate import Verdict, schema
from harvesters.words import Words

LIVE = "CONT"
"""How the frequencies CONT and UPDATE_CONT end."""
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the portal made of it."""

    name: str
    id: str
    rows: int
    changed: bool
    seconds: Mapping[str, float] = field(default_factory=dict)
    """What the portal has spent on each of its steps."""


def dataset_name(city: City, feed: Feed) -> str:
    """The name in the catalogue, the same at every run."""
    return f"{city.id}-{feed.dataset.name}"


def publish(
    settings: Settings,
    city: City,
    feed: Feed,
    snapshot: Snapshot,
    package: Package,
    verdict: Verdict,
    report: dict[str, Any],
    fingerprint: str = "",
    override_reason: str = "",
    fence: int | None = None,
) -> Published:
    """Sends metadata, tables, map data and original in one request: all of it counts, or nothing."""
    fields, files = parts(city, feed, snapshot, package, verdict, report, fingerprint)
    if override_reason:
        fields["override_reason"] = override_reason
    answer = call(settings, "aizu_publish", {**fields, **fenced(fence)}, files)
    return Published(
        name=answer["name"],
        id=answer["id"],
        rows=answer["rows"],
        changed=answer["changed"],
        seconds=answer.get("seconds", {}),
    )


def parts(
    city: City,
    feed: Feed,
    snapshot: Snapshot,
    package: Package,
    verdict: Verdict,
    report: dict[str, Any],
    fingerprint: str = "",
) -> tuple[dict[str, str], Files]:
    """The fields and the files of that request."""
    name = dataset_name(city, feed)
    filename, media_type = name_and_type(snapshot, package.kind)
    main = package.tables[0]
    fields = {
        "dataset": _metadata(city, feed, main, snapshot),
        "organization": _organization(feed),
        "resources": [_resource(table) for table in package.tables],
        "layers": {name: _titled(words) for name, words in package.layer_titles.items()},
        "source": _source(snapshot, main)
        | {"filename": filename, "media_type": media_type, "fingerprint": fingerprint},
        "report": short(report, package),
        "limits": _limits(feed),
    }
    files: Files = {"original": (filename, snapshot.content, media_type)}
    for table in package.tables:
        path = f"{_file_name(name, table.name, main.name)}.csv"
        files[f"table:{table.name}"] = (path, verdict.csv[table.name], "text/csv")
    for layer, content in _layers(package).items():
        path = f"{_file_name(name, layer, main.name)}.geojson"
        files[f"geojson:{layer}"] = (path, content, "application/geo+json")
    sent = {field: json.dumps(value, ensure_ascii=False) for field, value in fields.items()}
    return sent | {"expected_by": feed.expected_by(datetime.now(UTC))}, files


def _limits(feed: Feed) -> dict[str, Any]:
    """What may change without a steward's word: of what is there for moments only, everything."""
    bounds = {"minimum": feed.rows.minimum, "maximum": feed.rows.maximum}
    live = feed.dataset.frequency.endswith(LIVE)
    return bounds | ({"removed_share": 1, "all_may_change": True} if live else {})


def _resource(table: Table) -> dict[str, Any]:
    """One table as a resource of a Data Package."""
    return {"name": table.name, **_titled(table.title), "schema": schema(table)}


def _titled(title: Words) -> dict[str, str]:
    return {"title": title.ja, "title_en": title.en}


def _layers(package: Package) -> dict[str, bytes]:
    """The source's own map layers, else one of each table that has positions."""
    return dict(package.layers) or {
        table.name: to_geojson(table, table.position) for table in package.tables if table.position
    }


def _file_name(dataset: str, part: str, main: str) -> str:
    """The dataset's own name for what people look for first."""
    return dataset if part == main else f"{dataset}-{part}"


def _metadata(city: City, feed: Feed, table: Table, snapshot: Snapshot) -> dict[str, Any]:
    """The dataset in the words of the catalogue (DCAT-AP)."""
    dataset = feed.dataset
    credits = (f"出典: {feed.attribution.ja}", f"Source: {feed.attribution.en}")
    notes = [
        f"{text}\n\n{credit}" if credited else text
        for text, credit, credited in zip(
            dataset.description, credits, feed.attribution, strict=True
        )
    ]
    return {
        "name": dataset_name(city, feed),
        "title": f"{city.name.ja} {dataset.title.ja}",
        "title_en": f"{dataset.title.en} of {city.name.en}",
        "notes": notes[0],
        "notes_en": notes[1],
        "owner_org": feed.department.name,
        "license_id": feed.licence,
        "frequency": dataset.frequency,
        "theme": list(dataset.dcat_themes),
        "groups": [{"name": theme} for theme in feed.themes],
        "tags": [{"name": keyword} for keyword in dataset.keywords],
        "contact": [{"name": feed.department.title.ja, "email": feed.department.email}],
        "spatial_coverage": [{"text": city.name.ja, "bbox": json.dumps(_polygon(city))}],
        "source": [] if _passing(snapshot.url, feed) else [snapshot.url],
        "simulated": feed.simulated,
        "warnings": "\n".join(f"- {warning.ja}" for warning in dataset.warnings),
        "warnings_en": "\n".join(f"- {warning.en}" for warning in dataset.warnings),
        "key": list(table.key),
    }


def _passing(url: str, feed: Feed) -> bool:
    """Whether readers cannot use the address: a file's, or a simulated server's on this machine."""
    return not url or feed.simulated and urlsplit(url).hostname in LOOPBACK


def _polygon(city: City) -> dict[str, Any]:
    box = city.bbox
    corners = [
        [box.west, box.south],
        [box.east, box.south],
        [box.east, box.north],
        [box.west, box.north],
        [box.west, box.south],
    ]
    return {"type": "Polygon", "coordinates": [corners]}


def _organization(feed: Feed) -> dict[str, str]:
    department = feed.department
    told = {
        "name": department.name,
        "title": department.title.ja,
        "title_en": department.title.en,
        "description": department.description.ja,
        "description_en": department.description.en,
    }
    return {key: text for key, text in told.items() if text}


def _source(snapshot: Snapshot, table: Table) -> dict[str, str]:
    return {
        "url": snapshot.url or f"file:{quote(snapshot.filename)}",
        "fetched_at": snapshot.fetched_at.isoformat(),
        "sha256": snapshot.sha256,
        "encoding": table.encoding,
    }
