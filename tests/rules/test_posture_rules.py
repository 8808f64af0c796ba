"""What the rules about state, lockout and exposure say, beyond what the fixtures show."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

import iptlint
from iptlint.analysis.session import Settings
from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile
from tests.costs import at_most

CODES = ("IPT201", "IPT202", "IPT301", "IPT302", "IPT305", "IPT601", "IPT701")
LO = "-A INPUT -i lo -j ACCEPT"
RUNNING = "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
SSH = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"


def table(
    *rules: str,
    policy: str = "DROP",
    forward: str = "DROP",
    output: str = "ACCEPT",
    chains: str = "",
) -> str:
    declared = "".join(f":{name} - [0:0]\n" for name in chains.split())
    policies = f":INPUT {policy} [0:0]\n:FORWARD {forward} [0:0]\n:OUTPUT {output} [0:0]\n"
    return f"*filter\n{policies}{declared}" + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"


def findings(text: str, settings: Settings | None = None, path: str = "rules.v4") -> list[Finding]:
    return list(lint([SourceFile(path, text)], settings, select=CODES).findings)


def one(text: str, code: str, settings: Settings | None = None) -> Finding:
    (found,) = (f for f in findings(text, settings) if f.code == code)
    return found


def codes(text: str, settings: Settings | None = None) -> list[str]:
    return [finding.code for finding in findings(text, settings)]


# -- the whole way


def test_each_hook_lets_some_ssh_through_and_none_comes_through_them_all() -> None:
    mangle = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s 10.0.0.0/8 -j DROP\nCOMMIT\n"
    inside = SSH.replace("-A INPUT ", "-A INPUT -s 10.0.0.0/8 ")
    assert codes(table(LO, RUNNING, inside)) == []
    found = one(mangle + table(LO, RUNNING, inside), "IPT301")
    assert "drops most of the SYNs to port 22" in found.message
    elsewhere = mangle.replace("10.0.0.0/8", "10.1.0.0/16")
    assert codes(elsewhere + table(LO, RUNNING, inside)) == []


def test_a_mark_that_nobody_sets_is_no_way_in_where_all_are_marked() -> None:
    mangle = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MARK --set-mark 0x1\nCOMMIT\n"
    marked = SSH.replace("-A INPUT ", "-A INPUT -m mark --mark 0x2 ")
    assert codes(table(LO, RUNNING, marked)) == []
    assert "IPT301" in codes(mangle + table(LO, RUNNING, marked))
    assert codes(mangle.replace("0x1", "0x2") + table(LO, RUNNING, marked)) == []


def test_answers_that_are_untracked_are_not_established() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j CT --notrack\nCOMMIT\n"
    found = one(raw + table(LO, RUNNING, SSH), "IPT201")
    assert "untracked as they are" in found.message
    assert "UNTRACKED" in found.help
    untracked = "-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT"
    assert "IPT201" not in codes(raw + table(LO, RUNNING, untracked, SSH))


# -- IPT201


def test_a_sound_ruleset_is_silent() -> None:
    assert codes(table(LO, RUNNING, SSH)) == []


def test_no_answer_comes_back() -> None:
    found = one(table(LO, SSH), "IPT201")
    assert (found.severity, found.confidence) == (Severity.ERROR, Confidence.CERTAIN)
    assert found.span.text == ":INPUT DROP [0:0]"
    assert found.message == (
        "answers to connections this host opens never come back: no rule accepts them, "
        "and the policy of INPUT drops them"
    )
    assert found.help == f"add at the top of INPUT: {RUNNING}"
    assert found.witness is not None
    assert (found.witness.sport, found.witness.tcp_flags) == (443, ("syn", "ack"))
    assert found.witness.ct_state == "established"


def test_the_remedy_mends_it() -> None:
    for text in (
        table(LO, SSH),
        table(LO, SSH, "-A INPUT -j REJECT", policy="ACCEPT"),
        table(LO, SSH, "-A INPUT -j end", "-A end -j DROP", chains="end"),
    ):
        rule = one(text, "IPT201").help.partition(": ")[2]
        mended = text.replace(LO, f"{LO}\n{rule}")
        assert "IPT201" not in codes(mended)


def test_the_closing_rule_is_named() -> None:
    found = one(table(LO, SSH, "-A INPUT -j REJECT", policy="ACCEPT"), "IPT201")
    assert found.span.text == "-A INPUT -j REJECT"
    assert "before any rule accepts them, line 7 rejects them" in found.message
    assert found.help.startswith("add at the top of INPUT: -A INPUT ")


def test_only_some_come_back() -> None:
    found = one(
        table(LO, SSH, "-A INPUT -p tcp -m multiport --sports 53,80,443 -j ACCEPT"), "IPT201"
    )
    assert found.severity is Severity.WARNING
    assert "come back only from ports 53, 80 and 443" in found.message
    assert "no rule accepts established connections as such" in found.message
    assert [label.message for label in found.related] == ["these come back"]
    assert found.witness is not None
    assert found.witness.sport not in (53, 80, 443)


def test_only_a_network_answers() -> None:
    found = one(table(LO, "-A INPUT -s 10.0.0.0/8 -j ACCEPT"), "IPT201")
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.POSSIBLE)
    assert "only from certain addresses" in found.message


def test_opening_only_what_is_answered_is_enough() -> None:
    out = "-A OUTPUT -p tcp -m tcp --dport 443 -j ACCEPT"
    back = "-A INPUT -p tcp -m tcp --sport 443 -j ACCEPT"
    text = table(
        LO,
        SSH,
        back,
        out,
        "-A OUTPUT -o lo -j ACCEPT",
        "-A OUTPUT -p tcp -m tcp --sport 22 -j ACCEPT",
        output="DROP",
    )
    assert codes(text) == []


def test_interfaces_are_named() -> None:
    found = one(table(LO, "-A INPUT -i eth1 -j ACCEPT"), "IPT201")
    assert "never come back on any interface but eth1" in found.message
    assert found.severity is Severity.ERROR
    found = one(table("-A INPUT -i eth0 -j DROP", policy="ACCEPT"), "IPT201")
    assert "never come back on eth0" in found.message
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.POSSIBLE)


def test_answers_that_cannot_leave() -> None:
    found = one(table(LO, RUNNING, SSH, "-A OUTPUT -o lo -j ACCEPT", output="DROP"), "IPT201")
    assert found.span.text == ":OUTPUT DROP [0:0]"
    assert found.message.startswith("answers to connections that come in never leave: ")
    assert found.witness is not None
    assert (found.witness.hook, found.witness.sport) == ("output", 22)


def test_forwarded_answers() -> None:
    text = table(LO, RUNNING, SSH, "-A FORWARD -i eth1 -o eth0 -j ACCEPT")
    found = one(text, "IPT201")
    assert found.span.text == ":FORWARD DROP [0:0]"
    assert found.witness is not None
    assert (found.witness.iif, found.witness.oif) == ("eth0", "eth1")
    back = "-A FORWARD -i eth0 -o eth1 -m state --state ESTABLISHED,RELATED -j ACCEPT"
    assert codes(text.replace("COMMIT", f"{back}\nCOMMIT")) == []


def test_without_related() -> None:
    found = one(table(LO, RUNNING.replace(",RELATED", ""), SSH), "IPT201")
    assert found.severity is Severity.WARNING
    assert "path MTU discovery" in found.message
    assert [label.message for label in found.related] == ["accepts ESTABLISHED without RELATED"]
    assert found.witness is not None
    assert (found.witness.proto, found.witness.icmp_type) == ("icmp", 3)


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -p icmp -j ACCEPT",
        "-A INPUT -p icmp -m icmp --icmp-type 3/4 -j ACCEPT",
        "-A INPUT -m state --state RELATED -m limit --limit 10/s -j ACCEPT",
        "-A INPUT -m state ! --state NEW,INVALID,UNTRACKED -j ACCEPT",
    ],
)
def test_icmp_errors_come_in_otherwise(rule: str) -> None:
    assert codes(table(LO, RUNNING.replace(",RELATED", ""), SSH, rule)) == []


# -- IPT202


def test_it_is_not_safe_to_move_it_above_what_logs() -> None:
    """Running connections would no longer be logged there."""
    found = one(table(LO, *services(12), "-A INPUT -p tcp -j LOG", RUNNING, SSH), "IPT202")
    assert found.fix is not None
    assert not found.fix.safe


def services(count: int) -> list[str]:
    return [f"-A INPUT -p tcp -m tcp --dport {22 + n} -j ACCEPT" for n in range(count)]


@pytest.mark.parametrize(("count", "late"), [(8, False), (9, True)])
def test_the_threshold(count: int, late: bool) -> None:
    assert ("IPT202" in codes(table(LO, *services(count), RUNNING))) is late


def test_the_count() -> None:
    found = one(table(LO, *services(12), "-A INPUT -s 192.0.2.1 -j DROP", RUNNING), "IPT202")
    assert found.fix is not None
    assert found.fix.safe
    assert found.span.text == RUNNING
    assert (
        "compared with 14 rules (2 of which ban someone, only count, log or mark, or are for lo)"
        in found.message
    )


def test_an_accept_for_each_service_is_not_late() -> None:
    """To move the one for web servers to the top would bring the answers of no other up."""
    web = "-A INPUT -p tcp -m tcp --sport 443 -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    assert "IPT202" not in codes(table(LO, *services(12), web))
    assert "IPT202" in codes(table(LO, *services(12), web.replace("-m tcp --sport 443 ", "")))


def test_what_counts_the_packets_of_each_host_has_to_see_those_of_connections() -> None:
    """Above them the accept would leave them nothing but first packets to count."""
    counting = [f"-A INPUT -s 192.0.2.{n}" for n in range(1, 40)]
    assert codes(table(LO, *counting, RUNNING, SSH)) == []
    found = one(table(LO, *counting, *services(12), RUNNING), "IPT202")
    assert found.help == "move it above line 45"


def test_chains_are_followed() -> None:
    inner = [rule.replace("INPUT", "tcp") for rule in services(12)]
    text = table(LO, "-A INPUT -p udp -j tcp", RUNNING, SSH, *inner, chains="tcp")
    assert codes(text) == []
    found = one(text.replace("-p udp", "-p tcp"), "IPT202")
    assert (
        "compared with 14 rules (1 of which ban someone, only count, log or mark, or are for lo)"
        in found.message
    )


def test_a_chain_that_returns_early_costs_little() -> None:
    inner = [rule.replace("INPUT", "tcp") for rule in services(12)]
    text = table(
        LO,
        "-A INPUT -j tcp",
        RUNNING,
        "-A tcp -m state ! --state NEW -j RETURN",
        *inner,
        chains="tcp",
    )
    assert codes(text) == []


# -- IPT301


@pytest.mark.parametrize(
    ("rules", "output", "words", "line"),
    [
        ((LO, RUNNING), "ACCEPT", "the policy of INPUT drops the SYNs to port 22", 2),
        (
            (LO, RUNNING, "-A INPUT -p tcp --dport 22 -j DROP", SSH),
            "ACCEPT",
            "line 7 drops the SYNs to port 22",
            7,
        ),
        (
            (LO, RUNNING, SSH, "-A OUTPUT -p tcp --sport 22 -j REJECT"),
            "ACCEPT",
            "the SYN to port 22 comes in, but line 8 rejects the SYN-ACKs on their way out",
            8,
        ),
        (
            (LO, "-A INPUT -p tcp --syn --dport 22 -j ACCEPT"),
            "ACCEPT",
            "the SYN-ACK leaves, but the policy of INPUT drops the ACKs",
            2,
        ),
    ],
)
def test_the_step_and_the_line(rules: tuple[str, ...], output: str, words: str, line: int) -> None:
    found = one(table(*rules, output=output), "IPT301")
    assert words in found.message
    assert found.span.line == line


@pytest.mark.parametrize(
    ("rules", "severity"),
    [
        ((LO, RUNNING), Severity.INFO),
        ((LO, RUNNING, "-A INPUT -s 10.0.0.0/8 -p tcp --dport 443 -j ACCEPT"), Severity.WARNING),
        ((LO, RUNNING, "-A INPUT -p tcp --dport 443 -j ACCEPT"), Severity.ERROR),
        ((LO, RUNNING, "-A INPUT -p udp --dport 51820 -j ACCEPT"), Severity.ERROR),
        # Of a desktop that downloads, or a server whose sshd listens there: nothing says which.
        ((LO, RUNNING, "-A INPUT -p tcp --dport 6999 -j ACCEPT"), Severity.INFO),
        (
            (
                LO,
                RUNNING,
                "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT",
                "-A INPUT -p tcp --dport 6999 -j ACCEPT",
            ),
            Severity.INFO,
        ),
        # DHCP and mDNS are of every machine on the link.
        ((LO, RUNNING, "-A INPUT -p udp -m multiport --dports 68,5353 -j ACCEPT"), Severity.INFO),
        ((LO, RUNNING, "-A INPUT -p tcp --dport 22 -j DROP", SSH), Severity.ERROR),
        ((LO, RUNNING, SSH, "-A OUTPUT -p tcp --sport 22 -j REJECT"), Severity.ERROR),
    ],
)
def test_it_is_as_grave_as_ssh_is_wanted(rules: tuple[str, ...], severity: Severity) -> None:
    """A machine that lets nobody in is one that somebody sits at, for all its rules say."""
    assert one(table(*rules), "IPT301").severity is severity


def test_the_rule_for_ssh_comes_before_all_that_drop_it() -> None:
    """Behind the call it would see nothing that is for the host's address."""
    rules = (LO, RUNNING, "-A INPUT -d 192.0.2.10 -j own", "-A own -j DROP")
    found = one(table(*rules, chains="own"), "IPT301")
    assert "add at the top of INPUT: -A INPUT -p tcp" in found.help


