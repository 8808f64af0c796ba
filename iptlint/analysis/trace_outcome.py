"""What becomes of some of the packets that are followed, and the way of one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.model import Hook, VerdictKind
from iptlint.netfilter.packet_group import Decision, TraversalStep
from iptlint.packets.packet import Packet

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@dataclass(frozen=True, slots=True)
class Followed:
    """One packet and its way. ``arrived``: the packet as it is in the end; ``becomes``: the same as
    people see it, where it was changed. ``conditions``: what had to hold, or not, that the packet
    does not decide. ``dropped_anyway``: that the kernel lets no such packet come so far, or not on
    every host."""

    packet: Packet
    arrived: Packet
    becomes: Packet | None
    conditions: tuple[str, ...]
    steps: tuple[TraversalStep, ...]
    connection_mark: int
    zone: int | None
    dropped_anyway: str | None = None


@dataclass(frozen=True)
class TraceOutcome:
    """``packets``: those it is the outcome of, as they came, luck left out; ``among`` all that were
    asked for and set out like it. ``way``: where it went: to this host, through it, from it.
    ``expired``: its time to live ran out before it was forwarded. ``follow``: what follows one of
    the packets, which is dear: of thousands of outcomes only some are shown."""

    kind: VerdictKind
    decision: Decision | None
    packets: PacketSet
    among: PacketSet
    way: Hook
    expired: bool
    follow: Callable[[], Followed] = field(compare=False)

    @cached_property
    def followed(self) -> Followed:
        return self.follow()

    @property
    def witness(self) -> Packet:
        return self.followed.packet

    @property
    def arrived(self) -> Packet:
        return self.followed.arrived

    @property
    def becomes(self) -> Packet | None:
        return self.followed.becomes

    @property
    def conditions(self) -> tuple[str, ...]:
        return self.followed.conditions

    @property
    def steps(self) -> tuple[TraversalStep, ...]:
        return self.followed.steps

    @property
    def dropped_anyway(self) -> str | None:
        return self.followed.dropped_anyway

    def under(self, conditions: tuple[str, ...]) -> TraceOutcome:
        """The same under these conditions."""
        return replace(self, follow=lambda: replace(self.followed, conditions=conditions))
