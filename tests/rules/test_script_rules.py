"""IPT303, IPT304 and IPT403: what they say of scripts, and what others propose for them."""

from __future__ import annotations

from pathlib import Path

import pytest

import iptlint
from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile
from tests.costs import at_most

LO = "iptables -A INPUT -i lo -j ACCEPT"
RUNNING = "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
SSH = "iptables -A INPUT -p tcp --dport 22 -j ACCEPT"
SHUT = "iptables -P INPUT DROP"
SAVED = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
"""


def found(*lines: str, codes: tuple[str, ...], path: str = "firewall.sh") -> list[Finding]:
    text = "\n".join(("#!/bin/sh", *lines, ""))
    return list(lint([SourceFile(path, text)], select=codes).findings)


def places(*lines: str, codes: tuple[str, ...]) -> list[tuple[str, int]]:
    return [(finding.code, finding.span.line) for finding in found(*lines, codes=codes)]


# -- IPT303 -------------------------------------------------------------------


def test_it_names_where_running_sessions_and_where_new_ones_are_back() -> None:
    (finding,) = found(SHUT, LO, RUNNING, SSH, codes=("IPT303",))
    assert (finding.severity, finding.confidence) == (Severity.ERROR, Confidence.CERTAIN)
    assert "until line 4, and for new connections until line 5" in finding.message
    assert [label.span.line for label in finding.related] == [4, 5]
    assert "after line 5" in finding.help
    assert "iptables-apply" in finding.help
    assert "iptables-restore" in finding.help


def test_one_line_may_bring_back_both() -> None:
    (finding,) = found(SHUT, LO, SSH, codes=("IPT303",))
    assert "until line 4, unless" in finding.message
    assert [label.span.line for label in finding.related] == [4]


@pytest.mark.parametrize("kind", ["multicast", "broadcast"])
def test_nobody_opens_a_connection_by_what_is_sent_to_many(kind: str) -> None:
    to_many = f"iptables -A INPUT -m pkttype --pkt-type {kind} -j ACCEPT"
    (finding,) = found(SHUT, LO, RUNNING, to_many, SSH, codes=("IPT303",))
    assert "for new connections until line 6" in finding.message


@pytest.mark.parametrize(
    ("between", "severity"),
    [("echo closed", Severity.INFO), ("sleep 30", Severity.WARNING)],
)
def test_new_connections_alone_matter_where_the_script_waits(
    between: str, severity: Severity
) -> None:
    (finding,) = found(RUNNING, SHUT, between, SSH, codes=("IPT303",))
    assert finding.severity is severity
    assert "a running session lives on" in finding.message


def test_each_gap_is_one_finding() -> None:
    """In the second round the rules of the first still let in until they are flushed."""
    round_ = (SHUT, "iptables -F", RUNNING, SSH, "iptables -P INPUT ACCEPT")
    assert places(*round_, *round_, codes=("IPT303",)) == [("IPT303", 2), ("IPT303", 8)]


def test_a_gap_is_of_what_is_certain() -> None:
    assert not found("[ -e /x ] && iptables -P INPUT DROP", RUNNING, SSH, codes=("IPT303",))
    assert not found(SHUT, 'iptables -A INPUT -i "$(wan)" -j ACCEPT', codes=("IPT303", "IPT301"))[
        1:
    ]


def test_both_families_cut_off_by_one_loop_are_told_once() -> None:
    both = ("for t in iptables ip6tables; do", "$t -P INPUT DROP", "$t -A INPUT -j ACCEPT", "done")
    (finding,) = found(*both, codes=("IPT303",))
    assert "IPv6" not in finding.message


@pytest.mark.parametrize("rule", ["-s 198.51.100.{} -j DROP", "-p tcp --dport 10{} -j ACCEPT"])
@pytest.mark.parametrize("shut_first", [True, False])
def test_a_long_script_takes_seconds(rule: str, shut_first: bool) -> None:
    rules = [f"iptables -A INPUT {rule.format(n % 250)}" for n in range(600)]
    lines = (SHUT, *rules, RUNNING, SSH) if shut_first else (RUNNING, SSH, *rules, SHUT)
    with at_most(10):
        findings = found(*lines, codes=("IPT303",))
    assert len(findings) == shut_first


# -- the start ----------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "rules.v4"
    file.write_text(SAVED)
    return file


def test_the_start_decides_what_a_flush_does(saved: Path) -> None:
    text = "\n".join(("#!/bin/sh", "iptables -F", LO, RUNNING, SSH, ""))
    codes = ("IPT303", "IPT304")
    assert not iptlint.lint(text, select=codes)
    assert [f.code for f in iptlint.lint(text, select=codes, start=saved)] == ["IPT303"]


def test_a_flush_of_what_was_there_before(saved: Path) -> None:
    text = "#!/bin/sh\niptables -F\n"
    (finding,) = iptlint.lint(text, select=("IPT301", "IPT304"), start=saved)
    assert (finding.code, finding.span.line) == ("IPT304", 2)
    assert finding.advice == "add before it: iptables -P INPUT ACCEPT"


# -- IPT304 -------------------------------------------------------------------


def test_a_flush_is_the_one_cause() -> None:
    codes = ("IPT301", "IPT303", "IPT304")
    assert places(SHUT, SSH, "iptables -F", codes=codes) == [("IPT304", 4)]
    assert places("iptables -F", SHUT, codes=codes) == [("IPT301", 3)]
    assert places(SHUT, SSH, "iptables -F", LO, codes=codes) == [("IPT301", 2)]


def test_a_flush_of_the_other_family_is_none() -> None:
    assert places(SHUT, "ip6tables -F", codes=("IPT301", "IPT304")) == [("IPT301", 2)]


# -- IPT403 -------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/etc/network/if-pre-up.d/iptables", "/etc/rc.local", "/etc/init.d/firewall", "entrypoint.sh"],
)
def test_a_place_where_something_runs_it(path: str) -> None:
    assert not found(SHUT, SSH, codes=("IPT403",), path=path)


def test_it_says_how_to_save() -> None:
    (finding,) = found(SHUT, SSH, codes=("IPT403",))
    assert finding.confidence is Confidence.POSSIBLE
    assert "netfilter-persistent save" in finding.help


@pytest.mark.parametrize(
    ("saving", "says"),
    [
        ("iptables-save > /etc/iptables/rules.v4", "after the next boot the IPv6 rules"),
        ("service iptables save", "after the next boot the IPv6 rules"),
        ("ip6tables-save > /etc/iptables/rules.v6", "after the next boot the IPv4 rules"),
        ("ipset save > /etc/ipset.conf", "after the next boot the rules"),
        ("netfilter-persistent save", None),
        ("/etc/init.d/iptables-persistent save", None),
        ("iptables-save > /etc/iptables/rules.v4; ip6tables-save > /etc/iptables/rules.v6", None),
        ("nft list ruleset > /etc/nftables.conf", None),
    ],
)
def test_the_family_that_is_not_saved(saving: str, says: str | None) -> None:
    over_ipv6 = [line.replace("iptables", "ip6tables") for line in (SHUT, SSH)]
    findings = found(SHUT, SSH, *over_ipv6, saving, codes=("IPT403",))
    assert [each.message.partition(" of this")[0] for each in findings] == ([says] if says else [])


def test_what_is_saved_before_is_a_copy_of_what_was_there() -> None:
    (finding,) = found("iptables-save > /root/before", SHUT, SSH, codes=("IPT403",))
    assert "is what was there before" in finding.message
    assert not found(SHUT, "iptables-save > /root/rules", SSH, codes=("IPT403",))


@pytest.mark.parametrize(
    "saving", ["iptables-save", "sudo iptables-save", "/sbin/iptables-save -c"]
)
def test_what_is_printed_is_not_saved(saving: str) -> None:
    """iptables-save(8) writes to the standard output."""
    (finding,) = found(SHUT, SSH, saving, codes=("IPT403",))
    assert "line 4 prints them, and writes them to no file" in finding.message


@pytest.mark.parametrize(
    "saving",
    [
        "iptables-save | tee /etc/fw",
        "iptables-save -f /etc/fw",
        "rules=$(iptables-save)",
        "{ iptables-save; } > /etc/fw",
    ],
)
def test_what_goes_somewhere_may_be_kept(saving: str) -> None:
    assert not found(SHUT, SSH, saving, codes=("IPT403",))


# -- what other rules propose -------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "code", "help"),
    [
        ((LO, RUNNING), "IPT601", "`iptables -P INPUT DROP`"),
        ((SHUT, LO, RUNNING), "IPT301", "add: iptables -A INPUT -p tcp"),
        (("ip6tables -P INPUT DROP", "ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT"), "IPT702",
         "ip6tables -A INPUT"),
        (("iptables-restore <<X", *SAVED.split("\n")[:4], "COMMIT", "X"), "IPT301",
         "add: -A INPUT"),
    ],
)  # fmt: skip
def test_a_remedy_is_a_command(lines: tuple[str, ...], code: str, help: str) -> None:
    assert help in found(*lines, codes=(code,))[0].help


def test_a_remedy_for_nft_is_one_of_its_commands() -> None:
    base = "nft add chain inet host input '{ type filter hook input priority 0; policy drop; }'"
    (finding, *_) = found("nft add table inet host", base, codes=("IPT301",))
    assert "nft add rule inet host input tcp dport 22 ct state new accept" in finding.help


def test_a_line_of_a_loop_is_not_to_be_deleted() -> None:
    wide = "iptables -A INPUT -s 192.0.2.0/24 -p tcp --dport 80 -j ACCEPT"
    narrow = "iptables -A INPUT -s 192.0.2.0/25 -p tcp --dport $p -j ACCEPT"
    loop = ("for p in 80 {}; do", narrow, "done")
    some, all_ = ((SHUT, wide, *(line.format(more) for line in loop)) for more in ("443", ""))
    assert "keep the line" in found(*some, codes=("IPT102",))[0].help
    assert found(*all_, codes=("IPT102",))[0].advice == "delete it"


def test_a_continued_line_is_proposed_as_one() -> None:
    rules = (
        f"iptables -A INPUT -p tcp \\\n  --dport {port} -j ACCEPT"
        for port in (25, 110, 143, 465, 587)
    )
    (finding,) = found(SHUT, *rules, codes=("IPT502",))
    assert "-A INPUT -p tcp -m multiport --dports 25,110,143,465,587 -j ACCEPT" in finding.help


def test_of_nft_commands_it_speaks_as_nft_does() -> None:
    base = "nft add chain inet host output '{ type filter hook output priority 0; }'"
    rule = "nft add rule inet host output iifname lo accept"
    (finding,) = found("nft add table inet host", base, rule, codes=("IPT103",))
    assert "nothing passes `iifname lo`" in finding.message


def test_who_is_let_in_again_may_be_another_where_that_is_not_known() -> None:
    lines = ("iptables -P INPUT DROP", "iptables -P OUTPUT DROP", SSH, RUNNING)
    lines += ("iptables -A OUTPUT -d $(get-address) -j ACCEPT", "iptables -A OUTPUT -j ACCEPT")
    (finding,) = found(*lines, codes=("IPT303",))
    assert "at least until line" in finding.message
    (finding,) = found(*lines[:4], lines[5], codes=("IPT303",))
    assert "at least" not in finding.message


@pytest.mark.parametrize("some", ["-i ppp+", "-s 10.0.0.0/8", "-i eth1 -p tcp --dport 22"])
def test_the_first_who_gets_in_again_may_not_be_the_one_who_is_cut_off(some: str) -> None:
    """Who comes by another way is let in by a line further down: a policy that is set behind the
    first would cut him off."""
    lines = (SHUT, f"iptables -A INPUT {some} -j ACCEPT", RUNNING, SSH)
    (finding,) = found(*lines, codes=("IPT303",))
    assert "at least until line 3" in finding.message
    assert [label.message for label in finding.related] == ["from here on SSH works for some again"]
    assert "only after the last accept" in finding.help
    (whole,) = found(*lines[:2], codes=("IPT303",))
    assert "at least" not in whole.message


def test_so_it_is_with_those_to_whom_answers_may_leave() -> None:
    """A rule for the answers to a name server lets in nobody's SSH but that one's."""
    lines = (SHUT, "iptables -P OUTPUT DROP", SSH, RUNNING)
    some = "iptables -A OUTPUT -d 192.0.2.53 -j ACCEPT"
    (finding,) = found(*lines, some, "iptables -A OUTPUT -o eth0 -j ACCEPT", codes=("IPT303",))
    assert "at least until line 6" in finding.message
    (whole,) = found(*lines, some, codes=("IPT303",))
    assert "at least" not in whole.message


def test_nobody_is_logged_in_while_a_container_starts() -> None:
    assert found(SHUT, LO, SSH, codes=("IPT303",))
    assert not found(SHUT, LO, SSH, 'exec "$@"', codes=("IPT303",))


def test_loopback_of_ipv6_alone_is_told_as_that() -> None:
    six = [line.replace("iptables", "ip6tables") for line in (SHUT, RUNNING, SSH)]
    (finding,) = found(SHUT, LO, RUNNING, SSH, *six, codes=("IPT305",))
    assert "by IPv6" in finding.message


@pytest.mark.parametrize(
    ("command", "confidence"),
    [
        ("iptables -A INPUT -i lo -j ACCEPT --nosuch", Confidence.POSSIBLE),
        ("iptables -A INPUT -i $LO -j ACCEPT", Confidence.POSSIBLE),
        ("iptables -A INPUT -i lo -m state $STATES -j ACCEPT", Confidence.POSSIBLE),
        ("iptables -A INPUT -s $LO -j ACCEPT", Confidence.CERTAIN),
        ("iptables -D INPUT -i lo -j ACCEPT", Confidence.CERTAIN),
        ("iptables -A INPUT -i eth0 -j ACCEPT --nosuch", Confidence.CERTAIN),
        ("iptables -A OUTPUT -o lo -j ACCEPT --nosuch", Confidence.CERTAIN),
    ],
)
def test_a_rule_for_loopback_that_is_refused_leaves_a_doubt(
    command: str, confidence: Confidence
) -> None:
    """That it is refused is a finding already, and the cause of this one."""
    told = found(SHUT, command, RUNNING, SSH, codes=("IPT305",))
    (finding,) = (each for each in told if each.code == "IPT305")
    assert finding.confidence is confidence
    lines = [label.span.line for label in finding.related]
    assert lines == ([3] if confidence is Confidence.POSSIBLE else [])


@pytest.mark.parametrize("rule", ["-i lo $ACCEPTED", "-i lo -m $ACCEPTED -j ACCEPT"])
def test_a_variable_may_hold_the_target_of_a_rule(rule: str) -> None:
    assert not found(SHUT, f"iptables -A INPUT {rule}", RUNNING, SSH, codes=("IPT305",))


def test_a_chain_that_something_else_may_have_made() -> None:
    """A plugin adds to the chains of the script that carries it out."""
    (finding,) = found("iptables -A EXT_INPUT -p udp --dport 500 -j ACCEPT", codes=("IPT006",))
    assert "unless something else has, this command fails" in finding.message
    rule = "iptables -A EXT_INPUT -p udp --dport 500 -j ACCEPT"
    assert not found(". /usr/share/firewall/environment", rule, codes=("IPT006",))


# -- who really does it ------------------------------------------------------------------------


def only(code: str, text: str) -> list[Finding]:
    return found(text, codes=(code,))


def test_a_rule_that_may_drop_nothing_is_not_named_among_those_that_drop() -> None:
    limited = "iptables -A INPUT -m limit --limit 1/min -j DROP\n"
    named = "iptables -A INPUT -s 198.51.100.0/24 -j DROP\n"
    (finding,) = only("IPT301", f"iptables -P INPUT DROP\n{limited}{named}")
    assert "(line 4 the others)" in finding.message
    assert [label.span.line for label in finding.related] == [4]


def test_the_help_names_the_call_that_this_rule_s_packets_take() -> None:
    text = (
        "iptables -N WEB\niptables -A WEB -j ACCEPT\n"
        "iptables -A INPUT -p tcp --dport 80 -j WEB\n"
        "iptables -A INPUT -p tcp --dport 443 -j WEB\n"
        "iptables -A INPUT -p tcp --dport 443 -j DROP\n"
    )
    (finding,) = only("IPT101", text)
    assert "move it above line 5" in finding.help


def test_a_misspelt_chain_has_a_help() -> None:
    (finding,) = only("IPT006", "iptables -P OUTUT DROP\n")
    assert finding.advice == "did you mean OUTPUT?"


def test_a_text_for_nft_has_nft_s_words_in_its_helps() -> None:
    chain = "chain input {\ntype filter hook input priority 0; policy drop;\ntcp dport 22 accept\n}"
    (finding,) = only("IPT305", f"nft -f - <<EOF\ntable inet host {{\n{chain}\n}}\nEOF\n")
    assert finding.advice == 'add to input: iifname "lo" accept'


def test_what_nft_says_of_a_command_it_says_once() -> None:
    (finding,) = only("IPT001", 'nft add rule inet host input log prefix \\"a /b = \n')
    assert finding.span.line == 2


def test_more_words_than_anybody_follows() -> None:
    loop = "for p in {1..100000}; do iptables -A INPUT -p tcp --dport $p -j DROP; done\n"
    (finding,) = found(loop, codes=("IPT001", "IPT010"))
    assert (finding.code, "{1..100000}" in finding.message) == ("IPT010", True)


# -- others -------------------------------------------------------------------


def test_sshd_may_listen_where_no_service_has_a_name() -> None:
    answers, other = RUNNING, "iptables -A INPUT -p tcp --dport 59999 -j ACCEPT"
    (finding,) = found(answers, other, SHUT, codes=("IPT301",))
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.POSSIBLE)
    assert finding.message.endswith("unless sshd listens on 59999, which line 3 opens")
    web = "iptables -A INPUT -p tcp --dport 443 -j ACCEPT"
    (finding,) = found(answers, other, web, SHUT, codes=("IPT301",))
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.POSSIBLE)
    often = "iptables -A INPUT -p tcp --dport 8443 -j ACCEPT"
    (finding,) = found(answers, often, SHUT, codes=("IPT301",))
    assert (finding.severity, finding.confidence) == (Severity.ERROR, Confidence.CERTAIN)
    (finding,) = found(answers, web, SHUT, codes=("IPT301",))
    assert (finding.severity, finding.confidence) == (Severity.ERROR, Confidence.CERTAIN)


def test_a_policy_that_the_script_leaves_as_it_was_may_do_as_the_log_says() -> None:
    log = 'iptables -A FORWARD -p tcp -j LOG --log-prefix "DROP "'
    assert not found("iptables -F", log, codes=("IPT908",))
    assert found("iptables -F", "iptables -P FORWARD ACCEPT", log, codes=("IPT908",))


def test_what_is_not_followed_to_its_end_may_call_a_chain_yet() -> None:
    fill = "for ((i=0; i<9999; i++)); do iptables -A OURS -s 10.0.0.1 -j ACCEPT; done"
    findings = found("iptables -F", "iptables -N OURS", fill, codes=("IPT104",))
    assert [finding.code for finding in findings] == ["IPT010"]
