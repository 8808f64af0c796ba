"""The oracle against answers known by hand, against chance, and against the real tools."""

from __future__ import annotations

import os
import random
import shutil
import subprocess

import pytest

from tests.oracle.conntrack import can_be
from tests.oracle.generate import (
    BASE_CHAINS,
    Condition,
    Family,
    RandomRuleset,
    Rule,
    address,
    icmp,
    interface,
    ip_range,
    limit,
    mark,
    multiport,
    odd_mask,
    port,
    protocol,
    random_ruleset,
    recent,
    state,
    string,
    syn,
    tcp_flags,
)
from tests.oracle.interpret import Report, atoms_of, holds, is_unsure, judge

TCP = protocol("tcp")
UDP = protocol("udp")


def rule(*conditions: Condition, target: str = "ACCEPT", to: str = "") -> Rule:
    return Rule(conditions, target, to)


def jump(to: str, *conditions: Condition) -> Rule:
    return Rule(conditions, "JUMP", to)


def goto(to: str, *conditions: Condition) -> Rule:
    return Rule(conditions, "GOTO", to)


def dport(low: int, high: int | None = None, negated: bool = False) -> Condition:
    return port("destination", "tcp", low, low if high is None else high, negated)


def table(family: Family = "ip", **chains: list[Rule]) -> RandomRuleset:
    """A filter table; base chains that are not given are empty. Policies are DROP."""
    base = {name: chains.get(name, []) for name in BASE_CHAINS}
    return RandomRuleset(family, dict.fromkeys(BASE_CHAINS, "DROP"), {**base, **chains})


def statuses(ruleset: RandomRuleset, chain: str = "INPUT") -> str:
    """One letter for each rule of the chain: Reachable, Conditional, Dead."""
    report = judge(ruleset)
    return "".join(report.status(rule)[0].upper() for rule in ruleset.chains[chain])


