"""One packet of a set."""

from __future__ import annotations

from iptlint.analysis.one_packet import image, one_of, values
from iptlint.model import Field, Hook, VerdictKind
from iptlint.netfilter.packet_group import Outcome
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space


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
