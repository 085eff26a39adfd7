"""What a caller of `aizu_publish` hands in: read, and checked against itself."""

import codecs
import hashlib
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import SEEK_END
from typing import IO, Any, TypeGuard

import ckan.plugins.toolkit as tk
from ckan.lib.uploader import get_max_resource_size
from werkzeug.datastructures import FileStorage

from ckanext.aizu import tabular

TABLE, GEOJSON, ORIGINAL = "table", "geojson", "original"
# These are made of the others.
PARQUET, GEOPARQUET, PMTILES = "parquet", "geoparquet", "pmtiles"
# What the portal works out itself; a caller's word for it would be believed.
OWN_FIELDS = ("content_hash", "resources", "state", "private", "id", "type")
MB = 1 << 20
DEEPEST = 50
"""Levels of the JSON that callers hand in; Table Schemas and reports have about ten."""
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_PART_NAME = re.compile(r"[a-z0-9_]{1,63}")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a dataset: its name in the call, its titles for people, its Table Schema."""

    name: str
    title: str
    title_en: str
    schema: dict[str, Any]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> "Table":
        """Of an item of `resources` that was checked before."""
        return cls(**{name: item[name] for name in ("name", "title", "title_en", "schema")})

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The columns, in their order, as Table Schema describes them."""
        return list(self.schema["fields"])


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One version of one dataset, complete: what aizu_publish puts in the place of the last one."""

    dataset: dict[str, Any]
    organization: dict[str, Any]
    source: dict[str, Any]
    report: dict[str, Any]
    tables: tuple[Table, ...]
    layers: dict[str, tuple[str, str]]
    """Titles of layers by name, where they are not those of the tables of the same name."""
    files: Mapping[str, FileStorage]
    """By part: `table:<name>` for each table, `geojson:<name>` for each layer, `original`."""

    @cached_property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file, by part."""
        return {part: _sha256(file.stream) for part, file in self.files.items()}

    def is_of(self, part: str, sha256: object) -> bool:
        """Whether a table has this hash, with its byte order mark or as it was sent, perhaps without."""
        mark = len(codecs.BOM_UTF8)
        return sha256 == self.hashes[part] or sha256 == _sha256(self.files[part].stream, mark)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file, by part."""
        return {part: file.stream.seek(0, SEEK_END) for part, file in self.files.items()}

    def content_hash(self) -> str:
        """SHA-256 over everything a reader could see change: data, files and description."""
        files = sorted((part, f.filename, self.hashes[part]) for part, f in self.files.items())
        tables = [vars(table) for table in self.tables]
        seen = json.dumps(
            [self.dataset, self.organization, tables, self.layers, files], sort_keys=True
        )
        return hashlib.sha256(seen.encode()).hexdigest()


def read(data_dict: Mapping[str, Any]) -> Publication:
    """Reads and checks the parts of a call.

    Args:
        data_dict: form fields `dataset`, `organization`, `source`, `report`, optionally `layers`
            (JSON objects) and `resources` (JSON list), and files `table:<name>` for each of the resources, `original`
            and, where there are coordinates, `geojson:<name>`.

    Raises:
        ckan.plugins.toolkit.ValidationError: a part is missing, no JSON, or does not fit the others.
    """
    parts = {"layers": {}, **data_dict}
    errors: dict[str, Any] = {}
    for name, read_part in _READERS.items():
        try:
            parts[name] = read_part(_json(parts.get(name)))
        except ValueError as error:
            errors[name] = [str(error)]
    if "resources" not in errors:
        errors |= _wrong_files(parts, parts["resources"])
    if errors:
        raise tk.ValidationError(errors)
    return _publication(parts)


def _json(value: object) -> object:
    if value is None:
        raise ValueError(tk._("This part is missing"))
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(tk._("Expected JSON: %s") % error) from error
    _check_values(read, DEEPEST)
    return read


def _check_values(value: object, deeper: int) -> None:
    """Refuses what Python reads as JSON and PostgreSQL, or the JSON that readers get, cannot hold."""
    if not deeper:
        raise ValueError(tk._("Expected JSON of at most %i levels") % DEEPEST)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(tk._("Expected JSON: %s is no number") % value)
    if isinstance(value, str) and (found := _NO_CHARACTER.search(value)):
        raise ValueError(tk._("Expected text, found the character %s") % ascii(found[0]))
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        inner = (*value, *value.values())
    elif isinstance(value, list):
        inner = value
    for one in inner:
        _check_values(one, deeper - 1)


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(tk._("Expected a JSON object, found %s") % type(value).__name__)
    return value


def _described_by(name: str) -> Callable[[object], dict[str, Any]]:
    """Reads an object that must have one certain text."""

    def read_part(value: object) -> dict[str, Any]:
        found = _object(value)
        if not found.get(name) or not isinstance(found[name], str):
            raise ValueError(tk._("%s is missing") % name)
        return found

    return read_part


def _report(value: object) -> dict[str, Any]:
    """A report of tables that may be published; what the dataset page reads has the form it reads it in."""
    report = _object(value)
    tasks, ours = report.get("tasks", []), report.get("aizu", {})
    sound = (
        isinstance(tasks, list)
        and all(isinstance(task, dict) for task in tasks)
        and all(isinstance(task.get("errors", []), list) for task in tasks)
        and isinstance(ours, dict)
        and all(isinstance(ours.get(part, []), list) for part in ("repairs", "notes"))
    )
    if not sound:
        raise ValueError(tk._("A Frictionless report is expected"))
    if report.get("valid") is not True:
        raise ValueError(tk._("Only a table with a valid report is published"))
    return report


def _layers(value: object) -> dict[str, tuple[str, str]]:
    """Titles of layers, Japanese and English, by name."""
    titles = {}
    for name, item in _object(value).items():
        title = _object(item).get("title")
        if not title or not isinstance(title, str):
            raise ValueError(tk._('Layer "%s": %s is missing') % (name, "title"))
        titles[name] = (title, str(item.get("title_en") or ""))
    return titles


def _tables(value: object) -> tuple[Table, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(tk._("A list of at least one table is expected"))
    tables = tuple(_table(_object(item)) for item in value)
    names = [table.name for table in tables]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(tk._('Two tables are called "%s"') % twice)
    return tables


def _table(item: dict[str, Any]) -> Table:
    name, title = item.get("name"), item.get("title")
    if not isinstance(name, str) or not _PART_NAME.fullmatch(name):
        raise ValueError(tk._("A table is named by a-z, 0-9 and _, found %s") % name)
    if not title or not isinstance(title, str):
        raise ValueError(tk._('Table "%s": %s is missing') % (name, "title"))
    try:
        tabular.check_schema(item.get("schema"))
    except ValueError as error:
        raise ValueError(tk._('Table "%s": %s') % (name, error)) from error
    title_en = str(item.get("title_en") or "")
    return Table(name=name, title=title, title_en=title_en, schema=item["schema"])


_READERS: dict[str, Callable[[object], Any]] = {
    "dataset": _described_by("name"),
    "organization": _described_by("name"),
    "source": _described_by("url"),
    "report": _report,
    "resources": _tables,
    "layers": _layers,
}


def _wrong_files(parts: Mapping[str, Any], tables: tuple[Table, ...]) -> dict[str, list[str]]:
    """What is wrong with the files of a call, by part: one lacks, nobody asked for it, it is not its table."""
    expected = {f"{TABLE}:{table.name}": table for table in tables}
    wrong = {
        part: [tk._("A file is expected here (multipart/form-data)")]
        for part in (*expected, ORIGINAL)
        if not _is_file(parts.get(part))
    }
    for part, file in parts.items():
        if _is_file(file):
            try:
                _check_file(part, file, expected)
            except ValueError as error:
                wrong[part] = [str(error)]
    return wrong


def _is_file(value: object) -> TypeGuard[FileStorage]:
    return isinstance(value, FileStorage) and bool(value.filename)


def _check_file(part: str, file: FileStorage, tables: Mapping[str, Table]) -> None:
    kind, _, name = part.partition(":")
    if part in tables:
        tabular.check_header([field["name"] for field in tables[part].fields], file.stream)
    elif part != ORIGINAL and not (kind == GEOJSON and _PART_NAME.fullmatch(name)):
        known = ", ".join((*tables, f"{GEOJSON}:…", ORIGINAL))
        raise ValueError(tk._("Nobody asked for a file of this name; expected are %s") % known)
    if file.stream.seek(0, SEEK_END) > get_max_resource_size() * MB:
        raise ValueError(tk._("The file is larger than %i MB") % get_max_resource_size())


def _publication(parts: dict[str, Any]) -> Publication:
    own = parts["dataset"]
    dataset = {name: value for name, value in own.items() if name not in OWN_FIELDS}
    dataset["key_columns"] = dataset.pop("key", [])
    return Publication(
        dataset=dataset,
        organization=parts["organization"],
        source=parts["source"],
        report=parts["report"],
        tables=parts["resources"],
        layers=parts["layers"],
        files={part: _as_kept(part, value) for part, value in parts.items() if _is_file(value)},
    )


def _as_kept(part: str, file: FileStorage) -> FileStorage:
    """A table begins with a byte order mark, sent or not: without it Excel garbles Japanese."""
    mark = len(codecs.BOM_UTF8)
    file.stream.seek(0)
    if not part.startswith(f"{TABLE}:") or file.stream.read(mark) == codecs.BOM_UTF8:
        return file
    marked = tempfile.SpooledTemporaryFile(max_size=MB)  # noqa: SIM115 (lives as long as the call)
    marked.write(codecs.BOM_UTF8)
    file.stream.seek(0)
    shutil.copyfileobj(file.stream, marked, MB)
    return FileStorage(marked, filename=file.filename, name=file.name, headers=file.headers)


def _sha256(stream: IO[bytes], start: int = 0) -> str:
    digest = hashlib.sha256()
    stream.seek(start)
    while block := stream.read(MB):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()
