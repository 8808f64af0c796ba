"""What a script of a stranger leaves to its environment, to a service or to a file elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.dialects.detect import detect
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.readers import read
from iptlint.linter.run import lint
from iptlint.source import SourceFile


def _told(text: str) -> tuple[Diagnostic, ...]:
    return read(SourceFile("fw.sh", text)).diagnostics


@pytest.mark.parametrize("first", ["#!/usr/sbin/nft -f", "#! /usr/bin/env -S nft -f"])
def test_the_first_line_says_who_reads_a_file(first: str) -> None:
    """The kernel hands it to nft, as execve(2) says, though it is called `nftables.sh`."""
    source = SourceFile("nftables.sh", f"{first}\nflush ruleset\ntable inet f {{\n}}\n")
    assert detect(source).name == "nft"
    assert not read(source).diagnostics


@pytest.mark.parametrize("itself", ["$LAN", "${LAN}", '"$LAN"', '"${LAN}"'])
def test_a_variable_that_is_given_itself_comes_from_outside(itself: str) -> None:
    """bash: `LAN=eth0 sh -c 'LAN="$LAN"; echo $LAN'` prints eth0."""
    rule = "iptables -A FORWARD -i $LAN -j ACCEPT\n"
    assert not _told(f"LAN={itself}\n{rule}")
    assert [each.code for each in _told(f"LAN=\n{rule}")] == ["IPT001"]
    assert [each.code for each in _told(f"LAN=\nLAN={itself}\n{rule}")] == ["IPT001"]


@pytest.mark.parametrize(
    "command",
    [
        "service iptables stop",
        "systemctl disable --now nftables.service",
        "sudo service ip6tables restart",
    ],
)
def test_a_service_of_the_firewall_changes_it(command: str) -> None:
    """Whatever it loads or takes away: that nothing changes the firewall would not be so."""
    (told,) = _told(f"#!/bin/sh\n{command}\n")
    assert "only those for the service" in told.message
    (other,) = _told("#!/bin/sh\nsystemctl status iptables\n")
    assert "only those" not in other.message


def test_who_carries_commands_out_may_be_defined_elsewhere() -> None:
    """`run` is a function of a file that is not here."""
    text = '#!/bin/sh\nsource "$(dirname "$0")/../lib/functions.sh"\nrun "iptables -F"\n'
    (told,) = _told(text)
    assert told.message.startswith(
        "iptlint did not read `functions.sh`, whose functions this script takes"
    )
    (own,) = _told('#!/bin/sh\nrun "iptables -F"\n')
    assert "functions this script takes" not in own.message


def test_rules_that_stand_in_a_file_elsewhere_are_made_all_the_same() -> None:
    """`nft -f` makes what the file has, and who loads one deletes nothing by that."""
    load = 'load() { nft --file "$1"; }\nload /etc/nftables/rules.nft\n'
    (told,) = _told(f"#!/bin/sh\n{load}")
    assert "did not find the file of rules that line 2 loads" in told.message
    (flushing,) = _told("#!/bin/sh\nnft flush ruleset\n")
    assert "delete rules and make none" in flushing.message


@pytest.mark.parametrize("chain", ["INPUT", "FORWARD"])
def test_no_rule_calls_a_chain_of_the_kernel(chain: str) -> None:
    """iptables-legacy: Invalid argument; iptables-nft: RULE_APPEND failed."""
    text = f"#!/bin/sh\niptables -N log\niptables -A log -j {chain}\niptables -A INPUT -j log\n"
    (told,) = [each for each in _told(text) if each.code == "IPT006"]
    assert (told.severity, told.message.partition(",")[0]) == (
        "error",
        f"{chain} is a built-in chain",
    )
    assert not _told(
        text.replace(chain, "OUTPUT2", 1).replace("-N log", "-N log\niptables -N OUTPUT2")
    )


@pytest.mark.parametrize("port", ["$RULE", "${RULE}", "$(echo tcp dport 22 accept)"])
@pytest.mark.parametrize("before", ["", "type filter hook input priority 0; policy drop;\n"])
def test_what_begins_an_indented_line_of_a_here_document_is_expanded(
    port: str, before: str
) -> None:
    """bash: `cat <<EOF`, and below it an indented `$RULE`, prints its value."""
    body = f"table inet f {{\n  chain input {{\n    {before}\t  {port}\n  }}\n}}\n"
    text = f"#!/bin/sh\nRULE='tcp dport 22 accept'\nnft -f - <<EOF\n{body}EOF\n"
    reading = read(SourceFile("fw.sh", text))
    assert not reading.diagnostics
    assert [rule.verdict.name for _, _, rule in reading.ruleset.rules()] == ["accept"]
    literal = text.replace("<<EOF", "<<'EOF'")
    assert [each.code for each in _told(literal)] == ["IPT001"]


@pytest.mark.parametrize("label", ["*)", "?)", "s)", "start)", "start|s)"])
def test_a_case_may_have_its_command_right_behind(label: str) -> None:
    """`bash -n` and `dash -n` take `*)exit`, and what the pattern is for is carried out."""
    text = f"case s in\n{label}iptables -A INPUT -j DROP;;\nesac\n"
    rules = [*read(SourceFile("fw.sh", f"#!/bin/sh\n{text}")).ruleset.rules()]
    assert len(rules) == (label != "start)")
    assert not [each for each in _told(f"#!/bin/sh\n{text}") if each.code == "IPT001"]


def test_a_function_of_bash_may_be_called_like_a_word_of_it() -> None:
    """`bash -c 'local(){ echo x; }; local'` prints x."""
    text = "#!/bin/bash\nlocal(){\n  iptables -A INPUT -j DROP\n}\nlocal\n"
    reading = read(SourceFile("fw.sh", text))
    assert not reading.diagnostics
    assert len([*reading.ruleset.rules()]) == 1


@pytest.mark.parametrize(
    "write",
    [
        'cat > "$T" <<EOF\n*filter\n-A INPUT -j DROP\nCOMMIT\nEOF\n',
        'for line in "*filter" "-A INPUT -j DROP" COMMIT; do echo "$line" >> $T; done\n',
    ],
)
def test_what_a_script_writes_into_a_temporary_file_it_loads_from_there(write: str) -> None:
    text = f"#!/bin/bash\nT=$(mktemp)\n{write}iptables-restore < $T\nrm -f $T\n"
    reading = read(SourceFile("fw.sh", text))
    assert not reading.diagnostics
    assert len([*reading.ruleset.rules()]) == 1


def test_who_runs_a_script_may_name_the_tool() -> None:
    """`fw.sh /sbin/iptables`: what is behind a variable without a value is no command."""
    lines = "IPTABLES=$1\n$IPTABLES -N a\n$IPTABLES \\\n  -A a -j ACCEPT\n$IPTABLES -A a -j DROP\n"
    read_in = read(SourceFile("fw.sh", lines))
    assert not read_in.diagnostics
    (table,) = read_in.ruleset.tables
    assert len(table.chains["a"].rules) == 2


def test_a_script_with_commands_of_its_own_does_more_than_a_service() -> None:
    """They are in a function, and whoever calls the script says which."""
    text = "#!/bin/sh\nup() {\n  iptables -F\n  service iptables save\n}\n"
    text += "case $1 in\n--up) up;;\nesac\n"
    told = _told(text)
    assert not any("only those for the service" in each.message for each in told)


@pytest.mark.parametrize("sought", ["SPT", '"SPT"', "'SPT'"])
def test_plain_text_is_looked_for_in_what_is_known(sought: str) -> None:
    """bash: `[[ SPT:443/tcp =~ "SPT" ]]` is true."""
    test = f"for x in SPT:443/tcp 80/tcp; do\nif [[ $x =~ {sought} ]]; then\nport=${{x#*:}}\n"
    rest = "else\nport=$x\nfi\niptables -A INPUT -p tcp --dport ${port%/*} -j ACCEPT\ndone\n"
    assert not _told(f"#!/bin/bash\n{test}{rest}")


def test_a_script_does_what_it_does_without_a_word() -> None:
    """`${1:-install}`, though it knows `reload` as well."""
    text = "#!/bin/sh\ncase ${1:-install} in\ninstall) iptables -A INPUT -j DROP;;\n"
    text += "reload) ipset flush a;;\nesac\n"
    assert not any(each.code == "IPT008" for each in _told(text))
    (table,) = read(SourceFile("fw.sh", text)).ruleset.tables
    assert table.chains["INPUT"].rules


def test_what_only_says_something_makes_no_rule() -> None:
    text = "#!/bin/sh\n{0} up\nf() {{\niptables -F\n}}\n$1\n{0} end\n"
    for command, is_named in (("_debug_firewall", False), ("load_firewall", True)):
        told = [each for each in _told(text.format(command)) if each.code == "IPT008"]
        assert [command in each.message for each in told] == [is_named]


def test_what_stands_below_the_end_is_never_carried_out() -> None:
    text = "#!/bin/sh\niptables -P INPUT DROP\nexit 0\n\niptables -A INPUT -j LOG\niptables -F\n"
    (told,) = _told(text)
    assert told.message == "lines 5 to 6 are never carried out: the script ends at line 3"
    assert told.help == "take line 3 out, or what is below it"
    assert not _told(text.replace("exit 0", "[ -e /x ] && exit 0"))
    assert not _told("#!/bin/sh\niptables -P INPUT DROP\nexit 0\n# iptables -F\n")


@pytest.mark.parametrize(
    "guard",
    [
        'if [ -n "$NET" ]; then {}; fi',
        'if [ -z "${{NET}}" ]; then exit; fi; {}',
        "[[ $NET ]] && {}",
        'case "$NET" in ?*) {} ;; esac',
        'f() {{ {}; }}; if test -n "$NET"; then f; fi',
    ],
)
def test_who_asks_whether_a_variable_has_a_value_knows_that_it_may_have_none(guard: str) -> None:
    rule = "iptables -A INPUT -s $NET -j ACCEPT"
    assert "IPT006" not in [each.code for each in _told(guard.format(rule) + "\n")]
    assert "IPT006" in [each.code for each in _told(f"{rule}\n")]
    other = guard.format("iptables -A INPUT -s $LAN -j ACCEPT")
    assert "IPT006" in [each.code for each in _told(other + "\n")]


def test_a_script_that_is_not_here_may_make_the_sets_that_the_next_lines_need() -> None:
    """What is sourced is mostly settings."""
    rule = "iptables -A INPUT -m set --match-set bad src -j DROP\n"
    called = lint(
        (SourceFile("fw.sh", f"#!/bin/sh\n./lists.sh --all\n{rule}"),), select=("IPT407",)
    )
    sourced = lint((SourceFile("fw.sh", f"#!/bin/sh\n. ./conf.sh\n{rule}"),), select=("IPT407",))
    assert not called.findings
    assert sourced.findings


def test_a_file_of_rules_that_is_not_here_may_declare_what_later_commands_name() -> None:
    make, use = "nft add table inet t; nft add chain inet t c\n", "nft add rule inet t c ip saddr"
    assert [each.code for each in _told(f"{make}{use} @bad drop\n")] == ["IPT003"]
    load = 'for f in /etc/sets/*.nft; do nft -f "$f"; done\n'
    assert "IPT003" not in [each.code for each in _told(f"{make}{load}{use} @bad drop\n")]


def test_a_set_that_a_script_beside_fills_is_made_elsewhere(tmp_path: Path) -> None:
    own, rule = tmp_path / "fw.sh", "iptables -A INPUT -m set --match-set {} src -j DROP\n"
    own.write_text("#!/bin/sh\n" + rule.format("bad") + rule.format("own"))
    (tmp_path / "sets.sh").write_text("sudo ipset -exist create 'bad' hash:net\nipset add $x 1\n")
    report = lint((SourceFile(str(own), own.read_text()),), select=("IPT407",))
    assert "the set own," in report.findings[0].message
    assert not report.findings[0].related


@pytest.mark.parametrize("file", ["docker-compose.yml", "Dockerfile", "fw.service", "fw.env"])
def test_what_starts_a_script_may_give_it_values(tmp_path: Path, file: str) -> None:
    own = tmp_path / "fw.sh"
    own.write_text("#!/bin/sh\niptables -A INPUT -p udp --dport ${WG_PORT} -j ACCEPT\n")
    source = SourceFile(str(own), own.read_text())
    assert "IPT006" in [each.code for each in read(source).diagnostics]
    (tmp_path / file).write_text("Environment=WG_PORT=51820\n")
    assert "IPT006" not in [each.code for each in read(source).diagnostics]


def test_who_enters_a_namespace_changes_no_firewall_of_the_host() -> None:
    (told,) = _told('#!/bin/sh\ncmd="iptables -A INPUT -j DROP"\nnsenter -t "$1" -n -- $cmd\n')
    assert "network namespaces (`nsenter`)" in told.message
    (other,) = _told('#!/bin/sh\ncmd="iptables -A INPUT -j DROP"\nnsenter -t "$1" -m -- $cmd\n')
    assert "nsenter" not in other.message


def test_variables_that_are_left_empty_may_want_values_unlike_each_other() -> None:
    rule = "ip6tables -A INPUT -d $HOST -p tcp -m state --state NEW --dport $PORT -j ACCEPT\n"
    (told,) = _told(f'HOST=""\nPORT=""\n{rule}')
    assert told.message == (
        "$HOST and $PORT have no value here, as far as iptlint followed the script: without one "
        "this is refused"
    )


def test_a_function_of_another_file_may_call_one_of_this_script() -> None:
    """As OpenWrt's ``config_foreach`` does."""
    function = "up() {\n  iptables -A INPUT -j DROP\n}\n"
    (told,) = _told(f"#!/bin/sh\n. /lib/functions.sh\n{function}config_foreach up rule\n")
    assert told.message.startswith(
        "iptlint did not read `functions.sh`, whose functions this script takes"
    )
    others = _told(f"#!/bin/sh\n. /lib/functions.sh\n{function}config_foreach down rule\n")
    assert not any("functions this script takes" in each.message for each in others)
