"""Under which name and media type the city's own file is passed on: what it holds decides."""

import re
from pathlib import Path

from harvesters.fetch import Snapshot
from harvesters.intake.kinds import kind_of

TYPES = {
    "text": {".csv": "text/csv", ".tsv": "text/tab-separated-values"},
    "xlsx": {
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    },
    "xls": {".xls": "application/vnd.ms-excel"},
    "ods": {".ods": "application/vnd.oasis.opendocument.spreadsheet"},
    "gtfs": {".zip": "application/zip"},
    "protobuf": {".pb": "application/x-protobuf", ".zip": "application/zip"},
    "json": {
        ".json": "application/json",
        ".geojson": "application/geo+json",
        ".zip": "application/zip",
    },
    "xml": {".xml": "application/xml", ".rdf": "application/rdf+xml"},
    "marc": {".mrc": "application/marc"},
}
"""The suffixes that each kind of file may have; the first is given where it has another."""
SUFFIX = re.compile(r"\.[a-z][a-z0-9]{0,5}", re.IGNORECASE)


def name_and_type(snapshot: Snapshot, kind: str = "") -> tuple[str, str]:
    """A server must not make a web page or a program of what we took for a list of values."""
    types = TYPES[kind or kind_of(snapshot.content)]
    name = snapshot.filename.strip(". ")
    while SUFFIX.fullmatch(last := Path(name).suffix) and last.lower() not in types:
        name = name.removesuffix(last).rstrip(". ")
    if last.lower() in types:
        return name, types[last.lower()]
    suffix, media_type = next(iter(types.items()))
    return f"{name}{suffix}", media_type
