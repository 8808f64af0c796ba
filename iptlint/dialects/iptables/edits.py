"""Rules of iptables, written otherwise: the text is what follows the tool's name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iptlint.dialects.rule_text import edited
from iptlint.model import AnyOf, Field, Masked, Rule, Within
from iptlint.model.matches import Ranges

PORTS_IN_A_LIST = 15
"""XT_MULTI_PORTS (linux/netfilter/xt_multiport.h); a range takes two of them."""

_LIMIT = "-m limit --limit 5/min --limit-burst 10"
_PORT_OPTIONS: dict[Field | None, str] = {Field.DPORT: "dports", Field.SPORT: "sports"}
_OF_PROTOCOL = re.compile(r"--(?:[sd]port|source-port|destination-port|tcp-|syn\b|chunk|dccp-)")
_LOADED = re.compile(r"-m (?:tcp|udp|sctp|dccp|udplite) $")
_CONTINUED = re.compile(r"[ \t]*\\\n[ \t]*")


def with_limit(rule: Rule) -> str:
    """The rule for a few packets a minute; the limit is its last test."""
    whole, verdict = rule.statement.span, rule.origin.part(-1)
    text = whole.source.text
    return f"{text[whole.start : verdict.start]}{_LIMIT} {text[verdict.start : whole.end]}"


def with_ports(rule: Rule, part: int, ports: Ranges) -> str:
    """The rule for a list of ports, on one line. The match of a protocol (``-m tcp``) goes with
    its last option."""
    whole, test = rule.origin.span, rule.origin.part(part)
    option = f"--{_PORT_OPTIONS[_field(rule, part)]}"
    listed = ",".join(str(low) if low == high else f"{low}:{high}" for low, high in ports)
    if test.text.startswith(option):
        return _CONTINUED.sub(" ", edited(whole, test, f"{option} {listed}"))
    text = whole.source.text
    before, after = text[whole.start : test.start], text[test.end : whole.end]
    if not _OF_PROTOCOL.search(before + after):
        before = _LOADED.sub("", before)
    return _CONTINUED.sub(" ", f"{before}-m multiport {option} {listed}{after}")


def with_negated(rule: Rule, part: int, values: Sequence[str]) -> str | None:
    """The rule for all but these; ports are all that iptables takes a negated list of."""
    option = _PORT_OPTIONS.get(_field(rule, part))
    if option is None:
        return None
    test = f"-m multiport ! --{option} {','.join(values)}"
    return edited(rule.origin.span, rule.origin.part(part), test)


def _field(rule: Rule, part: int) -> Field | None:
    match rule.matches[part]:
        case Within(field) | Masked(field) | AnyOf(((Within(field), *_), *_)):
            return field
        case _:
            return None
