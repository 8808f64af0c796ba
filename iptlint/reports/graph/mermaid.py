"""The graph for Mermaid, which forges and wikis draw."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iptlint.analysis.graph import EdgeKind, Graph, NodeKind, Way
from iptlint.reports.graph.layout import numbers_on, shown_details
from iptlint.reports.safe import visible

_SHAPES = {
    NodeKind.HOOK: ('(["', '"])'),
    NodeKind.BASE_CHAIN: ('["', '"]'),
    NodeKind.CHAIN: ('("', '")'),
    NodeKind.UNCALLED: ('("', '")'),
    NodeKind.SET: ('[("', '")]'),
    NodeKind.TRANSLATION: ('{{"', '"}}'),
}
_ARROWS = {
    EdgeKind.GOES_ON: "==>",
    EdgeKind.ASKS: "-->",
    EdgeKind.JUMPS: "-->",
    EdgeKind.GOES_TO: "-.->",
    EdgeKind.TESTS: "-.->",
    EdgeKind.FILLS: "-.->",
    EdgeKind.TRANSLATES: "-->",
}
_PLAIN = re.compile(r"[^A-Za-z0-9 ,.:·_-]")


def mermaid(graph: Graph, way: Way | None = None, note: str = "") -> str:
    return "\n".join((*_lines(graph, way, note), ""))


def _lines(graph: Graph, way: Way | None, note: str) -> Iterator[str]:
    if note:
        yield f"%% {plain(note)}"
    yield "flowchart LR"
    numbers = numbers_on(way)
    for node in graph.nodes:
        lines = [node.name, shown_details(node), numbers.get(node.id)]
        before, behind = _SHAPES[node.kind]
        label = "<br>".join(map(plain, filter(None, lines)))
        yield f"  {node.id}{before}{label}{behind}"
    for edge in graph.edges:
        rules = f'|"{edge.rules}"|' if edge.rules > 1 else ""
        yield f"  {edge.source} {_ARROWS[edge.kind]}{rules} {edge.target}"
    if way is None or not way.nodes:
        return
    yield "  classDef on stroke:#b3141c,stroke-width:4px"
    yield f"  class {','.join(way.nodes)} on"
    on = [str(number) for number, edge in enumerate(graph.edges) if edge.id in way.edges]
    if on:
        yield f"  linkStyle {','.join(on)} stroke:#b3141c,stroke-width:4px"


def plain(text: str) -> str:
    """Every sign that might mean something is written by its number (https://mermaid.js.org/syntax/
    flowchart.html, entity codes)."""
    return _PLAIN.sub(lambda sign: f"#{ord(sign[0])};", visible(text))
