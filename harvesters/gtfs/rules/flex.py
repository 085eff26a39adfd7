"""Buses on demand: the windows in which they may be boarded, and how they are booked."""

import polars as pl

from harvesters.gtfs.findings import Findings
from harvesters.gtfs.rules.times import clock
from harvesters.gtfs.tables import Frames

REAL_TIME, SAME_DAY, PRIOR_DAY = range(3)
SCHEDULED, NONE, BY_PHONE, BY_DRIVER = range(4)
START, END = "start_pickup_drop_off_window", "end_pickup_drop_off_window"
PLACES = ("stop_id", "location_group_id", "location_id")
LAST = ("prior_notice_last_day", "prior_notice_last_time")
FORBIDDEN = (
    (
        REAL_TIME,
        "forbidden_real_time_booking_field_value",
        (
            "prior_notice_duration_min", "prior_notice_duration_max", *LAST,
            "prior_notice_start_day", "prior_notice_start_time", "prior_notice_service_id",
        ),
    ),
    (SAME_DAY, "forbidden_same_day_booking_field_value", (*LAST, "prior_notice_service_id")),
    (
        PRIOR_DAY,
        "forbidden_prior_day_booking_field_value",
        ("prior_notice_duration_min", "prior_notice_duration_max"),
    ),
)  # fmt: skip
NEEDED = (
    (SAME_DAY, "missing_prior_notice_duration_min", "prior_notice_duration_min"),
    (PRIOR_DAY, "missing_prior_notice_last_day", "prior_notice_last_day"),
    (PRIOR_DAY, "missing_prior_notice_last_time", "prior_notice_last_time"),
)


def check(frames: Frames, findings: Findings) -> None:
    """Everything that GTFS-Flex has added."""
    _windows(frames["stop_times"], findings)
    _places(frames["stop_times"], findings)
    _continuous(frames, findings)
    if frames["booking_rules"].height:
        _rules_by_type(frames["booking_rules"], findings)
        _notice(frames["booking_rules"], findings)
        _booking_named(frames["stop_times"], findings)


def _windows(times: pl.DataFrame, findings: Findings) -> None:
    """A window stands in place of a time, has two ends, and needs riders who ask for it."""
    rows = times.filter(pl.col(START).is_not_null() | pl.col(END).is_not_null())
    if rows.is_empty():
        return
    timed = pl.col("arrival_time").is_not_null() | pl.col("departure_time").is_not_null()
    pickup, drop_off = (
        pl.col(name).fill_null(SCHEDULED) for name in ("pickup_type", "drop_off_type")
    )
    on_call = (pl.col("pickup_type") == BY_PHONE) & (pl.col("drop_off_type") == BY_PHONE)
    counted = rows.join(times.group_by("trip_id").len("calls"), on="trip_id", how="left")
    for rule, field, wrong in (
        ("forbidden_arrival_or_departure_time", "arrival_time", timed),
        ("missing_pickup_or_drop_off_window", START, pl.col(START).is_null()),
        ("missing_pickup_or_drop_off_window", END, pl.col(END).is_null()),
        ("invalid_pickup_drop_off_window", END, pl.col(START) >= pl.col(END)),
        ("forbidden_pickup_type", "pickup_type", pickup.is_in([SCHEDULED, BY_DRIVER])),
        ("forbidden_drop_off_type", "drop_off_type", drop_off == SCHEDULED),
        ("missing_stop_times_record", "trip_id", (pl.col("calls") == 1) & on_call),
    ):
        shown = clock(counted.filter(wrong), "arrival_time", "departure_time", START, END)
        findings.add_rows(rule, "stop_times.txt", field, shown)


def _places(times: pl.DataFrame, findings: Findings) -> None:
    """One place for each call; an area has no distance along a line."""
    several = pl.sum_horizontal(pl.col(name).is_not_null() for name in PLACES) > 1
    findings.add_rows("forbidden_geography_id", "stop_times.txt", "stop_id", times.filter(several))
    area = pl.any_horizontal(pl.col(name).is_not_null() for name in PLACES[1:])
    measured = times.filter(area & pl.col("shape_dist_traveled").is_not_null())
    findings.add_rows(
        "forbidden_shape_dist_traveled", "stop_times.txt", "shape_dist_traveled", measured
    )


def _continuous(frames: Frames, findings: Findings) -> None:
    """A route with windows takes nobody aboard between its stops."""
    windows = frames["stop_times"].filter(pl.col(START).is_not_null() | pl.col(END).is_not_null())
    if windows.is_empty():
        return
    trips = frames["trips"].join(windows.select("trip_id").unique(), on="trip_id", how="semi")
    routes = frames["routes"].join(trips.select("route_id").unique(), on="route_id", how="semi")
    for field in ("continuous_pickup", "continuous_drop_off"):
        wrong = routes.filter(pl.col(field) != NONE)
        findings.add_rows("forbidden_continuous_pickup_drop_off", "routes.txt", field, wrong)


def _booking_named(times: pl.DataFrame, findings: Findings) -> None:
    for kind in ("pickup", "drop_off"):
        field = f"{kind}_booking_rule_id"
        rows = times.filter((pl.col(f"{kind}_type") == BY_PHONE) & pl.col(field).is_null())
        findings.add_rows("missing_pickup_drop_off_booking_rule_id", "stop_times.txt", field, rows)


def _rules_by_type(rules: pl.DataFrame, findings: Findings) -> None:
    """Which of the columns on notice may and must be filled depends on the type of booking."""
    for kind, rule, fields in FORBIDDEN:
        for field in fields:
            wrong = rules.filter((pl.col("booking_type") == kind) & pl.col(field).is_not_null())
            findings.add_rows(rule, "booking_rules.txt", field, wrong)
    for kind, rule, field in NEEDED:
        wrong = rules.filter((pl.col("booking_type") == kind) & pl.col(field).is_null())
        findings.add_rows(rule, "booking_rules.txt", field, wrong)


def _notice(rules: pl.DataFrame, findings: Findings) -> None:
    """The earliest and the latest moment of booking, in minutes and in days."""
    least, most = pl.col("prior_notice_duration_min"), pl.col("prior_notice_duration_max")
    day, time = pl.col("prior_notice_start_day"), pl.col("prior_notice_start_time")
    last = pl.col("prior_notice_last_day")
    for rule, field, wrong in (
        ("invalid_prior_notice_duration_min", "prior_notice_duration_min", least > most),
        (
            "forbidden_prior_notice_start_day",
            "prior_notice_start_day",
            most.is_not_null() & day.is_not_null(),
        ),
        (
            "forbidden_prior_notice_start_time",
            "prior_notice_start_time",
            time.is_not_null() & day.is_null(),
        ),
        (
            "missing_prior_notice_start_time",
            "prior_notice_start_time",
            time.is_null() & day.is_not_null(),
        ),
        ("prior_notice_last_day_after_start_day", "prior_notice_last_day", last > day),
    ):
        shown = clock(rules.filter(wrong), "prior_notice_start_time", "prior_notice_last_time")
        findings.add_rows(rule, "booking_rules.txt", field, shown)
