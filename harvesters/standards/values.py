"""What is wrong with the values of a list: empty, of another form, swapped, twice the same number."""

from collections.abc import Iterator

from harvesters.intake import Sheet
from harvesters.standards import forms
from harvesters.standards.definitions import REQUIRED
from harvesters.standards.forms import Fault
from harvesters.standards.matching import Match
from harvesters.standards.ranking import Candidate
from harvesters.standards.reasons import Reason, column_of, lost, shown
from harvesters.words import Words


def of_values(sheet: Sheet, candidate: Candidate) -> Iterator[Reason]:
    """Every reason that lies in the values."""
    yield from _empty(sheet, candidate)
    yield from _forms(sheet, candidate)
    yield from _same_numbers(sheet, candidate)


def _empty(sheet: Sheet, candidate: Candidate) -> Iterator[Reason]:
    """A flag says no by being empty; all other required columns need a value in every row."""
    for one in candidate.matches:
        if one.column.level != REQUIRED or one.column.kind == "flag":
            continue
        cells = column_of(sheet, one)
        rows = [
            number
            for number, cell in zip(sheet.row_numbers, cells, strict=True)
            if not cell.strip()
        ]
        if rows:
            count = len(rows)
            yield Reason(
                rule="empty-required",
                points=lost("empty-required", count / len(cells)),
                words=Words(
                    f"必須の値が空です: {count:,} 行",
                    f"a required value is empty in {count:,} rows",
                ),
                advice=Words("値を書いてください", "fill in the values"),
                column=shown(sheet, one),
                faults=[Fault(row=row, value="", after="", rule="", mended=False) for row in rows],
            )


def _forms(sheet: Sheet, candidate: Candidate) -> Iterator[Reason]:
    """The points for forms are divided among the columns that have values in a form."""
    checked = []
    for one in candidate.matches:
        cells = column_of(sheet, one)
        if one.column.kind in forms.FORMS and any(cells):
            checked.append((one, cells))
    turned = _turned(sheet, candidate)
    if turned:
        yield _turned_reason(turned, sheet, candidate)
    wrong_way = {fault.row for fault in turned}
    for one, cells in checked:
        found = forms.faults(one.column.kind, cells, sheet.row_numbers)
        if one.column.kind in {"latitude", "longitude"}:
            found = [fault for fault in found if fault.row not in wrong_way]
        if found:
            written = sum(bool(cell) for cell in cells)
            share = len(found) / max(written, len(found)) / len(checked)
            yield _form_reason(one, found, share, sheet)


def _form_reason(one: Match, found: list[Fault], share: float, sheet: Sheet) -> Reason:
    expected = forms.FORMS[one.column.kind].expected
    count, rest = len(found), sum(not fault.mended for fault in found)
    by_hand = Words(
        f"{rest:,} 件は手で直してください" if rest else "--fixed で直せます",
        f"correct {rest:,} of them by hand" if rest else "--fixed corrects them",
    )
    return Reason(
        rule="form",
        points=lost("form", share),
        words=Words(
            f"形が違う値 {count:,} 件（期待: {expected.ja}）",
            f"{count:,} values of another form (expected: {expected.en})",
        ),
        advice=by_hand,
        column=shown(sheet, one),
        faults=found,
    )


def position(candidate: Candidate) -> tuple[Match, Match] | None:
    """The columns of latitude and longitude, where both are there."""
    found = {one.column.kind: one for one in candidate.matches}
    if {"latitude", "longitude"} <= set(found):
        return found["latitude"], found["longitude"]
    return None


def _turned(sheet: Sheet, candidate: Candidate) -> list[Fault]:
    if not (pair := position(candidate)):
        return []
    latitudes, longitudes = (column_of(sheet, one) for one in pair)
    return [
        Fault(
            row=sheet.row_numbers[place],
            value=f"{latitudes[place]}, {longitudes[place]}",
            after=f"{longitudes[place]}, {latitudes[place]}",
            rule="swapped-coordinates",
            mended=True,
        )
        for place in forms.swapped(latitudes, longitudes)
    ]


def _turned_reason(turned: list[Fault], sheet: Sheet, candidate: Candidate) -> Reason:
    pair = position(candidate)
    return Reason(
        rule="swapped-coordinates",
        points=lost("form", len(turned) / len(sheet.rows)),
        words=Words(
            f"緯度と経度が入れ替わっています: {len(turned):,} 行",
            f"latitude and longitude are swapped in {len(turned):,} rows",
        ),
        advice=Words("--fixed で直せます", "--fixed corrects them"),
        column=" + ".join(shown(sheet, one) for one in pair or ()),
        faults=turned,
    )


def _same_numbers(sheet: Sheet, candidate: Candidate) -> Iterator[Reason]:
    for one in candidate.matches:
        if one.column.name != "ID":
            continue
        first: dict[str, int] = {}
        found = []
        for number, cell in zip(sheet.row_numbers, column_of(sheet, one), strict=True):
            if cell and cell in first:
                found.append(Fault(row=number, value=cell, after=cell, rule="", mended=False))
            first.setdefault(cell, number)
        if found:
            yield Reason(
                rule="same-number",
                points=lost("same-number", len(found) / len(sheet.rows)),
                words=Words(
                    f"同じ番号の行が {len(found):,} 行あります",
                    f"{len(found):,} rows have the number of another row",
                ),
                advice=Words(
                    "行ごとに違う番号を付けてください", "give every row a number of its own"
                ),
                column=shown(sheet, one),
                faults=found,
            )
