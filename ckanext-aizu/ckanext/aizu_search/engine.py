"""What CKAN knows as `pysolr.Solr`, over the PostgreSQL that CKAN has anyway."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pysolr
from sqlalchemy import text
from sqlalchemy.engine import Connection

from . import fields, storage
from .lucene import parse
from .request import Request, read
from .sql import condition
from .statement import Statement

# The index fits in memory, where a page costs the same wherever it lies; the hits of a large
# catalogue shall be kept there as well; compiling a plan to machine code takes longer than any
# search; and no search may last for ever.
_SETTINGS = (
    "set local random_page_cost = 1; set local work_mem = '32MB'; set local jit = off;"
    " set local statement_timeout = '10s'; "
)


# PostgreSQL takes reading a whole table for cheap, and does not count that every vector lies apart.
_TEXT_SETTINGS = _SETTINGS + "set local enable_seqscan = off; "


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
        sql, values = request.statement()
        with storage.reading() as connection:
            settings = _TEXT_SETTINGS if "@@" in sql else _SETTINGS
            found = connection.exec_driver_sql(settings + sql, values).mappings().one()
            docs = self._documents(connection, request, found)
        facets = {
            name: [part for pair in found[f"facet{number}"] for part in pair]
            for number, name in enumerate(request.facets)
        }
        return pysolr.Results(
            {
                "response": {"docs": docs, "numFound": found["total"]},
                "facet_counts": {"facet_fields": facets},
            }
        )

    def _documents(
        self, connection: Connection, request: Request, found: Mapping[Any, Any]
    ) -> list[dict[str, Any]]:
        columns = ("index_id", *request.stored_columns())
        sql = f"select {', '.join(columns)} from aizu_search.stored where index_id = any(:page)"
        rows = connection.execute(text(sql), {"page": found["page"]})
        stored = {one.index_id: one._asdict() for one in rows}
        return [
            request.shown({**self._decoded(stored[index_id]), "score": score})
            for index_id, score in zip(found["page"], found["scores"], strict=True)
            if index_id in stored
        ]

    def _decoded(self, stored: dict[str, Any]) -> dict[str, Any]:
        document = self.decoder.decode(stored.pop("document", "{}"))
        return {name: v for name, v in {**stored, **document}.items() if fields.is_stored(name)}

    def add(self, docs: Sequence[Mapping[str, Any]], **_options: Any) -> None:
        """Put documents into the index, each in place of the one with the same index_id."""
        with storage.writing() as connection:
            storage.put(connection, docs)

    def delete(
        self,
        id: str | Iterable[str] | None = None,  # noqa: A002 (pysolr's name)
        q: str | None = None,
        **_options: Any,
    ) -> None:
        """Remove documents, by index_id or by query."""
        if (id is None) == (q is None):
            raise ValueError('You must specify "id" or "q", not both.')
        made = Statement({fields.CATCH_ALL: 1.0})
        if q is not None:
            where = condition(made, parse(q))
        else:
            ids = [id] if isinstance(id, str) else list(id or ())
            where = f"d.index_id = any({made.parameter(ids)})"
        with storage.writing() as connection:
            connection.exec_driver_sql(
                f"delete from aizu_search.dataset d where {where}",
                made.parameters,
            )

    def commit(self, **_options: Any) -> None:
        """Nothing: what is written is committed with CKAN's own data or at once."""
