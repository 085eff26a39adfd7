"""Leads every heading of a city's list to its column, and accounts for each: read, kept or ignored."""

from dataclasses import dataclass

from harvesters.city import Feed
from harvesters.dataset import Field, Origin
from harvesters.errors import ColumnsError
from harvesters.intake import Sheet
from harvesters.japanese import heading_key
from harvesters.source import Table, frame_of
from harvesters.words import Words


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How one column of the clean table is filled: from places in the row, or with a constant."""

    field: Field
    places: tuple[int, ...] = ()
    glue: str = ""
    constant: str = ""

    def value(self, cells: list[str]) -> str:
        """The column's value in one row of the list."""
        if not self.places:
            return self.constant
        return self.glue.join(cells[place] for place in self.places if cells[place])


def known_headings(feed: Feed) -> list[str]:
    """Every heading that the descriptor or the city file speaks of."""
    fields = (*feed.dataset.fields, *feed.extra)
    origins = [*feed.columns.values(), *(one for field in fields for one in field.origins)]
    return [
        *(field.name for field in feed.dataset.fields),
        *(heading for origin in origins for heading in origin.headings),
        *feed.ignore,
    ]


def to_table(sheet: Sheet, feed: Feed) -> Table:
    """The list in the columns of the standard, the city's own behind them."""
    places = places_of(sheet.headings)
    standard = [_reading(field, places, feed) for field in feed.dataset.fields]
    extra = [_extra_reading(field, places) for field in feed.extra]
    missing = {reading.field.name for reading in standard if _unfilled(reading)}
    if lacking := missing & feed.dataset.indispensable:
        _refuse_missing(sorted(lacking), sheet, feed)
    _all_read(sheet, [*standard, *extra], feed)
    rows = [[reading.value(cells) for reading in (*standard, *extra)] for cells in sheet.rows]
    fields = tuple(reading.field for reading in (*standard, *extra))
    return Table(
        name=feed.dataset.resources[0].name,
        title=feed.dataset.title,
        fields=fields,
        key=_key(rows, feed),
        frame=frame_of([field.name for field in fields], rows),
        row_numbers=sheet.row_numbers,
        headings={
            reading.field.name: " + ".join(sheet.headings[place] for place in reading.places)
            for reading in (*standard, *extra)
            if reading.places
        },
        encoding=sheet.encoding,
        position=feed.dataset.position,
        repairs=list(sheet.repairs),
        notes=[*sheet.notes, *_notes(missing, feed)],
    )


def places_of(headings: list[str]) -> dict[str, int]:
    """Where each heading stands; refused without one, or with two that are the same."""
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        if not heading:
            raise ColumnsError(
                f"{place + 1} 列目に見出しがありません。見出しを付けるか、列を消してください。",
                f"column {place + 1} has no heading; name it or remove it",
            )
        if heading_key(heading) in places:
            raise ColumnsError(
                f"見出し「{heading}」が 2 回あります。片方の名前を変えるか、列を消してください。",
                f"the heading {heading!r} occurs twice; rename one of them or remove its column",
            )
        places[heading_key(heading)] = place
    return places


def _reading(field: Field, places: dict[str, int], feed: Feed) -> Reading:
    """The city file decides first, then the standard's heading, then the older names of it."""
    if field.name in feed.constants:
        return Reading(field=field, constant=feed.constants[field.name])
    if field.name in feed.columns:
        return _from_origin(field, feed.columns[field.name], places, needed=True)
    for origin in (Origin(headings=(field.name,)), *field.origins):
        reading = _from_origin(field, origin, places, needed=False)
        if reading.places:
            return reading
    return Reading(field=field)


def _extra_reading(field: Field, places: dict[str, int]) -> Reading:
    return _from_origin(field, field.origins[0], places, needed=True)


def _from_origin(field: Field, origin: Origin, places: dict[str, int], needed: bool) -> Reading:
    keys = [heading_key(heading) for heading in origin.headings]
    if all(key in places for key in keys):
        return Reading(field=field, places=tuple(places[key] for key in keys), glue=origin.glue)
    if needed:
        raise ColumnsError(
            f"列「{field.name}」の元になる見出し「{origin}」がファイルにありません。",
            f"the heading {str(origin)!r}, from which the column {field.name!r} is made, "
            "is not in the file",
        )
    return Reading(field=field)


def _unfilled(reading: Reading) -> bool:
    return not reading.places and not reading.constant


def _refuse_missing(lacking: list[str], sheet: Sheet, feed: Feed) -> None:
    columns = "、".join(lacking)
    came = ", ".join(sheet.headings)
    raise ColumnsError(
        f"必要な列がありません: {columns}。届いた見出し（{sheet.encoding} として読み取り）: {came}。"
        f"別の見出しなら {feed.file} の columns に、決まった値なら constants に書いてください。",
        f"needed columns are missing: {columns}. Headings that came (read as {sheet.encoding}): "
        f"{came}. If a column has another heading, write it under columns in {feed.file}; "
        "if its value is always the same, under constants.",
    )


def _all_read(sheet: Sheet, readings: list[Reading], feed: Feed) -> None:
    """Every heading is read, kept as an extra column or ignored by name; a new one stops the run."""
    read = {place for reading in readings for place in reading.places}
    ignored = {heading_key(heading) for heading in feed.ignore}
    blank = [
        place
        for place, heading in enumerate(sheet.headings)
        if place not in read and heading_key(heading) not in ignored
    ]
    if blank:
        _refuse_twice_told([sheet.headings[place] for place in blank], feed)
        names = "、".join(sheet.headings[place] for place in blank)
        raise ColumnsError(
            f"知らない列があります: {names}。{feed.file} の sources.{feed.dataset.name} に、"
            "標準の列なら columns、市独自の列として残すなら extra、要らないなら ignore と書いてください。",
            f"unknown columns: {names}. Write each in {feed.file}, sources.{feed.dataset.name}: "
            "under columns if it is one of the standard's, under extra to keep it as the city's "
            "own, under ignore to leave it out.",
        )


def _refuse_twice_told(headings: list[str], feed: Feed) -> None:
    """A constant would hide what the list itself says."""
    for name in feed.constants:
        if heading := next((one for one in headings if heading_key(one) == heading_key(name)), ""):
            raise ColumnsError(
                f"列「{heading}」がファイルにありますが、{feed.file} の sources.{feed.dataset.name}."
                "constants でも値が決まっています。constants から消すか、ignore に書いてください。",
                f"the column {heading!r} is in the file, but sources.{feed.dataset.name}.constants "
                f"in {feed.file} gives it a value, too; remove it there, or write it under ignore",
            )


def _key(rows: list[list[str]], feed: Feed) -> tuple[str, ...]:
    """The key, unless the city gives no numbers at all."""
    names = [field.name for field in feed.dataset.fields]
    places = [names.index(name) for name in feed.dataset.key]
    numbered = any(row[place] for row in rows for place in places)
    return feed.dataset.key if numbered else ()


def _notes(missing: set[str], feed: Feed) -> list[Words]:
    absent = [field.name for field in feed.dataset.fields if field.name in missing]
    if not absent:
        return []
    names = "、".join(absent)
    return [
        Words(
            f"元のファイルに無い列は空です: {names}", f"columns not in the file are empty: {names}"
        )
    ]
