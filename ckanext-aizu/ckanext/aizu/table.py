"""Puts whole tables into the DataStore by COPY, typed, in one transaction: readers see the old ones or the new ones."""

import json
import time
import unicodedata
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
import psycopg2
from ckanext.datastore.backend.postgres import get_write_engine, identifier
from ckanext.datastore.interfaces import IDatastore
from psycopg2 import sql
from psycopg2.extensions import connection, cursor

from ckanext.aizu.tabular import COLUMN_TYPES

BOM = b"\xef\xbb\xbf"
COPY_BYTES = 1 << 18
LOCK_TRIES, LOCK_TRY_MS, LOCK_PAUSE_S = 5, 500, 2


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A table that is loaded, under a name that nobody knows yet."""

    name: str
    rows: int


@contextmanager
def publishing(dataset: str) -> Iterator[connection]:
    """Opens the DataStore for the one who publishes a dataset; what is not committed is rolled back.

    Publications of one dataset wait for one another, for a while.

    Args:
        dataset: name of the dataset.
    """
    raw = get_write_engine().raw_connection()
    database: connection = raw.driver_connection
    try:
        with database.cursor() as cur:
            # The web server ends a request that takes 120 s, and would say nothing of why.
            cur.execute("SET LOCAL lock_timeout = '90s'")
            # Of the connection, not of a transaction: it lasts until the catalogue is in step.
            cur.execute("SELECT pg_advisory_lock(hashtext(%s))", [f"aizu {dataset}"])
        database.commit()
        yield database
    except psycopg2.errors.LockNotAvailable as error:
        message = tk._("Somebody else is publishing this dataset, or reads its tables for long")
        raise tk.ValidationError({"resources": [message]}) from error
    finally:
        try:
            database.rollback()
            with database.cursor() as cur:
                cur.execute("SELECT pg_advisory_unlock_all()")
            database.commit()
        except psycopg2.Error:
            # The server lets go of the lock when the connection is gone.
            raw.invalidate()
        raw.close()


@contextmanager
def undisturbed(datasets: Collection[str]) -> Iterator[tuple[connection, set[str]]]:
    """Keeps others for a moment from publishing datasets, but for those that somebody publishes now.

    Args:
        datasets: names.

    Yields:
        The DataStore, and the names of those that nobody publishes.
    """
    raw = get_write_engine().raw_connection()
    database: connection = raw.driver_connection
    try:
        with database.cursor() as cur:
            cur.execute(
                "SELECT name FROM unnest(%s::text[]) AS name "
                "WHERE pg_try_advisory_xact_lock(hashtext('aizu ' || name))",
                [list(datasets)],
            )
            free = {name for (name,) in cur.fetchall()}
        yield database, free
    finally:
        database.rollback()
        raw.close()


def stage(database: connection, fields: list[dict[str, Any]], table: IO[bytes]) -> Staged:
    """Loads rows into a new table that nobody sees yet.

    Args:
        database: of `publishing`.
        fields: columns as Table Schema describes them.
        table: CSV in UTF-8, with a header, an empty cell meaning no value.

    Raises:
        ValueError: a cell does not have the type of its column; the message says where.
    """
    name = str(uuid.uuid4())
    with database.cursor() as cur:
        described = [_describe(name, field) for field in fields]
        cur.execute(sql.SQL(";").join([_create(name, fields), *described]))
        rows = _copy(cur, name, fields, table)
        # An index is made faster of all rows than row by row.
        cur.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (_id)").format(sql.Identifier(name)))
        return Staged(name=name, rows=rows)


def _create(name: str, fields: list[dict[str, Any]]) -> sql.Composed:
    columns: list[sql.Composable] = [
        sql.SQL("{} {}").format(
            sql.Identifier(field["name"]), sql.SQL(COLUMN_TYPES[field.get("type", "any")])
        )
        for field in fields
    ]
    own: list[sql.Composable] = [sql.SQL("_id serial"), sql.SQL("_full_text tsvector")]
    return sql.SQL("CREATE TABLE {} ({})").format(
        sql.Identifier(name), sql.SQL(", ").join(own + columns)
    )


def _describe(name: str, field: Mapping[str, Any]) -> sql.Composed:
    """The data dictionary lives in the column's comment, in the form CKAN reads."""
    info = {
        "label": field.get("title", ""),
        "notes": field.get("description", ""),
        "label_en": field.get("title_en", ""),
        "notes_en": field.get("description_en", ""),
    }
    # CKAN tells its JSON comments from plain ones by the leading blank.
    comment = " " + json.dumps({"_info": info}, ensure_ascii=False)
    return sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(
        sql.Identifier(name), sql.Identifier(field["name"]), sql.Literal(comment)
    )


def _copy(cur: cursor, name: str, fields: list[dict[str, Any]], table: IO[bytes]) -> int:
    columns = sql.SQL(", ").join(sql.Identifier(field["name"]) for field in fields)
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, HEADER, ENCODING 'UTF8')")
    table.seek(0)
    if table.read(len(BOM)) != BOM:
        table.seek(0)
    try:
        cur.copy_expert(statement.format(sql.Identifier(name), columns), table, COPY_BYTES)
    except psycopg2.DataError as error:
        where = (error.diag.context or "").split(":")[0]
        raise ValueError(f"{error.diag.message_primary} ({where})") from error
    return int(cur.rowcount)


