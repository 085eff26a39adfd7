"""Whether tables are what their schemas and their report say: the portal does not take the caller's word for it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import polars as pl

from ckanext.aizu import constraints
from ckanext.aizu.constraints import Rule, short
from ckanext.aizu.diff import FIRST_ROW
from ckanext.aizu.diff_table import PLACE, Table
from ckanext.aizu.publication import TABLE, Publication

JSON = dict[str, Any]
TOLD = 10
"""Broken rules of a table that are told."""


def wrong_tables(incoming: Publication, files: Mapping[str, Path]) -> dict[str, list[str]]:
    """What is wrong with the tables, by part.

    Args:
        incoming: what is published.
        files: where the file of each table is, by its name.
    """
    wrong = {
        f"{TABLE}:{table.name}": faults(
            Table(content=files[table.name], fields=table.fields), table.schema
        )
        for table in incoming.tables
    }
    return {part: told for part, told in wrong.items() if told}


def refuse(incoming: Publication, rows: Mapping[str, int], wrong: Mapping[str, list[str]]) -> None:
    """Refuses tables that are not what was said of them.

    Args:
        incoming: what is published.
        rows: how many each table has, by its name.
        wrong: of `wrong_tables`.

    Raises:
        ckan.plugins.toolkit.ValidationError: what is wrong, by part.
    """
    told = _wrong_in_report(incoming, rows)
    errors: dict[str, Any] = {**({"report": told} if told else {}), **wrong}
    if errors:
        raise tk.ValidationError(errors)


def _wrong_in_report(incoming: Publication, rows: Mapping[str, int]) -> list[str]:
    """Whether a Frictionless report is about other tables than those it came with, as far as it says."""
    told = []
    for task in incoming.report.get("tasks", []):
        name, stats = task.get("name"), task.get("stats")
        if name not in rows or not isinstance(stats, dict):
            continue
        if (said := stats.get("rows", rows[name])) != rows[name]:
            counts = {"name": name, "said": short(said), "rows": rows[name]}
            message = tk._('Table "%(name)s" has %(rows)i rows; the report says %(said)s')
            told.append(message % counts)
        elif "sha256" in stats and not incoming.is_of(f"{TABLE}:{name}", stats["sha256"]):
            told.append(tk._('The report is about another file than that of table "%s"') % name)
    return told


def faults(table: Table, schema: JSON) -> list[str]:
    """What is wrong with the cells of a table: their types, their constraints, keys that are not unique.

    Args:
        table: a file that the DataStore could read.
        schema: its Table Schema, which `constraints.check` has seen.

    Returns:
        A sentence for each rule that is broken, with column, row and value.
    """
    rules = [rule for field in schema["fields"] for rule in constraints.rules(field)]
    keys = list(constraints.keys(schema))
    looked = table.scan().select(
        *(rule.broken.any().alias(f"rule{n}") for n, rule in enumerate(rules)),
        *(_is_broken(*key).alias(f"key{n}") for n, (_, *key) in enumerate(keys)),
    )
    found = looked.collect(engine="streaming").to_dicts()[0] if rules or keys else {}
    told = [_told(table, rule) for n, rule in enumerate(rules) if found[f"rule{n}"]]
    told += [_told_of_key(table, *key) for n, key in enumerate(keys) if found[f"key{n}"]]
    return told[:TOLD]


def _told(table: Table, rule: Rule) -> str:
    cells = table.scan().filter(rule.broken).select(PLACE, rule.column)
    rows = cells.collect(engine="streaming").sort(PLACE)
    place, value = rows.row(0)
    told = {
        "column": rule.column,
        "row": place + FIRST_ROW,
        "value": short(value),
        "expected": rule.expected,
        "more": len(rows) - 1,
    }
    if len(rows) == 1:
        message = tk._('Column "%(column)s", row %(row)i: found "%(value)s", expected %(expected)s')
    else:
        message = tk._(
            'Column "%(column)s", row %(row)i: found "%(value)s", expected %(expected)s '
            "(and %(more)i more rows)"
        )
    return message % told


def _is_broken(value: pl.Expr, missing: pl.Expr) -> pl.Expr:
    there = value.drop_nulls()
    return missing.any() | (there.n_unique() < there.len())


def _told_of_key(table: Table, columns: list[str], value: pl.Expr, missing: pl.Expr) -> str:
    rows = table.scan().select(PLACE, *columns, _value=value, _missing=missing).collect()
    blank = rows.filter("_missing")
    told: JSON = {"columns": ", ".join(columns), "row": FIRST_ROW}
    if len(blank):
        told["row"] += blank[PLACE].min()
        return tk._("Row %(row)i has no key; the key is %(columns)s") % told
    repeated = rows.filter(pl.col("_value").is_duplicated() & pl.col("_value").is_not_null())
    again = repeated.filter(~pl.col("_value").is_first_distinct()).row(0, named=True)
    first = repeated.filter(pl.col("_value") == again["_value"]).row(0, named=True)
    told |= {
        "row": first[PLACE] + FIRST_ROW,
        "again": again[PLACE] + FIRST_ROW,
        "value": short(", ".join(again[column] for column in columns)),
    }
    return (
        tk._(
            'Rows %(row)i and %(again)i have both "%(value)s" as %(columns)s, which must be unique'
        )
        % told
    )
