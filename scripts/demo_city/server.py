"""Serves the demonstration city over HTTP on loopback, well, or with a fault when asked for one."""

import argparse
import html
import json
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from urllib.parse import parse_qs, urlsplit

from demo_city import (
    bus_live,
    bus_tables,
    conditions,
    faults,
    hydrants,
    library_oai,
    library_seats,
    plows,
)

LAST_MODIFIED = datetime(2026, 11, 1, tzinfo=UTC)
"""Of files that are the same every day."""
CONDITIONS = ("If-None-Match", "If-Modified-Since")


@dataclass(frozen=True)
class Offer:
    """One file of the city."""

    path: str
    title: str
    media_type: str
    make: Callable[[], bytes]


@dataclass(frozen=True)
class LiveOffer:
    """A message that is made anew for the moment at which it is asked for."""

    path: str
    title: str
    media_type: str
    make: Callable[[datetime], bytes]


OFFERS = (
    Offer(
        "/hydrant/072028_fire_hydrant.csv",
        "消防水利施設一覧（CSV、Shift_JIS）",
        "text/csv",
        hydrants.hydrant_list,
    ),
    Offer("/bus/gtfs-jp.zip", "バスの時刻表（GTFS-JP）", "application/zip", bus_tables.timetable),
    Offer("/plows/routes.geojson", "除雪路線（GeoJSON）", "application/geo+json", plows.routes),
)
PROTOBUF = "application/x-protobuf"
LIVE = (
    LiveOffer("/bus/vehicles.pb", "バスの位置", PROTOBUF, bus_live.vehicle_positions),
    LiveOffer("/bus/trips.pb", "バスの遅れ", PROTOBUF, bus_live.trip_updates),
    LiveOffer("/bus/alerts.pb", "バスのお知らせ", PROTOBUF, bus_live.alerts),
    LiveOffer(
        "/plows/positions.geojson",
        "除雪車の位置（GeoJSON）",
        "application/geo+json",
        plows.positions,
    ),
    LiveOffer(
        "/plows/tracker.json", "除雪車の位置（シカゴ市の形）", "application/json", plows.tracker
    ),
    LiveOffer("/plows/log.csv", "除雪車の今日の記録（CSV、Shift_JIS）", "text/csv", plows.log),
    LiveOffer("/library/seats.json", "図書館の空席", "application/json", library_seats.seats),
    LiveOffer(
        f"{library_oai.PATH}?verb=Identify",
        "図書館の蔵書（OAI-PMH）",
        "text/xml",
        library_oai.identify,
    ),
)


def without_longitude(content: bytes) -> bytes:
    """The list as it is after somebody deleted a column."""
    place = hydrants.HEADINGS.index("経度")
    lines = content.decode("cp932").splitlines()
    kept = (cells[:place] + cells[place + 1 :] for cells in (line.split(",") for line in lines))
    return ("\r\n".join(",".join(cells) for cells in kept) + "\r\n").encode("cp932")


def half_in_utf8(content: bytes) -> bytes:
    """The list as it is after two offices' files were put together."""
    lines = content.splitlines(keepends=True)
    middle = len(lines) // 2
    head, tail = b"".join(lines[:middle]), b"".join(lines[middle:])
    return head + tail.decode("cp932").encode()


def outside_city(content: bytes) -> bytes:
    """One position in Tokyo, and one with latitude and longitude swapped."""
    lines = content.decode("cp932").splitlines()
    place = hydrants.HEADINGS.index("緯度")
    tokyo, swapped = lines[10].split(","), lines[20].split(",")
    tokyo[place : place + 2] = ["35.681236", "139.767125"]
    swapped[place : place + 2] = reversed(swapped[place : place + 2])
    lines[10], lines[20] = ",".join(tokyo), ",".join(swapped)
    return ("\r\n".join(lines) + "\r\n").encode("cp932")


SPOILED: dict[str, Callable[[bytes], bytes]] = faults.LISTS | {
    "encoding": half_in_utf8,
    "missing-column": without_longitude,
    "outside": outside_city,
}
SPOILED_TEXT: dict[str, Callable[[bytes], bytes]] = {
    "encoding": lambda content: content.decode().encode("cp932", "replace")
}
SPOILED_TIMETABLE = {"encoding": bus_tables.in_cp932}
CLOCKS = {"late": timedelta(minutes=-20), "clock-skew": timedelta(minutes=10)}
"""How far the clock of a live message is from the truth."""
FAULTS = (*faults.ANY, "500", *SPOILED, *CLOCKS, "two-names", *library_oai.FAULTS)


