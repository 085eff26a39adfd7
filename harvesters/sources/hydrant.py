"""消防水利施設一覧: the municipal standard's hydrant list, its 2017 layout, and city layouts."""

import re

import requests

from harvesters import columns, intake
from harvesters import fetch as fetching
from harvesters.city import City, Feed
from harvesters.fetch import Snapshot
from harvesters.japanese import half_width
from harvesters.source import Progress, Repair, Table

name = "hydrant"

CODES = ("全国地方公共団体コード", "所在地_全国地方公共団体コード")
TOWN = "町字ID"
DIAMETER = "口径"
MILLIMETRES = re.compile(r"[φΦø]?\s*(\d+(?:\.\d+)?)\s*(?:mm|ミリ(?:メートル)?)?", re.IGNORECASE)


def fetch(
    feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """The list is one file at one address."""
    return fetching.get(feed.url, session, known, progress)


def normalise(snapshot: Snapshot, feed: Feed, city: City) -> Table:
    """The list in the standard's columns; what a spreadsheet spoils is repaired and recorded."""
    sheet = intake.read(snapshot.content, columns.known_headings(feed))
    table = columns.to_table(sheet, feed)
    for place, field in enumerate(table.fields):
        for row, number in zip(table.rows, table.row_numbers, strict=True):
            after, rule = _repaired(field.name, field.type, row[place], city.code)
            if after != row[place]:
                table.repairs.append(
                    Repair(row=number, column=field.name, before=row[place], after=after, rule=rule)
                )
                row[place] = after
    table.repairs.sort(key=lambda repair: repair.row)
    return table


def _repaired(column: str, kind: str, value: str, code: str) -> tuple[str, str]:
    """The value as the schema wants it, and the rule that changed it if it did."""
    plain = half_width(value)
    rule = "spaces" if plain == value.strip() else "half-width"
    if column in CODES and plain in _worn(code):
        return code, "municipality-code"
    if column == TOWN and plain.isdigit() and len(plain) < 7:
        return plain.zfill(7), "leading-zeros"
    if column == DIAMETER and (found := MILLIMETRES.fullmatch(plain)) and found[1] != plain:
        return found[1], "unit"
    if column in (*CODES, TOWN) or kind in {"number", "integer"}:
        return plain, rule
    return value.strip(), "spaces"


def _worn(code: str) -> set[str]:
    """What is left of the city's own code without the zero in front or the check digit behind."""
    return {code.lstrip("0"), code[:5], code[:5].lstrip("0")}
