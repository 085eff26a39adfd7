"""What came instead of a timetable or a real-time message, refused by name."""

import json
import re
from typing import NoReturn

from harvesters.errors import NotTheListError
from harvesters.words import Words

SIGNATURES = {
    b"\x1f\x8b": ("gzip", Words("gzip", "gzip")),
    b"BZh": ("bzip2", Words("bzip2", "bzip2")),
    b"7z\xbc\xaf\x27\x1c": ("7z", Words("7z", "7z")),
    b"Rar!": ("rar", Words("RAR", "RAR")),
    b"\xfd7zXZ": ("xz", Words("xz", "xz")),
    b"%PDF": ("pdf", Words("PDF", "PDF")),
    b"\xd0\xcf\x11\xe0": ("office", Words("古い Excel か Word", "old Excel or Word")),
}
PAGE = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<script)", re.IGNORECASE)
XML = re.compile(rb"\s*<(\?xml|!--|[A-Za-z])")


class NotAFeedError(NotTheListError):
    """The bytes are not the zip of one feed; `reason` says in a word what they are."""

    def __init__(self, reason: str, ja: str, en: str) -> None:
        super().__init__(ja, en)
        self.reason = reason


def refuse_known_kinds(content: bytes, name: str, wanted: str) -> None:
    """An error page with status 200 is the commonest thing that comes instead of the file."""
    if not content.strip():
        raise NotAFeedError(
            "empty",
            f"{name} は空です（{len(content)} バイト）。もう一度取得してください。",
            f"{name} is empty ({len(content)} bytes); fetch it again",
        )
    for start, (reason, kind) in SIGNATURES.items():
        if content.startswith(start):
            _refuse_kind(reason, name, wanted, kind)
    if PAGE.match(content):
        _refuse_kind(
            "html", name, wanted, Words("ウェブページ（HTML）", "a web page (HTML)"), content
        )
    if _is_json(content):
        _refuse_kind("json", name, wanted, Words("JSON", "JSON"), content)
    if XML.match(content):
        _refuse_kind("xml", name, wanted, Words("XML", "XML"), content)


def refuse_unknown_kind(content: bytes, name: str, wanted: str) -> NoReturn:
    """Nobody knows what this is."""
    reason = "binary" if b"\0" in content[:1000] else "text"
    _refuse_kind(reason, name, wanted, Words("別の形式のファイル", "another kind of file"), content)


def _refuse_kind(
    reason: str, name: str, wanted: str, kind: Words, content: bytes = b""
) -> NoReturn:
    glimpse = " ".join(re.sub(r"<[^>]*>", " ", content[:500].decode("utf-8", "replace")).split())
    shown = f": {glimpse[:80]}" if glimpse and reason != "binary" else ""
    raise NotAFeedError(
        reason,
        f"{name} は {wanted} ではなく {kind.ja} です{shown}。"
        "アドレスと、提供元のお知らせを確かめてください。",
        f"{name} is {kind.en}, not {wanted}{shown}; check the address and the publisher's news",
    )


def _is_json(content: bytes) -> bool:
    if not content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"{", b"[")):
        return False
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
