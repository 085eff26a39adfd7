"""A simulated town bus of Aizuwakamatsu and its timetable.

Stops stand near real places, so that a map looks right; lines, times, fares, operator and addresses
are invented.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple

FIRST_DAY, LAST_DAY = date(2026, 4, 1), date(2028, 3, 31)
HOLIDAYS = (
    date(2026, 11, 3),
    date(2026, 11, 23),
    date(2027, 1, 1),
    date(2027, 11, 3),
    date(2027, 11, 23),
)
METRES_PER_DEGREE = 111_320
SPEED = 5.5
"""Metres a second along the line, waiting at stops included: a bus in a castle town."""


class Stop(NamedTuple):
    """A pair of poles with its reading and its English name."""

    id: str
    name: str
    reading: str
    english: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Line:
    """A line with the stops of its way out, its colours, and its departures in minutes of the day."""

    id: str
    name: str
    reading: str
    english: str
    color: str
    text_color: str
    stops: tuple[str, ...]
    first: int
    last: int
    every: int
    loop: bool


STOPS = (
    Stop("S01", "会津若松駅前", "あいづわかまつえきまえ", "Aizu-Wakamatsu Station", 37.5078, 139.9300),
    Stop("S02", "大町一之町", "おおまちいちのまち", "Omachi Ichinomachi", 37.5018, 139.9304),
    Stop("S03", "神明通り", "しんめいどおり", "Shimmei-dori", 37.4967, 139.9296),
    Stop("S04", "市役所前", "しやくしょまえ", "City Hall", 37.4948, 139.9297),
    Stop("S05", "鶴ヶ城入口", "つるがじょういりぐち", "Tsuruga Castle Entrance", 37.4904, 139.9262),
    Stop("S06", "鶴ヶ城三の丸口", "つるがじょうさんのまるぐち", "Tsuruga Castle Sannomaru", 37.4876, 139.9336),
    Stop("S07", "文化センター前", "ぶんかせんたーまえ", "Culture Center", 37.4851, 139.9379),
    Stop("S08", "天寧寺町", "てんねいじまち", "Tenneijimachi", 37.4892, 139.9421),
    Stop("S09", "院内", "いんない", "Innai", 37.4842, 139.9475),
    Stop("S10", "東山温泉", "ひがしやまおんせん", "Higashiyama Onsen", 37.4737, 139.9583),
    Stop("S11", "飯盛山下", "いいもりやました", "Iimoriyama", 37.5041, 139.9498),
    Stop("S12", "千石町", "せんごくまち", "Sengokumachi", 37.5022, 139.9411),
    Stop("S13", "七日町駅前", "なぬかまちえきまえ", "Nanukamachi Station", 37.5012, 139.9203),
    Stop("S14", "阿弥陀寺前", "あみだじまえ", "Amidaji", 37.5007, 139.9229),
    Stop("S15", "竹田病院前", "たけだびょういんまえ", "Takeda Hospital", 37.5036, 139.9257),
    Stop("S16", "西若松駅前", "にしわかまつえきまえ", "Nishi-Wakamatsu Station", 37.4861, 139.9153),
    Stop("S17", "花春町", "はなはるまち", "Hanaharumachi", 37.4829, 139.9340),
    Stop("S18", "門田", "もんでん", "Monden", 37.4621, 139.9282),
    Stop("S19", "南若松駅前", "みなみわかまつえきまえ", "Minami-Wakamatsu Station", 37.4679, 139.9203),
    Stop("S20", "河東支所前", "かわひがしししょまえ", "Kawahigashi Branch Office", 37.5465, 139.9555),
    Stop("S21", "一箕町", "いっきまち", "Ikkimachi", 37.5187, 139.9423),
    Stop("S22", "会津大学前", "あいづだいがくまえ", "University of Aizu", 37.5243, 139.9386),
)  # fmt: skip
LINES = (
    Line(
        "haikara", "まちなか周遊バス ハイカラさん", "まちなかしゅうゆうばす はいからさん", "Town Loop Haikara-san",
        "006837", "FFFFFF",
        ("S01", "S15", "S13", "S14", "S03", "S04", "S05", "S06", "S07", "S09", "S10", "S08", "S12", "S11", "S02", "S01"),
        480, 1110, 20, loop=True,
    ),
    Line(
        "akabe", "まちなか周遊バス あかべぇ", "まちなかしゅうゆうばす あかべぇ", "Town Loop Akabe",
        "B40018", "FFFFFF",
        ("S01", "S02", "S11", "S12", "S08", "S10", "S09", "S07", "S06", "S05", "S04", "S03", "S14", "S13", "S15", "S01"),
        490, 1130, 20, loop=True,
    ),
    Line(
        "daigaku", "大学線", "だいがくせん", "University Line", "00529B", "FFFFFF",
        ("S04", "S03", "S02", "S01", "S21", "S22", "S20"), 390, 1410, 45, loop=False,
    ),
    Line(
        "monden", "門田線", "もんでんせん", "Monden Line", "F2C200", "1A1A1A",
        ("S01", "S02", "S03", "S04", "S17", "S16", "S19", "S18"), 400, 1430, 60, loop=False,
    ),
    Line(  # runs round the clock, so that there is always a bus to look at
        "yakei", "夜景バス", "やけいばす", "Night View Bus", "3B3B6D", "FFFFFF",
        ("S01", "S21", "S22", "S20", "S11", "S08", "S10", "S07", "S05", "S03", "S01"),
        0, 1425, 15, loop=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Trip:
    """One run of a bus: where it stops, how far along the line, and at which second of its day."""

    id: str
    line: Line
    service: str
    direction: int
    stops: tuple[str, ...]
    distances: tuple[float, ...]
    times: tuple[int, ...]


def service_on(day: date) -> str:
    return "holiday" if day.weekday() >= 5 or day in HOLIDAYS else "weekday"


@cache
def trips() -> tuple[Trip, ...]:
    """All trips of both services; on holidays half as many."""
    return tuple(
        trip
        for line in LINES
        for service, step in (("weekday", 1), ("holiday", 2))
        for direction in ((0,) if line.loop else (0, 1))
        for trip in _trips(line, service, line.every * step, direction)
    )


def _trips(line: Line, service: str, every: int, direction: int) -> Iterator[Trip]:
    stops = line.stops if direction == 0 else line.stops[::-1]
    distances = tuple(_distances(line, direction))
    poles = tuple(f"{stop}-{direction + 1}" for stop in stops)
    for minute in range(line.first, line.last + 1, every):
        times = tuple(minute * 60 + round(distance / SPEED / 60) * 60 for distance in distances)
        name = f"{line.id}-{service}-{direction}-{minute // 60:02d}{minute % 60:02d}"
        yield Trip(name, line, service, direction, poles, distances, times)


@cache
def path(line: Line, direction: int) -> tuple[tuple[float, float], ...]:
    """The line on the map: three points between stops, bent a little, so that it is no ruler's."""
    by_id = {stop.id: stop for stop in STOPS}
    ids = line.stops if direction == 0 else line.stops[::-1]
    points: list[tuple[float, float]] = []
    for here, there in zip(map(by_id.get, ids), map(by_id.get, ids[1:]), strict=False):
        assert here and there
        for quarter in range(4):
            share = quarter / 4
            bend = 0.0004 * math.sin(math.pi * share) * (1 if direction == 0 else -1)
            latitude = here.latitude + share * (there.latitude - here.latitude) + bend
            points.append((latitude, here.longitude + share * (there.longitude - here.longitude)))
    last = by_id[ids[-1]]
    return (*points, (last.latitude, last.longitude))


def along(points: tuple[tuple[float, float], ...]) -> list[float]:
    """Metres from the beginning to every point."""
    metres = [0.0]
    for (lat, lon), (next_lat, next_lon) in zip(points, points[1:], strict=False):
        north = (next_lat - lat) * METRES_PER_DEGREE
        east = (next_lon - lon) * METRES_PER_DEGREE * math.cos(math.radians(lat))
        metres.append(metres[-1] + math.hypot(north, east))
    return metres


def _distances(line: Line, direction: int) -> list[float]:
    return along(path(line, direction))[::4]
