"""Loads the tables of a version into the DataStore, where nobody sees them yet."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import ckan.plugins.toolkit as tk
from psycopg2.extensions import connection

from ckanext.aizu import publication, table
from ckanext.aizu.laps import Laps

Schemas = Mapping[str, list[dict[str, Any]]]
"""The fields of each table, by its name."""


def load(
    database: connection, schemas: Schemas, streams: Mapping[str, IO[bytes]]
) -> dict[str, table.Staged]:
    """Loads tables under names that nobody knows; the first that does not fit its schema is refused.

    Args:
        database: of the place.
        schemas: of the tables.
        streams: CSV, by part.
    """
    staged = {}
    for name, fields in schemas.items():
        part = f"{publication.TABLE}:{name}"
        try:
            staged[name] = table.stage(database, fields, streams[part])
        except ValueError as error:
            raise tk.ValidationError({part: [str(error)]}) from error
    return staged


@contextmanager
def meanwhile(
    database: connection, schemas: Schemas, files: Mapping[str, Path], laps: Laps
) -> Iterator[Future[dict[str, table.Staged]]]:
    """Loads tables while the caller does something else that does not need the database.

    If both fail, what the DataStore says of the tables counts.

    Args:
        database: of the place.
        schemas: of the tables.
        files: CSV, by the name of the table.
        laps: where the time is noted.
    """

    def load_files() -> dict[str, table.Staged]:
        with laps.lap("copy"), ExitStack() as opened:
            streams = {
                f"{publication.TABLE}:{name}": opened.enter_context(file.open("rb"))
                for name, file in files.items()
            }
            return load(database, schemas, streams)

    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(load_files)
        try:
            yield coming
        finally:
            coming.result()
