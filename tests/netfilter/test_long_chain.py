"""A long chain has the answers of ``ChainFlow``, whatever its rules are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from random import Random

import pytest

from iptlint.model import Family, Field, VerdictKind, Within
from iptlint.netfilter import long_chain, table_analysis
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.long_chain import LongChain, flow_by_columns
from iptlint.netfilter.table_analysis import TableAnalysis, flow_of
from iptlint.packets import chain_shape, near_rows
from tests.firewalls import analysis_of, saved

ADDRESSES = (
    "192.0.2.0/24",
    "192.0.2.0/25",
    "192.0.2.7",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "192.0.0.7/255.0.0.255",
)
NETWORKS6 = ("2001:db8::/32", "2001:db8::/64", "2001:db8::1", "2001:db8::8000:0:0:0/65", "::/1")


TESTS = (
    "-p tcp -m tcp --dport 22",
    "-p udp -m udp --sport 1024:{}",
    "-p tcp -m multiport --dports 22,80,443:500",
    "-p tcp -m multiport ! --ports 1:1000",
    "-p {icmp}",
    "",
)
OTHERS = (
    *["-m conntrack --ctstate NEW"] * 3,
    *["-i eth0"] * 2,
    "-m limit --limit 5/min",
    "-m string --string x --algo bm",
    *[""] * 4,
)
TARGETS = ("ACCEPT", "DROP", "RETURN", "LOG", "REJECT", "MARK --set-mark 1")


def flat_rules(seed: int, rules: int, *, ipv6: bool = False) -> str:
    """An iptables file with one long chain, in which rules overlap, hide and repeat each other."""
    draw = Random(seed)
    networks = NETWORKS6 if ipv6 else ADDRESSES
    icmp = "ipv6-icmp" if ipv6 else "icmp"

    def rule(chain: str, *targets: str) -> str:
        words = [f"-A {chain}"]
        for option in ("-s", "-d"):
            if draw.random() < 0.5:
                words.append(f"{draw.choice(('', '', '! '))}{option} {draw.choice(networks)}")
        test = draw.choice(TESTS).format(draw.randrange(1024, 65536), icmp=icmp)
        return " ".join([*words, test, draw.choice(OTHERS), f"-j {draw.choice(targets)}"])

    before = (rule("INPUT", *TARGETS, "long") for _ in range(5))
    inside = (rule("long", *TARGETS) for _ in range(rules))
    return saved(*before, "-A INPUT -j long", *inside, chains="long")


NFT_TESTS = (
    "tcp dport 22",
    "udp sport 1024-{}",
    "tcp dport {{ 22, 80, 443-500 }}",
    "tcp dport != 1-1000",
    "meta l4proto icmp",
    "",
)
NFT_OTHERS = (*["ct state new"] * 3, *['iifname "eth0"'] * 2, "meta mark 7", *[""] * 4)
NFT_TARGETS = ("accept", "drop", "return", "log", "reject", "meta mark set 1")


def flat_rules_of_nft(seed: int, rules: int) -> str:
    """The same as a file of nft, with sets of networks."""
    draw = Random(seed)
    networks = (*ADDRESSES[:5], "{ 192.0.2.0/25, 198.51.100.7, 203.0.113.4-203.0.113.99 }")

    def rule(*targets: str) -> str:
        words = [
            f"ip {end} {draw.choice(('', '', '!= '))}{draw.choice(networks)}"
            for end in ("saddr", "daddr")
            if draw.random() < 0.5
        ]
        test = draw.choice(NFT_TESTS).format(draw.randrange(1024, 65536))
        return " ".join([*words, test, draw.choice(NFT_OTHERS), draw.choice(targets)])

    before = "\n".join(rule(*NFT_TARGETS, "jump long") for _ in range(5))
    inside = "\n".join(rule(*NFT_TARGETS) for _ in range(rules))
    head = "type filter hook input priority 0; policy drop;"
    return (
        f"table ip t {{\nchain long {{\n{inside}\n}}\n"
        f"chain INPUT {{\n{head}\n{before}\njump long\n}}\n}}\n"
    )


def table_of(seed: int, rules: int = 40) -> TableAnalysis:
    """One of IPv4, IPv6 or nft."""
    match seed % 3:
        case 0:
            return analysis_of(flat_rules(seed, rules, ipv6=True), Family.IP6)
        case 1:
            return analysis_of(flat_rules(seed, rules))
        case _:
            return analysis_of(flat_rules_of_nft(seed, rules))


@pytest.fixture(params=[0, 64])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """From how many rules on others are asked than those that concern a packet, and columns for
    what several take."""
    monkeypatch.setattr(long_chain, "_FEW", request.param)
    monkeypatch.setattr(long_chain, "_FEW_TOGETHER", request.param)


def both_ways(analysis: TableAnalysis, chain: str) -> tuple[ChainFlow, ChainFlow]:
    """The flow of the chain as a short one and as a long one."""
    matcher, callees = analysis.matcher_of(chain), analysis.flows
    short = ChainFlow(matcher, analysis.table.chains[chain], callees)
    long = flow_of(matcher, analysis.table.chains[chain], callees)
    assert isinstance(long, LongChain)
    return short, long


@pytest.fixture(autouse=True)
def _every_chain_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_analysis, "LONG", 0)
    monkeypatch.setattr(chain_shape, "MOST_ODD", 1 << 30)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("chain", ["long", "INPUT"])
def test_it_answers_as_a_short_one(seed: int, chain: str) -> None:
    compare(table_of(seed), chain, seed)


@pytest.mark.parametrize("few", [0, 64], indirect=True)
@pytest.mark.parametrize("block", range(4))
def test_two_thousand_tables(block: int, few: None, pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("--long"):
        pytest.skip("--long")
    for seed in range(1000 + block * 250, 1250 + block * 250):
        compare(table_of(seed, 20), Random(seed).choice(("long", "INPUT")), seed)


def compare(analysis: TableAnalysis, chain: str, seed: int) -> None:
    short, long = both_ways(analysis, chain)
    space, draw = analysis.space, Random(seed)
    entering = analysis.entries[chain].reachable
    numbers = range(len(short.chain.rules))
    for packets in (space.universe, entering):
        matched = (short.arriving_at(n, short.tests[n].may) & packets for n in numbers)
        unmatched = {n for n, each in zip(numbers, matched, strict=True) if not each.satisfiable()}
        assert long.unmatched(packets) == unmatched
    asked = [entering, *(short.tests[draw.choice(numbers)].may for _ in range(8))]
    asked += [short.tests[n].sure & ~short.tests[draw.choice(numbers)].sure for n in numbers[:8]]
    for packets in asked:
        for number in (*draw.sample(numbers, 5), len(numbers)):
            arriving = short.arriving_at(number, packets)
            assert long.arriving_at(number, packets) == arriving
            assert long.some_arrive(number, packets) == arriving.satisfiable()
            some_taken = (packets & ~arriving).satisfiable()
            assert long.some_taken_before(number, packets) == some_taken
            assert long.blocked_at(packets, number) == short.blocked_at(packets, number)
            assert long.first_for(packets, number) == short.first_for(packets, number)
        assert [*long.matched_of(numbers, packets)] == [*short.matched_of(numbers, packets)]
        assert long.kept(packets, packets) == short.kept(packets, packets)
        outcomes = short.outcomes_of(packets)
        for kind in VerdictKind:
            nothing = space.false
            assert long.outcomes_of(packets).get(kind, nothing) == outcomes.get(kind, nothing)
            assert long.some_end([kind], packets) == short.some_end([kind], packets)


@pytest.mark.parametrize("seed", range(20))
def test_rules_beside_each_other(seed: int) -> None:
    analysis = table_of(seed)
    short, long = both_ways(analysis, "long")
    draw, numbers = Random(seed), range(len(short.chain.rules))
    assert [*map(long.is_certain, numbers)] == [*map(short.is_certain, numbers)]
    for start in (0, 7):
        some, others = sorted(draw.sample(numbers, 20)), sorted(draw.sample(numbers, 20))
        meetings = short.last_meetings(some, others, start)
        assert long.last_meetings(some, others, start) == meetings
    decisions = [draw.choice((None, 1, 2)) if short.is_certain(n) else None for n in numbers]
    for packets in (analysis.space.universe, analysis.entries["long"].intended):
        covered = {*short.perhaps_covered(decisions, packets)}
        assert covered <= {*long.perhaps_covered(decisions, packets)}


@pytest.mark.parametrize("seed", range(20))
def test_rules_that_share_packets(seed: int) -> None:
    analysis = table_of(seed)
    short, long = both_ways(analysis, "long")
    numbers = range(len(short.chain.rules))
    some = short.tests[Random(seed).choice(numbers)].may
    for entering in (analysis.space.universe, analysis.entries["long"].intended, some):
        for number in numbers:
            shared = short.sharing(number, numbers, entering)
            assert long.sharing(number, numbers, entering) == shared


def test_the_first_rule_that_shares_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_rows, "_WINDOWS", (3, 30))
    found = 0
    for seed in range(20):
        analysis = table_of(seed)
        short, long = both_ways(analysis, "long")
        numbers = range(len(short.chain.rules))
        for entering in (analysis.space.universe, analysis.entries["long"].intended):
            for number, first in long.first_sharing(numbers, entering).items():
                meant = short.tests[number].may & entering
                assert short.first_for(meant, number + 1) == first
                found += 1
    assert found > 100


def test_the_sole_taker_of_a_dead_rule() -> None:
    """Others before it leave something to it, and it leaves nothing to the dead one."""
    found = 0
    for seed in range(40):
        analysis = table_of(seed)
        short, long = both_ways(analysis, "long")
        entering = analysis.entries["long"].reachable
        for number in sorted(long.unmatched(entering)):
            taker = long.sole_taker(number, entering)
            if taker is None:
                continue
            meant = short.tests[number].may
            assert taker < number
            assert not (meant & ~short.taken_by(taker)).satisfiable()
            assert (short.arriving_at(taker, meant) & entering).satisfiable()
            assert short.blocked_at(meant, number) == taker
            found += 1
    assert found > 40


@pytest.mark.parametrize("seed", range(20))
def test_one_packet_that_comes(seed: int) -> None:
    analysis = table_of(seed)
    short, long = both_ways(analysis, "long")
    new = analysis.entries["long"].reachable & analysis.space.state("new")
    for number in range(len(short.chain.rules)):
        one = long.one_that_comes(number, new)
        matched = short.arriving_at(number, short.tests[number].may) & new
        assert one is None or (one.satisfiable() and not (one & ~matched).satisfiable())


def test_rules_that_take_the_same_packets() -> None:
    """However they say it: a box is its edges, whatever else a rule tests."""
    web, port = "-p tcp -m tcp --dport 80", "-A long -s 192.0.2.0/24"
    rules = (f"{port} {web}", f"{port} {web}", f"{port} -p tcp", f"{port} -d 0.0.0.0/0 {web}")
    chain = (f"{rule} -j DROP" for rule in rules)
    analysis = analysis_of(saved("-A INPUT -j long", *chain, chains="long"))
    short, long = both_ways(analysis, "long")
    for flow in (short, long):
        assert [taken == flow.taking(range(4))[0] for taken in flow.taking(range(4))] == [
            True,
            True,
            False,
            True,
        ]


def test_a_rule_that_takes_nothing_has_no_row() -> None:
    """So the rows of a rule with two do not make up for it."""
    ports = ("22", "80", "22,80")
    rules = (f"-A long -p tcp -m multiport --dports {each} -j DROP" for each in ports)
    analysis = analysis_of(saved("-A INPUT -j long", *rules, "-A long -j DROP", chains="long"))
    chain = analysis.table.chains["long"]
    nothing = replace(chain.rules[-1], matches=(Within(Field.SADDR, ()),))
    changed = replace(chain, rules=(nothing, *chain.rules[:-1]))
    short = ChainFlow(analysis.matcher_of("long"), changed, {})
    long = flow_of(analysis.matcher_of("long"), changed, {})
    assert isinstance(long, LongChain)
    assert long.taking([0]) == short.taking([0]) == [None]
    assert len({*long.taking(range(1, 4))}) == 3
    assert [*map(long.is_certain, range(4))] == [*map(short.is_certain, range(4))]


def test_who_gets_to_a_chain_none_of_whose_rules_is_a_box() -> None:
    """``--ports`` is for either of two fields; no rule has a row then."""
    ports = "-p tcp -m multiport --ports 1:1000"
    rules = ("-A INPUT -j long", f"-A long {ports} -j DROP", f"-A long {ports} -j ACCEPT")
    analysis = analysis_of(saved(*rules, chains="long"))
    alive = [rule for _, rule in analysis.table.rules() if analysis.is_matched(rule)]
    assert [rule.verdict.kind for rule in alive] == [VerdictKind.JUMP, VerdictKind.DROP]


def test_the_shape_of_a_chain_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = table_of(1)
    matcher, chain = analysis.matcher_of("long"), analysis.table.chains["long"]
    assert flow_by_columns(matcher, chain, {}) is not None
    monkeypatch.setattr(chain_shape, "_MOST_RESTS", 1)
    assert flow_by_columns(matcher, chain, {}) is None


def test_numpy_is_not_needed_for_a_short_chain() -> None:
    """It takes longer to import than a small file to check."""
    program = (
        "import sys; from iptlint.linter.run import lint; from iptlint.source import SourceFile;"
        "lint([SourceFile('rules.v4', sys.stdin.read())]);"
        "print('numpy' in sys.modules)"
    )
    given = saved("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", policy="DROP")
    done = subprocess.run(
        [sys.executable, "-c", program], input=given, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("seed", range(20))
def test_whether_a_rule_may_match(seed: int) -> None:
    analysis = table_of(seed)
    short, long = both_ways(analysis, "long")
    some = short.tests[Random(seed).randrange(len(short.chain.rules))].may
    for packets in (analysis.space.true, analysis.entries["long"].intended, some):
        for number in range(len(short.chain.rules)):
            assert long.may_match(number, packets) == short.may_match(number, packets)


@pytest.mark.parametrize("seed", range(20))
def test_what_a_rule_is_not_for_is_seen_at_a_glance(seed: int) -> None:
    analysis = table_of(seed)
    short, long = both_ways(analysis, "long")
    some = short.tests[Random(seed).randrange(len(short.chain.rules))].may
    for packets in (analysis.space.universe, some, some.pick_cube_dd()):
        for number in range(len(short.chain.rules)):
            assert long.may_be_for(number, packets) or not short.may_match(number, packets)