def test_the_ssh_remedy_mends_it() -> None:
    for text in (
        table(LO, RUNNING),
        table(LO, RUNNING, "-A INPUT -j end", "-A end -j DROP", chains="end"),
        table(LO, "-A INPUT -p tcp --syn --dport 22 -j ACCEPT"),
    ):
        rule = one(text, "IPT301").advice.partition(": ")[2].partition(" (or")[0]
        assert "IPT301" not in codes(text.replace(LO, f"{LO}\n{rule}"))


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -p tcp --dport 2222 -j ACCEPT",
        "-A INPUT -p tcp -m multiport --dports 80,443,22022 -j ACCEPT",
        '-A INPUT -p tcp --dport 4711 -m comment --comment "sshd" -j ACCEPT',
        "-A INPUT -i wg0 -j ACCEPT",
        "-A INPUT -s 192.0.2.1 -p tcp --dport 22 -j ACCEPT",
        "-A INPUT -p tcp --dport 22 -m recent --rcheck --name K -j ACCEPT",
        "-A INPUT -p tcp --dport 22 -m hashlimit --hashlimit-upto 3/min --hashlimit-name s "
        "-j ACCEPT",
        "-A INPUT -p tcp --dport 22 -m time --timestart 08:00 --timestop 18:00 -j ACCEPT",
        "-A INPUT -p tcp --dport 22 -m mark --mark 1 -j ACCEPT",
        "-A INPUT -m set --match-set admins src -j ACCEPT",
        "-A INPUT -p tcp --dport 22 -j NFQUEUE --queue-num 1",
        "-A INPUT -m policy --dir in --pol ipsec -j ACCEPT",
    ],
)
def test_somebody_gets_in(rule: str) -> None:
    assert "IPT301" not in codes(table(LO, RUNNING, rule))


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -p udp --dport 2222 -j ACCEPT",
        "-A INPUT -p tcp --sport 22 -j ACCEPT",
        "-A INPUT -p tcp --dport 8080 -j ACCEPT",
        "-A INPUT -p tcp --dport 2000:2500 -j ACCEPT",
        "-A INPUT -p tcp --dport 22 -m state --state ESTABLISHED -j ACCEPT",
        "-A INPUT -i lo -p tcp --dport 22 -j ACCEPT",
        '-A INPUT -p udp --dport 4711 -m comment --comment "not ssh" -j ACCEPT',
        "-A FORWARD -p tcp --dport 22 -j ACCEPT",
    ],
)
def test_nobody_gets_in(rule: str) -> None:
    assert "IPT301" in codes(table(LO, RUNNING, rule))


