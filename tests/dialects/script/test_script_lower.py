"""What a script leaves behind, and what is said of it where that is known only at run time."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.dialects import Diagnostic, read
from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.steps import Script
from iptlint.model import Decided, Family, Match, Rule, Ruleset, Uncertain, VerdictKind
from iptlint.model.matches import is_decided
from iptlint.model.script import Kind
from iptlint.source import SourceFile


def script(text: str, start: str | None = None) -> Script:
    before = None if start is None else read(SourceFile("rules.v4", start)).ruleset
    return run_script(parse(SourceFile("firewall.sh", text)), before)


def after(text: str, start: str | None = None) -> Ruleset:
    return script(text, start).final()[0]


def diagnostics(text: str) -> list[Diagnostic]:
    return [*script(text).final()[1]]


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in diagnostics(text)]


def doubts(rule: Rule) -> list[str]:
    uncertain = [match.key for match in rule.matches if isinstance(match, Uncertain)]
    return [*uncertain, *(repr(match) for match in rule.matches if is_decided(match))]


def chain(ruleset: Ruleset, name: str = "INPUT", table: str = "filter") -> tuple[Rule, ...]:
    found = ruleset.table(table, Family.IP)
    assert found is not None
    return found.chains[name].rules


def verdicts(text: str, name: str = "INPUT", start: str | None = None) -> str:
    """The verdicts of a chain; in brackets where it is not sure that the rule is there."""
    rules = chain(after(text, start), name)
    return " ".join(f"({r.verdict.name})" if doubts(r) else r.verdict.name for r in rules)


def same(script_text: str, saved: str) -> bool:
    """Whether the script leaves the rules of a save file."""

    def told(ruleset: Ruleset) -> list[tuple[str, str, str, tuple[Match, ...], str]]:
        return [
            (t.family.value, t.name, c.name, r.matches, r.verdict.name)
            for t, c, r in ruleset.rules()
        ]

    return told(after(script_text)) == told(read(SourceFile("rules.v4", saved)).ruleset)


# -- the shell ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT",
        "IPT=/sbin/iptables\n$IPT -A INPUT -p tcp --dport 22 -j ACCEPT",
        'IPT="iptables -w 5"\n$IPT -A INPUT -p tcp --dport 22 -j ACCEPT',
        "sudo /usr/sbin/iptables -A INPUT -p tcp \\\n  --dport 22 \\\n -j ACCEPT  # ssh",
        "P=2; iptables -A INPUT -p tcp --dport ${P}2 -j ACCEPT",
        "iptables -A INPUT -p tcp --dport ${PORT:-22} -j ACCEPT",
        "PORT=${PORT:-22}\niptables -A INPUT -p tcp --dport $PORT -j ACCEPT",
        "OPTS='-p tcp --dport 22'\niptables -A INPUT $OPTS -j ACCEPT",
        "for p in 22; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done",
        "for p in {22..22}; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done",
        "ports=(22)\n"
        'for p in "${ports[@]}"; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done',
        'f() { iptables -A INPUT "$@" -j ACCEPT; }\nf -p tcp --dport 22',
        "f() {\n local port=$1\n iptables -A INPUT -p tcp --dport $port -j $2\n}\nf 22 ACCEPT",
        "n=20\niptables -A INPUT -p tcp --dport $((n + 2)) -j ACCEPT",
        "x=22,80\niptables -A INPUT -p tcp --dport ${x%%,*} -j ACCEPT",
        "IPT=$(which iptables)\n$IPT -A INPUT -p tcp --dport 22 -j ACCEPT",
        "IPT=`command -v iptables` || exit 1\n$IPT -A INPUT -p tcp --dport 22 -j ACCEPT",
        "[ -x /sbin/iptables ] || exit 0\niptables -A INPUT -p tcp --dport 22 -j ACCEPT",
        'if [ "$(id -u)" != 0 ]; then exit 1; fi\niptables -A INPUT -p tcp --dport 22 -j ACCEPT',
        "modprobe ip_tables || exit 1\niptables -A INPUT -p tcp --dport 22 -j ACCEPT",
        'case "$1" in\n start) iptables -A INPUT -p tcp --dport 22 -j ACCEPT;;\n'
        " stop) iptables -F;;\n *) exit 1;;\nesac",
        'if [ "$1" = start ]; then iptables -A INPUT -p tcp --dport 22 -j ACCEPT; else exit 1; fi',
        "start() { iptables -A INPUT -p tcp --dport 22 -j ACCEPT; }",
        "while read p; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done <<EOF\n22\nEOF",
        "echo 22 | while read p; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done",
        "i=22; while [ $i -lt 23 ]; do iptables -A INPUT -p tcp --dport $i -j ACCEPT;"
        " i=$((i+1)); done",
        "for ((i=22; i<23; i++)); do iptables -A INPUT -p tcp --dport $i -j ACCEPT; done",
        'eval "iptables -A INPUT -p tcp --dport 22 -j ACCEPT"',
        'bash -c "iptables -A INPUT -p tcp --dport 22 -j ACCEPT"',
        "(iptables -A INPUT -p tcp --dport 22 -j ACCEPT) || exit 1",
        "iptables-restore <<EOF\n*filter\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\nEOF",
        "P=22\ncat <<-EOF | iptables-restore -n\n\t*filter\n"
        "\t-A INPUT -p tcp --dport $P -j ACCEPT\n\tCOMMIT\n\tEOF",
        "(echo '*filter'; echo '-A INPUT -p tcp --dport 22 -j ACCEPT'; echo COMMIT) | "
        "iptables-restore",
        "cat > /tmp/r <<EOF\n*filter\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\nEOF\n"
        "iptables-restore < /tmp/r",
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\necho iptables -F\n# iptables -F",
        "for p in 22 80; do [ $p = 80 ] && continue\n"
        "iptables -A INPUT -p tcp --dport $p -j ACCEPT\ndone",
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT\nexit 0\niptables -F",
        "stop() { iptables -F; }\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
        "if false; then stop; fi",
    ],
)
def test_one_rule_written_in_many_ways(text: str) -> None:
    assert same(text, "*filter\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n")
    assert [d.code for d in diagnostics(text) if "is left out" not in d.message] == []


def test_both_families_are_one_ruleset() -> None:
    text = (
        "for t in iptables ip6tables; do\n $t -P INPUT DROP\n $t -t nat -A POSTROUTING -j ACCEPT\n"
        "done"
    )
    tables = [(t.family, t.name) for t in after(text).tables]
    assert tables == [
        (Family.IP, "filter"),
        (Family.IP, "nat"),
        (Family.IP6, "filter"),
        (Family.IP6, "nat"),
    ]


# -- what the commands do ----------------------------------------------------------------------


def test_a_rule_is_added_where_it_is_missing() -> None:
    once = "iptables -C INPUT -j DROP 2>/dev/null || iptables -A INPUT -j DROP\n"
    assert verdicts(once * 3) == "DROP"
    text = "if ! iptables -C INPUT -j DROP; then iptables -A INPUT -j DROP; fi\n"
    assert verdicts(text * 2) == "DROP"


def test_what_was_there_before_counts() -> None:
    saved = "*filter\n:INPUT DROP [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n"
    once = "iptables -C INPUT -j ACCEPT || iptables -A INPUT -j ACCEPT\n"
    assert verdicts(once + "iptables -A INPUT -j LOG", start=saved) == "ACCEPT LOG"


def test_a_chain_that_is_there_is_emptied() -> None:
    text = "iptables -N A 2>/dev/null || iptables -F A\niptables -A A -j DROP\n"
    assert verdicts(text * 2, "A") == "DROP"


def test_a_command_before_the_chain_it_needs_does_nothing() -> None:
    text = "iptables -A INPUT -j WEB\niptables -N WEB\niptables -A WEB -j DROP"
    assert verdicts(text) == ""
    (diagnostic,) = diagnostics(text)
    assert (diagnostic.code, diagnostic.start) == ("IPT003", 0)


def test_a_chain_whose_command_is_refused_is_not_there() -> None:
    """It is one mistake, and is told where the chain is missed first."""
    long = "a_chain_whose_name_is_far_too_long"
    text = f"iptables -N {long}\niptables -A INPUT -j {long}\niptables -A {long} -j DROP\n"
    refused, missing = diagnostics(text)
    assert (refused.code, missing.code) == ("IPT006", "IPT003")
    assert "the command on line 1 that was to make it is refused" in missing.message
    assert verdicts(f"iptables -P INPUT DROP\n{text}") == ""


def test_a_chain_that_nobody_makes_may_be_the_hosts() -> None:
    text = "iptables -A LAN -j DROP"
    assert verdicts(text, "LAN") == "DROP"
    assert codes(text) == ["IPT006"]
    assert codes("iptables -I DOCKER-USER -j DROP") == []


def test_a_refused_command_is_told_at_its_word() -> None:
    text = "P=http-alt-typo\niptables -A INPUT -p tcp --dport $P -j DROP"
    (diagnostic,) = diagnostics(text)
    assert text[diagnostic.start : diagnostic.end] == "--dport $P"
    assert verdicts(f"iptables -A INPUT -j ACCEPT\n{text}") == "ACCEPT"


# -- what is known only at run time ------------------------------------------------------------


def test_an_unknown_value_makes_a_rule_that_may_match() -> None:
    text = "WAN=$(ip -4 addr show eth0)\niptables -A INPUT -s $WAN -p tcp --dport 22 -j ACCEPT"
    (rule,) = chain(after(text))
    assert doubts(rule) == ["-s $WAN"]
    assert rule.verdict.kind is VerdictKind.ACCEPT
    assert len(rule.matches) == 4
    (diagnostic,) = diagnostics(text)
    assert diagnostic.code == "IPT002"
    assert "1 of 1 commands" in diagnostic.message
    assert "$WAN" in diagnostic.message


def test_an_unknown_target_may_do_anything() -> None:
    (rule,) = chain(after("read TARGET\niptables -A INPUT -p tcp --dport 22 -j $TARGET"))
    assert rule.verdict.kind is VerdictKind.UNKNOWN
    (rule,) = chain(after("read EVERYTHING\niptables -A INPUT $EVERYTHING -j DROP"))
    assert rule.verdict.kind is VerdictKind.UNKNOWN


def test_an_unknown_comment_leaves_no_doubt() -> None:
    assert verdicts('iptables -A INPUT -m comment --comment "$USER" -j DROP') == "DROP"
    assert verdicts('iptables -A INPUT -j LOG --log-prefix "$HOST"') == "LOG"


def test_rules_of_an_undecided_branch_may_be_there() -> None:
    text = (
        "if [ -f /etc/site ]; then\n iptables -A INPUT -j ACCEPT\nelse\n iptables -A INPUT -j LOG\n"
        "fi\niptables -A INPUT -j DROP"
    )
    assert verdicts(text) == "(ACCEPT) (LOG) DROP"
    first, second, _ = chain(after(text))
    assert first.matches == (Decided("[ -f /etc/site ]"),)
    assert second.matches == (Decided("[ -f /etc/site ]", negated=True),)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[ -f /etc/x ] && iptables -F", "(ACCEPT)"),
        ("[ -f /etc/x ] && iptables -D INPUT 1", "(ACCEPT)"),
        ("[ -f /etc/x ] && iptables -D INPUT -j ACCEPT", "(ACCEPT)"),
        ("[ -f /etc/x ] && iptables -R INPUT 1 -j LOG", "(LOG) (ACCEPT)"),
        ("[ -f /etc/x ] && iptables -I INPUT -j LOG", "(LOG) ACCEPT"),
        ("[ -f /etc/x ] && iptables -P INPUT DROP", "ACCEPT (DROP)"),
        ("[ -f /etc/x ] || { echo no; exit 1; }", "ACCEPT"),
        ("[ -f /etc/x ] && { iptables -F; exit 1; }", "ACCEPT"),
        ("iptables -F $CHAIN", "(ACCEPT)"),
        ("iptables -D INPUT -s $OLD -j ACCEPT", "(ACCEPT)"),
        ("iptables-restore < /nowhere/rules", "(unread) (ACCEPT)"),
        ("for i in $LIST; do iptables -A INPUT -i $i -j LOG; done", "ACCEPT (LOG)"),
        ("while read a; do iptables -A INPUT -s $a -j LOG; done < /nowhere/x", "ACCEPT (LOG)"),
        ("case $(uname) in L*) iptables -A INPUT -j LOG;; esac", "ACCEPT (LOG)"),
        ("(sleep 60; iptables -F) &", "ACCEPT"),
    ],
)
def test_what_may_or_may_not_happen(text: str, left: str) -> None:
    assert verdicts(f"iptables -A INPUT -j ACCEPT\n{text}") == left


def test_a_loop_of_unknown_length_knows_no_counter() -> None:
    text = "n=1\nfor i in $LIST; do\n iptables -A INPUT -p tcp --dport $n -j LOG\n n=$((n+1))\ndone"
    (rule,) = chain(after(text))
    assert "--dport $n" in doubts(rule)


def test_leaving_a_function_early_puts_the_rest_in_doubt() -> None:
    text = "f() {\n [ -f /x ] && return\n iptables -A INPUT -j LOG\n}\nf\niptables -A INPUT -j DROP"
    assert verdicts(text) == "(LOG) DROP"


def test_where_the_ways_differ_a_variable_has_the_value_of_each() -> None:
    text = "if [ -f /x ]; then p=22; else p=23; fi\niptables -A INPUT -p tcp --dport $p -j DROP"
    assert verdicts(text) == "(DROP) (DROP)"
    text = "if [ -f /x ]; then p=22; else p=22; fi\niptables -A INPUT -p tcp --dport $p -j DROP"
    assert verdicts(text) == "DROP"


# -- other files -------------------------------------------------------------------------------


def test_files_beside_the_script(tmp_path: Path) -> None:
    allow = "allow() { iptables -A INPUT -p tcp --dport $1 -j ACCEPT; }"
    (tmp_path / "conf").write_text(f"PORT=22\n{allow}\n")
    (tmp_path / "rules.v4").write_text("*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n")
    (tmp_path / "fw.nft").write_text("table inet x {\n chain c {\n  accept\n }\n}\n")
    main = tmp_path / "firewall.sh"
    text = ". ./conf\nallow $PORT\niptables-restore < /etc/iptables/rules.v4\nnft -f fw.nft\n"
    main.write_text(text)
    ruleset, found = run_script(parse(SourceFile(str(main), text))).final()
    assert found == ()
    places = {t.name: r.origin.span.source.path for t, _, r in ruleset.rules()}
    assert places == {
        "filter": str(tmp_path / "conf"),
        "nat": str(tmp_path / "rules.v4"),
        "x": str(tmp_path / "fw.nft"),
    }


def test_a_sourced_file_that_is_not_there_is_told() -> None:
    text = ". /nowhere/conf\niptables -A INPUT -i $WAN -j DROP"
    assert verdicts(text) == "(DROP)"
    (diagnostic,) = diagnostics(text)
    assert "what `/nowhere/conf` may set is not known" in diagnostic.message


# -- nft and ipset -----------------------------------------------------------------------------


def test_nft_commands_and_texts() -> None:
    text = (
        "nft add table inet fw\nP=22\n"
        "nft add chain inet fw input '{ type filter hook input priority 0 ; policy drop ; }'\n"
        "nft add rule inet fw input tcp dport $P accept\n"
        "nft -f - <<EOF\nadd rule inet fw input tcp dport { 80, 443 } accept\nEOF\n"
        "[ -f /x ] && nft add rule inet fw input udp dport 53 accept\n"
    )
    ruleset = after(text)
    (table,) = ruleset.tables
    rules = table.chains["input"].rules
    assert [bool(doubts(rule)) for rule in rules] == [False, False, True]
    assert [rule.origin.span.line for rule in rules] == [4, 6, 8]
    assert rules[0].origin.span.source is ruleset.source
    assert codes(text) == ["IPT002"]


def test_nft_flushes_what_iptables_made() -> None:
    assert verdicts("iptables -A INPUT -j DROP\nnft flush ruleset") == ""


def test_sets_are_what_the_script_puts_into_them() -> None:
    text = (
        "ipset create bad hash:ip\nfor i in 1 2; do ipset add bad 192.0.2.$i; done\n"
        "iptables -A INPUT -m set --match-set bad src -j DROP"
    )
    (rule,) = chain(after(text))
    assert "3221225985" in str(rule.matches)
    (rule,) = chain(after(text + "\nipset add bad $MORE"))
    assert "3221225985" not in str(rule.matches)


# -- steps -------------------------------------------------------------------------------------


def test_the_state_after_each_step() -> None:
    text = "iptables -P INPUT DROP\niptables -A INPUT -j ACCEPT\niptables-save > /etc/rules\n"
    made = script(text)
    assert [step.kind for step in made.steps] == [Kind.CHANGE, Kind.CHANGE, Kind.SAVE]
    states = [len(chain(ruleset)) for _, ruleset in made.states()]
    assert states == [0, 1, 1]
    assert made.after(0).tables == ()
    assert len(chain(made.after(1))) == 0
    assert len(chain(made.after(2))) == 1


def test_a_step_knows_where_it_is_called_from() -> None:
    text = "f() {\n iptables -A INPUT -p tcp --dport $1 -j ACCEPT\n}\nf 22\n[ -f /x ] && f 80\n"
    first, second = script(text).steps
    assert first.span == second.span
    assert [span.line for span in (*first.calls, *second.calls)] == [4, 5]
    assert [condition.text for condition in second.conditions] == ["if [ -f /x ]"]


def test_chains_that_a_step_does_not_touch_stay_the_same_objects() -> None:
    text = "iptables -A INPUT -j DROP\niptables -A OUTPUT -j DROP\n"
    one, two = (ruleset for _, ruleset in script(text).states())
    assert one.tables[0].chains["INPUT"] is two.tables[0].chains["INPUT"]


def test_places_of_tests_are_words_of_the_script() -> None:
    text = 'NET=192.0.2.0/24\niptables -A INPUT -s "$NET" -p tcp --dport 22 -j DROP'
    (rule,) = chain(after(text))
    parts = [rule.origin.part(index).text for index in range(-1, len(rule.matches))]
    assert parts[0] == "-j DROP"
    assert '-s "$NET"' in parts
    assert "--dport 22" in parts
    assert rule.origin.span.text == text.split("\n")[1]


def test_a_brace_may_follow_done() -> None:
    text = "[ -n x ] && { for p in 22; do iptables -A INPUT -p tcp --dport $p -j DROP; done }\n"
    assert codes(text) == []
    assert verdicts(text) == "DROP"


def test_read_takes_an_array_and_the_arguments_of_its_options() -> None:
    text = (
        "services=80,443\nIFS=', ' read -r -a ports <<< \"$services\"\n"
        'for port in "${ports[@]}"; do iptables -A INPUT -p tcp --dport $port -j ACCEPT; done\n'
        'IFS=, read -r -a none <<< ""\n'
        'for port in "${none[@]}"; do iptables -A INPUT -p udp --dport $port -j ACCEPT; done\n'
        "host=192.0.2.1\nread -p host answer\niptables -A INPUT -s $host -j DROP\n"
    )
    script = run_script(parse(SourceFile("firewall.sh", text)))
    words = [" ".join(step.words) for step in script.steps]
    assert words == [
        "-A INPUT -p tcp --dport 80 -j ACCEPT",
        "-A INPUT -p tcp --dport 443 -j ACCEPT",
        "-A INPUT -s 192.0.2.1 -j DROP",
    ]


# -- functions that pass on what they are called with ------------------------------------------

WRAPPERS = """\
iptables() { command iptables -w 5 "$@"; }
both() { iptables "$@"; ip6tables "$@"; }
both -P INPUT DROP
for port in 22 80; do
  both -A INPUT -p tcp --dport $port -j ACCEPT
done
"""


def test_behind_command_a_function_of_the_same_name_is_not_called() -> None:
    assert verdicts("iptables() { command iptables -w 5 $*; }\niptables -A INPUT -j DROP") == "DROP"
    assert verdicts("iptables() { sudo iptables $*; }\niptables -A INPUT -j DROP") == "DROP"
    assert verdicts("allow() { iptables -A INPUT -j ACCEPT; }\ntime allow") == "ACCEPT"


def test_a_rule_is_shown_where_the_wrapper_is_called() -> None:
    ruleset, _ = run_script(parse(SourceFile("<text>", WRAPPERS))).final()
    rules = [rule for _, _, rule in ruleset.rules()]
    assert [rule.origin.span.line for rule in rules] == [5] * 4
    told = ("in round 1 (port=22)", "in the call at line 5")
    assert [rule.occasions for rule in rules[::2]] == [told, told]
