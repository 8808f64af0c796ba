"""nft rules to the model: what takes which packets, what is done with them, and where it stands."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence

import pytest

from iptlint.dialects import Reading, read
from iptlint.model import (
    AnyOf,
    Chain,
    Effect,
    EffectKind,
    Field,
    Hook,
    Match,
    Opaque,
    Rule,
    Table,
    Uncertain,
    VerdictKind,
    Within,
)
from iptlint.source import SourceFile

BASE = "type filter hook input priority 0;"
SSH = Within(Field.DPORT, ((22, 22),))
TCP = Within(Field.PROTO, ((6, 6),))
IPV4 = Within(Field.FAMILY, ((0, 0),))
IPV6 = Within(Field.FAMILY, ((1, 1),))


def reading(text: str) -> Reading:
    return read(SourceFile("fw.nft", text))


def tables(text: str) -> Sequence[Table]:
    found = reading(text)
    assert [diagnostic for diagnostic in found.diagnostics if diagnostic.code != "IPT002"] == []
    return found.ruleset.tables


def chain(rules: str, family: str = "inet", before: str = "") -> Chain:
    """Chain c of a table with these rules, one a line."""
    text = f"table {family} t {{\n{before}\nchain web {{\n}}\nchain c {{\n{rules}\n}}\n}}\n"
    (table,) = tables(text)
    return table.chains["c"]


def parts(rule: str, family: str = "inet", before: str = "") -> tuple[Rule, ...]:
    return chain(rule, family, before).rules


def one(rule: str, family: str = "inet", before: str = "") -> Rule:
    (found,) = parts(rule, family, before)
    return found


def fields(matches: Iterable[Match]) -> set[Field]:
    return {field for match in matches if (field := getattr(match, "field", None)) is not None}


def written(rule: Rule) -> dict[Field, tuple[int | None, int | None]]:
    """(mask, value) by field."""
    return {
        effect.field: (effect.mask, effect.value)
        for effect in rule.effects
        if effect.kind is EffectKind.WRITE and effect.field is not None
    }


def uncertain(rule: Rule) -> bool:
    return any(isinstance(match, Uncertain) for match in rule.matches)


# -- rules and their parts ------------------------------------------------------------------


def test_tests_and_a_verdict_are_one_rule() -> None:
    rule = one('ip saddr 192.0.2.1 tcp dport 22 counter packets 3 bytes 4 accept comment "ssh"')
    assert {IPV4, TCP, SSH} <= set(rule.matches)
    assert (rule.verdict.kind, rule.verdict.name) == (VerdictKind.ACCEPT, "accept")
    assert (rule.comment, rule.counters, rule.whole) == ("ssh", (3, 4), None)
    assert rule.statement is rule.origin


def test_a_rule_without_a_verdict_goes_on() -> None:
    rule = one("tcp dport 22 counter")
    assert (rule.verdict.kind, rule.verdict.name) == (VerdictKind.CONTINUE, "")
    assert rule.effects == ()


def test_a_log_behind_all_tests_is_in_the_same_rule() -> None:
    rule = one('tcp dport 22 log prefix "ssh " drop')
    assert rule.effects == (Effect(EffectKind.LOG, name="ssh "),)
    assert (rule.verdict.kind, rule.verdict.options) == (VerdictKind.DROP, "")


def test_a_log_before_a_test_takes_more_packets_than_the_verdict() -> None:
    log, accept = parts('ip saddr 192.0.2.1 log prefix "x" tcp dport 22 accept')
    assert log.effects == (Effect(EffectKind.LOG, name="x"),)
    assert (log.verdict.kind, log.verdict.name) == (VerdictKind.CONTINUE, "log")
    assert Field.DPORT not in fields(log.matches)
    assert {Field.SADDR, Field.DPORT} <= fields(accept.matches)
    assert accept.effects == ()
    assert log.whole is accept.whole is log.statement is not None
    assert log.origin.span.text == 'ip saddr 192.0.2.1 log prefix "x"'
    assert accept.origin.span.text == "tcp dport 22 accept"


def test_what_a_rule_has_written_it_does_not_test_again() -> None:
    first, second = parts("meta mark 1 meta mark set 2 tcp dport 22 accept")
    assert Within(Field.MARK, ((1, 1),)) in first.matches
    assert Field.MARK not in fields(second.matches)
    assert uncertain(second)


def test_parts_point_at_the_statements_they_are_made_of() -> None:
    rule = one("ip saddr 192.0.2.1 tcp dport 22 accept")
    places = [rule.origin.part(index).text for index in range(len(rule.matches))]
    assert set(places) == {"ip saddr 192.0.2.1", "tcp dport 22"}
    assert rule.origin.part(rule.matches.index(SSH)).text == "tcp dport 22"
    assert rule.origin.part(-1).text == "accept"
    assert rule.origin.span.text == "ip saddr 192.0.2.1 tcp dport 22 accept"


def test_an_action_that_no_field_tells_is_in_the_options() -> None:
    assert one("meta priority set 1:2 accept").verdict != one("accept").verdict


# -- what may break a rule off ----------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "limit rate 5/second",
        "limit name slow",
        "quota over 10 mbytes",
        "quota name much",
        "ct count over 10",
        "add @seen { ip saddr }",
        "update @seen { ip saddr limit rate over 3/minute }",
        "meter m { ip saddr limit rate 3/second }",
        "flow add @ft",
        "tcp dport 80 tproxy ip to 127.0.0.1:8080",
        "tcp option maxseg size set 1200",
        "ct expectation set e",
    ],
)
def test_what_follows_happens_perhaps(statement: str) -> None:
    before = """
        set seen { type ipv4_addr; flags dynamic; }
        limit slow { rate 5/second; }
        quota much { 10 mbytes; }
        flowtable ft { hook ingress priority 0; devices = { lo }; }
        ct expectation e { protocol tcp; dport 9; timeout 1m; size 1; }
    """
    last = parts(f"{statement} accept", before=before)[-1]
    assert last.verdict.kind is VerdictKind.ACCEPT
    assert uncertain(last)


@pytest.mark.parametrize(
    "statement",
    [
        "counter",
        'counter name "hits"',
        "last",
        "log",
        "notrack",
        "meta mark set 1",
        "ct mark set 1",
        "meta priority set 1:2",
        "delete @seen { ip saddr }",
    ],
)
def test_what_follows_happens_for_sure(statement: str) -> None:
    before = "set seen { type ipv4_addr; flags dynamic; }\ncounter hits { }"
    rule = one(f"{statement} accept", before=before)
    assert not uncertain(rule)


def test_a_change_of_a_set_is_named_as_the_tests_of_the_set_are() -> None:
    rule = one("add @seen { ip saddr }", before="set seen { type ipv4_addr; flags dynamic; }")
    assert rule.effects == (Effect(EffectKind.SET, name="@inet t seen"),)
    assert IPV4 in rule.matches


# -- verdict maps ---------------------------------------------------------------------------


def test_a_verdict_map_is_a_part_for_each_verdict() -> None:
    found = parts("tcp dport vmap { 22 : accept, 23 : drop, 80 : jump web, 24 : drop }")
    kinds = [rule.verdict.kind for rule in found]
    assert kinds == [VerdictKind.ACCEPT, VerdictKind.DROP, VerdictKind.JUMP]
    assert found[2].verdict.chain == "web"
    assert found[0].origin.span.text == "22 : accept"
    assert len({id(rule.whole) for rule in found}) == 1
    assert not any(map(uncertain, found))


def test_only_packets_of_a_continue_branch_get_further() -> None:
    accept, log = parts("tcp dport vmap { 22 : continue, 23 : accept } log")
    assert accept.verdict.kind is VerdictKind.ACCEPT
    assert SSH in log.matches
    assert log.effects


def test_a_log_before_a_verdict_map_is_a_part_of_its_own() -> None:
    log, accept = parts("log tcp dport vmap { 22 : accept }")
    assert (log.matches, log.verdict.name) == ((), "log")
    assert accept.effects == ()


def test_a_map_that_is_filled_later_may_do_anything() -> None:
    found = parts("tcp dport vmap @m", before="map m { type inet_service : verdict; }")
    assert [rule.verdict.kind for rule in found] == [VerdictKind.UNKNOWN]
    assert uncertain(found[0])


def test_a_map_that_is_filled_later_may_call_what_nothing_else_calls() -> None:
    before = "map m { type inet_service : verdict; }"
    found = parts(f"{BASE}\ntcp dport vmap @m", before=before)
    assert [rule.verdict.chain for rule in found] == ["web", None]


# -- effects --------------------------------------------------------------------------------

ALL = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        ("meta mark set 0x10", (ALL, 0x10)),
        ("meta mark set meta mark and 0xff or 0x10", (0xFFFFFF10, 0x10)),
        ("meta mark set meta mark & 0xff", (0xFFFFFF00, 0)),
        ("meta mark set meta mark | 0x10", (0x10, 0x10)),
        ("meta mark set meta mark ^ 0x10", (0, 0x10)),
        ("meta mark set numgen inc mod 2", (None, None)),
        ("meta mark set tcp dport map { 22 : 1 }", (ALL, 1)),
        ("meta mark set tcp dport map { 22 : 1, 23 : 2 }", (None, None)),
    ],
)
def test_marks(statement: str, change: tuple[int | None, int | None]) -> None:
    """As nft --debug=netlink prints the bitwise expression, ``mark & ~mask ^ value``."""
    assert written(one(statement)) == {Field.MARK: change}


def test_some_bits_of_another_mark() -> None:
    (effect,) = one("meta mark set ct mark and 0xff").effects
    assert (effect.field, effect.mask, effect.value) == (Field.MARK, ALL, 0xFF)
    assert effect.source is Field.CT_MARK


@pytest.mark.parametrize(
    ("statement", "to", "source"),
    [
        ("meta mark set ct mark", Field.MARK, Field.CT_MARK),
        ("ct mark set meta mark", Field.CT_MARK, Field.MARK),
    ],
)
def test_one_mark_is_copied_to_the_other(statement: str, to: Field, source: Field) -> None:
    (effect,) = one(statement).effects
    assert effect == Effect(EffectKind.WRITE, to, 0xFFFFFFFF, 0xFFFFFFFF, source=source)


def test_audit_is_no_log() -> None:
    assert one("log level audit").effects == ()
    assert one("log level info").effects != ()


def test_a_route_outlives_what_is_written_to_options() -> None:
    rule = one("tcp option maxseg size 1-9 tcp option maxseg size set rt mtu", "ip")
    assert Opaque("has a route") in rule.matches
    assert any(isinstance(match, Uncertain) for match in rule.matches)


def test_a_packet_that_is_not_in_the_map_is_left_alone() -> None:
    rule = one("meta mark set tcp dport map { 22 : 1, 23 : 2 }")
    tested = {m.field for m in rule.matches if isinstance(m, Within)}
    inside = [m for m in rule.matches if isinstance(m, AnyOf)]
    assert Field.DPORT in tested or inside


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("ct mark set 1", {Field.CT_MARK: (ALL, 1)}),
        ("ip ttl set 3", {Field.TTL: (0xFF, 3)}),
        ("ip6 hoplimit set 3", {Field.TTL: (0xFF, 3)}),
        ("ip dscp set cs1", {Field.TOS: (0xFC, 0x20)}),
        ("ip ecn set ce", {Field.TOS: (3, 3)}),
        ("tcp dport set 80", {Field.DPORT: (0xFFFF, 80)}),
        ("ip daddr set 192.0.2.1", {Field.DADDR: (ALL, 0xC0000201)}),
        ("ip saddr set ip daddr", {Field.SADDR: (None, None)}),
        ("tcp flags set syn", {Field.TCP_FLAGS: (0xFF, 2)}),
        ("meta priority set 1:2", {}),
        ("ct zone set 1", {}),
    ],
)
def test_other_fields(statement: str, changes: dict[Field, tuple[int, int]]) -> None:
    assert written(one(statement)) == changes


def test_writing_a_header_asks_for_it() -> None:
    assert TCP in one("tcp dport set 80").matches
    assert IPV4 in one("ip ttl set 3").matches


def test_a_test_of_what_a_rule_sets_is_not_sure() -> None:
    """One Boolean cannot be the priority both before and after it is set."""
    rules = parts("meta priority 1:2 accept\nmeta priority set 1:2\nmeta priority 1:2 drop")
    assert uncertain(rules[0])
    assert uncertain(rules[2])
    (alone,) = parts("meta priority 1:2 accept")
    assert isinstance(alone.matches[0], Opaque)


def test_notrack() -> None:
    assert one("notrack").effects == (Effect(EffectKind.NOTRACK),)


# -- translation ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        (
            "tcp dport 80 dnat ip to 192.0.2.1:8080",
            {Field.DADDR: (ALL, 0xC0000201), Field.DPORT: (0xFFFF, 8080), Field.CT_DNAT: (1, 1)},
        ),
        ("dnat ip6 to ::1", {Field.DADDR6: ((1 << 128) - 1, 1), Field.CT_DNAT: (1, 1)}),
        ("snat ip to 192.0.2.1-192.0.2.9", {Field.SADDR: (None, None), Field.CT_SNAT: (1, 1)}),
        (
            "masquerade",
            {
                Field.SADDR: (None, None),
                Field.SADDR6: (None, None),
                Field.SPORT: (None, None),
                Field.CT_SNAT: (1, 1),
            },
        ),
        (
            "tcp dport 80 redirect to :8080",
            {
                Field.DADDR: (None, None),
                Field.DADDR6: (None, None),
                Field.DPORT: (0xFFFF, 8080),
                Field.CT_DNAT: (1, 1),
            },
        ),
        (
            "ip protocol tcp dnat ip addr . port to ip saddr map { 192.0.2.9 : 192.0.2.1 . 80 }",
            {Field.DADDR: (ALL, 0xC0000201), Field.DPORT: (0xFFFF, 80), Field.CT_DNAT: (1, 1)},
        ),
    ],
)
def test_translation(statement: str, changes: dict[Field, tuple[int, int]]) -> None:
    rule = one(statement)
    assert rule.verdict.kind is VerdictKind.NAT
    assert written(rule) == changes


def test_an_address_translates_packets_of_its_family_only() -> None:
    """nft_nat_inet_eval leaves the others alone, and they go on to the next rule."""
    assert one("dnat ip to 192.0.2.1").matches == (IPV4,)
    assert one("dnat ip6 to ::1").matches == (IPV6,)
    assert one("masquerade").matches == ()
    assert one("dnat to 192.0.2.1", family="ip").matches == ()


# -- reject ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "matches", "options"),
    [
        ("reject", (), ""),
        ("reject with icmp port-unreachable", (IPV4,), ""),
        ("reject with icmp prot-unreachable", (IPV4,), "--reject-with icmp-proto-unreachable"),
        ("reject with icmpv6 no-route", (IPV6,), "--reject-with icmp6-no-route"),
        ("reject with icmpx port-unreachable", (), ""),
        ("reject with tcp reset", (TCP,), "--reject-with tcp-reset"),
    ],
)
def test_reject(statement: str, matches: tuple[Match, ...], options: str) -> None:
    rule = one(statement)
    assert rule.matches == matches
    assert (rule.verdict.kind, rule.verdict.options) == (VerdictKind.REJECT, options)


def test_reject_asks_for_its_protocol_before_anything_is_done() -> None:
    """nft puts what it asks for in front of the log (reject_gen_dependency)."""
    log, reject = parts("log limit rate 1/second reject with tcp reset")
    assert log.matches == (TCP,)
    assert reject.matches[0] == TCP


def test_reject_does_not_ask_twice() -> None:
    rule = one("tcp dport 22 reject with tcp reset")
    assert rule.matches.count(TCP) == 1


# -- other verdicts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "family", "kind"),
    [
        ("queue flags bypass to 1-3", "inet", VerdictKind.QUEUE),
        ("fwd to lo", "netdev", VerdictKind.QUEUE),
        ("dup to lo", "netdev", VerdictKind.CONTINUE),
        ("synproxy mss 1460", "inet", VerdictKind.UNKNOWN),
        ("return", "inet", VerdictKind.RETURN),
        ("goto web", "inet", VerdictKind.GOTO),
        ('xt target "TCPMSS"', "ip", VerdictKind.CONTINUE),
        ('xt target "SNAT"', "ip", VerdictKind.NAT),
        ('xt target "nobody knows"', "ip", VerdictKind.UNKNOWN),
    ],
)
def test_verdicts(statement: str, family: str, kind: VerdictKind) -> None:
    assert one(statement, family).verdict.kind is kind


def test_what_an_unnamed_extension_asks_is_not_known() -> None:
    rule = one('xt match "recent" accept', "ip")
    assert uncertain(rule)


def test_the_block_of_a_jump_is_a_chain_of_its_own() -> None:
    (table,) = tables(
        "table t {\nchain c {\njump {\ntcp dport 22 accept\ngoto { drop; }\n}\n}\n}\n"
    )
    (jump,) = table.chains["c"].rules
    assert jump.verdict.kind is VerdictKind.JUMP
    accept, goto = table.chains[str(jump.verdict.chain)].rules
    assert SSH in accept.matches
    (drop,) = table.chains[str(goto.verdict.chain)].rules
    assert drop.verdict.kind is VerdictKind.DROP
    assert all(" " in name for name in table.chains if name != "c")


def test_a_jump_to_a_chain_that_is_not_there_stays() -> None:
    rule = one("jump nowhere")
    assert rule.verdict.chain == "nowhere"


# -- chains and tables ------------------------------------------------------------------------


def test_a_base_chain() -> None:
    hook = "type filter hook input priority filter + 5; policy drop;"
    (table,) = tables(f"table inet t {{\n\tchain c {{\n\t\t{hook}\n\t}}\n}}\n")
    found = table.chains["c"]
    assert (found.hook, found.priority, found.type) == (Hook.INPUT, 5, "filter")
    assert found.policy is not None
    assert found.policy.kind is VerdictKind.DROP
    assert found.origin is not None
    assert found.origin.span.text == "chain c"
    assert table.origin is not None
    assert table.origin.span.text == "table inet t"


def test_a_base_chain_accepts_where_no_policy_is_written() -> None:
    found = chain(BASE)
    assert found.policy is not None
    assert found.policy.kind is VerdictKind.ACCEPT


def test_a_dormant_table_sees_no_packet() -> None:
    (table,) = tables(f"table t {{\nflags dormant\nchain c {{\n{BASE}\n}}\n}}\n")
    assert list(table.base_chains()) == []
    assert table.chains["c"].type == "filter"


def test_a_chain_that_only_the_host_has_may_do_anything() -> None:
    text = "add rule inet filter input tcp dport 22 accept\nadd rule inet filter input jump web\n"
    (table,) = reading(text).ruleset.tables
    found = table.chains["input"]
    assert [rule.read for rule in found.rules] == [False, True, True]
    assert found.origin is None
    assert [rule.read for rule in table.chains["web"].rules] == [False]


def test_named_things() -> None:
    before = "set s { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 }; }\ncounter hits { }"
    (table,) = tables(f"table t {{\n{before}\nchain c {{\nip saddr @s drop\n}}\n}}\n")
    found = {(s.kind, s.name): (s.used, s.elements) for s in table.sets}
    assert found == {("set", "s"): (True, 2), ("counter", "hits"): (False, None)}


def test_what_could_not_be_read_may_do_anything() -> None:
    found = reading("table t {\nchain c {\nno such thing\naccept\n}\n}\n")
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["IPT001"]
    (table,) = found.ruleset.tables
    assert [rule.read for rule in table.chains["c"].rules] == [False, True]


def test_a_file_without_tables_says_so() -> None:
    assert [diagnostic.code for diagnostic in reading("flush ruleset\n").diagnostics] == ["IPT008"]


# -- JSON ---------------------------------------------------------------------------------------


def json_rule(*statements: object) -> str:
    place = {"family": "inet", "table": "t", "chain": "c"}
    content = [
        {"table": {"family": "inet", "name": "t"}},
        {"chain": {"family": "inet", "table": "t", "name": "c"}},
        {"rule": {**place, "expr": statements}},
        {"rule": {**place, "expr": [{"accept": None}]}},
    ]
    return json.dumps({"nftables": content})


def test_a_rule_in_json_is_what_it_is_in_text() -> None:
    port = {"payload": {"protocol": "tcp", "field": "dport"}}
    test = {"match": {"op": "==", "left": port, "right": 22}}
    (table,) = tables(json_rule(test, {"accept": None}))
    rule = table.chains["c"].rules[0]
    text = one("tcp dport 22 accept")
    assert (rule.matches, rule.verdict) == (text.matches, text.verdict)
    assert rule.origin.part(0).line == 1


@pytest.mark.parametrize(
    "statement",
    [
        {"match": {"op": "==", "left": {"meta": {"key": {}}}, "right": 22}},
        {"match": {"op": 5, "left": {"meta": {"key": "mark"}}, "right": 22}},
        {"vmap": {"key": {"meta": {"key": "mark"}}, "data": 5}},
        {"jump": {"target": {"a": 1}}},
        {"log": {"prefix": []}},
    ],
)
def test_what_json_cannot_hold_may_do_anything(statement: object) -> None:
    found = reading(json_rule(statement))
    assert "IPT001" in {diagnostic.code for diagnostic in found.diagnostics}
    (table,) = found.ruleset.tables
    assert not all(rule.read for rule in table.chains["c"].rules)


# -- refusals -----------------------------------------------------------------------------------


def ruleset_with(statement: str, hook: str, kind: str) -> str:
    return f"table inet t {{\nchain c {{\ntype {kind} hook {hook} priority 0\n{statement}\n}}\n}}\n"


HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
PLACED = [
    *((s, h, "nat") for h in HOOKS if h != "forward" for s in ("masquerade", "redirect")),
    *((s, h, "nat") for h in HOOKS if h != "forward" for s in ("snat ip to ::", "dnat ip6 to ::")),
    *((s, h, "filter") for h in HOOKS for s in ("masquerade", "reject", "synproxy mss 1")),
    *(("tcp dport 1 tproxy ip to :2", h, "filter") for h in HOOKS),
]


def refused_by_kernel(text: str) -> bool:
    command = ["unshare", "-rn", "nft", "-f", "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True, timeout=20)
    return run.returncode != 0


def nft_works() -> bool:
    if not shutil.which("nft") or not shutil.which("unshare"):
        return False
    return not refused_by_kernel(ruleset_with("masquerade", "postrouting", "nat"))


@pytest.mark.skipif(not nft_works(), reason="nft cannot be run in a network namespace here")
@pytest.mark.parametrize(("statement", "hook", "kind"), PLACED)
def test_the_kernel_takes_some_statements_at_some_hooks_only(
    statement: str, hook: str, kind: str
) -> None:
    text = ruleset_with(statement.replace("ip to ::", "ip to 192.0.2.1"), hook, kind)
    codes = [diagnostic.code for diagnostic in reading(text).diagnostics]
    assert codes == (["IPT006"] if refused_by_kernel(text) else [])


def test_a_chain_that_is_called_from_the_wrong_hook() -> None:
    text = f"table ip t {{\nchain m {{\nmasquerade\n}}\nchain c {{\n{BASE}\njump m\n}}\n}}\n"
    (diagnostic,) = reading(text).diagnostics
    assert (diagnostic.code, text[diagnostic.start : diagnostic.end]) == ("IPT006", "masquerade")
    assert "calls m" in diagnostic.message


@pytest.mark.parametrize(("length", "codes"), [(127, []), (128, ["IPT006"])])
def test_log_prefixes(length: int, codes: list[str]) -> None:
    text = f'table t {{\nchain c {{\nlog prefix "{"x" * length}"\n}}\n}}\n'
    assert [diagnostic.code for diagnostic in reading(text).diagnostics] == codes
