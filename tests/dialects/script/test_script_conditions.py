"""A condition that is known only when the script runs has one truth in one run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

from iptlint.analysis.trace import trace
from iptlint.dialects import read
from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.model import AnyOf, Chain, Decided, Family, Match, Rule, Ruleset, Uncertain
from iptlint.model.matches import is_decided
from iptlint.packets.packet import Packet
from iptlint.source import SourceFile
from tests.dialects.script.test_script_against_kernel import lacking

FLAGS = ("A", "B", "C")
CHAINS = ("INPUT", "FORWARD", "OUTPUT", "WEB")
SEEDS = range(40)
PREDICATES = (
    'is_a() { [ "$A" = yes ]; }',
    'is_b_or_c() { [ "$B" = yes ] && return 0; [ "$C" = yes ]; }',
    'is_not_c() { if [ "$C" = yes ]; then return 1; else return 0; fi; }',
)


def after(text: str) -> Ruleset:
    return run_script(parse(SourceFile("firewall.sh", text))).final()[0]


# -- any script, in every case, against the real tools -----------------------------------------


class Writer:
    """Writes a script that asks for variables of its environment."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.port = 1000

    def script(self) -> str:
        lines = [*PREDICATES, "iptables -N WEB", "leaves() {", *self.block(1, returns=True), "}"]
        for _ in range(self.random.randint(2, 6)):
            lines += self.statement(0)
        return "\n".join([*lines, "leaves", *self.block(0)]) + "\n"

    def block(self, depth: int, *, returns: bool = False) -> Iterator[str]:
        for _ in range(self.random.randint(1, 3)):
            yield from self.statement(depth + 1)
            if returns and self.random.random() < 0.5:
                yield f"if {self.condition()}; then {self.command()}; return; fi"

    def statement(self, depth: int) -> Iterator[str]:
        choice = self.random.random() if depth < 3 else 0
        if choice < 0.4:
            yield self.command()
        elif choice < 0.6:
            yield f"if {self.condition()}; then"
            yield from self.block(depth)
            if self.random.random() < 0.5:
                yield f"elif {self.condition()}; then"
                yield from self.block(depth)
            yield "else"
            yield from self.block(depth)
            yield "fi"
        elif choice < 0.7:
            yield f"{self.condition()} && {self.command()}"
        elif choice < 0.8:
            yield f"{self.condition()} && {self.command()} || {self.command()}"
        elif choice < 0.9:
            yield f"case ${self.random.choice(FLAGS)} in"
            yield "yes)"
            yield from self.block(depth)
            yield ";;"
            yield f"{self.random.choice(('n*', 'no', 'no|maybe', '*'))})"
            yield from self.block(depth)
            yield ";;"
            yield "esac"
        else:
            yield "for each in 1 2; do"
            yield f"if {self.condition()}; then {self.command()}; continue; fi"
            yield from self.block(depth)
            yield "done"

    def condition(self) -> str:
        flag, other = self.random.choices(FLAGS, k=2)
        return self.random.choice(
            (
                f'[ "${flag}" = yes ]',
                f'[ "${flag}" != yes ]',
                f'! [ "${flag}" = yes ]',
                f'test "${flag}" = no',
                f'[[ "${flag}" == yes ]]',
                f'[ "${flag}" = yes ] && [ "${other}" = no ]',
                f'[ "${flag}" = yes ] || [ "${other}" = no ]',
                "is_a",
                "is_b_or_c",
                "! is_not_c",
            )
        )

    def command(self) -> str:
        self.port += 1
        chain = self.random.choice(CHAINS)
        rule = f"{chain} -p tcp --dport {self.port} -j ACCEPT"
        base, policy = self.random.choice(CHAINS[:3]), self.random.choice(("ACCEPT", "DROP"))
        forms = (f"-A {rule}", f"-A {rule}", f"-I {rule}", f"-F {chain}", f"-P {base} {policy}")
        return f"iptables {self.random.choice(forms)}"


def left_by(script: str) -> dict[tuple[str, ...], Ruleset]:
    """What the tools say of the tables after it, for each case of the flags."""
    cases: dict[tuple[str, ...], Ruleset] = {}
    for values in product(("yes", "no"), repeat=len(FLAGS)):
        command = ["unshare", "-n", "bash", "-c", f"{script}\niptables-save"]
        environment = os.environ | dict(zip(FLAGS, values, strict=True))
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=120, env=environment
        )
        cases[values] = read(SourceFile("saved", done.stdout)).ruleset
    return cases


def holds(match: Match, values: dict[str, str]) -> bool:
    match match:
        case Decided(key, negated):
            return truth(key, values) is not negated
        case AnyOf(alternatives, negated):
            found = any(all(holds(test, values) for test in tests) for tests in alternatives)
            return found is not negated
        case _:
            raise AssertionError(match)


def truth(key: str, values: dict[str, str]) -> bool:
    """What the condition is in the case: `$A = yes`, `$A is n*`, or a test of several."""
    named = key.removeprefix("$")
    flag, sign, value = (*named.split(" ", 2), "", "")[:3]
    if sign == "=" and flag in values:
        return values[flag] == value
    if sign == "is" and flag in values:
        return values[flag].startswith("n")
    done = subprocess.run(["bash", "-c", key.partition(" (")[0]], env=os.environ | values)
    return done.returncode == 0


