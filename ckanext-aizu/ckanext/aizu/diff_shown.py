"""The differences of two versions as programs and people get them: JSON, a map layer, one sentence."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ckanext.aizu.diff import Diff, Row

MOST_FEATURES = 10_000
"""On one map; browsers draw so many without a pause."""
Point = tuple[float, float]


def to_json(diff: Diff, offset: int, limit: int) -> dict[str, Any]:
    """A page of the rows that differ, and what is said of all of them."""
    counts = diff.counts
    return {
        "counts": {
            "added": counts.added,
            "changed": counts.changed,
            "removed": counts.removed,
            "unchanged": counts.unchanged,
            "before": counts.before,
            "after": counts.after,
            "rewritten": diff.rewritten,
            "keyless": diff.keyless,
        },
        "key": list(diff.key),
        "fields": {
            "added": list(diff.fields.added),
            "removed": list(diff.fields.removed),
            "retyped": [retyped._asdict() for retyped in diff.fields.retyped],
        },
        "order_changed": diff.order_changed,
        "offset": offset,
        "limit": limit,
        "total": len(diff.places),
        "rows": [row_json(row) for row in diff.rows(offset, limit)],
    }


def row_json(row: Row) -> dict[str, Any]:
    """One row: all cells of an added or removed one, of a changed one those that changed."""
    cells: Mapping[str, Any] = row.after or row.before
    if row.before and row.after:
        cells = {cell.column: {"before": cell.before, "after": cell.after} for cell in row.cells}
    return {
        "change": str(row.change),
        "key": row.key,
        "row_before": row.row_before,
        "row_after": row.row_after,
        "cells": dict(cells),
    }


def as_geojson(diff: Diff, position: tuple[str, str], limit: int = MOST_FEATURES) -> dict[str, Any]:
    """The rows that differ as features, with the properties of `row_json`.

    What moved is a line from where it was to where it is. A row without a position that can be
    drawn is a feature without geometry.

    Args:
        diff: the differences.
        position: the columns of latitude and longitude.
        limit: how many features at most; `left_out` says how many rows are not among them.
    """
    features = list(_features(diff.rows(0, limit), position))
    left_out = len(diff.places) - len(features)
    return {"type": "FeatureCollection", "left_out": left_out, "features": features}


def _features(rows: Iterator[Row], position: tuple[str, str]) -> Iterator[dict[str, Any]]:
    for row in rows:
        geometry = _geometry(_point(row.before, position), _point(row.after, position))
        yield {"type": "Feature", "geometry": geometry, "properties": row_json(row)}


def _geometry(before: Point | None, after: Point | None) -> dict[str, Any] | None:
    if before and after and before != after:
        return {"type": "LineString", "coordinates": [before, after]}
    point = after or before
    return {"type": "Point", "coordinates": point} if point else None


def _point(cells: Mapping[str, str], position: tuple[str, str]) -> Point | None:
    try:
        latitude, longitude = (float(cells.get(column, "")) for column in position)
    except ValueError:
        return None
    sound = math.fabs(latitude) <= 90 and math.fabs(longitude) <= 180
    return (longitude, latitude) if sound else None


def summary(diff: Diff, language: str) -> str:
    """One sentence on all that differs, in Japanese or English."""
    if not diff:
        return "No changes" if language == "en" else "変更はありません"
    told = (_english if language == "en" else _japanese)(diff)
    comma = ", " if language == "en" else "、"
    return comma.join(told)


def _japanese(diff: Diff) -> Iterator[str]:
    counts, fields = diff.counts, diff.fields
    yield f"追加 {counts.added:,} 行、変更 {counts.changed:,} 行、削除 {counts.removed:,} 行"
    if fields.added:
        yield f"列の追加: {'・'.join(fields.added)}"
    if fields.removed:
        yield f"列の削除: {'・'.join(fields.removed)}"
    if fields.retyped:
        yield f"型の変わった列: {'・'.join(one.name for one in fields.retyped)}"
    if diff.order_changed:
        yield "並び順の変更あり"


def _english(diff: Diff) -> Iterator[str]:
    counts, fields = diff.counts, diff.fields
    rows = "row" if counts.added == 1 else "rows"
    yield f"{counts.added:,} {rows} added, {counts.changed:,} changed, {counts.removed:,} removed"
    if fields.added:
        yield f"new columns: {', '.join(fields.added)}"
    if fields.removed:
        yield f"columns gone: {', '.join(fields.removed)}"
    if fields.retyped:
        yield f"columns of another type: {', '.join(one.name for one in fields.retyped)}"
    if diff.order_changed:
        yield "order of rows changed"
