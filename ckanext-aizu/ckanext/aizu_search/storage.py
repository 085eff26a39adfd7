"""The connections over which the index is read and written, and what makes both safe.

Writing joins the transaction in which CKAN changes the dataset, so that index and catalogue are
committed together or not at all. Where CKAN changes nothing and only asks for the index to follow,
what is written is committed at once. Reading has a connection of its own: a search that fails can
not spoil a transaction of CKAN's.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import ckan.model.meta as meta
import pysolr
from ckan import model
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.orm import SessionTransaction

from . import schema, spatial
from .document import row

log = logging.getLogger(__name__)

# The databases whose tables this process has seen to.
_prepared: set[str] = set()


@dataclass(kw_only=True)
class Step:
    """What one transaction of CKAN's session has to do with the index."""

    # Nothing is written in it but locks, so that nobody else is going to commit it.
    ours: bool = False
    # The datasets that CKAN has read in it to write their entries; kept, so that it reads them once.
    read: dict[str, model.Package] = field(default_factory=dict)


_steps: WeakKeyDictionary[SessionTransaction, Step] = WeakKeyDictionary()


def _leave_connections_to_parent() -> None:
    """In a forked process: two of them on one connection would read each other's answers."""
    if meta.engine is not None:
        meta.engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_connections_to_parent)


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection for one search."""
    with _errors_translated(), _engine().connect() as connection:
        yield connection


@contextmanager
def writing() -> Iterator[Connection]:
    """The transaction of CKAN's session if it changes anything, otherwise one of our own."""
    with _errors_translated():
        engine = _engine()
        if not _session_changes_something():
            with engine.begin() as connection:
                yield connection
            return
        session = model.Session()
        # A savepoint, because CKAN may go on after an error of the index.
        with session.connection().begin_nested():
            yield session.connection()
        # Whoever has opened a savepoint is going to commit.
        if step().ours and not session.in_nested_transaction():
            session.commit()


def step() -> Step:
    """What is known of the transaction of CKAN's session, which begins here at the latest."""
    session = model.Session()
    return _steps.setdefault(session.get_transaction() or session.begin(), Step())


def about_to_read() -> Step:
    """To be called before a dataset is locked and read for its entry: all changes are flushed."""
    session = model.Session()
    if session.new or session.dirty or session.deleted:
        step().ours = False
        session.flush()
    elif not _session_changes_something():
        step().ours = True
    return step()


def put(connection: Connection, documents: Sequence[Mapping[str, Any]]) -> None:
    """Write documents, each in place of the one with the same index_id."""
    now = datetime.now(UTC)
    rows = [row(document, now) for document in documents]
    if rows:
        connection.exec_driver_sql(_PUT_SEARCHED, [one.searched for one in rows])
        connection.exec_driver_sql(_PUT_STORED, [one.stored for one in rows])
        ids = {"ids": [one.searched["index_id"] for one in rows]}
        connection.exec_driver_sql(spatial.DELETE, ids)
    if places := [place for one in rows for place in one.places]:
        connection.exec_driver_sql(spatial.INSERT, places)


def put_stored(connection: Connection, stored: Mapping[str, Any]) -> None:
    """Write one dataset again from its row in the table of what was handed over."""
    data_dicts = {name: value for name, value in stored.items() if name != "document"}
    put(connection, [{**json.loads(stored["document"]), **data_dicts}])


def _upsert(table: str, columns: Sequence[str]) -> str:
    values = ", ".join(f"%({column})s" for column in columns)
    assignments = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    return (
        f"insert into aizu_search.{table} ({', '.join(columns)}) values ({values})"
        f" on conflict (index_id) do update set {assignments}"
    )


_PUT_SEARCHED = _upsert("dataset", schema.SEARCHED)
_PUT_STORED = _upsert("stored", schema.STORED)


def _engine() -> Engine:
    """CKAN's engine, with our tables in its database."""
    engine: Engine = model.ensure_engine()
    if str(engine.url) not in _prepared:
        schema.ensure(engine, put_stored)
        _prepared.add(str(engine.url))
    return engine


def _session_changes_something() -> bool:
    session = model.Session()
    if session.new or session.dirty or session.deleted:
        return True
    if not session.in_transaction():
        return False
    if step().ours:
        return True
    # PostgreSQL gives a transaction its number with the first write.
    written = session.execute(text("select pg_current_xact_id_if_assigned() is not null"))
    return bool(written.scalar())


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        # Somebody may have dropped our tables; look again next time.
        _prepared.clear()
        raise _translated(error) from error
    except SQLAlchemyError as error:
        raise _translated(error) from error


def _translated(error: SQLAlchemyError) -> pysolr.SolrError:
    """An error without the statement, which is none of the reader's business."""
    log.error("The search index failed", exc_info=error)
    return pysolr.SolrError(f"The search index could not answer ({type(error).__name__})")
