"""Where each node of a graph stands, and by which points its edges go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iptlint.analysis.graph import EdgeKind, Graph, Node, NodeKind, Way
from iptlint.reports.graph.layers import Cell, Layers, layered
from iptlint.reports.safe import visible, width

HEIGHT = 40
_BENDS = 10
_GAP = 14
_BETWEEN = 90
_MARGIN = 16
_LEFT = 60
"""Room for what leads from hook to hook."""
_PADDING = 22
_WIDEST = 30
"""Letters of a name; a longer one is cut, and stands whole in the title of its node."""
_SWEEPS = 10

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """``x``, ``y``: its upper left corner; pixels."""

    x: float
    y: float
    width: float
    height: float = HEIGHT

    @property
    def left(self) -> Point:
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> Point:
        return self.x + self.width, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """``boxes`` by node, ``points`` by edge: where it begins, bends and ends."""

    boxes: Mapping[str, Box]
    points: Mapping[str, tuple[Point, ...]]
    width: float
    height: float


def shown_name(node: Node) -> str:
    name = visible(node.name)
    return name if len(name) <= _WIDEST else f"{name[: _WIDEST - 1]}…"


def shown_details(node: Node) -> str:
    """The second line of a node."""
    parts = [*([visible(node.table)] if node.table else []), *node.details]
    return " · ".join(parts)


def numbers_on(way: Way | None) -> dict[str, str]:
    """What is written at each node of the way: its number, and at the end what becomes of the
    packet; empty without a way."""
    if way is None:
        return {}
    numbers = {node: str(number) for number, node in enumerate(way.nodes, start=1)}
    return numbers | {node: f"{numbers[node]} {way.verdict}" for node in way.nodes[-1:]}


def laid_out(graph: Graph) -> Layout:
    fixed = {
        node.id: 0 if node.kind is NodeKind.HOOK else 1
        for node in graph.nodes
        if node.kind in (NodeKind.HOOK, NodeKind.BASE_CHAIN)
    }
    drawn = [edge for edge in graph.edges if edge.kind is not EdgeKind.GOES_ON]
    layers = layered(_in_order(graph), [(edge.source, edge.target) for edge in drawn], fixed)
    widths = {node.id: _width(node) for node in graph.nodes}
    rows = _rows(layers)
    left, columns = float(_LEFT), []
    for cells in layers.cells:
        columns.append(left)
        widest = max((widths[cell] for cell in cells if isinstance(cell, str)), default=0.0)
        left += widest + _BETWEEN
    boxes = {
        cell: Box(columns[number], rows[cell], widths[cell])
        for number, cells in enumerate(layers.cells)
        for cell in cells
        if isinstance(cell, str)
    }
    places = _places(layers, boxes, columns, rows)
    points = {
        edge.id: _points(number, boxes[edge.source], boxes[edge.target], layers, places)
        for number, edge in enumerate(drawn)
    }
    points |= {
        edge.id: _down(boxes[edge.source], boxes[edge.target])
        for edge in graph.edges
        if edge.kind is EdgeKind.GOES_ON
    }
    bottom = max((box.y + box.height for box in boxes.values()), default=0.0)
    return Layout(boxes, points, left - _BETWEEN + _MARGIN + 30, bottom + _MARGIN)


def _in_order(graph: Graph) -> list[str]:
    """Base chains in the order in which their hooks ask them."""
    asked = [edge.target for edge in graph.edges if edge.kind is EdgeKind.ASKS]
    order = {node: number for number, node in enumerate(dict.fromkeys(asked))}
    hooks = [n.id for n in graph.nodes if n.kind is NodeKind.HOOK]
    bases = sorted(
        (n.id for n in graph.nodes if n.kind is NodeKind.BASE_CHAIN),
        key=lambda node: order.get(node, len(order)),
    )
    known = {*hooks, *bases}
    return [*hooks, *bases, *(n.id for n in graph.nodes if n.id not in known)]


def _width(node: Node) -> float:
    name, details = shown_name(node), shown_details(node)
    return max(_extent(name, 13), _extent(details, 10.5)) + _PADDING


def _extent(text: str, size: float) -> float:
    """How wide a text is in most fonts without serifs, in pixels, and a little more."""
    wide = sum(letter.isupper() or letter in "@%_—…" for letter in text)
    narrow = sum(letter in "ijlt.,:·' " for letter in text)
    return size * (0.57 * width(text) + 0.19 * wide - 0.22 * narrow)


def _height(cell: Cell) -> float:
    return HEIGHT if isinstance(cell, str) else _BENDS


def _rows(layers: Layers) -> dict[Cell, float]:
    """The upper edge of each cell: near the middle of those beside it, and none upon another."""
    rows: dict[Cell, float] = {}
    for cells in layers.cells:
        y = float(_MARGIN)
        for cell in cells:
            rows[cell] = y
            y += _height(cell) + _GAP
    numbers = range(len(layers.cells))
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        beside = layers.left if forward else layers.right
        for number in numbers if forward else reversed(numbers):
            cells = layers.cells[number]
            wanted = [_wanted(cell, beside.get(cell, ()), rows) for cell in cells]
            rows |= zip(cells, _apart(wanted, [_height(cell) for cell in cells]), strict=True)
    top = min(rows.values(), default=0.0)
    return {cell: y - top + _MARGIN for cell, y in rows.items()}


def _wanted(cell: Cell, beside: Sequence[Cell], rows: Mapping[Cell, float]) -> float:
    if not beside:
        return rows[cell]
    middles = [rows[each] + _height(each) / 2 for each in beside]
    return sum(middles) / len(middles) - _height(cell) / 2


def _apart(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """As near to what is wanted as they can be, in their order and with a gap between: what would
    overlap is moved together, by as much as is fair to each."""
    groups: list[tuple[float, list[int]]] = []  # the first one's place, and which
    for number, place in enumerate(wanted):
        first, members = place, [number]
        while groups:
            above, others = groups[-1]
            end = above + sum(heights[n] + _GAP for n in others)
            if end <= first:
                break
            groups.pop()
            members = [*others, *members]
            offsets, at = [], 0.0
            for n in members:
                offsets.append(wanted[n] - at)
                at += heights[n] + _GAP
            first = sum(offsets) / len(offsets)
        groups.append((first, members))
    placed = [0.0] * len(wanted)
    for first, members in groups:
        at = first
        for number in members:
            placed[number] = at
            at += heights[number] + _GAP
    return placed


def _places(
    layers: Layers, boxes: Mapping[str, Box], columns: Sequence[float], rows: Mapping[Cell, float]
) -> dict[Cell, tuple[Point, Point]]:
    """Where edges come to each cell, and where they go on."""
    places: dict[Cell, tuple[Point, Point]] = {}
    for number, cells in enumerate(layers.cells):
        widest = max((boxes[c].width for c in cells if isinstance(c, str)), default=0.0)
        for cell in cells:
            y = rows[cell] + _height(cell) / 2
            right = boxes[cell].width if isinstance(cell, str) else widest
            places[cell] = (columns[number], y), (columns[number] + right, y)
    return places


def _points(
    number: int,
    source: Box,
    target: Box,
    layers: Layers,
    places: Mapping[Cell, tuple[Point, Point]],
) -> tuple[Point, ...]:
    chain = layers.chains.get(number)
    if chain is None:  # it leads back
        return source.right, target.right
    first, *bends, last = chain
    return (
        places[first][1],
        *(point for bend in bends for point in places[bend]),
        places[last][0],
    )


def _down(source: Box, target: Box) -> tuple[Point, ...]:
    """From a hook to the next one, along their left side."""
    return source.left, target.left
