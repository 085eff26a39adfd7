"""Template helpers for the stewards' pages: steps, outcomes and durations of runs in the reader's words."""

from datetime import datetime
from typing import Any

import ckan.plugins.toolkit as tk

JSON = dict[str, Any]


def aizu_may_see_sources() -> bool:
    """Tells whether the reader looks after datasets, and so has a page of their sources."""
    return bool(tk.h.check_access("aizu_sources", {}))


def aizu_step(step: str) -> str:
    """Names a step of a harvest."""
    words = {
        "fetch": tk._("fetch"),
        "normalise": tk._("normalise"),
        "validate": tk._("validate"),
        "publish": tk._("publish"),
        "": tk._("none"),
    }
    return words.get(step, step)


def aizu_outcome(run: JSON) -> str:
    """Says how a run has ended."""
    words = {
        "ok": tk._("Updated"),
        "unchanged": tk._("No change"),
        "failed": tk._("Failed"),
    }
    return words.get(run["state"], str(run["state"]))


def aizu_took(run: JSON) -> str:
    """Says how long a run has taken."""
    if not run.get("started_at") or not run.get("ended_at"):
        return ""
    ended, started = (datetime.fromisoformat(run[name]) for name in ("ended_at", "started_at"))
    minutes, seconds = divmod(int((ended - started).total_seconds()), 60)
    if minutes:
        return tk._("{minutes} min {seconds} s").format(minutes=minutes, seconds=seconds)
    return tk._("{seconds} s").format(seconds=max(1, seconds))
