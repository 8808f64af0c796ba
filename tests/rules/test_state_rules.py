"""What the rules about connection state say, beyond what the fixtures show."""

from __future__ import annotations

import pytest

from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile

LO = "-A INPUT -i lo -j ACCEPT"
RUNNING = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
SSH = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"


def table(*rules: str, name: str = "filter", policy: str = "DROP", output: str = "ACCEPT") -> str:
    if name == "raw":
        return "\n".join(("*raw", *rules, "COMMIT", ""))
    policies = f":INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT {output} [0:0]"
    return "\n".join((f"*{name}", policies, *rules, "COMMIT", ""))


def nft(*rules: str, hook: str = "input", priority: str = "filter", policy: str = "drop") -> str:
    lines = "\n".join(f"        {rule}" for rule in rules)
    head = f"type filter hook {hook} priority {priority}; policy {policy};"
    return f"table inet filter {{\n    chain {hook} {{\n        {head}\n{lines}\n    }}\n}}\n"


def findings(text: str, code: str) -> list[Finding]:
    path = "rules.v4" if text.startswith("*") else "nftables.conf"
    found = lint([SourceFile(path, text)], select=(code,)).findings
    return [finding for finding in found if finding.code == code]


def one(text: str, code: str) -> Finding:
    (found,) = findings(text, code)
    return found


# -- IPT201


def test_no_rule_before_connection_tracking_is_to_accept_answers() -> None:
    """There nothing is established yet: such a rule would accept nothing."""
    early = table("-A PREROUTING -p tcp -m tcp ! --dport 22 -j DROP", name="raw")
    finding = one(early + table(LO, RUNNING, SSH), "IPT201")
    assert finding.fix is None
    assert "in a chain behind connection tracking" in finding.help


# -- IPT203


