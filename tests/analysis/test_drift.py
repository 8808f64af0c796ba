"""Two states of a host."""

from __future__ import annotations

import iptlint
from iptlint.analysis.diff import difference
from iptlint.analysis.drift import Deciders, most_telling
from tests.firewalls import saved


def test_what_is_told_is_new_and_from_elsewhere_and_who_decides_it() -> None:
    old, new = (
        iptlint.read(saved(f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT", policy="DROP"))
        for port in (22, 23)
    )
    compared = difference(old, new)
    deciders = Deciders(old, new, compared.space)
    for change in compared.changes:
        packets, within = most_telling(compared.space, change)
        assert packets.satisfiable()
        assert not (packets & ~compared.space.state("new")).satisfiable()
        assert not (packets & ~within).satisfiable()
        was, becomes = deciders.of(change, packets)
        assert was is not None
        assert becomes is not None
        assert {was.rule is None, becomes.rule is None} == {True, False}
