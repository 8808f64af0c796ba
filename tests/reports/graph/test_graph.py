"""The picture: nothing overlaps, few lines cross, and no name means anything in any format."""

from __future__ import annotations

import json
import random
import re
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

import iptlint
from iptlint.analysis.graph import Edge, EdgeKind, Graph, Node, NodeKind, Way, graph
from iptlint.reports.graph.data import graph_json
from iptlint.reports.graph.dot import dot
from iptlint.reports.graph.layers import Bend, crossings, layered
from iptlint.reports.graph.layout import Box, laid_out
from iptlint.reports.graph.mermaid import mermaid
from iptlint.reports.graph.svg import inline_svg, svg
from tests.expectations import FIXTURES, ROOT

EXPECTED = Path(__file__).parent / "expected"
HOSTS = ("docker-host", "kube-node", "ufw-host", "shorewall-router", "nft-firewalld", "calico-node")
HOSTILE = (
    '"] onclick="alert(1)',
    "</title><script>alert(1)</script>",
    '\\N\\G\\"',
    "#quot;`%%{init: {}}%%",
    "a\u202eb\nc",
    "<!-- ]]> & &lt;",
)


def of_host(name: str) -> Graph:
    files = sorted((FIXTURES / "hosts" / name).iterdir())
    return graph([iptlint.read(path) for path in files])


def overlap(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    above = one.y + one.height <= other.y or other.y + other.height <= one.y
    return not (beside or above)


@pytest.mark.parametrize("name", HOSTS)
def test_no_two_nodes_overlap(name: str) -> None:
    layout = laid_out(of_host(name))
    for one, other in combinations(layout.boxes.values(), 2):
        assert not overlap(one, other)
    assert all(box.x >= 0 and box.y >= 0 for box in layout.boxes.values())
    assert all(box.x + box.width <= layout.width for box in layout.boxes.values())


def random_graph(seed: int, chains: int = 60) -> Graph:
    rng = random.Random(seed)
    nodes = [Node("n0", NodeKind.HOOK, "input"), Node("n1", NodeKind.BASE_CHAIN, "INPUT")]
    nodes += [Node(f"n{n}", NodeKind.CHAIN, f"chain-{n}") for n in range(2, chains)]
    edges = [Edge("e0", "n0", "n1", EdgeKind.ASKS)]
    for n in range(2, chains):
        for caller in {rng.randrange(1, n) for _ in range(rng.randint(1, 2))}:
            edges.append(Edge(f"e{len(edges)}", f"n{caller}", f"n{n}", EdgeKind.JUMPS))
    return Graph(tuple(nodes), tuple(edges), {})


@pytest.mark.parametrize("seed", range(8))
def test_sixty_chains_stay_readable(seed: int) -> None:
    """Lines lead to the right, and run through no chain."""
    made = random_graph(seed)
    layout = laid_out(made)
    for edge in made.edges:
        points = layout.points[edge.id]
        assert all(b[0] >= a[0] for a, b in pairwise(points))
        ends = {edge.source, edge.target}
        for node, box in layout.boxes.items():
            if node not in ends:
                assert not any(
                    box.x <= x <= box.x + box.width and box.y < y < box.y + box.height
                    for x, y in points
                ), (edge, node)


def test_ordering_takes_crossings_away() -> None:
    """Two ladders that are written the wrong way round cross nowhere once they are ordered."""
    nodes = ["a", "b", *(f"l{n}" for n in range(6))]
    edges = [("a", f"l{n}") for n in (5, 3, 1)] + [("b", f"l{n}") for n in (0, 2, 4)]
    layers = layered(nodes, edges, {"a": 0, "b": 0})
    assert crossings(layers) == 0


def test_a_long_line_bends_in_each_layer() -> None:
    layers = layered(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")], {"a": 0})
    assert layers.chains[2] == ["a", Bend(2, 1), "c"]


def test_a_loop_has_an_end() -> None:
    layers = layered(["a", "b"], [("a", "b"), ("b", "a"), ("b", "b")], {"a": 0})
    assert {*layers.chains} == {0}


def test_thousands_of_chains_take_no_time() -> None:
    assert svg(random_graph(1, 1500)).count("<rect") > 1500


# -- formats ----------------------------------------------------------------------------------


def hostile_graph(word: str) -> tuple[Graph, Way]:
    nodes = (
        Node("n0", NodeKind.HOOK, "input"),
        Node("n1", NodeKind.BASE_CHAIN, word, word, (word,)),
        Node("n2", NodeKind.SET, word),
    )
    edges = (Edge("e0", "n0", "n1", EdgeKind.ASKS), Edge("e1", "n1", "n2", EdgeKind.TESTS, 3))
    return Graph(nodes, edges, {}), Way(("n0", "n1"), frozenset({"e0"}), word)


@pytest.mark.parametrize("word", HOSTILE)
def test_names_are_text_in_svg(word: str) -> None:
    made, way = hostile_graph(word)
    harmless = ElementTree.fromstring(svg(*hostile_graph("x"), note="x"))
    hostile = ElementTree.fromstring(svg(made, way, note=word))
    assert [e.tag for e in hostile.iter()] == [e.tag for e in harmless.iter()]
    assert [sorted(e.attrib) for e in hostile.iter()] == [sorted(e.attrib) for e in harmless.iter()]
    ElementTree.fromstring(inline_svg(made, "g0-", word))


@pytest.mark.parametrize("word", HOSTILE)
def test_names_are_text_in_dot(word: str) -> None:
    """Every string ends where it is meant to, and has no escape but our own."""
    made, way = hostile_graph(word)
    strings = re.compile(r'"(?:[^"\\]|\\.)*"')
    bare = strings.sub("S", dot(made, way, note=word))
    assert bare == strings.sub("S", dot(*hostile_graph("x"), note="x"))
    for string in strings.findall(dot(made, way, note=word)):
        assert {*re.findall(r"\\(.)", string)} <= {"\\", '"', "n"}


@pytest.mark.parametrize("word", HOSTILE)
def test_names_are_text_in_mermaid(word: str) -> None:
    made, way = hostile_graph(word)
    labels = re.findall(r'"([^"]*)"', mermaid(made, way, note=word))
    for label in labels:
        words = label.replace("<br>", "")
        assert re.fullmatch(r"(?:[A-Za-z0-9 ,.:·_-]|#\d+;)*", words)
    assert mermaid(made, way).count("\n") == mermaid(*hostile_graph("x")).count("\n")


def test_json_is_the_contract() -> None:
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    contract = {**schema, "$ref": "#/$defs/graph"}
    for answer in (graph_json(of_host("docker-host")), graph_json(*hostile_graph("x"), note="n")):
        assert [*jsonschema.Draft202012Validator(contract).iter_errors(json.loads(answer))] == []


@pytest.mark.parametrize(
    ("ending", "written"), [("svg", svg), ("dot", dot), ("mmd", mermaid)], ids=lambda v: str(v)[:4]
)
def test_it_looks_as_it_did_when_it_was_looked_at(ending: str, written: object) -> None:
    assert callable(written)
    expected = EXPECTED / f"nft-docker.{ending}"
    assert written(of_host("nft-docker")) == expected.read_text("utf-8")