@pytest.mark.parametrize(
    ("rule", "mended"),
    [
        (
            "-A INPUT -m conntrack --ctstate INVALID,ESTABLISHED -j ACCEPT",
            "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT",
        ),
        (
            "-A INPUT -m state --state ESTABLISHED,RELATED,INVALID -j ACCEPT",
            "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT",
        ),
        (
            "-A INPUT -m conntrack ! --ctstate NEW -j ACCEPT",
            "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        ),
    ],
)
def test_the_line_is_written_without_invalid(rule: str, mended: str) -> None:
    found = one(table(LO, rule, SSH), "IPT203")
    assert found.advice == f"write: {mended}"
    assert "to any port" in found.message
    assert found.witness is not None
    assert found.witness.ct_state == "invalid"


@pytest.mark.parametrize(
    ("rule", "mended"),
    [
        ("ct state { established, related, invalid } accept", "{ established, related } accept"),
        ("ct state invalid,established accept", "ct state established accept"),
        ("ct state != new accept", "ct state established,related accept"),
    ],
)
def test_so_it_is_in_nft(rule: str, mended: str) -> None:
    assert one(nft('iifname "lo" accept', rule), "IPT203").help.endswith(mended)


def test_where_the_line_cannot_be_mended_invalid_is_dropped_before() -> None:
    rule = "ct state vmap { established : accept, invalid : accept }"
    found = one(nft('iifname "lo" accept', rule), "IPT203")
    assert found.advice == "add before it: ct state invalid drop"


def test_invalid_packets_to_a_port_that_only_they_may_reach() -> None:
    odd = "-A INPUT -p tcp -m tcp --dport 8022 -m conntrack --ctstate INVALID -j ACCEPT"
    assert "to closed ports" in one(table(LO, RUNNING, odd, SSH), "IPT203").message


def test_a_policy_that_accepts_what_is_not_new() -> None:
    found = one(table(LO, "-A INPUT -m conntrack --ctstate NEW -j DROP", policy="ACCEPT"), "IPT203")
    assert "by the policy of INPUT" in found.message
    assert found.advice == "add: -A INPUT -m conntrack --ctstate INVALID -j DROP"


# -- IPT204

UNTRACKED_80 = "-A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack"
WEB = "-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT"


def test_the_accept_gets_one_more_state() -> None:
    found = one(table(UNTRACKED_80, name="raw") + table(LO, RUNNING, WEB), "IPT204")
    assert "line 10 would accept them in state new" in found.message
    assert "the policy of INPUT drops them" in found.message
    assert found.advice == f"write: {WEB.replace('NEW', 'NEW,UNTRACKED')}"
    assert found.witness is not None
    assert (found.witness.dport, found.witness.ct_state) == (80, "untracked")


def test_without_a_state_to_name_untracked_packets_are_accepted_first() -> None:
    jump = "-A INPUT -m conntrack --ctstate NEW -j ACCEPT"
    called = jump.replace("ACCEPT", "web")
    text = table(":web - [0:0]", LO, RUNNING, called, "-A web -p tcp -m tcp --dport 80 -j ACCEPT")
    found = one(table(UNTRACKED_80, name="raw") + text, "IPT204")
    assert found.help.endswith("-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT")


def test_one_rule_is_told_once_though_first_packets_and_answers_are_lost() -> None:
    raw = table("-A PREROUTING -s 198.51.100.0/24 -j NOTRACK", name="raw")
    forward = (
        "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT",
        "-A FORWARD -i lan0 -m conntrack --ctstate NEW -j ACCEPT",
    )
    assert one(raw + table(LO, RUNNING, *forward), "IPT204").span.line == 2


def test_answers_to_untracked_packets_are_of_no_connection() -> None:
    """The kernel calls the SYN-ACK invalid, and an answer over udp new."""
    out = "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT"
    web = WEB.replace(" -m conntrack --ctstate NEW", "")
    found = one(table(UNTRACKED_80, name="raw") + table(LO, web, out, output="DROP"), "IPT204")
    assert "state invalid" in found.message
    assert found.help.endswith("-A OUTPUT -p tcp -m tcp --sport 80 -j CT --notrack")
    udp = table("-A OUTPUT -p udp -m udp --dport 53 -j NOTRACK", name="raw")
    found = one(udp + table(LO, RUNNING, SSH), "IPT204")
    assert "state new" in found.message
    assert found.help.endswith("-A PREROUTING -p udp -m udp --sport 53 -j NOTRACK")


def test_all_answers_lost_is_told_by_another_rule() -> None:
    raw = table("-A PREROUTING -p tcp -j NOTRACK", "-A OUTPUT -p tcp -j NOTRACK", name="raw")
    text = raw + table(LO, RUNNING, SSH)
    assert findings(text, "IPT204") == []
    assert len(findings(text, "IPT201")) == 1


# -- IPT205


def test_what_answers_a_question_to_all_is_no_answer_of_a_connection() -> None:
    found = one(table(LO, SSH, "-A INPUT -p udp -m udp --sport 5353 -j ACCEPT"), "IPT205")
    assert found.advice.startswith("ask for the destination port 5353 too")


def test_one_rule_for_both_protocols_is_told_once_and_others_each() -> None:
    rule = "meta l4proto { tcp, udp } th sport 53 accept"
    text = nft('iifname "lo" accept', "ct state established,related accept", rule)
    found = one(text, "IPT205")
    assert "from tcp port 53 reaches" in found.message
    assert found.advice == "delete it: answers are accepted by the state of their connection"


def test_without_a_rule_for_answers_one_is_proposed() -> None:
    found = one(table(LO, SSH, "-A INPUT -p udp -m udp --sport 0:1023 -j ACCEPT"), "IPT205")
    assert "from certain udp ports" in found.message
    assert found.advice.startswith("instead: -A INPUT -m conntrack")


def test_a_rule_that_closes_the_port_before_is_respected() -> None:
    ban = "-A INPUT -m conntrack --ctstate NEW -m udp -p udp --sport 0:1023 -j DROP"
    rule = "-A INPUT -p udp -m udp --sport 53 -j ACCEPT"
    assert findings(table(LO, ban, rule, SSH), "IPT205") == []
    mangle = "*mangle\n-A PREROUTING -p udp --sport 53 -m conntrack --ctstate NEW -j DROP\nCOMMIT\n"
    assert findings(mangle + table(LO, rule, SSH), "IPT205") == []


# -- IPT206, IPT207


def test_words_in_quotes_are_left_alone() -> None:
    rule = '-A INPUT -m state --state NEW -m comment --comment "-m state --state" -j ACCEPT'
    new = rule.replace("-m state --state NEW", "-m conntrack --ctstate NEW")
    assert one(table(LO, rule), "IPT206").help == f"write: {new}"


def test_pedantic_rules_are_silent_unless_they_are_asked_for() -> None:
    text = table(LO, RUNNING.replace("conntrack --ctstate", "state --state"), SSH)
    codes = {finding.code for finding in lint([SourceFile("rules.v4", text)]).findings}
    assert codes.isdisjoint({"IPT206", "IPT207"})


def test_the_drop_is_to_stand_before_the_rule() -> None:
    found = one(table(LO, RUNNING, SSH), "IPT207")
    assert found.advice.startswith("add before it: -A INPUT -p tcp ! --syn")
    assert found.witness is not None
    assert found.witness.tcp_flags == ("ack",)


# -- IPT208


def test_a_limit_that_accepts_is_no_limit_above() -> None:
    rule = "-A INPUT -p tcp -m hashlimit --hashlimit-upto 1mb/s --hashlimit-name a -j ACCEPT"
    found = one(table(LO, RUNNING, rule), "IPT208")
    assert found.advice == "above line 6, drop what is over the limit"
    assert found.severity is Severity.INFO
    assert found.confidence is Confidence.CERTAIN


@pytest.mark.parametrize(
    ("test", "advice"),
    [
        ("connbytes --connbytes 100000: --connbytes-dir both --connbytes-mode bytes", "move it "),
        ("quota --quota 100000", "above line 6, drop what is over the limit: this drops what is "),
    ],
)
def test_what_drops_below_a_limit_is_no_limit_above(test: str, advice: str) -> None:
    found = one(table(LO, RUNNING, f"-A INPUT -p tcp -m {test} -j DROP"), "IPT208")
    assert found.advice.startswith(advice)


# -- IPT209


def test_what_the_test_says_of_all_packets() -> None:
    early = {"hook": "prerouting", "priority": "raw", "policy": "accept"}
    found = one(nft("ct state invalid drop", **early), "IPT209")
    assert "holds for every packet here, what comes over lo aside" in found.message
    assert "all of them are dropped" in found.message
    assert "holds for no packet" in one(nft("ct state new accept", **early), "IPT209").message
    mixed = "ct state vmap { new : accept, invalid : drop }"
    assert "finds every packet invalid" in one(nft(mixed, **early), "IPT209").message


def test_behind_a_notrack_there_are_two_states() -> None:
    early = {"hook": "prerouting", "priority": "raw", "policy": "accept"}
    rules = ("udp dport 53 notrack", "ct state untracked accept", "ct state established accept")
    assert one(nft(*rules, **early), "IPT209").span.line == 6


def test_nothing_is_said_of_bridges() -> None:
    rule = nft("ct state invalid counter", hook="prerouting", priority="-300", policy="accept")
    assert findings(rule.replace("inet", "bridge"), "IPT209") == []
    assert len(findings(rule, "IPT209")) == 1


# -- IPT306


def test_a_name_of_a_used_set_is_told_at_the_rule_that_uses_it() -> None:
    text = nft("ip saddr @friends accept").replace(
        "    chain", "    set friends { type ipv4_addr; elements = { a.example.org } }\n    chain"
    )
    found = one(text, "IPT306")
    assert found.message.startswith("a.example.org is looked up once")
    assert "several addresses" in found.message
    assert found.span.text == "ip saddr @friends"


def test_the_name_itself_is_underlined() -> None:
    rule = "-A INPUT -s 192.0.2.1,Office.Example.org -p tcp -m tcp --dport 22 -j ACCEPT"
    found = one(table(LO, rule), "IPT306")
    assert found.span.text == "Office.Example.org"
    assert "iptables-restore refuses" in found.message


# -- whose rules they are


def test_chains_that_software_leaves_to_people_are_theirs() -> None:
    rule = "-A DOCKER-USER -m state --state ESTABLISHED -j RETURN"
    text = table(":DOCKER-USER - [0:0]", "-A FORWARD -j DOCKER-USER", rule)
    assert len(findings(text, "IPT206")) == 1
    assert findings(text.replace("DOCKER-USER", "DOCKER-CT"), "IPT206") == []


def test_a_command_of_a_script_is_corrected_as_one() -> None:
    text = "#!/bin/sh\niptables -t raw -A PREROUTING -m conntrack --ctstate INVALID -j DROP\n"
    found = lint([SourceFile("firewall.sh", text)], select=("IPT209",)).findings
    (moved,) = [finding.advice for finding in found if finding.code == "IPT209"]
    new = "iptables -t mangle -A PREROUTING -m conntrack --ctstate INVALID -j DROP"
    assert moved == f"write: {new}"


@pytest.mark.parametrize(
    ("rules", "severity"),
    [
        (["-A FORWARD -i lan0 -o wan0 -j ACCEPT"], Severity.ERROR),
        (
            [
                "-A FORWARD -i lan0 -o wan0 -p tcp -m tcp --dport 443 -j ACCEPT",
                "-A FORWARD -i wan0 -m conntrack --ctstate NEW -j DROP",
            ],
            Severity.ERROR,
        ),
        (["-A FORWARD -i lan0 -o wan0 -j ACCEPT", "-A FORWARD -i wan0 -o lan0 -j ACCEPT"], None),
    ],
)
def test_a_router_that_lets_no_answer_back(rules: list[str], severity: Severity | None) -> None:
    """That its rules name both interfaces leaves no doubt: the SYN+ACK comes in by wan0 and meets
    the policy, whatever other interfaces there are."""
    lines = "\n".join(rules)
    text = f"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n{lines}\nCOMMIT\n"
    found = findings(text, "IPT201")
    assert [(f.severity, f.confidence) for f in found] == (
        [(severity, Confidence.CERTAIN)] if severity else []
    )
    assert all("never return on wan0" in finding.message for finding in found)
