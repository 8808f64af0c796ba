"""The base chains at a hook, and the one where a host decides."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.reach import Reason
from iptlint.linter.run import lint
from iptlint.model import Family, Hook
from iptlint.netfilter.firewall import Hooks
from iptlint.source import SourceFile
from tests.firewalls import hooks_of, saved

CHAINS = """table inet t {{
	chain first {{
		type filter hook input priority {0}; policy {1};
		{2}
	}}
	chain second {{
		type filter hook input priority {3}; policy {4};
		{5}
	}}
}}
"""


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [(-150, 0, "second"), (-10, 0, "second"), (0, 50, "first"), (10, -5, "second")],
)
def test_the_host_decides_at_the_priority_of_filters(first: int, second: int, name: str) -> None:
    """Not in mangle (-150) or security (50), and else in the chain nearest to 0."""
    hooks = hooks_of(CHAINS.format(first, "accept", "counter", second, "accept", "counter"))
    chain = hooks.deciding_chain(Hook.INPUT)
    assert chain is not None
    assert chain.chain.name == name
    assert chain.chain.filters


def test_only_tables_of_the_family_are_asked() -> None:
    text = "table ip a {\n}\ntable ip6 b {\n}\ntable inet c {\n}\ntable bridge d {\n}\n"
    assert [table.name for table in hooks_of(text, Family.IP).tables()] == ["a", "c", "d"]
    assert [table.name for table in hooks_of(text, Family.IP6).tables()] == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("elsewhere", "alone"),
    [
        (saved("-A PREROUTING -s 192.0.2.1 -j DROP", table="mangle"), False),
        (saved("-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080", table="nat"), False),
        (saved("-A PREROUTING -s 192.0.2.1 -j LOG", table="mangle"), True),
        (saved("-A OUTPUT -j DROP", table="mangle"), True),
    ],
)
def test_a_hook_decides_alone_where_no_other_one_on_the_way_drops_or_changes(
    elsewhere: str, alone: bool
) -> None:
    hooks: Hooks = hooks_of(
        elsewhere + saved("-A INPUT -p tcp --dport 22 -j ACCEPT", policy="DROP")
    )
    assert hooks.decides_alone(Hook.INPUT) is alone


def test_what_leaves_a_bridge_has_come_by_no_interface() -> None:
    """br_forward_finish passes it to postrouting without one; before that it has one."""
    rule = 'iifname "eth0" drop'
    text = "table bridge t {{\n chain c {{\n type filter hook {} priority 0;\n {}\n }}\n}}\n"
    found = {
        hook: [each.status.value for each in iptlint.reach(iptlint.read(text.format(hook, rule)))]
        for hook in ("prerouting", "forward", "postrouting")
    }
    assert found == {"prerouting": ["reachable"], "forward": ["reachable"], "postrouting": ["dead"]}
    told = lint([SourceFile("b.nft", text.format("postrouting", rule))], select=["IPT103"])
    assert [each.message for each in told.findings] == [
        "behind forward the kernel no longer tells c where packets came in, so nothing passes "
        '`iifname "eth0"`'
    ]
    out = 'oifname "eth1" drop'
    for more, status in (
        (f"{out}\n{rule}", Reason.NOT_SENT),
        (f"{rule}\n{out}", Reason.NOT_SENT),
        (f"oifname != {{ eth1 }} accept\n{out}\niifname != eth0 accept", Reason.TAKEN),
    ):
        dead = [
            r for r in iptlint.reach(iptlint.read(text.format("postrouting", more))) if r.reason
        ]
        assert [each.reason for each in dead] == [status]