def test_said_ports_are_believed() -> None:
    text = table(LO, RUNNING, "-A INPUT -p tcp --dport 2222 -j ACCEPT")
    assert codes(text, Settings(ssh_ports=(2222,))) == []
    assert codes(text, Settings(ssh_ports=(2200,))) == ["IPT301"]
    found = one(text, "IPT301", Settings(ssh_ports=(2200, 2201)))
    assert "port 2200 or 2201" in found.message


def test_another_table_drops_it() -> None:
    mangle = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 22 -j DROP\nCOMMIT\n"
    redirect = "-A PREROUTING -p tcp --dport 2022 -j REDIRECT --to-ports 22"
    nat = f"*nat\n:PREROUTING ACCEPT [0:0]\n{redirect}\nCOMMIT\n"
    found = one(mangle + CLOSED, "IPT301")
    assert found.message.endswith("line 3 of the mangle table drops the SYNs to port 22")
    assert codes(mangle + nat + CLOSED) == []
    assert codes(mangle.replace("-p tcp", "-s 192.0.2.1 -p tcp") + CLOSED) == []
    assert codes(mangle.replace("mangle", "raw") + CLOSED) == ["IPT301"]
    assert codes(mangle) == ["IPT301"]
    assert codes(mangle + CLOSED.replace("--dport 22", "--dport 2222")) == []
    stateful = mangle.replace("mangle", "raw").replace("-p tcp", "-m state --state NEW -p tcp")
    assert codes(stateful + CLOSED) == []


