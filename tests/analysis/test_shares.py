"""Who decides some packets, and for how many of them."""

from __future__ import annotations

import pytest

from iptlint.analysis.shares import Share, largest_first, packet_count, shares
from iptlint.model import Family, Hook, VerdictKind
from tests.firewalls import hooked, hooks_of, packets, saved


def deciders(text: str, family: Family = Family.IP, **fields: object) -> list[Share]:
    hooks = hooks_of(text, family)
    return shares(hooks, Hook.INPUT, packets(hooks.space, family.value, **fields))


@pytest.mark.parametrize(
    ("family", "network", "half"),
    [(Family.IP, "10.0.0.0/8", "10.0.0.0/9"), (Family.IP6, "2001:db8::/32", "2001:db8::/33")],
)
def test_rules_and_the_policy_each_have_their_share(
    family: Family, network: str, half: str
) -> None:
    rules = (f"-A INPUT -s {half} -p tcp -j DROP", f"-A INPUT -s {half} -j ACCEPT")
    found = deciders(saved(*rules, policy="DROP"), family, saddr=network)
    assert [(share.kind, share.name, share.does) for share in found] == [
        (VerdictKind.DROP, "the policy of INPUT", "drops"),
        (VerdictKind.ACCEPT, "line 6", "accepts"),
        (VerdictKind.DROP, "line 5", "drops"),
    ]
    counts = [packet_count(share.packets) for share in found]
    assert counts[1] == 255 * counts[2]
    assert counts[0] == 256 * counts[2]


def test_who_takes_nothing_of_them_has_no_share() -> None:
    rules = ("-A INPUT -p udp -j DROP", "-A INPUT -p tcp -j ACCEPT", "-A INPUT -p tcp -j REJECT")
    (share,) = deciders(saved(*rules), proto="tcp")
    assert share.name == "line 6"


def test_the_rule_in_the_called_chain_decides_and_not_the_call() -> None:
    text = saved("-A INPUT -p tcp -j web", "-A web -j REJECT", chains="web")
    (share,) = deciders(text, proto="tcp")
    assert (share.chain.name, share.kind) == ("web", VerdictKind.REJECT)
    assert share.first == "before any rule accepts them, line 7 rejects"


def test_of_several_chains_all_may_drop_and_one_accepts() -> None:
    early = hooked("ip saddr 192.0.2.1 drop", "accept", head="type filter hook input priority -10")
    late = hooked("accept").replace("inet t", "inet u")
    found = deciders(early + late)
    assert [(share.kind, share.analysis.table.name) for share in found] == [
        (VerdictKind.ACCEPT, "u"),
        (VerdictKind.DROP, "t"),
    ]


def test_of_equal_shares_the_last_comes_first() -> None:
    """It is the one that leaves nothing to a limit."""
    limited = "-A INPUT -p tcp -m limit --limit 1/s -j DROP"
    found = deciders(saved(limited, "-A INPUT -p tcp -j REJECT"), proto="tcp")
    assert [share.kind for share in found] == [VerdictKind.REJECT, VerdictKind.DROP]
    assert largest_first(reversed(found)) == found


def test_where_a_policy_stands() -> None:
    (share,) = deciders(saved(policy="DROP"))
    assert share.span.text == ":INPUT DROP [0:0]"
    assert share.first == "no rule accepts them, and the policy of INPUT drops"
    (share,) = deciders("*filter\n-A INPUT -p udp -j DROP\nCOMMIT\n", proto="udp")
    assert share.span.text == "-A INPUT -p udp -j DROP"


def test_the_base_chain_that_leads_to_who_decides() -> None:
    rules = ("-A INPUT -j web", "-A FORWARD -j web", "-A web -p tcp -j DROP")
    hooks = hooks_of(saved(*rules, chains="web"))
    for hook, name in ((Hook.INPUT, "INPUT"), (Hook.FORWARD, "FORWARD")):
        found = shares(hooks, hook, hooks.hook_packets(hook))
        share = next(share for share in found if share.chain.name == "web")
        assert share.base(hook).name == name
        assert share.base(Hook.OUTPUT).name in {"INPUT", "FORWARD"}
