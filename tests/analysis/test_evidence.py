"""A packet that shows a claim comes to the rule that is claimed to take it."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.evidence import meant_for, shown_by, taken
from iptlint.analysis.session import Context, Settings
from iptlint.analysis.shadowing import shadowed_rules
from iptlint.packets.packet import Packet
from tests.firewalls import saved
from tests.oracle.replay import replay

CALLED_FROM_BEHIND_A_DROP = saved(
    "-A INPUT -i eth0 -j DROP",
    "-A INPUT -p tcp -m tcp --dport 80 -j SUB",
    "-A SUB -s 10.0.0.0/8 -j DROP",
    "-A SUB -s 10.1.0.0/16 -j ACCEPT",
    chains="SUB",
)
MARKED_ON_THE_WAY = saved(
    "-A INPUT -j MARKS",
    "-A INPUT -m mark --mark 0x4000/0x4000 -j ACCEPT",
    "-A INPUT -j REJECT",
    "-A INPUT -m mark --mark 0x10000/0x10000 -j ACCEPT",
    "-A MARKS -j MARK --set-xmark 0x0/0xe0000",
    chains="MARKS",
)
DROPPED_BEFORE = saved("-A PREROUTING -i eth0 -j DROP", table="raw") + saved(
    "-A INPUT -p tcp -j DROP", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
)


def shown(text: str) -> tuple[int, Packet | None]:
    """The line of the rule that takes the packets of the one dead rule, and one of them."""
    ruleset = iptlint.read(text)
    context = Context((ruleset,), Settings())
    (shadowed,) = (dead for each in context.analyses() for dead in shadowed_rules(each))
    (analysis,) = (each for each in context.analyses() if shadowed.rule in each.places)
    packets = analysis.intended(shadowed.rule)
    (blocker,) = shadowed.blockers
    packet = shown_by(analysis, shadowed.chain.name, (blocker,), packets)
    if packet is not None:
        assert blocker in replay(ruleset, packet).taken
    return blocker.origin.span.line, packet


@pytest.mark.parametrize(
    ("text", "line"),
    [(CALLED_FROM_BEHIND_A_DROP, 8), (MARKED_ON_THE_WAY, 8), (DROPPED_BEFORE, 10)],
)
def test_it_gets_past_all_that_stands_before(text: str, line: int) -> None:
    taking, packet = shown(text)
    assert taking == line
    assert packet is not None
    assert packet.iif != "eth0" or text is MARKED_ON_THE_WAY


def test_what_never_comes_is_not_shown() -> None:
    ruleset = iptlint.read(saved("-A INPUT -j DROP", "-A INPUT -p tcp -j ACCEPT"))
    (analysis,) = Context((ruleset,), Settings()).analyses()
    base = analysis.table.chains["INPUT"]
    dead = base.rules[1]
    assert not taken(analysis, base, (dead,), analysis.intended(dead)).satisfiable()
    assert shown_by(analysis, "INPUT", (dead,), analysis.intended(dead)) is None


def test_a_packet_for_a_rule_has_what_the_rule_tests_though_that_may_change_on_the_way() -> None:
    ruleset = iptlint.read(MARKED_ON_THE_WAY)
    (analysis,) = Context((ruleset,), Settings()).analyses()
    base = analysis.table.chains["INPUT"]
    rejecting, dead = base.rules[2:]
    packet = meant_for(analysis, base, dead, (rejecting,), analysis.intended(dead))
    assert packet is not None
    assert packet.mark is not None
    assert packet.mark & 0x14000 == 0x10000


def test_it_is_the_same_for_who_asks_often() -> None:
    """Packets are followed for each question, or all of them once."""
    ruleset = iptlint.read(MARKED_ON_THE_WAY)
    (analysis,) = Context((ruleset,), Settings()).analyses()
    base = analysis.table.chains["INPUT"]
    rejecting, dead = base.rules[2:]
    for _ in range(20):
        packet = meant_for(analysis, base, dead, (rejecting,), analysis.intended(dead))
        assert packet is not None
        assert rejecting in replay(ruleset, packet).taken


TRANSLATED_AWAY = saved(
    "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2", table="nat"
) + saved(
    "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT",
    "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j DROP",
)


def test_what_is_translated_to_another_host_does_not_come_to_input() -> None:
    _, packet = shown(TRANSLATED_AWAY)
    assert packet is not None
    assert packet.ct_state != "new"
