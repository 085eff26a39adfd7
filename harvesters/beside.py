"""What another source of the city has brought last, on whichever machine that was."""

from datetime import datetime
from typing import Any

from harvesters import keep
from harvesters.errors import HarvestError
from harvesters.fetch import Snapshot
from harvesters.portal import call, content
from harvesters.settings import Settings

PUBLISHED = "published"


def last(settings: Settings, dataset: str, folder: keep.Folder) -> Snapshot | None:
    """What readers have of it; where the portal cannot tell, what was fetched last on this machine.

    Args:
        settings: where the portal is.
        dataset: name in the catalogue.
        folder: of the other source.
    """
    if not (settings.portal_url and settings.api_token):
        return folder.last_snapshot()
    published = keep.Folder(path=folder.path / PUBLISHED)
    try:
        told = call(settings, "aizu_versions", {"name": dataset, "limit": 1})["versions"]
        return _original(settings, told[0], published, folder.last_snapshot())
    except (HarvestError, LookupError):
        return folder.last_snapshot() or published.last_snapshot()


def _original(
    settings: Settings, version: dict[str, Any], published: keep.Folder, here: Snapshot | None
) -> Snapshot:
    """The file that a version was made from, fetched only where it is not here."""
    (file,) = [file for file in version["files"] if file["part"] == "original"]
    known = published.last_snapshot()
    if known and known.sha256 == file["sha256"]:
        return known
    made = Snapshot(
        content=_bytes(settings, file, here),
        url="",
        filename=file["filename"],
        media_type=file["media_type"],
        fetched_at=datetime.fromisoformat(version["published_at"]),
    )
    published.keep_snapshot(made)
    return made


def _bytes(settings: Settings, file: dict[str, Any], here: Snapshot | None) -> bytes:
    if here and here.sha256 == file["sha256"]:
        return here.content
    return content(settings, file["url"])
