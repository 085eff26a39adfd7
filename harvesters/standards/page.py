"""What was found about a list as a page that a clerk can open, mark and print; it needs nothing else."""

from html import escape

from harvesters.page import STYLE
from harvesters.standards import checking
from harvesters.standards.assessment import Assessment
from harvesters.standards.checking import Checked
from harvesters.standards.ranking import runner_up
from harvesters.standards.reasons import Reason
from harvesters.words import Words

GOOD = 80
SHOWN_FAULTS = 100
VALUES = Words("行,値,直した値", "row,value,corrected value")


def as_page(checked: Checked, found: Assessment, language: str) -> str:
    """HTML with its style inside; whatever comes from the file is escaped."""
    title = checking.title(checked, found).said(language)
    kind = "good" if found.score >= GOOD else "bad"
    parts = [f"<h1>{escape(checked.file.name)}</h1>", f'<p class="{kind}">{escape(title)}</p>']
    if second := runner_up(checked.ranked):
        name = checking.named(second.standard)
        close = Words(f"次に近いもの: {name.ja}", f"close to it: {name.en}")
        parts.append(f"<p>{escape(close.said(language))}</p>")
    parts += [f"<p>{escape(note.said(language))}</p>" for note in checked.sheet.notes]
    parts += [_reason(reason, language) for reason in found.reasons]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f"<main>\n{body}\n</main>\n</html>\n"
    )


def _reason(reason: Reason, language: str) -> str:
    where = f"{escape(reason.column)}: " if reason.column else ""
    head = f"<h2>−{reason.points:g} {where}{escape(reason.words.said(language))}</h2>"
    advice = f"<p>{escape(reason.advice.said(language))}</p>"
    return head + advice + _headings(reason) + (_values(reason, language) if reason.faults else "")


def _headings(reason: Reason) -> str:
    return "".join(
        f"<p>{escape(heading)} → {escape(name)}</p>" for heading, name in reason.headings.items()
    )


def _values(reason: Reason, language: str) -> str:
    heads = "".join(f'<th scope="col">{one}</th>' for one in VALUES.said(language).split(","))
    rows = "".join(
        f"<tr><td>{fault.row}</td><td><mark>{escape(fault.value) or '&nbsp;'}</mark></td>"
        f"<td>{escape(fault.after) if fault.mended else ''}</td></tr>\n"
        for fault in reason.faults[:SHOWN_FAULTS]
    )
    rest = len(reason.faults) - SHOWN_FAULTS
    more = Words(f"ほか {rest:,} 件", f"and {rest:,} more").said(language) if rest > 0 else ""
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="wide">{table}</div><p>{more}</p>'
