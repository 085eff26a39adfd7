"""Rooms with seats inside a JSON answer, however it nests them, as the rows of a sheet."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harvesters import json_text
from harvesters.city import Feed
from harvesters.errors import NotTheListError
from harvesters.intake import Sheet
from harvesters.japanese import heading_key
from harvesters.words import Words

LIBRARY, FLOOR, ROOM, SEATS, FREE, USED, OPEN, OBSERVED = (
    "図書館", "階", "室名", "座席数", "空席数", "利用中", "開室中", "観測日時",
)  # fmt: skip
COUNTS = (SEATS, FREE, USED)
INHERITED = (LIBRARY, FLOOR, OPEN, OBSERVED)
"""What an object around the rooms says holds for each of them."""
TOLD = ("name", "date", "value", "label", "title", "text", "ja")
"""Where an object that stands for one value keeps it: {"branch": {"id": 1, "name": "中央館"}}."""
CALL = re.compile(r"^\s*[\w.$]+\s*\((.*)\)\s*;?\s*$", re.DOTALL)
"""JSON wrapped into a call of JavaScript."""
STATES = {
    "true": {"true", "open", "opened", "1", "y", "yes", "開館", "開館中", "開室", "開室中", "営業中", "利用可", "利用可能", "○"},
    "false": {"false", "closed", "close", "0", "n", "no", "閉館", "閉館中", "閉室", "閉室中", "休館", "休館日", "休室", "営業時間外",
              "利用不可", "×"},
}  # fmt: skip
Values = dict[str, tuple[str, str]]
"""Column: its value, and the member that says so."""


@dataclass(kw_only=True)
class _Finds:
    """What is looked for, and what came of it."""

    columns: Mapping[str, tuple[str, int]]
    """Name of a member: its column, and how well it fits."""
    rows: list[dict[str, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Column: the member that it was read from."""
    unread: dict[str, None] = field(default_factory=dict)
    sums: int = 0


def is_json(text: str) -> bool:
    """Whether a text begins like JSON, alone or inside a call of JavaScript."""
    return text.lstrip()[:1] in {"{", "["} or CALL.match(text) is not None


def sheet_of(content: str, encoding: str, feed: Feed) -> tuple[Sheet, dict[str, str]]:
    """All rooms of an answer as a sheet in the descriptor's columns, and the members behind them."""
    finds = _Finds(columns=_columns(feed))
    wrapped = CALL.match(content)
    _search(json_text.parse(wrapped[1] if wrapped else content), {}, "", finds)
    if not finds.rows:
        came = ", ".join(list(finds.unread)[:12])
        raise NotTheListError(
            f"席数や空席数のある部屋が見つかりません。届いた項目: {came}。名前が違うだけなら {feed.file} の "
            f"sources.{feed.dataset.name}.columns に書いてください。",
            f"there are no rooms with seats or free seats; members that came: {came}. If they have "
            f"other names, write them under sources.{feed.dataset.name}.columns in {feed.file}",
        )
    headings = [
        one.name for one in feed.dataset.fields if any(one.name in row for row in finds.rows)
    ]
    sheet = Sheet(
        encoding=encoding,
        headings=headings,
        rows=[[row.get(name, "") for name in headings] for row in finds.rows],
        row_numbers=list(range(1, len(finds.rows) + 1)),
        tails=[[] for _ in finds.rows],
        header_row=None,
        others=[],
        notes=list(_notes(finds)),
    )
    return sheet, finds.names


def state_of(text: str) -> str:
    """Says true where a room is open, false where it is closed, nothing where the text does not say."""
    key = heading_key(text)
    return next((state for state, words in STATES.items() if key in words), "")


def _columns(feed: Feed) -> dict[str, tuple[str, int]]:
    """The names of members that mean a column; the city's own come first, then in their order."""
    found = {}
    for one in feed.dataset.fields:
        names = [one.name, *(heading for origin in one.origins for heading in origin.headings)]
        for rank, name in enumerate(names, 1):
            found[_key(name)] = (one.name, rank)
    for column, origin in feed.columns.items():
        found[_key(origin.headings[0])] = (column, 0)
    return found


def _key(name: str) -> str:
    """freeCount, free_count and free-count are one name."""
    return re.sub(r"[_\-.]", "", heading_key(name))


