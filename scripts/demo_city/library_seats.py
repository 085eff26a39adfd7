"""The seats of the invented libraries, which fill and empty through the day."""

import json
import random
from datetime import datetime
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")
LIBRARIES: dict[str, tuple[tuple[str, str, int], ...]] = {
    "中央図書館": (("一般閲覧室", "2階", 64), ("学習室", "3階", 48), ("こどもの部屋", "1階", 24),
                   ("郷土資料室", "3階", 12)),
    "北分館": (("閲覧室", "1階", 20), ("学習室", "2階", 16)),
    "河畔分館": (("閲覧室", "1階", 18),),
}  # fmt: skip
OPENS, CLOSES = 9, 19
FULLEST = {10: 0.35, 11: 0.5, 12: 0.45, 13: 0.6, 14: 0.75, 15: 0.85, 16: 0.9, 17: 0.7, 18: 0.4}
"""Hour: the share of seats in use."""


def seats(now: datetime) -> bytes:
    """How many seats are free; counted every five minutes, empty at night."""
    local = now.astimezone(JAPAN)
    counted = local.replace(minute=local.minute // 5 * 5, second=0, microsecond=0)
    told = {
        "updatedAt": counted.isoformat(),
        "libraries": [
            {
                "name": library,
                "open": OPENS <= counted.hour < CLOSES,
                "rooms": [_room(counted, library, *room) for room in rooms],
            }
            for library, rooms in LIBRARIES.items()
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _room(counted: datetime, library: str, name: str, floor: str, total: int) -> dict[str, object]:
    chance = random.Random(f"{library} {name} {counted}")  # noqa: S311  as above
    share = FULLEST.get(counted.hour, 0.15 if OPENS <= counted.hour < CLOSES else 0.0)
    used = min(total, round(total * share * chance.uniform(0.85, 1.15)))
    return {"name": name, "floor": floor, "seats": {"total": total, "available": total - used}}
