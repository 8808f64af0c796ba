"""Who decided, as the JSON contract has it and in words."""

from __future__ import annotations

from iptlint.model import VerdictKind
from iptlint.netfilter.traversal import Decision

_WORDS = {VerdictKind.NAT: "accept"}


def place(decided: Decision | None) -> dict[str, object] | None:
    if decided is None:
        return None
    span = decided.span
    return {
        "path": span.source.path,
        "line": span.line,
        "table": decided.table.name,
        "chain": decided.chain.name,
        "kind": "policy" if decided.rule is None else "rule",
    }


def verdict(kind: VerdictKind) -> str:
    """As a person would call it: a translated packet is accepted."""
    return _WORDS.get(kind, kind.value)


def chain_name(decided: Decision) -> str:
    """``inet filter input``"""
    table = decided.table
    return f"{table.family.value} {table.name} {decided.chain.name}"


def in_words(decided: Decision | None) -> str:
    """``rules.v4:9: -A INPUT …``, ``the policy of INPUT (rules.v4:2)``."""
    if decided is None:
        return "no chain at all"
    span = decided.span
    where = f"{span.source.path}:{span.line}"
    if decided.rule is None:
        return f"the policy of {decided.chain.name} ({where})"
    return f"{where}: {' '.join(span.text.split())}"