INPUT_ONLY: dict[str, tuple[list[Rule], str]] = {
    "one earlier rule": (
        [rule(address("saddr", "10.0.0.0/8")), rule(address("saddr", "10.1.0.0/16"))],
        "RD",
    ),
    "union of two halves": (
        [
            rule(address("saddr", "10.0.0.0/9")),
            rule(address("saddr", "10.128.0.0/9"), target="DROP"),
            rule(address("saddr", "10.0.0.0/8")),
        ],
        "RRD",
    ),
    "union but for one address": (
        [
            rule(ip_range("saddr", "10.0.0.0", "10.127.255.254")),
            rule(address("saddr", "10.128.0.0/9")),
            rule(address("saddr", "10.0.0.0/8")),
            rule(address("saddr", "10.127.255.255/32")),
        ],
        "RRRD",
    ),
    "negated address": (
        [
            rule(address("saddr", "10.0.0.0/8", negated=True), target="REJECT"),
            rule(address("saddr", "192.168.0.0/16")),
            rule(address("saddr", "10.1.2.3/32", "192.168.0.0/16")),
        ],
        "RDR",
    ),
    "odd mask": (
        [
            rule(odd_mask("saddr", 0x0A000500, 0xFF00FF00)),
            rule(address("saddr", "10.77.5.0/24")),
            rule(address("saddr", "10.77.4.0/23")),
        ],
        "RDR",
    ),
    "ports covered by pieces": (
        [
            rule(TCP, dport(0, 1023)),
            rule(TCP, multiport("destination", ((1024, 2000), (2001, 65535)))),
            rule(TCP, target="DROP"),
            rule(UDP, port("destination", "udp", 53, 53)),
        ],
        "RRDR",
    ),
    "negated port is of the same protocol": (
        [rule(TCP, dport(22, negated=True)), rule(TCP, dport(80)), rule(UDP), rule(TCP)],
        "RDRR",
    ),
    "--ports is either port, negated neither": (
        [
            rule(TCP, multiport("either", ((22, 22),), negated=True)),
            rule(TCP, port("source", "tcp", 22, 22)),
            rule(TCP, dport(22)),
            rule(TCP),
        ],
        "RRRD",
    ),
    "all states one by one": (
        [
            rule(state("NEW", "ESTABLISHED")),
            rule(state("NEW", "ESTABLISHED", "RELATED", negated=True)),
            rule(state("RELATED", old=True)),
            rule(),
        ],
        "RRRD",
    ),
    "untracked is none of the four": (
        [rule(state("NEW", "ESTABLISHED", "RELATED", "INVALID")), rule(), rule()],
        "RRD",
    ),
    "syn and its complement": ([rule(TCP, syn()), rule(TCP, syn(negated=True)), rule(TCP)], "RRD"),
    "syn is not SYN alone": (
        [
            rule(TCP, syn()),
            rule(TCP, tcp_flags(("SYN",), ("SYN",))),
            rule(TCP, tcp_flags(("FIN", "SYN", "RST", "PSH", "ACK"), ("SYN",))),
        ],
        "RRD",
    ),
    "a flag wanted outside of its mask": (
        [rule(TCP, tcp_flags(("ACK",), ("SYN",))), rule(TCP)],
        "DR",
    ),
    "icmp type with and without code": (
        [
            rule(protocol("icmp"), icmp("ip", 3)),
            rule(protocol("icmp"), icmp("ip", 3, 1)),
            rule(protocol("icmp"), icmp("ip", 8, 0)),
            rule(protocol("icmp"), icmp("ip", 8)),
        ],
        "RDRR",
    ),
    "marks by mask": (
        [
            rule(mark(1, 1)),
            rule(mark(3)),
            rule(mark(0, 1)),
            rule(mark(8)),
        ],
        "RDRD",
    ),
    "a whole mark leaves all other marks": (
        [rule(mark(0)), rule(mark(1)), rule(mark(0, 0xF)), rule(mark(1, 0xF))],
        "RRRR",
    ),
    "opaque test and its complement": (
        [rule(string("x")), rule(string("y")), rule(string("x", negated=True)), rule()],
        "RRRD",
    ),
    "LOG and no target take nothing": (
        [rule(target="LOG"), rule(target=""), rule(target="REJECT"), rule(target="LOG")],
        "RRRD",
    ),
    "limit never takes": ([rule(limit()), rule(), rule()], "RCD"),
    "recent and its negation never take together": (
        [rule(recent()), rule(recent(negated=True)), rule(), rule()],
        "RCCD",
    ),
    "what a limit may take is not sure beyond": (
        [rule(TCP, limit()), rule(TCP), rule(UDP), rule()],
        "RCRR",
    ),
    "limit before LOG has no outcome": ([rule(limit(), target="LOG"), rule()], "RR"),
    "RETURN in a base chain is the policy": (
        [rule(TCP, target="RETURN"), rule(TCP), rule()],
        "RDR",
    ),
    "wildcard takes the exact name": (
        [
            rule(interface("iif", "eth+")),
            rule(interface("iif", "eth0")),
            rule(interface("iif", "eth0", negated=True)),
            rule(interface("iif", "+")),
        ],
        "RDRD",
    ),
    "exact names never fill a wildcard": (
        [
            rule(interface("iif", "eth0")),
            rule(interface("iif", "eth1")),
            rule(interface("iif", "eth+")),
            rule(),
        ],
        "RRRR",
    ),
    "contradiction": (
        [rule(address("saddr", "10.0.0.0/8"), ip_range("saddr", "11.0.0.0", "11.0.0.9"))],
        "D",
    ),
}


@pytest.mark.parametrize("name", INPUT_ONLY)
def test_one_chain(name: str) -> None:
    rules, expected = INPUT_ONLY[name]
    assert statuses(table(INPUT=rules)) == expected


