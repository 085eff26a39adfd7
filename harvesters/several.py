"""Gets what several addresses answer and keeps it together, each of them asked only for what is new."""

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import PurePosixPath
from zipfile import ZipFile

import requests

from harvesters import fetch as fetching
from harvesters import zips
from harvesters.fetch import Part, Snapshot
from harvesters.source import Progress


def get_all(
    addresses: Mapping[str, str],
    filename: str,
    session: requests.Session,
    known: Snapshot | None,
    progress: Progress,
    suffix: str = "",
) -> Snapshot:
    """The answers of several addresses as one zip, each under its name, each asked for by itself.

    The suffix is that of every answer; without it each keeps the one that it came with.
    """
    before = _parts(known) if known else {}
    answers = {
        name: fetching.get(url, session, before.get(url), progress)
        for name, url in addresses.items()
    }
    names = {
        name: name + (suffix or PurePosixPath(answer.filename).suffix)
        for name, answer in answers.items()
    }
    return Snapshot(
        content=zips.pack({names[name]: answer.content for name, answer in answers.items()}),
        url=next(iter(addresses.values())),
        filename=filename,
        fetched_at=max(answer.fetched_at for answer in answers.values()),
        media_type="application/zip",
        parts=tuple(
            Part(
                name=names[name],
                url=answer.url,
                etag=answer.etag,
                last_modified=answer.last_modified,
            )
            for name, answer in answers.items()
        ),
    )


def _parts(known: Snapshot) -> dict[str, Snapshot]:
    """The answers of the last time, by their addresses."""
    if not known.parts:
        return {}
    with ZipFile(BytesIO(known.content)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    return {
        part.url: replace(
            known,
            content=files[part.name],
            url=part.url,
            filename=part.name,
            etag=part.etag,
            last_modified=part.last_modified,
            parts=(),
        )
        for part in known.parts
        if part.name in files
    }
