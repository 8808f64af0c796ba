"""What becomes, at their hook, of the packets that come to one rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.shares import Share, shares_of
from iptlint.model import Family, Rule
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.table_analysis import TableAnalysis

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_DECIDED_HERE = ("input", "forward", "output")


def fates(firewall: Firewall, analysis: TableAnalysis, rule: Rule) -> list[Share] | None:
    """Who may decide the packets that may match the rule, whichever base chain they came by: the
    rule itself, what is behind it, and what a test before it leaves open. None where no chain
    decides what it sees, or later ones have a say."""
    matched = analysis.matched(rule)
    deciding: list[Share] = []
    for base in analysis.calls.bases_of(analysis.place(rule).chain):
        hook = base.hook
        if not base.filters or hook is None or hook.value not in _DECIDED_HERE:
            return None
        packets = matched & analysis.base_packets(base)
        if any(later.may_drop.satisfiable() for later in _later(firewall, analysis, base.name)):
            return None
        deciding += shares_of(analysis, base, packets)
    return deciding or None


def _later(firewall: Firewall, analysis: TableAnalysis, base: str) -> Iterator[BaseChain]:
    """The base chains that packets come to behind this one, and those of its priority."""
    chain = analysis.table.chains[base]
    assert chain.hook is not None
    for family in _families(analysis):
        for other in firewall.base_chains(family, chain.hook):
            own = other.chain is chain
            if (
                not own
                and not other.is_open
                and (other.chain.priority or 0) >= (chain.priority or 0)
            ):
                yield other


def _families(analysis: TableAnalysis) -> Sequence[Family]:
    return [f for f in (Family.IP, Family.IP6) if f.value in analysis.table.family.packets]


def surely_taken(share: Share) -> PacketSet:
    """Those of its packets that are decided so for certain, unless something before does."""
    if share.rule is None:
        return share.packets
    return share.packets & share.analysis.tests(share.rule).sure
