"""iptables-save to model: what the lines mean, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.lowering.lower import lower
from iptlint.dialects.iptables.parsing.parser import parse
from iptlint.model import (
    AnyOf,
    Effect,
    EffectKind,
    Family,
    Field,
    Hook,
    Interface,
    Masked,
    Match,
    Opaque,
    Rule,
    Ruleset,
    Uncertain,
    VerdictKind,
    Within,
)
from iptlint.source import SourceFile

NEVER = AnyOf(())
WHOLE = Within(Field.FRAGMENT, ((0, 0),))
TCP = Within(Field.PROTO, ((6, 6),))
CONNECTED = Within(Field.CT_STATE, ((3, 4),), True)


def read(text: str, family: Family = Family.IP) -> tuple[Ruleset, tuple[Diagnostic, ...]]:
    source = SourceFile("rules", text)
    return lower(parse(source, family), source)


def rules_of(text: str, chain: str, table: str = "filter") -> tuple[Rule, ...]:
    found = read(text)[0].table(table, Family.IP)
    assert found is not None
    return found.chains[chain].rules


def one(rule: str, family: Family = Family.IP, table: str = "filter") -> Rule:
    chain = {"nat": "PREROUTING", "raw": "PREROUTING"}.get(table, "FORWARD")
    text = f"*{table}\n-A {chain} {rule}\nCOMMIT\n"
    ruleset, diagnostics = read(text, family)
    assert not diagnostics
    (found,) = ruleset.tables[0].chains[chain].rules
    return found


def net(value: int, last: int) -> Within:
    return Within(Field.SADDR, ((value, last),))


MEANINGS: list[tuple[str, tuple[Match, ...]]] = [
    ("", ()),
    ("-s 10.1.2.3/8", (net(0x0A000000, 0x0AFFFFFF),)),
    ("-s 10.1.2.3/010", (net(0x0A000000, 0x0AFFFFFF),)),
    ("-s 0.0.0.0/0", ()),
    ("! -s 0.0.0.0/0", (NEVER,)),
    (
        "-s 10.0.12.0/255.0.255.0",
        (Masked(Field.SADDR, 0xFF00FF00, 0x0A000C00),),
    ),
    (
        "-s 1.0.0.0/8,3.0.0.0/8",
        (Within(Field.SADDR, ((0x01000000, 0x01FFFFFF), (0x03000000, 0x03FFFFFF))),),
    ),
    ("! -s host.example", (Opaque("saddr host host.example", True),)),
    ("-p all", ()),
    ("! -p tcp", (Within(Field.PROTO, ((6, 6),), True),)),
    ("-i eth+", (Interface(Field.IIF, "eth", True),)),
    ("! -o eth0", (Interface(Field.OIF, "eth0", negated=True),)),
    ("-i +", ()),
    ("! -i +", (NEVER,)),
    ("! -f", (Within(Field.FRAGMENT, ((1, 1),), True),)),
    ("-p tcp -m tcp", (TCP, WHOLE)),
    ("-p tcp --sport :1024", (TCP, WHOLE, Within(Field.SPORT, ((0, 1024),)))),
    ("-p tcp ! --dport ssh", (TCP, WHOLE, Within(Field.DPORT, ((22, 22),), True))),
    ("-p tcp --dport :", (TCP, WHOLE)),
    ("-p tcp ! --syn", (TCP, WHOLE, Masked(Field.TCP_FLAGS, 0x17, 2, True))),
    ("-p tcp --tcp-flags SYN SYN,ACK", (TCP, WHOLE, NEVER)),
    (
        "-p tcp -m multiport ! --ports 80,90:91",
        (
            TCP,
            WHOLE,
            AnyOf(
                (
                    (Within(Field.SPORT, ((80, 80), (90, 91))),),
                    (Within(Field.DPORT, ((80, 80), (90, 91))),),
                ),
                True,
            ),
        ),
    ),
    (
        "-p udp --dport 4:3",
        (Within(Field.PROTO, ((17, 17),)), WHOLE, NEVER),
    ),
    (
        "-p icmp ! --icmp-type 3/4",
        (
            Within(Field.PROTO, ((1, 1),)),
            WHOLE,
            AnyOf(
                ((Within(Field.ICMP_TYPE, ((3, 3),)), Within(Field.ICMP_CODE, ((4, 4),))),),
                True,
            ),
        ),
    ),
    ("-p icmp --icmp-type any", (Within(Field.PROTO, ((1, 1),)), WHOLE)),
    ("-m mark --mark 5/2", (NEVER,)),
    ("-m mark ! --mark 5/2", ()),
    ("-m mark --mark 0x10/0xf0", (Masked(Field.MARK, 0xF0, 0x10),)),
    ("-m connmark ! --mark 1", (CONNECTED, Within(Field.CT_MARK, ((1, 1),), True))),
    ("-m state --state NEW,EST", (Within(Field.CT_STATE, ((0, 0), (1, 1))),)),
    ("-m conntrack ! --ctstate INVALID", (Within(Field.CT_STATE, ((3, 3),), True),)),
    (
        "-m conntrack --ctstate DNAT",
        (AnyOf(((CONNECTED, Within(Field.CT_DNAT, ((1, 1),))),)),),
    ),
    ("-m conntrack --ctdir REPLY", (CONNECTED, Within(Field.CT_DIRECTION, ((1, 1),)))),
    (
        "-m conntrack --ctstate INVALID --ctproto tcp",
        (
            Within(Field.CT_STATE, ((3, 3),)),
            AnyOf(
                (
                    (Within(Field.CT_STATE, ((3, 4),)),),
                    (Opaque("conntrack --ctproto 6"),),
                )
            ),
        ),
    ),
    ("-m conntrack --ctstatus NONE", (CONNECTED, NEVER)),
    ("-m ttl --ttl-lt 5", (Within(Field.TTL, ((0, 4),)),)),
    ("-m ttl --ttl-gt 255", (NEVER,)),
    ("-m dscp --dscp-class EF", (Masked(Field.TOS, 0xFC, 0xB8),)),
    ("-m length --length 5:3", (NEVER,)),
    (
        "-m mac ! --mac-source 0:0:0:0:0:1",
        (Opaque("mac --ethernet"), Within(Field.MAC_SOURCE, ((1, 1),), True)),
    ),
    ("-m recent --set --name x", ()),
    ("-m limit --limit 3/hour", (Uncertain("limit", "limit rate 3/hour burst 5 packets"),)),
    ("-m policy --dir in --pol none", (Opaque("policy --dir in --pol ipsec", True),)),
    ("-m comment --comment hello", ()),
    ("-m nonsense --foo 1", (Opaque("nonsense --foo 1", known=False),)),
]


@pytest.mark.parametrize(("rule", "matches"), MEANINGS)
def test_meaning(rule: str, matches: tuple[Match, ...]) -> None:
    text = f"*filter\n-A FORWARD {rule}\nCOMMIT\n"
    assert rules_of(text, "FORWARD")[0].matches == matches


SAME = [
    ("-m time --weekdays Mon,8,32", "-m time --weekdays 1"),
    ("-s 192.0.2.300/0 -d 0x10/00", ""),
    ("-m string --string test --algo bm", '-m string --algo bm --hex-string "|74 65|st"'),
    ("-m addrtype --src-type LOCAL,UNICAST", "-m addrtype --src-type unicast,local"),
    ("-m set --match-set a src", "-m set --set a src"),
    ("-m state --state NEW", "-m conntrack --ctstate new"),
    ('-m u32 --u32 "6 & 0xFF = 1"', "-m u32 --u32 0x6&255=0x1"),
    ("-p tcp --dp 22", "-m tcp --destination-port=22 -p 6"),
    (
        "-m hashlimit --hashlimit 1/s --hashlimit-name a",
        "-m hashlimit --hashlimit-name a --hashlimit-upto 1/second",
    ),
]


@pytest.mark.parametrize(("one_way", "other_way"), SAME)
def test_one_test_written_differently(one_way: str, other_way: str) -> None:
    assert one(one_way).matches == one(other_way).matches


def test_negation_is_the_complement() -> None:
    (plain,) = one("-m set --match-set a src").matches
    (negated,) = one("-m set ! --match-set a src").matches
    assert isinstance(plain, Opaque)
    assert negated == Opaque(plain.key, True)


VERDICTS = [
    ("-j ACCEPT", "filter", VerdictKind.ACCEPT),
    ("-j REJECT", "filter", VerdictKind.REJECT),
    ("-j NFQUEUE --queue-num 3", "filter", VerdictKind.QUEUE),
    ("-j LOG", "filter", VerdictKind.CONTINUE),
    ("", "filter", VerdictKind.CONTINUE),
    ("-j DNAT --to 10.0.0.1", "nat", VerdictKind.NAT),
    ("-j WEIRD --x 1", "filter", VerdictKind.UNKNOWN),
    ("-j nowhere", "filter", VerdictKind.JUMP),
    ("-g nowhere", "filter", VerdictKind.GOTO),
    ("-j TARPIT", "filter", VerdictKind.DROP),
]


@pytest.mark.parametrize(("rule", "table", "kind"), VERDICTS)
def test_verdict(rule: str, table: str, kind: VerdictKind) -> None:
    chain = "PREROUTING" if table == "nat" else "FORWARD"
    (found,) = rules_of(f"*{table}\n-A {chain} {rule}\nCOMMIT\n", chain, table)
    assert found.verdict.kind is kind


def copied(to: Field, source: Field) -> Effect:
    return Effect(EffectKind.WRITE, to, 0xFFFFFFFF, 0xFFFFFFFF, source=source)


EFFECTS = [
    ("-j MARK --set-mark 1/2", Effect(EffectKind.WRITE, Field.MARK, 3, 1)),
    ("-j MARK --and-mark 0xf", Effect(EffectKind.WRITE, Field.MARK, 0xFFFFFFF0, 0)),
    ("-j MARK --xor-mark 0xf", Effect(EffectKind.WRITE, Field.MARK, 0, 15)),
    ("-j CONNMARK --restore-mark", copied(Field.MARK, Field.CT_MARK)),
    ("-j CONNMARK --save-mark", copied(Field.CT_MARK, Field.MARK)),
    ("-j LOG --log-prefix x:", Effect(EffectKind.LOG, name="x:")),
    ("-j SET --add-set a src", Effect(EffectKind.SET, name="a")),
    ("-m recent --set", Effect(EffectKind.SET, name="recent DEFAULT", counts=True)),
]


@pytest.mark.parametrize(("rule", "effect"), EFFECTS)
def test_effect(rule: str, effect: Effect) -> None:
    assert one(rule).effects == (effect,)


def test_notrack() -> None:
    for rule in ("-j NOTRACK", "-j CT --notrack"):
        assert one(rule, table="raw").effects == (Effect(EffectKind.NOTRACK),)


def test_translation_writes_exactly_what_is_known() -> None:
    rule = one("-p tcp -j DNAT --to-destination 10.0.0.1:80", table="nat")
    assert rule.effects == (
        Effect(EffectKind.WRITE, Field.DADDR, 0xFFFFFFFF, 0x0A000001),
        Effect(EffectKind.WRITE, Field.DPORT, 0xFFFF, 80),
        Effect(EffectKind.WRITE, Field.CT_DNAT, 1, 1),
    )


def test_lists_make_copies_and_comments_and_counters_are_kept() -> None:
    line = '-s 1.1.1.1,2.2.2.2 -d 3.3.3.3,4.4.4.4,5.5.5.5 -m comment --comment "a b"'
    text = f"*filter\n[3:4] -A INPUT {line}\nCOMMIT\n"
    (rule,) = rules_of(text, "INPUT")
    assert (rule.copies, rule.comment, rule.counters) == (6, "a b", (3, 4))


def test_a_set_that_the_ruleset_changes_is_uncertain() -> None:
    test, change = "-m set ! --match-set bad src -j DROP", "-j SET --add-set bad src"
    text = f"*filter\n-A INPUT {test}\n-A INPUT {change}\nCOMMIT\n"
    assert rules_of(text, "INPUT")[0].matches == (Uncertain("set", "! set bad src"),)


# -- carrying out -------------------------------------------------------------


def test_built_in_chains_with_hooks_priorities_and_policies() -> None:
    ruleset, diagnostics = read("*nat\n:OUTPUT ACCEPT [1:2]\n:mine - [0:0]\nCOMMIT\n")
    assert not diagnostics
    chains = ruleset.tables[0].chains
    assert list(chains) == ["OUTPUT", "mine", "PREROUTING", "INPUT", "POSTROUTING"]
    assert [chains[n].priority for n in ("PREROUTING", "INPUT", "OUTPUT")] == [-100, 100, -100]
    assert chains["OUTPUT"].hook is Hook.OUTPUT
    assert chains["OUTPUT"].counters == (1, 2)
    assert chains["PREROUTING"].origin is None
    assert (chains["mine"].hook, chains["mine"].policy) == (None, None)


def test_rules_are_put_replaced_and_deleted_in_order() -> None:
    text = """*filter
