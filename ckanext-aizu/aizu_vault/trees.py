"""Purposes, recipients and classes of data as trees, of which every version stays as people saw it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Tree(StrEnum):
    """What a tree is of."""

    DATA = "data"
    PURPOSE = "purpose"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One place in a tree; its code never changes, whatever people call it.

    Args:
        grantable: whether people are offered to consent to it and all that is below it. They may
            object to any node.
    """

    tree: Tree
    code: str
    parent: str | None = None
    grantable: bool = True


@dataclass(frozen=True, kw_only=True)
class Version:
    """The three trees as they stand from `since` on, until the next version.

    Raises:
        ValueError: a code comes twice, or a parent is missing or its own descendant.
    """

    number: int
    since: datetime
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if len(self._nodes) != len(self.nodes):
            raise ValueError(f"version {self.number} has a code twice")
        for tree, code in self._nodes:
            self._way_up(tree, code)

    def knows(self, tree: Tree, code: str) -> bool:
        """Whether there is such a node."""
        return (tree, code) in self._nodes

    def covers(self, tree: Tree, high: str, low: str) -> bool:
        """Whether `low` is `high` or below it; False if this version does not know one of them."""
        return (tree, high, low) in self._closure

    def is_leaf(self, tree: Tree, code: str) -> bool:
        """Whether there is such a node and nothing is below it."""
        return (tree, code) in self._nodes and (tree, code) not in self._parents

    def is_grantable(self, tree: Tree, code: str) -> bool:
        """Whether people are offered to consent to it."""
        node = self._nodes.get((tree, code))
        return node is not None and node.grantable

    @cached_property
    def _nodes(self) -> dict[tuple[Tree, str], Node]:
        return {(node.tree, node.code): node for node in self.nodes}

    @cached_property
    def _parents(self) -> frozenset[tuple[Tree, str]]:
        return frozenset((node.tree, node.parent) for node in self.nodes if node.parent is not None)

    @cached_property
    def _closure(self) -> frozenset[tuple[Tree, str, str]]:
        return frozenset(
            (tree, high, code) for tree, code in self._nodes for high in self._way_up(tree, code)
        )

    def _way_up(self, tree: Tree, code: str) -> list[str]:
        """The code and all that it is below."""
        way = [code]
        while parent := self._nodes[tree, way[-1]].parent:
            if parent in way or (tree, parent) not in self._nodes:
                raise ValueError(
                    f"version {self.number}: {tree} {way[-1]!r} cannot be in {parent!r}"
                )
            way.append(parent)
        return way


@dataclass(frozen=True, kw_only=True)
class Taxonomy:
    """All versions, oldest first.

    Raises:
        ValueError: the numbers or the times do not rise.
    """

    versions: tuple[Version, ...]

    def __post_init__(self) -> None:
        for earlier, later in zip(self.versions, self.versions[1:], strict=False):
            if earlier.number >= later.number or earlier.since >= later.since:
                raise ValueError(f"version {later.number} does not come after {earlier.number}")

    def numbered(self, number: int) -> Version | None:
        """The version of that number."""
        return self._numbered.get(number)

    def at(self, moment: datetime) -> Version | None:
        """The version that stands then."""
        return next((one for one in reversed(self.versions) if one.since <= moment), None)

    @cached_property
    def _numbered(self) -> dict[int, Version]:
        return {version.number: version for version in self.versions}
