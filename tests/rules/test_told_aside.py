"""What most who have it want is a note behind the findings, and a finding for who asks for it; and
what is outside of a script is no warning about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.findings import Finding, Severity
from iptlint.linter.report import Report
from iptlint.linter.run import lint
from iptlint.rules.registry import Profile
from iptlint.source import SourceFile

DESKTOP = (
    "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n"
    "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\nCOMMIT\n"
)


def looked_at(text: str, path: str, *select: str, profile: Profile = Profile.DEFAULT) -> Report:
    return lint([SourceFile(path, text)], select=select, profile=profile)


def of_script(text: str, *codes: str, path: str = "firewall.sh") -> list[Finding]:
    return [*looked_at(f"#!/bin/bash\n{text}", path, *codes).findings]


def notes(report: Report) -> str:
    return "\n".join(note for file in report.files for note in file.notes)


# -- asides -----------------------------------------------------------------------------------


def test_who_serves_nobody_is_told_in_a_note_that_nobody_gets_in() -> None:
    report = looked_at(DESKTOP, "rules.v4")
    assert not report.findings
    assert "line 2: no new SSH connection can be opened" in notes(report)


def test_who_asks_for_it_has_it_as_a_finding() -> None:
    for report in (
        looked_at(DESKTOP, "rules.v4", "IPT301"),
        looked_at(DESKTOP, "rules.v4", profile=Profile.STRICT),
    ):
        assert "IPT301" in [finding.code for finding in report.findings]
        assert "SSH" not in notes(report)


def test_who_gets_no_answers_either_has_made_a_mistake() -> None:
    shut = DESKTOP.replace("-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n", "")
    assert "IPT301" in [finding.code for finding in looked_at(shut, "rules.v4").findings]


def test_a_command_that_was_to_let_ssh_in_says_that_it_is_wanted() -> None:
    text = (
        "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
        "iptables -A INPUT -p tcp {} 22 -o eth0 -j ACCEPT\n"
    )
    (lockout,) = (f for f in of_script(text.format("--dport")) if f.code == "IPT301")
    assert lockout.severity is Severity.ERROR


def test_values_of_a_script_are_a_note_and_missing_files_a_finding() -> None:
    report = looked_at("#!/bin/sh\niptables -A INPUT -s $(cat /srv/ip) -j DROP\n", "a.sh")
    assert "IPT002" not in [finding.code for finding in report.findings]
    assert "1 of 1 commands was not fully understood" in notes(report)
    missing = of_script("iptables-restore < /srv/rules\n")
    assert [finding.code for finding in missing] == ["IPT002"]


@pytest.mark.parametrize(("length", "told"), [(32, True), (24, False)])
def test_a_short_list_of_networks_stays_as_it_is(length: int, told: bool) -> None:
    rules = "".join(f"-A INPUT -s 198.51.{3 * i}.0/{length} -j DROP\n" for i in range(7))
    found = looked_at(f"*filter\n:INPUT ACCEPT [0:0]\n{rules}COMMIT\n", "rules.v4").findings
    assert ("IPT501" in [finding.code for finding in found]) is told


# -- what else runs a script, or is run by it -------------------------------------------------

RULES = "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"


def test_what_may_run_a_script_at_boot_is_not_in_it() -> None:
    (never,) = of_script(RULES, "IPT403")
    assert never.severity is Severity.INFO
    both = f"{RULES}{RULES.replace('iptables', 'ip6tables')}"
    (partly,) = of_script(f"{both}iptables-save > /srv/v4\n", "IPT403")
    assert partly.severity is Severity.WARNING


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
    (tmp_path / "rules.v4").write_text("#!/bin/sh\niptables -A INPUT -s 192.0.2.300 -j DROP\n")
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
    assert "`/etc/firewall.sh`, which it calls, is not here" in nothing.message


@pytest.mark.parametrize("ufw", ["ufw", "/usr/sbin/ufw", "$SUDO ufw", "  sudo ufw"])
def test_what_ufw_makes_of_it_is_not_checked(ufw: str) -> None:
    (nothing,) = of_script(f"exit 1\n{ufw} default deny incoming\n")
    assert "the rules that ufw makes" in nothing.message


def test_what_is_sourced_before_all_rules_is_settings() -> None:
    rule = "iptables -A INPUT -p tcp --dport 80 -j ACCEPT\n"
    settings = looked_at(f"#!/bin/sh\n. /etc/fw.conf\n{rule}", "a.sh")
    assert "what `/etc/fw.conf` may set is not known" in notes(settings)
    assert "IPT002" not in [finding.code for finding in settings.findings]
    for more in (". /etc/fw.d/web\n", "/etc/fw.d/web.sh\n"):
        assert "IPT002" in [f.code for f in of_script(f"iptables -F\n{rule}{more}")]


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


def test_an_empty_chain_is_told_in_a_note() -> None:
    text = "*filter\n:INPUT ACCEPT [0:0]\n:LATER - [0:0]\n-A INPUT -j LATER\nCOMMIT\n"
    assert "this jump does nothing: the chain LATER is empty" in notes(looked_at(text, "rules.v4"))
    assert looked_at(text, "rules.v4", "IPT107").findings


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