def test_untracked_ssh() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 22 -j NOTRACK\nCOMMIT\n"
    rule = "-A INPUT -p tcp --dport 22 -m conntrack --ctstate UNTRACKED -j ACCEPT"
    assert "IPT301" in codes(table(LO, RUNNING, rule))
    assert "IPT301" not in codes(raw + table(LO, RUNNING, rule))


# -- IPT302


def managed(*networks: str) -> Settings:
    return Settings(management_networks=tuple(ip_network(text) for text in networks))


def test_an_address_that_is_locked_out() -> None:
    text = table(LO, RUNNING, SSH.replace("-p tcp", "-s 10.0.0.0/9 -p tcp", 1))
    found = one(text, "IPT302", managed("10.0.0.0/8"))
    assert found.witness is not None
    assert found.witness.saddr is not None
    assert found.witness.saddr.startswith("10.1") or found.witness.saddr.startswith("10.2")
    assert found.witness.saddr in found.message
    assert "of the management network 10.0.0.0/8, cannot open an SSH connection" in found.message
    assert "-s 10.0.0.0/8 -p tcp" in found.help


def test_each_network_and_only_of_the_family() -> None:
    text = table(LO, RUNNING, SSH.replace("-p tcp", "-s 10.0.0.0/8 -p tcp", 1))
    networks = managed("192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32", "198.51.100.1/32")
    assert codes(text, networks) == ["IPT302", "IPT302"]