def test_union_through_two_chains() -> None:
    ruleset = table(
        INPUT=[jump("A", TCP), jump("B"), rule(TCP), rule(UDP)],
        A=[rule(dport(0, 1023))],
        B=[rule(TCP, dport(1024, 65535), target="DROP")],
    )
    assert statuses(ruleset) == "RRDR"


def test_return_protects_from_the_rest_of_the_chain() -> None:
    ruleset = table(
        INPUT=[jump("A"), rule(TCP), rule(UDP)],
        A=[rule(TCP, target="RETURN"), rule(TCP), rule(target="DROP")],
    )
    assert statuses(ruleset) == "RRD"
    assert statuses(ruleset, "A") == "RDR"


def test_return_after_goto_goes_to_the_jumps_caller() -> None:
    ruleset = table(
        INPUT=[jump("A"), rule()],
        A=[goto("B", TCP), rule(TCP), rule(target="DROP")],
        B=[rule(dport(22), target="RETURN"), rule()],
    )
    assert statuses(ruleset) == "RR"
    assert statuses(ruleset, "A") == "RDR"


def test_goto_from_a_base_chain_never_comes_back() -> None:
    ruleset = table(INPUT=[goto("A", TCP), rule(TCP), rule()], A=[rule(dport(22), target="RETURN")])
    assert statuses(ruleset) == "RDR"


def test_several_callers() -> None:
    ruleset = table(
        INPUT=[jump("A", TCP)],
        FORWARD=[jump("A", UDP)],
        A=[rule(TCP), rule(UDP), rule(protocol("gre"))],
    )
    assert statuses(ruleset, "A") == "RRD"


def test_a_second_call_of_a_chain_finds_nothing_new() -> None:
    ruleset = table(INPUT=[jump("A"), jump("A", TCP), jump("A", UDP)], A=[rule(TCP)])
    assert statuses(ruleset) == "RDR"


def test_a_chain_that_is_never_called() -> None:
    assert statuses(table(A=[rule(), rule(limit())]), "A") == "DD"


def test_a_chain_with_only_dead_callers() -> None:
    ruleset = table(INPUT=[rule(TCP), jump("A", TCP, syn())], A=[rule()])
    assert statuses(ruleset, "A") == "D"


def test_uncertain_jump_makes_all_beyond_conditional() -> None:
    ruleset = table(INPUT=[jump("A", limit()), rule()], A=[rule(TCP), rule()])
    assert statuses(ruleset) == "RC"
    assert statuses(ruleset, "A") == "CC"


def test_both_ways_of_an_uncertain_test_lead_to_the_same_rule() -> None:
    ruleset = table(INPUT=[jump("A", limit()), jump("A")], A=[rule(TCP), rule(UDP)])
    assert statuses(ruleset) == "RR"
    assert statuses(ruleset, "A") == "RR"


def test_uncertain_return_in_a_chain() -> None:
    ruleset = table(
        INPUT=[jump("A"), rule(TCP)],
        A=[rule(limit(), target="RETURN"), rule(TCP)],
    )
    assert statuses(ruleset) == "RC"
    assert statuses(ruleset, "A") == "RC"


def test_absent_interface() -> None:
    """In OUTPUT there is no input interface: its name is empty."""
    ruleset = table(
        OUTPUT=[jump("A")],
        A=[
            rule(interface("iif", "eth0")),
            rule(interface("iif", "eth+")),
            rule(interface("iif", "+", negated=True)),
            rule(interface("iif", "eth0", negated=True), TCP),
            rule(interface("iif", "eth+", negated=True), UDP),
            rule(interface("iif", "+")),
            rule(),
        ],
    )
    assert statuses(ruleset, "A") == "DDDRRRD"


def test_absent_interface_in_input_only() -> None:
    chain = [rule(interface("oif", "eth0", negated=True)), rule(interface("oif", "eth0"))]
    assert statuses(table(INPUT=[jump("A")], A=chain), "A") == "RD"
    assert statuses(table(FORWARD=[jump("A")], A=chain), "A") == "RR"


