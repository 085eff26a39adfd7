"""The tables of the simulated timetable with the columns of GTFS-JP, and the zip that holds them."""

import csv
import io
import zipfile
from collections.abc import Iterator

from demo_city.bus import FIRST_DAY, HOLIDAYS, LAST_DAY, LINES, STOPS, Line, along, path, trips

VERSION = "demo-2026-04-01"
AGENCY = "9999999999999"
ZIP_TIME = (2026, 4, 1, 0, 0, 0)
SITE = "https://bus.example.jp"
STOP_COLUMNS = [
    "stop_id", "stop_name", "stop_lat", "stop_lon", "zone_id", "location_type", "parent_station",
    "platform_code",
]  # fmt: skip
ROUTE_COLUMNS = [
    "route_id", "agency_id", "route_short_name", "route_long_name", "route_desc", "route_type",
    "route_color", "route_text_color", "route_sort_order", "jp_parent_route_id",
]  # fmt: skip
TRIP_COLUMNS = [
    "route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "shape_id",
    "wheelchair_accessible", "jp_trip_desc", "jp_office_id",
]  # fmt: skip
STOP_TIME_COLUMNS = [
    "trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type",
    "drop_off_type", "shape_dist_traveled", "timepoint",
]  # fmt: skip
SHAPE_COLUMNS = [
    "shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence", "shape_dist_traveled",
]  # fmt: skip
TRANSLATION_COLUMNS = [
    "table_name", "field_name", "language", "translation", "record_id", "record_sub_id",
    "field_value",
]  # fmt: skip


def timetable() -> bytes:
    """The zip as the city offers it, the same bytes every day."""
    files = {}
    for name, rows in tables().items():
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        files[f"{name}.txt"] = text.getvalue().encode("utf-8-sig")
    return _zipped(files)


