"""Hands a checked dataset to the portal; the only module that speaks to CKAN."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from harvesters.city import City, Feed
from harvesters.errors import (
    GateError,
    NotInCatalogueError,
    PortalRefusedError,
    PortalUnreachableError,
)
from harvesters.fetch import Snapshot, reason
from harvesters.geojson import to_geojson
from harvesters.original import name_and_type
from harvesters.report import short
from harvesters.settings import Settings, need_portal
from harvesters.source import Package, Table
from harvesters.validate import Verdict, schema
from harvesters.words import Words

TIMEOUT_S = (10, 300)
"""Loading a large table takes the portal a while; connecting does not."""

LONGEST_DETAIL = 500
LIVE = "CONT"
"""How the frequencies CONT and UPDATE_CONT end."""
Files = dict[str, tuple[str, bytes, str]]
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the portal made of it."""

    name: str
    id: str
    rows: int
    changed: bool


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
    override_reason: str = "",
) -> Published:
    """Sends metadata, tables, map data and original in one request: all of it counts, or nothing."""
    fields, files = parts(city, feed, snapshot, package, verdict, report)
    if override_reason:
        fields["override_reason"] = override_reason
    answer = call(settings, "aizu_publish", fields, files)
    return Published(
        name=answer["name"], id=answer["id"], rows=answer["rows"], changed=answer["changed"]
    )


def parts(
    city: City,
    feed: Feed,
    snapshot: Snapshot,
    package: Package,
    verdict: Verdict,
    report: dict[str, Any],
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
        "source": _source(snapshot, main) | {"filename": filename, "media_type": media_type},
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


def call(
    settings: Settings, action: str, data: Mapping[str, Any], files: Files | None = None
) -> dict[str, Any]:
    """One action of the portal; CKAN's and the network's errors become ours."""
    need_portal(settings)
    import ckanapi  # not above: where CKAN is installed this loads all of it, which takes seconds

    answers: list[requests.Response] = []
    session = requests.Session()
    session.hooks["response"].append(lambda response, **_: answers.append(response))
    portal = ckanapi.RemoteCKAN(
        settings.portal_url,
        apikey=settings.api_token,
        user_agent="aizu-harvester/0.1",
        session=session,
    )
    try:
        answer: dict[str, Any] = portal.call_action(
            action, data, files=files, requests_kwargs={"timeout": TIMEOUT_S}
        )
    except ckanapi.ValidationError as error:
        if reasons := (error.error_dict or {}).get("gate"):
            raise _held(reasons) from error
        raise _refused("入力に誤りがあります", "it finds mistakes", error.error_dict) from error
    except ckanapi.NotAuthorized as error:
        raise _refused(
            "このトークンには公開の権限がありません（AIZU_API_TOKEN）",
            "the token may not publish (AIZU_API_TOKEN)",
            "",
        ) from error
    except ckanapi.NotFound as error:
        raise NotInCatalogueError(f"見つかりません: {error}", f"not found: {error}") from error
    except (ckanapi.CKANAPIError, ckanapi.ServerIncompatibleError) as error:
        told = _spoken(answers[-1])
        raise _refused("思いがけない応答です", "an unexpected answer", told) from error
    except requests.RequestException as error:
        raise PortalUnreachableError(
            f"ポータル {settings.portal_url} に接続できません（{reason(error)}）。"
            "起動しているか確かめてください。",
            f"no connection to the portal {settings.portal_url} ({reason(error)}); "
            "check that it is running",
        ) from error
    finally:
        portal.close()
    return answer


def _spoken(response: requests.Response) -> str:
    """Status and message of an answer; of a web page, which only a browser can show, the status."""
    status = f"{response.status_code} {response.reason}"
    try:
        return f"{status} {json.dumps(response.json(), ensure_ascii=False)}"
    except ValueError:
        return status


def _held(reasons: list[dict[str, str]]) -> GateError:
    """All reasons of the gate, each a sentence or more, with what to do."""
    ja, en = ("".join(one["ja"] for one in reasons), " ".join(one["en"] for one in reasons))
    return GateError(f"公開を見合わせました。{ja}", f"Not published. {en}")


def _refused(ja: str, en: str, detail: object) -> PortalRefusedError:
    """The portal's no, with as much of its reasons as fits on a screen."""
    if isinstance(detail, dict):
        detail = {key: value for key, value in detail.items() if key != "__type"}
        detail = json.dumps(detail, ensure_ascii=False)
    told = ": " + " ".join(str(detail).split())[:LONGEST_DETAIL] if detail else ""
    return PortalRefusedError(
        f"ポータルが受け付けませんでした。{ja}{told}", f"the portal refused; {en}{told}"
    )
