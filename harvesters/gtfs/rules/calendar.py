"""Days of service: order of dates, services that never run, feeds that end soon."""

from datetime import date, timedelta

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.service import WEEKDAYS, service_days
from harvesters.gtfs.tables import Frames

WEEK, MONTH = timedelta(days=7), timedelta(days=30)


def check(frames: Frames, findings: Findings, today: date) -> None:
    """Everything about dates; some rules depend on the day of the check."""
    for name, start, end in (
        ("calendar", "start_date", "end_date"),
        ("feed_info", "feed_start_date", "feed_end_date"),
    ):
        wrong = frames[name].filter(pl.col(start) > pl.col(end))
        rule = "start_and_end_range_out_of_order"
        findings.add_rows(rule, f"{name}.txt", start, wrong, other=end)
    idle = pl.sum_horizontal(pl.col(day).fill_null(0) for day in WEEKDAYS) == 0
    exceptional = frames["calendar_dates"]["service_id"].unique()
    never = frames["calendar"].filter(idle & ~pl.col("service_id").is_in(exceptional.implode()))
    findings.add_rows("service_has_no_active_day_of_the_week", "calendar.txt", "service_id", never)
    days = service_days(frames)
    _expired(frames, days, findings, today)
    _coming_days(frames, days, findings, today)
    _feed_end(frames["feed_info"], findings, today)


def _expired(frames: Frames, days: pl.DataFrame, findings: Findings, today: date) -> None:
    """Services whose last day is past; a feed may keep them, but nobody can ride them."""
    last = days.group_by("service_id").agg(last=pl.col("date").max())
    over = last.filter(pl.col("last") < today)
    for name in ("calendar", "calendar_dates"):
        listed = frames[name].unique("service_id", keep="first", maintain_order=True)
        found = listed.join(over, on="service_id", how="inner", maintain_order="left")
        findings.add_rows("expired_calendar", f"{name}.txt", "service_id", found.sort(ROW))
        over = over.join(listed, on="service_id", how="anti")


def _coming_days(frames: Frames, days: pl.DataFrame, findings: Findings, today: date) -> None:
    """The next seven days should have trips."""
    used = days.join(
        frames["trips"].select("service_id").unique(),
        on="service_id",
        how="semi",
        maintain_order="left",
    )
    if used.is_empty():
        return
    first, last = used["date"][0], used["date"][-1]  # in order of the date
    if first > today or last < today + WEEK:
        shown = f"{first:%Y-%m-%d} – {last:%Y-%m-%d}"
        findings.add(
            "trip_coverage_not_active_for_next7_days", "trips.txt", "service_id", None, shown
        )


def _feed_end(info: pl.DataFrame, findings: Findings, today: date) -> None:
    for rule, end in (
        ("feed_expiration_date7_days", pl.col("feed_end_date") < today + WEEK),
        (
            "feed_expiration_date30_days",
            pl.col("feed_end_date").is_between(today + WEEK, today + MONTH, closed="left"),
        ),
    ):
        findings.add_rows(rule, "feed_info.txt", "feed_end_date", info.filter(end))
