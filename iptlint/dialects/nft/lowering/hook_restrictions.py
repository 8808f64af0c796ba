"""Statements that the kernel takes in chains of some hooks only: the table of them, and what is
said of a ruleset that is not loaded as one file, as that of a script.

A chain that others call is looked at as every base chain from which packets reach it. Hooks
are those that Linux 6.18 takes; where older kernels take fewer, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.canonical_text import spelled
from iptlint.model import Chain
from iptlint.model.call_graph import CallGraph
from iptlint.source import SourceFile

LONGEST_PREFIX = 127
"""Octets of a log prefix (NF_LOG_PREFIXLEN with its zero)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something works: ``hooks`` that take it; ``type`` of the chain, None for any.
    ``decided``: the kernel's file."""

    hooks: frozenset[str]
    decided: str
    type: str | None = None

    def takes(self, hook: str | None, type: str | None) -> bool:
        """Whether a chain of the type at the hook does."""
        return hook in self.hooks and self.type in (None, type)

    def __str__(self) -> str:
        kind = f" of type {self.type}" if self.type else ""
        return f"chains at {' or '.join(sorted(self.hooks))}{kind}"


def place(hooks: str, decided: str, type: str | None = None) -> Place:
    return Place(frozenset(hooks.split()), f"net/netfilter/{decided}", type)


NATS = {
    "snat": place("postrouting input", "nft_nat.c", "nat"),
    "masquerade": place("postrouting", "nft_masq.c", "nat"),
    "dnat": place("prerouting output", "nft_nat.c", "nat"),
    "redirect": place("prerouting output", "nft_redir.c", "nat"),
}
STATEMENTS: dict[type[t.Node], tuple[str, Place]] = {
    t.Tproxy: ("tproxy", place("prerouting", "nft_tproxy.c")),
    t.Reject: ("reject", place("prerouting input forward output ingress", "nft_reject.c")),
    t.Synproxy: ("synproxy", place("input forward", "nft_synproxy.c")),
    t.Fwd: ("fwd", place("ingress egress", "nft_fwd_netdev.c")),
    t.FlowAdd: ("flow add", place("forward", "nft_flow_offload.c")),
}
"""Rows are those of Linux 6.18, found in its sources and each put to it."""

_LOOKED_AT = frozenset((t.Nat, t.Log, *STATEMENTS))


@dataclass(frozen=True, slots=True)
class RestrictedStatement:
    """A statement that not every chain takes."""

    chain: str
    source: SourceFile
    statement: t.Statement
    place: Place


def restricted(chain: str, source: SourceFile, rule: t.Rule) -> Iterator[RestrictedStatement]:
    for statement in rule.statements:
        if type(statement) in _LOOKED_AT:
            where = _place(statement)
            if where is not None:
                yield RestrictedStatement(chain, source, statement, where)


def _place(statement: t.Statement) -> Place | None:
    if isinstance(statement, t.Nat):
        return NATS.get(statement.name)
    row = STATEMENTS.get(type(statement))
    return None if row is None else row[1]


def long_prefix(source: SourceFile, rule: t.Rule) -> Iterator[Diagnostic]:
    """A log prefix that the kernel does not take."""
    for statement in rule.statements:
        match statement:
            case t.Log(prefix=t.Value(text)) if len(text) > LONGEST_PREFIX // 4:
                length = len(text.encode(errors="surrogateescape"))
                if length > LONGEST_PREFIX:
                    message = f"the log prefix has {length} octets: at most {LONGEST_PREFIX} fit"
                    yield _diagnostic(source, statement, message, "write a shorter prefix")


def misplaced(
    placed: Iterable[RestrictedStatement], chains: Mapping[str, Chain]
) -> Iterator[Diagnostic]:
    """A diagnostic for each statement that packets of a hook reach which it does not work in."""
    placed = tuple(placed)
    if not placed:
        return
    calls = CallGraph(chains)
    reached = {
        chain: calls.reachable_from(chain.name)
        for chain in chains.values()
        if chain.hook is not None
    }
    for each in placed:
        bases = (base for base, names in reached.items() if each.chain in names)
        wrong = next((base for base in bases if not _takes(each.place, base)), None)
        if wrong is not None:
            yield _misplaced(each, wrong)


def _takes(place: Place, base: Chain) -> bool:
    return place.takes(None if base.hook is None else base.hook.value, base.type)


def _misplaced(placed: RestrictedStatement, base: Chain) -> Diagnostic:
    assert base.hook is not None
    name = spelled(placed.statement).partition(" ")[0]
    called = "" if base.name == placed.chain else f", which calls {placed.chain}"
    kind = f"{base.type or 'filter'} chain {base.name} at {base.hook.value}{called}"
    message = f"{name} is refused in the {kind}: it works only in {placed.place}"
    return _diagnostic(placed.source, placed.statement, message, "move the rule to such a chain")


def _diagnostic(source: SourceFile, node: t.Node, message: str, help: str) -> Diagnostic:
    return Diagnostic("IPT006", "error", node.start, node.end, message, help, source)
