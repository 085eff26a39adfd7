"""Files of the version that readers see, where CKAN asks for the file of a resource."""

from typing import Any

import ckan.plugins.toolkit as tk
from werkzeug.datastructures import FileStorage

from ckanext.aizu import blobs, catalogue_resources, versions


class PublishedFile:
    """A resource's file as the current version has it; it changes with the next one and not by hand."""

    def __init__(self, resource: dict[str, Any], sha256: str) -> None:
        """Refuses a file that somebody uploads in its place."""
        sent = resource.pop("upload", None)
        resource.pop("clear_upload", None)
        if isinstance(sent, FileStorage) and sent.filename:
            message = tk._(
                "This file comes with each version of the dataset; publish a new version"
            )
            raise tk.ValidationError({"upload": [message]})
        self.sha256 = sha256

    def get_path(self, id: str) -> str:  # noqa: A002, ARG002 (CKAN's name for it)
        """The file on the disk."""
        return str(blobs.path(self.sha256))

    def upload(self, id: str, max_size: int = 0) -> None:  # noqa: A002, ARG002
        """Nothing: the file is there before the catalogue knows of it."""


def uploader_of(resource: dict[str, Any]) -> PublishedFile | None:
    """For IUploader: ours for resources that a version has, else none."""
    if resource.get("kind") not in catalogue_resources.KINDS or not resource.get("id"):
        return None
    with versions.reading() as cur:
        sha256 = versions.content_of(cur, resource["id"])
    return PublishedFile(resource, sha256) if sha256 else None
