"""Packets followed past long chains, where only what becomes of them is asked and not which of many
rules that do the same has a hand in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iptlint.model import Chain
from iptlint.model.kinds import doing_no_more
from iptlint.netfilter.packet_group import Statements
from iptlint.netfilter.traversal import Traversal

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class SkimmingTraversal(Traversal):
    """Of long chains rules are left out that do no more than others."""

    def statements(self, chain: Chain) -> Statements:
        concerning, unknowns = self.firewall.concerning(chain), self.matcher.unknowns
        left_out = doing_no_more(chain) if concerning is not None else frozenset()
        if concerning is None or not left_out:
            return super().statements(chain)

        def numbers(packets: PacketSet) -> Sequence[int]:
            found = concerning(packets.exists(unknowns.cube))
            return [number for number in found if number not in left_out]

        return Statements(chain, numbers)
