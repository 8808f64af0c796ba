"""By which interfaces answers are lost, and errors about connections come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.external_interfaces import only_card
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.model import Field, Hook
from iptlint.model.protocols import TCP
from iptlint.packets.describe.lists import listed
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet


def lost_on(hooks: Hooks, hook: Hook, lost: PacketSet, elsewhere: PacketSet) -> tuple[str, bool]:
    """On which interfaces; and whether only some with names deny, as a router's rules always do."""
    space = hooks.space
    field = Field.OIF if hook is Hook.OUTPUT else Field.IIF
    by_name = not (lost & space.value(field, space.interfaces.count - 1)).satisfiable()
    if by_name:
        return f" on {named(space, field, lost)}", hook is not Hook.FORWARD
    running = space.state("established") & space.value(Field.PROTO, TCP)
    others = named(space, field, elsewhere & running & ~space.project(lost, field))
    return (f" on any interface but {others}" if others else ""), False


def named(space: Space, field: Field, packets: PacketSet) -> str:
    return listed(
        cls.name + "+" * cls.wildcard
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if cls.name and (packets & space.value(field, number)).satisfiable()
    )


def on_some(hooks: Hooks, lost: PacketSet) -> str:
    """By which interfaces, where others that rules name let them in."""
    space = hooks.space
    running = space.state("established") & space.value(Field.PROTO, TCP)
    others = may_pass(hooks, Hook.INPUT, outside(space) & running)
    others = others & ~space.project(lost, Field.IIF)
    names = named(space, Field.IIF, lost)
    return f" on {names}" if names and named(space, Field.IIF, others) else ""


def come_by_the_card(hooks: Hooks, protocol: int, types: tuple[int, int]) -> bool:
    """Whether the errors come in by the one card that rules name: a host may have no other."""
    space = hooks.space
    errors = hooks.hook_packets(Hook.INPUT) & only_card(space) & space.state("related")
    errors = errors & space.value(Field.PROTO, protocol) & space.ranges(Field.ICMP_TYPE, (types,))
    return may_pass(hooks, Hook.INPUT, errors).satisfiable()
