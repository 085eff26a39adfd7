"""The tables of the index, in a PostgreSQL schema of their own, made when they are first needed."""

import logging
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine

from .fields import COLUMNS

log = logging.getLogger(__name__)

VERSION = 2
SEARCHED = ("index_id", *COLUMNS, "other", "headline", "body", "labelled")
STORED = ("index_id", "document", "data_dict", "validated_data_dict")

_LOCK = 0x61697A75  # "aizu": any number will do that all processes share
_CREATE = f"""
drop schema if exists aizu_search cascade;
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
-- Long vectors live outside the row and uncompressed: a search that only filters never reads them.
alter table aizu_search.dataset alter body set storage external, alter labelled set storage external;
create index on aizu_search.dataset (id);
create index on aizu_search.dataset (name);
create index on aizu_search.dataset using gin (body);
create index on aizu_search.dataset using gin (labelled);
create index on aizu_search.dataset using gin (other jsonb_path_ops);
create index on aizu_search.dataset using gin (tags);
create index on aizu_search.dataset using gin (groups);
create table aizu_search.stored (
    index_id text primary key references aizu_search.dataset on delete cascade,
    document text not null,
    data_dict text,
    validated_data_dict text
);
"""  # noqa: S608 (of our own words only)


def ensure(engine: Engine) -> None:
    """Create the tables unless this version of them is there; many processes may try at once."""
    with engine.begin() as connection:
        if _is_current(connection):
            return
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not _is_current(connection):
            connection.exec_driver_sql(_CREATE)
            log.warning("New search index: fill it with `ckan search-index rebuild`")


def _is_current(connection: Connection) -> bool:
    exists = connection.execute(text("select to_regclass('aizu_search.version') is not null"))
    if not exists.scalar():
        return False
    number: Any = connection.execute(text("select number from aizu_search.version")).scalar()
    return bool(number == VERSION)
