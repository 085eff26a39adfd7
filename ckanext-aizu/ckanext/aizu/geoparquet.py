"""Geometry in Parquet, as GeoParquet 1.1 wants it: WKB in longitude and latitude, and a description of it."""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any

import polars as pl
from geomet import wkb

from ckanext.aizu import parquet_file

Feature = dict[str, Any]
_TYPES = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}
_POINT = struct.Struct("<BIdd").pack
_LITTLE_ENDIAN, _POINT_TYPE = 1, 1
_EARTH = (90, 180)
_EDGES = ("south", "north", "west", "east")


def extent(position: Sequence[pl.Expr]) -> Iterator[pl.Expr]:
    """The edges of a table's points; the order of the columns is latitude, longitude."""
    both = _on_earth(position[0], position[1])
    for column, (least, most) in zip(position, (_EDGES[:2], _EDGES[2:]), strict=True):
        value = pl.when(both).then(column)
        yield value.min().alias(f"edge {least}")
        yield value.max().alias(f"edge {most}")


def with_points(
    frame: pl.LazyFrame, names: Sequence[str], position: tuple[str, str], edges: Mapping[str, Any]
) -> tuple[pl.LazyFrame, str]:
    """The table with a column of points behind the others, and the text that describes it.

    Args:
        frame: the table, typed.
        names: of its columns.
        position: columns of latitude and longitude.
        edges: what `extent` has found.
    """
    name = _free_name(names)
    latitude, longitude = map(pl.col, position)
    pair = pl.when(_on_earth(latitude, longitude)).then(pl.struct(x=longitude, y=latitude))
    points = pair.map_batches(_as_wkb, return_dtype=pl.Binary, is_elementwise=True)
    south, north, west, east = (edges[f"edge {edge}"] for edge in _EDGES)
    box = [] if south is None else [west, south, east, north]
    return frame.with_columns(points.alias(name)), _described(name, {"Point"}, box)


def _on_earth(latitude: pl.Expr, longitude: pl.Expr) -> pl.Expr:
    return (latitude.abs() <= _EARTH[0]) & (longitude.abs() <= _EARTH[1])


def _as_wkb(pairs: pl.Series) -> pl.Series:
    x, y = pairs.struct.field("x"), pairs.struct.field("y")
    return pl.Series(
        [
            None
            if east is None or north is None
            else _POINT(_LITTLE_ENDIAN, _POINT_TYPE, east, north)
            for east, north in zip(x, y, strict=True)
        ],
        dtype=pl.Binary,
    )


def write_layer(features: list[Feature], metadata: Mapping[str, str], to: Path) -> None:
    """Writes the features of a GeoJSON layer, one a row.

    Raises:
        ValueError: a geometry is none.
    """
    names = list(dict.fromkeys(name for one in features for name in one["properties"] or {}))
    columns = {
        name: _column([(one["properties"] or {}).get(name) for one in features]) for name in names
    }
    geometry = _free_name(names)
    columns[geometry] = pl.Series([_wkb(one["geometry"]) for one in features], dtype=pl.Binary)
    geo = _described(geometry, *_summary([one["geometry"] for one in features if one["geometry"]]))
    parquet_file.save(pl.DataFrame(columns).lazy(), {**metadata, "geo": geo}, to)


def features_of(content: bytes) -> list[Feature]:
    """The features of a GeoJSON layer.

    Raises:
        ValueError: it is no FeatureCollection.
    """
    layer = json.loads(content)
    features = layer.get("features") if isinstance(layer, dict) else None
    if not isinstance(features, list) or not all(map(_is_feature, features)):
        raise ValueError("no FeatureCollection of features with geometry and properties")
    return features


def _is_feature(value: Any) -> bool:
    parts = ("geometry", "properties")
    return isinstance(value, dict) and all(
        isinstance(value.get(p, ""), dict | NoneType) for p in parts
    )


def only_points(features: list[Feature]) -> bool:
    """Whether the layer shows places and nothing that has a length."""
    return all((one["geometry"] or {}).get("type", "Point") == "Point" for one in features)


def _column(values: list[Any]) -> pl.Series:
    """Typed if all values have one type, else as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) > 1:
        return pl.Series(values, dtype=pl.Float64, strict=False)
    if len(kinds) <= 1 and kinds <= {str, int, float, bool}:
        try:
            return pl.Series(values, dtype=_TYPES[next(iter(kinds), str)])
        except (OverflowError, TypeError):
            pass  # larger than 64 bits
    return pl.Series([_as_text(value) for value in values], dtype=pl.String)


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _wkb(geometry: Any) -> bytes | None:
    if geometry is None:
        return None
    try:
        return bytes(wkb.dumps(geometry, big_endian=False))
    except Exception as error:  # geomet raises whatever the geometry makes it stumble over
        raise ValueError(f"no geometry: {str(geometry)[:80]}") from error


def _summary(shapes: list[dict[str, Any]]) -> tuple[set[str], list[float]]:
    """The types of geometries, none where heights are told of some only, and their bounding box."""
    positions = [place for shape in shapes for place in _positions(shape)]
    lengths = {len(place) for place in positions}
    edges = list(zip(*positions, strict=False))
    box = [*map(min, edges), *map(max, edges)]
    if len(lengths) > 1:
        return set(), box
    return {shape["type"] + (" Z" if lengths == {3} else "") for shape in shapes}, box


def _positions(part: Any) -> Iterator[list[float]]:
    """All positions of a geometry, however deep they lie."""
    if isinstance(part, dict):
        part = part.get("coordinates") or part.get("geometries")
    if part and isinstance(part[0], int | float):
        yield part
    else:
        for inner in part or ():
            yield from _positions(inner)


def _described(name: str, kinds: set[str], box: list[float]) -> str:
    """Without a `crs`: that is OGC:CRS84, longitude before latitude."""
    column = {"encoding": "WKB", "geometry_types": sorted(kinds), **({"bbox": box} if box else {})}
    return json.dumps({"version": "1.1.0", "primary_column": name, "columns": {name: column}})


def _free_name(names: Sequence[str]) -> str:
    """Programs that tell columns apart without case must find it, too."""
    taken, name = {one.lower() for one in names}, "geometry"
    while name in taken:
        name = f"{name}_"
    return name
