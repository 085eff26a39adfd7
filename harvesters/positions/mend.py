"""Changes the cells of a column value by value, and counts equal changes once."""

from collections.abc import Callable, Sequence

import polars as pl

from harvesters.intake.numbers import Change
from harvesters.source import Repair, SameRepair

MOST = 10_000
"""Different changes of one column that are listed; those beyond are told together as one."""
NOTHING = {"nan", "none", "null", "nat", "n/a", "<null>", "(null)", "undefined"}
"""What programs write for no value."""
Changing = Callable[[Sequence[str]], list[Change]]


def mended(
    column: pl.Series, rows: pl.Series, odd: pl.Series, change: Changing, name: str
) -> tuple[pl.Series, list[Repair]]:
    """The column with its odd values changed; a change without a rule is no repair."""
    values = column.filter(odd).unique(maintain_order=True).to_list()
    changes = {
        value: Change("", "no-value") if value.strip().casefold() in NOTHING else made
        for value, made in zip(values, change(values), strict=True)
        if value != made.after or value.strip().casefold() in NOTHING
    }
    if not changes:
        return column, []
    after = column.replace(list(changes), [made.after for made in changes.values()])
    rules = {value: made.rule for value, made in changes.items()}
    return after, counted(column, after, rows, name, lambda before: rules[before])


def counted(
    before: pl.Series,
    after: pl.Series,
    rows: pl.Series,
    name: str,
    rule: Callable[[str], str],
) -> list[Repair]:
    """Every difference of the two columns as a repair; equal ones once, with their number."""
    changes = (
        pl.DataFrame({"before": before, "after": after, "row": rows})
        .filter(pl.col("before") != pl.col("after"))
        .group_by("before", "after", maintain_order=True)
        .agg(pl.first("row"), pl.len().alias("count"))
    )
    told = [(rule(one[0]), *one) for one in changes.head(MOST).iter_rows()]
    repairs = [
        SameRepair(row=row, column=name, before=old, after=new, rule=by, cells=count)
        for by, old, new, row, count in told
        if by
    ]
    return repairs + _rest(changes[MOST:], name, rule)


def _rest(changes: pl.DataFrame, name: str, rule: Callable[[str], str]) -> list[Repair]:
    """A column in which every cell differs would be told at the length of the file itself."""
    if changes.is_empty() or not (by := rule(changes["before"][0])):
        return []
    old, new, row, _ = changes.row(0)
    cells = int(changes["count"].sum())
    return [SameRepair(row=row, column=name, before=old, after=new, rule=by, cells=cells)]
