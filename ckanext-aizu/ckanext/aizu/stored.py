"""Publishes a version whose files the portal has already: one that comes back, or one that was held."""

from contextlib import ExitStack

from ckanext.aizu import blobs, in_step, loading, publication, publishing, versions
from ckanext.aizu.place import Place
from ckanext.aizu.table import Staged
from ckanext.aizu.versions import Version


def is_whole(version: Version) -> bool:
    """Whether all its files are still there."""
    return all(map(blobs.is_kept, version.contents))


def publish(place: Place, version: Version) -> None:
    """Makes it the current version, its tables by COPY from its files.

    Args:
        place: the dataset, in the transaction that keeps others from removing files.
        version: as it shall be.
    """
    publishing.check_metadata(place, version)
    with blobs.arriving() as nothing_new:
        publishing.switch(place, version, _loaded(place, version), nothing_new)
    in_step.bring(place.database, version)


def _loaded(place: Place, version: Version) -> dict[str, Staged]:
    for sha256 in version.contents:
        blobs.unpack(sha256)
    schemas = {item["name"]: item["schema"]["fields"] for item in version.resources}
    with ExitStack() as files:
        streams = {
            versions.part_name(part): files.enter_context(blobs.opened(part["sha256"]))
            for part in version.parts
            if part["kind"] == publication.TABLE
        }
        return loading.load(place.database, schemas, streams)
