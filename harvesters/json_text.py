"""JSON as systems send it: every number as it is written, and where it cannot be read, the place."""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from harvesters.errors import NotTheListError

AROUND = 30
"""Characters that are shown before and behind a place that cannot be read."""
SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
Members = Callable[[list[tuple[str, Any]]], dict[str, Any]]


def parse(text: str, members: Members = dict, constant: Callable[[str], Any] = str) -> Any:
    """The document, or a list of the documents where each has a line of its own.

    `members` makes an object of its members, since one name may occur twice; `constant` a value
    of NaN and Infinity, which are no JSON.
    """

    def decoded(part: str) -> Any:
        return json.loads(
            part,
            parse_float=str,
            parse_int=str,
            parse_constant=constant,
            object_pairs_hook=members,
        )

    try:
        document = _whole(text, decoded)
    except RecursionError as error:
        raise NotTheListError(
            "JSON の入れ子が深すぎます。データの一覧ではありません。",
            "the JSON is nested too deeply to be a list of data",
        ) from error
    _refuse_halves(text, document)
    return document


def _whole(text: str, decoded: Callable[[str], Any]) -> Any:
    try:
        return decoded(text)
    except json.JSONDecodeError as error:
        lines = text.strip().splitlines()
        if len(lines) > 1 and _is_complete(lines[0]):
            return _by_line(text, decoded)
        _refuse_broken(text, error)


def _is_complete(line: str) -> bool:
    try:
        return isinstance(json.loads(line, parse_int=str), dict)
    except json.JSONDecodeError:
        return False


def _by_line(text: str, decoded: Callable[[str], Any]) -> list[Any]:
    documents = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            documents += [decoded(line)] if line.strip() else []
        except json.JSONDecodeError as error:
            _refuse_broken(line, error, number)
    return documents


def _refuse_broken(text: str, error: json.JSONDecodeError, line: int = 0) -> NoReturn:
    """A feed that was cut off ends where more should come."""
    if error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg:
        raise NotTheListError(
            "JSON が途中で終わっています。もう一度取得してください。",
            "the JSON ends in the middle; fetch it again",
        ) from error
    near = " ".join(text[max(error.pos - AROUND, 0) : error.pos + AROUND].split())
    place = line or error.lineno
    raise NotTheListError(
        f"JSON として読めません: {place} 行目 {error.colno} 文字目あたり「{near}」（{error.msg}）。"
        "テンプレートの穴埋め記号や、余分なコンマがないか確かめてください。",
        f"not JSON: line {place}, character {error.colno}, near {near!r} ({error.msg}). "
        "Look for unfilled placeholders of a template, or a comma too many.",
    ) from error


def _refuse_halves(text: str, document: object) -> None:
    r"""A \ud83d without its other half is no character: neither UTF-8 nor a database can hold it."""
    if not (first := SURROGATE.search(text)):
        return
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        found = text.lower().find(half)
        line = text.count("\n", 0, found if found >= 0 else first.start()) + 1
        raise NotTheListError(
            f"JSON の {line} 行目付近の {half} は、文字の半分だけです（切れた絵文字など）。"
            "消すか書き直すよう、送り手に伝えてください。",
            f"the {half} near line {line} of the JSON is half a character, as of an emoji that was "
            "cut; ask the sender to remove or to mend it",
        ) from error