-A INPUT -s 1.1.1.1
-A INPUT -s 2.2.2.2
-I INPUT -s 3.3.3.3
-I INPUT 2 -s 4.4.4.4
-R INPUT 3 -s 5.5.5.5
-D INPUT 1
-D INPUT -s 2.2.2.2/32
-A OUTPUT -j ACCEPT
-F OUTPUT
-P FORWARD DROP
-N a
-E a b
-A INPUT -j b
COMMIT
"""
    ruleset, diagnostics = read(text)
    assert not diagnostics
    chains = ruleset.tables[0].chains
    assert [rule.origin.span.text for rule in chains["INPUT"].rules] == [
        "-I INPUT 2 -s 4.4.4.4",
        "-R INPUT 3 -s 5.5.5.5",
        "-A INPUT -j b",
    ]
    assert not chains["OUTPUT"].rules
    policy = chains["FORWARD"].policy
    assert policy is not None
    assert policy.kind is VerdictKind.DROP
    assert "b" in chains
    assert "a" not in chains


def test_a_table_declared_again_replaces_the_first() -> None:
    text = "*filter\n-A INPUT -j DROP\nCOMMIT\n*filter\n-A INPUT -j ACCEPT\nCOMMIT\n"
    ruleset, (diagnostic,) = read(text)
    assert [rule.verdict.name for rule in ruleset.tables[0].chains["INPUT"].rules] == ["ACCEPT"]
    assert (diagnostic.code, diagnostic.severity, diagnostic.start) == ("IPT006", "warning", 0)
    assert "line 4" in diagnostic.message


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("-P INPUT DROP\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n", "filter"),
        ("-P PREROUTING ACCEPT\n-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-P POSTROUTING ACCEPT\n", "nat"),
        ("-P PREROUTING ACCEPT\n-P OUTPUT ACCEPT\n", "raw"),
        ("-P PREROUTING ACCEPT\n-P FORWARD ACCEPT\n-P POSTROUTING ACCEPT\n", "mangle"),
        ("-A INPUT -j ACCEPT\n", "filter"),
    ],
)
def test_the_table_of_iptables_s(text: str, table: str) -> None:
    ruleset, diagnostics = read(text)
    assert not diagnostics
    assert ruleset.dialect == "iptables-S"
    assert [found.name for found in ruleset.tables] == [table]


# -- diagnostics -----------------------------------------------------------------

PROBLEMS = [
    ("filter", "-A INPUT -p tcp --dport 99999", "IPT001", "--dport 99999"),
    ("filter", "-A INPUT -p tcp --dport 5:3", "IPT006", "--dport 5:3"),
    ("filter", "-A INPUT -p tcp ! --dport 0:65535", "IPT006", "! --dport 0:65535"),
    ("filter", "-A INPUT -m tcp --dport 22", "IPT006", "-m tcp --dport 22"),
    ("filter", "-A INPUT -p udp -m tcp --dport 22", "IPT006", "-m tcp --dport 22"),
    ("filter", "-A INPUT -i sixteen-and-more", "IPT006", "-i sixteen-and-more"),
    ("filter", "-A INPUT ! -s 1.1.1.1,2.2.2.2", "IPT006", "! -s 1.1.1.1,2.2.2.2"),
    ("filter", f"-A INPUT -j LOG --log-prefix {'x' * 30}", "IPT006", f"--log-prefix {'x' * 30}"),
    ("filter", "-A INPUT -j REJECT --reject-with tcp-reset", "IPT006", None),
    ("filter", "-A INPUT ! -o eth0", "IPT006", "! -o eth0"),
    ("filter", "-A OUTPUT ! -i eth0", "IPT006", "! -i eth0"),
    ("nat", "-A POSTROUTING -i eth0", "IPT006", "-i eth0"),
    ("filter", "-A INPUT -j MASQUERADE", "IPT006", "-j MASQUERADE"),
    ("nat", "-A PREROUTING -j MASQUERADE", "IPT006", "-j MASQUERADE"),
    ("nat", "-A PREROUTING -j DROP", "IPT006", "-j DROP"),
    (
        *("nat", "-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1024:2048"),
        *("IPT001", "--to-ports 1024:2048"),
    ),
    ("filter", "-A INPUT -j SAME --to 192.0.2.1", "IPT006", "-j SAME --to 192.0.2.1"),
    ("filter", "-A FORWARD -m owner --uid-owner 0", "IPT006", "-m owner --uid-owner 0"),
    ("filter", "-N averyveryverylongchainnameindeed", "IPT006", None),
    ("filter", "-N LOG", "IPT006", None),
    ("filter", "-A undeclared -j DROP", "IPT006", "undeclared"),
    ("filter", "-D INPUT 3", "IPT006", "3"),
    ("filter", "-P INPUT REJECT", "IPT001", None),
    ("nat", "-P OUTPUT DROP", "IPT006", None),
    ("filter", "-A INPUT -m nonsense", "IPT002", "-m nonsense"),
]


@pytest.mark.parametrize(("table", "line", "code", "place"), PROBLEMS)
def test_problem(table: str, line: str, code: str, place: str | None) -> None:
    text = f"*{table}\n{line}\nCOMMIT\n"
    _, (diagnostic,) = read(text)
    assert diagnostic.code == code
    assert diagnostic.message
    assert place is None or text[diagnostic.start : diagnostic.end] == place


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("*filter\n:INPUT DROP [0:0]\n-A web -j DROP\nCOMMIT\n", "error"),
        ("*filter\n:INPUT DROP [0:0]\n-I web -j DROP\nCOMMIT\n", "error"),
        ("*filter\n:INPUT DROP [0:0]\n-F INPUT\n-A web -j DROP\nCOMMIT\n", "warning"),
        ("*filter\n:INPUT DROP [0:0]\n-A DOCKER-USER -j DROP\nCOMMIT\n", "warning"),
        ("*filter\n:INPUT DROP [0:0]\nCOMMIT\n*nat\n-A web -j RETURN\nCOMMIT\n", "warning"),
        ("*filter\n:mail - [0:0]\n-A web -j DROP\nCOMMIT\n", "warning"),
        ("*filter\n-A web -j DROP\nCOMMIT\n", "warning"),
    ],
)
def test_an_undeclared_chain_is_an_error_where_the_file_is_a_whole_one(
    text: str, severity: str
) -> None:
    """Without the built-in chains, or with a flush of its own, it is for --noflush."""
    _, (diagnostic,) = read(text)
    assert (diagnostic.code, diagnostic.severity) == ("IPT006", severity)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("*raw\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", "put the chain under *mangle"),
        ("*filter\n:web DROP [0:0]\nCOMMIT\n", "`:web - [0:0]`"),
    ],
)
def test_only_built_in_chains_have_a_policy(text: str, advice: str) -> None:
    """iptables-legacy-restore: Bad built-in chain name."""
    _, (diagnostic,) = read(text)
    assert (diagnostic.code, diagnostic.severity) == ("IPT006", "warning")
    assert diagnostic.help.startswith(advice)


def test_an_unreadable_policy_is_unknown() -> None:
    ruleset, (diagnostic,) = read("*filter\n:INPUT DENY [0:0]\nCOMMIT\n")
    policy = ruleset.tables[0].chains["INPUT"].policy
    assert (diagnostic.code, policy and policy.kind) == ("IPT001", VerdictKind.UNKNOWN)


def test_the_policy_of_a_nat_chain_may_be_drop() -> None:
    """iptables-restore takes it of the line that declares the chain; of ``-P`` it does not."""
    ruleset, diagnostics = read("*nat\n:POSTROUTING DROP [0:0]\nCOMMIT\n")
    (table,) = ruleset.tables
    policy = table.chains["POSTROUTING"].policy
    assert (diagnostics, policy and policy.kind) == ((), VerdictKind.DROP)


def test_a_refused_rule_keeps_its_place_and_nothing_else() -> None:
    text = "*filter\n-A INPUT -p tcp --dport 99999 -j DROP\n-A INPUT -j ACCEPT\nCOMMIT\n"
    refused, accept = rules_of(text, "INPUT")
    assert (refused.read, refused.verdict.kind) == (False, VerdictKind.UNKNOWN)
    assert (accept.read, accept.verdict.name) == (True, "ACCEPT")


def test_a_target_in_a_user_chain_is_judged_by_who_calls_it() -> None:
    text = "*nat\n:a - [0:0]\n-A a -j MASQUERADE\n-A {} -j a\nCOMMIT\n"
    assert not read(text.format("POSTROUTING"))[1]
    _, (diagnostic,) = read(text.format("PREROUTING"))
    assert "PREROUTING" in diagnostic.message


# -- origins ------------------------------------------------------------------


def test_every_test_and_the_verdict_know_where_they_are_written() -> None:
    line = (
        "-A INPUT -s 1.1.1.1 -p tcp -m tcp ! --sport 5 --dport 22 "
        '-m comment --comment "x y" -m conntrack --ctstate NEW -j LOG --log-prefix a'
    )
    (rule,) = rules_of(f"*filter\n{line}\nCOMMIT\n", "INPUT")
    assert rule.origin.span.text == line
    assert [rule.origin.part(index).text for index in range(len(rule.matches))] == [
        "-s 1.1.1.1",
        "-p tcp",
        "-m tcp ! --sport 5 --dport 22",
        "! --sport 5",
        "--dport 22",
        "--ctstate NEW",
    ]
    assert rule.origin.part(-1).text == "-j LOG --log-prefix a"


def test_windows_line_endings_are_refused_once_and_the_rules_are_read() -> None:
    text = "*filter\r\n:INPUT DROP [0:0]\r\n-A INPUT -j ACCEPT\r\nCOMMIT\r\n"
    source = SourceFile("rules.v4", text)
    ruleset, diagnostics = lower(parse(source), source)
    assert [(p.code, source.line_of(p.start)) for p in diagnostics] == [("IPT006", 1)]
    assert sum(1 for _ in ruleset.rules()) == 1


def test_a_target_with_ports_takes_a_negated_protocol_as_the_tools_do() -> None:
    text = (
        "*nat\n-A PREROUTING ! -p tcp -j DNAT --to-destination 10.0.0.1:80\n"
        "-A PREROUTING -j DNAT --to-destination 10.0.0.1:80\nCOMMIT\n"
    )
    source = SourceFile("rules.v4", text)
    _, diagnostics = lower(parse(source), source)
    assert [(p.code, source.line_of(p.start)) for p in diagnostics] == [("IPT006", 3)]