def drop(database: connection, staged: Iterable[Staged]) -> None:
    """Removes tables that were staged and shall not be seen."""
    with database.cursor() as cur:
        for table in staged:
            cur.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table.name)))


def lock(database: connection, resource_ids: Collection[str]) -> None:
    """Keeps readers from the tables that are about to be replaced, before anything else is changed.

    A reader who takes long, such as a backup, must not make all others wait behind us: each try
    is short, and after the last the publication is refused.
    """
    with database.cursor() as cur:
        names = present(cur, resource_ids)
        if not names:
            return
        tables = sql.SQL(", ").join(map(sql.Identifier, names))
        statement = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(tables)
        cur.execute(f"SET LOCAL lock_timeout = '{LOCK_TRY_MS}ms'")
        for tries_left in reversed(range(LOCK_TRIES)):
            cur.execute("SAVEPOINT before_lock")
            try:
                return cur.execute(statement)
            except psycopg2.errors.LockNotAvailable:
                cur.execute("ROLLBACK TO SAVEPOINT before_lock")
                if not tries_left:
                    raise
                time.sleep(LOCK_PAUSE_S)


def present(cur: cursor, resource_ids: Collection[str]) -> list[str]:
    """Those that have a table, in an order that is the same for everybody who locks several."""
    cur.execute(
        "SELECT tablename FROM pg_tables WHERE tablename = ANY(%s) ORDER BY tablename",
        [list(resource_ids)],
    )
    return [name for (name,) in cur.fetchall()]


def switch(database: connection, staged: Mapping[str, Staged], gone: Collection[str]) -> None:
    """Puts staged tables in the place of resources' tables; visible to others at the commit.

    Args:
        database: of `publishing`.
        staged: the new tables, by the id of their resource.
        gone: ids of resources that there will be no more; their tables go with them.
    """
    with database.cursor() as cur:
        for resource_id, table in staged.items():
            _rename(cur, sql.Identifier(table.name), sql.Identifier(resource_id))
            # datastore_search answers with this count; a stale one would stay.
            cur.execute(
                "INSERT INTO _table_stats VALUES (%s, %s) "
                "ON CONFLICT (resource_id) DO UPDATE SET stats = excluded.stats",
                [resource_id, json.dumps({"rows": table.rows})],
            )
        for name in present(cur, gone):
            cur.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(name)))
        cur.execute("DELETE FROM _table_stats WHERE resource_id = ANY(%s)", [list(gone)])


def _rename(cur: cursor, new: sql.Identifier, old: sql.Identifier) -> None:
    """The trigger that fills `_full_text` comes after the rows: it would make COPY ten times slower."""
    cur.execute("SELECT name FROM _table_metadata WHERE alias_of = %s", [old.string])
    aliases = [sql.Identifier(name) for (name,) in cur.fetchall()]
    cur.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(old))
    cur.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(new, old))
    for alias in aliases:
        cur.execute(sql.SQL("CREATE VIEW {} AS SELECT * FROM {}").format(alias, old))
    cur.execute(
        sql.SQL(
            "CREATE TRIGGER zfulltext BEFORE INSERT OR UPDATE ON {} "
            "FOR EACH ROW EXECUTE PROCEDURE populate_full_text_trigger()"
        ).format(old)
    )


class AizuDatastorePlugin(p.SingletonPlugin):
    """The plugin `aizu_datastore`: `q` of datastore_search finds a part of any cell, 避難 in 避難所.

    PostgreSQL's text search takes 避難所 for one word, and a part of a word is never found. The
    plugin must stand behind `datastore`, whose own condition it takes out.
    """

    p.implements(IDatastore, inherit=True)

    def datastore_search(
        self,
        context: Any,
        data_dict: dict[str, Any],
        fields_types: MutableMapping[str, str],
        query_dict: dict[str, Any],
    ) -> dict[str, Any]:
        """Replaces a full-text `q` by a substring condition; several words must all be found."""
        q = data_dict.get("q")
        if not isinstance(q, str) or not q or data_dict.get("full_text"):
            return query_dict
        _without_full_text(query_dict, fields_types)
        columns = [name for name in fields_types if name != "_id"]
        row = f"concat_ws(' ', {', '.join(map(_quoted, columns))})"
        for number, word in enumerate(q.replace("\0", "").split()):
            name = f"aizu_q{number}"
            plain = f"{name}_plain"
            values = {name: _pattern(word), plain: _pattern(unicodedata.normalize("NFKC", word))}
            query_dict["where"].append((f"{row} ILIKE :{name} OR {row} ILIKE :{plain}", values))
        return query_dict


def _without_full_text(query_dict: dict[str, Any], fields_types: MutableMapping[str, str]) -> None:
    """Takes CKAN's text search out of a query again: its condition, its rank and its own table."""
    query_dict["ts_query"] = ""
    query_dict["where"] = [part for part in query_dict["where"] if "_full_text @@" not in part[0]]
    query_dict["select"] = [part for part in query_dict["select"] if "ts_rank(" not in part]
    query_dict["sort"] = [part for part in query_dict["sort"] if "ts_rank(" not in part]
    fields_types.pop("rank", None)


def _quoted(column: str) -> str:
    # SQLAlchemy would take a colon for the start of a bound value.
    return str(identifier(column)).replace(":", r"\:")


def _pattern(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
