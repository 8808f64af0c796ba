"""Sets that are narrowed by what is preferred."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from iptlint.model import Field
from iptlint.packets.preferences import Preferences
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

PREFERRED = (22, 80, 443, 8080)


def in_turn(packets: PacketSet, preferred: tuple[PacketSet, ...]) -> PacketSet:
    for one in preferred:
        packets = packets & one if (packets & one).satisfiable() else packets
    return packets


@pytest.mark.parametrize("seed", range(20))
def test_each_that_leaves_some_packet_is_kept_however_others_were_narrowed(seed: int) -> None:
    draw, space = Random(seed), Space(("ip",), (), defragmented=True)
    ports = [space.value(Field.DPORT, port) for port in PREFERRED]
    states = [space.state("new"), space.state("established")]
    sides = [space.ranges(Field.SADDR, ((low, low + 99),)) for low in (0, 50, 200)]
    preferred = tuple(draw.sample([*ports, *states, *sides], 9))
    preferences = Preferences(space, preferred)
    for _ in range(60):
        low = draw.randrange(320)
        packets = space.universe & space.ranges(Field.SADDR, ((low, low + draw.randrange(60)),))
        packets = packets & draw.choice((space.true, *ports, ~ports[0], *states))
        assert preferences.narrowed(packets) == in_turn(packets, preferred)


def test_of_no_packets_none_is_left() -> None:
    space = Space(("ip",), (), defragmented=True)
    preferences = Preferences(space, (space.value(Field.DPORT, 22),))
    for _ in range(3):
        assert preferences.narrowed(space.false) == space.false