def told(chain: Chain, values: dict[str, str]) -> tuple[str | None, list[tuple[Match, ...]]]:
    """The policy and the tests of the rules, in the case."""
    rules = [rule for rule in chain.rules if all(holds(m, values) for m in conditions(rule))]
    policies = [rule.verdict.name for rule in rules if is_policy(rule)]
    policy = chain.policy.name if chain.policy else None
    tests = [rule for rule in rules if not is_policy(rule)]
    return (
        policies[0] if policies else policy,
        [tuple(m for m in rule.matches if not is_decided(m)) for rule in tests],
    )


def conditions(rule: Rule) -> list[Match]:
    return [match for match in rule.matches if is_decided(match)]


def is_policy(rule: Rule) -> bool:
    return "-P" in rule.origin.span.text.split()


def check_every_case(script: str) -> None:
    """That with any values of the flags the rules are those that the tools leave."""
    table = after(script).table("filter", Family.IP)
    assert table is not None
    for values, ruleset in left_by(script).items():
        named = dict(zip(FLAGS, values, strict=True))
        real = ruleset.table("filter", Family.IP)
        assert real is not None
        for name, chain in real.chains.items():
            assert told(table.chains[name], named) == told(chain, {}), (script, named, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_in_every_case_the_rules_are_those_that_the_tools_leave(seed: int) -> None:
    if (reason := lacking()) is not None:
        pytest.skip(reason)
    check_every_case(Writer(seed).script())


# -- what is one condition, and what is not ----------------------------------------------------


def keys(text: str) -> list[Match]:
    rules = (rule for _, chain, rule in after(text).rules() if chain.name == "INPUT")
    return [match for rule in rules for match in conditions(rule)]


RULE = "iptables -A INPUT -j LOG"


@pytest.mark.parametrize(
    "between",
    ["", "iptables -A OUTPUT -j LOG\n", "echo ready\n", "x=5\n"],
)
def test_the_same_test_is_the_same_condition(between: str) -> None:
    text = f"[ -f /etc/x ] && {RULE}\n{between}[ -f /etc/x ] && {RULE}"
    first, second = keys(text)
    assert first == second


@pytest.mark.parametrize(
    ("test", "between"),
    [
        ("[ -f /etc/x ]", "touch /etc/x\n"),
        ("[ -f /etc/x ]", "make-configuration\n"),
        ("[ -f /etc/x ]", "echo > /etc/x\n"),
        ('[ "$x" = a ]', "read x\n"),
        ('[ "$x" = a ]', "x=$(date)\n"),
        ("ping -c 1 192.0.2.1", ""),
        ('[ "$(date)" = a ]', ""),
    ],
)
def test_what_may_have_changed_is_another_condition(test: str, between: str) -> None:
    first, second = keys(f"{between}{test} && {RULE}\n{between}{test} && {RULE}")
    assert first != second


def test_a_condition_in_a_loop_of_unknown_rounds_has_no_one_truth() -> None:
    """One round may take one way, and another round the other."""
    text = f"for i in $LIST; do if [ -f /etc/$i ]; then {RULE}; else {RULE}; fi; done"
    each = AnyOf(((Decided("for i in $LIST"), Uncertain("script", "[ -f /etc/$i ]")),))
    other = AnyOf(((Uncertain("script", "[ -f /etc/$i ]"),),), negated=True)
    assert keys(text) == [each, AnyOf(((Decided("for i in $LIST"), other),))]


def test_what_needs_both_truths_is_not_carried_out() -> None:
    text = f"if [ -f /etc/x ]; then [ -f /etc/x ] || {RULE}; fi"
    assert keys(text) == []


# -- what is said of packets -------------------------------------------------------------------


def test_trace_does_not_mix_both_truths() -> None:
    text = (
        "if [ -f /etc/x ]; then\niptables -A INPUT -p tcp -j ACCEPT\n"
        "iptables -A INPUT -p tcp -j LOG\nelse\niptables -P INPUT DROP\nfi\n"
    )
    outcomes = trace(after(text), Packet("ip", "input", proto="tcp", dport=22)).outcomes
    fates = {(each.kind.name, each.conditions) for each in outcomes}
    assert fates == {
        ("ACCEPT", ("[ -f /etc/x ] holds",)),
        ("DROP", ("[ -f /etc/x ] does not hold",)),
    }


def test_a_long_menu_is_read_at_once() -> None:
    """What stands for one item grows with those before it, and does not double with each."""
    items = "".join(
        f"  {n}) iptables -A INPUT -p tcp --dport {n} -j ACCEPT ;;\n" for n in range(80)
    )
    ruleset = after(f'read choice\ncase "$choice" in\n{items}  *) echo "no"\nesac\n')
    rules = [rule for _, _, rule in ruleset.rules()]
    assert len(rules) == 80
    assert sum(len(str(rule.matches)) for rule in rules) < 2_000_000


def test_of_items_that_fit_together_the_first_counts() -> None:
    items = "y*) iptables -A INPUT -j DROP ;;\nyes) iptables -A INPUT -j LOG ;;\n"
    text = f'case "$A" in\n{items}esac\n'
    drop, log = (rule for _, _, rule in after(text).rules())
    assert any(str(match.key) in str(log.matches) for match in drop.matches if is_decided(match))
