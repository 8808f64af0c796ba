"""Which rules let strangers in because a private network is written too wide: 172.0.0.0/8 is a
/12 of private addresses, and fifteen million of other people's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from typing import NamedTuple

from iptlint.analysis.evidence import shown_by
from iptlint.memo import memo
from iptlint.model import Chain, Field, Hook, Rule, VerdictKind, Within
from iptlint.model.addresses import BLOCKS, AddressKind
from iptlint.model.kinds import rules_testing
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.packet import Packet

_WIDEST = 8
_PRIVATE = tuple(
    block.network
    for block in BLOCKS
    if block.kind is AddressKind.PRIVATE
    and isinstance(block.network, IPv4Network)
    and _WIDEST < block.network.prefixlen <= 16
    and block.name != "benchmarking"
)
"""Those that people write with the mask of another one."""


class WideNetwork(NamedTuple):
    """``rule`` accepts from ``written``, of which ``private`` alone is private; ``packet`` is one
    of a stranger's."""

    rule: Rule
    written: IPv4Network
    private: IPv4Network
    packet: Packet

    @property
    def strangers(self) -> int:
        """Addresses that are no private ones."""
        return self.written.num_addresses - self.private.num_addresses


def wide_networks(hooks: Hooks) -> Iterator[WideNetwork]:
    """Those that take new connections of strangers, to the host or through it."""
    for hook in (Hook.INPUT, Hook.FORWARD):
        for base_chain in hooks.base_chains(hook):
            called = base_chain.analysis.calls.reachable_from(base_chain.chain.name)
            for chain, rule in _from_somewhere(base_chain.analysis):
                if chain.name not in called:
                    continue
                yield from _of_rule(base_chain.analysis, chain, rule)


@memo
def _from_somewhere(analysis: TableAnalysis) -> Sequence[tuple[Chain, Rule]]:
    return [*rules_testing(analysis.table, _accepts_from_somewhere)]


def _accepts_from_somewhere(rule: Rule) -> bool:
    tests = (match for match in rule.matches if isinstance(match, Within))
    return rule.verdict.kind is VerdictKind.ACCEPT and any(t.field is Field.SADDR for t in tests)


def _of_rule(analysis: TableAnalysis, chain: Chain, rule: Rule) -> Iterator[WideNetwork]:
    space = analysis.space
    for written, private in _written(rule):
        low, high = int(written[0]), int(written[-1])
        beside = ((low, int(private[0]) - 1), (int(private[-1]) + 1, high))
        strangers = space.ranges(Field.SADDR, tuple((a, b) for a, b in beside if a <= b))
        packet = shown_by(analysis, chain.name, (rule,), strangers & space.state("new"))
        if packet is not None:
            yield WideNetwork(rule, written, private, packet)


def _written(rule: Rule) -> Iterator[tuple[IPv4Network, IPv4Network]]:
    """None in a list of as wide networks: who lists those means strangers."""
    for match in rule.matches:
        match match:
            case Within(Field.SADDR, ranges, negated=False):
                wide = [each for each in ranges if each[1] - each[0] >= 1 << 16]
                for low, high in ranges if len(wide) < _LISTED else ():
                    yield from _wider(low, high)


_LISTED = 3


def _wider(low: int, high: int) -> Iterator[tuple[IPv4Network, IPv4Network]]:
    size = high - low + 1
    if size & (size - 1) or low % size:
        return
    written = IPv4Network((low, 33 - size.bit_length()))
    for private in _PRIVATE:
        if _WIDEST <= written.prefixlen < private.prefixlen and private.subnet_of(written):
            yield written, private
