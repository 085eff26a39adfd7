"""Tells the portal of sources that seem not to have changed; it knows of which of them that is true."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harvesters.jobs import Job
from harvesters.portal import call, fenced
from harvesters.publish import Published, dataset_name
from harvesters.settings import Settings


def at_once(job: Job, fingerprint: str) -> Published | None:
    """What readers have, if it is what the source would give; the dataset's page then says so."""
    look = _look(job, fingerprint)
    return _told(job.settings, [look]).get(look["name"])


@dataclass(kw_only=True)
class Together:
    """Asks by one call in the end, where the last run here has left no doubt what the answer will be."""

    _looks: list[tuple[Job, dict[str, Any]]] = field(default_factory=list)

    def ask(self, job: Job, fingerprint: str) -> Published | None:
        """What readers have, as far as is known here."""
        status = job.folder.status() or {}
        rows, made_from = status.get("rows"), status.get("fingerprint")
        if status.get("state") == "failed" or made_from != fingerprint or not isinstance(rows, int):
            return at_once(job, fingerprint)
        look = _look(job, fingerprint)
        self._looks.append((job, look))
        return Published(name=look["name"], id="", rows=rows, changed=False)

    def tell(self) -> list[Job]:
        """Tells the portal; returns the jobs of those that it has otherwise, to be run anew."""
        if not self._looks:
            return []
        settings = self._looks[0][0].settings
        known = _told(settings, [look for _, look in self._looks])
        return [job for job, look in self._looks if look["name"] not in known]


def _look(job: Job, fingerprint: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "name": dataset_name(job.city, job.feed),
        "fingerprint": fingerprint,
        "checked_at": now.isoformat(timespec="seconds"),
        "expected_by": job.feed.expected_by(now),
        **fenced(job.guard(0)),
    }


def _told(settings: Settings, looks: list[dict[str, Any]]) -> dict[str, Published]:
    """Those of which the portal has just that, by name; the others it was told in vain."""
    known: dict[str, Any] = call(settings, "aizu_harvest_unchanged", {"checks": looks})
    return {
        name: Published(name=name, id=one["id"], rows=one["rows"], changed=False)
        for name, one in known.items()
    }
