"""Small changes of a ruleset, as someone makes them: a table, each by chance and by seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Lines = list[str]
Mutation = Callable[[Lines, random.Random], bool]
"""Changes the lines; false where there is nothing of the kind."""


def mutated(text: str, rng: random.Random) -> str | None:
    """None where the change that is chosen is not possible."""
    mutation = rng.choice(MUTATIONS)
    lines = text.split("\n")
    if not mutation(lines, rng):
        return None
    changed = "\n".join(lines)
    return None if changed == text else changed


def is_rule(line: str) -> bool:
    return line.startswith("-A ") or " counter" in line


def _rules(lines: Lines) -> list[int]:
    # A verdict map is two lines of nft: they stay together.
    return [
        number
        for number, line in enumerate(lines)
        if is_rule(line) and " vmap " not in line and line.strip() != "counter"
    ]


def delete_a_rule(lines: Lines, rng: random.Random) -> bool:
    rules = _rules(lines)
    if rules:
        del lines[rng.choice(rules)]
    return bool(rules)


def swap_two_rules(lines: Lines, rng: random.Random) -> bool:
    """Neighbours, of one chain."""
    rules = {*_rules(lines)}
    pairs = [n for n in rules if n + 1 in rules and _chain(lines[n]) == _chain(lines[n + 1])]
    if not pairs:
        return False
    at = rng.choice(sorted(pairs))
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return True


def copy_a_rule_elsewhere(lines: Lines, rng: random.Random) -> bool:
    """Into the middle of its chain."""
    rules = _rules(lines)
    if not rules:
        return False
    copied = lines[rng.choice(rules)]
    places = [n for n in rules if _chain(lines[n]) == _chain(copied)]
    place = rng.choice(places)
    if not copied.startswith("-A ") and ("jump" in copied or "goto" in copied):
        return False  # perhaps a chain that calls itself
    lines.insert(place, copied)
    return True


def add_a_rule(lines: Lines, rng: random.Random) -> bool:
    rules = _rules(lines)
    if not rules:
        return False
    place = rng.choice(rules)
    port = rng.choice((22, 53, 80, 443, 1024))
    if lines[place].startswith("-A "):
        verdict = rng.choice(("ACCEPT", "DROP", "RETURN"))
        lines.insert(place, f"-A {_chain(lines[place])} -p tcp -m tcp --dport {port} -j {verdict}")
    else:
        verdict = rng.choice(("accept", "drop", "return"))
        lines.insert(place, f"        tcp dport {port} counter {verdict}")
    return True


def _chain(line: str) -> str:
    return line.split()[1] if line.startswith("-A ") else ""


def _replaced(pattern: str, *others: str) -> Mutation:
    """One match of the pattern in one rule becomes one of the others."""
    searched = re.compile(pattern)

    def mutation(lines: Lines, rng: random.Random) -> bool:
        found = [(n, m) for n in _rules(lines) for m in searched.finditer(lines[n])]
        if not found:
            return False
        number, match = rng.choice(found)
        other = match.expand(rng.choice(others))
        line = lines[number]
        lines[number] = line[: match.start()] + other + line[match.end() :]
        return True

    return mutation


def another_policy(lines: Lines, rng: random.Random) -> bool:
    policies = [n for n, line in enumerate(lines) if re.search(_POLICY, line)]
    if not policies:
        return False
    at = rng.choice(policies)
    lines[at] = re.sub(_POLICY, lambda match: _OTHER_POLICY[match[0]], lines[at])
    return True


_POLICY = r"\bACCEPT(?= \[)|\bDROP(?= \[)|policy accept|policy drop"
_OTHER_POLICY = {
    "ACCEPT": "DROP",
    "DROP": "ACCEPT",
    "policy accept": "policy drop",
    "policy drop": "policy accept",
}

MUTATIONS: tuple[Mutation, ...] = (
    delete_a_rule,
    swap_two_rules,
    copy_a_rule_elsewhere,
    add_a_rule,
    another_policy,
    _replaced(r"(--[ds]port) \d+", r"\1 443", r"\1 1024", r"\1 23"),
    _replaced(r"(\b[ds]port) \d+(?!-)", r"\1 443", r"\1 1024", r"\1 23"),
    _replaced(r"/8\b", "/9", "/16"),
    _replaced(r"/16\b", "/15", "/17"),
    _replaced(r"/64\b", "/63", "/65"),
    _replaced(r"-j (ACCEPT|DROP|REJECT)", "-j ACCEPT", "-j DROP", "-j RETURN"),
    _replaced(r"\b(accept|drop|reject)$", "accept", "drop", "return"),
    _replaced(r"\bNEW\b|\bESTABLISHED\b", "RELATED", "INVALID"),
    _replaced(r"\bnew\b|\bestablished\b", "related", "invalid"),
    _replaced(r"! (?=-)", ""),
    _replaced(r"!= ", ""),
    _replaced(r"-p tcp -m tcp", "-p udp -m udp"),
    _replaced(r"\btcp (?=[ds]port)", "udp "),
    _replaced(r"--set-xmark 0x\d", "--set-xmark 0x2"),
    _replaced(r"\beth0\b", "eth1", "wg0"),
    _replaced(r"(--to-\S+ .*[:\]])\d+$", r"\g<1>22", r"\g<1>8080"),
    _replaced(r"(--(?:set|or|and|xor)-mark) 0x\d", r"\1 0x2", r"\1 0x4"),
    _replaced(r"--save-mark|--restore-mark", "--restore-mark", "--save-mark"),
)
