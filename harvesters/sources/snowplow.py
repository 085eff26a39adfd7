"""除雪車の位置: polls and day's logs of any vendor, as one table of positions and the ways driven."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import requests

from harvesters import fetch as fetching
from harvesters import positions, several
from harvesters.city import City, Feed
from harvesters.errors import ColumnsError, NotTheListError
from harvesters.fetch import Snapshot
from harvesters.geojson import NUMBERS, to_geojson
from harvesters.positions import Positions, doubts, layers, polls
from harvesters.positions.measures import PLAIN
from harvesters.source import Beside, Package, Progress, Table
from harvesters.words import Words

name = "snowplow"
looks_at: tuple[str, ...] = ()
PLACE = ("latitude", "longitude")
LAYER_TITLES = {
    "snowplow": Words("除雪車の最新位置", "Last positions of snow ploughs"),
    "tracks": Words("通った道筋", "Ways driven"),
}


def fetch(
    feed: Feed, session: requests.Session, known: Snapshot | None, progress: Progress
) -> Snapshot:
    """One feed at one address, or those of several contractors, kept together in a zip."""
    if not feed.addresses:
        return fetching.get(feed.url, session, known, progress)
    return several.get_all(feed.all_addresses, f"{name}.zip", session, known, progress)


def normalise(snapshot: Snapshot, feed: Feed, city: City, _: Beside) -> Package:
    """All positions of all answers once; what is doubtful about them stands beside the table."""
    answers = polls.unpack(snapshot.content, snapshot.filename)
    read = [_read(*answer, feed, city, len(answers)) for answer in answers]
    frame, repeated = _once(pl.concat([one.frame for one in read]))
    resource, headings = feed.dataset.resources[0], read[0].headings
    astray = doubts.outside(frame, city.bbox)
    problems, doubtful = doubts.problems(
        frame, astray, snapshot.fetched_at, resource.name, headings
    )
    fields = (*feed.dataset.fields, *feed.extra)
    table = Table(
        name=resource.name,
        title=resource.title,
        fields=fields,
        key=feed.dataset.key,
        frame=frame.select(field.name for field in fields),
        row_numbers=_numbers(frame[positions.ROW]),
        headings={field.name: headings[field.name] for field in fields if field.name in headings},
        encoding=read[0].encoding,
        position=None if doubts.are_few(astray) else feed.dataset.position,
        repairs=[repair for one in read for repair in one.repairs],
        notes=[*(note for one in read for note in one.notes), *repeated, *doubtful],
    )
    kind = read[0].kind if len(read) == 1 else "json"
    return Package(
        tables=(table,),
        layers=_layers(table, frame),
        layer_titles=LAYER_TITLES,
        problems=problems,
        kind=kind,
    )


def _read(filename: str, content: bytes, feed: Feed, city: City, answers: int) -> Positions:
    """One answer; among several, a refusal says which it is about."""
    try:
        return positions.read(content, filename, feed, city.bbox)
    except (NotTheListError, ColumnsError) as error:
        if answers == 1:
            raise
        raise type(error)(*(f"{filename}: {text}" for text in error.words)) from error


def _numbers(rows: pl.Series) -> Sequence[int]:
    """Most logs have nothing but rows that follow one another."""
    first = int(rows[0]) if len(rows) else 0
    straight = (rows == pl.int_range(first, first + len(rows), eager=True)).all()
    return range(first, first + len(rows)) if straight else rows.to_list()


def _once(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Words]]:
    """The same position told twice, by two polls or by mistake, counts once."""
    if frame.select("vehicle", "observed_at").hash_rows().n_unique() == frame.height:
        return frame, []
    told = [one for one in frame.columns if not one.startswith("#") and one != "source"]
    first = frame.select(pl.struct(told).is_first_distinct()).to_series()
    dropped = int(frame.height - first.sum())
    note = Words(
        f"ほかの行と同じ内容の {dropped:,} 行を除きました。",
        f"{dropped:,} rows that say the same as another one were left out.",
    )
    return frame.filter(first), [note] if dropped else []


def _layers(table: Table, frame: pl.DataFrame) -> dict[str, bytes]:
    """The last position of each vehicle, and its way; a day's log would be too much for a map."""
    numbers = [pl.col(field.name) for field in table.fields if field.type in NUMBERS]
    plain = [pl.when(one.str.contains(PLAIN)).then(one).otherwise(pl.lit("")) for one in numbers]
    last = layers.newest(frame).select(table.frame.columns).with_columns(plain)
    found = {name: to_geojson(replace(table, frame=last), PLACE)}
    moved = frame.height > last.height
    return found | ({"tracks": layers.tracks(frame)} if moved else {})
