"""Trips and their times at the stops: order, ends, speed, use, and vehicles in two places at once."""

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.geometry import distance_km
from harvesters.gtfs.tables import Frames

MAX_KMH = {0: 100, 1: 150, 2: 500, 3: 150, 4: 80, 5: 30, 6: 50, 7: 50, 11: 150, 12: 150}
"""By route_type, as the canonical validator has them."""
MAX_KMH_OTHERS = 200
FAR_KM = 10.0


def check(frames: Frames, findings: Findings) -> None:
    """Everything about stop_times, trips, blocks and frequencies."""
    times = frames["stop_times"]
    _pairs(times, findings)
    ordered = _ordered(times)
    _edges(ordered, findings)
    _order(ordered, findings)
    _distances(ordered, findings)
    _speed(frames, ordered, findings)
    _use(frames, times, findings)
    _blocks(frames, times, findings)
    _frequencies(frames["frequencies"], findings)


def _ordered(times: pl.DataFrame) -> pl.DataFrame:
    """Only what the rules on order need, since a copy of everything would be the largest thing held."""
    return (
        times.select(
            ROW,
            "trip_id",
            "stop_sequence",
            "stop_id",
            "arrival_time",
            "departure_time",
            "shape_dist_traveled",
            window=pl.col("start_pickup_drop_off_window").is_not_null(),
        )
        .filter(pl.col("trip_id").is_not_null())
        .sort("trip_id", "stop_sequence", maintain_order=True)
    )


def _before(expression: pl.Expr) -> pl.Expr:
    """The value in the row before, if that is of the same trip."""
    same = pl.col("trip_id") == pl.col("trip_id").shift(1)
    return pl.when(same).then(expression.shift(1))


def _pairs(times: pl.DataFrame, findings: Findings) -> None:
    """Arrival and departure of one stop."""
    arrival, departure = pl.col("arrival_time"), pl.col("departure_time")
    one = arrival.is_null() != departure.is_null()
    timed = arrival.is_not_null() & departure.is_not_null()
    for rule, field, wrong in (
        ("stop_time_with_only_arrival_or_departure_time", "arrival_time", one),
        ("start_and_end_range_out_of_order", "arrival_time", arrival > departure),
        ("stop_time_timepoint_without_times", "timepoint", (pl.col("timepoint") == 1) & ~timed),
        (
            "missing_required_field",
            "stop_id",
            pl.col("stop_id").is_null()
            & pl.col("location_id").is_null()
            & pl.col("location_group_id").is_null(),
        ),
    ):
        findings.add_rows(
            rule, "stop_times.txt", field, clock(times.filter(wrong)), other="departure_time"
        )
    if times["timepoint"].null_count() < times.height:
        untold = times.filter(pl.col("timepoint").is_null() & timed)
        findings.add_rows("missing_timepoint_value", "stop_times.txt", "timepoint", untold)


