"""The picture as SVG, with nothing in it that runs or is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from markupsafe import escape

from iptlint.analysis.graph import Edge, EdgeKind, Graph, Node, NodeKind, Way
from iptlint.reports.graph.layout import (
    Box,
    Layout,
    Point,
    laid_out,
    shown_details,
    shown_name,
)
from iptlint.reports.safe import visible

STYLE = """
.graph { font-family: system-ui, sans-serif; --g: #ffffff; --n: #f5f6f8; --i: #1b1f24; --q: #57606a;
  --l: #8b949e; --hook: #dbe9fb; --set: #fdf3dc; --nat: #efe3fa; --way: #b3141c; }
@media (prefers-color-scheme: dark) { .graph { --g: #14181d; --n: #1d232a; --i: #e6eaee;
  --q: #a5afb9; --l: #66717c; --hook: #16293f; --set: #362a12; --nat: #2d2140; --way: #ff9a98; } }
.graph .ground { fill: var(--g); stroke: none; }
.graph rect { fill: var(--n); stroke: var(--l); }
.graph .hook rect { fill: var(--hook); }
.graph .set rect { fill: var(--set); }
.graph .translation rect { fill: var(--nat); }
.graph .uncalled rect { stroke-dasharray: 4 3; }
.graph text { fill: var(--i); font-size: 13px; }
.graph .details { fill: var(--q); font-size: 10.5px; }
.graph path { fill: none; stroke: var(--l); stroke-width: 1.3; }
.graph .goes-to path, .graph .tests path, .graph .fills path { stroke-dasharray: 5 3; }
.graph .goes-on path { stroke-width: 3; stroke: var(--q); }
.graph .tip { fill: var(--l); stroke: none; }
.graph .on rect { stroke: var(--way); stroke-width: 3; }
.graph .on path { stroke: var(--way); stroke-width: 3; }
.graph .on .tip { fill: var(--way); stroke: none; }
.graph .end rect { stroke-width: 5; }
.graph .step { fill: var(--way); font-size: 11px; font-weight: 700; }
"""

_CLASSES = {
    NodeKind.HOOK: "hook",
    NodeKind.BASE_CHAIN: "base",
    NodeKind.CHAIN: "chain",
    NodeKind.UNCALLED: "chain uncalled",
    NodeKind.SET: "set",
    NodeKind.TRANSLATION: "translation",
}
_VERBS = {
    EdgeKind.ASKS: "asks",
    EdgeKind.JUMPS: "jumps to",
    EdgeKind.GOES_TO: "goes to",
    EdgeKind.TESTS: "tests",
    EdgeKind.FILLS: "fills",
    EdgeKind.TRANSLATES: "translates:",
    EdgeKind.GOES_ON: "then",
}


def svg(graph: Graph, way: Way | None = None, note: str = "") -> str:
    """A file of its own. ``note``: a sentence below the picture."""
    layout = laid_out(graph)
    height = layout.height + (28 if note else 0)
    size = f'width="{layout.width:.0f}" height="{height:.0f}"'
    view = f'viewBox="0 0 {layout.width:.0f} {height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" {size} {view}>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{layout.width:.0f}" height="{height:.0f}"/>',
        *_body(graph, layout, way, ""),
    ]
    if note:
        lines.append(f'<text x="16" y="{layout.height + 12:.0f}">{escape(visible(note))}</text>')
    return "\n".join((*lines, "</svg>\n"))


def inline_svg(graph: Graph, prefix: str, title: str) -> str:
    """For a page that has the style; ``prefix`` stands before all ids."""
    layout = laid_out(graph)
    size = f'width="{layout.width:.0f}" height="{layout.height:.0f}"'
    view = f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}"'
    head = f'<svg class="graph" role="img" aria-label="{escape(visible(title))}" {size} {view}>'
    return "\n".join((head, *_body(graph, layout, None, prefix), "</svg>"))


def _body(graph: Graph, layout: Layout, way: Way | None, prefix: str) -> Iterator[str]:
    names = {node.id: node for node in graph.nodes}
    on_edges = way.edges if way else frozenset()
    # What is on the way is drawn last, above the others.
    for edge in sorted(graph.edges, key=lambda each: each.id in on_edges):
        yield _edge(edge, names, layout.points[edge.id], edge.id in on_edges, prefix)
    order = {node: number for number, node in enumerate(way.nodes, start=1)} if way else {}
    for node in graph.nodes:
        step = order.get(node.id, 0)
        end = way.verdict if way and step == len(order) and step else ""
        yield _node(node, layout.boxes[node.id], step, end, prefix)


def _node(node: Node, box: Box, step: int, end: str, prefix: str) -> str:
    name = " ".join((_CLASSES[node.kind], *(["on"] if step else []), *(["end"] if end else [])))
    details = shown_details(node)
    title = f"{visible(node.name)}{f' ({details})' if details else ''}"
    y = box.y + (17 if details else 25)
    parts = [
        f'<g class="node {name}" id="{prefix}{node.id}"><title>{escape(title)}</title>',
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}"'
        f' height="{box.height:.1f}" rx="5"/>',
        f'<text x="{box.x + 10:.1f}" y="{y:.1f}">{escape(shown_name(node))}</text>',
    ]
    if details:
        parts.append(
            f'<text class="details" x="{box.x + 10:.1f}" y="{box.y + 32:.1f}">'
            f"{escape(details)}</text>"
        )
    if step:
        said = f"{step}{f' {end}' if end else ''}"
        parts.append(
            f'<text class="step" x="{box.x + 2:.1f}" y="{box.y - 3:.1f}">{escape(said)}</text>'
        )
    return "".join((*parts, "</g>"))


def _edge(
    edge: Edge, names: dict[str, Node], points: Sequence[Point], on: bool, prefix: str
) -> str:
    name = f"{edge.kind.value.replace(' ', '-')}{' on' if on else ''}"
    rules = f" ({edge.rules} rules)" if edge.rules > 1 else ""
    title = (
        f"{visible(names[edge.source].name)} {_VERBS[edge.kind]} "
        f"{visible(names[edge.target].name)}{rules}"
    )
    down = edge.kind is EdgeKind.GOES_ON
    path = _down(points) if down else _curve(points)
    x, y = points[-1]
    tip = f"M{x:.1f} {y:.1f}l-8 -4v8z"
    return (
        f'<g class="edge {name}" id="{prefix}{edge.id}"><title>{escape(title)}</title>'
        f'<path d="{path}"/><path class="tip" d="{tip}"/></g>'
    )


def _curve(points: Sequence[Point]) -> str:
    """Level where it leaves and where it comes in."""
    (x, y), *_ = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        if x2 <= x1:  # it leads back, to the right side of what stands before
            parts.append(f"C{x1 + 50:.1f} {y1:.1f} {x2 + 50:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
            continue
        middle = (x1 + x2) / 2
        parts.append(f"C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
    return "".join(parts)


def _down(points: Sequence[Point]) -> str:
    (x1, y1), (x2, y2) = points
    out = min(14 + abs(y2 - y1) / 12, 60)
    return f"M{x1:.1f} {y1:.1f}C{x1 - out:.1f} {y1:.1f} {x2 - out:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
