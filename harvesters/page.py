"""The report of one file as a page that a clerk can open, mark and print; it needs nothing else."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from harvesters.alone import Judged
from harvesters.pipeline import read_told
from harvesters.report import FINDING, Finding, count_of
from harvesters.source import Table
from harvesters.words import Words

SHOWN_ROWS = 200
SHOWN_FINDINGS = 1_000
STYLE = """
body { font: 16px/1.6 system-ui, "Hiragino Sans", "Noto Sans JP", "Yu Gothic", sans-serif;
       margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2rem }
.good { border-left: .5rem solid #1b6e3c; padding-left: 1rem }
.bad { border-left: .5rem solid #b3261e; padding-left: 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .875rem }
th, td { border: 1px solid #767676; padding: .25rem .5rem; text-align: left; vertical-align: top }
thead { display: table-header-group } th { background: #f0f0f0 } tr { break-inside: avoid }
td { white-space: pre-wrap; overflow-wrap: anywhere }
mark { background: #ffd8d3; color: #1a1a1a; outline: 2px solid #b3261e; display: block }
@media print { body { margin: 0; max-width: none; font-size: 10pt } .wide { overflow: visible }
  mark { print-color-adjust: exact } @page { size: A4 landscape; margin: 12mm } }
"""
ROW = Words("行", "row")


def as_page(judged: Judged, language: str) -> str:
    """HTML with its style inside; whatever comes from the file is escaped."""
    findings = judged.findings
    title = Words(f"{judged.file.name} の検証結果", f"Validation of {judged.file.name}")
    parts = [
        f"<h1>{escape(title.said(language))}</h1>",
        _verdict(judged, findings, language),
        *(f"<p>{escape(note.said(language))}</p>" for note in judged.package.notes),
    ]
    if findings:
        parts += _faults(judged, findings, language)
    return document(title.said(language), parts, language)


def document(title: str, parts: Iterable[str], language: str) -> str:
    """A whole page of parts that are HTML already; only the title is escaped here."""
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f"<main>\n{body}\n</main>\n</html>\n"
    )


def _verdict(judged: Judged, findings: list[Finding], language: str) -> str:
    about = read_told(judged.package)
    told = Words("問題ありません。", "No errors.")
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        wrong = len({(finding.table, finding.row) for finding in errors})
        count = count_of(errors)
        told = Words(f"誤り {count:,} 件（{wrong:,} 行）", f"{count:,} errors in {wrong:,} rows")
    if others := count_of(findings) - count_of(errors):
        told = Words(f"{told.ja} 注意 {others:,} 件", f"{told.en} {others:,} warnings")
    kind = "bad" if errors else "good"
    return f'<p class="{kind}"><strong>{told.said(language)}</strong><br>{about.said(language)}</p>'


def _faults(judged: Judged, findings: list[Finding], language: str) -> list[str]:
    listed = [finding.cells(language) for finding in findings[:SHOWN_FINDINGS]]
    body = "".join(line(map(escape, cells)) for cells in listed)
    found = Words("誤りの一覧", "List of errors").said(language)
    where = Words("誤りのある行", "Rows with errors").said(language)
    if any(finding.severity == "warning" for finding in findings):
        found = Words("誤りと注意の一覧", "List of errors and warnings").said(language)
        where = Words("誤りか注意のある行", "Rows with errors or warnings").said(language)
    return [
        f"<h2>{found}</h2>",
        _by_column(findings, language),
        table(FINDING.said(language).split(","), body),
        more(len(findings) - SHOWN_FINDINGS, language),
        f"<h2>{where}</h2>",
        *_rows(judged, findings, language),
    ]


def _by_column(findings: list[Finding], language: str) -> str:
    counts = Counter(finding.column for finding in findings)
    whole = Words("（表全体）", "(whole table)").said(language)
    said = "、" if language == "ja" else ", "
    return f"<p>{said.join(f'{escape(name) or whole} {n:,}' for name, n in counts.items())}</p>"


def _rows(judged: Judged, findings: list[Finding], language: str) -> list[str]:
    """The faulty rows of each table."""
    several = len(judged.package.tables) > 1
    parts = []
    for one in judged.package.tables:
        faults = _faults_by_row(findings, one.name if several else "", language)
        if faults:
            parts += [f"<h3>{escape(one.title.said(language))}</h3>"] if several else []
            parts += _rows_of(one, faults, language)
    return parts


def _faults_by_row(findings: list[Finding], table: str, language: str) -> dict[int, dict[str, str]]:
    """Row: column: why it is wrong."""
    faults: dict[int, dict[str, str]] = {}
    for finding in findings:
        if finding.row is not None and finding.table == table:
            cells = faults.setdefault(finding.row, {})
            for column in finding.column.split(" + "):
                cells[column] = finding.cells(language)[3]
    return faults


def _rows_of(one: Table, faults: dict[int, dict[str, str]], language: str) -> list[str]:
    """Each faulty row once, with its faulty cells marked and why."""
    headings = [one.headings.get(field.name, field.name) for field in one.fields]
    places = {row: place for place, row in enumerate(one.row_numbers) if row in faults}
    shown = sorted(places)[:SHOWN_ROWS]
    body = "".join(
        line([str(row), *_marked(headings, one.frame.row(places[row]), faults[row])])
        for row in shown
    )
    return [
        table([ROW.said(language), *headings], body),
        more(len(faults) - len(shown), language),
    ]


def _marked(headings: list[str], cells: Sequence[str], faults: dict[str, str]) -> list[str]:
    return [
        f'<mark title="{escape(faults[heading])}">{escape(cell) or "&nbsp;"}</mark>'
        if heading in faults
        else escape(cell)
        for heading, cell in zip(headings, cells, strict=True)
    ]


def table(headings: Iterable[str], body: str) -> str:
    """Headings, and rows that are HTML already; a wide one is scrolled."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def line(cells: Iterable[str]) -> str:
    """A row of cells that are HTML already."""
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"


def more(count: int, language: str) -> str:
    """How many are not shown."""
    if count <= 0:
        return ""
    return f"<p>{Words(f'ほか {count:,} 件', f'and {count:,} more').said(language)}</p>"
