"""What scripts of strangers showed: each of these was told of falsely once."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.dialects import Diagnostic, read
from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.steps import Script
from iptlint.model import Family, Field, Rule, Uncertain, Within
from iptlint.model.script import Kind
from iptlint.source import SourceFile


def script(text: str, arguments: tuple[str, ...] | None = None) -> Script:
    return run_script(parse(SourceFile("firewall.sh", text)), arguments=arguments)


def diagnostics(text: str, code: str) -> list[Diagnostic]:
    return [each for each in script(text).final()[1] if each.code == code]


def rules(text: str, chain: str = "INPUT") -> tuple[Rule, ...]:
    table = script(text).final()[0].table("filter", Family.IP)
    assert table is not None
    return table.chains[chain].rules


RULES = 'R=("INPUT -i lo -j ACCEPT" "INPUT -p tcp --dport 22 -j ACCEPT")\n'
EACH = 'for rule in ${R[@]}; do eval "iptables -A $rule"; done\n'


@pytest.mark.parametrize("newline", ["$'\\n'", "'\n'"])
def test_where_only_lines_separate_words_blanks_do_not(newline: str) -> None:
    text = f"{RULES}IFS={newline}\n{EACH}"
    assert not script(text).final()[1]
    assert len(rules(text)) == 2


def test_separators_that_are_put_back_under_a_condition_are_the_usual_ones() -> None:
    back = 's=$IFS; IFS=","; IFS=$s; '
    text = f"A='-p tcp'\nif [ -f x ]; then {back}fi\niptables -A INPUT $A -j ACCEPT\n"
    assert not diagnostics(text, "IPT001")


def test_without_separators_nothing_is_split() -> None:
    text = "A='-p tcp'\nIFS=\niptables -A INPUT $A -j ACCEPT\n"
    assert [each.code for each in script(text).final()[1]] == ["IPT001"]


@pytest.mark.parametrize(
    "joined",
    [
        'IFS=,\nL="${P[*]}"',
        "IFS=,\nL=${P[*]}",
        'L=$(IFS=,; echo "${P[*]}")',
        'joined() { local IFS=,; echo "$*"; }\nL=$(joined "${P[@]}")',
    ],
)
def test_the_words_of_an_array_are_joined_by_the_first_separator(joined: str) -> None:
    text = f'P=(80 443)\n{joined}\niptables -A INPUT -p tcp -m multiport --dports "$L" -j DROP\n'
    (rule,) = rules(text)
    assert not script(text).final()[1]
    assert Within(Field.DPORT, ((80, 80), (443, 443))) in rule.matches


def test_without_separators_the_words_of_an_array_are_joined_by_nothing() -> None:
    text = 'P=(4 43)\nIFS=\niptables -A INPUT -p tcp --dport "${P[*]}" -j DROP\n'
    assert Within(Field.DPORT, ((443, 443),)) in rules(text)[0].matches


@pytest.mark.parametrize(
    "test",
    [
        '[ "$A" = x -a \\( "$B" = y -o "$C" = z \\) ]',
        '[ "$A" = x -a \\\n \\( "$B" = y -o \\\n "$C" = z \\) ]',
        '[ \\( "$A" = x \\) ]',
    ],
)
def test_brackets_within_a_test_are_escaped(test: str) -> None:
    text = f"if {test}; then\n iptables -A INPUT -j DROP\nfi\n"
    assert not diagnostics(text, "IPT001")


def test_escaped_brackets_go_before_and() -> None:
    denies = "if [ n = y -a \\( n = n -o n = n \\) ]; then iptables -A INPUT -j DROP; fi\n"
    assert not rules(f"iptables -P INPUT DROP\n{denies}")


NETWORK = "iptables -A INPUT -s 10.128.$1.0/24 -p tcp --dport 22 -j ACCEPT\n"


@pytest.mark.parametrize("call", [NETWORK, f"sudo {NETWORK}"])
def test_who_calls_a_script_gives_what_its_commands_need(call: str) -> None:
    assert not diagnostics(call, "IPT001")
    (rule,) = rules(call)
    assert any(isinstance(match, Uncertain) for match in rule.matches)


def test_a_script_that_is_said_to_be_called_without_arguments_has_none() -> None:
    (refused,) = script(NETWORK, arguments=()).final()[1]
    assert refused.code == "IPT001"


def test_a_function_that_is_called_without_arguments_has_none() -> None:
    text = "f() { iptables -A INPUT -s 10.128.$1.0/24 -j ACCEPT; }\nf\n"
    assert diagnostics(text, "IPT001")


LOGS = """LOG=$(cat log)
if [ $LOG = yes -o $(up $LOG) = IN ]; then CHAIN=LOGGED; fi
if [ $LOG = yes -o $(up $LOG) = OUT ]; then
  iptables -N $CHAIN
  iptables -A $CHAIN -p tcp -j LOG
