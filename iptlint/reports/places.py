"""Who decided, as the JSON contract has it and in words."""

from __future__ import annotations

from iptlint.model import VerdictKind
from iptlint.model.quotes import one_line
from iptlint.netfilter.packet_group import Decision

_WORDS = {VerdictKind.NAT: "accept"}


def place(decision: Decision | None) -> dict[str, object] | None:
    if decision is None:
        return None
    span = decision.span
    return {
        "path": span.source.path,
        "line": span.line,
        "table": decision.table.name,
        "chain": decision.chain.name,
        "kind": "policy" if decision.rule is None else "rule",
    }


def verdict(kind: VerdictKind) -> str:
    """As a person would call it: a translated packet is accepted."""
    return _WORDS.get(kind, kind.value)


def chain_name(decision: Decision) -> str:
    """``inet filter input``"""
    table = decision.table
    return f"{table.family.value} {table.name} {decision.chain.name}"


EXPIRED = "its time to live runs out before it is forwarded"
UNROUTED = "no route of this host leads to its destination"


def in_words(decision: Decision | None) -> str:
    """``rules.v4:9: -A INPUT …``, ``the policy of INPUT (rules.v4:2)``."""
    if decision is None:
        return "no chain at all"
    span = decision.span
    where = f"{span.source.path}:{span.line}"
    if decision.rule is None:
        return f"the policy of {decision.chain.name} ({where})"
    return f"{where}: {one_line(span.text)}"
