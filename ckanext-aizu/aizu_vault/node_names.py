"""What people read for the codes of the trees, in both languages, and the Data Privacy Vocabulary's terms for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aizu_vault.log.query import rows
from aizu_vault.register import changing
from aizu_vault.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

Names = dict[tuple[Tree, str], "Name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a node is called.

    Attributes:
        iri: of the term of the Data Privacy Vocabulary that means the same or more.
    """

    ja: str
    en: str
    iri: str | None = None


def read_names(connection: Connection[Any]) -> Names:
    """The names of all nodes that have one."""
    query = "SELECT tree, code, title_ja, title_en, iri FROM consent.node_name"
    return {
        (Tree(tree), code): Name(ja=ja, en=en, iri=iri)
        for tree, code, ja, en, iri in rows(connection, query)
    }


def put_names(
    connection: Connection[Any], names: Mapping[tuple[Tree, str], Name], *, by: str
) -> int:
    """Names nodes, or names them anew; returns how many were not called so already."""
    known = read_names(connection)
    fresh = {place: name for place, name in names.items() if known.get(place) != name}
    if not fresh:
        return 0
    with changing(connection, by, names=len(fresh)), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO consent.node_name VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (tree, code) DO UPDATE SET"
            " title_ja = excluded.title_ja, title_en = excluded.title_en, iri = excluded.iri",
            [(tree.value, code, one.ja, one.en, one.iri) for (tree, code), one in fresh.items()],
        )
    return len(fresh)
