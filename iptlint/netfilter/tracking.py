"""What connection tracking does to packets: who has a connection, and what it gives them.

Conntrack stands at priority -200, behind raw chains. Translation stands at -100 and 100, where it
gives later packets of a connection what its first one got.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.model import Field, Hook
from iptlint.model.matches import CT_STATES, Original
from iptlint.model.writes import CONNTRACK_FIELDS
from iptlint.netfilter.packet_group import PacketGroup, PacketGroups
from iptlint.netfilter.rewriting import side_of
from iptlint.netfilter.routing import RunningConnection
from iptlint.netfilter.unknowns import Unknown, Unknowns, known_in
from iptlint.packets.original import had, originals_of
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_SENT_TRACKED = Unknown("it was tracked when it was sent", 0)
TRANSLATION = {
    **dict.fromkeys((Hook.PREROUTING, Hook.OUTPUT), -100),
    **dict.fromkeys((Hook.INPUT, Hook.POSTROUTING), 100),
}
"""The priority of NAT at the hooks that have it (NF_IP_PRI_NAT_DST and _SRC)."""
TRACKED_AT = (Hook.PREROUTING, Hook.OUTPUT)
_STATUS = (Field.CT_SNAT, Field.CT_DNAT)


class Tracking:
    """``running``: the connection that all packets are part of; without it each packet is what its
    own fields say of it."""

    def __init__(self, unknowns: Unknowns, running: RunningConnection | None) -> None:
        self.unknowns = unknowns
        self.space: Space = unknowns.space
        self.running = running

    def untracked_yet(self, groups: PacketGroups, *, to_host: bool) -> PacketGroups:
        """Before connection tracking, a packet has no connection: its state is invalid
        (nft_ct.c, xt_conntrack.c); but what this host sent to itself may have kept its own."""
        before = PacketGroups()
        home = self.space.false
        if to_host:
            lo = self.space.interface(Field.IIF, "lo")
            kept = lo & ~self.space.state("invalid")
            home = kept & self.unknowns.variable(_SENT_TRACKED)
        for group in groups:
            from_home = group.packets
            if not group.looped:
                from_home = from_home & group.rewrite.now(home)
            before.add(replace(group, packets=from_home))
            rewrite = self._without_connection(group.rewrite)
            rewrite = rewrite.constant(Field.CT_STATE, CT_STATES.index("invalid"))
            before.add(replace(group, rewrite=rewrite, packets=group.packets & ~from_home))
        return before

    def _without_connection(self, rewrite: Rewrite) -> Rewrite:
        for field in CONNTRACK_FIELDS - {Field.CT_STATE}:
            rewrite = rewrite.constant(field, 0)
        return rewrite

    def tracked(self, groups: PacketGroups) -> PacketGroups:
        """With the connection that conntrack finds for them."""
        return PacketGroups(map(self._tracked, groups))

    def _tracked(self, group: PacketGroup) -> PacketGroup:
        if group.looped or self._is_untracked(group.rewrite):
            return group
        rewrite = group.rewrite.unset(*CONNTRACK_FIELDS)
        if self.running is not None:
            if None in (group.zone, self.running.zone) or group.zone == self.running.zone:
                return group.rewritten(self.in_connection(rewrite))
            return replace(group, rewrite=self._opening(rewrite), stray=True)
        if group.zone == 0:
            return group.rewritten(rewrite)
        # Whatever other packets have made of it: a connection there is another one.
        name = "another zone" if group.zone is None else f"zone {group.zone}"
        known = self.unknowns.variable(known_in(name))
        return group.rewritten(self._opening(rewrite).where(known, rewrite))

    def _is_untracked(self, rewrite: Rewrite) -> bool:
        return rewrite.now(self.space.state("untracked")) == self.space.true

    def _opening(self, rewrite: Rewrite) -> Rewrite:
        """The packets where there is no connection for them: they open one, or are invalid."""
        rewrite = self._without_connection(rewrite)
        rewrite = rewrite.with_bits(
            {number: rewrite.now(had(self.space, asks)) for number, asks in self._originals.items()}
        )
        invalid = rewrite.constant(Field.CT_STATE, CT_STATES.index("invalid"))
        new = rewrite.constant(Field.CT_STATE, CT_STATES.index("new"))
        return invalid.where(rewrite.now(self._may_be_new), new)

    @cached_property
    def _may_be_new(self) -> PacketSet:
        new = self.space.universe & self.space.state("new")
        return self.space.forget(new, CONNTRACK_FIELDS)

    @cached_property
    def _originals(self) -> Mapping[int, Original]:
        """What tests ask of a connection's first packet, by their variables."""
        tests = originals_of(self.space).items()
        numbered = ((holds.node_var(), original) for original, holds in tests)
        return {number: original for number, original in numbered if number is not None}

    def translated(self, groups: PacketGroups, hook: Hook) -> PacketGroups:
        """As the kernel translates packets of running connections at the hook."""
        if self.running is None or hook not in TRANSLATION:
            return groups
        fields = side_of(hook).fields
        return PacketGroups(
            group
            if group.stray or self._is_untracked(group.rewrite)
            else group.rewritten(self._given(group.rewrite, fields))
            for group in groups
        )

    def in_connection(self, rewrite: Rewrite) -> Rewrite:
        """With the status and the mark of the connection."""
        if self.running is None:
            return rewrite
        rewrite = self._given(rewrite, _STATUS)
        rewrite = rewrite.with_bits({n: self.running.rewrite.variable(n) for n in self._originals})
        # A mark that rules have given it since is that of the packet as it came.
        marked = ~self.space.value(Field.CT_MARK, 0)
        return self._given(rewrite, (Field.CT_MARK,)).where(marked, rewrite)

    def _given(self, rewrite: Rewrite, fields: Sequence[Field]) -> Rewrite:
        assert self.running is not None
        numbers = [
            number
            for field in fields
            if field in self.space.fields
            for number in self.space.fields[field].variables
        ]
        return rewrite.with_bits({n: self.running.rewrite.variable(n) for n in numbers})
