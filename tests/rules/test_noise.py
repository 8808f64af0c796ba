"""What whole hosts taught: one thing is said once, and nothing that nobody acts on."""

from __future__ import annotations

import pytest

from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile


def told(text: str, *codes: str, path: str = "rules.v4") -> list[Finding]:
    return list(lint([SourceFile(path, text)], select=codes).findings)


def table(*rules: str, chains: str = "") -> str:
    declared = "".join(f":{name} - [0:0]\n" for name in chains.split())
    head = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    return f"{head}{declared}" + "".join(f"-A {rule}\n" for rule in rules) + "COMMIT\n"


def test_a_block_of_rules_lost_to_a_block_above_is_one() -> None:
    """As the lists of a management tool stand below each other, each with its own drop."""
    accepts = [f"INPUT -s 203.0.113.0/24 -p tcp --dport {port} -j ACCEPT" for port in (25, 80)]
    drops = [rule.replace("/24", "/30").replace("ACCEPT", "DROP") for rule in accepts]
    (one,) = told(table(*accepts, *drops), "IPT101")
    assert one.message.endswith("line 5 accepts all of these packets first; likewise line 8")
    assert one.related[-1].message == "likewise, see line 6"


def test_rules_that_do_something_else_are_no_block() -> None:
    rules = ("INPUT -p tcp --dport 25 -j ACCEPT", "INPUT -p tcp --dport 80 -j DROP")
    lost = ("INPUT -s 192.0.2.1 -p tcp --dport 25 -j DROP", "INPUT -s 192.0.2.1 -p tcp --dport 80")
    found = told(table(*rules, lost[0], f"{lost[1]} -j ACCEPT"), "IPT101")
    assert [finding.span.line for finding in found] == [7, 8]


SSH = "INPUT -p tcp --dport 22"
NEW = "-m conntrack --ctstate NEW"


def test_what_is_lost_to_one_line_is_one_finding() -> None:
    """A ban, the list it asks and the limit that should let some in: all behind one accept."""
    text = table(
        f"{SSH} -j ACCEPT",
        f"{SSH} -m recent --update --seconds 60 --hitcount 4 --name s -j DROP",
        f"{SSH} -m recent --set --name s",
        f"{SSH} -m limit --limit 3/min -j ACCEPT",
    )
    (one,) = told(text, "IPT101", "IPT102")
    assert (one.code, one.span.line) == ("IPT101", 6)
    assert one.message.endswith("line 5 accepts all of these packets first; likewise line 7")
    assert [(label.span.line, label.message) for label in one.related[1:]] == [
        (8, "gets no packet either"),
        (7, "likewise"),
    ]


@pytest.mark.parametrize(
    ("between", "advice"),
    [
        (
            (f"{SSH} {NEW} -m limit --limit 3/min -j ACCEPT",),
            "delete line 5, so that line 6 decides who gets in and this turns the others away",
        ),
        ((), "delete line 5, if nobody is to get in there; else delete this one"),
    ],
)
def test_no_advice_shuts_out_whom_the_rule_above_lets_in(
    between: tuple[str, ...], advice: str
) -> None:
    """The trap: a DROP of all new connections to the port, moved above the accept, ends them."""
    text = table(f"{SSH} -j ACCEPT", *between, f"{SSH} {NEW} -j DROP")
    (one,) = told(text, "IPT101", "IPT102")
    assert (one.fix, one.advice) == (None, advice)


def test_a_ban_on_some_is_moved_above() -> None:
    text = table(f"{SSH} -j ACCEPT", f"{SSH} -s 203.0.113.0/24 -j DROP")
    (one,) = told(text, "IPT101")
    assert one.fix is not None
    assert one.fix.says == "move it above line 5"


def test_what_a_later_command_puts_above_is_not_to_be_moved_above_it() -> None:
    """`-I` puts its rule in front, wherever the command stands."""
    script = (
        "iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
        "iptables -A INPUT -p tcp --dport 80 -j ACCEPT\niptables -I INPUT -j DROP\n"
    )
    (one,) = told(script, "IPT101", path="firewall.sh")
    assert "nothing gets past line 4, which stands above it" in one.message
    assert "line 4 puts its rule above these: let it append the rule (-A)" in one.help


