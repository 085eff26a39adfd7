"""A simulated hydrant list of Aizuwakamatsu: real town names and bounds, invented positions."""

import csv
import io
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

CODE = "072028"
CITY = "福島県会津若松市"
HEADINGS = [
    "全国地方公共団体コード", "ID", "地方公共団体名", "種別", "所在地_全国地方公共団体コード", "町字ID",
    "所在地_連結表記", "所在地_都道府県", "所在地_市区町村", "所在地_町字", "所在地_番地以下",
    "建物名等(方書)", "緯度", "経度", "口径", "備考",
]  # fmt: skip
SEED = 7202
METRES_PER_DEGREE = 111_320


@dataclass(frozen=True)
class Town:
    """A quarter with its middle, the size of its street grid, and how the grid is turned."""

    name: str
    latitude: float
    longitude: float
    streets: int
    houses: int
    turn: int


# The old castle town is a dense grid; villages on the plain are a few streets; valleys are a line.
TOWNS = (
    Town("追手町", 37.4893, 139.9292, 4, 8, 3),
    Town("栄町", 37.4965, 139.9285, 5, 9, 3),
    Town("東栄町", 37.4948, 139.9330, 4, 8, 3),
    Town("大町一丁目", 37.5003, 139.9300, 5, 8, 3),
    Town("大町二丁目", 37.5040, 139.9306, 4, 8, 3),
    Town("七日町", 37.4996, 139.9222, 4, 10, 3),
    Town("馬場町", 37.5006, 139.9338, 4, 8, 3),
    Town("中央一丁目", 37.5020, 139.9262, 4, 8, 3),
    Town("上町", 37.4972, 139.9350, 4, 8, 3),
    Town("駅前町", 37.5075, 139.9305, 3, 7, 3),
    Town("日新町", 37.4955, 139.9195, 4, 9, 3),
    Town("本町", 37.4925, 139.9225, 4, 8, 3),
    Town("材木町一丁目", 37.4852, 139.9172, 4, 8, 3),
    Town("湯川町", 37.4838, 139.9240, 4, 8, 3),
    Town("花見ケ丘三丁目", 37.4800, 139.9290, 5, 8, 8),
    Town("天寧寺町", 37.4905, 139.9445, 4, 8, 12),
    Town("慶山一丁目", 37.4945, 139.9465, 4, 8, 12),
    Town("千石町", 37.5010, 139.9412, 4, 9, 6),
    Town("西栄町", 37.4943, 139.9248, 3, 8, 3),
    Town("城前", 37.4862, 139.9362, 4, 9, 3),
    Town("門田町大字黒岩", 37.4620, 139.9330, 5, 9, 20),
    Town("門田町大字飯寺", 37.4715, 139.9105, 5, 10, 10),
    Town("門田町大字御山", 37.4480, 139.9225, 4, 10, 15),
    Town("一箕町大字八幡", 37.5085, 139.9500, 5, 10, 25),
    Town("一箕町大字鶴賀", 37.5150, 139.9440, 5, 10, 18),
    Town("一箕町大字亀賀", 37.5185, 139.9400, 4, 10, 18),
    Town("町北町大字上荒久田", 37.5190, 139.9200, 5, 10, 5),
    Town("高野町大字上高野", 37.5330, 139.9210, 4, 9, 5),
    Town("神指町大字黒川", 37.5035, 139.9010, 4, 10, 0),
    Town("神指町大字高瀬", 37.5130, 139.8930, 4, 9, 0),
    Town("北会津町下荒井", 37.4850, 139.8760, 4, 10, 4),
    Town("北会津町中荒井", 37.4740, 139.8690, 4, 10, 4),
    Town("北会津町真宮", 37.4930, 139.8860, 5, 10, 4),
    Town("河東町広田", 37.5460, 139.9560, 5, 10, 12),
    Town("河東町郡山", 37.5590, 139.9420, 4, 9, 12),
    Town("河東町八田", 37.5540, 139.9980, 3, 9, 30),
    Town("河東町大田原", 37.5290, 139.9750, 3, 9, 22),
    Town("東山町大字湯本", 37.4690, 139.9600, 2, 12, 60),
    Town("東山町大字石山", 37.4800, 139.9480, 4, 9, 40),
    Town("湊町大字共和", 37.4780, 140.0310, 3, 9, 35),
    Town("湊町大字平潟", 37.4480, 140.0440, 3, 8, 50),
    Town("湊町大字赤井", 37.4160, 140.0330, 2, 10, 70),
    Town("大戸町上三寄", 37.4150, 139.9140, 3, 10, 80),
    Town("大戸町芦ノ牧", 37.3600, 139.9060, 2, 10, 85),
)
SHARES = {"消火栓": 73, "防火水槽": 22, "河川": 3, "プール": 1, "井戸": 1}
REMARKS = {
    "消火栓": ("地下式", "地上式", "地下式 雪中標識あり", "地上式 雪中標識あり", ""),
    "防火水槽": (
        "40立方メートル",
        "60立方メートル 耐震性",
        "100立方メートル 耐震性",
        "20立方メートル",
    ),
    "河川": ("取水ピットあり", "冬期は取水口に注意"),
    "プール": ("夏期のみ満水, 冬期は要確認",),
    "井戸": ("手押しポンプ", ""),
}
HAMLETS = ("村中", "村西", "村東", "宮前", "館")
SCHOOLS = ("小学校", "中学校")


def hydrant_list() -> bytes:
    """The list as Excel saves it as CSV in a Japanese office: CP932, CRLF, few quotes."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerows(rows())
    return text.getvalue().encode("cp932")


def rows() -> Iterator[list[str]]:
    """The same rows at every call."""
    chance = random.Random(SEED)  # noqa: S311  a demonstration, no secret
    number = 0
    for town in TOWNS:
        for street in range(town.streets):
            for house in range(town.houses):
                if chance.random() < 0.05:  # a corner without any
                    continue
                number += 1
                yield _row(number, town, street, house, chance)


def _row(number: int, town: Town, street: int, house: int, chance: random.Random) -> list[str]:
    kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
    latitude, longitude = _position(town, street, house, chance)
    address = f"{chance.randint(1, 9) + street * 10}番{chance.randint(1, 30)}号"
    if "大字" in town.name:
        address = f"字{chance.choice(HAMLETS)}{chance.randint(1, 900)}番地"
    place = f"{town.name.partition('町')[0]}{chance.choice(SCHOOLS)}" if kind == "プール" else ""
    diameter = str(chance.choice((75, 100, 100, 100, 150, 150, 200))) if kind == "消火栓" else ""
    return [
        CODE, str(number), CITY, kind, CODE, "", f"{CITY}{town.name}{address}", "福島県",
        "会津若松市", town.name, address, place, f"{latitude:.6f}", f"{longitude:.6f}", diameter,
        chance.choice(REMARKS[kind]),
    ]  # fmt: skip


def _position(town: Town, street: int, house: int, chance: random.Random) -> tuple[float, float]:
    """Along streets 90 m apart, every 70 m or so, a little off the middle of the road."""
    along = (house - (town.houses - 1) / 2) * 70 + chance.gauss(0, 8)
    across = (street - (town.streets - 1) / 2) * 90 + chance.choice((-4, 4)) + chance.gauss(0, 1)
    angle = math.radians(town.turn)
    north = across * math.cos(angle) + along * math.sin(angle)
    east = along * math.cos(angle) - across * math.sin(angle)
    width = METRES_PER_DEGREE * math.cos(math.radians(town.latitude))
    return town.latitude + north / METRES_PER_DEGREE, town.longitude + east / width
