"""What CKAN knows as `pysolr.Solr`, over the PostgreSQL that CKAN has anyway.

Writing joins the transaction in which CKAN changes the dataset, so that index and catalogue are
committed together or not at all. Where CKAN has committed already and only then asks for the
index to follow, the engine commits by itself. Searching uses a connection of its own: a failing
search can not spoil a transaction of CKAN's.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pysolr
from ckan import model
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from . import schema
from .document import row
from .query import parse
from .request import Request, read
from .sql import Statement

log = logging.getLogger(__name__)

_prepared: set[str] = set()


class PostgresIndex:
    """The part of `pysolr.Solr` that CKAN and its extensions use."""

    def __init__(
        self, url: str, decoder: json.JSONDecoder | None = None, **_connection: Any
    ) -> None:
        self.url = url
        self.decoder = decoder or json.JSONDecoder()

    def search(self, q: str = "*:*", **parameters: Any) -> pysolr.Results:
        """Run a query with Solr's parameters."""
        request = read({"q": q, **parameters})
        with _reading() as connection:
            found = _run(connection, *request.statement())
            docs = self._documents(connection, request, found) if found["page"] else []
        facets = {name: found[f"facet{n}"] for n, name in enumerate(request.facets)}
        flat = {name: [part for pair in pairs for part in pair] for name, pairs in facets.items()}
        return pysolr.Results(
            {
                "response": {"docs": docs, "numFound": found["total"]},
                "facet_counts": {"facet_fields": flat},
            }
        )

    def _documents(
        self, connection: Connection, request: Request, found: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        columns = ("index_id", *request.stored_columns())
        rows = connection.execute(
            text(
                f"select {', '.join(columns)} from aizu_search.stored where index_id = any(:page)"
            ),  # noqa: S608 (columns from our own list)
            {"page": found["page"]},
        )
        stored = {one.index_id: one._asdict() for one in rows}
        scores = dict(zip(found["page"], found["scores"], strict=True))
        docs = []
        for index_id in found["page"]:
            document = stored[index_id]
            values = self.decoder.decode(document.pop("fields", "{}"))
            docs.append(request.shown({**document, **values, "score": scores[index_id]}))
        return docs

    def add(self, docs: Sequence[Mapping[str, Any]], commit: bool | None = None, **_: Any) -> None:
        """Put documents into the index, each in place of the one with the same index_id."""
        now = datetime.now(UTC)
        rows = [row(document, now) for document in docs]
        with _writing() as connection:
            for one in rows:
                connection.exec_driver_sql(_UPSERT_SEARCHED, one.searched)
                connection.exec_driver_sql(_UPSERT_STORED, one.stored)

    def delete(self, id: Any = None, q: str | None = None, commit: bool | None = None) -> None:  # noqa: A002 (pysolr's name)
        """Remove documents by index_id or by query."""
        statement = Statement(weights={"text": 1.0})
        if q is not None:
            condition = statement.condition(parse(q))
        else:
            ids = [id] if isinstance(id, str) else list(id)
            condition = f"d.index_id = any({statement.parameter(ids)})"
        with _writing() as connection:
            connection.exec_driver_sql(
                f"delete from aizu_search.dataset d where {condition}",
                statement.parameters,  # noqa: S608
            )

    def commit(self, **_: Any) -> None:
        """Nothing is ever left over to commit; see `_writing`."""


def _assignments(columns: Sequence[str]) -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in columns[1:])


def _upsert(table: str, columns: Sequence[str]) -> str:
    values = ", ".join(f"%({column})s" for column in columns)
    return (
        f"insert into aizu_search.{table} ({', '.join(columns)}) values ({values})"  # noqa: S608
        f" on conflict (index_id) do update set {_assignments(columns)}"
    )


_UPSERT_SEARCHED = _upsert("dataset", schema.SEARCHED)
_UPSERT_STORED = _upsert("stored", schema.STORED)


def _run(connection: Connection, sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    found = connection.exec_driver_sql(sql, dict(parameters)).mappings().one()
    return dict(found)


def _engine() -> Engine:
    """CKAN's engine, with our tables in its database."""
    bind = model.Session.get_bind()
    engine: Engine = bind.engine
    name = str(engine.url)
    if name not in _prepared:
        schema.ensure(engine)
        _prepared.add(name)
    return engine


@contextmanager
def _reading() -> Iterator[Connection]:
    try:
        with _engine().connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise _translated(error) from error


@contextmanager
def _writing() -> Iterator[Connection]:
    """The transaction of CKAN's session if it changes something, otherwise one of our own."""
    try:
        engine = _engine()
        if _changes_pending():
            connection = model.Session.connection()
            with connection.begin_nested():
                yield connection
        else:
            with engine.begin() as connection:
                yield connection
    except SQLAlchemyError as error:
        raise _translated(error) from error


def _changes_pending() -> bool:
    session = model.Session()
    if session.new or session.dirty or session.deleted:
        return True
    if not session.in_transaction():
        return False
    written = session.execute(text("select pg_current_xact_id_if_assigned() is not null"))
    return bool(written.scalar())


def _translated(error: SQLAlchemyError) -> pysolr.SolrError:
    """An error without the statement, which is none of the reader's business."""
    log.error("Search index: %s", error)
    return pysolr.SolrError(f"The search index could not answer: {type(error).__name__}")
