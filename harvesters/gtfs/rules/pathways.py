"""Ways inside stations: their ends, loops and gates, and whether every platform can be reached and left."""

from collections.abc import Iterable, Mapping

import polars as pl

from harvesters.gtfs.findings import Findings
from harvesters.gtfs.rules.stops import BOARDING, ENTRANCE, NODE, STATION, STOP
from harvesters.gtfs.tables import Frames

ELEVATOR, EXIT_GATE = 5, 7
NEVER_ENDS = 3
"""Steps from a boarding area over its platform to the station, and one for a loop among parents."""


def check(frames: Frames, findings: Findings) -> None:
    """Everything about pathways.txt; a station without pathways is left alone."""
    rows = frames["pathways"]
    if rows.is_empty():
        return
    stops = frames["stops"].with_columns(kind=pl.col("location_type").fill_null(STOP))
    _single_rows(rows, stops, findings)
    _levels(rows, stops, findings)
    _dangling_nodes(rows, stops, findings)
    _unreachable(rows, stops, findings)


def _single_rows(rows: pl.DataFrame, stops: pl.DataFrame, findings: Findings) -> None:
    """Pathways end at points; stations, and platforms with boarding areas, are more than a point."""
    stations = stops.filter(pl.col("kind") == STATION)["stop_id"]
    parents = stops["parent_station"].drop_nulls()
    divided = stops.filter(
        (pl.col("kind") == STOP) & pl.col("stop_id").is_in(parents.unique().implode())
    )["stop_id"]
    for field in ("from_stop_id", "to_stop_id"):
        for rule, places in (
            ("pathway_to_wrong_location_type", stations),
            ("pathway_to_platform_with_boarding_areas", divided),
        ):
            wrong = rows.filter(pl.col(field).is_in(places.implode()))
            findings.add_rows(rule, "pathways.txt", field, wrong)
    both_ways = (pl.col("pathway_mode") == EXIT_GATE) & (pl.col("is_bidirectional") == 1)
    for rule, field, broken in (
        ("pathway_loop", "to_stop_id", pl.col("from_stop_id") == pl.col("to_stop_id")),
        ("bidirectional_exit_gate", "is_bidirectional", both_ways),
    ):
        findings.add_rows(rule, "pathways.txt", field, rows.filter(broken))


def _levels(rows: pl.DataFrame, stops: pl.DataFrame, findings: Findings) -> None:
    elevators = rows.filter(pl.col("pathway_mode") == ELEVATOR)
    ends = pl.concat([elevators["from_stop_id"], elevators["to_stop_id"]]).drop_nulls()
    flat = stops.filter(
        pl.col("stop_id").is_in(ends.unique().implode()) & pl.col("level_id").is_null()
    )
    findings.add_rows("missing_level_id", "stops.txt", "level_id", flat)


def _dangling_nodes(rows: pl.DataFrame, stops: pl.DataFrame, findings: Findings) -> None:
    """A node with one neighbour leads nowhere, whatever the direction."""
    ahead = rows.select(stop_id="from_stop_id", other="to_stop_id")
    back = rows.select(stop_id="to_stop_id", other="from_stop_id")
    neighbours = pl.concat([ahead, back]).group_by("stop_id").agg(pl.col("other").n_unique())
    single = neighbours.filter(pl.col("other") == 1)["stop_id"]
    lost = stops.filter((pl.col("kind") == NODE) & pl.col("stop_id").is_in(single.implode()))
    findings.add_rows("pathway_dangling_generic_node", "stops.txt", "stop_id", lost)


def _unreachable(rows: pl.DataFrame, stops: pl.DataFrame, findings: Findings) -> None:
    """Platforms, boarding areas and nodes that no entrance leads to, or from which none is reached."""
    ahead = _ways(rows, "from_stop_id", "to_stop_id")
    back = _ways(rows, "to_stop_id", "from_stop_id")
    entrances = stops.filter(pl.col("kind") == ENTRANCE)["stop_id"].drop_nulls().to_list()
    entered, left = _reached(entrances, ahead), _reached(entrances, back)
    lost = _places_to_reach(rows, stops).filter(~pl.col("stop_id").is_in(sorted(entered & left)))
    told = lost.with_columns(
        way_ja=pl.when(pl.col("stop_id").is_in(sorted(entered)))
        .then(pl.lit("ここから出入口へ"))
        .otherwise(pl.lit("出入口からここへ")),
        way_en=pl.when(pl.col("stop_id").is_in(sorted(entered)))
        .then(pl.lit("from here to an entrance"))
        .otherwise(pl.lit("here from an entrance")),
    )
    findings.add_rows("pathway_unreachable_location", "stops.txt", "stop_id", told)


def _ways(rows: pl.DataFrame, start: str, end: str) -> dict[str, list[str]]:
    """Place to the places one pathway further."""
    ways: dict[str, list[str]] = {}
    for one, other, both in rows.select(start, end, "is_bidirectional").iter_rows():
        ways.setdefault(one, []).append(other)
        if both == 1:
            ways.setdefault(other, []).append(one)
    return ways


def _reached(starts: Iterable[str], ways: Mapping[str, list[str]]) -> set[str]:
    reached = set(starts)
    waiting = list(reached)
    while waiting:
        new = [place for place in ways.get(waiting.pop(), []) if place not in reached]
        reached.update(new)
        waiting.extend(new)
    return reached


def _places_to_reach(rows: pl.DataFrame, stops: pl.DataFrame) -> pl.DataFrame:
    """Of stations with any pathway: nodes, boarding areas, and platforms that have none of these."""
    parents = dict(stops.select("stop_id", "parent_station").drop_nulls().iter_rows())
    stations = set(stops.filter(pl.col("kind") == STATION)["stop_id"].drop_nulls())

    def station_of(stop: str) -> str:
        for _ in range(NEVER_ENDS):
            if stop in stations:
                return stop
            stop = parents.get(stop, "")
        return ""

    ends = pl.concat([rows["from_stop_id"], rows["to_stop_id"]]).drop_nulls().unique()
    served = {station_of(stop) for stop in ends} - {""}
    inside = [stop for stop in parents if station_of(stop) in served]
    divided = list(set(parents.values()))
    kind, stop = pl.col("kind"), pl.col("stop_id")
    whole = (kind == STOP) & ~stop.is_in(divided)
    return stops.filter(stop.is_in(inside) & (kind.is_in([NODE, BOARDING]) | whole))
