"""How fresh a dataset is, as its reader is told: from its last check and from what was promised; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

State = Literal["fresh", "failed", "held", "late", "unchecked"]
PERIODS = {
    "HOURLY": timedelta(hours=1),
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(weeks=1),
    "MONTHLY": timedelta(days=31),
    "QUARTERLY": timedelta(days=92),
    "ANNUAL": timedelta(days=366),
}
"""Of the EU vocabulary of frequencies, those that promise a time."""


@dataclass(frozen=True, kw_only=True)
class Translator:
    """Gettext; CKAN's own on a page."""

    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]


@dataclass(frozen=True, kw_only=True)
class Line:
    """What stands under the title of a dataset."""

    state: State
    told: str
    """A sentence with {time} where `instant` belongs."""
    instant: str = ""
    change: str = ""
    """What the last check has changed."""
    version: int | None = None
    """The version that it made."""


def last_good(check: Mapping[str, Any]) -> str:
    """When the last check that worked was made; "" where nobody knows."""
    if check.get("state") in ("ok", "unchanged"):
        return str(check["checked"])
    return str(check.get("good", ""))


def late_after(check: Mapping[str, Any], frequency: str) -> datetime | None:
    """From when on a check is overdue: what the harvester has announced, else by the frequency.

    Args:
        check: the last one.
        frequency: of the dataset, an address of the EU vocabulary; two of its periods may pass.
    """
    if check.get("expected_by"):
        return datetime.fromisoformat(check["expected_by"])
    period = PERIODS.get(frequency.rpartition("/")[2])
    if not period or not check.get("checked"):
        return None
    return datetime.fromisoformat(check["checked"]) + 2 * period


def state(check: Mapping[str, Any], late: datetime | None, now: datetime | None = None) -> State:
    """What kind of news the last check is by now."""
    if not check.get("state"):
        return "unchecked"
    if check["state"] == "failed":
        return "held" if check.get("cause") == "gate" else "failed"
    return "late" if late and (now or datetime.now(UTC)) > late else "fresh"


def line(check: Mapping[str, Any], state: State, words: Translator) -> Line:
    """The last check in the words of a citizen."""
    _ = words.gettext
    checked = str(check.get("checked", ""))
    if state == "fresh":
        change, version = _change(check, words)
        told = _("Last checked {time}")
        return Line(state=state, told=told, instant=checked, change=change, version=version)
    if state == "late":
        return Line(state=state, told=_("Overdue: last checked {time}"), instant=checked)
    since = last_good(check) or str(check.get("changed", ""))
    if state == "held":
        told = _("An update is held back; the data is as checked {time}.")
        return Line(
            state=state, told=told if since else _("An update is held back."), instant=since
        )
    told = _("Updates are failing; the last check that worked was {time}.")
    return Line(state=state, told=told if since else _("Updates are failing."), instant=since)


def _change(check: Mapping[str, Any], words: Translator) -> tuple[str, int | None]:
    """What the last check changed, and the version that it made."""
    _, ungettext = words.gettext, words.ngettext
    if check["state"] == "unchanged":
        return _("no changes"), None
    version, rows = check.get("version"), check.get("rows_changed")
    if version is None or rows is None:
        return "", None
    if version == 1:
        return _("published for the first time"), version
    if rows == 0:
        return _("description or files changed"), version
    told = ungettext("{number} row changed", "{number} rows changed", rows)
    return told.format(number=f"{rows:,}"), version
