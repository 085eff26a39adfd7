"""Stops beside the line of their trip: how far from it, how often near it, and in which order along it."""

from collections.abc import Iterator

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.geometry import distance_km, nearest_on_line_km
from harvesters.gtfs.tables import Frames

FAR_KM = 0.1
"""A stop further than 100 m from the line of its trip stands at another street."""
TERMINAL_KM = 0.4
"""Lines of railways often end before the ends of their tracks."""
RAIL = 2
MANY_MATCHES = 20
MATCHES = {
    ROW: pl.UInt32,
    "shape_id": pl.String,
    "stop_id": pl.String,
    "number": pl.Int64,
    "km": pl.Float64,
    "along": pl.Float64,
}
NOTHING_KM = 1e-6
"""A millimetre: what the last digits of a float may make of the same distance twice."""
LINES_AT_ONCE = 1_000_000
"""Pairs of a stop and a piece of line that are measured together; this bounds the memory."""


def check(frames: Frames, ordered: pl.DataFrame, findings: Findings) -> None:
    """Every stop of every trip with a line; `ordered` are the points of all lines."""
    calls = _calls(frames)
    if calls.is_empty():
        return
    pairs = _pairs(calls)
    matches = pl.concat(_matches(pairs, lines(ordered)))
    far = matches.filter(pl.col("number") == 0)
    findings.add_rows("stop_too_far_from_shape", "stop_times.txt", "stop_id", _told(far))
    near = matches.filter(pl.col("number") > 0)
    counted = near.group_by(ROW, "shape_id", "stop_id").len("matches").sort(ROW, "shape_id")
    many = counted.filter(pl.col("matches") > MANY_MATCHES)
    findings.add_rows("stop_has_too_many_matches_for_shape", "stop_times.txt", "stop_id", many)
    _order(calls, near, findings)
    _by_given_distance(calls, ordered, far, findings)


def lines(ordered: pl.DataFrame) -> pl.DataFrame:
    """Each piece of line between two points of a shape, and how far from the beginning it starts."""
    lat, lon = pl.col("lat"), pl.col("lon")
    points = ordered.select("shape_id", lat="shape_pt_lat", lon="shape_pt_lon").drop_nulls()
    step = distance_km(lat, lon, pl.col("next_lat"), pl.col("next_lon"))
    return points.with_columns(
        next_lat=lat.shift(-1).over("shape_id").fill_null(lat),
        next_lon=lon.shift(-1).over("shape_id").fill_null(lon),
        piece=pl.int_range(pl.len()).over("shape_id"),
    ).with_columns(begins=(step.cum_sum() - step).over("shape_id"))


def _calls(frames: Frames) -> pl.DataFrame:
    """The stops with a place of all trips with a line, one trip for each series of stops."""
    routes = frames["routes"].select("route_id", "route_type").unique("route_id")
    places = frames["stops"].select("stop_id", "stop_lat", "stop_lon").drop_nulls()
    calls = (
        frames["stop_times"]
        .select(ROW, "trip_id", "stop_id", "stop_sequence", "shape_dist_traveled")
        .join(
            frames["trips"].select("trip_id", "shape_id", "route_id").drop_nulls("shape_id"),
            on="trip_id",
            how="inner",
        )
        .join(routes, on="route_id", how="left")
        .join(places.unique("stop_id"), on="stop_id", how="inner")
        .sort("shape_id", "trip_id", "stop_sequence", maintain_order=True)
    )
    of_trip = ["shape_id", "trip_id"]
    series = calls.group_by(of_trip, maintain_order=True).agg("stop_id", "shape_dist_traveled")
    firsts = series.unique(["shape_id", "stop_id", "shape_dist_traveled"], keep="first")
    number = pl.int_range(pl.len()).over("trip_id")
    edge = (number == 0) | (number == pl.len().over("trip_id") - 1)
    return calls.join(firsts.select(of_trip), on=of_trip, how="semi").with_columns(
        limit=pl.when((pl.col("route_type") == RAIL) & edge).then(TERMINAL_KM).otherwise(FAR_KM)
    )


def _pairs(calls: pl.DataFrame) -> pl.DataFrame:
    """Every pair of a line and a stop once, with the row of the first such call."""
    return calls.group_by("shape_id", "stop_id").agg(
        pl.col(ROW).min(), pl.col("stop_lat", "stop_lon").first(), pl.col("limit").max()
    )