def test_any_interface_will_do() -> None:
    text = table(LO, RUNNING, "-A INPUT -i tun0 -s 10.0.0.0/8 -j ACCEPT")
    assert codes(text, managed("10.0.0.0/8")) == []


# -- IPT201, over both


def test_answers_that_are_lost_over_both_are_told_of_once() -> None:
    """Over IPv4 some come back, and over IPv6 none: one rule mends it."""
    rules = "iifname lo accept\n  ip saddr 192.0.2.9 accept\n  drop\n"
    text = f"table inet f {{\n chain c {{\n  type filter hook input priority 0;\n  {rules} }}\n}}\n"
    (told,) = lint([SourceFile("a.nft", text)], select=("IPT201",)).findings
    assert told.severity is Severity.ERROR
    assert "over IPv6" in told.message


# -- IPT305


def test_loopback() -> None:
    found = one(table(RUNNING, SSH.replace("-p", "-i eth0 -p", 1)), "IPT305")
    assert found.span.text == ":INPUT DROP [0:0]"
    assert found.help == "add at the top of INPUT: -A INPUT -i lo -j ACCEPT"
    assert found.witness is not None
    assert (found.witness.iif, found.witness.saddr) == ("lo", "127.0.0.1")


# -- IPT601


@pytest.mark.parametrize(
    ("rules", "port"),
    [((RUNNING, SSH), 3306), ((RUNNING, SSH, "-A INPUT -p tcp --dport 3306 -j DROP"), 80)],
)
def test_the_example_of_an_open_host_is_a_service_that_people_know(
    rules: tuple[str, ...], port: int
) -> None:
    told = one(table(*rules, policy="ACCEPT"), "IPT601")
    assert told.witness is not None
    assert told.witness.dport == port


@pytest.mark.parametrize(
    ("rules", "policy", "words"),
    [
        ((), "ACCEPT", "its policy accepts every new connection that no rule denies"),
        ((RUNNING, SSH), "ACCEPT", "; its 2 accept rules decide nothing: what they"),
        ((SSH,), "ACCEPT", "; its accept rule decides nothing: what it does not"),
        (
            (SSH, "-A INPUT -p udp --dport 53 -j ACCEPT", "-A INPUT -p tcp --dport 22 -j DROP"),
            "ACCEPT",
            "; 1 of its 2 accept rules decide nothing",
        ),
        (("-A INPUT -j ACCEPT",), "ACCEPT", "line 5 accepts every new connection"),
    ],
)
def test_open_by_default(rules: tuple[str, ...], policy: str, words: str) -> None:
    found = one(table(*rules, policy=policy), "IPT601")
    assert words in found.message
    assert found.severity is Severity.WARNING
    assert found.witness is not None


def test_the_rule_that_opens_decides() -> None:
    assert "decide" not in one(table("-A INPUT -j ACCEPT", policy="ACCEPT"), "IPT601").message


