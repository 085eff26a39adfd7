"""What is wrong with the layout of a list: columns, headings, their order, encoding, rows beside the data."""

import codecs
from collections import Counter
from collections.abc import Iterator

from harvesters.intake import Sheet
from harvesters.intake.sheet import column_names
from harvesters.japanese import heading_key
from harvesters.standards.definitions import RECOMMENDED, REQUIRED
from harvesters.standards.matching import NAME, OTHER_NAME, Match
from harvesters.standards.ranking import Candidate
from harvesters.standards.reasons import Reason, lost, own_places, shown
from harvesters.words import Words

WORKBOOKS = {"xlsx", "xls", "ods"}


def of_layout(sheet: Sheet, content: bytes, candidate: Candidate) -> Iterator[Reason]:
    """Every reason that lies in columns and file."""
    yield from _missing(candidate)
    yield from _headings(sheet, candidate)
    yield from _same_headings(sheet)
    yield from _order(candidate)
    yield from _own_columns(sheet, candidate)
    yield from _file(sheet, content)


def _missing(candidate: Candidate) -> Iterator[Reason]:
    there = {one.column.name for one in candidate.matches}
    told = {REQUIRED: Words("必須", "required"), RECOMMENDED: Words("推奨", "recommended")}
    for level, name in told.items():
        wanted = [one.name for one in candidate.standard.columns if one.level == level]
        lacking = [column for column in wanted if column not in there]
        if lacking:
            yield Reason(
                rule=f"missing-{level}",
                points=lost(f"missing-{level}", len(lacking) / len(wanted)),
                words=Words(
                    f"{name.ja}の列がありません: {'、'.join(lacking)}",
                    f"{name.en} columns are missing: {', '.join(lacking)}",
                ),
                advice=Words("列を加えてください", "add the columns"),
            )


def _headings(sheet: Sheet, candidate: Candidate) -> Iterator[Reason]:
    """Names of older editions, other spellings, and what was only known by its values."""
    others = [one for one in candidate.matches if not _named_right(sheet, one)]
    if not others:
        return
    older = all(one.by == OTHER_NAME for one in others)
    yield Reason(
        rule="headings",
        points=lost("headings", len(others) / len(candidate.matches)),
        words=Words(
            f"{'旧版などの見出し' if older else '標準と違う見出し'} {len(others)} 列",
            f"{len(others)} headings {'of an older edition' if older else 'unlike the standard'}",
        ),
        advice=Words(
            "見出しを標準の名前にしてください（--fixed で直せます）",
            "give the columns the standard's names (--fixed does)",
        ),
        headings=_renamed(sheet, others),
    )


def _same_headings(sheet: Sheet) -> Iterator[Reason]:
    """Of two columns with one heading nobody knows which is meant."""
    keys = Counter(heading_key(heading) for heading in sheet.headings if heading)
    twice = {one: None for one in sheet.headings if keys[heading_key(one)] > 1}
    if twice:
        yield Reason(
            rule="same-heading",
            points=lost("same-heading"),
            words=Words(
                f"同じ見出しの列があります: {'、'.join(twice)}",
                f"columns with the same heading: {', '.join(twice)}",
            ),
            advice=Words(
                "見出しを変えるか、要らない列を消してください",
                "rename one of them, or remove the column that is not needed",
            ),
        )


def _renamed(sheet: Sheet, others: list[Match]) -> dict[str, str]:
    """Heading: its name in the standard; a column that holds a position has two."""
    names: dict[str, list[str]] = {}
    for one in others:
        names.setdefault(shown(sheet, one), []).append(one.column.name)
    return {heading: " + ".join(mine) for heading, mine in names.items()}


def _named_right(sheet: Sheet, one: Match) -> bool:
    return one.by == NAME and heading_key(shown(sheet, one)) == heading_key(one.column.name)


def _order(candidate: Candidate) -> Iterator[Reason]:
    places = [one.places[0] for one in candidate.matches if one.by == NAME]
    older = any(one.by == OTHER_NAME for one in candidate.matches)
    if candidate.standard.ordered and not older and places != sorted(places):
        yield Reason(
            rule="order",
            points=lost("order"),
            words=Words("列の順序が標準と違います", "the columns are not in the standard's order"),
            advice=Words("--fixed で並べ替えられます", "--fixed puts them in order"),
        )


def _own_columns(sheet: Sheet, candidate: Candidate) -> Iterator[Reason]:
    """The city's own columns are welcome, behind those of the standard."""
    last = max((place for one in candidate.matches for place in one.places), default=0)
    names = column_names(sheet.headings)
    between = [names[place] for place in own_places(sheet, candidate) if place < last]
    if between:
        yield Reason(
            rule="own-columns",
            points=lost("own-columns", len(between) / len(sheet.headings)),
            words=Words(
                f"標準に無い列が間にあります: {'、'.join(between)}",
                f"columns that the standard does not have stand between: {', '.join(between)}",
            ),
            advice=Words(
                "独自の列は最後に置いてください（--fixed で直せます）",
                "put own columns at the end (--fixed does)",
            ),
        )


def _file(sheet: Sheet, content: bytes) -> Iterator[Reason]:
    if sheet.encoding.lower() in WORKBOOKS:
        yield Reason(
            rule="workbook",
            points=lost("workbook"),
            words=Words(f"CSV ではなく {sheet.encoding} です", f"{sheet.encoding}, not CSV"),
            advice=Words("CSV で公開してください（--fixed で作れます）", "publish CSV (--fixed)"),
        )
    elif "utf-8" not in sheet.encoding.lower():
        yield _encoded(
            "encoding", f"文字コードが {sheet.encoding} です", f"encoding {sheet.encoding}"
        )
    elif not content.startswith(codecs.BOM_UTF8):
        yield _encoded(
            "mark",
            "BOM がありません（Excel で文字化けします）",
            "no byte order mark: Excel garbles it",
        )
    yield from _rows_aside(sheet)


def _encoded(rule: str, ja: str, en: str) -> Reason:
    return Reason(
        rule=rule,
        points=lost(rule),
        words=Words(ja, en),
        advice=Words("BOM 付き UTF-8 にしてください", "save it as UTF-8 with a byte order mark"),
    )


def _rows_aside(sheet: Sheet) -> Iterator[Reason]:
    """The standard has one row of headings on top and nothing but rows below it."""
    roles = {
        "rows-above": {"title", "metadata", "header"},
        "other-rows": {"second header", "units", "repeated header", "footnote", "blank"},
    }
    for rule, mine in roles.items():
        rows = [row.number for row in sheet.others if row.role in mine]
        if rule == "rows-above":
            rows = [number for number in rows if number != sheet.header_row]
        if rows:
            listed = ", ".join(map(str, rows[:5])) + (" …" if len(rows) > 5 else "")
            yield Reason(
                rule=rule,
                points=lost(rule),
                words=Words(
                    f"見出しとデータのほかに行があります: {listed} 行目",
                    f"rows beside headings and data: {listed}",
                ),
                advice=Words(
                    "1 行目に見出し、2 行目からデータだけにしてください",
                    "headings in row 1, and nothing but data below",
                ),
            )
