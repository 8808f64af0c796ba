"""What the ruleset is after the commands of a text, as nft 1.0.6 and the kernel make it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execute import ExecutionResult, execute
from iptlint.dialects.nft.parser import parse
from iptlint.dialects.nft.tables import OpenChain, OpenSet, OpenTable, PlacedRule
from iptlint.dialects.nft.walking import everything
from iptlint.dialects.nft_json.parser import parse as parse_json
from iptlint.source import SourceFile
from tests.costs import at_most


def run(text: str, path: str = "-") -> ExecutionResult:
    return execute(parse(SourceFile(path, text)))


def table(text: str) -> OpenTable:
    """The only table there is at the end, of a text that has nothing wrong."""
    done = run(text)
    assert done.diagnostics == ()
    (only,) = done.tables
    return only


def chain(body: str, before: str = "") -> OpenChain:
    return table(f"{before}\ntable ip t {{\nchain c {{\n{body}\n}}\n}}\n").chains["c"]


def open_set(body: str, before: str = "") -> OpenSet:
    return table(f"{before}\ntable ip t {{\nset s {{\n{body}\n}}\n}}\n").sets["s"]


def ports(rules: list[PlacedRule]) -> list[str]:
    """The port of each rule; ? for one that could not be read."""
    return [port(placed.rule) for placed in rules]


def port(rule: t.Rule) -> str:
    match rule.statements[0]:
        case t.Match(right=t.Value(text)):
            return text
        case t.Foreign("unread"):
            return "?"
    raise AssertionError(rule)


def right(found: OpenChain) -> Any:
    match found.rules[0].rule.statements[0]:
        case t.Match(right=value):
            return value
    raise AssertionError(found)


def texts(literal: Any) -> list[str]:
    return [element.text for element in literal.elements]


def messages(done: ExecutionResult) -> list[tuple[str, str, str]]:
    return [(p.code, p.severity, p.message) for p in done.diagnostics]


# -- where rules go --------------------------------------------------------------------

THREE = "table ip t { chain c { tcp dport 1; tcp dport 2; tcp dport 3; }; }\n"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("add rule ip t c tcp dport 9", "1 2 3 9"),
        ("ip t c tcp dport 9", "1 2 3 9"),
        ("insert rule ip t c tcp dport 9", "9 1 2 3"),
        ("add rule ip t c index 0 tcp dport 9", "1 9 2 3"),
        ("insert rule ip t c index 0 tcp dport 9", "9 1 2 3"),
        ("insert rule ip t c index 2 tcp dport 9", "1 2 9 3"),
        ("add rule ip t c position 0 tcp dport 9", "1 2 3 9"),
        ("insert rule ip t c tcp dport 8\ninsert rule ip t c tcp dport 9", "9 8 1 2 3"),
        ("insert rule ip t c tcp dport 8\nadd rule ip t c index 0 tcp dport 9", "8 9 1 2 3"),
        ("flush chain ip t c\nadd rule ip t c tcp dport 9", "9"),
        ("flush table ip t\nadd rule ip t c tcp dport 9", "9"),
        ("table ip t { chain c { tcp dport 9; }; }", "1 2 3 9"),
        ("add chain ip t c { tcp dport 9; }", "1 2 3 9"),
        ("delete chain ip t c\nadd chain ip t c\nadd rule ip t c tcp dport 9", "9"),
    ],
)
def test_the_order_of_rules(command: str, expected: str) -> None:
    assert ports(table(THREE + command).chains["c"].rules) == expected.split()


LISTED = """table ip t { # handle 1
chain c { # handle 1
tcp dport 1 # handle 2
tcp dport 2 comment "x" # handle 4
tcp dport 3 # handle 7
}
}
"""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("delete rule ip t c handle 4", "1 3"),
        ("destroy rule ip t c handle 4", "1 3"),
        ("delete rule ip t c handle 5", "1 2 3"),
        ("replace rule ip t c handle 4 tcp dport 9", "1 9 3"),
        ("add rule ip t c handle 2 tcp dport 9", "1 9 2 3"),
        ("insert rule ip t c position 7 tcp dport 9", "1 2 9 3"),
    ],
)
def test_rules_by_handles_that_a_listing_shows(command: str, expected: str) -> None:
    assert ports(table(LISTED + command).chains["c"].rules) == expected.split()


@pytest.mark.parametrize("place", ["handle 40", "position 40", "index 40"])
def test_a_rule_beside_one_that_only_the_host_has_may_be_anywhere(place: str) -> None:
    text = THREE + f"add rule ip t c {place} tcp dport 9"
    assert ports(table(text).chains["c"].rules) == ["?", "1", "2", "3"]


# -- tables and chains -----------------------------------------------------------------


def test_a_flush_in_the_middle_leaves_nothing_of_what_was_before() -> None:
    done = run("table ip t { chain a { }; }\nflush ruleset\ntable ip6 t { chain b { }; }\n")
    (only,) = done.tables
    assert (only.family.value, list(only.chains), only.fresh) == ("ip6", ["b"], True)
    assert done.flush is not None
    assert done.flush.span.text.strip() == "flush ruleset"


def test_a_flush_of_one_family_leaves_the_others() -> None:
    done = run("table ip t { }\ntable ip6 t { }\nflush ruleset ip\n")
    assert [(found.family.value, found.fresh) for found in done.tables] == [("ip6", False)]
    assert done.flush is not None


@pytest.mark.parametrize(
    ("before", "fresh"),
    [
        ("", False),
        ("flush ruleset", True),
        ("flush ruleset ip", True),
        ("flush ruleset ip6", False),
        ("flush table ip t", True),
        ("flush table ip6 t", False),
        ("delete table ip t", True),
        ("destroy table ip t", True),
        ("table ip t\ndelete table ip t", True),
        ("add table ip t\nflush table ip t", True),
        ("table ip t\nflush chain ip t c", False),
    ],
)
def test_a_table_is_fresh_if_the_text_emptied_it(before: str, fresh: bool) -> None:
    assert table(f"{before}\ntable ip t {{ chain c {{ }}; }}\n").fresh is fresh


def test_flushing_a_table_keeps_its_chains_and_sets() -> None:
    text = "table ip t { chain c { tcp dport 1; }; set s { type ipv4_addr; elements = { 1.1.1.1 };"
    found = table(text + " }; }\nflush table ip t\n")
    assert found.chains["c"].rules == []
    assert len(found.sets["s"].changes) == 1


def test_a_declaration_without_the_flag_wakes_a_table_up() -> None:
    asleep = "table ip t { flags dormant; chain c { }; }\n"
    assert table(asleep).dormant
    assert table(asleep + "add rule ip t c accept\n").dormant
    assert not table(asleep + "add table ip t\n").dormant


def test_a_base_chain_is_continued_and_the_last_policy_holds() -> None:
    text = "chain c { type filter hook input priority 0; policy drop; tcp dport 1; }; "
    found = table(
        f"table ip t {{ {text} }}\ntable ip t {{ chain c {{ policy accept; tcp dport 2; }}; }}\n"
    ).chains["c"]
    assert (found.priority, found.policy, ports(found.rules)) == (0, "accept", ["1", "2"])


@pytest.mark.parametrize(
    ("family", "written", "number"),
    [
        ("ip", "filter", 0),
        ("ip", "raw", -300),
        ("ip", "mangle + 5", -145),
        ("ip", "-7", -7),
        ("ip", "security - 60", -10),
        ("bridge", "filter", -200),
        ("bridge", "out", 100),
        ("bridge", "dstnat + 1", -299),
    ],
)
def test_names_of_priorities(family: str, written: str, number: int) -> None:
    text = f"type filter hook prerouting priority {written};"
    assert table(f"table {family} t {{ chain c {{ {text} }}; }}").chains["c"].priority == number


@pytest.mark.parametrize(
    ("value", "number"), [("-5", -5), ('"filter + 7"', 7), ("raw", -300), ('"-5"', -5), ("3", 3)]
)
def test_a_priority_may_be_a_variable(value: str, number: int) -> None:
    found = chain("type filter hook input priority $p;", f"define p = {value}")
    assert found.priority == number


def test_a_priority_nobody_knows_is_refused() -> None:
    done = run("table ip t { chain c { type filter hook input priority out; }; }")
    assert [diagnostic.code for diagnostic in done.diagnostics] == ["IPT006"]


@pytest.mark.parametrize(
    "devices", ["device $lan", "devices = { $lan, eth1 }", "devices = $both", "devices = { $both }"]
)
def test_devices(devices: str) -> None:
    before = 'define lan = "eth0"\ndefine both = { $lan, "eth1" }\n'
    text = f"table netdev t {{ chain c {{ type filter hook ingress {devices} priority 0; }}; }}"
    expected = ("eth0",) if devices == "device $lan" else ("eth0", "eth1")
    assert table(before + text).chains["c"].devices == expected


def test_jumps_follow_a_chain_that_gets_another_name() -> None:
    found = table(
        "table ip t { chain a { }; chain b { jump a; tcp dport vmap { 1 : goto a }; }; }\n"
        "rename chain ip t a z\n"
    )
    nodes = [node for placed in found.chains["b"].rules for node in everything(placed.rule)]
    jumps = [node.chain for node in nodes if isinstance(node, t.Verdict)]
    assert [name.text for name in jumps if isinstance(name, t.Value)] == ["z", "z"]
    assert list(found.chains) == ["b", "z"]


# -- what is not there, or is there already --------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "delete table inet x\n",
        "flush table inet x\n",
        "destroy table inet x\n",
        "flush chain inet x y\n",
        "delete chain inet x y\n",
        "delete chain inet x handle 6\n",
        "delete rule inet x y handle 5\n",
        "delete set inet x y\n",
        "flush set inet x y\n",
        "delete element inet x y { 1.1.1.1 }\n",
        "add element inet x y { 1.1.1.1 }\n",
        "rename chain inet x y z\n",
        "add rule ip filter DOCKER-USER drop\n",
        "add table ip filter\nadd rule ip filter DOCKER-USER drop\n",
        "insert rule ip filter INPUT position 5 drop\n",
        "list ruleset\nreset counters\ndescribe tcp flags\n",
    ],
)
def test_nothing_is_said_of_what_the_host_may_have(text: str) -> None:
    assert run(text).diagnostics == ()


def test_what_is_missing_in_a_missing_table_is_one_mistake() -> None:
    text = "flush ruleset\nadd rule ip t c drop\nadd rule ip t c accept\n"
    found = run(text).diagnostics
    assert {each.message.partition(":")[0] for each in found} == {"there is no table ip t"}


def test_the_chain_of_a_host_is_made_for_its_rules() -> None:
    found = table("add rule ip filter FORWARD drop\n").chains["FORWARD"]
    assert (found.hook, found.declared, len(found.rules)) == (None, False, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "add table ip t\nadd rule ip t inptu drop\n",
            ("IPT003", "warning", "there is no chain inptu in table ip t"),
        ),
        (
            "flush ruleset\nadd table ip t\nadd rule ip t c drop\nadd rule ip t c drop\n",
            ("IPT003", "error", "there is no chain c in table ip t"),
        ),
        (
            "flush ruleset\nadd rule ip t c drop\n",
            ("IPT003", "error", "there is no table ip t: the text deleted it before"),
        ),
        (
            "add table ip t\nadd element ip t s { 1.1.1.1 }\n",
            ("IPT003", "warning", "there is no set s in table ip t"),
        ),
        (
            "add table ip t\nadd chain ip t c\ncreate chain ip t c\n",
            ("IPT006", "error", "there is a chain c already, so create is refused"),
        ),
        (
            "table ip t { }\ncreate table ip t\n",
            ("IPT006", "error", "there is a table t already, so create is refused"),
        ),
    ],
)
def test_what_nft_refuses(text: str, expected: tuple[str, str, str]) -> None:
    assert messages(run(text))[:1] == [expected]


def test_what_was_deleted_can_be_created() -> None:
    assert run("table ip t { }\ndelete table ip t\ncreate table ip t\n").diagnostics == ()


# -- variables -------------------------------------------------------------------------


def test_a_variable_stands_for_its_value_at_the_place_of_its_use() -> None:
    text = "define a = 22\ndefine b = $a\ntable ip t {\nchain c {\ntcp dport $b accept\n}\n}\n"
    value = right(table(text).chains["c"])
    assert (value, text[value.start : value.end]) == (t.Value("22", t.Kind.NUMBER), "$b")


def test_scopes_as_nft_has_them() -> None:
    found = table(
        "define x = 1\n"
        "table ip t {\n"
        " redefine x = 2\n"
        " chain a {\n redefine x = 3\n tcp dport $x\n }\n"
        " chain b {\n tcp dport $x\n undefine x\n tcp dport $x\n }\n"
        "}\n"
        "table ip t {\n chain c {\n tcp dport $x\n }\n}\n"
    )
    assert {name: ports(found.chains[name].rules) for name in found.chains} == {
        "a": ["3"],
        "b": ["2", "2"],
        "c": ["1"],
    }


def test_a_definition_in_a_set_is_one_of_its_table() -> None:
    found = table(
        "table ip t {\n set s {\n define q = 7\n type inet_service; elements = { $q }\n }\n"
        " chain c {\n tcp dport $q\n }\n}\n"
    )
    assert ports(found.chains["c"].rules) == ["7"]


def test_a_definition_in_a_chain_is_not_known_in_another() -> None:
    done = run(
        "table ip t {\n chain a {\n define http = 80\n tcp dport $http\n }\n"
        " chain b {\n tcp dport $http\n tcp dport $http\n tcp dport 1\n }\n}\n"
    )
    assert messages(done) == [("IPT001", "error", "there is no variable $http")]
    assert ports(done.tables[0].chains["b"].rules) == ["?", "?", "1"]


def test_what_was_probably_meant() -> None:
    (diagnostic,) = run("define lan_net = 1\nadd rule ip t c tcp dport $lan_nte\n").diagnostics
    assert "did you mean $lan_net?" in diagnostic.help


@pytest.mark.parametrize("around", ["define x = 1\ntable ip t {{ {} }}", "define x = 1\n{}"])
def test_define_does_not_define_again(around: str) -> None:
    assert [p.code for p in run(around.format("define x = 2\n")).diagnostics] == ["IPT006"]
    assert run(around.format("redefine x = 2\n")).diagnostics == ()
    assert (
        run("define x = 1\nundefine x\ndefine x = 2\nundefine y\nredefine z = 1\n").diagnostics
        == ()
    )


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("tcp dport $two", ["1", "2"]),
        ("tcp dport { $two }", ["1", "2"]),
        ("tcp dport { $two, 3 }", ["1", "2", "3"]),
        ("tcp dport { $three, 4, $one }", ["1", "2", "3", "4", "1"]),
    ],
)
def test_a_set_in_a_set_is_its_elements(use: str, expected: list[str]) -> None:
    before = "define one = 1\ndefine two = { $one, 2 }\ndefine three = { $two, 3 }\n"
    assert texts(right(chain(use, before))) == expected


def test_a_key_that_is_a_set_is_as_many_keys() -> None:
    found = chain("tcp dport vmap { $two : accept, 8 : drop }", "define two = { 1, 2 }")
    (statement,) = found.rules[0].rule.statements
    assert isinstance(statement, t.VerdictMap)
    assert isinstance(statement.mapping, t.SetLiteral)
    got = [(e.key.text, e.data.name) for e in statement.mapping.elements]
    assert got == [("1", "accept"), ("2", "accept"), ("8", "drop")]


def test_variables_in_other_places() -> None:
    before = (
        'define to = target\ndefine name = "web"\ndefine states = new,established\n'
        "define low = 1\ndefine known = @s\n"
    )
    found = chain(
        'jump $to\nlog prefix "a $name-$low: "\nct state $states\ntcp dport $low - 9\n'
        "add $known { ip saddr }\nip saddr $known",
        before,
    )
    jump, log, states, span, update, member = (r.rule.statements[0] for r in found.rules)
    assert jump == t.Verdict("jump", t.Value("target", t.Kind.SYMBOL))
    assert log == t.Log(t.Value("a web-1: ", t.Kind.STRING))
    assert isinstance(states, t.Match)
    assert isinstance(states.right, t.Listing)
    assert isinstance(span, t.Match)
    assert span.right == t.Range(t.Value("1", t.Kind.NUMBER), t.Value("9", t.Kind.NUMBER))
    reference = t.SetReference(t.Value("s", t.Kind.SYMBOL))
    assert isinstance(update, t.SetUpdate)
    assert update.target == reference
    assert isinstance(member, t.Match)
    assert member.right == reference


def test_no_variable_is_left_in_a_chain_without_a_name() -> None:
    found = chain("tcp dport 1 jump {\ntcp sport $x accept\n}", "define x = 5")
    nodes = list(everything(found.rules[0].rule))
    assert not any(isinstance(node, t.Variable) for node in nodes)


@pytest.mark.parametrize(
    "rule", ["jump $x", "add $x { ip saddr }", "ip saddr $y", 'log prefix "$y"']
)
def test_a_rule_with_a_variable_that_does_not_fit_may_do_anything(rule: str) -> None:
    done = run(f"define x = {{ 1.1.1.1 }}\ntable ip t {{\nchain c {{\n{rule}\n}}\n}}\n")
    assert len(done.diagnostics) == 1
    (placed,) = done.tables[0].chains["c"].rules
    assert placed.rule.statements == (t.Foreign("unread", rule),)


def test_which_definitions_are_used() -> None:
    done = run(
        "define a = 1\ndefine b = $a\ndefine c = 2\nredefine c = 3\ndefine d = 4\n"
        "define e = 5\ndefine f = 6\nadd rule ip t x tcp dport $c\n"
        'add rule ip t x log prefix "$e"\n'
        "table ip t {\nchain x {\ntcp dprot $f\n}\n}\n"
    )
    got = [(found.name, found.used) for found in done.defines]
    unused = [name for name, used in got if not used]
    assert [name for name, _ in got] == ["a", "b", "c", "c", "d", "e", "f"]
    assert unused == ["b", "d"]


# -- includes --------------------------------------------------------------------------


def test_included_files_are_read_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "names.nft").write_text("define web = 80\n")
    (tmp_path / "rules.nft").write_text("tcp dport $web accept\ntcp dport $ssh accept\n")
    text = (
        'include "./names.nft"\ntable ip t {\nchain c {\ndefine ssh = 22\ntcp dport 1\n'
        'include "./rules.nft"\ntcp dport 2\n}\n}\n'
    )
    done = run(text, str(tmp_path / "main.nft"))
    rules = done.tables[0].chains["c"].rules
    assert ports(rules) == ["1", "80", "22", "2"]
    assert [Path(placed.source.path).name for placed in rules][1:3] == ["rules.nft", "rules.nft"]
    assert done.defines[0].origin.span.text.strip() == "define web = 80"
    assert all(found.used for found in done.defines)


def test_a_problem_says_which_file_it_is_in(tmp_path: Path) -> None:
    (tmp_path / "rules.nft").write_text("add rule ip t c tcp dport $web\n")
    (diagnostic,) = run('include "./rules.nft"\n', str(tmp_path / "main.nft")).diagnostics
    assert diagnostic.source is not None
    assert diagnostic.source.text[diagnostic.start : diagnostic.end] == "$web"


@pytest.mark.parametrize("name", ["./gone.nft", "./gone.d/*.nft"])
def test_a_file_that_is_not_here_may_define_anything(name: str, tmp_path: Path) -> None:
    done = run(
        f'flush ruleset\ndefine a = 1\ninclude "{name}"\nadd table ip t\nadd set ip t s '
        "{ type ipv4_addr; }\nadd rule ip t c tcp dport $web\nadd rule ip x c drop\n",
        str(tmp_path / "main.nft"),
    )
    assert done.diagnostics == ()
    assert done.missing
    assert ports(done.tables[0].chains["c"].rules) == ["?"]
    assert done.defines[0].used
    assert done.tables[0].sets["s"].used


# -- what could not be read ------------------------------------------------------------


def test_a_rule_that_is_none_keeps_its_place() -> None:
    done = run(
        "table ip t {\nchain c {\ntcp dport 1\ntcp dprot 2\n# why\ntcp dport 3; ct foo bar; "
        "tcp dport 4\nip saddr {\n1.1.1.1,\n2.2.2.x.y }\n}\nchain d {\ntcp dport 5\n}\n}\n"
    )
    chains = done.tables[0].chains
    assert ports(chains["c"].rules) == ["1", "?", "3", "?", "4", "?"]
    first = [placed.rule.statements[0] for placed in chains["c"].rules]
    unread = [found.name for found in first if isinstance(found, t.Foreign)]
    assert unread[:2] == ["tcp dprot 2", "ct foo bar;"]
    assert ports(chains["d"].rules) == ["5"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("add rule ip t c tcp dprot 9", "1 2 3 ?"),
        ("ip t c tcp dprot 9", "1 2 3 ?"),
        ("t c tcp dprot 9", "1 2 3 ?"),
        ("insert rule t c tcp dprot 9", "? 1 2 3"),
        ("replace rule t c handle 5 tcp dprot 9", "? 1 2 3"),
        ("delete rule t c handl 5", "1 2 3"),
    ],
)
def test_a_command_that_is_none_keeps_its_place(command: str, expected: str) -> None:
    done = run(THREE + command + "\n")
    assert ports(done.tables[0].chains["c"].rules) == expected.split()


def test_a_mistake_in_a_chain_without_a_name_leaves_the_rule_open() -> None:
    done = run("table ip t {\nchain c {\nip protocol tcp jump {\ntcp dprot 2\ndrop\n}\n}\n}\n")
    assert ports(done.tables[0].chains["c"].rules) == ["?"]


def test_a_hook_that_is_none_is_made_out_as_far_as_it_goes() -> None:
    done = run("table ip t {\nchain c {\ntype filter hook input priority filter / 2; drop\n}\n}\n")
    found = done.tables[0].chains["c"]
    assert found.hook is not None
    assert found.hook.hook.text == "input"


@pytest.mark.parametrize(
    "text",
    [
        "table ip t {\nset s {\ntype ipv4_addr\nelements = { 1.1.1.1, a b c }\n}\n}\n",
        "table ip t {\nset s {\ntype ipv4_addr\nflags dynamic /\n}\n}\n",
        "table ip t {\nset s {\ntype ipv4_addr\nelements = { $gone }\n}\n}\n",
        "table ip t {\nset s {\ntype ipv4_addr\n}\n}\nadd element ip t s { 1.1.1.1, a b c }\n",
        "table ip t {\nset s {\ntype ipv4_addr\n}\nchain c {\nadd @s { ip sadr }\n}\n}\n",
    ],
)
def test_a_set_with_a_mistake_holds_nobody_knows_what(text: str) -> None:
    assert run(text).tables[0].sets["s"].updated


@pytest.mark.parametrize(
    "text",
    [
        "flush ruleset\ntabel ip t {\nchain c {\n}\n}\nadd rule ip t c drop\n",
        "table ip t {\nchian c {\n}\n}\nadd rule ip t c drop\n",
    ],
)
def test_a_declaration_that_is_none_may_be_of_what_is_used_later(text: str) -> None:
    done = run(text)
    assert (done.diagnostics, done.missing) == ((), True)


def test_a_definition_that_is_none_is_complained_about_once() -> None:
    done = run("define web = / /\nadd rule ip t c tcp dport $web\n")
    assert done.diagnostics == ()
    assert ports(done.tables[0].chains["c"].rules) == ["?"]


# -- sets and objects ------------------------------------------------------------------


def test_elements_come_and_go_in_order() -> None:
    found = table(
        "table ip t { set s { type ipv4_addr; elements = { 1.1.1.1 }; }; }\n"
        "define more = { 2.2.2.2 }\n"
        "add element ip t s $more\n"
        "delete element ip t s { 1.1.1.1 }\n"
        "add set ip t s { type ipv4_addr; elements = { 3.3.3.3 }; }\n"
    ).sets["s"]
    changes = [(change.adds, texts(change.elements)) for change in found.changes]
    assert changes == [
        (True, ["1.1.1.1"]),
        (True, ["2.2.2.2"]),
        (False, ["1.1.1.1"]),
        (True, ["3.3.3.3"]),
    ]


def test_flushing_a_set_takes_its_elements() -> None:
    found = table(
        "table ip t { set s { type ipv4_addr; elements = { 1.1.1.1 }; }; }\n"
        "flush set ip t s\nadd element ip t s { 2.2.2.2 }\n"
    ).sets["s"]
    assert [texts(change.elements) for change in found.changes] == [["2.2.2.2"]]


@pytest.mark.parametrize(
    ("body", "flags", "timeout"),
    [
        ("type ipv4_addr; timeout 5m;", set(), True),
        ("type ipv4_addr; flags interval, timeout;", {"interval", "timeout"}, True),
        ("type ipv4_addr; flags dynamic; size 5;", {"dynamic"}, False),
    ],
)
def test_what_a_set_says_of_itself(body: str, flags: set[str], timeout: bool) -> None:
    found = open_set(body)
    assert (found.flags, found.timeout) == (flags, timeout)
    assert isinstance(found.type, t.KeyType)


@pytest.mark.parametrize(
    ("rule", "used", "updated"),
    [
        ("ip saddr 1.1.1.1", False, False),
        ('log prefix "@s"', False, False),
        ("ip saddr @s", True, False),
        ("ip saddr != @s drop", True, False),
        ("add @s { ip saddr }", True, True),
        ("update @s { ip saddr timeout 5m }", True, True),
        ("delete @s { ip saddr }", True, True),
        ("ip saddr vmap @s", True, False),
        ("dnat to tcp dport map @s", True, False),
        ("counter name ip saddr map @s", True, False),
        ("tcp dport 1 jump {\nip saddr @s\n}", True, False),
    ],
)
def test_use_of_a_set(rule: str, used: bool, updated: bool) -> None:
    text = f"table ip t {{\nset s {{ type ipv4_addr; }}\nchain c {{\n{rule}\n}}\n}}\n"
    found = table(text).sets["s"]
    assert (found.used, found.updated) == (used, updated)


def test_a_meter_is_a_set_that_its_rule_fills() -> None:
    found = table(
        "add table t\nadd chain t c\nadd rule t c meter m { ip saddr limit rate 5/second }"
    )
    made = found.sets["m"]
    assert (made.kind, made.used, made.updated) == ("meter", True, True)


OBJECTS = """table ip t {
counter hits { }
counter idle { }
quota hits { 5 mbytes }
ct helper ftp { type "ftp" protocol tcp; }
flowtable f { hook ingress priority 0; devices = { lo }; }
synproxy sp { mss 1460; wscale 7; }
limit slow { rate 5/second; }
map m { type ipv4_addr : limit; elements = { 1.1.1.1 : "slow" }; }
chain c {
RULE
}
}
"""


@pytest.mark.parametrize(
    ("rule", "kind", "name"),
    [
        ("counter name hits", "counter", "hits"),
        ('counter name tcp dport map { 1 : "hits" }', "counter", "hits"),
        ('quota name "hits"', "quota", "hits"),
        ('ct helper set "ftp"', "ct helper", "ftp"),
        ("ip protocol tcp flow add @f", "flowtable", "f"),
        ("synproxy name sp", "synproxy", "sp"),
        ("accept", "limit", "slow"),
    ],
)
def test_use_of_an_object(rule: str, kind: str, name: str) -> None:
    found = table(OBJECTS.replace("RULE", rule)).objects
    used = {key for key, thing in found.items() if thing.used}
    assert used == {(kind, name), ("limit", "slow")}


def test_deleted_things_are_gone() -> None:
    found = table(
        "table ip t { counter a { }; set s { type ipv4_addr; }; chain c { }; }\n"
        "delete counter ip t a\ndelete set ip t s\ndelete chain ip t c\n"
    )
    assert (found.objects, found.sets, found.chains) == ({}, {}, {})


def test_a_declaration_is_its_first_line() -> None:
    found = table("table ip t {\nchain c {\naccept\n}\n}\nadd set ip t s { type ipv4_addr; }\n")
    things = (found, found.chains["c"], found.sets["s"])
    spans = [thing.origin.span.text for thing in things]
    assert spans == ["table ip t", "chain c", "add set ip t s"]


# -- JSON ------------------------------------------------------------------------------


def read_json(*rules: Any) -> ExecutionResult:
    place = {"family": "ip", "table": "t"}
    entries: list[Any] = [
        {"table": {"family": "ip", "name": "t"}},
        {"set": {**place, "name": "s", "type": "ipv4_addr", "elem": ["1.1.1.1"]}},
        {"chain": {**place, "name": "c", "type": "filter", "hook": "input", "prio": -5}},
    ]
    entries[2]["chain"]["policy"] = "drop"
    entries += [{"rule": {**place, "chain": "c", "expr": rule}} for rule in rules]
    return execute(parse_json(SourceFile("-", json.dumps({"nftables": entries}))))


def test_json_is_carried_out_as_text_is() -> None:
    match = {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@s"}
    done = read_json([{"match": match}, {"accept": None}])
    (found,) = done.tables
    made = found.chains["c"]
    assert (made.priority, made.policy, len(made.rules)) == (-5, "drop", 1)
    assert (found.sets["s"].used, found.sets["s"].updated) == (True, False)


def test_a_rule_of_json_that_is_none_may_stand_anywhere() -> None:
    done = read_json([{"accept": None}], [{"nonsense": 5}])
    (found,) = done.tables
    first, second = found.chains["c"].rules
    assert isinstance(first.rule.statements[0], t.Foreign)
    assert second.rule.statements == (t.Verdict("accept"),)
    assert (found.sets["s"].used, found.sets["s"].updated) == (True, True)


# -- size ------------------------------------------------------------------------------


def test_the_work_grows_with_the_text_and_no_faster() -> None:
    numbers = range(1, 4000)
    elements = ",\n".join(f"10.{n >> 8}.{n & 255}.1" for n in range(60_000))
    commands = [f"insert rule ip t c tcp dport {n}" for n in numbers]
    listed = "\n".join(f"tcp dport {n} # handle {n}" for n in numbers)
    deletes = [f"delete rule ip t d handle {n}" for n in numbers]
    text = (
        f"define many = {{ {elements} }}\n"
        f"table ip t {{\nset s {{ type ipv4_addr; elements = $many\n}}\n"
        f"chain c {{ ip saddr $many drop\n}}\nchain d {{\n{listed}\n}}\n}}\n"
    )
    parsed = parse(SourceFile("-", text + "\n".join((*commands, *deletes)) + "\n"))
    with at_most(2):
        (found,) = execute(parsed).tables
    assert found.chains["d"].rules == []
    assert ports(found.chains["c"].rules[:-1]) == [str(n) for n in reversed(numbers)]
    assert len(found.sets["s"].changes[0].elements.elements) == 60_000
