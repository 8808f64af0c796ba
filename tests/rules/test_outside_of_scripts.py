"""What is outside of a script is no warning about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.analysis.half_written import without_target
from iptlint.analysis.session import Context, Settings
from iptlint.dialects import read
from iptlint.findings import Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile


def of_script(text: str, *codes: str) -> list[Finding]:
    return [*lint([SourceFile("firewall.sh", f"#!/bin/bash\n{text}")], select=codes).findings]


# -- SSH --------------------------------------------------------------------------------------


def test_a_command_that_was_to_let_ssh_in_says_that_it_is_wanted() -> None:
    text = (
        "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
        "iptables -A INPUT -p tcp {} 22 -o eth0 -j ACCEPT\n"
    )
    (lockout,) = (f for f in of_script(text.format("--dport")) if f.code == "IPT301")
    assert lockout.severity is Severity.ERROR


# -- what else runs a script, or is run by it -------------------------------------------------

RULES = "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dockerfile", 'CMD ["/usr/local/bin/fw.sh"]\n'),
        ("docker-compose.yml", "command: ./fw.sh\n"),
        ("fw.service", "[Service]\nExecStart=/opt/fw.sh start\n"),
    ],
)
def test_a_file_beside_a_script_may_say_what_starts_it(
    tmp_path: Path, name: str, text: str
) -> None:
    script = tmp_path / "fw.sh"
    script.write_text(f"#!/bin/sh\n{RULES}")
    source = SourceFile(str(script), script.read_text())
    assert lint([source], select=["IPT403"]).findings
    (tmp_path / name).write_text(text.replace("fw.sh", "other-fw.sh"))
    assert lint([source], select=["IPT403"]).findings
    (tmp_path / name).write_text(text)
    assert not lint([source], select=["IPT403"]).findings


@pytest.mark.parametrize("last", ["tail -f /dev/null\n", 'exec "$@"\n'])
def test_the_main_program_of_a_container_is_started_with_it(last: str) -> None:
    assert not of_script(f"{RULES}{last}", "IPT403")


def test_a_script_beside_is_run_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text("#!/bin/sh\niptables -A INPUT -s 192.0.2.300/33 -j DROP\n")
    (tmp_path / "own.nft").write_text(
        "#!/usr/sbin/nft -f\ntable ip t {\n chain c {\n  ip saddr 10.0.0.1 drop\n }\n}\n"
    )
    for name in ("rules.v4", "own.nft"):
        script = tmp_path / "load"
        text = f"#!/bin/sh\n/etc/iptables/{name}\n"
        script.write_text(text)
        found = lint([SourceFile(str(script), text)], select=["IPT0", "IPT104"]).findings
        assert {finding.code for finding in found} <= {"IPT001", "IPT104"}, name
        assert found, name


def test_what_a_script_calls_and_is_not_here_is_named_once() -> None:
    (nothing,) = of_script(". /lib/lsb/init-functions\n/etc/firewall.sh\n")
    assert nothing.code == "IPT008"
    assert "did not find `/etc/firewall.sh`, which it calls" in nothing.message


@pytest.mark.parametrize("ufw", ["ufw", "/usr/sbin/ufw", "$SUDO ufw", "  sudo ufw"])
def test_what_ufw_makes_of_it_is_not_checked(ufw: str) -> None:
    (nothing,) = of_script(f"exit 1\n{ufw} default deny incoming\n")
    assert "the rules that ufw makes" in nothing.message


def test_the_service_of_iptables_is_no_file_that_is_missing() -> None:
    for call in ("/etc/rc.d/iptables stop", "service iptables stop", "/etc/init.d/iptables start"):
        text = f"{call}\niptables -A INPUT -s 192.0.2.1 -j DROP\n"
        assert not of_script(text, "IPT002"), call
    assert of_script("iptables -F\n/etc/init.d/firewall start\n", "IPT002")


# -- what something else may have done --------------------------------------------------------


def test_a_policy_that_nothing_here_sets_is_no_warning() -> None:
    """On a host with Docker that of FORWARD is DROP, and a few rules are put into it."""
    rules = (
        "iptables -I FORWARD -i tun0 -o eth0 -s 10.8.5.0/24 -j ACCEPT\n"
        "iptables -I FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    )
    (opened,) = of_script(rules, "IPT601")
    assert opened.severity is Severity.INFO
    assert "unless something else sets the policy" in opened.message
    (sure,) = of_script(f"iptables -P FORWARD ACCEPT\n{rules}", "IPT601")
    assert sure.severity is Severity.WARNING


def test_a_chain_that_only_returns_waits_for_what_a_file_adds() -> None:
    text = (
        "iptables -N own\niptables -A INPUT -j own\n{}iptables -A own -j RETURN\n"
        "iptables -A INPUT -s 192.0.2.1 -j DROP\n"
    )
    assert of_script(text.format(""), "IPT107")
    assert not of_script(text.format(". /etc/fw.rules\n"), "IPT107")


# -- commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("chain", "letter"), [("OUTPUT", "-i"), ("INPUT", "-o")])
def test_a_command_with_the_interface_of_the_other_side_is_refused(chain: str, letter: str) -> None:
    """xtables.c: "Can't use -i with OUTPUT"."""
    (refused,) = of_script(f"iptables -A {chain} {letter} eth0 -j ACCEPT\n", "IPT006")
    assert f"so iptables refuses `{letter}`" in refused.message
    assert not of_script("iptables -A FORWARD -i eth0 -o eth1 -j ACCEPT\n", "IPT006")


@pytest.mark.parametrize(
    "first",
    ["set -u", "set -eu", "set -euo pipefail", "set -o nounset", "# WAN: by which the world comes"],
)
def test_a_value_that_the_script_asks_for_is_given(first: str) -> None:
    rule = "iptables -A INPUT -i $WAN -p tcp --dport 80 -j ACCEPT\n"
    assert not of_script(f"{first}\n{rule}", "IPT006")


@pytest.mark.parametrize("first", ["set -e", "# WAN=eth0", "# the WANTED"])
def test_a_value_that_nobody_asks_for_is_missing(first: str) -> None:
    assert of_script(f"{first}\niptables -A INPUT -i $WAN -j ACCEPT\n", "IPT006")


@pytest.mark.parametrize("address", ["localhost", "LocalHost"])
def test_localhost_is_the_address_that_every_host_has_for_it(address: str) -> None:
    """Who accepts SSH to it lets nobody in."""
    text = (
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
        f"iptables -A INPUT -p tcp -d {address} --dport 22 -j ACCEPT\niptables -A INPUT -j DROP\n"
    )
    (lockout,) = of_script(text, "IPT301")
    assert lockout.severity is Severity.ERROR


def test_answers_whose_rule_is_refused_are_told_with_that() -> None:
    """The dash is a long one, as a text processor makes it."""
    text = (
        "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"
        "iptables -A INPUT {}m state --state ESTABLISHED,RELATED -j ACCEPT\n"
    )
    assert [f.code for f in of_script(text.format("\u2013"), "IPT001", "IPT201")] == ["IPT001"]
    assert of_script("iptables -P INPUT DROP\n", "IPT201")


def test_a_value_that_the_script_looks_at_is_another_one_then() -> None:
    guess = 'H=$(hostname)\nif [[ $H = *.* ]]; then IP=192.0.2.1; else IP="?"; fi\n'
    again = "if [[ ! $IP = [0-9]* ]]; then IP=$(cat /srv/ip); fi\n"
    rule = "iptables -A INPUT -s $IP -j ACCEPT\n"
    assert of_script(f"{guess}{rule}", "IPT001")
    assert not of_script(f"{guess}{again}{rule}", "IPT001")


def test_what_a_shell_has_beyond_bash_is_not_wrong() -> None:
    text = "for i in ${(f)addresses}; do\niptables -A INPUT -s $i -j ACCEPT\ndone\n"
    for shell in ("zsh", "bash"):  # bash takes it too, and says so only when it comes there
        found = lint([SourceFile("a.sh", f"#!/bin/{shell}\n{text}")], select=["IPT0"]).findings
        assert {finding.code for finding in found} <= {"IPT002", "IPT008"}, shell
        assert found, shell


def test_the_options_of_a_script_are_named() -> None:
    text = (
        "while getopts kr o; do\ncase $o in\n"
        "k) iptables -A INPUT -s 192.0.2.1 -j DROP ;;\nesac\ndone\n"
    )
    (nothing,) = of_script(text, "IPT008")
    assert nothing.help.endswith("(it takes options: --script-args=-k, --script-args=-r)")


# -- rules that lack a part -------------------------------------------------------------------

CHAIN = (
    "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n"
    "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    "-A INPUT -p tcp -s 10.0.0.0/8 --dport 22 -j ACCEPT\n{}COMMIT\n"
)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("-A INPUT -p tcp --dport 80\n", 1),
        ("-A INPUT -m recent --rcheck --seconds 86400\n", 1),
        ("-A INPUT -m recent --set\n", 0),
        ("-A INPUT -p tcp --dport 80 -m comment --comment traffic\n", 0),
        ("-A INPUT -p tcp --dport 80\n-A INPUT -p tcp --dport 25\n-A INPUT -p udp\n", 0),
    ],
)
def test_a_rule_without_a_target_among_others_is_told(rules: str, told: int) -> None:
    """iptables takes it, and counts."""
    found = lint([SourceFile("rules.v4", CHAIN.format(rules))], select=["IPT107"]).findings
    assert [f"{f.severity.value} {f.span.line}" for f in found] == ["warning 6"] * told


@pytest.mark.parametrize(
    ("last", "told"), [("-j DROP", True), ("-p tcp -j DROP", False), ("-j ACCEPT", False)]
)
def test_rules_without_a_target_that_are_all_above_a_drop_are_told(last: str, told: bool) -> None:
    """Whoever writes `--sport 22 --ctstate ESTABLISHED` above a DROP wants it to pass."""
    rules = ("OUTPUT -p tcp --sport 22", "OUTPUT -p udp --dport 53", "OUTPUT -p tcp --dport 53")
    text = "*filter\n" + "".join(f"-A {rule}\n" for rule in (*rules, f"OUTPUT {last}")) + "COMMIT\n"
    found = lint([SourceFile("rules.v4", text)], select=["IPT107"]).findings
    assert [f.message.partition(";")[2] for f in found] == [" likewise lines 3 and 4"] * told


@pytest.mark.parametrize(
    ("test", "told"), [("-d 53", True), ("-d 53.0.0.0", False), ("-d 53/8", False), ("-s 22", True)]
)
def test_an_address_that_is_one_number_is_no_port(test: str, told: bool) -> None:
    """inet_aton(3) as xtables has it: what is left out behind the first octet is 0."""
    found = lint(
        [SourceFile("rules.v4", CHAIN.format(f"-A INPUT {test} -j ACCEPT\n"))], select=["IPT103"]
    ).findings
    assert [f"`{test}` is the address" in f.message for f in found] == [True] * told


def test_such_an_address_is_seen_among_many_rules_that_are_alike() -> None:
    """Of rules that differ in their addresses only, the first tells nothing of the others."""
    hosts = "".join(f"-A INPUT -d 192.0.2.{i} -j ACCEPT\n" for i in range(9))
    text = CHAIN.format(f"{hosts}-A INPUT -d 53 -j ACCEPT\n")
    (found,) = lint([SourceFile("rules.v4", text)], select=["IPT103"]).findings
    assert "`-d 53` is the address 53.0.0.0" in found.message


@pytest.mark.parametrize(("tests", "told"), [("-p tcp --dport 22", 1), ("-s 10.0.0.0/8", 0)])
def test_what_all_is_closed_behind_lacks_a_target_where_it_is_for_a_port(
    tests: str, told: int
) -> None:
    """`-s 10.0.0.0/8` before a last `-j DROP` may be there to count."""
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {tests}\n-A INPUT -j DROP\nCOMMIT\n"
    context = Context((read(SourceFile("rules.v4", text)).ruleset,), Settings())
    assert sum(1 for a in context.analyses() for _ in without_target(a)) == told


def test_a_chain_that_is_there_to_count_lacks_no_target() -> None:
    rules = "".join(f"-A acct_in -p tcp --dport {port}\n" for port in (25, 80))
    more = "".join(f"-A acct_in -s 192.0.2.{i} -j RETURN\n" for i in range(9))
    for chain, told in (("acct_in", 0), ("in", 2)):
        text = CHAIN.replace("[0:0]\n", "[0:0]\n:acct_in - [0:0]\n-A INPUT -j acct_in\n", 1)
        text = text.format(rules + more).replace("acct_in", chain)
        context = Context((read(SourceFile("rules.v4", text)).ruleset,), Settings())
        assert sum(1 for a in context.analyses() for _ in without_target(a)) == told
