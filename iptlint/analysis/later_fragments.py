"""What nft may take for the header of a protocol that a later fragment has not.

Of 1, 2 or 4 aligned bytes behind the header of IP, nft_payload_fast_eval reads whatever is there,
also in a later fragment; whether it finds them depends on where the driver keeps the payload. It is
an accident of the kernel, so rules are not said to match by it, and a rule that is said to be dead
is so but for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from iptlint.model import Field, Match, Rule, Within

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

BUT_FOR_FRAGMENTS = (
    "unless nft takes first bytes of a later fragment for its ports or flags, which depends on "
    "where the driver keeps them"
)

_READ = (Field.SPORT, Field.DPORT, Field.TCP_FLAGS, Field.ICMP_TYPE, Field.ICMP_CODE)
_OF_THE_FIRST = Within(Field.FRAGMENT, ((0, 0),))


def may_be_misread(analysis: TableAnalysis, rule: Rule, takers: Iterable[Rule] = ()) -> bool:
    """Whether the rule, which is dead, gets a later fragment that nft misreads: one that comes to
    it, and that no taker would take so as well."""
    if not analysis.ruleset.is_nft or not _reads(rule.matches):
        return False
    chain, number = analysis.place(rule)
    packets = analysis.space.value(Field.FRAGMENT, 1) & _misread(analysis, rule)
    if not packets.satisfiable():
        return False
    packets = analysis.flows[chain].arriving_at(number, packets) & analysis.entries[chain].reachable
    for taker in takers:
        if not packets.satisfiable():
            return False
        if taker in analysis.places:
            packets = packets & ~_misread(analysis, taker)
    return packets.satisfiable()


def _reads(matches: Iterable[Match]) -> bool:
    return any(getattr(match, "field", None) in _READ for match in matches)


def _misread(analysis: TableAnalysis, rule: Rule) -> PacketSet:
    """What the rule may take once nft does not ask whether the header is there."""
    matches = list(rule.matches)
    if _reads(matches) and _OF_THE_FIRST in matches:
        matches.remove(_OF_THE_FIRST)
    matcher = analysis.matcher_of(analysis.place(rule).chain)
    return matcher.all_of(matches, analysis.space.universe).may