def _matches(pairs: pl.DataFrame, pieces: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """For each pair the places where the line comes near and goes away again, numbered from 1.

    A pair that has none comes back once, with the number 0 and the least distance.
    """
    counts = pieces.group_by("shape_id").len("pieces")
    batch = (pl.col("pieces").cast(pl.Int64).cum_sum() // LINES_AT_ONCE).alias("batch")
    known = pairs.join(counts, on="shape_id", how="inner").sort("shape_id", "stop_id")
    for _, part in known.with_columns(batch).group_by("batch", maintain_order=True):
        yield _matches_of(part, pieces)
    yield pl.DataFrame(schema=pl.Schema(MATCHES))


def _matches_of(pairs: pl.DataFrame, pieces: pl.DataFrame) -> pl.DataFrame:
    """A new match begins where the line comes back within reach, or nearer after it went away."""
    pair = ["shape_id", "stop_id"]
    stop, start, end = (
        (pl.col(lat), pl.col(lon))
        for lat, lon in (("stop_lat", "stop_lon"), ("lat", "lon"), ("next_lat", "next_lon"))
    )
    km, run = nearest_on_line_km(*stop, start, end)
    end_km, _ = nearest_on_line_km(*stop, end, end)
    within = pl.col("km") <= pl.col("limit")
    before, left = (pl.col(name).shift(1).over(pair) for name in ("within", "end_km"))
    went_away = left > pl.col("km").shift(1).over(pair) + NOTHING_KM
    again = went_away & (pl.col("km") < left - NOTHING_KM)
    begins = pl.col("within") & (~before.fill_null(value=False) | again)
    number = pl.when("within").then(begins.cum_sum().over(pair)).otherwise(0).cast(pl.Int64)
    return (
        pairs.lazy()
        .join(pieces.lazy(), on="shape_id", how="inner")
        .sort("shape_id", "stop_id", "piece")
        .with_columns(km=km, along=pl.col("begins") + run, end_km=end_km)
        .with_columns(within=within)
        .with_columns(number=number)
        .group_by(ROW, *pair, "number")
        .agg(pl.col("km").min(), along=pl.col("along").sort_by("km").first())
        .filter((pl.col("number") > 0) | (pl.col("number").max().over(pair) == 0))
        .sort(ROW, "shape_id", "number")
        .collect()
        .cast(pl.Schema(MATCHES))
    )


def _told(far: pl.DataFrame) -> pl.DataFrame:
    return far.with_columns(metres=(pl.col("km") * 1000).round(0).cast(pl.Int64))


def _order(calls: pl.DataFrame, near: pl.DataFrame, findings: Findings) -> None:
    """The first stop of each series that lies behind the one before it, wherever both are matched."""
    places = near.sort("along").group_by("shape_id", "stop_id").agg("along")
    matched = calls.join(places, on=["shape_id", "stop_id"], how="left", maintain_order="left")
    whole = matched.filter(pl.col("along").is_not_null().all().over("trip_id"))
    wrong = [
        (rows[place], shape, stops[place], stops[place - 1])
        for rows, shape, stops, along in whole.group_by("trip_id", maintain_order=True)
        .agg(ROW, pl.col("shape_id").first(), "stop_id", "along")
        .select(ROW, "shape_id", "stop_id", "along")
        .iter_rows()
        if (place := _behind(along))
    ]
    names = {ROW: pl.UInt32, "shape_id": pl.String, "stop_id": pl.String, "before": pl.String}
    found = pl.DataFrame(wrong, schema=names, orient="row").sort(ROW, "shape_id")
    findings.add_rows("stops_match_shape_out_of_order", "stop_times.txt", "stop_id", found)


def _behind(matches: list[list[float]]) -> int:
    """Which stop has no match at or after the earliest possible one of the stop before it; 0: none."""
    reached = 0.0
    for number, places in enumerate(matches):
        ahead = [place for place in places if place >= reached]
        if not ahead:
            return number
        reached = min(ahead)
    return 0


def _by_given_distance(
    calls: pl.DataFrame, ordered: pl.DataFrame, far: pl.DataFrame, findings: Findings
) -> None:
    """Stops that are not where shape_dist_traveled says, unless they were found far off already."""
    given = pl.col("shape_dist_traveled")
    measured = calls.filter(given.last().over("trip_id") > 0).drop_nulls("shape_dist_traveled")
    points = _measured_points(ordered)
    if measured.is_empty() or points.is_empty():
        return
    pair = ["shape_id", "stop_id"]
    once = measured.unique([*pair, "shape_dist_traveled"], keep="first")
    away = _placed(once, points).filter(pl.col("km") > FAR_KM).sort(ROW)
    new = away.unique(pair, keep="first", maintain_order=True).join(
        far.select(pair), on=pair, how="anti", maintain_order="left"
    )
    rule = "stop_too_far_from_shape_using_user_distance"
    findings.add_rows(rule, "stop_times.txt", "stop_id", _told(new))


def _measured_points(ordered: pl.DataFrame) -> pl.DataFrame:
    """The points of lines that tell distances, each with the one that follows it."""
    given = pl.col("shape_dist_traveled")
    points = ordered.filter(given.max().over("shape_id") > 0).select(
        "shape_id",
        measure=given.fill_null(0).cum_max().over("shape_id"),
        lat="shape_pt_lat",
        lon="shape_pt_lon",
    )
    following = pl.col("measure", "lat", "lon").shift(-1).over("shape_id")
    return points.with_columns(following.name.prefix("next_")).sort("measure")


def _placed(calls: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """How far each stop is from the place between two points that its distance names."""
    given = pl.col("shape_dist_traveled")
    placed = calls.sort("shape_dist_traveled").join_asof(
        points,
        left_on="shape_dist_traveled",
        right_on="measure",
        by="shape_id",
        check_sortedness=False,
    )
    share = (given - pl.col("measure")) / (pl.col("next_measure") - pl.col("measure"))
    share = share.clip(0, 1).fill_nan(0).fill_null(0)
    lat, lon = (
        pl.col(name) + share * (pl.col(f"next_{name}").fill_null(pl.col(name)) - pl.col(name))
        for name in ("lat", "lon")
    )
    return placed.with_columns(km=distance_km(pl.col("stop_lat"), pl.col("stop_lon"), lat, lon))