@pytest.mark.parametrize(
    "rules",
    [
        ("udp -p udp -j DROP", "udp -j DROP"),
        (
            "INPUT -p tcp --tcp-flags SYN,RST SYN,RST -j DROP",
            "INPUT -p tcp --tcp-flags ALL ALL -j DROP",
        ),
        (
            "INPUT -p tcp --tcp-flags ALL ALL -j DROP",
            "INPUT -p tcp --tcp-flags SYN,RST SYN,RST -j DROP",
        ),
    ],
)
def test_to_deny_twice_is_harmless(rules: tuple[str, str]) -> None:
    text = table("INPUT -p udp -j udp", *rules, "INPUT -p tcp --dport 22 -j ACCEPT", chains="udp")
    assert told(text, "IPT102") == []


def test_a_person_may_deny_what_software_accepts_for_its_guests() -> None:
    text = table(
        "FORWARD -j mine",
        "FORWARD -o docker0 -j DOCKER",
        "FORWARD -i docker0 ! -o docker0 -j ACCEPT",
        "mine -i docker0 -j DROP",
        "DOCKER -d 172.17.0.2 -o docker0 -p tcp --dport 80 -j ACCEPT",
        chains="mine DOCKER",
    )
    assert told(text, "IPT101") == []


def test_answers_that_pass_nowhere_are_one_finding() -> None:
    head = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n"
    body = "".join(f"-A {hook} -p tcp --dport 443 -j ACCEPT\n" for hook in ("INPUT", "OUTPUT"))
    (one,) = told(f"{head}{body}COMMIT\n", "IPT201")
    assert "; and answers to connections that come in never leave" in one.message
    assert "-A INPUT" in one.help
    assert "-A OUTPUT" in one.help


def test_a_copy_that_is_written_otherwise_is_called_so() -> None:
    """Without ports both are all of udp."""
    found = told(table("INPUT -p udp -j ACCEPT", "INPUT -p 17 -j ACCEPT"), "IPT106")
    assert [f.message for f in found] == [
        "this takes the same packets as line 5, and does the same"
    ]


def test_of_a_manager_s_chains_the_manager_is_asked() -> None:
    rule = "IN_public_allow -p tcp --dport 3306 -m conntrack --ctstate NEW -j ACCEPT"
    text = table("INPUT -j IN_public_allow", rule, chains="IN_public_allow")
    (one,) = told(text, "IPT603")
    assert "firewall-cmd --permanent --add-rich-rule" in one.help
    assert 'port port="3306" protocol="tcp"' in one.help


def test_a_file_whose_lines_a_terminal_broke_has_one_fault() -> None:
    broken = [
        f"INPUT -p tcp -m tcp --dport {port} -m conntrack --ctstate NE W -j ACCEPT"
        for port in (22, 80)
    ]
    (one,) = told(table(*broken), "IPT001")
    assert one.message.endswith("likewise line 6")


@pytest.mark.parametrize(
    ("remarks", "silent"),
    [
        ("# Let the admins in (SSH)\n# from anywhere, by --dport as in sshd_config\n", True),
        ("", False),
        # It is of the rule that is left out.
        ("# SSH\n#-A INPUT -p tcp --dport 22 -j ACCEPT\n", False),
        ("# SSH\n\n", False),
    ],
)
def test_a_remark_says_where_sshd_listens(remarks: str, silent: bool) -> None:
    text = table("INPUT -i lo -j ACCEPT", "INPUT -p tcp --dport 39000 -j ACCEPT")
    text = text.replace("-A INPUT -p", f"{remarks}-A INPUT -p")
    assert (told(text, "IPT301") == []) is silent
    nft = "table inet f {{\n chain c {{\n  type filter hook input priority 0; policy drop;\n{}"
    nft += "  tcp dport 39000 accept{}\n }}\n}}\n"
    said = remarks.replace("-A INPUT -p tcp --dport 22 -j ACCEPT", "tcp dport 22 accept")
    assert (told(nft.format(said, ""), "IPT301", path="a.nft") == []) is silent
    assert told(nft.format("", " # SSH"), "IPT301", path="a.nft") == []


