"""The tables of the index, in a PostgreSQL schema of their own, made when they are first needed."""

import logging
from collections.abc import Callable
from typing import Any

import pysolr
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine

from . import spatial
from .fields import COLUMNS

log = logging.getLogger(__name__)

VERSION = 10
SEARCHED = ("index_id", *COLUMNS, "other", "headline", "body", "labelled")
STORED = ("index_id", "document", "data_dict", "validated_data_dict")

_LOCK = 0x61697A75  # "aizu": any number will do that all processes share
_CREATE = f"""
create schema aizu_search;
create table aizu_search.version (number integer not null);
insert into aizu_search.version values ({VERSION});
create table aizu_search.dataset (
    index_id text primary key,
    {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())},
    other jsonb not null,
    headline tsvector not null,
    body tsvector not null,
    labelled tsvector not null
);
-- What is read for every hit stays in the row: facets, labels, title. Vectors live outside it, so that
-- a search that only filters never reads them, and are not compressed, as each comparison would unpack
-- them anew.
alter table aizu_search.dataset
    set (toast_tuple_target = 4080),
    alter title_string set storage main, alter permission_labels set storage main,
    alter tags set storage main, alter groups set storage main, alter res_format set storage main,
    alter headline set storage external, alter body set storage external,
    alter labelled set storage external;
create index on aizu_search.dataset (id);
create index on aizu_search.dataset (name);
create index on aizu_search.dataset using gin (headline);
create index on aizu_search.dataset using gin (body);
create index on aizu_search.dataset using gin (labelled);
create index on aizu_search.dataset using gin (other jsonb_path_ops);
create index on aizu_search.dataset using gin (tags);
create index on aizu_search.dataset using gin (groups);
-- What CKAN handed over, as it came: from this a later version can make all the rest again.
create table aizu_search.stored (
    index_id text primary key references aizu_search.dataset on delete cascade,
    document text not null,
    data_dict text,
    validated_data_dict text
);
{spatial.TABLES}
"""


def ensure(engine: Engine, put: Callable[[Connection, dict[str, Any]], None]) -> None:
    """Bring the tables to this version, with what they held; many processes may try at once."""
    with engine.begin() as connection:
        if _version(connection) == VERSION:
            return
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = _version(connection)
        if found == VERSION:
            return
        if found is not None:
            connection.execute(text("alter schema aizu_search rename to aizu_search_before"))
        connection.exec_driver_sql(_CREATE)
        if found is None:
            log.warning("The search index is new: fill it with `ckan search-index rebuild`")
        else:
            _refill(connection, put)


def _refill(connection: Connection, put: Callable[[Connection, dict[str, Any]], None]) -> None:
    ids = connection.execute(text("select index_id from aizu_search_before.stored")).scalars().all()
    for index_id in ids:
        kept = text("select * from aizu_search_before.stored where index_id = :id")
        found = dict(connection.execute(kept, {"id": index_id}).mappings().one())
        try:
            with connection.begin_nested():
                put(connection, found)
        except pysolr.SolrError:
            # One that an earlier version took must not keep all others from being found.
            log.exception("Entry %s was left out of the index: rebuild its dataset", index_id)
    connection.execute(text("drop schema aizu_search_before cascade"))
    log.info("The search index has a new form; %d datasets went over", len(ids))


def _version(connection: Connection) -> int | None:
    # Not to_regclass: it answers from a cache that does not see what another process has just made.
    table = "select from pg_tables where schemaname = 'aizu_search' and tablename = 'version'"
    if not connection.execute(text(f"select exists ({table})")).scalar():
        return None
    number: int = connection.execute(text("select number from aizu_search.version")).scalar_one()
    return number
