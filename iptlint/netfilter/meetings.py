"""How often rules of chains meet groups of packets, and which of them concern a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Chain
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import PacketGroups
from iptlint.netfilter.table_analysis import is_long
from iptlint.netfilter.unknowns import Unknowns

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_SEVERAL, _MANY = 64, 10_000
"""From so many rules on, where so many times one of them has met a group, it costs less to ask
which of them concern a group than to ask each: hundreds of translations make as many groups. To ask
so many takes as long as to load numpy."""


class Meetings:
    """Those of one traversal, counted with those of the others of its firewall."""

    def __init__(self, firewall: Firewall, unknowns: Unknowns) -> None:
        self._firewall = firewall
        self._unknowns = unknowns
        self._count = _counted(firewall)

    def concerning(
        self, chain: Chain, groups: PacketGroups
    ) -> Callable[[PacketSet], Sequence[int]] | None:
        """Tells which rules of the chain packets may match, when the groups come there; None where
        each may as well be asked."""
        self._count[chain] += len(groups) * len(chain.rules)
        often = len(chain.rules) >= _SEVERAL and self._count[chain] >= _MANY
        concerning = self._firewall.concerning(chain) if often or is_long(chain) else None
        if concerning is None:
            return None
        unknowns = self._unknowns
        return lambda packets: concerning(packets.exists(unknowns.cube))


@memo
def _counted(firewall: Firewall) -> Counter[Chain]:
    """How often a rule of the chain has met a group."""
    return Counter()