@pytest.mark.parametrize(
    "rules",
    [
        ("-A INPUT -s 192.0.2.1 -j DROP",),
        ("-A INPUT -d 192.0.2.1 -j DROP", SSH),
        ("-A INPUT -i eth0 -j DROP", SSH),
        ("-A INPUT -m limit --limit 9/s -j ACCEPT", "-A INPUT -j DROP"),
    ],
)
def test_not_open(rules: tuple[str, ...]) -> None:
    assert "IPT601" not in codes(table(*rules, policy="ACCEPT"))


def test_forward_needs_a_reason() -> None:
    sound = (LO, RUNNING, SSH)
    assert codes(table(*sound, forward="ACCEPT")) == []
    assert codes(table(*sound, "-A FORWARD -j LOG", forward="ACCEPT")) == ["IPT601"]
    nat = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n"
    assert codes(nat + table(*sound, forward="ACCEPT")) == ["IPT601"]
    docker = nat.replace("[0:0]\n", "[0:0]\n:DOCKER - [0:0]\n", 1)
    assert codes(docker + table(*sound, forward="ACCEPT")) == []


# -- IPT701

CLOSED = table(LO, RUNNING, SSH)
OPEN = table(policy="ACCEPT")


def pairs(*files: tuple[str, str]) -> list[tuple[str, int]]:
    sources = [SourceFile(path, text) for path, text in files]
    found = lint(sources, select=["IPT701"]).findings
    return [(finding.span.source.path, finding.span.line) for finding in found]


@pytest.mark.parametrize(
    ("four", "six"),
    [
        ("rules.v4", "rules.v6"),
        ("/etc/sysconfig/iptables", "/etc/sysconfig/ip6tables"),
        ("iptables.rules", "ip6tables.rules"),
        ("ipv4.rules", "ipv6.rules"),
        ("four/iptables.save", "six/ip6tables.save"),
        ("a/mine.v4", "a/other.v6"),
    ],
)
def test_pairs(four: str, six: str) -> None:
    assert pairs((four, CLOSED), (six, OPEN)) == [(six, 2)]
    assert pairs((six, OPEN), (four, CLOSED)) == [(six, 2)]
    assert pairs((four, CLOSED), (six, CLOSED)) == []
    assert pairs((four, OPEN), (six, OPEN)) == []
    assert pairs((four, CLOSED)) == []
    assert pairs((six, OPEN)) == []


def test_who_belongs_to_whom() -> None:
    assert pairs(("a/x.v4", CLOSED), ("b/y.v6", OPEN)) == []
    assert pairs(("a/x.v4", CLOSED), ("a/y.v4", CLOSED), ("a/z.v6", OPEN)) == []
    assert pairs(("a/x.v4", CLOSED), ("b/x.v4", OPEN), ("b/x.v6", OPEN)) == []
    hosts = (("a/x.v4", CLOSED), ("a/x.v6", OPEN), ("b/x.v4", CLOSED), ("b/x.v6", CLOSED))
    assert pairs(*hosts) == [("a/x.v6", 2)]


def test_an_ip6_file_without_a_table() -> None:
    assert pairs(("rules.v4", CLOSED), ("rules.v6", "# nothing here\n")) == [("rules.v6", 1)]


def test_what_it_says() -> None:
    sources = [SourceFile("rules.v4", CLOSED), SourceFile("rules.v6", OPEN)]
    (found,) = lint(sources, select=["IPT701"]).findings
    assert found.message == (
        "IPv6 is open while IPv4 denies by default: the policy of INPUT accepts new "
        "connections that no rule names"
    )
    assert [(label.span.source.path, label.span.line) for label in found.related] == [
        ("rules.v4", 2)
    ]
    assert found.witness is not None
    assert found.witness.family == "ip6"


# -- all of them


def test_speed() -> None:
    from iptlint.analysis.session import Context
    from iptlint.rules.registry import rule_of

    hosts = [
        f"-A INPUT -s 10.{n >> 8}.{n & 255}.{n * 7 % 256} -p tcp --dport {n} -j ACCEPT"
        for n in range(1, 6000)
    ]
    ruleset = iptlint.read(table(LO, *hosts, RUNNING, "-A FORWARD -j LOG", forward="ACCEPT"))
    context = Context((ruleset,), managed("10.0.0.0/8"))
    list(context.analyses())
    with at_most(5):  # about 0.5 s on an idle machine
        found = {f.code for code in CODES for f in rule_of(code).check(context)}
    assert found == {"IPT202", "IPT302", "IPT601"}