fi
"""


def test_a_further_condition_may_be_that_a_variable_is_set() -> None:
    assert not diagnostics(LOGS, "IPT001")


def test_what_is_wrong_with_one_value_is_told_where_nothing_further_is_asked() -> None:
    text = "iptables -X\nT=DROP\n[ -f /etc/hard ] && T=DORP\niptables -A INPUT -j $T\n"
    assert diagnostics(text, "IPT003")


def test_settings_below_rc_d_may_set_anything() -> None:
    text = ". /etc/rc.d/rc.firewall.conf\niptables -A INPUT -i $LAN_IF -j ACCEPT\n"
    assert not diagnostics(text, "IPT006")


def test_the_number_may_be_that_of_a_rule_of_another_script() -> None:
    (told,) = diagnostics("iptables -I INPUT 3 -i wlan0 -j ACCEPT\n", "IPT006")
    assert told.message == (
        "this script makes no rule in INPUT before, too few for a number 3: unless something else "
        "has made some, this command fails"
    )
    assert len(rules("iptables -I INPUT 3 -i wlan0 -j ACCEPT\n")) == 1


def test_a_chain_that_was_emptied_has_no_rule_of_another_script() -> None:
    text = "iptables -F\niptables -I INPUT 3 -i wlan0 -j ACCEPT\n"
    (told,) = diagnostics(text, "IPT006")
    assert told.message == "there is no rule 3 in INPUT, which has 0 at this point"
    assert not rules(text)


def test_what_is_known_of_a_chains_name_says_which_it_is_not() -> None:
    text = "for i in $(cat nics); do iptables -A guard-$i -j DROP; done\n"
    assert not rules(f"iptables -P INPUT DROP\n{text}")


def test_the_init_script_of_iptables_saves() -> None:
    text = "iptables -P INPUT DROP\n/usr/libexec/iptables/iptables.init save\n"
    assert [step.kind for step in script(text).steps] == [Kind.CHANGE, Kind.SAVE]


def test_a_script_that_is_not_followed_to_its_end_may_make_more_rules() -> None:
    text = "iptables -N OURS\nfor ((i=0; i<9999; i++)); do iptables -A OURS -j ACCEPT; done\n"
    assert diagnostics(text, "IPT010")
    assert script(text).lacks_rules


@pytest.mark.parametrize("directory", ["/etc/init.d", "/etc/rc.d", "/etc/rc.d/init.d"])
def test_the_service_of_iptables_is_not_the_tool(directory: str) -> None:
    text = f"iptables -P INPUT DROP\n{directory}/iptables save\n{directory}/iptables restart\n"
    assert not script(text).final()[1]
    assert [step.kind for step in script(text).steps] == [Kind.CHANGE, Kind.SAVE]


def test_no_then_may_follow_else() -> None:
    text = "if [ -f x ]\nthen\n  :\nelse # not\nthen\n  iptables -F\nfi\n"
    (told,) = parse(SourceFile("firewall.sh", text)).diagnostics
    assert told.message.startswith("a further `then` for the `if` of line 1")
    assert not parse(SourceFile("firewall.sh", text.replace("not\nthen", "not\n"))).diagnostics


def test_a_number_is_that_of_a_rule_of_the_script() -> None:
    made = "iptables -A INPUT -i lo -j ACCEPT\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    text = f"iptables -F\n{made}iptables -Z INPUT 2\niptables -D INPUT 1\n"
    assert not script(text).final()[1]
    assert len(rules(text)) == 1


def test_who_deletes_a_number_from_a_chain_of_others_has_seen_it() -> None:
    assert not script("iptables -D INPUT 6\n").final()[1]
    (told,) = diagnostics("iptables -F\niptables -D INPUT 6\n", "IPT006")
    assert told.message == "there is no rule 6 in INPUT, which has 0 at this point"
    assert told.help == "delete the line"


# -- files beside the script ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "folder",
    [
        '$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)',
        '$( cd -- "$(dirname -- "$0")" >/dev/null 2>&1 ; pwd )',
        '"$(dirname "$(readlink -f "$0")")"',
        "${BASH_SOURCE%/*}",
    ],
)
def test_a_script_may_look_for_its_own_folder(folder: str, tmp_path: Path) -> None:
    (tmp_path / "ports.conf").write_text("PORT=2222\n")
    path = tmp_path / "fw.sh"
    text = f"HERE={folder}\n. $HERE/ports.conf\niptables -A INPUT -p tcp --dport $PORT -j ACCEPT\n"
    path.write_text(text)
    reading = read(SourceFile(str(path), text))
    (rule,) = reading.ruleset.tables[0].chains["INPUT"].rules
    assert Within(Field.DPORT, ((2222, 2222),)) in rule.matches


def test_where_a_script_goes_is_not_known_if_it_names_no_folder() -> None:
    text = 'cd "$1"\nif [ "$(pwd)" = /root ]; then iptables -A INPUT -i lo -j ACCEPT; fi\n'
    (rule,) = rules(text)
    assert rule.matches[1:]


# -- behind a text in place ----------------------------------------------------------------------

SAVED = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\nEOF\n"


@pytest.mark.parametrize(
    "line",
    [
        "cat <<EOF | iptables-restore; echo done",
        "cat <<'EOF' | cat | iptables-restore; echo done; echo more;",
        'iptables-restore <<EOF; STATUS=$?; echo "$STATUS" # how it went',
        "iptables-restore <<EOF || exit 1; echo done",
        "iptables-restore <<EOF; # all of it",
    ],
)
def test_commands_may_stand_behind_the_beginning_of_a_text_in_place(line: str) -> None:
    assert not script(f"{line}\n{SAVED}").final()[1]
    assert len(rules(f"{line}\n{SAVED}")) == 1


def test_what_stands_behind_the_beginning_of_a_text_in_place_is_carried_out() -> None:
    first = f"cat <<EOF | iptables-restore; iptables -A INPUT -j DROP; PORT=22\n{SAVED}"
    last = "iptables -A INPUT -p tcp --dport $PORT -j ACCEPT\n"
    assert len(rules(first + last)) == 3
    assert not script(first + last).final()[1]
    assert len(rules(f"restore() {{\n{first}return\n}}\nrestore\n{last}")) == 3


@pytest.mark.parametrize(
    "text",
    [
        f"if cat <<EOF | iptables-restore; then\n{SAVED}echo done\nfi\n",
        f"(cat <<EOF | iptables-restore; echo done)\n{SAVED}",
        f"case start in\nstart) cat <<EOF | iptables-restore;;\n{SAVED}*) exit 1;;\nesac\n",
        f"cat <<END & iptables-restore <<EOF\nhello\nEND\n{SAVED}",
        f"{{ iptables-restore <<EOF; }}\n{SAVED}",
        f"if true; then iptables-restore <<EOF; else\n{SAVED}exit 1\nfi\n",
        f"cat <<A; iptables-restore <<EOF; echo done\n# then\nA\n{SAVED}",
        f"cat <<EOF |\\\n iptables-restore; echo done\n{SAVED}",
        f'echo "a << b \' $(iptables-restore <<EOF; echo done\n{SAVED})"\n',
        f"echo $((1<<2)) && for i in 1; do iptables-restore <<EOF; done # it's\n{SAVED}",
    ],
)
def test_a_text_in_place_is_no_end_of_the_line_on_which_it_begins(text: str) -> None:
    assert not diagnostics(text, "IPT001")
    assert len(rules(text)) == 1


@pytest.mark.parametrize("text", ["\0", "if\0", "<<A;)\n\0\nA\n", "x <<A;)\0\nA\n", ')`}"<<A'])
def test_what_is_no_shell_begins_no_text_in_place(text: str) -> None:
    assert not script(text).steps


def test_values_within_a_text_in_place_are_read_wherever_it_begins() -> None:
    saved = SAVED.replace("-i lo", "-p tcp --dport $PORT")
    (lifted,) = rules(f"PORT=22\n(iptables-restore <<EOF; echo done)\n{saved}")
    (plain,) = rules("iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n")
    assert lifted.matches == plain.matches
    (quoted,) = rules(f"PORT=22\n(iptables-restore <<'EOF'; echo done)\n{saved}")
    assert not quoted.read


def test_words_may_stand_behind_a_redirection() -> None:
    (rule,) = rules("iptables 2>/dev/null -A INPUT -i lo -j DROP\n")
    assert rule.matches
    text = f"iptables -A INPUT -j DROP\niptables-restore <<EOF 2>log -n -v\n{SAVED}"
    assert len(rules(text)) == 2


@pytest.mark.parametrize("rest", ["then", "echo done; }", "}", "( echo", "fi"])
def test_what_goes_on_behind_the_line_is_no_command_of_its_own(rest: str) -> None:
    assert diagnostics(f"cat <<EOF | iptables-restore; {rest}\n{SAVED}", "IPT001")


@pytest.mark.parametrize(
    ("rule", "is_refused"),
    [
        ("--dprt 22 -s $1", True),  # iptables reads no further
        ("-dport 22 -s $1", True),
        ("-s $1 --dprt 22", False),  # $1 may be an address, and a comment with a word
        ("$1 --dprt 22", False),
        ("-m set $1", False),  # what the match wants may be in it
    ],
)
def test_a_command_is_refused_where_iptables_comes_to_nothing_unknown(
    rule: str, *, is_refused: bool
) -> None:
    text = f"iptables -A INPUT -p tcp {rule} -j ACCEPT\n"
    assert bool(diagnostics(text, "IPT001")) is is_refused
    assert bool(rules(text) if not is_refused else ()) is not is_refused


@pytest.mark.parametrize("goes_on", ['"10.0.0.2"', "10.0.0.2", "$OTHER", "'10.0.0.2'"])
def test_an_escaped_end_of_a_line_within_a_word_is_nothing(goes_on: str) -> None:
    text = f'OTHER=10.0.0.2\nA="10.0.0.1,"\\\n{goes_on}\niptables -A INPUT -s $A -j ACCEPT\n'
    (rule,) = rules(text)
    (test,) = rule.matches
    assert isinstance(test, Within)
    assert len(test.ranges) == 2
    assert not diagnostics(text, "IPT001")


def test_before_a_blank_another_word_begins() -> None:
    text = 'iptables -A INPUT -p tcp --dport "22"\\\n  -j ACCEPT\n'
    assert not diagnostics(text, "IPT001")
    assert len(rules(text)) == 1


@pytest.mark.parametrize("manager", ["firewall-cmd --add-service=https", "sudo ufw allow 22"])
def test_what_a_manager_makes_is_no_command_of_the_script(manager: str) -> None:
    (told,) = read(SourceFile("fw.sh", f"#!/bin/sh\n{manager}\n")).diagnostics
    assert "of this script's commands were not checked" in told.message


def test_a_variable_that_becomes_several_words_is_told_as_that() -> None:
    """Without quotes the shell splits its value; what iptables says of the second word is of no
    use. Options in a variable are meant to be words."""
    gateway = 'G="[gateway IP address]"\n'
    lines = "iptables -A INPUT -d $G -j ACCEPT\niptables -A INPUT -s $G -j DROP\n"
    told = diagnostics(gateway + lines, "IPT001")
    assert [each.message.partition(" (")[0] for each in told] == ["`$G` is 3 words here"] * 2
    (options,) = diagnostics('O="-p tcp 22"\niptables -A INPUT $O -j DROP\n', "IPT001")
    assert "`22` is not an option's argument" in options.message


def test_who_sets_a_variable_under_a_condition_counts_on_it() -> None:
    """`reboot_helper.txt` is written before the script is called; without it there is no value."""
    sets = "[ -f /root/settings ] && PORT=$(cat /root/settings)\n"
    accept = "iptables -A INPUT -p udp --dport $PORT -j ACCEPT\n"
    assert not diagnostics(sets + accept, "IPT001")
    assert not diagnostics(f"if [ -f /root/settings ]; then PORT=51820; fi\n{accept}", "IPT001")
    assert diagnostics(f"PORT=\n{accept}", "IPT001")
    assert diagnostics(f"PORT=\n{sets}{accept}", "IPT001")


def test_the_rest_of_a_command_on_a_line_of_its_own_is_no_command() -> None:
    """sh: `-m: not found`, and a rule without a port and without a target."""
    rule = "iptables -A INPUT -p tcp\n  -m multiport --dports 22,80 -j ACCEPT\n"
    (told,) = diagnostics(rule, "IPT001")
    assert told.message == "`-m` is no command: it belongs to line 1, which lacks a `\\` at its end"
    (blank,) = diagnostics(rule.replace("tcp\n", "tcp \\ \n"), "IPT001")[-1:]
    assert "has blanks behind its `\\`" in blank.message
    assert not diagnostics(rule.replace("tcp\n", "tcp \\\n"), "IPT001")
    assert not diagnostics("echo done\n-m\n", "IPT001")


@pytest.mark.parametrize("blanks", [" ", "  ", "\t", "; ", "\n"])
def test_behind_a_group_stands_a_word_of_the_shell(blanks: str) -> None:
    """bash -n and dash -n take `if a; then { b; } else { c; } fi`."""
    text = f"if [ $x ]; then {{\n  iptables -F\n}}{blanks}else {{\n  iptables -X\n}}{blanks}fi\n"
    assert not diagnostics(text + "iptables -A INPUT -j DROP\n", "IPT001")


@pytest.mark.parametrize("equal", ["=", "=="])
def test_test_asks_for_an_argument_as_brackets_do(equal: str) -> None:
    text = f'if test -z "$1"; then exit 1\nelif test "$1" {equal} on; then\n'
    (rule,) = rules(text + "  iptables -A INPUT -j DROP\nfi\n")
    assert rule.matches == ()
