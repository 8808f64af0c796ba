"""What becomes of packets, and which of them are looked at."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.connection_way import ConnectionWay
from iptlint.analysis.trace import trace
from iptlint.packets.packet import Packet
from iptlint.reports.trace import FamilyTrace, trace_text
from tests.firewalls import saved


def test_of_many_outcomes_those_that_are_shown_are_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    followed: list[object] = []
    steps = ConnectionWay.steps

    def counted(way, end, point):  # type: ignore[no-untyped-def]
        followed.append(end)
        return steps(way, end, point)

    monkeypatch.setattr(ConnectionWay, "steps", counted)
    rules = [f"-A INPUT -s 192.0.2.{number} -j DROP" for number in range(1, 60)]
    traced = trace(iptlint.read(saved(*rules)), Packet(family="ip", hook="input"))
    assert len(traced.outcomes) == 60
    assert not followed
    text = trace_text([FamilyTrace(traced)])
    assert 0 < len(followed) <= 8
    assert "… and 52 smaller outcomes" in text
    assert {outcome.witness.saddr for outcome in traced.outcomes[1:]} == {
        f"192.0.2.{number}" for number in range(1, 60)
    }
