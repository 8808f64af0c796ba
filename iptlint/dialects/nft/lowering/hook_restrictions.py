"""Statements that the kernel takes in chains of some hooks only.

A chain that others call is looked at as every base chain from which packets reach it. Hooks
are those that Linux 6.18 takes; where older kernels take fewer, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.canonical_text import spelled
from iptlint.model import Chain, Hook
from iptlint.model.call_graph import CallGraph
from iptlint.source import SourceFile

_LONGEST_PREFIX = 127
"""Octets of a log prefix (NF_LOG_PREFIXLEN with its zero)."""


@dataclass(frozen=True, slots=True)
class _Place:
    """``type``: that of the chain; None for any."""

    hooks: tuple[Hook, ...]
    type: str | None = None

    def takes(self, chain: Chain) -> bool:
        return chain.hook in self.hooks and self.type in (None, chain.type)

    def __str__(self) -> str:
        kind = f" of type {self.type}" if self.type else ""
        return f"chains at {' or '.join(hook.value for hook in self.hooks)}{kind}"


_REJECTING = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.INGRESS)
_TO_DESTINATION = _Place((Hook.PREROUTING, Hook.OUTPUT), "nat")

_NATS = {
    "snat": _Place((Hook.POSTROUTING, Hook.INPUT), "nat"),
    "masquerade": _Place((Hook.POSTROUTING,), "nat"),
    "dnat": _TO_DESTINATION,
    "redirect": _TO_DESTINATION,
}
_OTHERS = {
    t.Tproxy: _Place((Hook.PREROUTING,)),
    t.Reject: _Place(_REJECTING),
    t.Synproxy: _Place((Hook.INPUT, Hook.FORWARD)),
    t.Fwd: _Place((Hook.INGRESS, Hook.EGRESS)),
}
_LOOKED_AT = frozenset((t.Nat, t.Log, *_OTHERS))


@dataclass(frozen=True, slots=True)
class RestrictedStatement:
    """A statement that not every chain takes."""

    chain: str
    source: SourceFile
    statement: t.Statement
    place: _Place


def restricted(chain: str, source: SourceFile, rule: t.Rule) -> Iterator[RestrictedStatement]:
    for statement in rule.statements:
        if type(statement) in _LOOKED_AT:
            place = _place(statement)
            if place is not None:
                yield RestrictedStatement(chain, source, statement, place)


def _place(statement: t.Statement) -> _Place | None:
    if isinstance(statement, t.Nat):
        return _NATS.get(statement.name)
    return _OTHERS.get(type(statement))


def long_prefix(source: SourceFile, rule: t.Rule) -> Iterator[Diagnostic]:
    """A log prefix that the kernel does not take."""
    for statement in rule.statements:
        match statement:
            case t.Log(prefix=t.Value(text)) if len(text) > _LONGEST_PREFIX // 4:
                length = len(text.encode(errors="surrogateescape"))
                if length > _LONGEST_PREFIX:
                    message = f"the log prefix has {length} octets: at most {_LONGEST_PREFIX} fit"
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
        wrong = next((base for base in bases if not each.place.takes(base)), None)
        if wrong is not None:
            yield _misplaced(each, wrong)


def _misplaced(placed: RestrictedStatement, base: Chain) -> Diagnostic:
    assert base.hook is not None
    name = spelled(placed.statement).partition(" ")[0]
    called = "" if base.name == placed.chain else f", which calls {placed.chain}"
    kind = f"{base.type or 'filter'} chain {base.name} at {base.hook.value}{called}"
    message = f"{name} is refused in the {kind}: it works only in {placed.place}"
    return _diagnostic(placed.source, placed.statement, message, "move the rule to such a chain")


def _diagnostic(source: SourceFile, node: t.Node, message: str, help: str) -> Diagnostic:
    return Diagnostic("IPT006", "error", node.start, node.end, message, help, source)
