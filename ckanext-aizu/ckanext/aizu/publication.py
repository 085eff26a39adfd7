"""What a caller of `aizu_publish` hands in: read, checked against itself, and turned into a dataset of the catalogue."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import ckan.plugins.toolkit as tk
from werkzeug.datastructures import FileStorage

# Table Schema type -> PostgreSQL type. numeric keeps every digit of a coordinate; float8 would not.
COLUMN_TYPES = {
    "string": "text",
    "integer": "int8",
    "number": "numeric",
    "boolean": "bool",
    "date": "date",
    "datetime": "timestamptz",
    "time": "time",
    "year": "int4",
    "yearmonth": "text",
    "duration": "text",
    "geopoint": "text",
    "array": "json",
    "object": "json",
    "geojson": "json",
    "any": "text",
}
JSON_PARTS = ("dataset", "organization", "schema", "source", "report")
# What the portal works out itself; a caller's word for it would be believed.
OWN_FIELDS = ("content_hash", "resources", "state", "private", "id", "type")
MAX_COLUMN_BYTES = 63
_NAMES = {
    "table": ("データ（CSV・表）", "Data (CSV table)"),
    "geojson": ("地図用データ（GeoJSON）", "Map data (GeoJSON)"),
    "original": ("元のファイル", "Original file"),
}
_DESCRIPTIONS = {
    "table": (
        "点検と整形を済ませた表です。文字コードはUTF-8（BOM付き）で、Excelでそのまま開けます。",
        "The checked and tidied table; UTF-8 with a BOM, so that Excel opens it as it is.",
    ),
    "geojson": (
        "地図やGISで使える形式（RFC 7946）です。",
        "For maps and GIS (RFC 7946).",
    ),
    "original": (
        "提供元から取得したファイルを、1バイトも変えずに公開しています。",
        "The file as it was fetched from its source, not a byte changed.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One version of one dataset, complete: what aizu_publish puts in the place of the last one."""

    dataset: dict[str, Any]
    organization: dict[str, Any]
    schema: dict[str, Any]
    source: dict[str, Any]
    report: dict[str, Any]
    files: Mapping[str, FileStorage]

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The columns of the table, in their order, as Table Schema describes them."""
        return list(self.schema["fields"])

    def content_hash(self) -> str:
        """SHA-256 over everything a reader could see change: data, files and description."""
        digest = hashlib.sha256()
        for part in (self.dataset, self.organization, self.schema):
            digest.update(json.dumps(part, sort_keys=True, ensure_ascii=False).encode())
        for kind, file in sorted(self.files.items()):
            digest.update(f"{kind} {file.filename}".encode())
            for block in _blocks(file.stream):
                digest.update(block)
        return digest.hexdigest()


def read(data_dict: Mapping[str, Any]) -> Publication:
    """Reads and checks the parts of a call.

    Args:
        data_dict: form fields `dataset`, `organization`, `schema`, `source`, `report` (JSON) and
            files `table`, `original` and, where there are coordinates, `geojson`.

    Raises:
        ckan.plugins.toolkit.ValidationError: a part is missing, no JSON, or does not fit the others.
    """
    errors: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for name in JSON_PARTS:
        try:
            parts[name] = _json_object(data_dict.get(name))
        except ValueError as error:
            errors[name] = [str(error)]
    files = {kind: data_dict[kind] for kind in _NAMES if data_dict.get(kind)}
    for kind in ("table", "original"):
        if not isinstance(files.get(kind), FileStorage):
            errors[kind] = [tk._("A file is expected here (multipart/form-data)")]
    if errors:
        raise tk.ValidationError(errors)
    dataset = {name: value for name, value in parts["dataset"].items() if name not in OWN_FIELDS}
    dataset["key_columns"] = dataset.pop("key", [])
    publication = Publication(**{**parts, "dataset": dataset}, files=files)
    _check(publication)
    return publication


def _json_object(value: object) -> dict[str, Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(tk._("Expected a JSON object: %s") % error) from error
    if not isinstance(found, dict):
        raise ValueError(tk._("Expected a JSON object, found %s") % type(found).__name__)
    return found


def _check(publication: Publication) -> None:
    for part, name in (("dataset", "name"), ("organization", "name"), ("source", "url")):
        value = getattr(publication, part).get(name)
        if not value or not isinstance(value, str):
            raise tk.ValidationError({part: [tk._("%s is missing") % name]})
    _check_report(publication.report)
    if publication.report.get("valid") is not True:
        raise tk.ValidationError(
            {"report": [tk._("Only a table with a valid report is published")]}
        )
    _check_schema(publication.schema)
    _check_header(publication)


def _check_report(report: Mapping[str, Any]) -> None:
    """The parts that the dataset page reads have the form it reads them in."""
    tasks, ours = report.get("tasks", []), report.get("aizu", {})
    sound = (
        isinstance(tasks, list)
        and all(isinstance(task, dict) for task in tasks)
        and all(isinstance(task.get("errors", []), list) for task in tasks)
        and isinstance(ours, dict)
        and all(isinstance(ours.get(part, []), list) for part in ("repairs", "notes"))
    )
    if not sound:
        raise tk.ValidationError({"report": [tk._("A Frictionless report is expected")]})


def _check_schema(schema: Mapping[str, Any]) -> None:
    fields = schema.get("fields")
    if not isinstance(fields, list) or not fields or not all(isinstance(f, dict) for f in fields):
        raise tk.ValidationError({"schema": [tk._("A Table Schema with fields is expected")]})
    names = [field.get("name") for field in fields]
    for number, field in enumerate(fields, 1):
        name, kind = str(field.get("name", "")), str(field.get("type", "any"))
        if not name or name.startswith("_") or '"' in name:
            raise tk.ValidationError(
                {
                    "schema": [
                        tk._('Column %i: "%s" cannot be the name of a column') % (number, name)
                    ]
                }
            )
        if names.count(name) > 1:
            raise tk.ValidationError({"schema": [tk._('Two columns are called "%s"') % name]})
        if len(name.encode()) > MAX_COLUMN_BYTES:
            raise tk.ValidationError(
                {"schema": [tk._('The column name "%s" is longer than 63 bytes') % name]}
            )
        if kind not in COLUMN_TYPES:
            known = ", ".join(COLUMN_TYPES)
            message = tk._('Column "%s": type "%s" is unknown; known are %s') % (name, kind, known)
            raise tk.ValidationError({"schema": [message]})


def _check_header(publication: Publication) -> None:
    """The portal does not take the caller's word that table and schema belong together."""
    stream = publication.files["table"].stream
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        header = next(csv.reader(text), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise tk.ValidationError({"table": [tk._("Expected CSV in UTF-8: %s") % error]}) from error
    finally:
        text.detach()
        stream.seek(0)
    expected = [field["name"] for field in publication.fields]
    if header != expected:
        raise tk.ValidationError(
            {"table": [tk._("Expected the columns %s, found %s") % (expected, header)]}
        )


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    while block := stream.read(1 << 20):
        yield block
    stream.seek(0)


def resources(publication: Publication, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The dataset's resources: ours renewed under their old ids, those of stewards left as they are.

    Args:
        publication: what is published.
        before: the dataset's resources as they are now.
    """
    known = {resource["kind"]: resource for resource in before if resource.get("kind") in _NAMES}
    ours = [
        _resource(kind, publication, known.get(kind, {}))
        for kind in _NAMES
        if kind in publication.files
    ]
    return ours + [resource for resource in before if resource.get("kind") not in _NAMES]


def _resource(kind: str, publication: Publication, before: Mapping[str, Any]) -> dict[str, Any]:
    upload = publication.files[kind]
    upload.stream.seek(0)
    resource = {
        **({"id": before["id"]} if before else {}),
        "kind": kind,
        "name": _NAMES[kind][0],
        "name_en": _NAMES[kind][1],
        "description": _DESCRIPTIONS[kind][0],
        "description_en": _DESCRIPTIONS[kind][1],
        "format": {"table": "CSV", "geojson": "GeoJSON"}.get(kind) or _format(upload),
        "encoding": publication.source.get("encoding", "") if kind == "original" else "utf-8",
        "hash": _sha256(upload),
        "url": upload.filename,
        "upload": upload,
    }
    if kind == "geojson":
        resource["mimetype"] = "application/geo+json"
    if kind == "table":
        resource["datastore_active"] = bool(before.get("datastore_active"))
    return resource


def _format(upload: FileStorage) -> str:
    return (upload.filename or "").rpartition(".")[2].upper()


def _sha256(upload: FileStorage) -> str:
    digest = hashlib.sha256()
    for block in _blocks(upload.stream):
        digest.update(block)
    return f"sha256:{digest.hexdigest()}"
