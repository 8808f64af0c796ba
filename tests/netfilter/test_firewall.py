"""The chains of a ruleset in the order that packets meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import iptlint
from iptlint.model import Family, Field, Hook, Ruleset
from iptlint.netfilter.base_chain import BaseChain
from tests.firewalls import firewall_of

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

TWO = """table inet a {{
	chain first {{
		type filter hook input priority {first}; policy accept;
		tcp dport 22 drop
	}}
}}
table inet b {{
	chain second {{
		type filter hook input priority {second}; policy accept;
		tcp dport 22 accept
	}}
}}
"""


def read(text: str) -> Ruleset:
    return iptlint.read(text)


def statuses(ruleset: Ruleset) -> list[str]:
    return [answer.status.value for answer in iptlint.reach(ruleset)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (-1, 0, ["reachable", "dead"]),
        (1, 0, ["reachable", "reachable"]),
        # Which of the two is asked first depends on what was loaded last.
        (0, 0, ["reachable", "reachable"]),
    ],
)
def test_what_an_earlier_chain_drops_no_later_one_sees(
    first: int, second: int, expected: list[str]
) -> None:
    assert statuses(read(TWO.format(first=first, second=second))) == expected


def test_the_taker_is_named_across_tables() -> None:
    _, dead = iptlint.reach(read(TWO.format(first=-1, second=0)))
    assert [rule.origin.span.line for rule in dead.taken_by] == [4]


def test_of_equal_priorities_the_last_loaded_is_asked_first() -> None:
    """nf_hook_entries_grow puts a new hook before those of the same priority."""
    from iptlint.netfilter.firewall import Firewall

    stations = Firewall(read(TWO.format(first=0, second=0))).base_chains(Family.IP, Hook.INPUT)
    assert [station.chain.name for station in stations] == ["second", "first"]


def test_only_chains_before_connection_tracking_see_no_state() -> None:
    text = """table inet t {
	chain raw {
		type filter hook prerouting priority raw; policy accept;
		ct state established accept
		ct state new drop
	}
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		ct state established counter
	}
}
"""
    on_lo = "iifname lo ct state new drop"
    assert statuses(read(text)) == ["conditional", "conditional", "reachable", "dead"]
    elsewhere = text.replace("ct state new drop", "iifname eth0 ct state new drop")
    assert statuses(read(elsewhere)) == ["conditional", "dead", "reachable", "dead"]
    assert statuses(read(text.replace("ct state new drop", on_lo)))[1] == "conditional"


def test_a_lockout_is_seen_beside_a_chain_before_connection_tracking() -> None:
    text = """table inet t {
	chain raw {
		type filter hook prerouting priority raw; policy accept;
	}
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		iifname lo accept
	}
}
"""
    assert "IPT301" in [finding.code for finding in iptlint.lint(text)]


def test_what_comes_past_base_chains_is_worked_out_once_for_all_tables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[BaseChain] = []
    afterwards = BaseChain.afterwards

    def counted(self: BaseChain, packets: PacketSet) -> PacketSet:
        asked.append(self)
        return afterwards(self, packets)

    monkeypatch.setattr(BaseChain, "afterwards", counted)
    kind = "type filter hook input priority {0}; policy accept;"
    table = f"table ip t{{0}} {{{{ chain c {{{{ {kind} tcp dport {{0}} drop\n}}}}\n}}}}\n"
    firewall = firewall_of("".join(table.format(number) for number in range(1, 41)))
    for analysis in firewall.analyses():
        space, port = analysis.space, int(analysis.table.name[1:])
        entering = analysis.entries["c"].reachable
        dropped = space.ranges(Field.DPORT, ((1, port - 1),)) & space.value(Field.PROTO, 6)
        assert not (entering & dropped).satisfiable()
        assert (entering & space.value(Field.DPORT, port)).satisfiable()
    assert len(asked) < 40