def test_ip6_union() -> None:
    rules = [
        rule(address("daddr", "2001:db8::/33")),
        rule(ip_range("daddr", "2001:db8:8000::", "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe")),
        rule(address("daddr", "2001:db8::/32")),
        rule(address("daddr", "2001:db8::/32")),
    ]
    assert statuses(table("ip6", INPUT=rules)) == "RRRD"


def test_decisions_of_the_base_chain() -> None:
    report = judge(table(INPUT=[rule(TCP, limit()), rule(UDP, target="REJECT")]))
    found = {shown["proto"]: decisions for shown, decisions in report.decisions["INPUT"]}
    assert found == {6: {"ACCEPT", "DROP"}, 17: {"REJECT"}, 0: {"DROP"}}


def test_line_of() -> None:
    ruleset = random_ruleset(1)
    chains = [(name, one) for name, rules in ruleset.chains.items() for one in rules]
    lines = ruleset.text.splitlines()
    assert len(chains) == 40
    for chain, one in chains:
        assert lines[ruleset.line_of(one) - 1] == one.line(chain)


# --- against chance: packets drawn one by one, each test tossed anew ---------------------------


def random_walk(ruleset: RandomRuleset, packet: dict[str, object], rng: random.Random) -> set[Rule]:
    """The rules whose certain tests hold on one way of one packet through its hook."""
    met: set[Rule] = set()

    def pass_through(chain: str) -> bool:
        """Whether the packet comes out of the chain undecided."""
        for one in ruleset.chains[chain]:
            certain = [test for test in one.tests if not is_unsure(test)]
            if not all(holds(test, packet[test.field]) for test in certain):  # type: ignore[union-attr]
                continue
            met.add(one)
            if len(certain) < len(one.tests) and rng.random() < 0.5:
                continue
            if one.target in ("ACCEPT", "DROP", "REJECT"):
                return False
            if one.target == "RETURN":
                return True
            if one.target == "GOTO":
                return pass_through(one.to)
            if one.target == "JUMP" and not pass_through(one.to):
                return False
        return True

    pass_through(str(packet["hook"]))
    return met


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("family", ["ip", "ip6"])
def test_random_walks_meet_what_the_oracle_says(seed: int, family: Family) -> None:
    ruleset = random_ruleset(seed, family=family)
    report = judge(ruleset)
    rng = random.Random(seed)
    for hook in BASE_CHAINS:
        atoms = atoms_of(ruleset, hook)
        for _ in range(300):
            packet = {name: rng.choice(values) for name, values in atoms.items()}
            if not can_be(packet):
                continue
            for one in random_walk(ruleset, {"hook": hook, **packet}, rng):
                assert report.rules[one].arrives_and_matches_possible
    assert_witnesses(ruleset, report, rng)


def assert_witnesses(ruleset: RandomRuleset, report: Report, rng: random.Random) -> None:
    """A sure witness arriving every time, any other at least once in many."""
    for one, judgement in report.rules.items():
        if judgement.arrives_for_sure:
            walks = [random_walk(ruleset, judgement.sure_witness, rng) for _ in range(20)]
            assert all(one in met for met in walks)
        elif judgement.arrives_and_matches_possible:
            walks = [random_walk(ruleset, judgement.witness, rng) for _ in range(500)]
            assert any(one in met for met in walks)
            assert not all(one in met for met in walks)


# --- against the real tools --------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("family", "tool"), [("ip", "iptables-restore"), ("ip6", "ip6tables-restore")]
)
def test_accepted_by_the_real_tool(seed: int, family: Family, tool: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root for a network namespace")
    if not shutil.which(tool) or not shutil.which("unshare"):
        pytest.skip(f"needs {tool} and unshare")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("may not make a network namespace")
    done = subprocess.run(
        ["unshare", "-n", tool, "-t"],
        input=random_ruleset(seed, family=family).text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
