"""What the intake tells about a file, in both languages: nothing is set aside in silence."""

from collections import Counter
from collections.abc import Iterator

from harvesters.intake.sheet import OtherRow, Sheet
from harvesters.words import Words

LONGEST = 80
LOST = "\ufffd"
"""What programs write for a character that they could not read."""
ROLES = {
    "title": Words("見出しより上の題や注記です", "titles or notes above the headings"),
    "metadata": Words(
        "ファイル自身の説明（メタデータ）です", "metadata in which the file describes itself"
    ),
    "second header": Words(
        "見出しを別の言い方で繰り返しています", "repeats the headings in other words"
    ),
    "units": Words("単位です", "units"),
    "repeated header": Words("途中で繰り返された見出しです", "the headings once more"),
    "footnote": Words("表の下の注記です", "footnotes below the table"),
}
"""Rows that are no data, and what is said about them."""


def notes_of(sheet: Sheet) -> list[Words]:
    """One sentence for each kind of rows that are no data, with where they stand and what they say."""
    told = (_other_rows, _headings, _blank, _metadata, _lost, _wide)
    return [note for tell in told for note in tell(sheet)]


def _other_rows(sheet: Sheet) -> Iterator[Words]:
    for role, meaning in ROLES.items():
        rows = [row for row in sheet.others if row.role == role]
        if rows:
            numbers, text = spans([row.number for row in rows]), _glimpse(rows)
            yield Words(
                f"{numbers} 行目はデータではなく、{meaning.ja}: {text}",
                f"Rows {numbers} are no data, but {meaning.en}: {text}",
            )


def _glimpse(rows: list[OtherRow]) -> str:
    words = " / ".join(" ".join(" ".join(row.cells).split()) for row in rows)
    return words if len(words) <= LONGEST else words[:LONGEST] + "…"


def spans(numbers: list[int]) -> str:
    """1–3, 7: row numbers, neighbours drawn together."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _headings(sheet: Sheet) -> Iterator[Words]:
    header = [row.number for row in sheet.others if row.role == "header"]
    names = ", ".join(sheet.headings)
    if not header:
        yield Words(
            f"見出しの行がありません。列に名前を付けました: {names}",
            f"There is no row of headings; the columns were named: {names}",
        )
    elif len(header) > 1:
        yield Words(
            f"{spans(header)} 行目を合わせて見出しとしました: {names}",
            f"Rows {spans(header)} together are the headings: {names}",
        )


def _blank(sheet: Sheet) -> Iterator[Words]:
    """Blank rows at the end are not worth a word."""
    last = max(sheet.row_numbers)
    blank = sum(row.role == "blank" and row.number < last for row in sheet.others)
    if blank:
        yield Words(f"空の行を {blank} 行除きました。", f"{blank} blank rows left out.")


def _metadata(sheet: Sheet) -> Iterator[Words]:
    if sheet.metadata:
        told = ", ".join(f"{key}={value}" for key, value in sheet.metadata.items())
        yield Words(f"ファイルのメタデータ: {told}", f"Metadata of the file: {told}")


def _lost(sheet: Sheet) -> Iterator[Words]:
    pairs = zip(sheet.row_numbers, sheet.rows, strict=True)
    lost = [number for number, cells in pairs if any(LOST in cell for cell in cells)]
    if lost:
        yield Words(
            f"{spans(lost)} 行目に「{LOST}」があります。ファイルを作るときに文字が失われています。",
            f"Rows {spans(lost)} hold {LOST}: characters were lost when the file was made.",
        )


def _wide(sheet: Sheet) -> Iterator[Words]:
    """An unquoted comma moves the rest of a row to the right, over the edge of the table."""
    longest = [len(tail) for tail in sheet.tails]
    usual = Counter(longest).most_common(1)[0][0]
    pairs = zip(sheet.row_numbers, longest, strict=True)
    wide = [number for number, length in pairs if length > usual]
    if wide:
        yield Words(
            f"{spans(wide)} 行目は、ほかの行より値が多くあります（最後は空）。"
            "値の中のコンマで列がずれていないか確かめてください。",
            f"Rows {spans(wide)} have more values than the others (the last ones blank). "
            "Check that no comma inside a value has moved the columns.",
        )
