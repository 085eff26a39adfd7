"""Keeps a harvester that was thought dead from coming after the one that has taken its place."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import ckan.plugins.toolkit as tk
from ckan import model
from psycopg2 import sql
from psycopg2.extensions import connection, cursor

MOST = 2**53 - 1
"""The largest whole number that every JSON reader keeps."""
FORGOTTEN_AFTER = timedelta(days=1)

# By name, as a dataset has no id yet when its first version comes.
TABLE = """
CREATE TABLE IF NOT EXISTS _aizu_fence (
    dataset text PRIMARY KEY,
    number bigint NOT NULL,
    seen_at timestamptz NOT NULL
);
"""


def create_table(cur: cursor, reader: str) -> None:
    """Makes the table where it is not there, and keeps it from everybody who reads the DataStore."""
    cur.execute(TABLE)
    cur.execute(sql.SQL("REVOKE ALL ON _aizu_fence FROM {}").format(sql.Identifier(reader)))


def let_pass(database: connection, dataset: str, number: int | None) -> None:
    """Lets a run through unless one with a higher number was here; from now on no lower one is.

    Args:
        database: of `table.publishing(dataset)`, so that runs come one after the other.
        dataset: name of the dataset.
        number: of the run; None for those who are not numbered.
    """
    if number is None:
        return
    with database.cursor() as cur:
        highest = _highest(cur, dataset, number)
    database.commit()
    if number < highest:
        message = tk._(
            "Run %i is over: run %i of this dataset has been here since. Nothing was changed."
        )
        refused: list[str | dict[str, object]] = [
            {"highest": highest, "message": message % (number, highest)}
        ]
        raise tk.ValidationError({"fence": refused})


def passing(cur: cursor, numbers: Mapping[str, int | None]) -> set[str]:
    """The datasets, by name, whose runs may pass; from the commit on no lower numbers may."""
    return {
        dataset
        for dataset, number in numbers.items()
        if number is None or number >= _highest(cur, dataset, number)
    }


def _highest(cur: cursor, dataset: str, number: int) -> int:
    """The highest number that was ever here, this one included."""
    cur.execute(
        "INSERT INTO _aizu_fence AS known VALUES (%s, %s, now()) ON CONFLICT (dataset) "
        "DO UPDATE SET number = greatest(known.number, excluded.number), seen_at = now() "
        "RETURNING number",
        [dataset, number],
    )
    (highest,) = cur.fetchone() or (number,)
    return int(highest)


def forget(cur: cursor) -> None:
    """Drops the numbers of datasets that are not there any more, or never came to be."""
    cur.execute(
        "SELECT dataset FROM _aizu_fence WHERE seen_at < %s",
        [datetime.now(UTC) - FORGOTTEN_AFTER],
    )
    gone = [name for (name,) in cur.fetchall() if model.Package.get(name) is None]
    cur.execute("DELETE FROM _aizu_fence WHERE dataset = ANY(%s)", [gone])