def clock(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Seconds as H:MM:SS again, for people."""
    return frame.with_columns(
        pl.concat_str(
            pl.col(name) // 3600,
            (pl.col(name) // 60 % 60).cast(pl.String).str.zfill(2),
            (pl.col(name) % 60).cast(pl.String).str.zfill(2),
            separator=":",
        )
        for name in names or ("arrival_time", "departure_time")
    )


def _edges(ordered: pl.DataFrame, findings: Findings) -> None:
    """Without a time at both ends nobody knows when a trip runs; on-demand windows stand for times."""
    trip = pl.col("trip_id")
    edge = (trip != trip.shift(1)).fill_null(value=True) | (trip != trip.shift(-1)).fill_null(
        value=True
    )
    for field in ("arrival_time", "departure_time"):
        open_ended = ordered.filter(edge & pl.col(field).is_null() & ~pl.col("window"))
        findings.add_rows("missing_trip_edge", "stop_times.txt", field, open_ended, value="trip_id")


def _order(ordered: pl.DataFrame, findings: Findings) -> None:
    """Each arrival is compared with the last departure that is known in the same trip."""
    departed = pl.coalesce("departure_time", "arrival_time")
    early = (
        ordered.filter(
            pl.col("arrival_time").is_not_null() | pl.col("departure_time").is_not_null()
        )
        .with_columns(previous=_before(departed))
        .filter(pl.coalesce("arrival_time", "departure_time") < pl.col("previous"))
    )
    findings.add_rows(
        "stop_time_with_arrival_before_previous_departure_time",
        "stop_times.txt",
        "arrival_time",
        clock(early),
    )


def _distances(ordered: pl.DataFrame, findings: Findings) -> None:
    travelled = ordered.filter(pl.col("shape_dist_traveled").is_not_null())
    if travelled.is_empty():
        return
    back = travelled.with_columns(previous=_before(pl.col("shape_dist_traveled"))).filter(
        pl.col("shape_dist_traveled") <= pl.col("previous")
    )
    findings.add_rows(
        "decreasing_or_equal_stop_time_distance", "stop_times.txt", "shape_dist_traveled", back
    )


def _speed(frames: Frames, ordered: pl.DataFrame, findings: Findings) -> None:
    """Legs between consecutive stops, and stretches of more than 10 km between timed stops.

    Times are often rounded to minutes, so a minute is added where both are whole minutes.
    """
    legs = _legs(frames, ordered)
    kmh = pl.col("km") / (pl.col("seconds") / 3600)
    fast = legs.with_columns(kmh=kmh.round(0)).filter(kmh > pl.col("limit"))
    findings.add_rows(
        "fast_travel_between_consecutive_stops",
        "stop_times.txt",
        "arrival_time",
        clock(fast.filter(pl.col("legs") == 1)),
    )
    findings.add_rows(
        "fast_travel_between_far_stops",
        "stop_times.txt",
        "arrival_time",
        clock(fast.filter((pl.col("legs") > 1) & (pl.col("km") > FAR_KM))),
    )


def _legs(frames: Frames, ordered: pl.DataFrame) -> pl.DataFrame:
    """One row for each timed stop after the first: distance along the stops since the last timed one."""
    places = _places(frames["stops"])
    limits = (
        frames["trips"]
        .select("trip_id", "route_id")
        .unique("trip_id", keep="first")
        .join(
            frames["routes"].select("route_id", "route_type").unique("route_id", keep="first"),
            on="route_id",
            how="left",
        )
        .select(
            "trip_id",
            limit=pl.col("route_type").replace_strict(MAX_KMH, default=MAX_KMH_OTHERS),
        )
    )
    lat, lon = pl.col("lat"), pl.col("lon")
    stops = (
        ordered.select(ROW, "trip_id", "stop_id", "arrival_time", "departure_time")
        .join(places, on="stop_id", how="inner", maintain_order="left")
        .with_columns(
            along=_within_trip(distance_km(lat.shift(1), lon.shift(1), lat, lon)).cum_sum(),
            number=pl.int_range(pl.len()),
        )
        .drop("lat", "lon")
        .filter(pl.col("arrival_time").is_not_null() & pl.col("departure_time").is_not_null())
    )
    departed = _before(pl.col("departure_time"))
    since = pl.col("arrival_time") - departed
    rounded = (pl.col("arrival_time") % 60 == 0) & (departed % 60 == 0)
    return (
        stops.with_columns(
            km=pl.col("along") - _before(pl.col("along")),
            legs=pl.col("number") - _before(pl.col("number")),
            seconds=(since + pl.when(rounded).then(60).otherwise(0)).clip(1),
            since=since,
        )
        .filter(pl.col("since") >= 0)
        .join(limits, on="trip_id", how="left")
    )


def _within_trip(step: pl.Expr) -> pl.Expr:
    """The way to the first stop of a trip is no part of it."""
    same = pl.col("trip_id") == pl.col("trip_id").shift(1)
    return pl.when(same).then(step).otherwise(0.0).fill_null(0.0)


def _places(stops: pl.DataFrame) -> pl.DataFrame:
    """Where each stop is; boarding areas and nodes without coordinates are where their parent is."""
    parents = stops.select(
        parent_station="stop_id", parent_lat="stop_lat", parent_lon="stop_lon"
    ).unique("parent_station", keep="first")
    return (
        stops.join(parents, on="parent_station", how="left")
        .select(
            "stop_id",
            lat=pl.coalesce("stop_lat", "parent_lat"),
            lon=pl.coalesce("stop_lon", "parent_lon"),
        )
        .drop_nulls()
        .unique("stop_id", keep="first")
    )


def _use(frames: Frames, times: pl.DataFrame, findings: Findings) -> None:
    counts = times.group_by("trip_id").len("calls")
    trips = frames["trips"].filter(pl.col("trip_id").is_not_null())
    used = trips.join(counts, on="trip_id", how="left", maintain_order="left")
    unused = used.filter(pl.col("calls").is_null())
    findings.add_rows("unused_trip", "trips.txt", "trip_id", unused)
    on_demand = times.filter(pl.col("start_pickup_drop_off_window").is_not_null())["trip_id"]
    single = used.filter((pl.col("calls") == 1) & ~pl.col("trip_id").is_in(on_demand.implode()))
    findings.add_rows("unusable_trip", "trips.txt", "trip_id", single)


def _blocks(frames: Frames, times: pl.DataFrame, findings: Findings) -> None:
    """Two trips of one vehicle at one time; compared where they run under the same service."""
    trips = frames["trips"].filter(pl.col("block_id").is_not_null())
    if trips.is_empty():
        return
    spans = times.group_by("trip_id").agg(
        begins=pl.col("departure_time").min(), ends=pl.col("arrival_time").max()
    )
    ordered = (
        trips.select(ROW, "trip_id", "block_id", "service_id")
        .join(spans, on="trip_id", how="inner")
        .drop_nulls()
        .sort("block_id", "service_id", "begins", "ends")
    )
    group = ["block_id", "service_id"]
    clash = ordered.with_columns(
        latest=pl.col("ends").cum_max().shift(1).over(group),
        other=pl.col("trip_id").shift(1).over(group),
    ).filter(pl.col("begins") < pl.col("latest"))
    findings.add_rows(
        "block_trips_with_overlapping_stop_times", "trips.txt", "block_id", clash.sort(ROW)
    )


def _frequencies(frequencies: pl.DataFrame, findings: Findings) -> None:
    begin, end = pl.col("start_time"), pl.col("end_time")
    for rule, wrong in (
        ("start_and_end_range_out_of_order", begin > end),
        ("start_and_end_range_equal", begin == end),
    ):
        findings.add_rows(
            rule, "frequencies.txt", "start_time", frequencies.filter(wrong), other="end_time"
        )
    overlap = (
        frequencies.sort("trip_id", "start_time")
        .with_columns(latest=end.shift(1).over("trip_id"))
        .filter(begin < pl.col("latest"))
    )
    findings.add_rows("overlapping_frequency", "frequencies.txt", "trip_id", overlap)
