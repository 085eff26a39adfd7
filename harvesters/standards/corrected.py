"""The list as the standard wants it: its columns in its order, values in its forms, own columns behind."""

import csv
import io
from dataclasses import dataclass

from harvesters.intake.sheet import column_names
from harvesters.source import Repair
from harvesters.standards import forms
from harvesters.standards.assessment import Assessment
from harvesters.standards.reasons import column_of, own_places, shown
from harvesters.standards.values import position
from harvesters.words import Words


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """The corrected table, and everything that is not as it was."""

    headings: list[str]
    rows: list[list[str]]
    repairs: list[Repair]
    notes: list[Words]

    def as_csv(self) -> bytes:
        """UTF-8 with a byte order mark, as the standard and Excel want it."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(self.headings)
        writer.writerows(self.rows)
        return text.getvalue().encode("utf-8-sig")


def correct(found: Assessment) -> Corrected:
    """Only what is certain is changed; the rest stays as the office wrote it."""
    sheet, candidate = found.sheet, found.candidate
    given = {one.column.name: one for one in candidate.matches}
    columns: dict[str, list[str]] = {}
    repairs = list(sheet.repairs)
    for column in candidate.standard.columns:
        one = given.get(column.name)
        columns[column.name] = column_of(sheet, one) if one else [""] * len(sheet.rows)
    _turn(found, columns, repairs)
    for one in candidate.matches:
        _mend(one.column.kind, one.column.name, columns, sheet.row_numbers, repairs)
    own = own_places(sheet, candidate)
    names = column_names(sheet.headings)
    for place in own:
        name = names[place] if names[place] not in columns else f"{names[place]}（元の列）"
        columns[name] = [row[place] for row in sheet.rows]
    return Corrected(
        headings=list(columns),
        rows=[list(cells) for cells in zip(*columns.values(), strict=True)],
        repairs=repairs,
        notes=_notes(found, own),
    )


def _turn(found: Assessment, columns: dict[str, list[str]], repairs: list[Repair]) -> None:
    """Latitude and longitude change places in the rows where they are swapped."""
    if not (pair := position(found.candidate)):
        return
    latitudes, longitudes = (columns[one.column.name] for one in pair)
    numbers = found.sheet.row_numbers
    for place in forms.swapped(latitudes, longitudes):
        before = latitudes[place], longitudes[place]
        latitudes[place], longitudes[place] = reversed(before)
        for one, old, new in zip(pair, before, reversed(before), strict=True):
            repairs.append(
                Repair(
                    row=numbers[place],
                    column=one.column.name,
                    before=old,
                    after=new,
                    rule="swapped-coordinates",
                )
            )


def _mend(
    kind: str,
    name: str,
    columns: dict[str, list[str]],
    row_numbers: list[int],
    repairs: list[Repair],
) -> None:
    places = {number: place for place, number in enumerate(row_numbers)}
    for fault in forms.faults(kind, columns[name], row_numbers):
        if fault.mended:
            columns[name][places[fault.row]] = fault.after
            repairs.append(
                Repair(
                    row=fault.row,
                    column=name,
                    before=fault.value,
                    after=fault.after,
                    rule=fault.rule,
                )
            )


def _notes(found: Assessment, own: list[int]) -> list[Words]:
    """What became of the headings, of the rows that are no data, and of the encoding."""
    sheet, notes = found.sheet, []
    for one in found.candidate.matches:
        heading = shown(sheet, one)
        if heading != one.column.name:
            notes.append(
                Words(
                    f"見出し「{heading}」を「{one.column.name}」にしました",
                    f"heading {heading!r} is now {one.column.name!r}",
                )
            )
    if own:
        names = [column_names(sheet.headings)[place] for place in own]
        notes.append(
            Words(
                f"独自の列を後ろに置きました: {'、'.join(names)}",
                f"own columns stand behind: {', '.join(names)}",
            )
        )
    aside = [row for row in sheet.others if row.number != sheet.header_row]
    if aside:
        numbers = ", ".join(str(row.number) for row in aside)
        notes.append(
            Words(
                f"データではない行を除きました: {numbers} 行目",
                f"rows that are no data left out: {numbers}",
            )
        )
    notes.append(
        Words(
            f"BOM 付き UTF-8 で書きました（元は {sheet.encoding}）",
            f"written as UTF-8 with a byte order mark (it was {sheet.encoding})",
        )
    )
    return notes