class City(BaseHTTPRequestHandler):
    """Answers GET and HEAD; ?fault=NAME behind a path or /fault/NAME before it spoils the answer."""

    protocol_version = "HTTP/1.1"
    server: "CityServer"

    def do_GET(self) -> None:  # noqa: N802  the name that http.server looks for
        """Finds what is asked for and answers, well or badly."""
        path, query, fault = _asked(self.path)
        content, media_type = self.server.file(path, query, fault)
        if not media_type:
            self._answer(HTTPStatus.NOT_FOUND, b"not found\n", "text/plain")
        elif fault == "500":
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, b"failed\n", "text/plain")
        elif spoil := faults.ON_THE_WAY.get(fault):
            spoil(self, content, media_type, self.server.stopping)
        elif (other := _spoiled(path, fault, content)) is not None:
            self._answer(HTTPStatus.OK, other, media_type)
        else:
            self._answer_changed(path, content, media_type)

    do_HEAD = do_GET  # noqa: N815  as above

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002  as http.server calls it
        """Notes what was asked for, with its conditions, where a log was asked for."""
        if not self.server.log:
            return
        asked = {name: self.headers[name] for name in CONDITIONS if name in self.headers}
        line = json.dumps({"path": self.path, "status": int(code), **asked})
        with self.server.log.open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of http.server
        """Keeps quiet: the terminal belongs to those who ask, not to the city."""

    def _answer_changed(self, path: str, content: bytes, media_type: str) -> None:
        """Sends the file, unless who asks has it already."""
        tag, modified = conditions.etag(content), self.server.modified(path)
        known = conditions.not_modified(dict(self.headers), tag, modified)
        status = HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK
        body = b"" if known else content
        self._answer(status, body, media_type, tag, conditions.http_date(modified))

    def _answer(
        self,
        status: HTTPStatus,
        content: bytes,
        media_type: str,
        etag: str = "",
        modified: str = "",
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        if etag:
            self.send_header("ETag", etag)
            self.send_header("Last-Modified", modified)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class CityServer(ThreadingHTTPServer):
    """The server with its files, made once."""

    daemon_threads = True

    def __init__(self, port: int, *, still: bool = False, log: str = "") -> None:
        super().__init__(("127.0.0.1", port), City)
        self.still = datetime.now(UTC) if still else None
        self.log = Path(log) if log else None
        self.stopping = threading.Event()
        self.files = {offer.path: (offer.make(), offer.media_type) for offer in OFFERS}
        self.files["/"] = (_index(), "text/html; charset=utf-8")
        self.live = {offer.path: offer for offer in LIVE}

    def now(self) -> datetime:
        """What the clocks of the city show."""
        return self.still or datetime.now(UTC)

    def modified(self, path: str) -> datetime:
        """When a file was last changed; those that are made for the moment, in this one."""
        return self.now() if path in self.live else LAST_MODIFIED

    def file(self, path: str, query: str, fault: str) -> tuple[bytes, str]:
        """Content and media type; both blank where there is no such file."""
        now = self.now() + CLOCKS.get(fault, timedelta())
        if path == library_oai.PATH:
            return library_oai.answer(query, now, fault), "text/xml"
        if path not in self.live:
            return self.files.get(path, (b"", ""))
        return self.live[path].make(now), self.live[path].media_type


def _spoiled(path: str, fault: str, content: bytes) -> bytes | None:
    """What a fault makes of this file; not every fault can befall every file."""
    spoil = _spoiling(path).get(fault)
    return spoil(content) if spoil else faults.spoiled(fault, path, content)


def _spoiling(path: str) -> Mapping[str, Callable[[bytes], bytes]]:
    if path.startswith("/plows/"):
        return plows.SPOILED
    if path.endswith(".csv"):
        return SPOILED
    if path.endswith(".zip"):
        return SPOILED_TIMETABLE
    return SPOILED_TEXT if path.endswith(".json") or path == library_oai.PATH else {}


def _asked(target: str) -> tuple[str, str, str]:
    """Path, query and fault; the fault before the path fits into AIZU_CITY_URL."""
    asked = urlsplit(target)
    if found := re.match(r"/fault/([^/]+)(/.*)", asked.path):
        return found[2], asked.query, found[1]
    return asked.path, asked.query, parse_qs(asked.query).get("fault", [""])[0]


def _index() -> bytes:
    """The page that says what there is, and that none of it is real."""
    items = "".join(
        f"<li><a href='{offer.path}'>{html.escape(offer.title)}</a></li>"
        for offer in (*OFFERS, *LIVE)
    )
    faults = ", ".join(f"<code>?fault={fault}</code>" for fault in FAULTS)
    return (
        "<!DOCTYPE html><html lang='ja'><head><meta charset='utf-8'>"
        "<title>実演用の会津若松市</title></head><body><h1>実演用の会津若松市</h1>"
        "<p>ここにあるデータは実演のための架空のものです。実在の施設の位置ではありません。</p>"
        "<p lang='en'>Simulated data for demonstrations; not the places of real facilities.</p>"
        f"<ul>{items}</ul><p>{faults}</p></body></html>"
    ).encode()


def main() -> int:
    """Serves until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description="Serve a simulated Aizuwakamatsu on loopback.")
    parser.add_argument("--port", type=int, default=8790, help="0: any free port (default 8790)")
    parser.add_argument("--still", action="store_true", help="all clocks of the city stand still")
    parser.add_argument("--log", default="", metavar="FILE", help="a line of JSON for each request")
    options = parser.parse_args()
    port = options.port
    try:
        server = CityServer(port, still=options.still, log=options.log)
    except (OSError, OverflowError) as error:
        print(f"demo-city: port {port}: {error}", file=sys.stderr)  # noqa: T201  a command speaks by printing
        return 1

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001  signal fixes them
        server.stopping.set()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(  # noqa: T201  as above
        f"demo-city: simulated Aizuwakamatsu at http://127.0.0.1:{server.server_port}/", flush=True
    )
    with server:
        server.serve_forever()
    return 0
