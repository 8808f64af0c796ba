"""Words that are called as a tool is, and that no tool has: slips of the pen."""

from __future__ import annotations

import re

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script.tool_calls import Call
from iptlint.model.near_words import nearest

_OTHERS = frozenset(("ebtables", "arptables", "ip4tables", "iptables4", "iptables6"))
_CALLED = (
    (("iptables", "ip6tables"), re.compile(r"-[ADIFNPXtLS](?:\s|$)")),
    (
        ("nft",),
        re.compile(r"-f\s+\S*nft\S*|(?:add|insert|flush|delete|list)\s+(?:table|rule|chain)"),
    ),
)
_LIKENESS = 0.8


def misspelt(call: Call) -> Diagnostic | None:
    """What is wrong with the name of a command that is followed by what only a tool is told."""
    name, told = call.words[0], " ".join(call.words[1:4])
    if "\0" in name or "/" in name or name in _OTHERS:
        return None
    for tools, words in _CALLED:
        meant = nearest(name, tools, _LIKENESS) if words.match(told) else None
        if meant is not None and name not in tools:
            place = call.spans[0]
            message = f"`{name}` is no command that iptlint knows: if it is none, this does nothing"
            advice = f"did you mean {meant}?"
            return Diagnostic(
                "IPT001", "error", place.start, place.end, message, advice, place.source
            )
    return None
