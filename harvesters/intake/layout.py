"""Where the table stands among titles, units and footnotes: found by what columns hold, not by place.

The header is the first row that names most of the columns. Rows next to it belong to it while it
leaves columns without a name, or with the same name as others. A row that is unlike the column
below it (a word above numbers) is no data.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from harvesters.intake.cells import filled, is_note, is_unit, kind_of
from harvesters.japanese import heading_key

LOOKED_AT = 40
"""Rows at the top among which the header is sought."""
SAMPLE = 200
"""Rows below a header that tell what its columns hold."""
NEAR = 0.6
"""A header names at least this part of the columns that the best of the rows fills."""
TYPED = 0.9
"""The part of a column's values that must be of one kind."""
YEARS = range(1900, 2101)
JOINT = "_"
"""Between the parts of a heading that stands in several rows, as in the standard's 所在地_町字."""

Merged = tuple[tuple[int, int, int, int], ...]


@dataclass(kw_only=True)
class Layout:
    """The places of the rows in the file, counted from 0."""

    header: list[int]
    """From top to bottom; empty where the file has no header."""
    data: int
    """The first row that may hold data."""
    units: int | None = None
    second: list[int] = field(default_factory=list)
    """Rows below the header that repeat it in other words."""


def find(rows: list[list[str]], known: set[str], merged: Merged = ()) -> Layout:
    """The header and what belongs to it."""
    places = [place for place, cells in enumerate(rows) if filled(cells)]
    start = _start(rows, places, known)
    if not known & _keys(rows[start]) and _is_data(rows, places, start):
        return Layout(header=[], data=start)
    layout = Layout(header=[start], data=start + 1)
    _extend_down(rows, places, layout, merged)
    _extend_up(rows, places, layout, merged)
    return layout


def headings(rows: list[list[str]], header: Sequence[int], merged: Merged = ()) -> list[str]:
    """One heading per column; parts from several rows are joined, a group's name to each of its own."""
    width = max((len(rows[place]) for place in header), default=0)
    lines = [_spread(rows, place, place == header[-1], width, merged) for place in header]
    return [JOINT.join(dict.fromkeys(filter(None, parts))) for parts in zip(*lines, strict=True)]


def _spread(
    rows: list[list[str]], place: int, lowest: bool, width: int, merged: Merged
) -> list[str]:
    """A row of the header, where a group's name is repeated over all columns of the group."""
    cells = [cell.strip() for cell in rows[place]] + [""] * (width - len(rows[place]))
    if merged:
        for top, left, bottom, right in merged:
            if top <= place <= bottom and left < width:
                cells[left : right + 1] = [rows[top][left].strip()] * (right + 1 - left)
        return cells[:width]
    if lowest:
        return cells
    below = rows[place + 1]
    for at in range(1, min(width, len(below))):
        if not cells[at] and below[at].strip() and below[at - 1].strip():
            cells[at] = cells[at - 1]
    return cells


def _start(rows: list[list[str]], places: list[int], known: set[str]) -> int:
    """The row with most of the known headings, else the first that names most of the columns."""
    top = places[:LOOKED_AT]
    best = max(top, key=lambda place: len(known & _keys(rows[place])))
    if len(known & _keys(rows[best])) > min(1, len(filled(rows[best])) - 1):
        return best
    shares = {place: _share(rows, places, order) for order, place in enumerate(top[:-1])}
    enough = NEAR * max(shares.values(), default=0)
    return next((place for place, share in shares.items() if share >= enough), top[0])


def _keys(cells: list[str]) -> set[str]:
    return {heading_key(cell) for cell in cells if cell.strip()}


def _share(rows: list[list[str]], places: list[int], order: int) -> float:
    """The part of the columns used below that a row fills; notes and single cells name nothing."""
    cells = rows[places[order]]
    mine = filled(cells)
    used = _used(rows, places[order + 1 :])
    if (len(mine) == 1 and len(used) > 2) or (
        len(mine) <= 3 and mine < used and any(is_note(cells[place]) for place in mine)
    ):
        return 0
    return len(mine & used) / len(used)


def _used(rows: list[list[str]], places: Sequence[int]) -> set[int]:
    """The columns that hold anything in the rows that follow."""
    return set().union(*(filled(rows[place]) for place in places[:SAMPLE]))


def _kinds(rows: list[list[str]], places: Sequence[int]) -> dict[int, str]:
    """Column: number, date or time, where nearly all values are of that kind."""
    found: dict[int, Counter[str]] = {}
    for place in places[:SAMPLE]:
        for at, cell in enumerate(rows[place]):
            found.setdefault(at, Counter())[kind_of(cell)] += 1
    kinds = {}
    for at, counts in found.items():
        counts.pop("", None)
        kind, count = max(counts.items(), key=lambda one: one[1], default=("text", 0))
        if kind != "text" and count >= TYPED * counts.total():
            kinds[at] = kind
    return kinds


