"""Tells the portal how a check of a source went, where nothing was published."""

import json
from datetime import UTC, datetime
from typing import Any

from harvesters.city import City, Feed
from harvesters.errors import HarvestError, InvalidTableError
from harvesters.portal import call, fenced
from harvesters.publish import dataset_name
from harvesters.report import SENT_ERRORS, Finding, errors
from harvesters.settings import Settings
from harvesters.words import Words


def tell_status(
    settings: Settings,
    city: City,
    feed: Feed,
    state: str,
    message: Words,
    error: HarvestError | None = None,
    fence: int | None = None,
) -> None:
    """Lets the dataset's page say when it was last checked, and why it is not newer.

    Args:
        settings: where the portal is.
        city: of the feed.
        feed: of the dataset.
        state: ok, unchanged or failed.
        message: what to say.
        error: of a failure: who must look, and at which cells.
        fence: number of the run.
    """
    now = datetime.now(UTC)
    cells = _cells(error.report) if isinstance(error, InvalidTableError) else []
    call(
        settings,
        "aizu_harvest_status",
        {
            "name": dataset_name(city, feed),
            "state": state,
            "message": message.ja,
            "message_en": message.en,
            "checked_at": now.isoformat(timespec="seconds"),
            "expected_by": feed.expected_by(now),
            "findings": json.dumps(cells, ensure_ascii=False),
        }
        | ({"cause": error.cause} if error else {})
        | fenced(fence),
    )


def _cells(report: dict[str, Any]) -> list[dict[str, str]]:
    """The first errors of a report, for those who look after the dataset."""
    return [_cell(finding) for finding in errors(report)[:SENT_ERRORS]]


def _cell(finding: Finding) -> dict[str, str]:
    row, column, value, *ja = finding.cells("ja")
    _, _, _, *en = finding.cells("en")
    message, message_en = "。".join(filter(None, ja)), "; ".join(filter(None, en))
    return {
        "row": row,
        "column": column,
        "value": value,
        "message": message,
        "message_en": message_en,
    }
