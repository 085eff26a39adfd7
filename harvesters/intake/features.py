"""GeoJSON: the points of a FeatureCollection as rows, their properties as columns, 緯度 and 経度 beside them.

Read with json rather than through geopandas, which guesses types: here every property stays the text that the
city wrote, with all its digits. pyproj brings positions in metres into degrees.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from pyproj import Transformer

from harvesters import json_text
from harvesters.errors import ColumnsError, NotTheListError
from harvesters.intake import kinds
from harvesters.intake.sheet import Sheet
from harvesters.source import Repair
from harvesters.words import Words

LATITUDE, LONGITUDE = "緯度", "経度"
ID = "id"
"""Of a feature, beside its properties."""
RULE = "plane-coordinates"
DEGREES = ("CRS84", "4326", "6668", "4612")
"""WGS 84, JGD2011 and JGD2000, which agree better than the position of a hydrant is known."""
PLANES = tuple(str(code) for code in (*range(2443, 2462), *range(6669, 6688)))
"""Japan's plane rectangular coordinates, zones I to XIX, on JGD2000 and on JGD2011."""
CODE = re.compile(r"(?:EPSG|OGC):[\d.]*:?(\d{4,6}|CRS84)", re.IGNORECASE)
PLACES = 8
"""Decimals of a degree: a millimetre."""
NEAR = 1e-5
"""Degrees, about a metre, by which a property may differ from the point that it repeats."""
POINTS = Words("点だけの GeoJSON を書き出してください。", "export a GeoJSON file of points")
Row = dict[str, str]
Move = Callable[[float, float], tuple[float, float]]


def sheet_of(encoding: str, text: str) -> Sheet:
    """One row for each feature; `row_numbers` count the features from 1."""
    collection = _collection(text)
    features = collection["features"]
    move = _move(collection.get("crs"))
    rows: list[Row] = []
    repairs: list[Repair] = []
    for number, feature in enumerate(features, 1):
        point = _point(number, feature)
        place = point if move is None else _moved(number, point, move, repairs)
        if move is None:
            _refuse_metres(number, place)
        rows.append(_row(number, feature, place))
    names = dict.fromkeys(name for row in rows for name in row)
    headings = [*(name for name in names if name not in {LATITUDE, LONGITUDE}), LATITUDE, LONGITUDE]
    return Sheet(
        encoding=encoding,
        headings=headings,
        rows=[[row.get(heading, "") for heading in headings] for row in rows],
        row_numbers=list(range(1, len(rows) + 1)),
        tails=[[] for _ in rows],
        header_row=None,
        others=[],
        metadata={key: value for key, value in collection.items() if isinstance(value, str)},
        repairs=repairs,
        notes=_notes(features),
    )


def _collection(text: str) -> dict[str, Any]:
    """The file as JSON, every number as it was written."""
    read = json_text.parse(text, _members, _refuse_constant)
    collection: dict[str, Any] = read if isinstance(read, dict) else {}
    if collection.get("type") == "Feature":
        collection = {"type": "FeatureCollection", "features": [read]}
    if collection.get("type") != "FeatureCollection" or not isinstance(
        collection.get("features"), list
    ):
        came = kinds.glimpse(text)
        raise NotTheListError(
            f"GeoJSON の FeatureCollection ではない JSON です: {came}。"
            "点の GeoJSON か、一覧を CSV で保存したものを渡してください。",
            f"this is JSON, but no FeatureCollection of GeoJSON: {came}; "
            "hand over GeoJSON of points, or the list saved as CSV",
        )
    if not collection["features"]:
        raise NotTheListError(
            "地物（features）が一つもありません。空の一覧は公開しません。書き出しの条件を確かめてください。",
            "there are no features; an empty list is not published. Check how it was exported",
        )
    return collection


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two members with one name JSON would silently keep the last."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotTheListError(
            f"同じ名前「{twice}」が一つの地物に 2 回あります。どちらかを消してください。",
            f"the name {twice!r} occurs twice in one object; remove one of them",
        )
    return members


def _refuse_constant(value: str) -> NoReturn:
    raise NotTheListError(
        f"JSON に {value} は書けません。値がなければ null にしてください。",
        f"{value} is not JSON; write null where there is no value",
    )


