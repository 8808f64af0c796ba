"""What every node of the tree has in common."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypedDict, TypeVar


@dataclass(frozen=True, slots=True)
class Node:
    """``start <= i < end`` are offsets into the text of the source the node was read from.

    They say where, not what: trees of the same meaning are equal wherever they were written.
    """

    start: int = field(default=0, compare=False, repr=False, kw_only=True)
    end: int = field(default=0, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class StatementNode(Node):
    """A node that ``tree.Statement`` lists: elements of sets and maps hold some of them."""


class Place(TypedDict):
    """The keywords of a node that say where it is."""

    start: int
    end: int


AnyNode = TypeVar("AnyNode", bound=Node)


def placed(node: AnyNode, place: Place) -> AnyNode:
    """The same node at another place."""
    return replace(node, start=place["start"], end=place["end"])
