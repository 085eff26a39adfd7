"""How long a host that fails is left alone: growing pauses, scattered, and as it asks itself."""

from dataclasses import dataclass

FIRST_S, LONGEST_S = 30.0, 3600.0
SCATTER = 0.25
"""Machines that failed together do not come back together."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A host that is left alone, and for how many failures in a row."""

    failures: int
    until: float


def after_failure(known: Pause | None, now: float, asked: float, chance: float) -> Pause:
    """The pause after one more failure.

    Args:
        known: the pause before.
        now: seconds since 1970.
        asked: seconds that the host wants to be left alone (Retry-After); more than the longest
            pause is not honoured, as a mistake there would silence a source for good.
        chance: between 0 and 1, from a source of randomness.
    """
    failures, until = (known.failures, known.until) if known else (0, 0.0)
    if until <= now:  # else the run had begun before the pause, and says nothing new
        failures += 1
    grown = min(LONGEST_S, FIRST_S * 2 ** min(failures - 1, 20)) * (1 + SCATTER * chance)
    return Pause(failures=failures, until=max(until, now + max(grown, min(asked, LONGEST_S))))
