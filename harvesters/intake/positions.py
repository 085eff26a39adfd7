"""Latitude and longitude: degrees, minutes and seconds; swapped columns; the old Tokyo datum."""

import re
from collections.abc import Sequence

from harvesters.city import Bbox
from harvesters.intake.numbers import Change, numbers, tidy
from harvesters.japanese import half_width

JAPAN = Bbox(west=122, south=20, east=154, north=46)
DEGREES = re.compile(
    r"(?:北緯|東経|緯度|経度)?[NE]?\s*(?P<degrees>\d{2,3})\s*(?:度|°|º|˚|-|:|\.|\s)\s*"
    r"(?P<minutes>\d{1,2})\s*(?:分|′|'|’|-|:|\.|\s)\s*"
    r"(?P<seconds>\d{1,2}(?:\.\d+)?)\s*(?:秒|″|\"|”|''|′′|’’)?\s*[NE]?",
    re.IGNORECASE,
)
MARKED = re.compile(r"(?:北緯|東経)?[NE]?\s*(\d{2,3}\.\d+)\s*[度°]?\s*[NE]?", re.IGNORECASE)
PLACES = 7
"""Decimals: about a centimetre."""
OLD_DATUM = re.compile(r"日本測地系(?!\s*20)|旧測地系|tokyo", re.IGNORECASE)
"""In a heading; 日本測地系2000 and 2011 are the world's."""


def degrees(cells: Sequence[str]) -> list[Change]:
    """A column of latitudes or longitudes in decimal degrees."""
    plain = numbers(cells)
    return [_degrees(cell, change) for cell, change in zip(cells, plain, strict=True)]


def _degrees(cell: str, change: Change) -> Change:
    text = half_width(cell)
    if found := DEGREES.fullmatch(text):
        minutes, seconds = int(found["minutes"]), float(found["seconds"])
        if minutes < 60 and seconds < 60:
            value = int(found["degrees"]) + minutes / 60 + seconds / 3600
            return Change(_written(value), "dms")
    if (found := MARKED.fullmatch(text)) and found[1] != text:
        return Change(found[1], "unit")
    return change if change.rule != "unit" else tidy(cell)


def _written(value: float) -> str:
    return f"{value:.{PLACES}f}".rstrip("0").rstrip(".")


def swapped(latitude: str, longitude: str, bounds: Bbox = JAPAN) -> bool:
    """Whether the two would lie inside the bounds if they changed places, and do not as they are."""
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return False
    return bounds.holds(north, east) and not bounds.holds(east, north)


def is_old_datum(heading: str) -> bool:
    """Whether a heading says that its column is on the Tokyo datum."""
    return bool(OLD_DATUM.search(half_width(heading)))


def from_tokyo(latitude: str, longitude: str) -> tuple[str, str]:
    """A position on the Tokyo datum on the world's, right to some metres.

    Tokyo datum and world differ by about 400 m, which cannot be seen in a single value.
    """
    north, east = float(latitude), float(longitude)
    return (
        _written(north - 0.00010695 * north + 0.000017464 * east + 0.0046017),
        _written(east - 0.000046038 * north - 0.000083043 * east + 0.010040),
    )
