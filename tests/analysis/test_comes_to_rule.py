"""The packets that come to a rule: each one shown does, and none is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.reach import Reach, Status
from iptlint.analysis.witness_check import comes_to
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.witness import witness

HOSTS = Path(__file__).parents[2] / "fixtures" / "hosts"
FILES = sorted(
    path
    for name in ("web-server", "docker-host", "nft-web-server", "nat-router", "quiet-nft-router")
    for path in (HOSTS / name).rglob("*")
    if path.suffix in (".v4", ".nft", ".conf")
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOSTS)))
def test_a_packet_that_surely_comes_comes(path: Path) -> None:
    ruleset = iptlint.read(path)
    firewall = Firewall(ruleset)
    reach = Reach(ruleset, firewall=firewall)
    for answer in reach.all():
        matched = [*reach.matched(answer.rule)]
        comes = any(each.perhaps.satisfiable() for each in matched)
        assert comes == (answer.status is not Status.DEAD), answer
        for each in matched:
            assert not (each.surely & ~each.perhaps).satisfiable()
            packet = witness(reach.space, each.surely, each.hook)
            if packet is not None:
                assert comes_to(firewall, packet, (answer.rule.origin.span,)), (answer, packet)
