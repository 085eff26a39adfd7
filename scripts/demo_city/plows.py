"""Snow ploughs of the simulated city: 250 vehicles that move along invented roads with the clock."""

import csv
import io
import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")
CENTRE = (37.495, 139.93)
VEHICLES = 250
OPERATORS = ("会津若松市（直営）", *(f"実演土木{letter}社" for letter in "ABCDEFGH"))
"""The city's own vehicles, and contractors that do not exist."""
TASKS = ("除雪", "除雪", "凍結防止剤散布", "排雪", "回送")
SHIFT_S = 1200
"""Seconds after which a vehicle takes up another task."""
HEARD_S = 15
"""Seconds between two positions of one vehicle."""
METRES = 111_195.0
HEADINGS = (
    "車両番号", "業者名", "日時", "緯度", "経度", "速度(km/h)", "方位", "作業内容", "ブレード",
)  # fmt: skip
TWO_NAMES = "952009"
"""A vehicle that a careless program also calls 952009.0."""


@dataclass(frozen=True)
class Road:
    """An invented road."""

    name: str
    priority: str
    points: tuple[tuple[float, float], ...]
    """Latitude and longitude."""


@dataclass(frozen=True)
class Position:
    """Where one vehicle is at one moment, and what it does."""

    vehicle: str
    operator: str
    at: datetime
    latitude: float
    longitude: float
    heading: int
    speed: int
    task: str
    road: str

    @property
    def blade_down(self) -> bool:
        """Only who ploughs has the blade on the road."""
        return self.task == "除雪"


@cache
def roads() -> tuple[Road, ...]:
    """A net of streets in town, and roads from there to the villages around."""
    draw = random.Random("roads")  # noqa: S311  a city, not a secret
    north, east = CENTRE
    town = [n / 1000 for n in range(-24, 25, 4)]
    streets = [_road(f"東西通り{i}", "第1次", [(north + d, east - 0.03), (north + d, east + 0.03)], draw)
               for i, d in enumerate(town, 1)]  # fmt: skip
    streets += [_road(f"南北通り{i}", "第1次", [(north - 0.026, east + d), (north + 0.026, east + d)], draw)
                for i, d in enumerate(town, 1)]  # fmt: skip
    ways = [_road(f"郊外線{i}", "第2次", [CENTRE, _outside(i)], draw) for i in range(1, 19)]
    return (*streets, *ways)


def _outside(number: int) -> tuple[float, float]:
    """Villages lie in all directions, at several distances, inside the city's bounds."""
    angle, reach = number * 2.4, 0.4 + number % 4 * 0.18
    return CENTRE[0] + 0.1 * reach * math.sin(angle), CENTRE[1] + 0.15 * reach * math.cos(angle)


def _road(name: str, priority: str, ends: list[tuple[float, float]], draw: random.Random) -> Road:
    """From end to end in steps of some 200 m, with bends."""
    (lat, lon), (to_lat, to_lon) = ends
    steps = max(round(math.hypot(to_lat - lat, to_lon - lon) / 0.002), 2)
    points = [
        (
            lat + (to_lat - lat) * step / steps + draw.uniform(-0.0002, 0.0002),
            lon + (to_lon - lon) * step / steps + draw.uniform(-0.0002, 0.0002),
        )
        for step in range(steps + 1)
    ]
    return Road(name, priority, tuple(points))


@cache
def _along(road: Road) -> tuple[float, ...]:
    """Metres from the beginning of the road to each of its points."""
    metres = [0.0]
    for start, end in zip(road.points, road.points[1:], strict=False):
        metres.append(metres[-1] + math.hypot(*_step(start, end)))
    return tuple(metres)


