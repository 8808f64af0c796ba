"""Paths through a diagram: the shortest one is the largest cube of a set."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Literals = list[tuple[int, bool]]
"""Variables, and what they are."""

_VISITS = 1000
"""After that, any path does that goes on from the best beginning found."""

_Step = tuple["PacketSet", tuple[int, bool]] | None
"""The node that a path came from, and by which literal."""


def largest_cube(packets: PacketSet, weights: Mapping[int, float]) -> Literals:
    """The literals of the cube in a set that is not empty whose variables weigh least."""
    came_from: dict[PacketSet, _Step] = {packets: None}
    costs = {packets: 0.0}
    heap: list[tuple[float, int, PacketSet]] = [(0.0, 0, packets)]
    done: set[PacketSet] = set()
    ticket = 0
    while True:
        cost, _, node = heappop(heap)
        if node in done:
            continue
        done.add(node)
        variable, cofactors = node.node_var(), node.cofactors()
        if variable is None or cofactors is None or len(done) > _VISITS:
            return _path(came_from, node) + _any_path(node)
        for child, positive in zip(cofactors, (True, False), strict=True):
            price = cost + weights[variable]
            if child.satisfiable() and price < costs.get(child, float("inf")):
                costs[child] = price
                came_from[child] = node, (variable, positive)
                ticket += 1
                heappush(heap, (price, ticket, child))


def _path(came_from: dict[PacketSet, _Step], node: PacketSet) -> Literals:
    literals: Literals = []
    step = came_from[node]
    while step is not None:
        node, literal = step
        literals.append(literal)
        step = came_from[node]
    return literals


def _any_path(node: PacketSet) -> Literals:
    cube = node.pick_cube() or []
    return [(variable, value) for variable, value in enumerate(cube) if value is not None]
