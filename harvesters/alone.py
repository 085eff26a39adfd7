"""Judges a file on its own: by a dataset's descriptor, or by what its columns themselves suggest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from harvesters import fetch as fetching
from harvesters import gtfs, intake
from harvesters import report as reporting
from harvesters import validate as validating
from harvesters.columns import places_of
from harvesters.dataset import Field, load
from harvesters.errors import InvalidTableError, NotTheListError
from harvesters.fetch import Snapshot
from harvesters.gtfs import package as gtfs_package
from harvesters.japanese import heading_key
from harvesters.jobs import Job
from harvesters.library import holdings, reading
from harvesters.pipeline import named, normalise, read_told
from harvesters.positions.documents import is_json
from harvesters.rules import TYPES
from harvesters.source import Package, Table, frame_of
from harvesters.words import Words

SUGGESTED = {
    "integer": r"^(?:0|-?[1-9][0-9]{0,17})$",
    "number": r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?$",
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "datetime": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}",
}
"""Tried in this order; a number with leading zeros is a code and stays text."""
STRAY = 0.01
"""The share of values that may be of another kind: they are the faults that are looked for."""
HALF = 0.5
"""The same where the heading says that the column holds degrees: a short list may have one fault."""
DEGREES = {
    "緯度": 90,
    "latitude": 90,
    "lat": 90,
    "経度": 180,
    "longitude": 180,
    "lon": 180,
    "lng": 180,
}
"""Headings of positions, and how many degrees there are; a latitude of 139 was swapped."""
KINDS = {"string": Words("文字", "text"), **TYPES}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A file, its tables, and the complete report."""

    file: Path
    package: Package
    report: dict[str, Any]

    @property
    def findings(self) -> list[reporting.Finding]:
        """What is wrong, by cell."""
        return [reporting.Finding(**one) for one in self.report["aizu"]["findings"]]


def by_columns(file: Path) -> Judged:
    """Without a descriptor: by what the file itself says that it is."""
    snapshot = fetching.read_file(file)
    package = named(snapshot, lambda: _read(snapshot))
    return _judged(file, package, validating.judged(package, [[] for _ in package.tables]))


def _read(snapshot: Snapshot) -> Package:
    """A timetable, real-time messages, a catalogue, or a list known by nearly all its values."""
    match gtfs.kind_of(snapshot):
        case "timetable":
            return gtfs_package.of_timetable(gtfs.open_timetable(snapshot))
        case "messages":
            return gtfs_package.of_messages(gtfs.open_messages(snapshot), load("bus-live"))
    if reading.recognises(snapshot.content) and (found := reading.read(snapshot.content)):
        return holdings.of_catalogue(found, load("library"), {})
    return _suggested(_list(snapshot.content))


def _list(content: bytes) -> intake.Sheet:
    """JSON has no headings to go by; whoever asks must say what it is."""
    try:
        return intake.read(content, [])
    except NotTheListError as error:
        if not is_json(content):
            raise
        raise NotTheListError(
            f"{error.words.ja}除雪車の位置なら --schema snowplow、図書館の席なら "
            "--schema library-seats を付けてください。",
            f"{error.words.en}. For positions of snow ploughs add --schema snowplow, for seats of a "
            "library --schema library-seats.",
        ) from error


def by_descriptor(file: Path, job: Job) -> Judged:
    """By the rules that hold before the dataset would be published; nothing is kept."""
    package = normalise(job, fetching.read_file(file))
    return _judged(file, package, validating.validate(package, job.feed, job.city))


def refuse_invalid(judged: Judged) -> None:
    """Whoever asked learns from the exit code, too."""
    if not judged.report["valid"]:
        told = reporting.errors_told(judged.report)
        raise InvalidTableError(
            f"{judged.file}: 誤り {told.ja}。", f"{judged.file}: {told.en}", judged.report
        )


def summary(judged: Judged) -> list[Words]:
    """What was read, and how; the findings are said apart."""
    read = Words(*(f"{judged.file}: {told}" for told in read_told(judged.package)))
    good = [Words("問題ありません", "valid")] if judged.report["valid"] else []
    return [read, *judged.package.notes, *good]


def suggested_told(table: Table) -> Words:
    """The kinds that were assumed, since nobody has said them."""
    said = [(field.name, KINDS[field.type]) for field in table.fields]
    ja = "、".join(f"{name}: {kind.ja}" for name, kind in said)
    en = ", ".join(f"{name}: {kind.en}" for name, kind in said)
    return Words(
        f"スキーマの指定がないため、列の種類を値から推定しました（--schema で指定できます）。{ja}",
        f"No schema was named: kinds of columns are inferred from their values (see --schema). {en}",
    )


def _judged(file: Path, package: Package, verdict: validating.Verdict) -> Judged:
    report = reporting.complete(verdict.report, package)
    return Judged(file=file, package=package, report=report)


def _suggested(sheet: intake.Sheet) -> Package:
    places_of(sheet.headings)  # a finding must say which column it means
    frame = frame_of(sheet.headings, sheet.rows)
    table = Table(
        name="table",
        title=Words("表", "Table"),
        fields=tuple(_field(column) for column in frame.get_columns()),
        key=(),
        frame=frame,
        row_numbers=sheet.row_numbers,
        headings={heading: heading for heading in sheet.headings},
        encoding=sheet.encoding,
        repairs=list(sheet.repairs),
        notes=list(sheet.notes),
    )
    table.notes.append(suggested_told(table))
    return Package(tables=(table,))


def _field(column: pl.Series) -> Field:
    most = DEGREES.get(heading_key(column.name))
    kind = _kind(column, HALF if most else STRAY)
    if kind not in {"integer", "number"}:
        most = None
    return Field(
        name=column.name,
        type=kind,
        title=Words(column.name, column.name),
        description=Words("", ""),
        constraints={"minimum": -most, "maximum": most} if most else {},
        origins=(),
    )


def _kind(values: pl.Series, stray: float) -> str:
    written = values.filter(values != "")
    for kind, pattern in SUGGESTED.items():
        fitting = written.str.contains(pattern).sum()
        if fitting and len(written) - fitting <= stray * len(written):
            return kind
    return "string"