def _step(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Metres to the north and to the east."""
    narrow = math.cos(math.radians(start[0]))
    return (end[0] - start[0]) * METRES, (end[1] - start[1]) * METRES * narrow


def fleet(now: datetime) -> list[Position]:
    """The last position of every vehicle; the same for the same moment, whoever asks."""
    second = int(now.timestamp())
    return [_heard(number, second) for number in range(VEHICLES)]


def _heard(number: int, second: int) -> Position:
    """Vehicles report in turn, each every 15 seconds."""
    second -= (second + number) % HEARD_S
    task = TASKS[(second // SHIFT_S + number * 7) % len(TASKS)]
    road = roads()[number * 11 % len(roads())]
    pace = 4 + number % 5
    length = _along(road)[-1]
    driven = (second * pace + number * 997) % (2 * length)
    back = driven > length
    latitude, longitude, heading = _place(road, 2 * length - driven if back else driven)
    return Position(
        vehicle=_name(number),
        operator=OPERATORS[number % len(OPERATORS)],
        at=datetime.fromtimestamp(second, UTC),
        latitude=round(latitude, 6),
        longitude=round(longitude, 6),
        heading=round(heading + 180 * back) % 360,
        speed=round(pace * 3.6),
        task=task,
        road=road.name,
    )


def _name(number: int) -> str:
    """The city numbers its vehicles; contractors have letters."""
    owner = number % len(OPERATORS)
    return f"952{number:03}" if owner == 0 else f"{'ABCDEFGH'[owner - 1]}-{number:03}"


def _place(road: Road, metres: float) -> tuple[float, float, float]:
    """Latitude, longitude and bearing after so many metres."""
    along = _along(road)
    piece = next((place for place, way in enumerate(along[1:]) if way >= metres), len(along) - 2)
    start, end = road.points[piece], road.points[piece + 1]
    share = min((metres - along[piece]) / (along[piece + 1] - along[piece]), 1)
    north, east = _step(start, end)
    return (
        start[0] + share * (end[0] - start[0]),
        start[1] + share * (end[1] - start[1]),
        math.degrees(math.atan2(east, north)) % 360,
    )


def positions(now: datetime) -> bytes:
    """The fleet as GeoJSON, times in Japanese time with their offset."""
    features = [
        _feature(
            {"type": "Point", "coordinates": [one.longitude, one.latitude]},
            {
                "vehicle_id": one.vehicle,
                "operator": one.operator,
                "observed_at": one.at.astimezone(JAPAN).isoformat(),
                "heading": one.heading,
                "speed_kmh": one.speed,
                "blade_down": one.blade_down,
                "task": one.task,
            },
        )
        for one in fleet(now)
    ]
    return _json({"type": "FeatureCollection", "features": features})


def tracker(now: datetime) -> bytes:
    """The fleet in the form of Chicago's plow tracker."""
    found = [
        {
            "assetType": one.task,
            "assetName": one.vehicle,
            "postingTime": one.at.astimezone(JAPAN).isoformat(),
            "directionDegrees": one.heading,
            "latitude": one.latitude,
            "longitude": one.longitude,
            "address": one.road,
        }
        for one in fleet(now)
    ]
    return _json({"TrackingDataResponse": {"locationList": found}})


def routes() -> bytes:
    """The roads that are cleared, as lines."""
    return _json(
        {
            "type": "FeatureCollection",
            "features": [
                _feature(
                    {"type": "LineString", "coordinates": [[lon, lat] for lat, lon in road.points]},
                    {"路線名": road.name, "優先順位": road.priority},
                )
                for road in roads()
            ],
        }
    )


def log(now: datetime) -> bytes:
    """The day until now, every five minutes, as a contractor's program writes it in CP932."""
    midnight = now.astimezone(JAPAN).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = range(int(midnight.timestamp()) + 300, int(now.timestamp()) + 1, 300)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerows(row for second in moments for row in rows(second))
    return text.getvalue().encode("cp932")


def rows(second: int) -> Iterator[list[object]]:
    for one in fleet(datetime.fromtimestamp(second, UTC)):
        local = one.at.astimezone(JAPAN)
        blade = "下げ" if one.blade_down else "上げ"
        yield [
            one.vehicle, one.operator, f"{local:%Y/%m/%d %H:%M:%S}", one.latitude, one.longitude,
            one.speed, one.heading, one.task, blade,
        ]  # fmt: skip


def _feature(geometry: dict[str, object], properties: dict[str, object]) -> dict[str, object]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def in_cp932(content: bytes) -> bytes:
    """JSON as a program of an old Windows machine sends it; a log half in UTF-8."""
    try:
        return content.decode().encode("cp932")
    except UnicodeDecodeError:
        lines = content.splitlines(keepends=True)
        return b"".join(lines[:-5]) + b"".join(lines[-5:]).decode("cp932").encode()


def two_names(content: bytes) -> bytes:
    """A vehicle as it is called after its number has been a fraction: half of its rows, or one."""
    name = TWO_NAMES.encode()
    pieces = content.split(name)
    joined = [name + b".0" if place % 2 else name for place in range(1, len(pieces))]
    return b"".join(piece + mark for piece, mark in zip(pieces, [*joined, b""], strict=True))


SPOILED: dict[str, Callable[[bytes], bytes]] = {"encoding": in_cp932, "two-names": two_names}
