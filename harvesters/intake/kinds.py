"""What kind of file came: text, a workbook, or something that is no list at all and is named."""

import io
import re
import zipfile

from harvesters.errors import NotTheListError
from harvesters.words import Words
from harvesters.zips import ZIP

LARGEST = 500_000_000
"""Bytes of an unpacked workbook; a bomb is larger, a city's list is not."""
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
FOREIGN = {
    b"%PDF": Words("PDF", "a PDF"),
    b"\x1f\x8b": Words("gzip", "a gzip archive"),
    b"\x89PNG": Words("画像（PNG）", "an image (PNG)"),
    b"\xff\xd8\xff": Words("画像（JPEG）", "an image (JPEG)"),
    b"{\\rtf": Words("リッチテキスト（RTF）", "a rich text document (RTF)"),
}
PAGE = re.compile(r"\s*(<!doctype html|<html|<\?xml|<head|<body|<script|<!--)", re.IGNORECASE)
JSON = re.compile(r"\s*(?:\[\s*[\[{\]\"]|\{\s*[\"}])")
OBJECT = re.compile(rb"(\xef\xbb\xbf)?\s*\{\s*[\"}]")
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


def kind_of(content: bytes) -> str:
    """xlsx, xls, ods, json or text; what can be none of them is refused by name."""
    if not content.strip():
        raise NotTheListError(
            f"ファイルが空です（{len(content)} バイト）。",
            f"the file is empty ({len(content)} bytes)",
        )
    for start, foreign in FOREIGN.items():
        if content.startswith(start):
            _refuse_foreign(foreign)
    if content.startswith(ZIP):
        return _kind_of_zip(content)
    if OBJECT.match(content):
        return "json"
    return "xls" if content.startswith(OLD_EXCEL) else "text"


def _kind_of_zip(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            size = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile as error:
        raise NotTheListError(
            "Excel（xlsx）か zip のようですが、壊れているか途中で切れています。もう一度取得してください。",
            "this looks like an Excel workbook (xlsx) or a zip, but it is damaged or cut off; "
            "fetch it again",
        ) from error
    if size > LARGEST:
        raise NotTheListError(
            f"展開すると {size:,} バイトになるため読みません。",
            f"not read, because it unpacks to {size:,} bytes",
        )
    if "xl/workbook.xml" in names:
        return "xlsx"
    if {"content.xml", "mimetype"} <= names:
        return "ods"
    return _refuse_foreign(Words("zip", "a zip"))


def _refuse_foreign(kind: Words) -> str:
    raise NotTheListError(
        f"CSV や Excel ではなく {kind.ja} です。一覧を CSV で保存したものを渡してください。",
        f"this is {kind.en}, not a CSV file or a workbook; hand over the list saved as CSV",
    )


def refuse_other_text(text: str) -> None:
    """Web pages, JSON and bytes that are no text often come where a list should be."""
    if PAGE.match(text):
        raise NotTheListError(
            "CSV ではなくウェブページ（HTML か XML）です。エラー画面が返ったようです: "
            f"{glimpse(text)}",
            f"this is a web page (HTML or XML), not a CSV file, maybe an error page: "
            f"{glimpse(text)}",
        )
    if JSON.match(text):
        raise NotTheListError(
            f"CSV ではなく JSON です: {glimpse(text)}。一覧を CSV で保存したものを渡してください。",
            f"this is JSON, not CSV: {glimpse(text)}; hand over the list saved as CSV",
        )
    if control := CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise NotTheListError(
            f"{line} 行目に文字ではない値があります。CSV ファイルではないようです。",
            f"line {line} holds something that is not text; this does not look like a CSV file",
        )


def glimpse(text: str) -> str:
    """How a text begins, in one line and without the marks of HTML."""
    return " ".join(re.sub(r"<[^>]*>", " ", text[:2000]).split())[:80] or text.strip()[:80]