def in_cp932(content: bytes) -> bytes:
    """The zip as it is after somebody saved the stops with an old spreadsheet program."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["stops.txt"] = files["stops.txt"].decode("utf-8-sig").encode("cp932")
    return _zipped(files)


def _zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in files.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, part)
    return content.getvalue()


def tables() -> dict[str, list[list[str]]]:
    """Every table with its headings in the first row."""
    return {
        "agency": [
            ["agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang", "agency_phone", "agency_fare_url"],
            [AGENCY, "会津若松まちなかバス（実演用）", f"{SITE}/", "Asia/Tokyo", "ja", "0242-00-0000", f"{SITE}/fare"],
        ],
        "agency_jp": [
            ["agency_id", "agency_official_name", "agency_zip_number", "agency_address", "agency_president_pos", "agency_president_name"],
            [AGENCY, "会津若松まちなかバス実演用事業者", "9650000", "福島県会津若松市（架空）", "", ""],
        ],
        "office_jp": [
            ["office_id", "office_name", "office_url", "office_phone"],
            ["office-1", "会津若松営業所（架空）", f"{SITE}/office", "0242-00-0001"],
        ],
        "stops": [STOP_COLUMNS, *_stops()],
        "routes": [ROUTE_COLUMNS, *_routes()],
        "routes_jp": [
            ["route_id", "route_update_date", "origin_stop", "via_stop", "destination_stop"],
            *([line.id, f"{FIRST_DAY:%Y%m%d}", *_ends(line)] for line in LINES),
        ],
        "trips": [TRIP_COLUMNS, *_trip_rows()],
        "stop_times": [STOP_TIME_COLUMNS, *_stop_times()],
        "calendar": [
            ["service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "start_date", "end_date"],
            ["weekday", *"1111100", f"{FIRST_DAY:%Y%m%d}", f"{LAST_DAY:%Y%m%d}"],
            ["holiday", *"0000011", f"{FIRST_DAY:%Y%m%d}", f"{LAST_DAY:%Y%m%d}"],
        ],
        "calendar_dates": [
            ["service_id", "date", "exception_type"],
            *(
                [service, f"{day:%Y%m%d}", kind]
                for day in HOLIDAYS
                for service, kind in (("weekday", "2"), ("holiday", "1"))
                if day.weekday() < 5
            ),
        ],
        "fare_attributes": [
            ["fare_id", "price", "currency_type", "payment_method", "transfers"],
            ["loop", "210", "JPY", "0", "0"],
            ["line", "330", "JPY", "0", "0"],
        ],
        "fare_rules": [
            ["fare_id", "route_id"],
            *(["loop" if line.loop else "line", line.id] for line in LINES),
        ],
        "shapes": [SHAPE_COLUMNS, *_shapes()],
        "feed_info": [
            ["feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_start_date", "feed_end_date", "feed_version", "feed_contact_email"],
            ["会津若松市（実演用）", f"{SITE}/", "ja", f"{FIRST_DAY:%Y%m%d}", f"{LAST_DAY:%Y%m%d}", VERSION, "bus@example.jp"],
        ],
        "translations": [TRANSLATION_COLUMNS, *_translations()],
    }  # fmt: skip


def _stops() -> Iterator[list[str]]:
    """Each place is a station with a pole at either side of the road where buses stop."""
    used = {pole for trip in trips() for pole in trip.stops}
    for stop in STOPS:
        place = [f"{stop.latitude:.6f}", f"{stop.longitude:.6f}"]
        yield [stop.id, stop.name, *place, "", "1", "", ""]
        for pole, side in ((1, 0.00008), (2, -0.00008)):
            if f"{stop.id}-{pole}" not in used:
                continue  # the loops run one way round
            place = [f"{stop.latitude:.6f}", f"{stop.longitude + side:.6f}"]
            yield [
                f"{stop.id}-{pole}",
                stop.name,
                *place,
                f"zone-{stop.id}",
                "0",
                stop.id,
                str(pole),
            ]


def _routes() -> Iterator[list[str]]:
    for order, line in enumerate(LINES, 1):
        ends = "・".join(_ends(line)[::2])
        yield [
            line.id, AGENCY, "", line.name, ends, "3", line.color, line.text_color, str(order), line.id
        ]  # fmt: skip


def _ends(line: Line) -> list[str]:
    """First, middle and last stop."""
    names = [next(stop.name for stop in STOPS if stop.id == one) for one in line.stops]
    return [names[0], names[len(names) // 2], names[-1]]


def _trip_rows() -> Iterator[list[str]]:
    for trip in trips():
        origin, via, end = _ends(trip.line)
        headsign = f"{via}経由 {end}" if trip.line.loop else (end, origin)[trip.direction]
        yield [
            trip.line.id, trip.service, trip.id, headsign, str(trip.direction),
            f"{trip.line.id}-{trip.direction}", "1", "冬期は遅れることがあります", "office-1",
        ]  # fmt: skip


def _stop_times() -> Iterator[list[str]]:
    for trip in trips():
        last = len(trip.stops)
        for number, (stop, moment, metres) in enumerate(
            zip(trip.stops, trip.times, trip.distances, strict=True), 1
        ):
            clock = f"{moment // 3600:02d}:{moment // 60 % 60:02d}:00"
            yield [
                trip.id, clock, clock, stop, str(number), str(int(number == last)),
                str(int(number == 1)), f"{metres:.0f}", "1",
            ]  # fmt: skip


def _shapes() -> Iterator[list[str]]:
    for line in LINES:
        for direction in (0,) if line.loop else (0, 1):
            points = path(line, direction)
            for number, ((lat, lon), metres) in enumerate(zip(points, along(points), strict=True)):
                yield [
                    f"{line.id}-{direction}",
                    f"{lat:.6f}",
                    f"{lon:.6f}",
                    str(number),
                    f"{metres:.0f}",
                ]


def _translations() -> Iterator[list[str]]:
    """Readings for machines that speak, English for guests."""
    named = [("stops", "stop_name", one.name, one.reading, one.english) for one in STOPS]
    named += [("routes", "route_long_name", one.name, one.reading, one.english) for one in LINES]
    for table, field, name, reading, english in named:
        for language, text in (("ja", name), ("ja-Hrkt", reading), ("en", english)):
            yield [table, field, language, text, "", "", name]
