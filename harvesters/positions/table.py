"""From the columns of a feed to the canonical table of positions, with every step accounted for."""

from dataclasses import dataclass, field
from pathlib import PurePath
from zoneinfo import ZoneInfo

import polars as pl

from harvesters.city import Bbox, Feed
from harvesters.intake.positions import JAPAN
from harvesters.japanese import TIME_ZONE
from harvesters.positions import grids, measures, moments, names, tracks
from harvesters.positions.choice import Choice, choose
from harvesters.positions.headings import unit_of
from harvesters.positions.mend import Changing, counted, mended
from harvesters.positions.raw import Raw
from harvesters.positions.tracks import AT, EAST, FROM, NORTH, RECEIVED, ROW, STARTS, TEXT
from harvesters.source import Repair
from harvesters.words import Words

MOMENT = pl.Datetime("ms")


@dataclass(kw_only=True)
class Positions:
    """The canonical columns of one file with ROW, AT and RECEIVED, and what was done for them."""

    frame: pl.DataFrame
    headings: dict[str, str]
    encoding: str
    kind: str
    repairs: list[Repair] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)


@dataclass(kw_only=True)
class _Work:
    """The columns of the feed while the canonical ones are made from them."""

    raw: Raw
    feed: Feed
    choice: Choice
    frame: pl.DataFrame
    repairs: list[Repair]
    notes: list[Words]

    def column(self, meaning: str) -> pl.Series:
        """The cells of a meaning: the city file's constant, the feed's column, or blanks."""
        found = self.choice.column(self.frame, meaning)
        if found is None:
            return _same(self.feed.constants.get(meaning, ""), self.frame.height)
        return found

    def mend(self, name: str, column: pl.Series, change: Changing, plain: str = "") -> pl.Series:
        """A column with its values changed, but for those that are plain."""
        odd = column != ""
        if plain:
            odd &= ~column.str.contains(plain)
        heading = self.choice.heading(name) or name
        after, repairs = mended(column, self.frame[ROW], odd, change, heading)
        self.repairs += repairs
        return after

    def tell(self, ja: str, en: str) -> None:
        """Notes a sentence in both languages."""
        self.notes.append(Words(ja, en))


def positions(raw: Raw, feed: Feed, filename: str, bbox: Bbox) -> Positions:
    """The canonical columns; what cannot be read stays as it is, and the checks will find it."""
    choice = choose(raw, feed)
    work = _Work(
        raw=raw,
        feed=feed,
        choice=choice,
        frame=raw.frame.select(choice.read).with_columns(raw.rows.alias(ROW)),
        repairs=list(raw.repairs),
        notes=list(raw.notes),
    )
    _times(work)
    made = {"vehicle": _vehicle(work, filename)}
    if raw.places is not None:
        made["vehicle"] = _unfold(work, raw.places, made["vehicle"])
    made["operator"] = work.mend("operator", work.column("operator"), names.words)
    made["observed_at"] = moments.written(work.frame[AT], work.frame[TEXT])
    made["latitude"], made["longitude"] = _place(work, bbox)
    made |= _measures(work)
    made["task"] = work.mend("task", work.column("task"), names.words)
    made["source"] = _source(work, filename)
    extra = {one.name: choice.column(work.frame, one.name) for one in feed.extra}
    kept = {name: work.frame[name] for name in (ROW, AT, RECEIVED)}
    frame = pl.DataFrame(made | extra | kept)
    return Positions(
        frame=frame if raw.places is None else _joined(frame, work),
        headings={name: str(origin) for name, origin in choice.origins.items()},
        encoding=raw.encoding,
        kind=raw.kind,
        repairs=work.repairs,
        notes=[*work.notes, *choice.notes],
    )


def _same(value: str, height: int) -> pl.Series:
    return pl.repeat(value, height, dtype=pl.String, eager=True)


def _times(work: _Work) -> None:
    """AT is the moment, FROM the one at which a line begins, TEXT what the feed writes."""
    driven = {"begun", "ended"} <= work.choice.origins.keys() and work.raw.has_lines
    observed = "observed_at" in work.choice.origins and not driven
    last = "observed_at" if observed else "ended" if "ended" in work.choice.origins else "begun"
    at = _moments(work, last)
    began = at.clear(work.frame.height) if observed else _moments(work, "begun")
    work.frame = work.frame.with_columns(
        at.alias(AT),
        began.alias(FROM),
        work.column(last).alias(TEXT),
        _moments(work, "received").alias(RECEIVED),
    )


def _moments(work: _Work, meaning: str) -> pl.Series:
    """Moments in UTC; those without a zone are taken as the city's, and it is said."""
    heading = work.choice.heading(meaning)
    if not heading:
        return pl.Series([], dtype=MOMENT).clear(work.frame.height)
    zone = ZoneInfo("UTC") if unit_of(heading) in {"utc", "gmt"} else TIME_ZONE
    found, local = moments.to_utc(work.column(meaning), zone)
    if local.any() and meaning != "received":
        count = int(local.sum())
        work.tell(
            f"「{heading}」の {count:,} 件には時差の指定がないため、{zone.key} の時刻として読みました。",
            f"{count:,} times in {heading!r} have no zone and were read as {zone.key}.",
        )
    return found


