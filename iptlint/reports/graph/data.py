"""The graph as JSON, version 1."""

from __future__ import annotations

from iptlint.analysis.graph import Graph, Way
from iptlint.reports.json_report import VERSION, dumps


def graph_json(graph: Graph, way: Way | None = None, note: str = "") -> str:
    return dumps(
        {
            "version": VERSION,
            "nodes": [
                {
                    "id": node.id,
                    "kind": node.kind.value,
                    "name": node.name,
                    "table": node.table or None,
                    "details": list(node.details),
                    "members": node.members,
                    "path": node.span.source.path if node.span else None,
                    "line": node.span.line if node.span else None,
                }
                for node in graph.nodes
            ],
            "edges": [
                {
                    "id": edge.id,
                    "source": edge.source,
                    "target": edge.target,
                    "kind": edge.kind.value,
                    "rules": edge.rules,
                }
                for edge in graph.edges
            ],
            "left_out": graph.left_out,
            "way": None
            if way is None
            else {
                "nodes": list(way.nodes),
                "edges": sorted(way.edges),
                "verdict": way.verdict,
                "said": note,
            },
        }
    )
