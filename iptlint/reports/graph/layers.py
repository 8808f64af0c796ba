"""Nodes in layers, with few edges that cross: the method of Sugiyama, Tagawa and Toda, "Methods for
Visual Understanding of Hierarchical System Structures" (1981), with barycentres.

An edge that leads over several layers has a bend in each, which takes part in the ordering as nodes
do, so that it does not run through any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_SWEEPS = 12

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Bend:
    """Where an edge passes a layer. ``number``: of the edge."""

    number: int
    layer: int


Cell = str | Bend


@dataclass(slots=True)
class Layers:
    """``cells``: of each layer, from left to right, nodes and bends from top to bottom.
    ``neighbours``: of each cell those to its left and to its right. ``chains``: the cells of each
    edge that leads to the right, in order; edges that lead back have none."""

    cells: list[list[Cell]] = field(default_factory=list)
    left: dict[Cell, list[Cell]] = field(default_factory=lambda: defaultdict(list))
    right: dict[Cell, list[Cell]] = field(default_factory=lambda: defaultdict(list))
    chains: dict[int, list[Cell]] = field(default_factory=dict)


def layered(nodes: Sequence[str], edges: Sequence[Pair], fixed: Mapping[str, int]) -> Layers:
    """``fixed``: the layers of some nodes, which keep their order there; the others are in the
    first layer behind all that lead to them."""
    layer_of = _ranks(nodes, edges, fixed)
    layers = Layers([[] for _ in range(max(layer_of.values(), default=0) + 1)])
    for node in nodes:
        layers.cells[layer_of[node]].append(node)
    for number, (source, target) in enumerate(edges):
        if layer_of[source] < layer_of[target]:
            _thread(layers, number, source, target, layer_of)
    kept = {layer for node, layer in fixed.items()}
    _order(layers, kept)
    return layers


def _ranks(nodes: Sequence[str], edges: Sequence[Pair], fixed: Mapping[str, int]) -> dict[str, int]:
    behind: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        if target not in fixed:
            behind[source].append(target)
    ranks = {node: fixed.get(node, max(fixed.values(), default=0)) for node in nodes}
    for node in _before_what_they_lead_to(nodes, behind):
        for target in behind[node]:
            ranks[target] = max(ranks[target], ranks[node] + 1)
    return ranks


def _before_what_they_lead_to(nodes: Sequence[str], behind: dict[str, list[str]]) -> list[str]:
    """Every node before those that it leads to; what closes a loop is taken out of ``behind``."""
    done: dict[str, None] = {}
    for root in nodes:
        if root in done:
            continue
        path: dict[str, int] = {root: 0}
        while path:
            node, number = next(reversed(path.items()))
            if number >= len(behind[node]):
                path.popitem()
                done[node] = None
                continue
            target = behind[node][number]
            if target in path:
                behind[node].pop(number)
                continue
            path[node] += 1
            if target not in done:
                path[target] = 0
    return [*reversed(done)]


def _thread(
    layers: Layers, number: int, source: str, target: str, layer_of: Mapping[str, int]
) -> None:
    chain: list[Cell] = [source]
    for layer in range(layer_of[source] + 1, layer_of[target]):
        bend = Bend(number, layer)
        layers.cells[layer].append(bend)
        chain.append(bend)
    chain.append(target)
    layers.chains[number] = chain
    for one, other in pairwise(chain):
        layers.right[one].append(other)
        layers.left[other].append(one)


def _order(layers: Layers, kept: set[int]) -> None:
    """Sweeps to and fro, and keeps the best; nodes of the layers that are ``kept`` stay in their
    order, bends among them do not."""
    best, fewest = [[*cells] for cells in layers.cells], crossings(layers)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        numbers = range(len(layers.cells))
        for number in numbers if forward else reversed(numbers):
            beside = layers.left if forward else layers.right
            place = _places(layers, number - 1 if forward else number + 1)
            layers.cells[number] = _by_barycentre(
                layers.cells[number], beside, place, number in kept
            )
        count = crossings(layers)
        if count < fewest:
            best, fewest = [[*cells] for cells in layers.cells], count
    layers.cells[:] = best


def _places(layers: Layers, number: int) -> dict[Cell, int]:
    if not 0 <= number < len(layers.cells):
        return {}
    return {cell: place for place, cell in enumerate(layers.cells[number])}


def _by_barycentre(
    cells: list[Cell],
    beside: Mapping[Cell, list[Cell]],
    place: Mapping[Cell, int],
    keep: bool,
) -> list[Cell]:
    def centre(number: int, cell: Cell) -> float:
        places = [place[each] for each in beside.get(cell, ()) if each in place]
        return sum(places) / len(places) if places else float(number)

    weights = {cell: centre(number, cell) for number, cell in enumerate(cells)}
    if not keep:
        return sorted(cells, key=weights.__getitem__)
    kept = [cell for cell in cells if isinstance(cell, str)]
    bends = sorted((c for c in cells if isinstance(c, Bend)), key=weights.__getitem__)
    return [*kept, *bends]


def crossings(layers: Layers) -> int:
    """How many pairs of edges cross between layers."""
    total = 0
    for number in range(len(layers.cells) - 1):
        place = _places(layers, number + 1)
        ends = [
            place[other]
            for cell in layers.cells[number]
            for other in sorted(layers.right.get(cell, ()), key=place.__getitem__)
        ]
        total += _inversions(ends)
    return total


def _inversions(ends: list[int]) -> int:
    """Pairs that are not in order, by merging."""
    if len(ends) < 2:
        return 0
    middle = len(ends) // 2
    one, other = ends[:middle], ends[middle:]
    total = _inversions(one) + _inversions(other)
    one.sort()
    other.sort()
    number = 0
    for end in other:
        while number < len(one) and one[number] <= end:
            number += 1
        total += len(one) - number
    return total
