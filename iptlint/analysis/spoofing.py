"""Rules against spoofed addresses, which are no denial by default: who is a stranger on a network
that is one's own has no business there."""

from __future__ import annotations

from iptlint.analysis.default_verdict import dropped_by_default, probes
from iptlint.analysis.shares import shares
from iptlint.memo import memo
from iptlint.model import Field, Hook, Interface, Rule, Within
from iptlint.model.names import is_inside
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union

_SENDERS = (Field.SADDR, Field.SADDR6)


def is_against_spoofing(rule: Rule) -> bool:
    """Whether the rule denies, on an interface behind which the world is not, whoever has an
    address of another network than the interface's."""
    elsewhere = any(
        isinstance(test, Within) and test.negated and test.field in _SENDERS
        for test in rule.matches
    )
    inside = any(
        isinstance(test, Interface) and test.field is Field.IIF and is_inside(test.name)
        for test in rule.matches
        if not getattr(test, "negated", False)
    )
    return rule.verdict.kind.denies and elsewhere and inside


@memo
def turns_strangers_away(hooks: Hooks) -> bool:
    """Whether input denies strangers by default on some interface, and not only those that have no
    business there."""
    denied = dropped_by_default(hooks, Hook.INPUT)
    if not denied.satisfiable():
        return False
    strangers = union([*probes(hooks, Hook.INPUT, "new", "syn")], hooks.space.false)
    deciding = [s for s in shares(hooks, Hook.INPUT, strangers & denied) if s.kind.denies]
    return not deciding or not all(s.rule and is_against_spoofing(s.rule) for s in deciding)
