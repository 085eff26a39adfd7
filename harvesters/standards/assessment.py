"""How far a list fulfils a dataset of the standard: a score from 0 to 100, and a reason for each point."""

from dataclasses import dataclass

from harvesters.intake import Sheet
from harvesters.standards.layout import of_layout
from harvesters.standards.ranking import Candidate
from harvesters.standards.reasons import Reason
from harvesters.standards.values import of_values

FULL = 100


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A list, the dataset it was measured by, and everything that was found."""

    sheet: Sheet
    candidate: Candidate
    reasons: list[Reason]

    @property
    def score(self) -> int:
        """What is left of 100 points."""
        return max(0, round(FULL - sum(reason.points for reason in self.reasons)))


def assess(sheet: Sheet, content: bytes, candidate: Candidate) -> Assessment:
    """Every reason, the gravest first."""
    found = [*of_layout(sheet, content, candidate), *of_values(sheet, candidate)]
    found.sort(key=lambda reason: -reason.points)
    return Assessment(sheet=sheet, candidate=candidate, reasons=found)
