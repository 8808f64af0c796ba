"""What a template asks is asked of the rules that it holds back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iptlint.dialects import read
from iptlint.dialects.template_conditions import conditions, text_to_read
from iptlint.linter.run import lint
from iptlint.model import Decided, VerdictKind
from iptlint.source import SourceFile

HEAD = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
REST = "-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
ALL = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
SOME = "-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -j ACCEPT"
NONE = "-A INPUT -p tcp -m tcp --dport 22 -j DROP"


def saved(*lines: str, name: str = "rules.v4.j2") -> SourceFile:
    return SourceFile(name, HEAD + REST + "".join(f"{line}\n" for line in lines) + "COMMIT\n")


def nft(*lines: str) -> SourceFile:
    chain = "table inet t {\nchain c {\ntype filter hook input priority 0; policy drop;\n"
    text = f"flush ruleset\n{chain}" + "".join(f"{line}\n" for line in lines) + "}\n}\n"
    return SourceFile("nftables.conf.j2", text)


def asked(source: SourceFile) -> list[list[str]]:
    """The conditions of each rule that has some."""
    rules = [rule for _, _, rule in read(source).ruleset.rules()]
    each = [[t for t in rule.matches if isinstance(t, Decided)] for rule in rules]
    return [[f"{'not ' * t.negated}{t.key}" for t in tests] for tests in each if tests]


BRANCHES = [
    ("{% if a %}", "{% else %}", "{% endif %}"),
    ("{%- if a -%}", "{%- else -%}", "{%- endif -%}"),
    ("<% if a -%>", "<% else -%>", "<% end -%>"),
    ("<% if a { -%>", "<% } else { -%>", "<% } -%>"),
    ("%{ if a ~}", "%{ else ~}", "%{ endif ~}"),
    ("{{ if a }}", "{{ else }}", "{{ end }}"),
    ("{{- if a -}}", "{{- else -}}", "{{- end -}}"),
]


@pytest.mark.parametrize(("opens", "turns", "closes"), BRANCHES)
def test_branches_exclude_each_other(opens: str, turns: str, closes: str) -> None:
    source = saved(opens, NONE, turns, ALL, closes)
    (first,), (second,) = asked(source)
    assert second == f"not {first}"
    assert not [each for each in lint([source]).findings if each.code in ("IPT101", "IPT102")]
    both = lint([saved(NONE, ALL)]).findings
    assert "IPT101" in [each.code for each in both]


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [(saved, NONE, ALL), (nft, "tcp dport 22 drop", "tcp dport 22 accept")],
)
def test_what_may_not_be_there_takes_nothing_for_certain(
    make: Callable[..., SourceFile], first: str, second: str
) -> None:
    findings = lint([make("{% if closed %}", first, "{% endif %}", second)]).findings
    assert not [each for each in findings if each.code in ("IPT101", "IPT102", "IPT106")]
    assert "IPT101" in [each.code for each in lint([make(first, second)]).findings]


def test_within_one_branch_all_is_as_it_was() -> None:
    findings = lint([saved("{% if closed %}", NONE, ALL, "{% endif %}")]).findings
    assert "IPT101" in [each.code for each in findings]


def test_what_is_asked_again_is_the_same_unless_it_was_set() -> None:
    twice = ("{% if a %}", NONE, "{% endif %}", "{% if a %}", ALL, "{% endif %}")
    assert asked(saved(*twice)) == [["`a`"], ["`a`"]]
    between = (*twice[:3], "{% set a = b %}", *twice[3:])
    assert asked(saved(*between)) == [["`a`"], ["`a` (2)"]]


def test_of_a_loop_both_branches_may_be_there() -> None:
    loop = (
        "{% for x in y %}",
        "{% if x %}",
        NONE,
        "{% else %}",
        ALL,
        "{% endif %}",
        "{% endfor %}",
    )
    (_, one), (_, other) = asked(saved(*loop))
    assert one != other
    assert not other.startswith("not")


def test_a_chain_of_branches() -> None:
    lines = ("{% if a %}", NONE, "{% elif b %}", SOME, "{% else %}", ALL, "{% endif %}")
    assert asked(saved(*lines)) == [["`a`"], ["not `a`", "`b`"], ["not `a`", "not `b`"]]


@pytest.mark.parametrize("lines", [("{% if a %}", ALL), (ALL, "{% endif %}"), (ALL,)])
def test_tags_that_do_not_fit_say_nothing(lines: tuple[str, ...]) -> None:
    source = saved(*lines)
    assert conditions(source) is None
    assert asked(source) == []


def test_a_policy_of_one_branch_is_not_known() -> None:
    text = ":INPUT DROP [0:0]"
    some = f"{{% if a %}}\n{text}\n{{% else %}}\n:INPUT ACCEPT [0:0]\n{{% endif %}}"
    source = SourceFile("rules.v4.j2", saved(ALL).text.replace(text, some))
    (table,) = read(source).ruleset.tables
    policy = table.chains["INPUT"].policy
    assert policy is not None
    assert policy.kind is VerdictKind.UNKNOWN


def test_tags_that_stand_alone_are_no_mistakes_of_a_template() -> None:
    lines = ("{% if a %}", ALL, "{% endif %}", "{# old\n-A INPUT -p tcp --dport 3306 -j ACCEPT #}")
    assert read(saved(*lines)).diagnostics == ()
    assert len(read(saved(*lines)).ruleset.tables[0].chains["INPUT"].rules) == 3
    assert "{" not in text_to_read(saved(*lines))
    plain = saved(*lines[:3], name="rules.v4")
    assert [each.code for each in read(plain).diagnostics] == ["IPT001", "IPT001"]


@pytest.mark.parametrize("line", ["{{ more }}", "{% include 'more.j2' %}"])
def test_a_placeholder_that_is_a_line_may_be_any_rules(line: str) -> None:
    """Nobody knows that no rule accepts SSH."""
    assert "IPT301" in [each.code for each in lint([saved()]).findings]
    assert "IPT301" not in [each.code for each in lint([saved(line)]).findings]


def test_tags_of_several_lines_and_several_in_a_line() -> None:
    lines = ("{% if a or\n   b == '50 %' %}", ALL, "{% endif %}")
    assert read(saved(*lines)).diagnostics == ()
    assert asked(saved(*lines)) == [["`a or b == '50 %'`"]]
    short = ("{% if a %}{% set b = 1 %}", ALL, "{% else %}{% set b = 2 %}{% endif -%}")
    assert (
        read(nft("{% set c = d %}", "tcp dport 22 accept", "{% import 'x' as x %}")).diagnostics
        == ()
    )
    assert asked(saved(*short)) == [["`a`"]]


def test_a_chain_that_a_template_names_may_be_any() -> None:
    table = read(saved("-A {{ chain }} -j ACCEPT")).ruleset.tables[0]
    assert set(table.chains) == {"INPUT", "FORWARD", "OUTPUT"}
    assert all(not chain.rules[-1].read for chain in table.chains.values())


def test_a_policy_that_a_template_gives_is_not_known() -> None:
    text = nft("tcp dport 22 accept").text.replace("policy drop", "policy {{ p }}")
    assert not [f for f in lint([SourceFile("nft.conf.j2", text)]).findings if f.code == "IPT601"]
    opened = SourceFile("nft.conf.j2", text.replace("{{ p }}", "accept"))
    assert "IPT601" in [f.code for f in lint([opened]).findings]


@pytest.mark.parametrize(
    "text",
    [
        "flush ruleset\ntable {{ family }} {{ name }} {\n chain c {\n }\n}\n",
        "table inet t {\n set {{ name }} {\n  {{ each }}\n }\n}\n",
        "table {{ name }} filter {\n chain c {\n }\n}\n",
        "{% for key in all %}\ndefine {{ key }}={{ all[key] }}\n{% endfor %}\n",
        "flush ruleset\n{% macro x(a) %}\n    masquerade\n{% endmacro %}\n",
    ],
)
def test_what_stands_beside_a_placeholder_of_a_template_is_no_mistake(text: str) -> None:
    told = lint([SourceFile("templates/nftables.conf.j2", text)]).findings
    assert not [each for each in told if each.code in ("IPT001", "IPT006")]


def test_a_tag_of_ruby_may_have_lines_in_it() -> None:
    rule = '-A <%= chain %><%=\n  " -i #{name}" unless name.nil? -%><%=\n  " -j X"\n%>'
    told = lint([saved(rule, name="templates/iptables.erb")]).findings
    assert not [each for each in told if each.severity.value == "error"]


def test_a_template_of_which_nobody_can_tell_what_it_becomes() -> None:
    (finding,) = lint([SourceFile("firewall.j2", "{{ rules | join }}\n")]).findings
    assert (finding.code, finding.severity.value) == ("IPT002", "info")
