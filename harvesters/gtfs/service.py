"""On which days a feed's services run, and which trips run on a date."""

from datetime import date, timedelta

import polars as pl

from harvesters.gtfs.tables import Frames

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ADDED, REMOVED = 1, 2
LONGEST = 10 * 366
"""Days of one service that are looked at; an end date in the year 9999 means: until further notice."""


def service_days(frames: Frames) -> pl.DataFrame:
    """Every service_id and date on which it runs: the weekly calendar, then its exceptions."""
    weekly = _weekly(frames["calendar"])
    exceptions = frames["calendar_dates"].select("service_id", "date", "exception_type")
    added = exceptions.filter(pl.col("exception_type") == ADDED).select("service_id", "date")
    removed = exceptions.filter(pl.col("exception_type") == REMOVED)
    return (
        pl.concat([weekly, added])
        .drop_nulls()
        .unique()
        .join(removed, on=["service_id", "date"], how="anti")
        .sort("date", "service_id")
    )


def trips_on(frames: Frames, day: date) -> pl.DataFrame:
    """The trips that run on a service day, with their routes, first departure and last arrival.

    Times are seconds since the beginning of the service day; 25:10 is ten past one of the next day.
    """
    running = service_days(frames).filter(pl.col("date") == day).select("service_id").unique()
    spans = (
        frames["stop_times"]
        .group_by("trip_id")
        .agg(begins=pl.col("departure_time").min(), ends=pl.col("arrival_time").max())
    )
    return (
        frames["trips"]
        .select("trip_id", "route_id", "service_id", "trip_headsign", "direction_id", "shape_id")
        .join(running, on="service_id", how="semi")
        .join(spans, on="trip_id", how="left")
        .sort("begins", "trip_id")
    )


def _weekly(calendar: pl.DataFrame) -> pl.DataFrame:
    end = pl.min_horizontal("end_date", pl.col("start_date") + timedelta(days=LONGEST))
    runs = pl.concat_list(pl.col(name).fill_null(0) for name in WEEKDAYS)
    return (
        calendar.filter(pl.col("start_date") <= pl.col("end_date"))
        .select("service_id", runs=runs, date=pl.date_ranges("start_date", end))
        .explode("date")
        .filter(pl.col("runs").list.get(pl.col("date").dt.weekday() - 1) == 1)
        .select("service_id", "date")
    )
