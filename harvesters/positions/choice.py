"""Decides which column of a feed is read as what; every other one is named as not read."""

from dataclasses import dataclass

import polars as pl

from harvesters.city import Feed
from harvesters.dataset import Origin
from harvesters.errors import ColumnsError
from harvesters.positions.headings import candidates, fold, names_person
from harvesters.positions.moments import evidence, is_clock
from harvesters.positions.raw import Raw
from harvesters.words import Words

PLACE = ("latitude", "longitude", "east", "north")
ORDER = (
    "vehicle", "begun", "ended", "observed_at", "received", "previous", "operator", *PLACE,
    "heading", "speed_kmh", "blade_down", "task", "source", "day",
)  # fmt: skip
"""A column that could be two things is the first of them."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """For each meaning the headings that it is read from."""

    origins: dict[str, Origin]
    notes: list[Words]

    @property
    def read(self) -> list[str]:
        """The columns of the feed that are read."""
        return list(
            dict.fromkeys(one for origin in self.origins.values() for one in origin.headings)
        )

    def heading(self, meaning: str) -> str:
        """The heading, or blank where nothing has this meaning."""
        return str(self.origins.get(meaning, ""))

    def column(self, frame: pl.DataFrame, meaning: str) -> pl.Series | None:
        """The cells of a meaning; those of several headings are put together."""
        origin = self.origins.get(meaning)
        if origin is None:
            return None
        if len(origin.headings) == 1:
            return frame[origin.headings[0]]
        return frame.select(pl.concat_str(origin.headings, separator=origin.glue)).to_series()


def choose(raw: Raw, feed: Feed) -> Choice:
    """What the city file says, then the names of the descriptor; refused without place or time."""
    said = {name: _said(name, origin, raw, feed) for name, origin in feed.columns.items()}
    said |= {one.name: _said(one.name, one.origins[0], raw, feed) for one in feed.extra}
    origins = said | _found(raw, feed, said)
    if raw.places is None:
        _need_place(origins, raw, feed)
    _need_time(origins, raw, feed)
    return Choice(origins=origins, notes=_notes(raw, feed, origins))


def _said(name: str, origin: Origin, raw: Raw, feed: Feed) -> Origin:
    columns = {fold(column): column for column in raw.frame.columns}
    missing = [heading for heading in origin.headings if fold(heading) not in columns]
    if missing:
        raise ColumnsError(
            f"列「{name}」の元になる項目「{missing[0]}」がありません。届いた項目: "
            f"{'、'.join(raw.frame.columns)}。{feed.file} を直してください。",
            f"{missing[0]!r}, from which {name!r} is made, is not there. What came: "
            f"{', '.join(raw.frame.columns)}. Correct {feed.file}.",
        )
    return Origin(headings=tuple(columns[fold(one)] for one in origin.headings), glue=origin.glue)


def _found(raw: Raw, feed: Feed, said: dict[str, Origin]) -> dict[str, Origin]:
    """Each column once; a place that is a geometry needs no columns, a constant none either."""
    taken = {heading for origin in said.values() for heading in origin.headings}
    skipped = {*said, *feed.constants, *(PLACE if raw.places is not None else ())}
    usable = [name for name in raw.frame.columns if not names_person(name)]
    meant = candidates(usable, feed.dataset.fields)
    meant["observed_at"].sort(key=lambda name: evidence(raw.frame[name]))
    found: dict[str, Origin] = {}
    for meaning in ORDER:
        free = [name for name in meant[meaning] if name not in taken]
        if free and meaning not in skipped:
            found[meaning] = Origin(headings=(free[0],))
            taken.add(free[0])
    return found | _joined(found, raw.frame)


def _joined(found: dict[str, Origin], frame: pl.DataFrame) -> dict[str, Origin]:
    """A time of day goes with the date that stands in a column of its own."""
    times = {name: found[name] for name in ("observed_at", "begun", "ended") if name in found}
    clocks = [name for name, origin in times.items() if is_clock(frame[origin.headings[0]])]
    if not clocks or "day" not in found:
        return {}
    day = found["day"].headings[0]
    return {name: Origin(headings=(day, *times[name].headings), glue=" ") for name in clocks}


def _need_place(origins: dict[str, Origin], raw: Raw, feed: Feed) -> None:
    if not ({"latitude", "longitude"} <= origins.keys() or {"east", "north"} <= origins.keys()):
        _refuse(raw, feed, "位置（緯度・経度）", "a position (latitude, longitude)", "latitude")


def _need_time(origins: dict[str, Origin], raw: Raw, feed: Feed) -> None:
    if raw.has_lines and "vehicle" not in origins and not {"begun", "ended"} <= origins.keys():
        raise ColumnsError(
            "道路の線（除雪路線や作業状況）で、どの車両のものか分かりません。車両の位置ではありません。",
            "these are lines of roads (snow routes or their status) that name no vehicle, "
            "and not positions of vehicles",
        )
    if not {"observed_at", "begun", "ended"} & origins.keys():
        _refuse(raw, feed, "時刻", "a time", "observed_at")
    moment = origins.get("observed_at")
    if moment and len(moment.headings) == 1 and is_clock(raw.frame[moment.headings[0]]):
        _refuse(raw, feed, "日付（時刻だけがある）", "a date (there are times only)", "observed_at")


def _refuse(raw: Raw, feed: Feed, ja: str, en: str, column: str) -> None:
    came = raw.frame.columns
    raise ColumnsError(
        f"{ja}の列が見つかりません。届いた項目: {'、'.join(came)}。別の名前の列があれば、"
        f"{feed.file} の sources.{feed.dataset.name}.columns に {column}: 見出し と書いてください。",
        f"no column for {en}. What came: {', '.join(came)}. If it has another name, write "
        f"{column}: heading in {feed.file}, sources.{feed.dataset.name}.columns.",
    )


def _notes(raw: Raw, feed: Feed, origins: dict[str, Origin]) -> list[Words]:
    """What was read from where, and what was not read."""
    read = {heading for origin in origins.values() for heading in origin.headings}
    ignored = read | {name for name in raw.frame.columns if fold(name) in map(fold, feed.ignore)}
    rest = [name for name in raw.frame.columns if name not in ignored]
    persons = [name for name in rest if names_person(name)]
    others = [name for name in rest if not names_person(name)]
    notes = []
    if others:
        notes.append(
            Words(f"使わなかった項目: {'、'.join(others)}", f"Not read: {', '.join(others)}")
        )
    if persons:
        notes.append(
            Words(
                f"人を表すことがあるため読まない項目: {'、'.join(persons)}",
                f"Not read, since they may tell of persons: {', '.join(persons)}",
            )
        )
    return notes
