"""Packets followed rule by rule fare as the sets say that were worked out another way."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.diff import difference
from iptlint.analysis.exchange import connection
from iptlint.analysis.hook_verdicts import may_end
from iptlint.analysis.trace import trace
from iptlint.model import Family, Hook, Ruleset, VerdictKind
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.netfilter.traversal import Traversal
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.packet import Packet
from tests.oracle.generate import random_ruleset

HEAD = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"


def filtered(*rules: str) -> Ruleset:
    return iptlint.read(HEAD + "\n".join((*rules, "COMMIT\n")))


def packet(**more: object) -> Packet:
    usual: dict[str, object] = {
        "family": "ip",
        "hook": None,
        "iif": "eth0",
        "proto": "tcp",
        "saddr": "198.51.100.7",
        "daddr": "192.0.2.10",
        "sport": 40000,
        "dport": 22,
        "ct_state": "new",
    }
    if "oif" not in more:
        usual["hook"] = "input"
    return Packet(**(usual | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(60))
def test_same_ends_as_the_sets_of_a_hook(seed: int) -> None:
    """Random filter tables change nothing on the way, so both ways are exact."""
    family = Family.IP6 if seed % 4 == 0 else Family.IP
    ruleset = iptlint.read(random_ruleset(seed, rules=30, family=family.value).text)
    firewall = Firewall(ruleset)
    hooks = Hooks(firewall, family)
    for hook in (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT):
        unknowns = Unknowns(firewall.space)
        everything = hooks.hook_packets(hook)
        ends = Traversal(firewall, family, unknowns).follow((hook,), everything)
        cube = unknowns.cube
        for kind in (VerdictKind.ACCEPT, VerdictKind.DROP, VerdictKind.REJECT):
            found = firewall.space.false
            for end in ends:
                if end.kind is kind:
                    found = found | end.packets.exists(cube)
            assert found == may_end(hooks, hook, kind, everything)


@pytest.mark.parametrize("seed", range(40))
def test_a_ruleset_is_equivalent_to_itself_and_to_its_own_rereading(seed: int) -> None:
    text = random_ruleset(seed, rules=30).text
    assert difference(iptlint.read(text), iptlint.read(text)).equivalent


def test_a_rule_more_is_found_with_the_packets_it_lets_in() -> None:
    ssh = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
    old, new = filtered(ssh), filtered(ssh, "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT")
    (change,) = difference(old, new).changes
    assert (change.hook, change.old.kind, change.new.kind) == (
        Hook.INPUT,
        VerdictKind.DROP,
        VerdictKind.ACCEPT,
    )
    assert change.certain
    assert change.witness.dport == 80
    assert change.new.decision
    assert change.new.decision.rule
    assert change.new.decision.rule.origin.span.line == 6


def test_order_that_changes_nothing_is_equivalent() -> None:
    one, other = "-A INPUT -s 10.0.0.1 -j ACCEPT", "-A INPUT -s 10.0.0.2 -j ACCEPT"
    assert difference(filtered(one, other), filtered(other, one)).equivalent


def test_equal_limits_are_equivalent_and_other_limits_may_differ() -> None:
    slow = "-A INPUT -m limit --limit 3/min -j ACCEPT"
    fast = "-A INPUT -m limit --limit 30/min -j ACCEPT"
    assert difference(filtered(slow), filtered(slow)).equivalent
    found = difference(filtered(slow), filtered(fast))
    assert not found.equivalent
    assert not found.certain
    assert not any(change.certain for change in found.changes)


def test_a_limit_that_sees_other_packets_is_not_the_same() -> None:
    """The bucket is emptied by others, though each packet may fare as before."""
    limited = "-A INPUT -m limit --limit 3/min -j ACCEPT"
    old = filtered(limited, "-A INPUT -p tcp -j ACCEPT")
    new = filtered("-A INPUT -p tcp -j ACCEPT", limited)
    found = difference(old, new)
    assert not found.equivalent
    assert not found.certain


def test_a_ban_that_luck_cannot_undo_is_certain() -> None:
    limited = "-A INPUT -m limit --limit 3/min -j ACCEPT"
    found = difference(filtered("-A INPUT -j ACCEPT"), filtered(limited))
    assert not found.certain
    found = difference(filtered("-A INPUT -j ACCEPT"), filtered("-A INPUT -j DROP"))
    assert [change.certain for change in found.changes] == [True]


MARKED = """*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -s 198.51.100.0/24 -j MARK --set-mark 0x5
-A PREROUTING -p tcp -m tcp --dport 22 -j MARK --or-mark 0x10
COMMIT
"""


@pytest.mark.parametrize(
    ("test", "source", "taken"),
    [
        ("--mark 0x15", "198.51.100.7", True),
        ("--mark 0x5", "198.51.100.7", False),
        ("--mark 0x10/0x10", "203.0.113.9", True),
        ("--mark 0x5/0x5", "203.0.113.9", False),
    ],
)
def test_marks_are_followed_from_table_to_table(test: str, source: str, taken: bool) -> None:
    """What comes from a wire has none before a rule gives it one."""
    ruleset = iptlint.read(MARKED + HEAD + f"-A INPUT -m mark {test} -j ACCEPT\nCOMMIT\n")
    kinds = {o.kind for o in trace(ruleset, packet(saddr=source)).outcomes}
    assert kinds == {VerdictKind.ACCEPT if taken else VerdictKind.DROP}


def test_a_mark_that_is_saved_and_restored() -> None:
    """xt_connmark.c: --save-mark copies it to the connection, --restore-mark back."""
    text = """*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -j MARK --set-mark 0x7
