"""Where something about a dataset is stored: in tables of the catalogue, its index among them, in the DataStore, on the disk."""

from collections.abc import Collection
from pathlib import Path

from psycopg2 import sql

from tests.portal.conftest import Portal
from tests.portal.leftovers import database

TABLES = """
    SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""
LINES = sql.SQL("SELECT line::text FROM {} AS line WHERE line::text LIKE ANY (%s)")
RELATIONS = "SELECT relname FROM pg_class WHERE relname LIKE ANY (%s)"


def stored(portal: Portal, words: Collection[str]) -> set[str]:
    """Every line of the catalogue that has one of the words, every such name in the DataStore, every uploaded file."""
    patterns = [f"%{word}%" for word in words]
    with database(portal, "ckan.datastore.write_url") as cur:
        cur.execute(RELATIONS, [patterns])
        found = {f"relation {name}" for (name,) in cur.fetchall()}
    with database(portal, "sqlalchemy.url") as cur:
        cur.execute(TABLES)
        for place in cur.fetchall():
            cur.execute(LINES.format(sql.Identifier(*place)), [patterns])
            found |= {f"{place[1]} {line}" for (line,) in cur.fetchall()}
    return found | {f"file {file}" for file in _uploads(portal.var / "storage")}


def _uploads(folder: Path) -> set[Path]:
    """Files of versions come and go with what is harvested meanwhile; they are not uploads."""
    return {file for file in folder.rglob("*") if "versions" not in file.parts and file.is_file()}
