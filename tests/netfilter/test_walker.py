"""Packets under way through one chain, step by step."""

from __future__ import annotations

from iptlint.model import VerdictKind
from iptlint.netfilter.walker import Walker
from iptlint.packets import match
from tests.firewalls import analysis_of, packets, saved


def test_what_is_uncertain_is_taken_and_goes_on() -> None:
    space = analysis_of(saved("-A INPUT -p tcp -j DROP")).space
    tcp = packets(space, proto="tcp")
    walker = Walker(space, {}, space.universe)
    walker.step(VerdictKind.DROP, None, match.Tests(tcp, space.false))
    assert walker.arriving == space.universe
    walker.step(VerdictKind.DROP, None, match.Tests(tcp, tcp))
    assert walker.arriving == space.universe & ~tcp
    assert walker.outcomes[VerdictKind.DROP] & space.universe == tcp & space.universe


def test_a_call_of_a_chain_that_is_missing_may_do_anything() -> None:
    space = analysis_of(saved("-A INPUT -p tcp -j DROP")).space
    tcp = packets(space, proto="tcp")
    walker = Walker(space, {}, space.universe)
    walker.step(VerdictKind.JUMP, "nowhere", match.Tests(tcp, tcp))
    assert walker.arriving == space.universe
    assert walker.outcomes[VerdictKind.UNKNOWN] & space.universe == tcp & space.universe
