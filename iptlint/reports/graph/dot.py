"""The graph for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.graph import EdgeKind, Graph, NodeKind, Way
from iptlint.reports.graph.layout import numbers_on, shown_details
from iptlint.reports.safe import visible

_SHAPES = {
    NodeKind.HOOK: 'shape=cds style=filled fillcolor="#dbe9fb"',
    NodeKind.BASE_CHAIN: 'shape=box style="filled,rounded" fillcolor="#f5f6f8"',
    NodeKind.CHAIN: "shape=box style=rounded",
    NodeKind.UNCALLED: 'shape=box style="rounded,dashed"',
    NodeKind.SET: 'shape=cylinder style=filled fillcolor="#fdf3dc"',
    NodeKind.TRANSLATION: 'shape=box style=filled fillcolor="#efe3fa"',
}
_LINES = {
    EdgeKind.GOES_ON: "penwidth=2",
    EdgeKind.ASKS: "",
    EdgeKind.JUMPS: "",
    EdgeKind.GOES_TO: "style=dashed",
    EdgeKind.TESTS: "style=dotted",
    EdgeKind.FILLS: "style=dotted dir=both",
    EdgeKind.TRANSLATES: "",
}
_ON = 'color="#b3141c" penwidth=3'


def dot(graph: Graph, way: Way | None = None, note: str = "") -> str:
    return "\n".join((*_lines(graph, way, note), "}\n"))


def _lines(graph: Graph, way: Way | None, note: str) -> Iterator[str]:
    yield "digraph firewall {"
    yield f"  graph [rankdir=LR label={quoted(note)} labelloc=b labeljust=l]"
    yield "  node [fontname=sans fontsize=11]"
    numbers = numbers_on(way)
    for node in graph.nodes:
        lines = [node.name, shown_details(node), numbers.get(node.id)]
        label = r"\n".join(map(_escaped, filter(None, lines)))
        on = f" {_ON}" if node.id in numbers else ""
        yield f'  {node.id} [label="{label}" {_SHAPES[node.kind]}{on}]'
    for edge in graph.edges:
        rules = f'label="{edge.rules}"' if edge.rules > 1 else ""
        on = _ON if way and edge.id in way.edges else ""
        said = " ".join(filter(None, (_LINES[edge.kind], rules, on)))
        yield f"  {edge.source} -> {edge.target} [{said}]"


def quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """In a string of DOT a backslash begins an escape, which may ask for the name of the node; an
    ampersand begins a character of HTML (https://graphviz.org/docs/attr-types/escString/)."""
    shown = visible(text)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
