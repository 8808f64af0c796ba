"""One packet of a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.analysis.one_packet import image, one_of, values
from iptlint.model import Field, Hook, VerdictKind
from iptlint.netfilter.packet_group import Outcome
from iptlint.netfilter.unknowns import Unknown, Unknowns
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def test_it_is_one_packet_of_the_set_and_becomes_what_was_written() -> None:
    space = Space(("ip",), (), defragmented=True)
    packets = space.universe & space.value(Field.DPORT, 22)
    point = one_of(space, packets, Hook.INPUT)
    assert not (point & ~packets).satisfiable()
    rewrite = Rewrite(space, {}).constant(Field.DPORT, 80)
    outcome = Outcome(VerdictKind.ACCEPT, None, rewrite, point, Hook.INPUT)
    before, after = values(point), image(point, outcome)
    port = space.fields[Field.DPORT].variables
    others = [n for n in range(space.manager.num_vars()) if n not in port]
    assert [bool(before[n]) for n in others] == [bool(after[n]) for n in others]
    assert int("".join("1" if after[n] else "0" for n in port), 2) == 80


def test_what_another_question_left_open_says_nothing_of_the_packet() -> None:
    space = Space(("ip",), (), defragmented=True)
    left = Unknowns(space).variable(Unknown("a limit", 0))
    own = Unknowns(space)
    settled = own.variable(Unknown("another", 0))
    point = one_of(space, space.universe & left & settled, Hook.INPUT, own)
    assert point.exists(left) == point == point & settled
    assert not space.project(point, Field.DPORT).valid()
    assert space.project(point.exists(own.cube), Field.DPORT) == space.value(
        Field.DPORT, packet_port(space, point)
    )


def packet_port(space: Space, point: PacketSet) -> int:
    bits, given = space.fields[Field.DPORT].variables, values(point)
    return int("".join("1" if given[number] else "0" for number in bits), 2)
