"""What a publication that was refused or killed might leave behind: tables, files, drafts, departments, locks."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import cursor

from .conftest import Portal
from .copies import eventually

IN_DATASTORE = {
    "table without a version": """
        SELECT tablename FROM pg_tables WHERE tablename LIKE '%%-%%-%%-%%-%%' AND tablename NOT IN (
        SELECT part ->> 'resource_id' FROM _aizu_version, jsonb_array_elements(parts) AS part
        WHERE state = 'current')""",
    "count of a table that is not there": """
        SELECT resource_id FROM _table_stats WHERE resource_id NOT IN (
        SELECT tablename FROM pg_tables)""",
    "version that the catalogue was not told of": """
        SELECT dataset ->> 'name' FROM _aizu_version WHERE state = 'current' AND NOT in_step""",
}
IN_CATALOGUE = {
    "draft": "SELECT name FROM package WHERE state LIKE 'draft%%'",
    "department without a dataset": """
        SELECT name FROM "group" WHERE is_organization AND name LIKE 'test-%%' AND id NOT IN (
        SELECT owner_org FROM package WHERE owner_org IS NOT NULL)""",
    "note on a dataset that is not there": """
        SELECT entity_id FROM task_status WHERE task_type = 'aizu_harvest' AND entity_id NOT IN (
        SELECT id FROM package)""",
}
OF_CONNECTIONS = {
    "lock": "SELECT classid || ':' || objid FROM pg_locks WHERE locktype = 'advisory'",
    "open transaction": """
        SELECT left(query, 60) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%'
        AND datname IN ('ckan', 'datastore') AND state_change < now() - interval '3 seconds'""",
}


def address(portal: Portal, setting: str) -> str:
    """Of a database, by its name in CKAN's settings."""
    ini = (portal.var / "ckan.ini").read_text()
    found = re.search(rf"^{setting} = (.*)$", ini, re.MULTILINE)
    assert found
    return found[1]


@contextmanager
def database(portal: Portal, setting: str) -> Iterator[cursor]:
    """One of the portal's databases, by the name of its address in CKAN's settings."""
    connection = psycopg2.connect(address(portal, setting))
    connection.autocommit = True
    try:
        with connection.cursor() as cur:
            yield cur
    finally:
        connection.close()


def leftovers(portal: Portal) -> set[str]:
    """All of it, each with a word on what it is; a harvest that is at work has such for a moment."""
    with database(portal, "ckan.datastore.write_url") as cur:
        found = _told(cur, IN_DATASTORE | OF_CONNECTIONS)
        # Those of versions that are let go wait for the next pruning.
        cur.execute(
            "SELECT parts, report_sha256 FROM _aizu_version UNION ALL "
            "SELECT version -> 'parts', version ->> 'report_sha256' FROM _aizu_held"
        )
        named = {sha for parts, report in cur for sha in (report, *_contents(parts))}
    with database(portal, "sqlalchemy.url") as cur:
        found |= _told(cur, IN_CATALOGUE)
        cur.execute("SELECT name FROM package WHERE state = 'deleted'")
        # Who restores one has it brought in step by the next publication.
        found -= {f"version that the catalogue was not told of {name}" for (name,) in cur}
    return found | {f"file {file}" for file in _files(portal) if file.stem not in named}


def _told(cur: cursor, queries: dict[str, str]) -> set[str]:
    told = set()
    for what, query in queries.items():
        cur.execute(query)
        told |= {f"{what} {one}" for (one,) in cur.fetchall()}
    return told


def _contents(parts: Any) -> list[str]:
    parts = json.loads(parts) if isinstance(parts, str) else parts
    return [part["sha256"] for part in parts]


def _files(portal: Portal) -> Iterator[Path]:
    """Files of versions, and what has only begun to arrive."""
    places = ("storage/versions", "nginx/client_body", "storage/resources")
    for place in places:
        yield from (file for file in (portal.var / place).rglob("*") if file.is_file())


@contextmanager
def nothing_left(portal: Portal) -> Iterator[None]:
    """Sees that a block leaves nothing behind that was not there before."""
    before = leftovers(portal)
    yield
    after: set[str] = set()

    def clean() -> bool:
        after.clear()
        after.update(leftovers(portal) - before)
        return not after

    # A poll that was hit, too, is made up for by the next, a minute later.
    assert eventually(clean, 90), sorted(after)