-A PREROUTING -j CONNMARK --save-mark
-A PREROUTING -j MARK --set-mark 0x0
-A PREROUTING -m mark --mark 0x0 -j CONNMARK --restore-mark
COMMIT
"""
    ruleset = iptlint.read(text + HEAD + "-A INPUT -m mark --mark 0x7 -j ACCEPT\nCOMMIT\n")
    (outcome,) = trace(ruleset, packet()).outcomes
    assert outcome.kind is VerdictKind.ACCEPT
    assert outcome.becomes is not None
    assert outcome.becomes.mark == 7


DNAT = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80
COMMIT
"""


def test_filter_sees_the_translated_destination() -> None:
    forward = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n{}\nCOMMIT\n"
    asked = packet(dport=8080, oif="eth1")
    after = "-A FORWARD -d 10.0.0.5 -p tcp -m tcp --dport 80 -j ACCEPT"
    before = "-A FORWARD -p tcp -m tcp --dport 8080 -j ACCEPT"
    (outcome,) = trace(iptlint.read(DNAT + forward.format(after)), asked).outcomes
    assert outcome.kind is VerdictKind.ACCEPT
    assert outcome.becomes
    assert (outcome.becomes.daddr, outcome.becomes.dport) == ("10.0.0.5", 80)
    (outcome,) = trace(iptlint.read(DNAT + forward.format(before)), asked).outcomes
    assert outcome.kind is VerdictKind.DROP


def test_an_outcome_says_what_address_a_redirection_must_have_chosen() -> None:
    """xt_REDIRECT.c takes the address of the incoming interface, which no ruleset tells."""
    redirect = DNAT.replace("DNAT --to-destination 10.0.0.5:80", "REDIRECT --to-ports 80")
    ruleset = iptlint.read(redirect + HEAD + "-A INPUT -d 10.0.0.1 -j ACCEPT\nCOMMIT\n")
    outcomes = trace(ruleset, packet(dport=8080)).outcomes
    assert {o.kind for o in outcomes} == {VerdictKind.ACCEPT, VerdictKind.DROP}
    for outcome in outcomes:
        accepted = "the address of eth0 is 10.0.0.1" in outcome.conditions
        assert accepted is (outcome.kind is VerdictKind.ACCEPT)
        assert outcome.becomes
        assert outcome.becomes.daddr == "the address of eth0"


def test_an_outcome_says_what_no_field_of_its_witness_shows() -> None:
    outcomes = trace(filtered("-A INPUT -m ttl --ttl-eq 5 -j ACCEPT"), packet()).outcomes
    said = {outcome.kind: outcome.conditions for outcome in outcomes}
    assert said[VerdictKind.ACCEPT] == ("ttl 5",)
    assert said[VerdictKind.DROP] != ("ttl 5",)


