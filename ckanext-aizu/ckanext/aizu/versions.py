"""What every version of a dataset was, in a table beside the DataStore's: its commit is what switches versions."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from ckanext.datastore.backend.postgres import get_write_engine
from psycopg2 import sql
from psycopg2.extensions import connection, cursor

CURRENT, PAST, GONE = "current", "past", "gone"
JSON = dict[str, Any]

# Its name begins with _: CKAN takes no such table for a resource's.
TABLE = """
CREATE TABLE IF NOT EXISTS _aizu_version (
    dataset_id text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    state text NOT NULL CHECK (state IN ('current', 'past', 'gone')),
    in_step boolean NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    content_hash text NOT NULL,
    replaces integer,
    restores integer,
    reason text NOT NULL,
    rows jsonb NOT NULL,
    parts jsonb NOT NULL,
    dataset jsonb NOT NULL,
    organization jsonb NOT NULL,
    resources jsonb NOT NULL,
    source jsonb NOT NULL,
    report_sha256 text NOT NULL,
    changes jsonb NOT NULL,
    lifted jsonb NOT NULL,
    PRIMARY KEY (dataset_id, number)
);
CREATE UNIQUE INDEX IF NOT EXISTS _aizu_version_current
    ON _aizu_version (dataset_id) WHERE state = 'current';
CREATE INDEX IF NOT EXISTS _aizu_version_parts
    ON _aizu_version USING gin (parts jsonb_path_ops) WHERE state = 'current';
"""
_BLOBS_LOCK = "hashtext('aizu blobs')"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of one dataset, complete but for the content of its files."""

    dataset_id: str
    number: int
    state: str = CURRENT
    in_step: bool = False
    """Whether the catalogue has been told."""
    published_at: str
    published_by: str
    """Id of an account."""
    content_hash: str
    replaces: int | None
    restores: int | None = None
    """Number of the version that an undo brought back."""
    reason: str = ""
    """Why a steward undid the version before, or published what the gate had refused."""
    rows: dict[str, int]
    parts: list[JSON]
    dataset: JSON
    organization: JSON
    resources: list[JSON]
    source: JSON
    report_sha256: str
    changes: dict[str, JSON]
    lifted: list[JSON]
    """The gate's reasons that the steward has lifted."""

    def part(self, name: str) -> JSON | None:
        """One file, by its part (`table:stops`, `original`)."""
        return next((part for part in self.parts if part_name(part) == name), None)

    @property
    def contents(self) -> set[str]:
        """SHA-256 of all its files and its report."""
        return {part["sha256"] for part in self.parts} | {self.report_sha256}


def part_name(part: JSON) -> str:
    """The name of a file within its version, as callers of aizu_publish say it."""
    return ":".join(filter(None, (part["kind"], part["part"])))


_COLUMNS = [field.name for field in fields(Version)]


def create_table(cur: cursor, reader: str) -> None:
    """Makes the table where it is not there, and keeps it from everybody who reads the DataStore."""
    cur.execute(TABLE)
    cur.execute(sql.SQL("REVOKE ALL ON _aizu_version FROM {}").format(sql.Identifier(reader)))


@contextmanager
def reading() -> Iterator[cursor]:
    """Opens the table for looking at it."""
    raw = get_write_engine().raw_connection()
    try:
        with raw.cursor() as cur:
            yield cur
    finally:
        raw.rollback()
        raw.close()


def current(cur: cursor, dataset_id: str) -> Version | None:
    """The version that readers see."""
    return next(iter(_found(cur, "dataset_id = %s AND state = 'current'", dataset_id)), None)


def current_of(cur: cursor, dataset_ids: Collection[str]) -> dict[str, Version]:
    """The versions that readers see of some datasets, by their ids."""
    found = _found(cur, "dataset_id = ANY(%s) AND state = 'current'", list(dataset_ids))
    return {version.dataset_id: version for version in found}


def note_fingerprint(database: connection, version: Version, fingerprint: str) -> None:
    """Keeps by which rules the same content was made this time."""
    if fingerprint == version.source.get("fingerprint", ""):
        return
    with database.cursor() as cur:
        cur.execute(
            "UPDATE _aizu_version SET source = source || %s WHERE dataset_id = %s AND number = %s",
            [json.dumps({"fingerprint": fingerprint}), version.dataset_id, version.number],
        )
    database.commit()


def numbered(cur: cursor, dataset_id: str, number: int) -> Version | None:
    """A version of a dataset by its number."""
    return next(iter(_found(cur, "dataset_id = %s AND number = %s", dataset_id, number)), None)


def of_dataset(cur: cursor, dataset_id: str, limit: int, offset: int) -> list[Version]:
    """Versions of a dataset, the newest first."""
    page = "SELECT number FROM _aizu_version WHERE dataset_id = %s"
    return _found(
        cur,
        f"dataset_id = %s AND number IN ({page} ORDER BY number DESC LIMIT %s OFFSET %s)",
        *(dataset_id, dataset_id, limit, offset),
    )


