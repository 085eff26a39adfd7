"""Names that passengers read: in capitals and small letters, as one writes them."""

import polars as pl

from harvesters.gtfs.findings import Findings
from harvesters.gtfs.tables import Frames

READ_BY_PASSENGERS = {
    "agency": ("agency_name",),
    "stops": ("stop_name", "stop_desc"),
    "routes": ("route_short_name", "route_long_name", "route_desc"),
    "trips": ("trip_headsign", "trip_short_name"),
    "stop_times": ("stop_headsign",),
    "networks": ("network_name",),
    "location_groups": ("location_group_name",),
    "booking_rules": ("message", "pickup_message", "drop_off_message"),
}
WITHOUT_CASE = r"\p{Lo}"
"""Kana and kanji among the letters: whether ＪＲ or NHK beside them is shouted nobody can say."""
WORD = r"\p{L}{2,}"
CAPITAL = r"\p{Lu}"
MIXED = r"\p{Lu}\p{L}*\p{Ll}|\p{Ll}\p{L}*\p{Lu}"


def check(frames: Frames, findings: Findings) -> None:
    """One word is not all small; of several one at least has a capital and small letters."""
    for table, fields in READ_BY_PASSENGERS.items():
        for field in fields:
            if frames[table][field].null_count() == frames[table].height:
                continue
            name = pl.col(field)
            words = name.str.count_matches(WORD)
            small = (words == 1) & ~name.str.contains(CAPITAL)
            plain = (words > 1) & ~name.str.contains(MIXED)
            rows = frames[table].filter(~name.str.contains(WITHOUT_CASE) & (small | plain))
            findings.add_rows("mixed_case_recommended_field", f"{table}.txt", field, rows)
