"""Every rule of the timetable finds the fault planted for it in the very cell, and nothing in a good feed."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from harvesters.gtfs import Severity, check
from harvesters.gtfs.findings import LISTED, rules

from .conftest import found, places, spoilt, town_files, zipped

SECOND_AGENCY = [
    ("agency", 3, "agency_id", "9000000000002"),
    ("attributions", 0, "", None),
]
ON_DEMAND = [
    ("stop_times", row, column, value)
    for row in (8, 9, 10)
    for column, value in (
        ("arrival_time", ""), ("departure_time", ""), ("stop_id", ""), ("shape_dist_traveled", ""),
        ("timepoint", "0"), ("pickup_type", "1"), ("drop_off_type", "1"),
        ("location_id", "Z1"), ("start_pickup_drop_off_window", "9:00:00"),
        ("end_pickup_drop_off_window", "17:00:00"), ("pickup_booking_rule_id", "BR1"),
    )
]  # fmt: skip
"""The third trip of the good feed runs on demand."""
WINDOW = [
    ("stop_times", 2, "start_pickup_drop_off_window", "9:00:00"),
    ("stop_times", 2, "end_pickup_drop_off_window", "17:00:00"),
]
FAULTS = [
    ("block_trips_with_overlapping_stop_times", "trips", 3, "block_id", [("stop_times", 5, "departure_time", "8:05:00"), ("stop_times", 5, "arrival_time", "8:05:00")]),
    ("bidirectional_exit_gate", "pathways", 4, "is_bidirectional", [("pathways", 4, "is_bidirectional", "1")]),
    ("decreasing_or_equal_stop_time_distance", "stop_times", 4, "shape_dist_traveled", [("stop_times", 4, "shape_dist_traveled", "2000")]),
    ("decreasing_shape_distance", "shapes", 4, "shape_dist_traveled", [("shapes", 4, "shape_dist_traveled", "1000")]),
    ("duplicate_key", "stops", 8, "stop_id", [("stops", 8, "stop_id", "B1")]),
    ("duplicate_key", "stop_times", 4, "trip_id", [("stop_times", 4, "stop_sequence", "2")]),
    ("duplicated_column", "stops", 1, "stop_name", [("stops", 1, "stop_name ", "x")]),
    ("empty_column_name", "stops", 1, "", [("stops", 1, "", "x")]),
    ("empty_file", "feed_info", None, "", []),
    ("equal_shape_distance_diff_coordinates", "shapes", 4, "shape_dist_traveled", [("shapes", 4, "shape_dist_traveled", "2000")]),
    ("fare_product_with_multiple_default_rider_categories", "rider_categories", 3, "rider_category_id", [("rider_categories", 3, "is_default_fare_category", "1")]),
    ("fare_transfer_rule_duration_limit_type_without_duration_limit", "fare_transfer_rules", 2, "duration_limit", [("fare_transfer_rules", 2, "duration_limit", "")]),
    ("fare_transfer_rule_duration_limit_without_type", "fare_transfer_rules", 2, "duration_limit_type", [("fare_transfer_rules", 2, "duration_limit_type", "")]),
    ("fare_transfer_rule_invalid_transfer_count", "fare_transfer_rules", 2, "transfer_count", [("fare_transfer_rules", 2, "transfer_count", "0")]),
    ("fare_transfer_rule_missing_transfer_count", "fare_transfer_rules", 2, "transfer_count", [("fare_transfer_rules", 2, "transfer_count", "")]),
    ("fare_transfer_rule_with_forbidden_transfer_count", "fare_transfer_rules", 2, "transfer_count", [("fare_transfer_rules", 2, "to_leg_group_id", "")]),
    ("foreign_key_violation", "stop_times", 3, "stop_id", [("stop_times", 3, "stop_id", "Z9")]),
    ("foreign_key_violation", "trips", 2, "service_id", [("trips", 2, "service_id", "XX")]),
    ("foreign_key_violation", "fare_rules", 2, "origin_id", [("fare_rules", 2, "origin_id", "ZZ")]),
    ("foreign_key_violation", "stops", 3, "parent_station", [("stops", 3, "parent_station", "ZZ")]),
    ("foreign_key_violation", "trips", 2, "jp_office_id", [("trips", 2, "jp_office_id", "O9")]),
    ("inconsistent_agency_timezone", "agency", 3, "agency_timezone", [*SECOND_AGENCY, ("agency", 3, "agency_timezone", "Asia/Seoul")]),
    ("inconsistent_agency_lang", "agency", 3, "agency_lang", [*SECOND_AGENCY, ("agency", 3, "agency_lang", "en")]),
    ("invalid_character", "stops", 7, "stop_name", [("stops", 7, "stop_name", "城\ufffd")]),
    ("invalid_color", "routes", 2, "route_color", [("routes", 2, "route_color", "#006837")]),
    ("invalid_currency", "fare_attributes", 2, "currency_type", [("fare_attributes", 2, "currency_type", "YEN")]),
    ("invalid_currency_amount", "fare_products", 2, "amount", [("fare_products", 2, "amount", "210円")]),
    ("invalid_date", "calendar", 2, "end_date", [("calendar", 2, "end_date", "20270229")]),
    ("invalid_date", "calendar_dates", 2, "date", [("calendar_dates", 2, "date", "2026/11/23")]),
    ("invalid_email", "agency", 2, "agency_email", [("agency", 2, "agency_email", "info at example.jp")]),
    ("invalid_float", "stops", 7, "stop_lat", [("stops", 7, "stop_lat", "37度29分")]),
    ("invalid_integer", "stop_times", 2, "stop_sequence", [("stop_times", 2, "stop_sequence", "１")]),
    ("invalid_language_code", "agency", 2, "agency_lang", [("agency", 2, "agency_lang", "日本語")]),
    ("invalid_phone_number", "office_jp", 2, "office_phone", [("office_jp", 2, "office_phone", "なし")]),
    ("invalid_row_length", "levels", 4, "", []),
    ("invalid_time", "stop_times", 2, "arrival_time", [("stop_times", 2, "arrival_time", "8:00")]),
    ("invalid_timezone", "agency", 2, "agency_timezone", [("agency", 2, "agency_timezone", "Asia/Aizu")]),
    ("invalid_url", "agency", 2, "agency_url", [("agency", 2, "agency_url", "bus.example.jp")]),
    ("location_with_unexpected_stop_time", "stops", 2, "stop_id", [("stop_times", 2, "stop_id", "A")]),
    ("location_without_parent_station", "stops", 5, "parent_station", [("stops", 5, "parent_station", "")]),
    ("missing_calendar_and_calendar_date_files", "calendar", None, "", [("calendar", 0, "", None), ("calendar_dates", 0, "", None)]),
    ("missing_level_id", "stops", 5, "level_id", [("stops", 5, "level_id", "")]),
    ("missing_required_column", "stop_times", None, "stop_sequence", [("stop_times", 1, "stop_sequence", None)]),
    ("missing_required_field", "routes", 3, "route_type", [("routes", 3, "route_type", "")]),
    ("missing_required_field", "routes", 3, "agency_id", [*SECOND_AGENCY, ("routes", 3, "agency_id", "")]),
    ("missing_required_field", "transfers", 2, "to_stop_id", [("transfers", 2, "to_stop_id", "")]),
    ("missing_required_field", "translations", 3, "language", [("translations", 3, "language", "")]),
    ("missing_required_file", "stop_times", None, "", [("stop_times", 0, "", None)]),
    ("missing_required_file", "stops", None, "", [("stops", 0, "", None)]),
    ("missing_stop_name", "stops", 7, "stop_name", [("stops", 7, "stop_name", "")]),
    ("missing_trip_edge", "stop_times", 4, "departure_time", [("stop_times", 4, "departure_time", "")]),
    ("new_line_in_value", "stops", 7, "stop_name", []),
    ("csv_parsing_failed", "stops", 7, "", []),
    ("number_out_of_range", "stops", 7, "stop_lat", [("stops", 7, "stop_lat", "139.9262")]),
    ("number_out_of_range", "frequencies", 2, "headway_secs", [("frequencies", 2, "headway_secs", "0")]),
    ("overlapping_frequency", "frequencies", 3, "trip_id", [("frequencies", 3, "start_time", "11:00:00")]),
    ("forbidden_arrival_or_departure_time", "stop_times", 2, "arrival_time", WINDOW),
    ("forbidden_continuous_pickup_drop_off", "routes", 2, "continuous_pickup", [*ON_DEMAND, ("routes", 1, "continuous_pickup", "0")]),
    ("forbidden_drop_off_type", "stop_times", 8, "drop_off_type", [*ON_DEMAND, ("stop_times", 8, "drop_off_type", "")]),
    ("forbidden_geography_id", "stop_times", 8, "stop_id", [*ON_DEMAND, ("stop_times", 8, "stop_id", "A1")]),
    ("forbidden_pickup_type", "stop_times", 8, "pickup_type", [*ON_DEMAND, ("stop_times", 8, "pickup_type", "3")]),
    ("forbidden_prior_day_booking_field_value", "booking_rules", 4, "prior_notice_duration_max", [("booking_rules", 4, "prior_notice_duration_max", "60"), ("booking_rules", 4, "prior_notice_start_day", ""), ("booking_rules", 4, "prior_notice_start_time", "")]),
    ("forbidden_prior_notice_start_day", "booking_rules", 3, "prior_notice_start_day", [("booking_rules", 3, "prior_notice_start_day", "2"), ("booking_rules", 3, "prior_notice_start_time", "8:00:00")]),
    ("forbidden_prior_notice_start_time", "booking_rules", 4, "prior_notice_start_time", [("booking_rules", 4, "prior_notice_start_day", "")]),
    ("forbidden_real_time_booking_field_value", "booking_rules", 2, "prior_notice_duration_min", [("booking_rules", 2, "prior_notice_duration_min", "30")]),
    ("forbidden_same_day_booking_field_value", "booking_rules", 3, "prior_notice_last_day", [("booking_rules", 3, "prior_notice_last_day", "1")]),
    ("forbidden_shape_dist_traveled", "stop_times", 8, "shape_dist_traveled", [*ON_DEMAND, ("stop_times", 8, "shape_dist_traveled", "10")]),
    ("invalid_pickup_drop_off_window", "stop_times", 8, "end_pickup_drop_off_window", [*ON_DEMAND, ("stop_times", 8, "end_pickup_drop_off_window", "9:00:00")]),
    ("invalid_prior_notice_duration_min", "booking_rules", 3, "prior_notice_duration_min", [("booking_rules", 3, "prior_notice_duration_min", "2000")]),
    ("missing_pickup_or_drop_off_window", "stop_times", 8, "end_pickup_drop_off_window", [*ON_DEMAND, ("stop_times", 8, "end_pickup_drop_off_window", "")]),
    ("missing_prior_notice_duration_min", "booking_rules", 3, "prior_notice_duration_min", [("booking_rules", 3, "prior_notice_duration_min", "")]),
    ("missing_prior_notice_last_day", "booking_rules", 4, "prior_notice_last_day", [("booking_rules", 4, "prior_notice_last_day", "")]),
    ("missing_prior_notice_last_time", "booking_rules", 4, "prior_notice_last_time", [("booking_rules", 4, "prior_notice_last_time", "")]),
    ("missing_prior_notice_start_time", "booking_rules", 4, "prior_notice_start_time", [("booking_rules", 4, "prior_notice_start_time", "")]),
    ("missing_stop_times_record", "stop_times", 8, "trip_id", [*ON_DEMAND, ("stop_times", 9, None, None), ("stop_times", 9, None, None), ("stop_times", 8, "pickup_type", "2"), ("stop_times", 8, "drop_off_type", "2")]),
    ("missing_pickup_drop_off_booking_rule_id", "stop_times", 8, "pickup_booking_rule_id", [*ON_DEMAND, ("stop_times", 8, "pickup_type", "2"), ("stop_times", 8, "pickup_booking_rule_id", "")]),
    ("mixed_case_recommended_field", "stops", 9, "stop_name", [("stops", 9, "stop_name", "LAKE SIDE")]),
    ("mixed_case_recommended_field", "routes", 3, "route_long_name", [("routes", 3, "route_long_name", "lake")]),
    ("pathway_dangling_generic_node", "stops", 6, "stop_id", [("pathways", 4, None, None)]),
    ("pathway_to_platform_with_boarding_areas", "pathways", 2, "to_stop_id", [("stops", 10, "stop_id", "A5"), ("stops", 10, "location_type", "4"), ("stops", 10, "parent_station", "A2")]),
    ("pathway_to_wrong_location_type", "pathways", 2, "from_stop_id", [("pathways", 2, "from_stop_id", "A")]),
    ("pathway_unreachable_location", "stops", 4, "stop_id", [("pathways", 5, None, None), ("pathways", 2, "is_bidirectional", "0")]),
    ("pathway_unreachable_location", "stops", 3, "stop_id", [("pathways", 5, None, None)]),
    ("prior_notice_last_day_after_start_day", "booking_rules", 4, "prior_notice_last_day", [("booking_rules", 4, "prior_notice_last_day", "30")]),
    ("stop_has_too_many_matches_for_shape", "stop_times", 3, "stop_id", []),
    ("stop_too_far_from_shape_using_user_distance", "stop_times", 3, "stop_id", [("stop_times", 3, "shape_dist_traveled", "3000")]),
    ("stops_match_shape_out_of_order", "stop_times", 4, "stop_id", [("stop_times", 3, "stop_id", "C1"), ("stop_times", 4, "stop_id", "B1"), ("stop_times", 3, "shape_dist_traveled", ""), ("stop_times", 4, "shape_dist_traveled", "")]),
    ("pathway_loop", "pathways", 2, "to_stop_id", [("pathways", 2, "to_stop_id", "A3")]),
    ("point_near_origin", "stops", 9, "stop_lat", [("stops", 9, "stop_lat", "0"), ("stops", 9, "stop_lon", "0")]),
    ("point_near_pole", "stops", 9, "stop_lat", [("stops", 9, "stop_lat", "89.9")]),
    ("route_both_short_and_long_name_missing", "routes", 2, "route_id", [("routes", 2, "route_short_name", ""), ("routes", 2, "route_long_name", "")]),
    ("route_networks_specified_in_more_than_one_file", "route_networks", None, "network_id", [("routes", 1, "network_id", "")]),
    ("start_and_end_range_equal", "frequencies", 2, "start_time", [("frequencies", 2, "end_time", "10:00:00")]),
    ("start_and_end_range_out_of_order", "calendar", 2, "start_date", [("calendar", 2, "start_date", "20280401")]),
    ("start_and_end_range_out_of_order", "stop_times", 3, "arrival_time", [("stop_times", 3, "departure_time", "8:09:00")]),
    ("station_with_parent_station", "stops", 2, "parent_station", [("stops", 2, "parent_station", "B1")]),
    ("stop_time_timepoint_without_times", "stop_times", 9, "timepoint", [("stop_times", 9, "timepoint", "1")]),
    ("stop_time_with_arrival_before_previous_departure_time", "stop_times", 7, "arrival_time", [("stop_times", 7, "arrival_time", "0:15:00"), ("stop_times", 7, "departure_time", "0:15:00")]),
    ("stop_time_with_only_arrival_or_departure_time", "stop_times", 9, "arrival_time", [("stop_times", 9, "arrival_time", "9:10:00")]),
    ("stop_without_location", "stops", 7, "stop_lat", [("stops", 7, "stop_lat", "")]),
    ("transfer_with_invalid_trip_and_route", "transfers", 3, "from_route_id", [("transfers", 3, "from_route_id", "R2")]),
    ("transfer_with_invalid_trip_and_stop", "transfers", 3, "from_stop_id", [("transfers", 3, "from_stop_id", "D1")]),
    ("translation_foreign_key_violation", "translations", 3, "record_id", [("translations", 3, "record_id", "ZZ")]),
    ("translation_unexpected_value", "translations", 3, "record_id", [("translations", 3, "field_value", "城前")]),
    ("translation_unknown_table_name", "translations", 3, "table_name", [("translations", 3, "table_name", "stops.txt")]),
    ("wrong_encoding", "stops", None, "", []),
    ("wrong_line_ending", "stops", None, "", []),
    ("wrong_parent_location_type", "stops", 5, "parent_station", [("stops", 5, "parent_station", "B1")]),
    ("attribution_without_role", "attributions", 2, "organization_name", [("attributions", 2, "is_producer", "0"), ("attributions", 2, "is_authority", "0")]),
    ("duplicate_route_name", "routes", 3, "route_id", [("routes", 3, "route_short_name", "1"), ("routes", 3, "route_long_name", "温泉線")]),
    ("empty_row", "stops", 10, "", []),
    ("equal_shape_distance_diff_coordinates_distance_below_threshold", "shapes", 5, "shape_dist_traveled", [("shapes", 5, "shape_dist_traveled", "4000"), ("shapes", 5, "shape_pt_lat", "37.480005"), ("shapes", 5, "shape_pt_lon", "139.94")]),
    ("equal_shape_distance_same_coordinates", "shapes", 5, "shape_dist_traveled", [("shapes", 5, "shape_dist_traveled", "4000"), ("shapes", 5, "shape_pt_lat", "37.48"), ("shapes", 5, "shape_pt_lon", "139.94")]),
    ("expired_calendar", "calendar", 3, "service_id", [("calendar", 3, "end_date", "20261001"), ("calendar_dates", 3, "exception_type", "2")]),
    ("fast_travel_between_consecutive_stops", "stop_times", 4, "arrival_time", [("stop_times", 4, "arrival_time", "8:11:30")]),
    ("fast_travel_between_far_stops", "stop_times", 13, "arrival_time", [("stop_times", 13, "arrival_time", "10:03:00")]),
    ("feed_expiration_date30_days", "feed_info", 2, "feed_end_date", [("feed_info", 2, "feed_end_date", "20261120")]),
    ("feed_expiration_date7_days", "feed_info", 2, "feed_end_date", [("feed_info", 2, "feed_end_date", "20261105")]),
    ("feed_info_lang_and_agency_lang_mismatch", "agency", 2, "agency_lang", [("feed_info", 2, "feed_lang", "en")]),
    ("invalid_input_files_in_subfolder", "feed.zip", None, "", []),
    ("leading_or_trailing_whitespaces", "stops", 7, "stop_name", [("stops", 7, "stop_name", "城前　")]),
    ("leading_or_trailing_whitespaces", "stops", 1, "stop_name", []),
    ("missing_feed_contact_email_and_url", "feed_info", 2, "feed_contact_email", [("feed_info", 2, "feed_contact_email", "")]),
    ("missing_feed_info_date", "feed_info", 2, "feed_start_date", [("feed_info", 2, "feed_start_date", "")]),
    ("missing_recommended_column", "stop_times", None, "timepoint", [("stop_times", 1, "timepoint", None)]),
    ("missing_recommended_file", "feed_info", None, "", [("feed_info", 0, "", None)]),
    ("missing_recommended_file", "fare_attributes", None, "", [("fare_attributes", 0, "", None), ("fare_rules", 0, "", None)]),
    ("missing_timepoint_value", "stop_times", 2, "timepoint", [("stop_times", 2, "timepoint", "")]),
    ("more_than_one_entity", "feed_info", None, "", [("feed_info", 3, "feed_version", "2")]),
    ("non_ascii_or_non_printable_char", "calendar", 2, "service_id", [("calendar", 2, "service_id", "平日")]),
    ("route_color_contrast", "routes", 2, "route_text_color", [("routes", 2, "route_text_color", "000000")]),
    ("route_long_name_contains_short_name", "routes", 2, "route_long_name", [("routes", 2, "route_long_name", "1 温泉線")]),
    ("route_short_name_too_long", "routes", 2, "route_short_name", [("routes", 2, "route_short_name", "まちなか周遊バスハイカラさん")]),
    ("same_name_and_description_for_route", "routes", 2, "route_desc", [("routes", 2, "route_desc", "温泉線")]),
    ("same_name_and_description_for_stop", "stops", 7, "stop_desc", [("stops", 7, "stop_desc", "城前")]),
    ("same_route_and_agency_url", "routes", 2, "route_url", [("routes", 2, "route_url", "https://BUS.example.jp/")]),
    ("same_stop_and_agency_url", "stops", 3, "stop_url", [("stops", 3, "stop_url", "https://bus.example.jp/")]),
    ("same_stop_and_route_url", "stops", 3, "stop_url", [("stops", 3, "stop_url", "https://bus.example.jp/r1")]),
    ("service_has_no_active_day_of_the_week", "calendar", 4, "service_id", [("calendar", 4, "service_id", "NO"), ("calendar", 4, "saturday", "0"), ("calendar", 4, "sunday", "0")]),
    ("single_shape_point", "shapes", 6, "shape_id", [("shapes", 6, "shape_id", "H2")]),
    ("stop_too_far_from_shape", "stop_times", 3, "stop_id", [("stops", 7, "stop_lon", "139.9200")]),
    ("stop_without_stop_time", "stops", 10, "stop_id", [("stops", 10, "stop_id", "E1")]),
    ("transfer_distance_too_large", "transfers", 2, "to_stop_id", [("transfers", 2, "to_stop_id", "D1")]),
    ("transfer_distance_above_2_km", "transfers", 2, "to_stop_id", [("transfers", 2, "to_stop_id", "C1")]),
    ("trip_coverage_not_active_for_next7_days", "trips", None, "service_id", [("calendar", 2, "end_date", "20261105"), ("calendar", 3, "end_date", "20261105"), ("calendar_dates", 0, "", None)]),
    ("unexpected_enum_value", "routes", 2, "route_type", [("routes", 2, "route_type", "99")]),
    ("unusable_trip", "trips", 6, "trip_id", [("trips", 6, "trip_id", "T5"), ("stop_times", 14, "trip_id", "T5")]),
    ("unused_shape", "shapes", 6, "shape_id", [("shapes", 6, "shape_id", "H2")]),
    ("unused_trip", "trips", 6, "trip_id", [("trips", 6, "trip_id", "T5")]),
    ("platform_without_parent_station", "stops", 7, "parent_station", [("stops", 7, "platform_code", "3")]),
    ("stop_without_zone_id", "stops", 7, "stop_id", [("stops", 7, "zone_id", ""), ("fare_rules", 2, "destination_id", "ZC"), ("fare_rules", 3, None, None)]),
    ("unknown_column", "stops", None, "stop_nmae", [("stops", 1, "stop_nmae", "x")]),
    ("unknown_file", "stop_time", None, "", []),
    ("unused_station", "stops", 10, "stop_id", [("stops", 10, "stop_id", "E"), ("stops", 10, "location_type", "1")]),
]  # fmt: skip


def replaced(name, old, new):
    """The good feed with other bytes in one file."""
    files = town_files()
    assert old in files[name]
    return files | {name: files[name].replace(old, new)}


BYTES = {
    ("empty_file", "feed_info"): lambda: town_files() | {"feed_info.txt": b"\n"},
    ("invalid_row_length", "levels"): lambda: (
        town_files() | {"levels.txt": town_files()["levels.txt"] + b"L3,1\n"}
    ),
    ("new_line_in_value", "stops"): lambda: replaced(
        "stops.txt", "城前".encode(), '"城\n前"'.encode()
    ),
    ("csv_parsing_failed", "stops"): lambda: replaced(
        "stops.txt", "城前".encode(), '"城前'.encode()
    ),
    ("duplicated_column", "stops"): lambda: replaced("stops.txt", b"stop_desc", b"stop_name"),
    ("wrong_encoding", "stops"): lambda: (
        town_files() | {"stops.txt": town_files()["stops.txt"].decode().encode("cp932")}
    ),
    ("stop_has_too_many_matches_for_shape", "stop_times"): lambda: replaced(
        "shapes.txt",
        b"H1,37.4904,139.9262,2,2000\n",
        b"".join(b"H1,37.4904,139.92%d,2,2000\n" % (62 if turn % 2 else 90) for turn in range(42)),
    ),
    ("wrong_line_ending", "stops"): lambda: replaced("stops.txt", b"\n", b"\r"),
    ("empty_row", "stops"): lambda: (
        town_files() | {"stops.txt": town_files()["stops.txt"] + b",,,,,,,,,,,\n"}
    ),
    ("invalid_input_files_in_subfolder", "feed.zip"): lambda: {
        f"gtfs/{name}": content for name, content in town_files().items()
    },
    ("unknown_file", "stop_time"): lambda: town_files() | {"stop_time.txt": b"a\n1\n"},
    ("leading_or_trailing_whitespaces", "stops", 1): lambda: replaced(
        "stops.txt", b"stop_name", b" stop_name"
    ),
}


@pytest.mark.parametrize(
    ("rule", "table", "row", "field", "edits"),
    FAULTS,
    ids=[f"{rule}-{table}-{field}" for rule, table, row, field, edits in FAULTS],
)
def test_a_planted_fault_is_found_in_its_cell(rule, table, row, field, edits):
    """The rule, the file, the row as a spreadsheet counts, the column."""
    made = BYTES.get((rule, table, row)) or BYTES.get((rule, table))
    if made and not edits:
        files = made()
    else:
        files = made() if made else spoilt(*edits)
    assert (rule, table, row, field) in places(found(files), rule)


def test_every_rule_has_a_planted_fault():
    """A rule that nothing breaks may be no rule."""
    assert set(rules("static")) == {fault[0] for fault in FAULTS}


def test_a_good_feed_has_no_findings(town):
    """Stations, levels, fares, blocks and GTFS-JP tables are all in it."""
    assert places(town) == []
    assert town.valid
    assert len(town.tables) == 30


@pytest.mark.parametrize("rule", rules("static").values(), ids=lambda rule: rule.name)
def test_a_rule_says_what_to_do_in_both_languages(rule):
    """Japanese ends as a sentence and asks for something; neither is blank."""
    assert rule.words.ja.endswith("。")
    assert any(word in rule.words.ja for word in ("ください", "不要なら"))
    assert len(rule.words.en) > 20


def test_a_finding_says_file_row_column_value_and_advice():
    """All in one sentence that a clerk can act on."""
    feed = found(spoilt(("stop_times", 3, "stop_id", "Z9")))
    (finding,) = [one for one in feed.findings if one.rule == "foreign_key_violation"]
    assert finding.words.ja == (
        "stop_times.txt 3 行目 stop_id「Z9」: この値が stops.txt stop_id にありません。"
        "そちらに行を足すか、値を直してください。"
    )
    assert finding.words.en == (
        "stop_times.txt row 3 stop_id 'Z9': not found in stops.txt stop_id; "
        "add the row there or correct the value"
    )


@pytest.mark.parametrize(
    "edit",
    [
        ("trips", 2, "jp_office_id", "O9"),
        ("agency_jp", 2, "agency_id", "1"),
        ("office_jp", 2, "office_name", ""),
        ("pattern_jp", 2, "route_update_date", "令和8年"),
    ],
)
def test_a_fault_in_the_japanese_extension_is_a_warning(edit):
    """No reader of GTFS elsewhere looks at it."""
    feed = found(spoilt(edit))
    assert feed.valid
    assert feed.findings.total(Severity.WARNING) == 1


def test_an_office_may_be_named_without_the_table_of_offices():
    """GTFS-JP has the column without the table in many feeds."""
    assert places(found(spoilt(("office_jp", 0, "", None)))) == []


def test_many_findings_of_one_kind_are_counted_and_a_hundred_listed():
    """A million wrong cells are one thing to mend."""
    files = town_files()
    files["shapes.txt"] += b"".join(b"H1,x,139.9,%d,\n" % number for number in range(10, 5010))
    feed = found(files)
    assert feed.findings.by_rule()["invalid_float"] == 5000
    assert len(places(feed, "invalid_float")) == LISTED


def test_the_day_of_the_check_decides_what_is_past():
    """The same feed a year later has run out."""
    later = found(town_files(), today=date(2027, 12, 1))
    assert set(later.findings.by_rule()) == {
        "expired_calendar",
        "feed_expiration_date7_days",
        "trip_coverage_not_active_for_next7_days",
    }


def test_old_japanese_translations_are_read_as_they_are():
    """Up to its second edition GTFS-JP had trans_id, lang and translation."""
    files = town_files() | {
        "translations.txt": "trans_id,lang,translation\n駅前,ja,駅前\n駅前,ja-Hrkt,えきまえ\n".encode()
    }
    feed = found(files)
    assert places(feed) == []
    assert feed.tables["translations"].height == 2


def test_the_day_may_be_left_out():
    """It is today in Japan then."""
    day = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    feed = check(zipped(town_files()), "feed.zip")
    assert feed.checked_on - day <= timedelta(days=1)  # midnight may pass
