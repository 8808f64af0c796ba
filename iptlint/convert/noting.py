"""What matches write whether or not the rest of their rule holds: an address into a list, the mark
of a socket, a label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from iptlint.convert.asking import Asking
from iptlint.convert.translations import at_hook
from iptlint.dialects.iptables.lowering.origins import RuleOrigin
from iptlint.dialects.iptables.lowering.parts import Cell, Part
from iptlint.dialects.iptables.parsing.tree import Words
from iptlint.dialects.nft.writing.tests import FIRST_FRAGMENT, HAS_CONNECTION
from iptlint.model import AnyOf, Effect, Match, Rule, Uncertain, Verdict, VerdictKind
from iptlint.model.verdicts import CONTINUE

WRITING = frozenset(("recent", "socket"))
"""Matches that write something for which nft has words."""
_OF_TCP_HEADERS = ("TCPMSS", "TCPOPTSTRIP")
"""They leave fragments without a header as they are (xt_TCPMSS.c, xt_TCPOPTSTRIP.c)."""
_HAS_MARK = Uncertain("socket", "socket --nowildcard")
"""Only a socket that is neither being opened nor closed has a mark (xt_socket.c, nft_socket.c)."""
_LABEL = Verdict(VerdictKind.CONTINUE, "ct label set")


def part_of(cell: Cell, words: Words) -> Part:
    return cell.known.get(cell.key(words)) or cell.learn(words)


def written_by_match(cell: Cell, words: Words) -> tuple[Effect, ...]:
    action = part_of(cell, words).action
    return () if action is None else action.effects


def explain(rule: Rule, origin: RuleOrigin, words: Words, asking: Asking) -> None:
    """Tells the proof what the kernel does with the rule beyond what its model says."""
    meanings = asking.declarations.meanings
    noted = tuple(_noted(rule, origin, words))
    if rule.verdict.name == "NETMAP":
        meanings.rules[rule] = (at_hook(rule, asking.chain.hook),)
    elif rule.verdict.name == "TCPOPTSTRIP" and not rule.verdict.options:
        meanings.rules[rule] = (replace(rule, verdict=CONTINUE),)
    elif rule.verdict.name in _OF_TCP_HEADERS:
        meanings.rules[rule] = (replace(rule, matches=(*rule.matches, FIRST_FRAGMENT)),)
    elif noted:
        target = origin.plan.target
        rest = () if target is None else written_by_match(target, words)
        meanings.rules[rule] = (*noted, replace(rule, effects=rest))
    for cell in origin.plan.cells:
        if cell.extension.name == "time":
            for test in part_of(cell, words).matches:
                meanings.words[test] = _in_kernel_zone(test)
        if sets_label(cell, words):
            (test,) = part_of(cell, words).matches
            negated = cell.read(words, [])["label"][0].negated
            meanings.words[test] = AnyOf(((HAS_CONNECTION,),), negated)


def _noted(rule: Rule, origin: RuleOrigin, words: Words) -> Iterator[Rule]:
    """It is written once the tests up to there hold, whatever those behind say."""
    tests: tuple[Match, ...] = ()
    for cell in origin.plan.cells:
        if sets_label(cell, words):
            yield replace(rule, matches=tests, verdict=_LABEL, effects=())
        tests += part_of(cell, words).matches
        effects = written_by_match(cell, words)
        if cell.extension.name in WRITING and effects:
            held = (*tests, _HAS_MARK) if cell.extension.name == "socket" else tests
            yield replace(rule, matches=held, verdict=CONTINUE, effects=effects)


def sets_label(cell: Cell, words: Words) -> bool:
    """It has to have a connection then, and gets the label if it has not (xt_connlabel.c)."""
    return cell.extension.name == "connlabel" and "set" in cell.read(words, [])


def _in_kernel_zone(test: Match) -> Match:
    """Days are the same there as in UTC where the clock of the host runs in UTC; else that is
    told (convert/notes.py)."""
    match test:
        case AnyOf(alternatives, negated):
            return AnyOf(tuple(tuple(map(_in_kernel_zone, each)) for each in alternatives), negated)
        case Uncertain(kind, key):
            return Uncertain(kind, key.removesuffix(" in UTC"))
        case _:
            return test
