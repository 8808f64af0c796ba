"""When SSH is cut off while a script is applied, and flushes that leave nothing but a policy that
drops."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePath
from typing import NamedTuple

from iptlint.analysis.script_replay import SshState, opens_for_more, ssh_states
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.memo import memo
from iptlint.model import Chain, Family, Hook, Rule, Ruleset, Table, Uncertain, VerdictKind
from iptlint.model.matches import is_decided
from iptlint.model.script import Kind, Script, Step
from iptlint.netfilter.table_analysis import TableAnalysis

MAX_STEPS = 1500
"""A script with more commands is not worked through one by one."""
MAX_WHOLE = 60
"""So many commands that are not for iptables, each of which makes the tables anew."""

FLUSHES = ("-F", "--flush", "flush")
POLICIES = ("-P", "--policy")


class Lockout(NamedTuple):
    """From the command ``shut`` on no new connection can be opened, to ``opened``; running ones
    are cut off from ``cut`` to ``back``, where they are. ``within``: the commands between.
    ``is_partly``: ``opened`` lets in some of those who can open one when the script is through.
    ``is_perhaps``: that somebody can then rests on what only who runs the script knows."""

    shut: Step
    opened: Step
    cut: Step | None
    back: Step | None
    within: tuple[Step, ...]
    is_partly: bool = False
    is_perhaps: bool = False


def lockouts(script: Script, family: Family, ports: tuple[int, ...]) -> Iterator[Lockout]:
    """The gaps that are over when the script is; none where nobody gets in before or after."""
    states = _states(script)
    if states is None:
        return
    moments = [*zip((None, *script.steps), ssh_states(states, family, ports), strict=True)]
    if not moments[-1][1].opens:
        return
    perhaps = not _surely_opens(states[-1], family, ports)
    begins = None
    for number, ((_, before), (_, now)) in enumerate(pairwise(moments), 1):
        if before.opens and not now.opens:
            begins = number
        if begins is not None and now.opens:
            partly = opens_for_more(states, family, ports, states[number], states[-1])
            gap = _gap(moments, begins, number)
            yield gap._replace(is_partly=partly, is_perhaps=perhaps)
            begins = None


def _surely_opens(ruleset: Ruleset, family: Family, ports: tuple[int, ...]) -> bool:
    """Whether somebody gets in by the rules of which it is known that they are there, and what they
    are."""
    tables = (
        replace(table, chains={c.name: _certain(c) for c in table.chains.values()})
        for table in ruleset.tables
    )
    return next(ssh_states([replace(ruleset, tables=tuple(tables))], family, ports)).opens


def _certain(chain: Chain) -> Chain:
    return replace(chain, rules=tuple(rule for rule in chain.rules if is_certain(rule)))


def is_certain(rule: Rule) -> bool:
    """Whether a script makes the rule whoever runs it."""
    return rule.read and not any(
        is_decided(m) or (isinstance(m, Uncertain) and m.kind == "script") for m in rule.matches
    )


def _gap(moments: Sequence[tuple[Step | None, SshState]], begins: int, ends: int) -> Lockout:
    steps = [step for step, _ in moments[begins : ends + 1] if step is not None]
    dead = [number for number in range(begins, ends) if not moments[number][1].runs]
    cut = steps[dead[0] - begins] if dead else None
    back = steps[dead[-1] + 1 - begins] if dead else None
    return Lockout(steps[0], steps[-1], cut, back, tuple(steps[:-1]))


def _states(script: Script) -> list[Ruleset] | None:
    """Before the first command, and after each; None where that would take too long."""
    changing = [step for step in script.steps if step.kind is Kind.CHANGE]
    whole = [step for step in changing if not "".join(step.words[:1]).startswith("-")]
    if len(script.steps) > MAX_STEPS or len(whole) > MAX_WHOLE:
        return None
    return [script.after(0), *(ruleset for _, ruleset in script.states())]


class Flush(NamedTuple):
    """The command that empties the chain for good while its policy is DROP. ``policy``: the
    command that set it, where the script did."""

    step: Step
    table: Table
    chain: Chain
    family: Family
    policy: Step | None


def last_flush(ruleset: Ruleset, family: Family) -> Flush | None:
    """The flush that leaves INPUT or OUTPUT of the family with nothing but the policy DROP."""
    script = ruleset.script
    closed = [*_closed(ruleset, family)]
    if script is None or not closed or not any(map(is_flush, script.steps)):
        return None
    states = _states(script)
    if states is None:
        return None
    for table, chain in closed:
        name = chain.name
        chains = [_chain(state, family, table.name, name) for state in states]
        for number in range(len(script.steps) - 1, -1, -1):
            before, step = chains[number], script.steps[number]
            if is_flush(step) and _empties(before, step, name, family):
                policy = _policy_step(script.steps[:number], chain)
                return Flush(step, table, chain, family, policy)
            if before is None or before.rules:
                break
    return None


def _closed(ruleset: Ruleset, family: Family) -> Iterator[tuple[Table, Chain]]:
    for table in ruleset.tables:
        if family.value in table.family.packets:
            for chain in table.base_chains():
                host = chain.hook in (Hook.INPUT, Hook.OUTPUT)
                if host and not chain.rules and _drops(chain):
                    yield table, chain


def makes_more(analysis: TableAnalysis, rule: Rule) -> bool:
    """Whether the command, in a loop or a function, makes other rules too that packets meet."""
    if analysis.ruleset.script is None:
        return False
    span = rule.origin.span
    others = _met_by_place(analysis).get((span.start, span.end), ())
    return any(o is not rule and o.origin.span == span for o in others)


@memo
def _met_by_place(analysis: TableAnalysis) -> Mapping[tuple[int, int], Sequence[Rule]]:
    """The rules that packets meet, by where in its file each is made."""
    dead, places = unmatched_rules(analysis), dict[tuple[int, int], list[Rule]]()
    for _, _, rule in analysis.ruleset.rules():
        if rule not in dead:
            span = rule.origin.span
            places.setdefault((span.start, span.end), []).append(rule)
    return places


def _drops(chain: Chain) -> bool:
    return chain.policy is not None and chain.policy.kind is VerdictKind.DROP


def _chain(ruleset: Ruleset, family: Family, table: str, name: str) -> Chain | None:
    tables = (t for t in ruleset.tables if t.name == table and family.value in t.family.packets)
    return next((t.chains[name] for t in tables if name in t.chains), None)


def is_flush(step: Step) -> bool:
    """A command that does nothing but empty chains."""
    return step.kind is Kind.CHANGE and not step.failed and any(w in FLUSHES for w in step.words)


def is_reset(ruleset: Ruleset) -> bool:
    """Whether a script takes all rules away, makes none and is called so: to open the host is what
    it is for."""
    script = ruleset.script
    if script is None or not _RESETS.search(PurePath(ruleset.source.path).name):
        return False
    return any(map(is_flush, script.steps)) and not any(True for _ in ruleset.rules())


_RESETS = re.compile(r"reset|flush|clear|clean|stop|disable|remove|off(?![a-z])", re.IGNORECASE)


def leaves_rules(ruleset: Ruleset) -> bool:
    """Whether a script adds its rules of iptables to those that are there, whatever they are: it
    takes none away that it did not make, and nobody said that none is (``--from``)."""
    script = ruleset.script
    if script is None or script.families is not None:
        return False
    if any(table.origin is not None for table in ruleset.tables):
        return False  # an accept in another table of nft does not undo what these deny
    changing = [step for step in script.steps if step.kind is Kind.CHANGE and step.changed]
    of_iptables = all("".join(step.words[:1]).startswith("-") for step in changing)
    return of_iptables and not any(map(is_flush, changing))


def _empties(before: Chain | None, step: Step, name: str, family: Family) -> bool:
    """Whether it takes the rules out of the chain, or would, had it any."""
    if before is None or not _drops(before):
        return False
    if before.rules:
        return True
    # Without any rule, IPv6 is closed because it is to be.
    ours = family is Family.IP and _is_for(step, family)
    return ours and "-t" not in step.words and _names(step) in (None, name)


def _names(step: Step) -> str | None:
    """The chain behind ``-F``."""
    behind = dict(pairwise(step.words)).get("-F")
    return None if behind is None or behind.startswith("-") else behind


def _is_for(step: Step, family: Family) -> bool:
    """By the name of the tool, or of the variable that holds it."""
    tool = step.span.text.split(maxsplit=1)[0]
    return ("6" in tool) is (family is Family.IP6)


def _policy_step(steps: Sequence[Step], chain: Chain) -> Step | None:
    """The command that gave the chain its policy."""
    if chain.origin is None:
        return None
    return next((step for step in reversed(steps) if step.span == chain.origin.span), None)


def is_of_container(script: Script | None) -> bool:
    """Whether a script makes the firewall of a container."""
    return script is not None and script.hints.is_main_program
