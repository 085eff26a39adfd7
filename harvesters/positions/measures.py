"""Speeds, directions and blades in all the ways that feeds write them."""

import re
from collections.abc import Sequence

import polars as pl

from harvesters.intake.numbers import Change, numbers, tidy
from harvesters.intake.positions import degrees
from harvesters.japanese import half_width

PLAIN = r"^-?[0-9]+(?:\.[0-9]+)?$"
KMH = {
    "milesperhour": 1.609344, "kilometersperhour": 1.0, "kilometresperhour": 1.0,
    "kmperhour": 1.0, "meterspersecond": 3.6, "metrespersecond": 3.6,
    "kmh": 1.0, "km/h": 1.0, "kph": 1.0, "キロ": 1.0, "㎞/h": 1.0,
    "mph": 1.609344, "m/s": 3.6, "mps": 3.6, "ms": 3.6,
    "kn": 1.852, "kt": 1.852, "knot": 1.852, "knots": 1.852, "ノット": 1.852,
}  # fmt: skip
"""Unit of speed: how many km/h one is."""
COMMA = re.compile(r"-?[0-9]+,[0-9]+")
SPEED = re.compile(r"(?:時速)?\s*(\d+(?:\.\d+)?)\s*(\D+)")
WINDS = (
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
    "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
)  # fmt: skip
WORDS = {
    "北": "N", "東": "E", "南": "S", "西": "W",
    "NORTH": "N", "EAST": "E", "SOUTH": "S", "WEST": "W",
    "NORTHEAST": "NE", "SOUTHEAST": "SE", "SOUTHWEST": "SW", "NORTHWEST": "NW",
}  # fmt: skip
DOWN = {
    "true", "1", "t", "yes", "y", "on", "down", "lowered", "low", "active", "engaged", "plowing",
    "deployed", "alhaalla", "下", "下げ", "下降", "降", "降下", "有", "あり", "オン", "○", "作業中",
}  # fmt: skip
UP = {
    "false", "0", "f", "no", "n", "off", "up", "raised", "high", "inactive", "disengaged", "idle",
    "stowed", "ylhäällä", "上", "上げ", "上昇", "無", "なし", "オフ", "×", "停止",
}  # fmt: skip


def positions(cells: Sequence[str]) -> list[Change]:
    """Latitudes or longitudes in decimal degrees."""
    return _pointed(cells, degrees(cells))


def _pointed(cells: Sequence[str], changes: Sequence[Change]) -> list[Change]:
    """37,49 has a decimal comma: no measure of a vehicle has thousands."""
    texts = [half_width(cell) for cell in cells]
    return [
        Change(text.replace(",", "."), "decimal-comma") if COMMA.fullmatch(text) else change
        for text, change in zip(texts, changes, strict=True)
    ]


def speeds(cells: Sequence[str]) -> list[Change]:
    """Speeds with a unit behind them in km/h; plain numbers stay in the unit of the column."""
    plain = _pointed(cells, numbers(cells))
    return [_speed(cell, change) for cell, change in zip(cells, plain, strict=True)]


def _speed(cell: str, change: Change) -> Change:
    found = SPEED.fullmatch(half_width(cell).casefold())
    factor = KMH.get(found[2].strip()) if found else None
    if found and factor:
        return Change(found[1] if factor == 1 else f"{float(found[1]) * factor:.1f}", "unit")
    return change if change.rule != "unit" else tidy(cell)


def faster(column: pl.Series, factor: float) -> pl.Series:
    """A column of plain numbers in another unit; what is no number stays."""
    number = column.cast(pl.Float64, strict=False) * factor
    written = number.round(1).cast(pl.String)
    return pl.select(pl.when(number.is_null()).then(column).otherwise(written)).to_series()


def directions(cells: Sequence[str]) -> list[Change]:
    """Points of the compass in degrees: NNE, 北北東, South-West."""
    return [
        _direction(cell, change)
        for cell, change in zip(cells, _pointed(cells, numbers(cells)), strict=True)
    ]


def _direction(cell: str, change: Change) -> Change:
    key = re.sub(r"[\s_\-]|BOUND$", "", half_width(cell).upper())
    key = WORDS.get(key, "".join(WORDS.get(sign, sign) for sign in key))
    if key in WINDS:
        return Change(f"{WINDS.index(key) * 22.5:g}", "compass")
    text = half_width(cell).rstrip("°度")
    if text != half_width(cell) and re.fullmatch(PLAIN, text):
        return Change(text, "unit")
    return change if change.rule != "unit" else tidy(cell)


def blades(cells: Sequence[str]) -> list[Change]:
    """True where the blade is down, false where it is up; other words stay and are reported."""
    return [_blade(cell) for cell in cells]


def _blade(cell: str) -> Change:
    word = half_width(cell).casefold().removesuffix(".0")
    said = {word, *re.findall(r"[^\W\d_]+", word)}
    if said & DOWN and not said & UP:
        return Change("true")
    return Change("false") if said & UP and not said & DOWN else tidy(cell)
