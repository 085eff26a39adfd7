"""JSON as feeds send it, read without losing a digit or a key; what holds no positions is named."""

import re
from typing import Any, NoReturn

from harvesters import json_text
from harvesters.errors import NotTheListError
from harvesters.words import Words

BEGINS = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:[{\[]|\"[^\"]*\"\s*$)")


class Repeated(list[Any]):
    """The values of a key that occurs several times in one object; parsers keep the last alone."""


def is_json(content: bytes) -> bool:
    """Whether the bytes begin like JSON."""
    return bool(BEGINS.match(content))


def parse(content: bytes) -> Any:
    """The document, numbers as the text that they are written in; one document a line is a list."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotTheListError(
            f"JSON のようですが、{error.start + 1} バイト目が UTF-8 ではありません。"
            "UTF-8 で送るよう、送り手に伝えてください。",
            f"this looks like JSON, but byte {error.start + 1} is not UTF-8; "
            "ask the sender to send UTF-8",
        ) from error
    return json_text.parse(text, _object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held: dict[str, Any] = {}
    for key, value in pairs:
        if key not in held:
            held[key] = value
        elif isinstance(held[key], Repeated):
            held[key].append(value)
        else:
            held[key] = Repeated([held[key], value])
    return held


def refuse(document: Any) -> NoReturn:
    """Says what a document without positions is instead."""
    told = _told(document)
    raise NotTheListError(
        f"除雪車の位置ではなく、{told.ja}です。位置を返すアドレスかどうか確かめてください。",
        f"no positions of vehicles: this is {told.en}; check that the address gives positions",
    )


def _told(document: Any) -> Words:
    if isinstance(document, dict):
        return _told_object(document)
    if not isinstance(document, list):
        return Words(f"値が一つだけ（{document!r}）", f"a single value ({document!r})")
    if not document:
        return Words(
            "空の一覧（いま動いている車両がない）", "an empty list (no vehicle is under way)"
        )
    if not all(isinstance(one, dict) for one in document):
        return Words("値の並び", "a list of plain values")
    keys = sorted({key for one in document for key in one})
    if any("name" in key.casefold() or "nimi" in key.casefold() for key in keys):
        return Words(f"コード表（{', '.join(keys)}）", f"a list of codes ({', '.join(keys)})")
    return Words(
        f"位置のない一覧（{', '.join(keys)}）", f"a list without positions ({', '.join(keys)})"
    )


def _told_object(document: dict[str, Any]) -> Words:
    if isinstance(error := document.get("error"), dict):
        said = " ".join(str(error.get(key, "")) for key in ("code", "message")).strip()
        return Words(f"サーバーのエラー（{said}）", f"an error of the server ({said})")
    if "$schema" in document or {"type", "properties"} <= document.keys():
        return Words(
            "データの形を定めるスキーマ（JSON Schema）", "a JSON Schema, which describes data"
        )
    if {"geometryType", "fields", "extent"} & document.keys() and "name" in document:
        name = document["name"]
        return Words(
            f"ArcGIS のレイヤー「{name}」の説明（/query を付けると位置が返ります）",
            f"the description of the ArcGIS layer {name!r} (add /query for its positions)",
        )
    if any(value == [] for value in _values(document)):
        return Words(
            "空の一覧（いま動いている車両がない）", "an empty list (no vehicle is under way)"
        )
    keys = ", ".join(list(document)[:10])
    return Words(f"位置のない文書（{keys}）", f"a document without positions ({keys})")


def _values(document: dict[str, Any]) -> list[Any]:
    """The values of an object and of the objects in it."""
    inner = [value for value in document.values() if isinstance(value, dict)]
    return [*document.values(), *(value for one in inner for value in _values(one))]