def _move(written: Any) -> Move | None:
    """How positions become degrees; nothing where they are."""
    if written is None:
        return None
    properties = written.get("properties") if isinstance(written, dict) else None
    name = str((properties or {}).get("name", written))
    found = CODE.search(name)
    code = found[1].upper() if found else ""
    if code in DEGREES:
        return None
    if code not in PLANES:
        raise NotTheListError(
            f"座標参照系 {name} には対応していません。WGS 84（EPSG:4326）か、日本の平面直角座標系"
            "（EPSG:2443〜2461、6669〜6687）で書き出してください。",
            f"the reference system {name} is not supported; export the file in WGS 84 (EPSG:4326) "
            "or in Japan's plane coordinates (EPSG:2443-2461, 6669-6687)",
        )
    made: Move = Transformer.from_crs(f"EPSG:{code}", "EPSG:4326", always_xy=True).transform
    return made


def _point(number: int, feature: Any) -> tuple[str, str]:
    """Longitude and latitude, or east and north, as they were written; blank without a geometry."""
    if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
        _refuse(number, Words("地物の形が違います", "not a feature"), feature)
    geometry = feature.get("geometry")
    if geometry is None:
        return "", ""
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        kind = geometry.get("type") if isinstance(geometry, dict) else geometry
        _refuse(number, Words("点（Point）ではありません", "not a Point"), kind)
    place = geometry.get("coordinates")
    if place == []:
        return "", ""
    if not isinstance(place, list) or len(place) < 2 or not all(map(_is_number, place)):
        _refuse(number, Words("座標が 2 つの数ではありません", "not two coordinates"), place)
    return place[0], place[1]


def _is_number(value: Any) -> bool:
    """Numbers come as texts, and texts would too; only numbers read as one."""
    return isinstance(value, str) and bool(re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", value))


def _refuse(number: int, what: Words, value: Any, advice: Words = POINTS) -> NoReturn:
    shown = str(value)[:60]
    raise ColumnsError(
        f"{number} 番目の地物: {what.ja}（{shown}）。{advice.ja}",
        f"feature {number}: {what.en} ({shown}); {advice.en}",
    )


def _refuse_metres(number: int, place: tuple[str, str]) -> None:
    if all(place) and not (abs(float(place[0])) <= 180 and abs(float(place[1])) <= 180):
        _refuse(
            number,
            Words("座標が緯度・経度の度ではありません", "the coordinates are no degrees"),
            ", ".join(place),
            Words(
                "平面直角座標なら crs にその番号を書き、そうでなければ WGS 84 で書き出してください。",
                "if they are plane coordinates, name the system in crs; else export in WGS 84",
            ),
        )


def _moved(
    number: int, point: tuple[str, str], move: Move, repairs: list[Repair]
) -> tuple[str, str]:
    """The position in degrees, each half recorded as a repair."""
    if not all(point):
        return point
    degrees = move(float(point[0]), float(point[1]))
    place = tuple(f"{half:.{PLACES}f}" for half in degrees)
    for column, before, after in zip((LONGITUDE, LATITUDE), point, place, strict=True):
        repairs.append(Repair(row=number, column=column, before=before, after=after, rule=RULE))
    return place[0], place[1]


def _row(number: int, feature: dict[str, Any], place: tuple[str, str]) -> Row:
    """The properties, the feature's own number where they do not repeat it, and the position."""
    row = {name: _text(value) for name, value in (feature.get("properties") or {}).items()}
    own = _text(feature.get(ID))
    if own and own not in row.values():
        row.setdefault(ID, own)
    for name, written in ((LONGITUDE, place[0]), (LATITUDE, place[1])):
        told = row.get(name, "")
        if told and written and not _near(told, written):
            _refuse(
                number,
                Words(
                    f"属性の{name}が点と違います", f"the property {name} is not that of the point"
                ),
                f"{told}, {written}",
                Words("正しいほうにそろえてください。", "correct the wrong one"),
            )
        row[name] = written or told
    return row


def _near(told: str, written: str) -> bool:
    try:
        return abs(float(told) - float(written)) <= NEAR
    except ValueError:
        return False


def _text(value: Any) -> str:
    """Lists and objects stay JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _notes(features: Iterable[dict[str, Any]]) -> list[Words]:
    """What is in the file and in no column."""
    geometries = (feature.get("geometry") or {} for feature in features)
    if any(len(geometry.get("coordinates", ())) > 2 for geometry in geometries):
        return [
            Words("座標の標高は読みません。", "Heights beside the coordinates are not read."),
        ]
    return []
