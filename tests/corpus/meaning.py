"""Whether two rulesets, perhaps in different languages, decide every packet alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from iptlint.model import Family, Hook, Ruleset, VerdictKind
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Firewall, Hooks, space_of
from iptlint.packets.packet import Packet
from iptlint.packets.witness import witness

HOOKS = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)
ENDS = (
    VerdictKind.ACCEPT,
    VerdictKind.DROP,
    VerdictKind.REJECT,
    VerdictKind.NAT,
    VerdictKind.QUEUE,
    VerdictKind.UNKNOWN,
)


class Difference(NamedTuple):
    """A packet that ends so in one ruleset only (``only``: ``first`` or ``second``)."""

    chain: str
    kind: VerdictKind
    only: str
    packet: Packet | None


def differences(first: Ruleset, second: Ruleset, family: Family) -> Iterator[Difference]:
    """Base chain by base chain: those of one hook and priority are taken to be the same one.
    Of every kind of end, the packets that may have it are compared; that says too which have
    it for certain."""
    space = space_of(first, second)
    all_hooks = [Hooks(Firewall(ruleset, space), family) for ruleset in (first, second)]
    for hook in HOOKS:
        base_chains = [
            {s.chain.priority: s for s in hooks.base_chains(hook)} for hooks in all_hooks
        ]
        for priority in dict.fromkeys(p for found in base_chains for p in found):
            one, other = (found.get(priority) for found in base_chains)
            yield from _of_station(all_hooks[0], hook, one, other)


def _of_station(
    hooks: Hooks, hook: Hook, one: BaseChain | None, other: BaseChain | None
) -> Iterator[Difference]:
    here = hooks.hook_packets(hook)
    base_chain = one or other
    assert base_chain is not None
    if base_chain.chain.type == "nat":
        here = here & hooks.space.state("new", "related")
    for kind in ENDS:
        accepts = here if kind is VerdictKind.ACCEPT else hooks.space.false
        a, b = (s.end(kind) & here if s else accepts for s in (one, other))
        for only, packets in (("first", a & ~b), ("second", b & ~a)):
            if packets.satisfiable():
                yield Difference(
                    base_chain.chain.name, kind, only, witness(hooks.space, packets, hook)
                )
