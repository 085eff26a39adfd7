"""Which column of a feed is which: names in English, Finnish and Japanese lead to one meaning each."""

import re
from collections.abc import Iterable

from harvesters.dataset import Field
from harvesters.japanese import half_width

BRACKETED = re.compile(r"\s*[(\[【](.{1,12})[)\]】]\s*$")
UNIT = re.compile(
    r"(km/?h|kph|mph|m/s|mps|knots?|kn|kt|(?:miles|kilomet(?:er|re)s|km)perhour"
    r"|met(?:er|re)spersecond|utc|gmt|jst|ms)$"
)
"""At the end of a heading, where no bracket is: speed_mph, time_utc."""
BESIDE: dict[str, tuple[str, ...]] = {
    "begun": (
        "starttime", "start.time", "startedat", "begintime", "alkanut", "alkuaika",
        "開始時刻", "開始日時", "作業開始", "作業開始時刻",
    ),
    "ended": (
        "endtime", "end.time", "endedat", "finishtime", "paattynyt", "päättynyt", "loppuaika",
        "終了時刻", "終了日時", "作業終了", "作業終了時刻",
    ),
    "day": ("date", "日付", "年月日", "観測日", "記録日", "作業日", "pvm", "päivämäärä"),
    "received": (
        "receivedtime", "receivedat", "received", "servertime", "created", "createdat",
        "sendingtime", "sentat", "lahetysaika", "lähetysaika", "dataupdatedtime",
        "受信時刻", "受信日時", "送信時刻", "送信日時", "登録日時",
    ),
    "previous": ("previousid",),
    "east": ("x", "easting", "xcoord", "xcoordinate", "east"),
    "north": ("y", "northing", "ycoord", "ycoordinate", "north"),
}  # fmt: skip
"""What helps to make the table, and is no column of it."""
PERSONS = {
    "driver", "drivername", "driverid", "user", "userid", "username", "staff", "kuljettaja",
    "運転者", "運転者名", "運転手", "運転手名", "氏名", "作業員", "作業員名", "担当者", "担当者名",
}  # fmt: skip
"""Columns that may name a person: they are never read."""


def fold(heading: str) -> str:
    """What two spellings of one heading have in common: width, case, spaces, _, - and unit aside."""
    text = BRACKETED.sub("", half_width(heading).casefold())
    return re.sub(r"[\s_\-]+", "", text)


def unit_of(heading: str) -> str:
    """km/h, mph, utc: what a heading says in brackets or at its end."""
    text = half_width(heading).casefold()
    if found := BRACKETED.search(text):
        return found[1].replace(" ", "")
    found = UNIT.search(fold(text))
    return found[1] if found else ""


def candidates(names: Iterable[str], fields: Iterable[Field]) -> dict[str, list[str]]:
    """For each meaning the columns that may have it, the likeliest first.

    A path such as "havainto.tyokone.id" is known by its end; the shorter path comes first.
    """
    known = {field.name: _variants(field) for field in fields} | BESIDE
    folded = {name: fold(name) for name in names}
    return {meaning: _ranked(folded, variants) for meaning, variants in known.items()}


def _ranked(folded: dict[str, str], variants: tuple[str, ...]) -> list[str]:
    ranks = {name: _rank(key, variants) for name, key in folded.items()}
    found = {name: rank for name, rank in ranks.items() if rank is not None}
    return sorted(found, key=lambda name: (found[name], folded[name].count(".")))


def names_person(name: str) -> bool:
    """Whether a column may name a driver."""
    return fold(name).rpartition(".")[2] in PERSONS


def _variants(field: Field) -> tuple[str, ...]:
    origins = (heading for origin in field.origins for heading in origin.headings)
    return tuple(fold(name) for name in (field.name, *origins))


def _rank(key: str, variants: tuple[str, ...]) -> int | None:
    """The place of the first variant that the heading, or the end of its path, is."""
    ends = {key} | {key[match.end() :] for match in re.finditer(r"\.", key)}
    ends |= {UNIT.sub("", end) for end in ends}
    return next((place for place, variant in enumerate(variants) if variant in ends), None)