def test_a_connection_has_no_mark_but_what_rules_gave_it() -> None:
    (outcome,) = trace(filtered("-A INPUT -m connmark --mark 0x5 -j ACCEPT"), packet()).outcomes
    assert outcome.kind is VerdictKind.DROP


def test_an_outcome_of_all_packets_asked_about_has_no_condition() -> None:
    (outcome,) = trace(filtered("-A INPUT -m connmark --mark 0x5 -j LOG"), packet()).outcomes
    assert outcome.conditions == ()


def test_another_target_of_a_translation_is_a_difference() -> None:
    old = iptlint.read(DNAT)
    new = iptlint.read(DNAT.replace("10.0.0.5:80", "10.0.0.6:80"))
    changes = difference(old, new).changes
    assert changes
    assert {(c.old.kind, c.new.kind) for c in changes} == {(VerdictKind.ACCEPT, VerdictKind.ACCEPT)}
    assert {c.new.becomes.daddr for c in changes if c.new.becomes} == {"10.0.0.6"}


def test_what_raw_drops_never_reaches_filter() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j DROP\nCOMMIT\n"
    ruleset = iptlint.read(raw + HEAD + "-A INPUT -j ACCEPT\nCOMMIT\n")
    (outcome,) = trace(ruleset, packet()).outcomes
    assert outcome.kind is VerdictKind.DROP
    assert [step.hook for step in outcome.steps] == [Hook.PREROUTING]


def test_notrack_makes_a_packet_untracked() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j CT --notrack\nCOMMIT\n"
    rules = "-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT\nCOMMIT\n"
    (outcome,) = trace(iptlint.read(raw + HEAD + rules), packet()).outcomes
    assert outcome.kind is VerdictKind.ACCEPT


def test_in_raw_no_packet_has_a_connection_yet() -> None:
    raw = (
        "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m conntrack --ctstate {} -j DROP\nCOMMIT\n"
    )
    for state, kind in (("NEW", VerdictKind.ACCEPT), ("INVALID", VerdictKind.DROP)):
        ruleset = iptlint.read(raw.format(state) + HEAD + "-A INPUT -j ACCEPT\nCOMMIT\n")
        (outcome,) = trace(ruleset, packet()).outcomes
        assert outcome.kind is kind


@pytest.mark.parametrize(("output", "works"), [("ACCEPT", True), ("DROP", False)])
def test_a_connection_needs_its_answers(output: str, works: bool) -> None:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT {output} [0:0]\nCOMMIT\n"
    assert connection(trace(iptlint.read(text), packet())).works is works


def test_across_languages() -> None:
    old = filtered(
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT",
    )
    text = """table inet filter {
	chain input {
		type filter hook input priority 0; policy drop;
		ct state vmap { established : accept, related : accept }
		iifname lo accept
		tcp dport { 22, 80 } accept
	}
}
"""
    assert difference(old, iptlint.read(text)).equivalent
    (change,) = difference(old, iptlint.read(text.replace("80", "8080"))).changes[:1]
    assert {change.old.kind, change.new.kind} == {VerdictKind.ACCEPT, VerdictKind.DROP}


def test_what_is_left_open_is_no_part_of_the_packets_described() -> None:
    """A test that the tool does not interpret may join the space after luck has."""
    from iptlint.packets.describe import describe

    old = filtered("-A INPUT -m limit --limit 3/min -j ACCEPT")
    new = filtered(
        "-A INPUT -m owner --uid-owner 7 -j ACCEPT",
        "-A INPUT -m string --algo bm --string x -j ACCEPT",
    )
    found = difference(old, new)
    for change in found.changes:
        assert describe(found.space, change.packets, 4).lines


def test_what_luck_decides_is_said_beside_what_is_certain() -> None:
    """Of one kind of change, some packets surely fare otherwise, others only where a limit lets
    them: neither may hide the other."""
    limited = "-A INPUT -p udp -m limit --limit 3/min -j ACCEPT"
    old = filtered("-A INPUT -p tcp -j ACCEPT", limited)
    found = difference(old, filtered())
    assert {(change.certain, change.witness.proto) for change in found.changes} == {
        (True, "tcp"),
        (False, "udp"),
    }
    assert not found.certain
