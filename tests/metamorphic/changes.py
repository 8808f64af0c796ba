"""Changes of a ruleset that change no packet's fate. Each gives the text after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from random import Random
from typing import TYPE_CHECKING

from iptlint.dialects.readers import read
from iptlint.netfilter.firewall import Firewall
from iptlint.source import SourceFile
from tests.oracle.generate import RandomRuleset, Rule, Unsure, address

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Chains = dict[str, list[Rule]]
Change = Callable[[RandomRuleset, Random], str]


def decided(ruleset: RandomRuleset) -> RandomRuleset:
    """The ruleset without limits, which are other limits in another place."""
    chains = {
        name: [
            rule
            for rule in rules
            if not any(isinstance(condition.test, Unsure) for condition in rule.conditions)
        ]
        for name, rules in ruleset.chains.items()
    }
    return replace(ruleset, chains=chains)


def _chains(ruleset: RandomRuleset) -> Chains:
    return {name: [*rules] for name, rules in ruleset.chains.items()}


def renamed_chains(ruleset: RandomRuleset, draw: Random) -> str:
    text = ruleset.text
    for name in ruleset.chains.keys() - ruleset.policies.keys():
        other = f"{draw.choice('zyxab')}-{draw.randrange(10**6)}-{name[::-1]}"
        text = re.sub(rf"(?<=[ :]){re.escape(name)}(?=[ \n])", other, text)
    return text


def chains_in_another_order(ruleset: RandomRuleset, draw: Random) -> str:
    names = [*ruleset.chains]
    draw.shuffle(names)
    return replace(ruleset, chains={name: ruleset.chains[name] for name in names}).text


def a_chain_goes_on_in_another(ruleset: RandomRuleset, draw: Random) -> str:
    """By a goto, so that RETURN leads where it did."""
    chains = _chains(ruleset)
    rules = chains[draw.choice([*chains])]
    at = draw.randrange(len(rules) + 1)
    chains["REST"] = rules[at:]
    rules[at:] = [Rule((), "GOTO", "REST")]
    return replace(ruleset, chains=chains).text


def some_rules_in_a_chain(ruleset: RandomRuleset, draw: Random) -> str:
    """By a jump, where no rule of them leads back."""
    chains = _chains(ruleset)
    rules = chains[draw.choice([*chains])]
    first = last = draw.randrange(len(rules) + 1)
    while last < len(rules) and rules[last].target not in ("RETURN", "GOTO"):
        last += 1
    chains["SOME"] = rules[first:last]
    rules[first:last] = [Rule((), "JUMP", "SOME")]
    return replace(ruleset, chains=chains).text


def dead_rules(ruleset: RandomRuleset, draw: Random) -> str:
    """One whose packets are taken before, and one behind a rule that takes all."""
    chains = _chains(ruleset)
    rules = chains[draw.choice([*chains])]
    for at, rule in enumerate(rules):
        if rule.target in ("ACCEPT", "DROP"):
            dead = replace(rule, target="DROP" if rule.target == "ACCEPT" else "ACCEPT")
            rules.insert(draw.randrange(at + 1, len(rules) + 1), dead)
            break
    chains["DEAD"] = [Rule((), "RETURN"), Rule((address("saddr", "0.0.0.0/1"),), "DROP")]
    rules.insert(draw.randrange(len(rules) + 1), Rule((), "JUMP", "DEAD"))
    return replace(ruleset, chains=chains).text


def networks_by_their_halves(ruleset: RandomRuleset, draw: Random) -> str:
    return replace(
        ruleset,
        chains={
            name: [half for rule in rules for half in _halves(rule)]
            for name, rules in ruleset.chains.items()
        },
    ).text


def _halves(rule: Rule) -> list[Rule]:
    for condition in rule.conditions:
        match = re.fullmatch(r"-s ([0-9.]+/[0-9]+)", condition.text)
        if match and (network := ip_network(match[1])).prefixlen < 32:
            others = tuple(each for each in rule.conditions if each is not condition)
            halves = (address("saddr", str(half)) for half in network.subnets())
            return [replace(rule, conditions=(half, *others)) for half in halves]
    return [rule]


def neighbours_in_another_order(ruleset: RandomRuleset, draw: Random) -> str:
    """Two rules of which no packet is both one's and the other's."""
    lines = [*ruleset.lines]
    for chain, places in _places(ruleset).items():
        for first, second in places:
            if draw.random() < 0.5:
                here = ruleset.line_of(ruleset.chains[chain][first]) - 1
                there = ruleset.line_of(ruleset.chains[chain][second]) - 1
                lines[here], lines[there] = lines[there], lines[here]
                break
    return "\n".join([*lines, ""])


def _places(ruleset: RandomRuleset) -> dict[str, list[tuple[int, int]]]:
    """By chain, the neighbours that share no packet."""
    read_ = read(SourceFile("rules.v4", ruleset.text)).ruleset
    (analysis,) = Firewall(read_).by_decision().analyses()
    packets: dict[int, PacketSet] = {}
    for chain in analysis.table.chains.values():
        for rule in chain.rules:  # of two networks there are two
            line, may = rule.origin.span.line, analysis.tests(rule).may
            packets[line] = packets.get(line, may) | may
    return {
        name: [
            (at, at + 1)
            for at in range(len(rules) - 1)
            if not (
                packets[ruleset.line_of(rules[at])] & packets[ruleset.line_of(rules[at + 1])]
            ).satisfiable()
        ]
        for name, rules in ruleset.chains.items()
    }


CHANGES: tuple[Change, ...] = (
    renamed_chains,
    chains_in_another_order,
    a_chain_goes_on_in_another,
    some_rules_in_a_chain,
    dead_rules,
    networks_by_their_halves,
    neighbours_in_another_order,
)
