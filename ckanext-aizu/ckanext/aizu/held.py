"""What the gate refused, kept whole beside the versions until a steward has looked at it."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection, cursor

from ckanext.aizu import versions
from ckanext.aizu.blobs import Arrivals
from ckanext.aizu.versions import Version

JSON = dict[str, Any]

# What somebody has discarded is remembered without its files: the source will send it again.
TABLE = """
CREATE TABLE IF NOT EXISTS _aizu_held (
    dataset_id text PRIMARY KEY,
    discarded boolean NOT NULL,
    version jsonb NOT NULL
);
"""


@dataclass(frozen=True, kw_only=True)
class Held:
    """The newest refusal of a dataset."""

    version: Version
    """As it would be published: nothing has been since, or it would not be held any more."""
    discarded: bool = False

    @property
    def since(self) -> str:
        """When this content was refused for the first time."""
        return self.version.published_at

    @property
    def sent_by(self) -> str:
        """Id of the account that wanted to publish it."""
        return self.version.published_by

    @property
    def reasons(self) -> list[JSON]:
        """The gate's: `table`, `rule`, `ja`, `en`."""
        return self.version.lifted


def create_table(cur: cursor, reader: str) -> None:
    """Makes the table where it is not there, and keeps it from everybody who reads the DataStore."""
    cur.execute(TABLE)
    cur.execute(sql.SQL("REVOKE ALL ON _aizu_held FROM {}").format(sql.Identifier(reader)))


def of_datasets(ids: Collection[str]) -> dict[str, Held]:
    """What is held of these datasets, by their id."""
    with versions.reading() as cur:
        found = _found(cur, "NOT discarded AND dataset_id = ANY(%s)", list(ids))
    return {held.version.dataset_id: held for held in found}


def of_dataset(cur: cursor, dataset_id: str) -> Held | None:
    """What is held of a dataset, if anything is."""
    return next(iter(_found(cur, "NOT discarded AND dataset_id = %s", dataset_id)), None)


def everything(cur: cursor) -> list[Held]:
    """All that is held."""
    return _found(cur, "NOT discarded")


def dataset_ids(cur: cursor) -> list[str]:
    """Datasets of which anything is held, or was discarded."""
    cur.execute("SELECT dataset_id FROM _aizu_held")
    return [dataset_id for (dataset_id,) in cur.fetchall()]


def _found(cur: cursor, condition: str, *values: object) -> list[Held]:
    cur.execute(
        f"SELECT discarded, version::text FROM _aizu_held WHERE {condition}",  # noqa: S608  one of ours
        list(values),
    )
    return [
        Held(discarded=discarded, version=Version(**json.loads(text)))
        for discarded, text in cur.fetchall()
    ]


def hold(database: connection, refused: Version, arrivals: Arrivals) -> bool:
    """Keeps a refusal in the place of the former one; False for content that somebody has discarded.

    The same content is held since it came for the first time, whatever speaks against it now.

    Args:
        database: of `table.publishing`, in the transaction that keeps others from removing files.
        refused: the version as it would be.
        arrivals: its files.
    """
    with database.cursor() as cur:
        former = next(iter(_found(cur, "dataset_id = %s", refused.dataset_id)), None)
        if former and former.version.content_hash == refused.content_hash:
            if former.discarded:
                return False
            refused = replace(former.version, lifted=refused.lifted)
        else:
            arrivals.keep()
        _put(cur, Held(version=refused))
    database.commit()
    return True


def discard(database: connection, held: Held) -> None:
    """Lets its files go; when the same content comes again, it is refused and not held."""
    with database.cursor() as cur:
        _put(cur, replace(held, discarded=True))
    database.commit()


def _put(cur: cursor, held: Held) -> None:
    cur.execute(
        "INSERT INTO _aizu_held VALUES (%s, %s, %s) ON CONFLICT (dataset_id) "
        "DO UPDATE SET discarded = excluded.discarded, version = excluded.version",
        [
            held.version.dataset_id,
            held.discarded,
            json.dumps(asdict(held.version), ensure_ascii=False),
        ],
    )


def end(cur: cursor, dataset_id: str) -> None:
    """Nothing is held or discarded any more: something was published, or the dataset was purged."""
    cur.execute("DELETE FROM _aizu_held WHERE dataset_id = %s", [dataset_id])