def test_who_lets_nobody_in_over_either_family_is_told_so_once() -> None:
    files = [SourceFile(name, table("INPUT -i lo -j ACCEPT")) for name in ("rules.v4", "rules.v6")]
    found = lint(files, select=("IPT301",)).findings
    assert [finding.span.source.path for finding in found] == ["rules.v4"]


def test_ssh_is_on_again_where_its_own_port_is_opened() -> None:
    """A later rule takes every port, as one with a limit for all of tcp."""
    script = (
        "iptables -P INPUT DROP\n"
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
        "# SSH\niptables -A INPUT -p tcp --dport 4022 -j ACCEPT\n"
        "iptables -A INPUT -p tcp --syn -m limit --limit 60/s -j ACCEPT\n"
    )
    (one,) = told(script, "IPT303", path="firewall.sh")
    assert "for new connections until line 4" in one.message


def test_empty_chains_that_are_called_are_one_finding() -> None:
    text = table("INPUT -j open", "OUTPUT -j open-out", chains="open open-out")
    (one,) = told(text, "IPT107")
    assert one.message.endswith("the chain open is empty; likewise line 8")


def test_a_variable_says_where_sshd_listens() -> None:
    nft = "define ssh = 443\ntable inet f {{\n chain c {{\n  type filter hook input priority 0;\n"
    nft += "  tcp dport {} ip saddr 10.0.0.0/8 accept\n  drop\n }}\n}}\n"
    assert told(nft.format("$ssh"), "IPT301", path="a.nft") == []
    assert told(nft.format("443"), "IPT301", path="a.nft") != []
    web = nft.replace("  tcp dport {}", "  tcp dport 443 accept\n  tcp dport {}", 1)
    assert told(web.format("$ssh"), "IPT301", path="a.nft") == []


def test_a_lan_that_gets_to_one_port_may_get_to_sshd_there() -> None:
    (one,) = told(table("INPUT -i lan0 -p tcp --dport 5999 -j ACCEPT"), "IPT301")
    assert one.message.endswith("unless sshd listens on 5999, which line 5 opens")
    assert one.severity is Severity.INFO


@pytest.mark.parametrize("call", ["bash /home/admin/rules.sh", "/home/admin/rules.sh", "sh rules"])
def test_another_script_may_make_the_rules(call: str) -> None:
    text = f"#!/bin/sh\niptables -P INPUT ACCEPT\niptables -F\n{call}\n"
    found = told(text, "IPT601", "IPT002", path="firewall.sh")
    assert [(each.code, each.confidence) for each in found] == [
        ("IPT601", Confidence.POSSIBLE),
        ("IPT002", Confidence.CERTAIN),
    ]


@pytest.mark.parametrize("remark", ["# tcp dport 80 accept", "# nft add rule inet t web accept"])
def test_a_chain_whose_rules_are_left_out_is_empty_on_purpose(remark: str) -> None:
    text = (
        "table inet t {\n\tchain input {\n\t\ttype filter hook input priority 0; policy drop;\n"
        "\t\tct state established accept\n\t\tjump web\n\t}\n\tchain web {\n\t\tREMARK\n\t}\n}\n"
    )
    assert not told(text.replace("REMARK", remark), "IPT107", path="a.nft")
    assert told(text.replace("REMARK", "# what the web server needs"), "IPT107", path="a.nft")


@pytest.mark.parametrize("left_out", ["# -A web -p tcp -j ACCEPT", "#-A other -j ACCEPT"])
def test_so_it_is_with_iptables_by_the_name_of_the_chain(left_out: str) -> None:
    text = f"*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n-A INPUT -j web\n{left_out}\nCOMMIT\n"
    assert bool(told(text, "IPT107", path="rules.v4")) is ("other" in left_out)