def _search(node: Any, around: Values, label: str, finds: _Finds) -> None:
    """Looks for rooms from the outside to the inside; label is the name by which a node is kept."""
    if isinstance(node, list):
        for one in node:
            _search(one, around, label, finds)
    if not isinstance(node, dict):
        return
    own = _own(node, finds)
    before = len(finds.rows)
    inherited = around | {name: own[name] for name in INHERITED if name in own}
    if ROOM in own and LIBRARY not in inherited:
        inherited[LIBRARY] = own[ROOM]
    for name, inside in _inside(node, own):
        _search(inside, inherited, name, finds)
    if _counted(own) and len(finds.rows) > before:  # its rooms have been found; it is their sum
        finds.sums += 1
    elif _counted(own):
        _add_room(own, around, label, finds)


def _counted(own: Values) -> bool:
    return FREE in own or (SEATS in own and USED in own)


def _add_room(own: Values, around: Values, label: str, finds: _Finds) -> None:
    """A room that has no name is called by the key of its object, or like its library."""
    told = around | own
    row = {column: value for column, (value, _) in told.items()}
    row.setdefault(ROOM, label or row.get(LIBRARY, ""))
    finds.rows.append(row)
    for column, (_, member) in told.items():
        finds.names.setdefault(column, member)


def _own(node: dict[str, Any], finds: _Finds) -> Values:
    """What an object says of itself, those of its members included that are objects of one value."""
    best: dict[str, tuple[int, str, str]] = {}
    for name, value in _members(node, finds):
        column, rank = finds.columns.get(_key(name.rpartition(".")[2]), ("", 99))
        if _key(name) == "status" and (said := state_of(value)):
            column, rank, value = OPEN, 90, said
        if not column:
            finds.unread.setdefault(name)
        elif value and (column not in best or rank < best[column][0]):
            best[column] = (rank, name, value)
    return {column: (value, name) for column, (_, name, value) in best.items()}


def _members(node: dict[str, Any], finds: _Finds) -> Iterator[tuple[str, str]]:
    folded = _folded(node, finds)
    for name, value in node.items():
        if name == folded:
            yield from ((f"{name}.{key}", one) for key, one in _scalars(value).items())
        elif isinstance(value, dict):
            yield from _of_object(name, value, finds)
        elif not isinstance(value, list):
            yield name, _text(value)


def _folded(node: dict[str, Any], finds: _Finds) -> str:
    """The one object that holds the figures of its room: {"seats": {"total": 8, "available": 3}}.

    Objects of figures under names of their own are rooms: {"閲覧室": {"total": 8, "available": 3}}.
    """
    with_counts = [
        name
        for name, value in node.items()
        if isinstance(value, dict)
        and any(finds.columns.get(_key(key), ("", 0))[0] in COUNTS for key in _scalars(value))
    ]
    named = any(finds.columns.get(_key(name), ("", 0))[0] == ROOM for name in _scalars(node))
    known = [name for name in with_counts if finds.columns.get(_key(name), ("", 0))[0] in COUNTS]
    return with_counts[0] if len(with_counts) == 1 and (named or known) else ""


def _scalars(value: dict[str, Any]) -> dict[str, str]:
    return {key: _text(one) for key, one in value.items() if not isinstance(one, list | dict)}


def _of_object(name: str, value: dict[str, Any], finds: _Finds) -> Iterator[tuple[str, str]]:
    """{"branch": {"name": "中央館"}}, {"timestamp": {"date": "…", "timezone": "Asia/Tokyo"}}"""
    scalars = _scalars(value)
    told = next((scalars[key] for key in TOLD if scalars.get(key)), "")
    if _key(name) in finds.columns and told:
        yield name, f"{told} {scalars['timezone']}" if "timezone" in scalars else told


def _inside(node: dict[str, Any], own: Values) -> Iterator[tuple[str, Any]]:
    """Where further rooms may be; an object of counts has been read as part of its room."""
    for name, value in node.items():
        if isinstance(value, list) or (isinstance(value, dict) and not _counted(own)):
            yield name, value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip()


def _notes(finds: _Finds) -> Iterator[Words]:
    if finds.unread:
        names = ", ".join(finds.unread)
        yield Words(f"読まなかった項目: {names}", f"Members that are not read: {names}")
    if finds.sums:
        yield Words(
            f"部屋ごとの数があるため、合計 {finds.sums} 件は表に入れていません。",
            f"{finds.sums} sums are not in the table, since their rooms are.",
        )