def _vehicle(work: _Work, filename: str) -> pl.Series:
    """The name of the vehicle; without one, what the records have in common."""
    previous = work.choice.column(work.frame, "previous")
    named = work.choice.heading("vehicle")
    if previous is not None and named.rpartition(".")[2].casefold() == "id":
        ids, before = (names.vehicles(one.to_list()) for one in (work.column("vehicle"), previous))
        work.tell(
            "車両の名前がないため、previousId でつながる記録を 1 台とし、最初の記録の id を名前としました。",
            "No vehicle is named: records linked by previousId count as one, named by the first.",
        )
        chain = tracks.chained([one.after for one in ids], [one.after for one in before])
        return pl.Series(chain, dtype=pl.String)
    if named or "vehicle" in work.feed.constants:
        return work.mend("vehicle", work.column("vehicle"), names.vehicles)
    stem = PurePath(filename).stem
    work.tell(
        f"車両の列がないため、ファイル名「{stem}」を車両の名前としました。",
        f"There is no column for the vehicle; the name of the file, {stem!r}, stands for it.",
    )
    return _same(stem, work.frame.height)


def _unfold(work: _Work, places: list[list[tuple[str, str]]], vehicle: pl.Series) -> pl.Series:
    """Every record as often as it has positions."""
    work.notes += tracks.notes(work.frame, places)
    work.frame = tracks.unfolded(work.frame.with_columns(vehicle.alias("#vehicle")), places)
    return work.frame["#vehicle"]


def _joined(frame: pl.DataFrame, work: _Work) -> pl.DataFrame:
    """Where a line begins at the end of another one, the vehicle is there once."""
    place = pl.struct("vehicle", "observed_at", "latitude", "longitude")
    again = frame.select(~place.is_first_distinct()).to_series() & work.frame[STARTS]
    if again.any():
        count = int(again.sum())
        work.tell(
            f"前の線の終点から始まる線 {count:,} 件の始点は、二重に数えません。",
            f"{count:,} lines begin at the end of another one; that position counts once.",
        )
    return frame.filter(~again)


def _place(work: _Work, bbox: Bbox) -> tuple[pl.Series, pl.Series]:
    """Latitude and longitude in degrees."""
    if "latitude" in work.choice.origins:
        north, east = work.column("latitude"), work.column("longitude")
    elif work.raw.places is not None:
        north, east = work.frame[NORTH], work.frame[EAST]
    else:
        north, east = work.column("north"), work.column("east")
    if grids.is_metric(east, north):
        grid = grids.grid_of(east, north, work.raw.grid, bbox)
        work.notes.append(grids.note(grid, grid == work.raw.grid))
        east, north = grids.to_degrees(east, north, grid)
    north = work.mend("latitude", north, measures.positions, measures.PLAIN)
    east = work.mend("longitude", east, measures.positions, measures.PLAIN)
    return _turned(work, north, east)


def _turned(work: _Work, north: pl.Series, east: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Swapped halves change places: no latitude is above 90, and Japan's longitudes all are."""
    both = pl.DataFrame({"north": north, "east": east})
    y, x = (pl.col(name).cast(pl.Float64, strict=False) for name in ("north", "east"))
    swapped = y.is_between(JAPAN.west, JAPAN.east) & x.is_between(JAPAN.south, JAPAN.north)
    turned = both.select(
        pl.when(swapped.fill_null(False)).then("east").otherwise("north").alias("north"),
        pl.when(swapped.fill_null(False)).then("north").otherwise("east").alias("east"),
    )
    for name, half in (("latitude", "north"), ("longitude", "east")):
        work.repairs += counted(
            both[half],
            turned[half],
            work.frame[ROW],
            work.choice.heading(name) or name,
            lambda _: "swapped-coordinates",
        )
    return turned["north"], turned["east"]


def _measures(work: _Work) -> dict[str, pl.Series]:
    heading = work.mend("heading", work.column("heading"), measures.directions, measures.PLAIN)
    speed = work.mend("speed_kmh", work.column("speed_kmh"), measures.speeds, measures.PLAIN)
    blade = work.mend("blade_down", work.column("blade_down"), measures.blades, "^(true|false)$")
    return {"heading": heading, "speed_kmh": _in_kmh(work, speed), "blade_down": blade}


def _in_kmh(work: _Work, speed: pl.Series) -> pl.Series:
    """The unit stands in the heading; where none does, km/h is assumed, and it is said."""
    heading = work.choice.heading("speed_kmh")
    if not heading:
        return speed
    unit = unit_of(heading)
    factor = measures.KMH.get(unit)
    if factor is None:
        work.tell(
            f"「{heading}」には単位がないため、km/h として読みました。",
            f"{heading!r} names no unit and was read as km/h.",
        )
    elif factor != 1:
        work.tell(
            f"「{heading}」を {unit} から km/h に直しました（×{factor}）。",
            f"{heading!r} converted from {unit} to km/h (×{factor}).",
        )
        return measures.faster(speed, factor)
    return speed


def _source(work: _Work, filename: str) -> pl.Series:
    """The system that the feed names, else the file."""
    if work.choice.heading("source") or "source" in work.feed.constants:
        return work.mend("source", work.column("source"), names.words)
    return _same(filename, work.frame.height)
