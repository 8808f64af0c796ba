"""What the rules about exposure and ICMP say, beyond what the fixtures show."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.services import SERVICES
from iptlint.analysis.session import Settings
from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.rules.exposure import ipt602_accept_any
from iptlint.source import SourceFile
from tests.firewalls import context_of, saved

CODES = (
    *("IPT601", "IPT602", "IPT603", "IPT604", "IPT605", "IPT606", "IPT607"),
    *("IPT702", "IPT703", "IPT704"),
)
LO = "-A INPUT -i lo -j ACCEPT"
RUNNING = "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"


def table(*rules: str, policy: str = "DROP", forward: str = "DROP", chains: str = "") -> str:
    declared = "".join(f":{name} - [0:0]\n" for name in chains.split())
    policies = f":INPUT {policy} [0:0]\n:FORWARD {forward} [0:0]\n"
    return f"*filter\n{policies}{declared}" + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"


def nft(rules: str, *, family: str = "inet", hook: str = "input") -> str:
    head = f"type filter hook {hook} priority filter; policy drop;"
    states = "ct state established,related accept; iifname lo accept;"
    return f"table {family} filter {{\n chain {hook} {{\n  {head}\n  {states} {rules}\n }}\n}}\n"


def findings(
    text: str, *codes: str, path: str = "rules.v4", settings: Settings | None = None
) -> list[Finding]:
    return list(lint([SourceFile(path, text)], settings, select=codes or CODES).findings)


def one(text: str, code: str, path: str = "rules.v4") -> Finding:
    (found,) = findings(text, code, path=path)
    return found


def codes(text: str, path: str = "rules.v4") -> list[str]:
    return [finding.code for finding in findings(text, path=path)]


# -- one cause, one finding ---------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (table(policy="ACCEPT"), ["IPT601"]),
        (table("-A INPUT -j ACCEPT"), ["IPT602"]),
        (table("-A INPUT -j ACCEPT", "-A INPUT -j DROP", policy="ACCEPT"), ["IPT602"]),
        (table(RUNNING, "-A INPUT -p tcp -j ACCEPT"), ["IPT602"]),
        (table(LO, RUNNING, "-A FORWARD -j ACCEPT"), ["IPT605"]),
        (table(LO, RUNNING, "-A FORWARD -i eth1 -j LOG", forward="ACCEPT"), ["IPT601"]),
        (table(LO, RUNNING, "-A INPUT -p tcp --dport 22 -j ACCEPT"), ["IPT604"]),
        (
            table(LO, RUNNING, "-A INPUT -p tcp -m multiport --dports 22,23 -j ACCEPT"),
            ["IPT603", "IPT604"],
        ),
        (table("-A INPUT -p icmp -j DROP", policy="ACCEPT"), ["IPT607"]),
    ],
)
def test_which_rule_speaks(text: str, expected: list[str]) -> None:
    assert sorted(codes(text)) == expected


def test_ipv6_that_accepts_any_beside_a_closed_ipv4_is_told_once() -> None:
    sources = [
        SourceFile("rules.v4", table(LO, RUNNING)),
        SourceFile("rules.v6", table("-A INPUT -j ACCEPT")),
    ]
    found = lint(sources, select=("IPT602", "IPT701")).findings
    assert [finding.code for finding in found] == ["IPT701"]


# -- IPT602


def test_what_is_moot_is_named() -> None:
    found = one(table("-A INPUT -j ACCEPT"), "IPT602")
    assert found.message == (
        "line 4 accepts every new connection from anywhere: the policy of INPUT, which was to "
        "deny them, sees none of them"
    )
    found = one(table("-A INPUT -p tcp -j ACCEPT", "-A INPUT -j REJECT", policy="ACCEPT"), "IPT602")
    assert "every new tcp connection" in found.message
    assert [label.span.line for label in found.related] == [5]
    found = one(table("-A INPUT ! -s 192.0.2.1 -j ACCEPT"), "IPT602")
    assert "almost every new connection" in found.message


def test_an_interface_by_its_name_is_possibly_the_worlds() -> None:
    found = one(table(LO, "-A INPUT -i wan0 -j ACCEPT"), "IPT602")
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.POSSIBLE)
    assert "by wan0, which faces the world" in found.message


# -- IPT603


def test_services_are_named_once_each() -> None:
    rule = "-A INPUT -p tcp -m multiport --dports 25,445,139,3306 -j ACCEPT"
    found = one(table(LO, RUNNING, rule), "IPT603")
    assert found.message == "SMB file shares (139, 445) and MySQL (3306) are open to every address"
    assert found.help.endswith(
        "-A INPUT -s 10.0.0.0/8 -p tcp -m multiport --dports 139,445,3306 -j ACCEPT"
    )
    assert found.witness is not None
    assert (found.witness.dport, found.witness.oif) == (139, None)


def test_grave_and_less_grave_services() -> None:
    for port, severity in ((6379, Severity.ERROR), (6443, Severity.WARNING), (8443, None)):
        found = findings(table(LO, RUNNING, f"-A INPUT -p tcp --dport {port} -j ACCEPT"), "IPT603")
        assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_a_range_that_happens_to_hold_a_service() -> None:
    for ports, count in (("8080:8090", 0), ("8085:8087", 1), ("5900:5999", 1), ("1024:65535", 1)):
        rule = f"-A INPUT -p tcp --dport {ports} -j ACCEPT"
        assert len(findings(table(LO, RUNNING, rule), "IPT603")) == count, ports
    broad = one(table(LO, RUNNING, "-A INPUT -p tcp --dport 1024:30000 -j ACCEPT"), "IPT603")
    assert broad.message.startswith("28977 ports are open to every address")
    assert (broad.severity, broad.confidence) == (Severity.WARNING, Confidence.POSSIBLE)


def test_the_call_that_names_the_port_is_pointed_at() -> None:
    rules = (LO, RUNNING, "-A INPUT -p tcp --dport 5432 -j allow", "-A allow -j ACCEPT")
    assert one(table(*rules, chains="allow"), "IPT603").span.line == 7


def test_a_fault_of_both_families_is_told_once() -> None:
    found = one(
        nft("icmpv6 type nd-neighbor-solicit accept; tcp dport 9200 accept"), "IPT603", "a.nft"
    )
    assert found.message.startswith("Elasticsearch (9200) is open")
    assert found.help.endswith("ip saddr 10.0.0.0/8 tcp dport 9200 accept")


def test_rows_are_sound() -> None:
    seen = [(port, protocol) for s in SERVICES for port in s.ports for protocol in s.protocols]
    assert len(seen) == len(set(seen))
    assert not {22, 25, 53, 80, 443} & {port for port, _ in seen}


# -- IPT604


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ("-A INPUT -i eth0 -p tcp --dport 80 -j ACCEPT", "eth0"),
        ("-A INPUT -i eth+ -p tcp --dport 80 -j ACCEPT", "eth0"),
        ("-A INPUT -i eth0 -j ACCEPT", "eth1"),
        ("-A INPUT -i lan0 -p tcp --dport 80 -j ACCEPT", "eth0"),
    ],
)
def test_the_example_comes_by_an_interface_that_rules_name_where_one_may(
    rule: str, shown: str
) -> None:
    told = one(table(LO, RUNNING, rule, "-A INPUT -p tcp --dport 22 -j ACCEPT"), "IPT604")
    assert told.witness is not None
    assert told.witness.iif == shown


def test_the_port_of_the_setting() -> None:
    text = table(LO, RUNNING, "-A INPUT -p tcp --dport 2222 -j ACCEPT")
    assert findings(text, "IPT604") == []
    assert len(findings(text, "IPT604", settings=Settings(ssh_ports=(2222,)))) == 1


# -- IPT607, IPT703: one cause is IPT201's


def test_errors_that_ipt201_tells_of() -> None:
    text = table(LO, "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT")
    assert [f.code for f in findings(text, "IPT201", "IPT607")] == ["IPT201"]


def test_errors_are_lost_in_forward_too() -> None:
    rules = ("-A FORWARD -p icmp -j DROP", "-A FORWARD -i eth1 -j ACCEPT")
    assert "lost in FORWARD" in one(table(LO, RUNNING, *rules, forward="ACCEPT"), "IPT607").message


@pytest.mark.parametrize("target", ["NOTRACK", "CT --notrack"])
def test_errors_that_nobody_tracks_are_related_to_nothing(target: str) -> None:
    """iptables-extensions(8), CT: what is not tracked is in the state UNTRACKED."""
    raw = f"*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i br0 -j {target}\nCOMMIT\n"
    ports = "--dport 32768:65535 ! --tcp-flags FIN,SYN,RST,ACK SYN"
    rules = (f"-A INPUT -i br0 -p tcp {ports} -j ACCEPT", "-A INPUT -i br0 -j DROP")
    lost = one(raw + table(*rules, policy="ACCEPT"), "IPT607")
    assert lost.witness is not None
    assert lost.witness.ct_state == "untracked"


# -- IPT702


def test_new_is_not_the_state_of_neighbour_discovery() -> None:
    rules = (LO, RUNNING, "-A INPUT -p tcp --dport 22 -j ACCEPT")
    for states, blocked in (("NEW", True), ("NEW,UNTRACKED", False)):
        icmp = f"-A INPUT -p ipv6-icmp -m conntrack --ctstate {states} -j ACCEPT"
        found = findings(table(*rules, icmp), "IPT702", path="rules.v6")
        assert [f.severity for f in found] == [Severity.ERROR] * blocked


def test_rules_for_both_families_may_be_a_host_without_ipv6() -> None:
    found = one(nft("tcp dport 22 accept"), "IPT702", "a.nft")
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.POSSIBLE)
    assert "where the host has IPv6, neighbour discovery does not work" in found.message
    found = one(nft("ip6 saddr 2001:db8::/32 tcp dport 22 accept"), "IPT702", "a.nft")
    assert found.severity is Severity.ERROR


def test_an_advertisement_of_a_neighbour_is_missed_alone() -> None:
    found = one(
        nft("icmpv6 type nd-neighbor-solicit accept; tcp dport 22 accept"), "IPT702", "a.nft"
    )
    assert "drops all neighbour advertisements and router advertisements, so" in found.message
    assert found.help.endswith("icmpv6 type { nd-neighbor-advert, nd-router-advert } accept")


def test_the_icmp_of_ipv4_is_shown_where_neighbours_are_dropped() -> None:
    """`ip6tables -p icmp` is protocol 1, of which IPv6 has no packets."""
    rules = (LO, RUNNING, "-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -p icmp -j ACCEPT")
    found = one(table(*rules), "IPT702", "rules.v6")
    assert [(label.span.text, label.message) for label in found.related] == [
        ("-A INPUT -p icmp -j ACCEPT", "accepts the ICMP of IPv4 only")
    ]
    assert not one(table(*rules[:3]), "IPT702", "rules.v6").related


# -- what the findings say ----------------------------------------------------------


def test_two_open_policies_are_one_finding_with_advice_for_both() -> None:
    rules = (LO, RUNNING, "-A FORWARD -i lan0 -j ACCEPT")
    found = one(table(*rules, policy="ACCEPT", forward="ACCEPT"), "IPT601")
    assert found.message.startswith("INPUT and FORWARD are open: their policies accept")
    assert [label.span.line for label in found.related] == [3]
    assert found.help.endswith("then `:INPUT DROP [0:0]` and `:FORWARD DROP [0:0]`")


def test_a_forward_that_a_rule_opens_is_told_apart_from_the_policy_of_input() -> None:
    rules = (RUNNING, "-A FORWARD -i lan0 -j LOG", "-A FORWARD -j ACCEPT")
    found = findings(table(*rules, policy="ACCEPT", forward="ACCEPT"), "IPT601")
    assert [finding.span.line for finding in found] == [2, 6]


def test_the_rule_that_opens_forward_is_no_programs() -> None:
    """tailscale accepts what it marked; what is on other interfaces the policy accepts."""
    rules = (
        *(LO, RUNNING, "-A FORWARD -j ts-forward", "-A FORWARD -i lan0 -j ACCEPT"),
        "-A ts-forward -i tailscale0 -j MARK --set-xmark 0x40000/0xff0000",
        "-A ts-forward -m mark --mark 0x40000/0xff0000 -j ACCEPT",
    )
    found = one(table(*rules, forward="ACCEPT", chains="ts-forward"), "IPT601")
    assert found.message.startswith("FORWARD is open: its policy accepts")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("-A FORWARD -j ACCEPT", "accepts every new connection"),
        ("-A FORWARD -p tcp -j ACCEPT", "accepts every new tcp connection"),
        ("-A FORWARD ! -d 192.168.0.0/16 -j ACCEPT", "accepts almost every new connection"),
    ],
)
def test_how_much_an_open_forward_accepts(rule: str, words: str) -> None:
    assert words in one(table(LO, RUNNING, rule), "IPT605").message


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ("INPUT", "or add before it: -A INPUT -p tcp"),
        ("admin", "or add at the top of INPUT: -A INPUT -p tcp"),
        ("ufw-user-input", "limit it, `ufw limit 22/tcp`, or accept it from your networks only"),
    ],
)
def test_how_to_limit_ssh(chain: str, words: str) -> None:
    rule = f"-A {chain} -p tcp -m tcp --dport 22 -j ACCEPT"
    call, chains = ((f"-A INPUT -j {chain}",), chain) if chain != "INPUT" else ((), "")
    assert words in one(table(LO, RUNNING, *call, rule, chains=chains), "IPT604").help


def test_what_an_unknown_target_may_keep_is_only_perhaps_accepted() -> None:
    open_ = nft("tcp dport 22 accept").replace("policy drop", "policy accept")
    sure = one(open_, "IPT601", path="rules.nft")
    maybe = one(open_.replace("tcp dport", "synproxy; tcp dport"), "IPT601", path="rules.nft")
    assert (sure.confidence, maybe.confidence) == (Confidence.CERTAIN, Confidence.POSSIBLE)


# -- what to do -------------------------------------------------------------------------------


def test_what_is_to_take_the_place_of_the_rule_is_said() -> None:
    """Beside the rule it would let nobody out; a rule that is for more loses only the service."""
    alone = one(table(RUNNING, "-A INPUT -p tcp --dport 6379 -j ACCEPT"), "IPT603")
    assert ", in the place of this rule: -A INPUT -s 10.0.0.0/8 " in alone.help
    several = "-A INPUT -p tcp -m multiport --dports 80,443,6379 -j ACCEPT"
    assert one(table(RUNNING, several), "IPT603").advice.startswith(
        "take it out of this rule, and "
    )


def test_who_opens_connections_through_an_open_forward_still_can() -> None:
    running = "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
    found = one(table("-A FORWARD -j ACCEPT", "-A FORWARD -j DROP"), "IPT605")
    own = "-A FORWARD -s 10.0.0.0/8 -j ACCEPT"
    assert found.help.endswith(f"in its place: {running}; {own}")
    assert "(theirs for 10.0.0.0/8)" in found.help


@pytest.mark.parametrize("name", ["tun0", "ppp0", "eth0"])
def test_what_leaves_with_an_address_of_the_hosts_still_does(name: str) -> None:
    """A network that is not in 10.0.0.0/8 would have nothing left otherwise."""
    nat = f"*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o {name} -j MASQUERADE\nCOMMIT\n"
    found = one(nat + table("-A FORWARD -j ACCEPT"), "IPT605")
    assert found.help.endswith(f"; -A FORWARD -o {name} -j ACCEPT")


def test_what_is_led_back_inside_leaves_by_no_uplink() -> None:
    """Hairpin: the connections of the network behind to its own server, by the router."""
    back = "-A POSTROUTING -d 192.168.1.10/32 -o eth1 -j SNAT --to-source 192.168.1.1"
    nat = f"*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o ppp0 -j MASQUERADE\n{back}\nCOMMIT\n"
    found = one(nat + table("-A FORWARD -j ACCEPT"), "IPT605")
    assert found.help.endswith("ESTABLISHED,RELATED -j ACCEPT; -A FORWARD -o ppp0 -j ACCEPT")


def test_no_rule_for_the_beginning_of_a_name_is_proposed_as_for_a_name() -> None:
    nat = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth+ -j MASQUERADE\nCOMMIT\n"
    found = one(nat + table("-A FORWARD -j ACCEPT"), "IPT605")
    assert found.help.endswith("-A FORWARD -s 10.0.0.0/8 -j ACCEPT")


def test_no_limit_on_new_connections_where_none_is_tracked() -> None:
    untracked = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j NOTRACK\nCOMMIT\n"
    ssh = table(RUNNING, "-A INPUT -p tcp --dport 22 -j ACCEPT")
    assert "hashlimit" in one(ssh, "IPT604").help
    assert one(untracked + ssh, "IPT604").advice == "accept it from your networks only"


def test_a_return_that_leads_past_what_denies_is_named() -> None:
    """RETURN in a built-in chain leads to its policy."""
    rules = (LO, RUNNING, "-A INPUT -p tcp --dport 22 -j ACCEPT")
    open_ = one(table(*rules, "-A INPUT -j RETURN", "-A INPUT -j DROP", policy="ACCEPT"), "IPT601")
    assert "line 7 returns what rules below it deny" in open_.message
    assert [label.span.line for label in open_.related] == [7]
    assert "or delete line 7" in str(open_.help)
    for others in (
        ("-j RETURN",),
        ("-p udp -j RETURN", "-j RETURN"),
        ("-j RETURN", "-p udp -j DROP"),
    ):
        ends = (f"-A INPUT {other}" for other in others)
        assert "returns" not in one(table(*rules, *ends, policy="ACCEPT"), "IPT601").message


def test_a_trial_waits_between_its_last_closing_command_and_the_first_that_opens() -> None:
    close, more = "iptables -P INPUT DROP\n", "iptables -A INPUT -i lo -j ACCEPT\n"
    wait, open_ = "sleep 60\n", "iptables -F\niptables -P INPUT ACCEPT\n"
    for body, is_trial in ((close + more + wait, True), (close + wait + more, False)):
        found = lint([SourceFile("try.sh", f"#!/bin/sh\n{body}{open_}")], select=("IPT601",))
        assert (not found.findings) is is_trial


@pytest.mark.parametrize(
    ("source", "many"),
    [
        ("172.16.0.0/11", " 1 million addresses"),  # 2^21 less 2^20
        ("192.160.0.0/12", " 983,040 addresses"),  # 2^20 less 2^16
    ],
)
def test_how_many_strangers_a_network_lets_in_beside_the_private_one(
    source: str, many: str
) -> None:
    rule = f"-A INPUT -s {source} -p tcp -m tcp --dport 3306 -j ACCEPT"
    text = f"*filter\n:INPUT DROP [0:0]\n{rule}\nCOMMIT\n"
    (found,) = (each for each in iptlint.lint(text) if "is private" in each.message)
    assert many in found.message


def test_who_is_banned_is_shown_on_the_way_to_a_public_address() -> None:
    """What the world sends comes to none of the network behind before it is translated."""
    bypassed = (
        "*nat\n-A PREROUTING -i wan0 -p tcp --dport 443 -j DNAT --to-destination 192.168.1.10\n"
        "COMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
        "-A INPUT -s 203.0.113.0/24 -j DROP\n-A INPUT -i lan0 -p tcp --dport 22 -j ACCEPT\n"
        "-A FORWARD -i wan0 -d 192.168.1.10 -p tcp --dport 443 -j ACCEPT\nCOMMIT\n"
    )
    (finding,) = lint([SourceFile("rules.v4", bypassed)], select=["IPT608"]).findings
    assert finding.witness is not None
    assert finding.witness.daddr == "192.0.2.10"


@pytest.mark.parametrize(
    ("rule", "followed"),
    [
        ("-A INPUT -p udp -j ACCEPT", True),
        ("-A INPUT -s 0.0.0.0/1 -p udp -j ACCEPT", True),
        ("-A INPUT -p udp --dport 1:65535 -j ACCEPT", True),
        ("-A INPUT ! -i lo -p udp -j ACCEPT", True),
        ("-A INPUT -p tcp -j ACCEPT", False),
        ("-A INPUT -p udp --dport 53 -j ACCEPT", False),
        ("-A INPUT -s 10.0.0.0/8 -j ACCEPT", False),
        ("-A INPUT -i lo -j ACCEPT", False),
        ("-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT", False),
    ],
)
def test_nobody_follows_what_no_rule_accepts_of_udp(
    rule: str, followed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(ipt602_accept_any, "exposure_among", lambda *given: asked.append(given))
    list(ipt602_accept_any.check(context_of(saved(rule, policy="DROP"))))
    assert bool(asked) is followed
