"""What may befall any file of a city: wrong contents under the right address, and what goes wrong on the way."""

import io
import re
import socket
import struct
import zipfile
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import Event

from demo_city import hydrants, plows

ERROR_PAGE = (
    "<!DOCTYPE html><html lang='ja'><head><title>エラー</title></head>"
    "<body><h1>ただいまメンテナンス中です</h1></body></html>"
).encode()
DRIP_S = 0.2
RESET = struct.pack("ii", 1, 0)
"""Of SO_LINGER: the connection ends by a reset, not by a farewell."""

OnTheWay = Callable[[BaseHTTPRequestHandler, bytes, str, Event], None]


def header_only(content: bytes) -> bytes:
    """A list of which only the headings are left."""
    return content.splitlines(keepends=True)[0]


def fewer(content: bytes) -> bytes:
    """A list without three of ten rows."""
    head, *rows = content.splitlines(keepends=True)
    return head + b"".join(row for place, row in enumerate(rows) if place % 10 > 2)


def duplicated(content: bytes) -> bytes:
    """A list whose first hundred rows come twice."""
    lines = content.splitlines(keepends=True)
    return b"".join([*lines, *lines[1:101]])


def in_utf8(content: bytes) -> bytes:
    """The same list in another encoding: nothing is wrong with it."""
    return content.decode("cp932").encode()


LISTS: dict[str, Callable[[bytes], bytes]] = {
    "header-only": header_only,
    "fewer": fewer,
    "duplicated": duplicated,
    "utf-8": in_utf8,
}
"""Befall the list of hydrants alone."""


def another(path: str) -> bytes:
    """A dataset of the same form that is another one."""
    if path.endswith(".zip"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("hydrants.csv", hydrants.hydrant_list())
        return packed.getvalue()
    if path.endswith(".csv"):
        town, *_ = hydrants.TOWNS
        return f"町名,緯度,経度\r\n{town.name},{town.latitude},{town.longitude}\r\n".encode("cp932")
    return plows.routes() if path.endswith("json") else b"<?xml version='1.0'?><rss/>"


def spoiled(fault: str, path: str, content: bytes) -> bytes | None:
    """The content under a fault that may befall any file; None if it is none of these."""
    if fault == "html":
        return ERROR_PAGE
    if fault == "empty":
        return b""
    if fault == "another":
        return another(path)
    if cut := re.fullmatch(r"cut-([0-9]{1,2})", fault):
        return content[: len(content) * int(cut[1]) // 100]
    return None


def _head(city: BaseHTTPRequestHandler, media_type: str, length: int) -> None:
    city.send_response(HTTPStatus.OK)
    city.send_header("Content-Type", media_type)
    city.send_header("Content-Length", str(length))
    city.end_headers()
    city.close_connection = True


def _truncated(city: BaseHTTPRequestHandler, content: bytes, media_type: str, _: Event) -> None:
    """Announces the whole and sends half."""
    _head(city, media_type, len(content))
    city.wfile.write(content[: len(content) // 2])


def _short(city: BaseHTTPRequestHandler, content: bytes, media_type: str, _: Event) -> None:
    """Announces half and sends the whole."""
    _head(city, media_type, len(content) // 2)
    city.wfile.write(content)


def _reset(city: BaseHTTPRequestHandler, content: bytes, media_type: str, _: Event) -> None:
    """Throws the connection away in the middle."""
    _truncated(city, content, media_type, _)
    city.wfile.flush()
    city.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    city.connection.close()


def _slow(city: BaseHTTPRequestHandler, content: bytes, media_type: str, stopping: Event) -> None:
    """Begins, and then says no more."""
    _head(city, media_type, len(content))
    city.wfile.write(content[:100])
    city.wfile.flush()
    stopping.wait(3600)


def _silent(city: BaseHTTPRequestHandler, _c: bytes, _m: str, stopping: Event) -> None:
    """Takes the question and never answers."""
    stopping.wait(3600)
    city.close_connection = True


def _drip(city: BaseHTTPRequestHandler, content: bytes, media_type: str, stopping: Event) -> None:
    """Sends a byte now and then, so that no reader's patience with silence ends."""
    _head(city, media_type, len(content))
    for byte in content:
        if stopping.wait(DRIP_S):
            return
        city.wfile.write(bytes([byte]))
        city.wfile.flush()


def _loop(city: BaseHTTPRequestHandler, _c: bytes, _m: str, _: Event) -> None:
    """Leads to itself."""
    city.send_response(HTTPStatus.FOUND)
    city.send_header("Location", city.path)
    city.send_header("Content-Length", "0")
    city.end_headers()


ON_THE_WAY: dict[str, OnTheWay] = {
    "truncated": _truncated,
    "short": _short,
    "reset": _reset,
    "slow": _slow,
    "silent": _silent,
    "drip": _drip,
    "redirect-loop": _loop,
}
ANY = ("html", "empty", "another", "cut-50", *ON_THE_WAY)
"""Of cut-NN, NN is how many percent are left."""