def _likeness(cells: list[str], kinds: dict[int, str]) -> tuple[int, int]:
    """How many cells are of their column's kind, and how many are not."""
    own = {at: kind_of(cells[at]) for at in kinds if at < len(cells)}
    like = sum(kind == kinds[at] for at, kind in own.items())
    return like, sum(bool(kind) for kind in own.values()) - like


def _is_data(rows: list[list[str]], places: list[int], start: int) -> bool:
    """Whether the file begins with data: all that could be compared is like what follows."""
    rest = [place for place in places if place > start]
    like, unlike = _likeness(rows[start], _kinds(rows, rest))
    headed = _counts_up(rows[start]) or _years_above(rows, start, rest)
    return like > 0 and not unlike and not headed


def _counts_up(cells: list[str]) -> bool:
    """Months or days as headings: 4, 5, 6 above numbers."""
    numbers = list(_whole(cells).values())
    steps = {after - before for before, after in zip(numbers, numbers[1:], strict=False)}
    return len(numbers) > 2 and len(steps) == 1 and steps == {1}


def _years_above(rows: list[list[str]], start: int, rest: list[int]) -> bool:
    """Years as headings: 2024, 2025 above what is mostly no year."""
    years = _whole(rows[start])
    below = [_whole(rows[place]) for place in rest[:SAMPLE]]
    values = [cells[at] in YEARS for cells in below for at in years if at in cells]
    return bool(years) and all(year in YEARS for year in years.values()) and not all(values)


def _whole(cells: list[str]) -> dict[int, int]:
    """The places of plain whole numbers, and the numbers."""
    digits = {at: cell.strip() for at, cell in enumerate(cells)}
    return {at: int(cell) for at, cell in digits.items() if cell.isascii() and cell.isdigit()}


def _lacking(names: list[str], used: set[int]) -> int:
    """How many columns have no name of their own."""
    counts = Counter(names)
    return sum(at >= len(names) or not names[at] or counts[names[at]] > 1 for at in used)


def _extend_down(rows: list[list[str]], places: list[int], layout: Layout, merged: Merged) -> None:
    """Takes units, and rows that name what the header above leaves open."""
    for order in range(places.index(layout.header[-1]) + 1, len(places) - 1):
        place, rest = places[order], places[order + 1 :]
        role = _role(rows, place, rest, layout, merged)
        if not role:
            break
        if role == "units":
            layout.units = place
        else:
            (layout.header if role == "header" else layout.second).append(place)
        layout.data = place + 1


def _role(
    rows: list[list[str]], place: int, rest: list[int], layout: Layout, merged: Merged
) -> str:
    """What a row below the header is: units, header, second header, or nothing of these."""
    sure = rest[min(2, max(0, len(rest) - 2)) :]  # two more rows may be of the header
    used, kinds = _used(rows, sure), _kinds(rows, sure)
    like, unlike = _likeness(rows[place], kinds)
    if layout.units is None and _is_units(rows[place], kinds):
        return "units"
    if like:
        return ""
    lacking = _lacking(headings(rows, layout.header, merged), used)
    if not lacking:
        second = _is_second(rows[place], unlike, len(kinds), len(rest))
        return "second header" if second else ""
    if place == layout.header[-1] + 1 and (unlike or _is_lower(rows, layout, place, sure)):
        joined = headings(rows, [*layout.header, place], merged)
        return "header" if lacking > _lacking(joined, used) else ""
    return ""


def _is_second(cells: list[str], unlike: int, typed: int, below: int) -> bool:
    """Different words in every column, or words above everything that is no word."""
    words = [cell.strip() for cell in cells]
    every = all(words) and len({*words}) == len(words) and unlike > 1 and below > 1
    return every or (unlike > 2 and unlike == typed and below > 2)


def _is_units(cells: list[str], kinds: dict[int, str]) -> bool:
    """Nothing but units, at least one of them above numbers."""
    mine = filled(cells)
    return all(is_unit(cells[at]) for at in mine) and any(kinds.get(at) == "number" for at in mine)


def _is_lower(rows: list[list[str]], layout: Layout, place: int, rest: Sequence[int]) -> bool:
    """Among words alone: blank under a heading whose column is full below, filled under the gaps."""
    upper, lower = rows[layout.header[-1]], rows[place]
    gaps = {at for at in _used(rows, rest) if at >= len(upper) or not upper[at].strip()}
    mine = filled(lower)
    single = filled(upper) - mine
    body = [filled(rows[one]) for one in rest[:SAMPLE]]
    full = {at for at in single if sum(at in one for one in body) >= TYPED * len(body)}
    return bool(gaps) and gaps <= mine and bool(full)


def _extend_up(rows: list[list[str]], places: list[int], layout: Layout, merged: Merged) -> None:
    """Takes rows right above that name what is left open: a group above, the corner of a crosstable."""
    used = _used(rows, [place for place in places if place >= layout.data])
    while (place := layout.header[0] - 1) >= 0 and len(filled(rows[place])) > 1:
        if any(is_note(cell) for cell in rows[place]):
            break
        wider = headings(rows, [place, *layout.header], merged)
        if _lacking(wider, used) >= _lacking(headings(rows, layout.header, merged), used):
            break
        layout.header.insert(0, place)
