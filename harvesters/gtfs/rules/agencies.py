"""Agencies, routes and the feed's description of itself: names, languages, colours, addresses."""

import polars as pl

from harvesters.gtfs.findings import ROW, Findings
from harvesters.gtfs.tables import Frames

SHORT_NAME = 12
LUMA_DIFFERENCE = 72


def check(frames: Frames, findings: Findings) -> None:
    """Everything about who runs what under which name."""
    _agencies(frames["agency"], findings)
    _needs_agency(frames, findings)
    _route_names(frames["routes"], findings)
    _route_colours(frames["routes"], findings)
    _addresses(frames, findings)
    _feed_info(frames, findings)
    _attributions(frames["attributions"], findings)


def _agencies(agency: pl.DataFrame, findings: Findings) -> None:
    """Times of one feed have one meaning, so its agencies share a time zone."""
    if agency.height < 2:
        return
    nameless = agency.filter(pl.col("agency_id").is_null())
    findings.add_rows("missing_required_field", "agency.txt", "agency_id", nameless)
    for field, rule in (
        ("agency_timezone", "inconsistent_agency_timezone"),
        ("agency_lang", "inconsistent_agency_lang"),
    ):
        first = agency[field].drop_nulls().first()
        other = agency.filter(pl.col(field) != pl.lit(first, pl.String))
        findings.add_rows(rule, "agency.txt", field, other, detail=first)


def _needs_agency(frames: Frames, findings: Findings) -> None:
    if frames["agency"].height < 2:
        return
    for name in ("routes", "fare_attributes"):
        table = frames[name].filter(pl.col("agency_id").is_null())
        findings.add_rows("missing_required_field", f"{name}.txt", "agency_id", table)


def _route_names(routes: pl.DataFrame, findings: Findings) -> None:
    short, long = pl.col("route_short_name"), pl.col("route_long_name")
    desc = pl.col("route_desc").str.to_lowercase()
    for rule, field, wrong in (
        ("route_both_short_and_long_name_missing", "route_id", short.is_null() & long.is_null()),
        ("route_short_name_too_long", "route_short_name", short.str.len_chars() > SHORT_NAME),
        ("route_long_name_contains_short_name", "route_long_name", _begins_with(long, short)),
        (
            "same_name_and_description_for_route",
            "route_desc",
            (desc == short.str.to_lowercase()).fill_null(value=False)
            | (desc == long.str.to_lowercase()).fill_null(value=False),
        ),
    ):
        findings.add_rows(rule, "routes.txt", field, routes.filter(wrong))
    key = ["route_long_name", "route_short_name", "route_type", "agency_id"]
    named = routes.filter(short.is_not_null() | long.is_not_null())
    twice = named.filter(~pl.struct(key).is_first_distinct())
    shown = pl.concat_str(short.fill_null(""), long.fill_null(""), separator=" ").str.strip_chars()
    findings.add_rows(
        "duplicate_route_name", "routes.txt", "route_id", twice.with_columns(shown=shown), "shown"
    )


def _begins_with(long: pl.Expr, short: pl.Expr) -> pl.Expr:
    """A long name that repeats the number at its beginning, alone or before a space, dash or bracket."""
    rest = long.str.to_lowercase().str.strip_prefix(short.str.to_lowercase())
    begins = long.str.to_lowercase().str.starts_with(short.str.to_lowercase())
    return begins & rest.str.contains(r"^(\s|-|\(|$)")


def _route_colours(routes: pl.DataFrame, findings: Findings) -> None:
    """Black letters on dark blue cannot be read on a display; the measure is the difference in luma."""
    given = routes.filter(
        pl.col("route_color").is_not_null() & pl.col("route_text_color").is_not_null()
    )
    poor = given.filter((_luma("route_color") - _luma("route_text_color")).abs() < LUMA_DIFFERENCE)
    findings.add_rows("route_color_contrast", "routes.txt", "route_text_color", poor)


def _luma(name: str) -> pl.Expr:
    red, green, blue = (
        pl.col(name).str.slice(start, 2).str.to_integer(base=16, strict=False).cast(pl.Float64)
        for start in (0, 2, 4)
    )
    return 0.30 * red + 0.59 * green + 0.11 * blue


def _addresses(frames: Frames, findings: Findings) -> None:
    """The page of a route or stop is another one than that of the agency."""
    agency = frames["agency"].select(pl.col("agency_url").str.to_lowercase()).drop_nulls().unique()
    routes, stops = frames["routes"], frames["stops"]
    route = routes.select(pl.col("route_url").str.to_lowercase()).drop_nulls().unique()
    for rule, name, table, field, pages in (
        ("same_route_and_agency_url", "routes.txt", routes, "route_url", agency),
        ("same_stop_and_agency_url", "stops.txt", stops, "stop_url", agency),
        ("same_stop_and_route_url", "stops.txt", stops, "stop_url", route),
    ):
        same = table.filter(pl.col(field).str.to_lowercase().is_in(pages.to_series().to_list()))
        findings.add_rows(rule, name, field, same)


def _feed_info(frames: Frames, findings: Findings) -> None:
    info, agency = frames["feed_info"], frames["agency"]
    if info.height > 1:
        findings.add("more_than_one_entity", "feed_info.txt", value=info.height)
    for row in info.head(1).iter_rows(named=True):
        _languages(row, agency, findings)
        for field, other in (
            ("feed_start_date", "feed_end_date"),
            ("feed_end_date", "feed_start_date"),
        ):
            if row[field] is None and row[other] is not None:
                findings.add("missing_feed_info_date", "feed_info.txt", field, row[ROW])
        if row["feed_contact_email"] is None and row["feed_contact_url"] is None:
            findings.add(
                "missing_feed_contact_email_and_url",
                "feed_info.txt",
                "feed_contact_email",
                row[ROW],
            )


def _languages(row: dict[str, str], agency: pl.DataFrame, findings: Findings) -> None:
    """`mul` says that the feed is in several languages."""
    feed = (row["feed_lang"] or "mul").lower()
    other = agency.filter(pl.col("agency_lang").str.to_lowercase() != feed)
    if feed != "mul":
        findings.add_rows(
            "feed_info_lang_and_agency_lang_mismatch",
            "agency.txt",
            "agency_lang",
            other,
            detail=feed,
        )


def _attributions(attributions: pl.DataFrame, findings: Findings) -> None:
    roles = pl.max_horizontal(
        pl.col(role).fill_null(0) for role in ("is_producer", "is_operator", "is_authority")
    )
    findings.add_rows(
        "attribution_without_role",
        "attributions.txt",
        "organization_name",
        attributions.filter(roles < 1),
    )
