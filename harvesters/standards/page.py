"""What was found about a list as a page that a clerk can open, mark and print; it needs nothing else."""

from html import escape

from harvesters.page import document, line, more, table
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
    return document(title, parts, language)


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
    shown = reason.faults[:SHOWN_FAULTS]
    rows = "".join(
        line(
            (
                str(fault.row),
                f"<mark>{escape(fault.value) or '&nbsp;'}</mark>",
                escape(fault.after) if fault.mended else "",
            )
        )
        for fault in shown
    )
    rest = more(len(reason.faults) - len(shown), language)
    return table(VALUES.said(language).split(","), rows) + rest
