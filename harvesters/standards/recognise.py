"""What kind of values a column holds, by its heading and by what is in it."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from harvesters.intake.cells import ABSENT
from harvesters.japanese import half_width
from harvesters.standards.kinds import Kind, kinds
from harvesters.words import Words

LOOKED_AT = 1_000
"""Values; more of them would not change what a column is."""
MOSTLY = 0.85
"""The share of values that must fit where no heading tells the kind."""
SOME = 0.5
"""The share of values that must be possible where a heading tells it."""
PUNCTUATION = re.compile(r"[\s,.;:/]*")
"""What a joined column leaves where its parts are empty."""
DIFFERENT = 3
"""A column of words is only told by its values where they are so many different ones at least."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The kind of a column, and what it was known by."""

    kind: str
    named: bool
    """The heading says so."""
    share: float
    """Of the values that fit; 0 where there is none."""

    @property
    def why(self) -> Words:
        """For the comment of a proposal."""
        share = f"{self.share:.0%}"
        if self.named and self.share:
            return Words(f"見出しと値（{share}）", f"heading and values ({share})")
        return (
            Words("見出し", "heading")
            if self.named
            else Words(f"値（{share}）", f"values ({share})")
        )


def recognise(heading: str, values: Sequence[str]) -> Guess:
    """The kind that the heading names unless the values contradict it, else what the values are."""
    told = Counter(islice(filter(_says_something, map(half_width, values)), LOOKED_AT))
    for kind in kinds().values():
        if kind.named(heading) and (guess := _by_heading(kind, told)):
            return guess
    for kind in kinds().values():
        if _told_by(kind, told) and (share := _share(kind.holds, told)) >= MOSTLY:
            return Guess(kind=kind.name, named=False, share=share)
    return Guess(kind="text", named=False, share=1.0 if told else 0.0)


def _told_by(kind: Kind, told: Counter[str]) -> bool:
    """Two words in kana may be anything."""
    return kind.alone and bool(told) and (kind.name != "kana" or len(told) >= DIFFERENT)


def _says_something(text: str) -> bool:
    return bool(text) and not ABSENT.fullmatch(text) and not PUNCTUATION.fullmatch(text)


def _by_heading(kind: Kind, told: Counter[str]) -> Guess | None:
    if not told:
        return Guess(kind=kind.name, named=True, share=0.0)
    possible = _share(kind.may_hold, told)
    if possible < SOME:
        return None
    return Guess(kind=kind.name, named=True, share=max(_share(kind.holds, told), possible))


def _share(test: Callable[[str], bool], told: Counter[str]) -> float:
    return sum(count for text, count in told.items() if test(text)) / told.total()
