"""A ruleset as a graph: hooks, chains, which chain calls which, sets and translations; and the way
of a packet in it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from iptlint.analysis.shares import packet_count
from iptlint.analysis.trace import Trace
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import (
    Chain,
    EffectKind,
    Hook,
    Opaque,
    Rule,
    Ruleset,
    Table,
    Uncertain,
    VerdictKind,
)
from iptlint.model.call_graph import calls_in
from iptlint.model.matches import SetLookup
from iptlint.netfilter.packet_group import TraversalStep
from iptlint.packets.ordinary import ordinary
from iptlint.source import Span

MOST = 80
"""Nodes; of more, chains whose names differ in their ends alone are drawn as one."""
_FEW = 3
_ENDING = re.compile(r"[-_]?(?:[A-Z0-9]{8,}|[0-9a-f]{8,}|\d+)$")
_TO = re.compile(r"--to-(?:destination|source|ports) |(?<= )to ")
_ORDER = tuple(Hook)
_ON = (
    (Hook.INGRESS, Hook.PREROUTING),
    (Hook.PREROUTING, Hook.INPUT),
    (Hook.PREROUTING, Hook.FORWARD),
    (Hook.FORWARD, Hook.POSTROUTING),
    (Hook.OUTPUT, Hook.POSTROUTING),
    (Hook.POSTROUTING, Hook.EGRESS),
)
"""Where packets go on from a hook; of hooks that nobody has a chain at, there is none."""


class NodeKind(Enum):
    HOOK = "hook"
    BASE_CHAIN = "base chain"
    CHAIN = "chain"
    UNCALLED = "chain that nothing calls"
    SET = "set"
    TRANSLATION = "translation"


class EdgeKind(Enum):
    """What leads from one node to the other: packets that go on, a hook that asks a chain, a call,
    a test of a set, a rule that fills one, a translation."""

    GOES_ON = "goes on"
    ASKS = "asks"
    JUMPS = "jumps"
    GOES_TO = "goes to"
    TESTS = "tests"
    FILLS = "fills"
    TRANSLATES = "translates"


@dataclass(frozen=True, slots=True)
class Node:
    """``table``: family and name of a chain's; ``details``: what else is said of it. ``members``:
    how many it stands for. ``span``: where it is declared."""

    id: str
    kind: NodeKind
    name: str
    table: str = ""
    details: tuple[str, ...] = ()
    members: int = 1
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """``rules``: how many rules it stands for."""

    id: str
    source: str
    target: str
    kind: EdgeKind
    rules: int = 1


@dataclass(frozen=True, slots=True)
class Way:
    """Of a packet: ``nodes`` in the order in which it comes there; ``verdict`` at the last one."""

    nodes: tuple[str, ...]
    edges: frozenset[str]
    verdict: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Hooks first, then chains, each behind one that calls it. ``places``: the node of each part of
    the model, which may stand for several. ``left_out``: base chains without rules that accept."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    places: dict[object, str]
    left_out: int = 0

    def way(self, steps: Iterable[TraversalStep], verdict: str) -> Way:
        """That of a packet that takes these steps."""
        nodes: dict[str, None] = {}
        pairs: set[tuple[str, str]] = set()
        last_hook: str | None = None
        for step in steps:
            hook, chain = self.places.get(step.hook), self.places.get(step.decision.chain)
            if hook is None or chain is None:
                continue
            if last_hook not in (None, hook):
                pairs.add((last_hook or "", hook))
            last_hook = hook
            nodes.setdefault(hook)
            nodes.setdefault(chain)
            pairs.add((hook, chain))
            for other in self._beyond(step):
                nodes.setdefault(other)
                pairs.add((chain, other))
        edges = frozenset(e.id for e in self.edges if (e.source, e.target) in pairs)
        return Way(tuple(nodes), edges, verdict)

    def _beyond(self, step: TraversalStep) -> Iterator[str]:
        """The chain that a rule calls, the translation that it does."""
        table, rule = step.decision.table, step.decision.rule
        if rule is None:
            return
        if step.kind in (VerdictKind.JUMP, VerdictKind.GOTO):
            called = table.chains.get(rule.verdict.chain or "")
            if called is not None and called in self.places:
                yield self.places[called]
        if step.kind is VerdictKind.NAT and rule.verdict in self.places:
            yield self.places[rule.verdict]


def graph(rulesets: Sequence[Ruleset], most: int = MOST) -> Graph:
    """Of all the rulesets together; with more than ``most`` nodes, chains with names alike are
    one."""
    made = _Making()
    for ruleset in rulesets:
        for table in ruleset.tables:
            made.table(ruleset, table, len(rulesets) > 1)
    made.hooks()
    whole = made.graph()
    return whole if len(whole.nodes) <= most else _folded(whole)


def usual_outcome(traced: Trace) -> TraceOutcome:
    """That of most ordinary packets: which are on no list that nobody knows. There is one."""

    def ordinary_packets(outcome: TraceOutcome) -> float:
        set_out = Hook(outcome.witness.hook) if outcome.witness.hook else None
        return packet_count(outcome.packets & ordinary(traced.space, set_out))

    return max(traced.outcomes, key=ordinary_packets)


class _Making:
    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.places: dict[object, str] = {}
        self.rules: Counter[tuple[str, str, EdgeKind]] = Counter()
        self.bases: dict[Hook, list[tuple[int, str]]] = defaultdict(list)
        self.left_out = 0

    def graph(self) -> Graph:
        edges = tuple(
            Edge(f"e{number}", source, target, kind, rules)
            for number, ((source, target, kind), rules) in enumerate(self.rules.items())
        )
        hooks = [n for n in self.nodes.values() if n.kind is NodeKind.HOOK]
        others = [n for n in self.nodes.values() if n.kind is not NodeKind.HOOK]
        return Graph((*hooks, *others), edges, self.places, self.left_out)

    def _node(self, place: object, node: Node) -> str:
        if place not in self.places:
            name = f"n{len(self.nodes)}"
            self.places[place] = name
            self.nodes[name] = replace(node, id=name)
        return self.places[place]

    def hooks(self) -> None:
        for hook in _ORDER:
            if hook in self.bases:
                own = self._node(hook, Node("", NodeKind.HOOK, hook.value))
                for _, base in sorted(self.bases[hook], key=lambda each: each[0]):
                    self.rules[own, base, EdgeKind.ASKS] += 1
        for one, other in _ON:
            if one in self.places and other in self.places:
                self.rules[self.places[one], self.places[other], EdgeKind.GOES_ON] += 1

    def table(self, ruleset: Ruleset, table: Table, several: bool) -> None:
        calls = calls_in(table)
        for name in reversed(calls.order):
            chain = table.chains[name]
            if chain.hook is not None and not chain.rules and _is_open(chain):
                self.left_out += 1
                continue
            self._chain(ruleset, table, chain, calls.is_called(name))
        for chain, rule in table.rules():
            self._rule(table, self.places[chain], rule, ruleset)

    def _chain(self, ruleset: Ruleset, table: Table, chain: Chain, called: bool) -> None:
        kind = NodeKind.CHAIN if called else NodeKind.UNCALLED
        details = [_rules(sum(1 for _ in chain.statements()))]
        if chain.hook is not None:
            kind = NodeKind.BASE_CHAIN
            details.append(f"priority {chain.priority or 0}")
            if chain.policy is not None:
                details.append(f"policy {chain.policy.kind.value}")
        where = f"{table.family.value} {table.name}"
        span = ruleset.declaration_of(table, chain)
        node = self._node(chain, Node("", kind, chain.name, where, tuple(details), span=span))
        if chain.hook is not None:
            self.bases[chain.hook].append((chain.priority or 0, node))

    def _rule(self, table: Table, chain: str, rule: Rule, ruleset: Ruleset) -> None:
        called = table.chains.get(rule.verdict.chain or "")
        if called is not None and called in self.places:
            goes = rule.verdict.kind is VerdictKind.GOTO
            kind = EdgeKind.GOES_TO if goes else EdgeKind.JUMPS
            self.rules[chain, self.places[called], kind] += 1
        for name, kind in dict.fromkeys(_sets(rule, ruleset)):
            own = self._node((table.family, table.name, name), Node("", NodeKind.SET, name))
            self.rules[chain, own, kind] += 1
        if rule.verdict.kind is VerdictKind.NAT:
            said = _TO.sub("", f"{rule.verdict.name} {rule.verdict.options}").strip()
            own = self._node((table.family, said), Node("", NodeKind.TRANSLATION, said))
            self.places.setdefault(rule.verdict, own)
            self.rules[chain, own, EdgeKind.TRANSLATES] += 1


def _rules(number: int) -> str:
    return f"{number} rule{'s' * (number != 1)}"


def _is_open(chain: Chain) -> bool:
    """Whether it does nothing, and nobody would look for it."""
    accepts = chain.policy is None or chain.policy.kind is VerdictKind.ACCEPT
    return accepts and not chain.filters


def _sets(rule: Rule, ruleset: Ruleset) -> Iterator[tuple[str, EdgeKind]]:
    for match in rule.matches:
        match match:
            case Opaque(asks=SetLookup(name=name)) | Uncertain(asks=SetLookup(name=name)):
                yield name, EdgeKind.TESTS
            case _:
                pass
    for effect in rule.effects:
        if effect.kind is EffectKind.SET and effect.name is not None:
            yield effect.name, EdgeKind.FILLS
    yield from ((name, EdgeKind.TESTS) for name in ruleset.syntax.named_sets(rule))


def _folded(whole: Graph) -> Graph:
    """With one node for chains of a table whose names are alike but for their ends."""
    alike: dict[object, list[Node]] = defaultdict(list)
    for node in whole.nodes:
        alike[_likeness(node)].append(node)
    new: dict[str, str] = {}
    nodes: list[Node] = []
    for several in alike.values():
        first = several[0]
        new |= {node.id: first.id for node in several}
        if len(several) <= _FEW:
            new |= {node.id: node.id for node in several}
            nodes += several
        else:
            stem = _ENDING.sub("", first.name)
            rules = sum(int(node.details[0].split()[0]) for node in several if node.details)
            details = (f"{len(several)} {first.kind.value}s", _rules(rules))
            name, members = f"{stem}…", len(several)
            nodes.append(replace(first, name=name, details=details, members=members))
    rules_of: Counter[tuple[str, str, EdgeKind]] = Counter()
    for edge in whole.edges:
        ends = new[edge.source], new[edge.target]
        if ends[0] != ends[1]:
            rules_of[*ends, edge.kind] += edge.rules
    edges = tuple(
        Edge(f"e{number}", *key, rules) for number, (key, rules) in enumerate(rules_of.items())
    )
    places = {place: new[node] for place, node in whole.places.items()}
    return Graph(tuple(nodes), edges, places, whole.left_out)


def _likeness(node: Node) -> object:
    if node.kind in (NodeKind.HOOK, NodeKind.BASE_CHAIN):
        return node.id
    if node.kind is NodeKind.TRANSLATION:
        return node.kind, node.name.split()[0]
    return node.kind, node.table, _ENDING.sub("", node.name)
