"""How long versions are kept, what they take, and the removal of what nobody can ask for any more."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ckan.plugins.toolkit as tk
import redis
from ckan import model
from ckan.lib.redis import connect_to_redis
from ckanext.datastore.backend.postgres import get_write_engine
from psycopg2 import sql
from psycopg2.extensions import cursor

from ckanext.aizu import blobs, fence, held, table, versions

KEPT, LEAST = 100, 2
"""Versions of a dataset whose files are kept, if it says nothing else; and how few it may say."""
REMEMBERED = 1000
"""Versions without files that are still listed."""
PRUNE_EVERY_S = 3600
PRUNED = "aizu:pruned"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a dataset takes on the disk."""

    name: str
    versions: int
    gone: int
    held: int
    """1 if something waits for a steward's word."""
    files: int
    """Different contents; one that several versions have is counted once."""
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What a pruning did."""

    gone: int
    purged: int
    removed: int
    packed: int


def kept(dataset: Mapping[str, Any] | None) -> int:
    """How many versions of a dataset keep their files."""
    told = str((dataset or {}).get("keep_versions") or "")
    return max(LEAST, int(told)) if told.isdecimal() else KEPT


def sizes() -> list[Size]:
    """What each dataset takes, the largest first."""
    with versions.reading() as cur:
        published, waiting = versions.everything(cur), held.everything(cur)
    by_dataset: dict[str, list[versions.Version]] = {}
    for version in published:
        by_dataset.setdefault(version.dataset_id, []).append(version)
    refused = {one.version.dataset_id: one.version for one in waiting}
    found = [_size(by_dataset.get(id_, []), refused.get(id_)) for id_ in by_dataset | refused]
    return sorted(found, key=lambda size: size.bytes, reverse=True)


def _size(found: list[versions.Version], refused: versions.Version | None) -> Size:
    there = [version for version in found if version.state != versions.GONE]
    waiting = [refused] if refused else []
    contents = {sha256 for version in there + waiting for sha256 in version.contents}
    return Size(
        name=(found or waiting)[0].dataset["name"],
        versions=len(there),
        gone=len(found) - len(there),
        held=len(waiting),
        files=len(contents),
        bytes=sum(map(blobs.size, contents)),
    )


def prune_in_time() -> None:
    """Has a worker prune, once an hour at most: a live dataset gets a version every minute."""
    try:
        if connect_to_redis().set(PRUNED, 1, nx=True, ex=PRUNE_EVERY_S):
            rq = {"timeout": PRUNE_EVERY_S}
            tk.enqueue_job(prune, title="files of old versions", rq_kwargs=rq)
    except redis.RedisError:
        log.exception("Files of old versions stay for now")


def prune() -> Pruned:
    """Retires old versions, forgets purged datasets, removes files that no version names, packs past ones."""
    with _alone() as cur:
        purged = _forget_purged(cur)
        gone = sum(_retire(cur, version) for version in versions.all_current(cur))
        named, now = versions.all_contents(cur), versions.current_contents(cur)
        named |= {sha256 for one in held.everything(cur) for sha256 in one.version.contents}
        # A crash before the commit leaves versions whose files are gone, and these say so.
        removed = blobs.remove_all_but(named)
        fence.forget(cur)
    packed = sum(_pack(sha256) for sha256 in sorted(named - now))
    return Pruned(gone=gone, purged=purged, removed=removed, packed=packed)


def _pack(sha256: str) -> bool:
    """One at a time: who publishes waits meanwhile."""
    if not blobs.path(sha256).exists():
        return False
    with _alone() as cur:
        return sha256 not in versions.current_contents(cur) and blobs.pack(sha256)


@contextmanager
def _alone() -> Iterator[cursor]:
    """A transaction during which nobody else names or removes a file."""
    raw = get_write_engine().raw_connection()
    try:
        with raw.cursor() as cur:
            versions.alone_with_blobs(cur)
            yield cur
        raw.commit()
    finally:
        raw.rollback()
        raw.close()


def _retire(cur: cursor, version: versions.Version) -> int:
    package = model.Package.get(version.dataset_id)
    count = versions.retire(cur, version.dataset_id, kept(package.extras if package else None))
    versions.forget(cur, version.dataset_id, REMEMBERED)
    return count


def _forget_purged(cur: cursor) -> int:
    """A sysadmin who purges a dataset wants nothing of it to be left: rows, tables, files."""
    purged = [
        version
        for version in versions.all_current(cur)
        if version.in_step and model.Package.get(version.dataset_id) is None
    ]
    for version in purged:
        ids = [part["resource_id"] for part in version.parts]
        for name in table.present(cur, ids):
            cur.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(name)))
        versions.forget(cur, version.dataset_id, 0)
    for dataset_id in held.dataset_ids(cur):
        if model.Package.get(dataset_id) is None:
            held.end(cur, dataset_id)
    return len(purged)


def is_kept_number(value: Any) -> int | None:
    """Reads how many versions are to be kept, or nothing."""
    if value in (None, ""):
        return None
    if not str(value).isdecimal() or int(value) < LEAST:
        raise tk.Invalid(tk._("A whole number is expected, at least %i") % LEAST)
    return int(value)