def count(cur: cursor, dataset_id: str) -> int:
    """How many versions of a dataset are known."""
    cur.execute("SELECT count(*) FROM _aizu_version WHERE dataset_id = %s", [dataset_id])
    (number,) = cur.fetchone() or (0,)
    return int(number)


def with_content(cur: cursor, dataset_id: str, content_hash: str) -> list[Version]:
    """Versions of a dataset with the same content, the newest first."""
    return _found(cur, "dataset_id = %s AND content_hash = %s", dataset_id, content_hash)


def all_current(cur: cursor) -> list[Version]:
    """The versions that readers see, of all datasets."""
    return _found(cur, "state = 'current'")


def everything(cur: cursor) -> list[Version]:
    """All versions of all datasets."""
    return _found(cur, "true")


def unannounced(cur: cursor, name: str) -> list[Version]:
    """Versions of datasets of this name that the catalogue has never been told of."""
    return _found(cur, "state = 'current' AND NOT in_step AND dataset ->> 'name' = %s", name)


def all_contents(cur: cursor) -> set[str]:
    """SHA-256 of every file that must be kept."""
    return {sha256 for version in _found(cur, "state <> 'gone'") for sha256 in version.contents}


def current_contents(cur: cursor) -> set[str]:
    """SHA-256 of every file that a reader may ask for at any moment."""
    return {sha256 for version in all_current(cur) for sha256 in version.contents}


def content_of(cur: cursor, resource_id: str) -> str | None:
    """SHA-256 of the file that a resource has in the version that readers see."""
    wanted = json.dumps([{"resource_id": resource_id}])
    cur.execute(
        "SELECT part ->> 'sha256' FROM _aizu_version, jsonb_array_elements(parts) AS part "
        "WHERE state = 'current' AND parts @> %s AND part ->> 'resource_id' = %s",
        [wanted, resource_id],
    )
    found = cur.fetchone()
    return found[0] if found else None


def _found(cur: cursor, condition: str, *values: object) -> list[Version]:
    # As one text: whether psycopg2 reads JSON by itself depends on who opened the connection.
    cur.execute(
        f"SELECT to_jsonb(found)::text FROM _aizu_version AS found WHERE {condition} "  # noqa: S608  one of ours
        "ORDER BY dataset_id, number DESC",
        list(values),
    )
    return [Version(**json.loads(text)) for (text,) in cur.fetchall()]


def add(database: connection, version: Version) -> None:
    """Makes a version the one that readers see, from the commit on."""
    values = [
        json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for value in asdict(version).values()
    ]
    insert = sql.SQL("INSERT INTO _aizu_version ({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
        sql.SQL(", ").join(sql.Placeholder() * len(_COLUMNS)),
    )
    with database.cursor() as cur:
        cur.execute(
            "UPDATE _aizu_version SET state = 'past' WHERE dataset_id = %s AND state = 'current'",
            [version.dataset_id],
        )
        cur.execute(insert, values)


def retire(cur: cursor, dataset_id: str, kept: int) -> int:
    """Lets go the files of all but the newest versions; returns of how many."""
    cur.execute(
        "UPDATE _aizu_version SET state = 'gone' WHERE dataset_id = %s AND state = 'past' "
        "AND number <= (SELECT max(number) FROM _aizu_version WHERE dataset_id = %s) - %s",
        [dataset_id, dataset_id, kept],
    )
    return cur.rowcount


def forget(cur: cursor, dataset_id: str, remembered: int) -> None:
    """Drops what is known of all but the newest versions."""
    cur.execute(
        "DELETE FROM _aizu_version WHERE dataset_id = %s "
        "AND number <= (SELECT max(number) FROM _aizu_version WHERE dataset_id = %s) - %s",
        [dataset_id, dataset_id, remembered],
    )


def next_number(cur: cursor, dataset_id: str) -> int:
    """Of the version that would follow; numbers are never given twice."""
    cur.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM _aizu_version WHERE dataset_id = %s", [dataset_id]
    )
    (number,) = cur.fetchone() or (1,)
    return int(number)


def mark_in_step(database: connection, version: Version) -> None:
    """Notes that the catalogue has been told of a version."""
    with database.cursor() as cur:
        cur.execute(
            "UPDATE _aizu_version SET in_step = true WHERE dataset_id = %s AND number = %s",
            [version.dataset_id, version.number],
        )
    database.commit()


def keep_blobs(cur: cursor) -> None:
    """Keeps others from removing files, until the end of the transaction that will name some."""
    cur.execute(f"SELECT pg_advisory_xact_lock_shared({_BLOBS_LOCK})")


def alone_with_blobs(cur: cursor) -> None:
    """Waits until nobody is about to name a file; nobody will, until the end of the transaction."""
    cur.execute(f"SELECT pg_advisory_xact_lock({_BLOBS_LOCK})")
