"""Rules of the smaller tables: translations, transfers and fares."""

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.geometry import distance_km
from harvesters.gtfs.schema import tables
from harvesters.gtfs.tables import Frames

FAR_KM, SUSPICIOUS_KM = 10.0, 2.0
IN_SEAT = (4, 5)
TRANSLATED = (
    "agency", "stops", "routes", "trips", "stop_times", "pathways", "levels", "feed_info",
    "attributions",
)  # fmt: skip


def check(frames: Frames, findings: Findings) -> None:
    """Everything that no other module looks at."""
    _translations(frames, findings)
    _transfers(frames, findings)
    _transfer_distances(frames, findings)
    _fares(frames, findings)


def _translations(frames: Frames, findings: Findings) -> None:
    """The layout of old Japanese feeds has no table_name, and is left alone."""
    rows = frames["translations"]
    if rows["table_name"].null_count() == rows.height:
        return
    table, record, value = pl.col("table_name"), pl.col("record_id"), pl.col("field_value")
    for field in ("table_name", "field_name", "language"):
        blank = rows.filter(pl.col(field).is_null())
        findings.add_rows("missing_required_field", "translations.txt", field, blank)
    known = [name for name, schema in tables().items() if not schema.japanese]
    unknown = rows.filter(~table.is_in(known))
    findings.add_rows("translation_unknown_table_name", "translations.txt", "table_name", unknown)
    for field, wrong in (
        ("record_id", record.is_not_null() & value.is_not_null()),
        ("field_value", (table == "feed_info") & value.is_not_null()),
        (
            "record_sub_id",
            pl.col("record_sub_id").is_not_null() & (table != "stop_times") & record.is_not_null(),
        ),
    ):
        found = rows.filter(wrong)
        findings.add_rows("translation_unexpected_value", "translations.txt", field, found)
    neither = rows.filter((table != "feed_info") & record.is_null() & value.is_null())
    findings.add_rows("missing_required_field", "translations.txt", "record_id", neither)
    _translated_rows(frames, rows, findings)


def _translated_rows(frames: Frames, rows: pl.DataFrame, findings: Findings) -> None:
    for name in TRANSLATED:
        if not tables()[name].key:
            continue
        key = tables()[name].key[0]
        pointing = rows.filter((pl.col("table_name") == name) & pl.col("record_id").is_not_null())
        known = frames[name][key].drop_nulls().unique()
        lost = pointing.filter(~pl.col("record_id").is_in(known.implode()))
        findings.add_rows(
            "translation_foreign_key_violation",
            "translations.txt",
            "record_id",
            lost,
            other=f"{name}.txt {key}",
        )


def _transfers(frames: Frames, findings: Findings) -> None:
    """Between stops two stops are needed; to stay in one's seat, two trips."""
    rows = frames["transfers"]
    kind = pl.col("transfer_type").fill_null(0)
    for side in ("from", "to"):
        for field, needed in (
            (f"{side}_stop_id", ~kind.is_in(IN_SEAT)),
            (f"{side}_trip_id", kind.is_in(IN_SEAT)),
        ):
            blank = rows.filter(needed & pl.col(field).is_null())
            findings.add_rows("missing_required_field", "transfers.txt", field, blank)
        _transfer_trips(frames, rows, side, findings)


def _transfer_trips(frames: Frames, rows: pl.DataFrame, side: str, findings: Findings) -> None:
    """Where trip and route, or trip and stop, are both named, they belong together."""
    trip, route, stop = f"{side}_trip_id", f"{side}_route_id", f"{side}_stop_id"
    trips = frames["trips"].select(**{trip: "trip_id", "real": "route_id"}).unique(trip)
    joined = rows.filter(pl.col(trip).is_not_null()).join(trips, on=trip, how="inner")
    if joined.is_empty():
        return
    wrong = joined.filter(pl.col(route) != pl.col("real"))
    findings.add_rows("transfer_with_invalid_trip_and_route", "transfers.txt", route, wrong)
    calls = frames["stop_times"].select(**{trip: "trip_id", stop: "stop_id"}).unique()
    stations = frames["stops"].filter(pl.col("location_type") == 1)["stop_id"]
    strange = joined.filter(
        pl.col(stop).is_not_null() & ~pl.col(stop).is_in(stations.implode())
    ).join(calls, on=[trip, stop], how="anti")
    findings.add_rows("transfer_with_invalid_trip_and_stop", "transfers.txt", stop, strange)


def _transfer_distances(frames: Frames, findings: Findings) -> None:
    places = (
        frames["stops"].select("stop_id", "stop_lat", "stop_lon").drop_nulls().unique("stop_id")
    )
    pairs = (
        frames["transfers"]
        .filter(~pl.col("transfer_type").fill_null(0).is_in(IN_SEAT))
        .join(places, left_on="from_stop_id", right_on="stop_id", how="inner")
        .join(places, left_on="to_stop_id", right_on="stop_id", how="inner", suffix="_to")
        .with_columns(
            km=distance_km(
                pl.col("stop_lat"), pl.col("stop_lon"), pl.col("stop_lat_to"), pl.col("stop_lon_to")
            ).round(1)
        )
    )
    far, further = pl.col("km") > SUSPICIOUS_KM, pl.col("km") > FAR_KM
    for rule, wrong in (
        ("transfer_distance_too_large", further),
        ("transfer_distance_above_2_km", far & ~further),
    ):
        findings.add_rows(rule, "transfers.txt", "to_stop_id", pairs.filter(wrong).sort(ROW))


def _fares(frames: Frames, findings: Findings) -> None:
    defaults = frames["rider_categories"].filter(pl.col("is_default_fare_category") == 1)
    findings.add_rows(
        "fare_product_with_multiple_default_rider_categories",
        "rider_categories.txt",
        "rider_category_id",
        defaults.slice(1),
    )
    rules = frames["fare_transfer_rules"]
    limit, kind = pl.col("duration_limit").is_null(), pl.col("duration_limit_type").is_null()
    same = pl.col("from_leg_group_id").eq_missing(pl.col("to_leg_group_id"))
    count = pl.col("transfer_count")
    for rule, field, wrong in (
        ("fare_transfer_rule_duration_limit_without_type", "duration_limit_type", ~limit & kind),
        (
            "fare_transfer_rule_duration_limit_type_without_duration_limit",
            "duration_limit",
            limit & ~kind,
        ),
        ("fare_transfer_rule_missing_transfer_count", "transfer_count", same & count.is_null()),
        (
            "fare_transfer_rule_with_forbidden_transfer_count",
            "transfer_count",
            ~same & count.is_not_null(),
        ),
        (
            "fare_transfer_rule_invalid_transfer_count",
            "transfer_count",
            (count < -1) | (count == 0),
        ),
    ):
        findings.add_rows(rule, "fare_transfer_rules.txt", field, rules.filter(wrong))
