"""What a new version would change, table by table, and whether it may: compared with the version that readers see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.aizu import blobs, gate, publication
from ckanext.aizu.diff import Diff, Table, UnreadableError, compare
from ckanext.aizu.diff_shown import to_json
from ckanext.aizu.gate import FEW, Finding, Limits
from ckanext.aizu.versions import Version

JSON = dict[str, Any]
SHOWN_ROWS = 20
"""Of each table in a plan; the rest can be asked for when it is a version."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The differences by table, and what was found in them."""

    diffs: Mapping[str, Diff]
    reasons: Sequence[JSON]
    """Against publishing it."""
    notes: Sequence[JSON]

    def changes(self) -> dict[str, JSON]:
        """How many rows of each table became what."""
        return {
            name: {
                "added": diff.counts.added,
                "changed": diff.counts.changed,
                "removed": diff.counts.removed,
                "before": diff.counts.before,
                "after": diff.counts.after,
            }
            for name, diff in self.diffs.items()
        }

    def tables(self) -> dict[str, JSON]:
        """The differences with the first rows of each table."""
        return {name: to_json(diff, 0, SHOWN_ROWS) for name, diff in self.diffs.items()}


def make(
    current: Version | None,
    items: Sequence[JSON],
    files: Mapping[str, Path],
    limits: Limits,
    key: Sequence[str],
) -> Plan:
    """Compares and decides.

    Args:
        current: the version that readers see.
        items: the tables of the new one, as `resources` of aizu_publish.
        files: their CSV files, by name.
        limits: for the first table its bounds, for all of them what may change.
        key: of the first table, where its schema names none.

    Raises:
        ckan.plugins.toolkit.ValidationError: a table cannot be compared.
    """
    diffs: dict[str, Diff] = {}
    reasons: list[JSON] = []
    notes: list[JSON] = []
    for item in items:
        name = item["name"]
        diffs[name] = diff = compared(
            name, _before(current, item), described(item, files[name], key if not diffs else ())
        )
        decided = gate.decide(diff, limits if len(diffs) == 1 else _without_bounds(limits))
        reasons += [_told(name, one) for one in decided.reasons]
        notes += [_told(name, one) for one in decided.notes]
    reasons += [_told(name, one) for name, one in _gone(current, diffs)]
    return Plan(diffs=diffs, reasons=reasons, notes=notes)


def changes_between(before: Version, after: Version) -> dict[str, JSON]:
    """How many rows of each table became what from one version to another, which both are kept."""
    nothing = Table(content=b"", fields=[])
    names = [item["name"] for item in after.resources]
    diffs = {
        name: compared(name, stored(before, name) or nothing, stored(after, name) or nothing)
        for name in names
    }
    return Plan(diffs=diffs, reasons=[], notes=[]).changes()


def compared(name: str, before: Table, after: Table) -> Diff:
    """The differences of one table of two versions."""
    try:
        return compare(before, after)
    except UnreadableError as error:
        raise tk.ValidationError({f"{publication.TABLE}:{name}": [str(error)]}) from error


def described(item: JSON, content: Path | bytes, key: Sequence[str] = ()) -> Table:
    """A table with its columns and its key; Table Schema lets a key of one column be a text."""
    named = item["schema"].get("primaryKey") or key
    columns = (named,) if isinstance(named, str) else tuple(named)
    names = {field["name"] for field in item["schema"]["fields"]}
    return Table(
        content=content,
        fields=item["schema"]["fields"],
        key=columns if names.issuperset(columns) else (),
    )


def stored(version: Version, name: str) -> Table | None:
    """A table as a version has it, or None where it has none of that name or its file is gone."""
    item = next((item for item in version.resources if item["name"] == name), None)
    part = version.part(f"{publication.TABLE}:{name}")
    if not item or not part or not blobs.is_kept(part["sha256"]):
        return None
    first = item is version.resources[0]
    key = version.dataset.get("key_columns", []) if first else ()
    return described(item, content(part["sha256"]), key)


def content(sha256: str) -> Path | bytes:
    """A kept file, in memory if it is packed."""
    if (plain := blobs.path(sha256)).exists():
        return plain
    with blobs.opened(sha256) as packed:
        return packed.read()


def _before(current: Version | None, item: JSON) -> Table:
    return (current and stored(current, item["name"])) or Table(content=b"", fields=[])


def _without_bounds(limits: Limits) -> Limits:
    return Limits(removed_share=limits.removed_share, all_may_change=limits.all_may_change)


def _gone(current: Version | None, diffs: Mapping[str, Diff]) -> Iterator[tuple[str, Finding]]:
    """Tables that the new version does not have, but for short ones."""
    for item in current.resources if current else []:
        name, rows = item["name"], (current.rows if current else {}).get(item["name"], 0)
        if name not in diffs and rows >= FEW:
            yield name, gate.table_removed(item["title"], item.get("title_en", ""), rows)


def _told(table: str, finding: Finding) -> JSON:
    return {"table": table, "rule": str(finding.rule), "ja": finding.ja, "en": finding.en}
