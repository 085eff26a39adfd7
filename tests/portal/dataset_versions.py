"""A dataset whose every part says which version it is of, and a reader who looks at all of them all the time."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

import requests

from .conftest import Portal

ROWS = 30
BROKEN_OFF = "broken off"
ANYTHING_GOES = {"removed_share": 1, "all_may_change": True}
FIELDS = [
    {"name": "id", "type": "integer"},
    {"name": "v", "type": "integer"},
    {"name": "緯度", "type": "number"},
    {"name": "経度", "type": "number"},
]


def call(name: str, **changes: Any) -> dict[str, Any]:
    """The JSON parts of a call of aizu_publish."""
    schema = {"fields": FIELDS, "primaryKey": ["id"]}
    return {
        "dataset": {"name": name, "title": "試験", "notes": "試験", "license_id": "cc-by"},
        "organization": {"name": "aizuwakamatsu-kikikanri", "title": "危機管理課"},
        "resources": [{"name": "list", "title": "一覧", "title_en": "List", "schema": schema}],
        "source": {"url": "https://example.jp/list.csv"},
        "report": {"valid": True, "tasks": []},
        "limits": ANYTHING_GOES,
        **changes,
    }


def csv_of(version: int, rows: int = ROWS) -> str:
    """A table of which every row says the version."""
    lines = [f"{row},{version},37.49{row % 10},139.9{row % 10}" for row in range(rows)]
    return "\r\n".join([",".join(one["name"] for one in FIELDS), *lines, ""])


def files_of(version: int) -> dict[str, tuple[str, str]]:
    """Name and content of the files of a version."""
    point = {"type": "Point", "coordinates": [139.93, 37.49]}
    feature = {"type": "Feature", "geometry": point, "properties": {"v": version}}
    layer = {"type": "FeatureCollection", "features": [feature]}
    return {
        "table:list": ("list.csv", csv_of(version)),
        "geojson:list": ("list.geojson", json.dumps(layer)),
        "original": ("原本.txt", f"{version}\n"),
    }


def kept(part: str, text: str) -> bytes:
    """A file as the portal keeps it: a table gets the byte order mark that Excel needs."""
    return text.encode("utf-8-sig" if part.startswith("table:") else "utf-8")


def publish(
    portal: Portal, name: str, version: int, *, token: str | None = None, **changes: Any
) -> dict[str, Any]:
    """Publishes a version as a program does."""
    files = {part: (file, text.encode()) for part, (file, text) in files_of(version).items()}
    files |= changes.pop("files", {})
    parts = {
        part: value if isinstance(value, str) else json.dumps(value)
        for part, value in call(name, **changes).items()
    }
    answer: dict[str, Any] = portal.api(token or portal.token).call_action(
        "aizu_publish", parts, files=files
    )
    return answer


@dataclass
class Reader:
    """Somebody who asks for table, file, map and original in turn, and notes what does not go together."""

    portal: Portal
    name: str
    ids: dict[str, str]
    faults: list[str] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def look(self) -> None:
        """Asks for all parts; time goes on, so that none may be older than the one before."""
        self.page()
        self.parts()

    def look_again(self) -> None:
        """The same; the page, which is asked first, never tells of a version before its data are there."""
        said, before = self.page(), len(self.seen)
        self.parts()
        if said > min(self.seen[before:], default=said):
            self.faults.append(f"page: {said} before {self.seen[before:]}")

    def page(self) -> int:
        """The version that the catalogue's hashes are of; 0 if it does not answer."""
        answer = self.ask("page", "/api/3/action/package_show", id=self.name)
        if answer is None:
            return 0
        hashes = {one["id"]: one["hash"] for one in answer.json()["result"]["resources"]}
        sent = files_of(1)
        wanted = {ident: part for part, ident in self.ids.items() if part in sent}
        found = {_version_of(part, hashes[ident]) for ident, part in wanted.items()}
        if len(found) != 1:
            self.faults.append(f"page: {found}")
        return min(found)

    def parts(self) -> None:
        """Asks for table and files."""
        for part in ("table", "table:list", "geojson:list", "original"):
            found = self.rows() if part == "table" else self.file(part)
            if found is None:
                continue
            if len(found) != 1:
                self.faults.append(f"{part}: {found or 'nothing'}")
            elif self.seen and min(found) < max(self.seen[-1:]):
                self.faults.append(f"{part}: {found} after {self.seen[-1]}")
            self.seen += sorted(found)

    def rows(self) -> set[int] | None:
        """The versions that the rows of the table are of; a table that is not whole is of none."""
        asked = {"resource_id": self.ids["table:list"], "limit": 100}
        answer = self.ask("table", "/api/3/action/datastore_search", **asked)
        if answer is None:
            return None
        found = answer.json()["result"]
        whole = len(found["records"]) == found["total"] == ROWS
        return {record["v"] for record in found["records"]} if whole else set()

    def file(self, part: str) -> set[int] | None:
        """The version that a file is of."""
        path = f"/dataset/{self.name}/resource/{self.ids[part]}/download/x"
        answer = self.ask(part, path)
        if answer is None:
            return None
        text = answer.text.strip()
        if part == "original":
            return {int(text)}
        if part == "geojson:list":
            return {one["properties"]["v"] for one in json.loads(text)["features"]}
        lines = [line.split(",") for line in text.split("\r\n")[1:]]
        return {int(line[1]) for line in lines} if len(lines) == ROWS else set()

    def ask(self, part: str, path: str, **asked: Any) -> requests.Response | None:
        """The whole answer, or none and a fault; one that breaks off is no shorter answer, since its length was told."""
        try:
            answer = requests.get(self.portal.url + path, params=asked, timeout=60)
        except requests.exceptions.ChunkedEncodingError:
            self.faults.append(f"{part}: {BROKEN_OFF}")
            return None
        if not answer.ok:
            self.faults.append(f"{part}: {answer.status_code}")
            return None
        return answer


@cache
def _hashes(part: str) -> dict[str, int]:
    texts = {version: kept(part, files_of(version)[part][1]) for version in range(1, 500)}
    return {f"sha256:{sha256(text).hexdigest()}": version for version, text in texts.items()}


def _version_of(part: str, told: str) -> int:
    return _hashes(part)[told]


@contextmanager
def reading(portal: Portal, name: str, ids: dict[str, str]) -> Iterator[Reader]:
    """A reader at work as long as the test does something else."""
    reader, done = Reader(portal, name, ids), threading.Event()

    def read() -> None:
        while not done.is_set():
            reader.look_again()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield reader
    finally:
        done.set()
        thread.join()
