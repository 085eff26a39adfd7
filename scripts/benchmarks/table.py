"""A table of milliseconds: a column per size of the catalogue, the growth from size to size, and the goals beside."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from unicodedata import east_asian_width


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: what was found for each size."""

    name: str
    goals: dict[int, float]
    p50: dict[int, float] = field(default_factory=dict)
    cells: dict[int, str] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)

    def add(self, size: int, times: Sequence[float]) -> None:
        """Keeps p50 and p95 of some milliseconds."""
        self.p50[size] = p50 = statistics.median(times)
        p95 = statistics.quantiles(times, n=20)[-1]
        mark = "" if size not in self.goals else " ✓" if p50 <= self.goals[size] else " ✗"
        self.cells[size] = f"{p50:.1f} / {p95:.1f}{mark}"

    def keep(self, size: int, value: float) -> None:
        """Keeps one figure."""
        self.p50[size], self.cells[size] = value, f"{value:.0f}"

    def line(self) -> str:
        """The row as it is printed, with the growth of p50 from size to size."""
        values = list(self.p50.values())
        growth = " ".join(f"×{b / a:.1f}" for a, b in zip(values, values[1:], strict=False))
        goal = ", ".join(f"{goal:g}" for goal in sorted(set(self.goals.values())))
        return columns(self.name, self.cells.values(), growth, " ".join(self.hits[-1:]), goal)


def columns(name: str, cells: Iterable[str], growth: str, hits: str, goal: str) -> str:
    wide = sum(east_asian_width(character) in "WF" for character in name)
    values = "".join(f"{cell:>18}" for cell in cells)
    return f"{name:{44 - wide}}{values}   {growth:17}{hits:>7}  {goal}"
