"""The packets that two rulesets may treat differently, known before any is followed.

A packet that is taken by none of the rules which only one of the two has meets the rest on both
sides alike. So an edit of one rule among ten thousand is asked about the packets of that rule.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, EffectKind, Family, Field, Rule, Ruleset
from iptlint.model.kinds import examples_testing
from iptlint.model.writes import CONNTRACK_FIELDS, Writes, writes_of
from iptlint.netfilter.rewriting import DESTINATION, SOURCE
from iptlint.netfilter.unknowns import left_open_by
from iptlint.packets.bdd import union
from iptlint.packets.match import Matcher
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_FAMILIES = frozenset((Family.IP, Family.IP6, Family.INET))
_TRANSLATED = frozenset((*SOURCE.fields, *DESTINATION.fields))
_CHANGES_ON_THE_WAY = CONNTRACK_FIELDS | {Field.IIF, Field.OIF, Field.FRAGMENT}
"""What is another at another hook, whatever rules say."""


def packets_of_unlike_rules(space: Space, old: Ruleset, new: Ruleset) -> PacketSet | None:
    """The packets, as they set out, that may be taken by a rule which only one of the rulesets
    has; None: any may fare otherwise."""
    if _frame(old) != _frame(new):
        return None
    rules = [*_unlike_rules(old, new)]
    if not rules:
        return space.false
    writes = writes_of(
        rule for side in (old, new) for table in side.tables for rule in examples_testing(table)
    )
    if (
        not _FAMILIES.issuperset((*old.families, *new.families))
        or writes.fields & _TRANSLATED
        or any(_does_more_than_decide(rule, writes.sets) for rule in rules)
    ):
        return None
    matcher = Matcher(space, Writes(sets=writes.sets))
    taken = union([matcher.all_of(rule.matches, space.true).may for rule in rules], space.false)
    return space.forget(taken, writes.fields | _CHANGES_ON_THE_WAY)


def _frame(ruleset: Ruleset) -> list[Hashable]:
    """What is so of packets whichever rules they match, and which hooks they stop at."""
    return [
        (
            (table.family, table.name, chain.name, chain.type, chain.devices),
            (chain.hook, chain.priority, chain.policy, not chain.rules),
        )
        for table in ruleset.tables
        for chain in table.base_chains()
    ]


def _does_more_than_decide(rule: Rule, sets: frozenset[str]) -> bool:
    """Whether other packets may fare otherwise for it: what it leaves open is counted with what
    other rules do, and what it adds to a set is looked for there."""
    acts = any(effect.kind not in (EffectKind.LOG, EffectKind.WRITE) for effect in rule.effects)
    return acts or next(left_open_by(rule, sets), None) is not None


def _unlike_rules(old: Ruleset, new: Ruleset) -> Iterator[Rule]:
    chains = [
        {
            (table.family, table.name, chain.name): chain
            for table in side.tables
            for chain in table.chains.values()
        }
        for side in (old, new)
    ]
    for name in dict.fromkeys((*chains[0], *chains[1])):
        each = [side.get(name) for side in chains]
        yield from _not_in_both(*(_placed(chain) if chain else [] for chain in each))


class _Placed(NamedTuple):
    """A rule, and what it does."""

    rule: Rule
    meaning: Hashable


def _placed(chain: Chain) -> list[_Placed]:
    """What the parts of one statement do hangs on the others."""
    return [
        _Placed(
            rule,
            (rule.matches, rule.verdict, rule.verdict.meaning, rule.effects, number, len(parts)),
        )
        for parts in chain.statements()
        for number, rule in enumerate(parts)
    ]


def _not_in_both(old: Sequence[_Placed], new: Sequence[_Placed]) -> Iterator[Rule]:
    """The rules that are not among those which both chains have, in the same order."""
    start = _alike_at_start(old, new)
    old, new = old[start:], new[start:]
    end = _alike_at_start(old[::-1], new[::-1])
    old, new = old[: len(old) - end], new[: len(new) - end]
    kept = _in_the_same_order(old, new)
    kept_now = {new_number for _, new_number in kept}
    kept_before = {old_number for old_number, _ in kept}
    yield from (placed.rule for n, placed in enumerate(old) if n not in kept_before)
    yield from (placed.rule for n, placed in enumerate(new) if n not in kept_now)


def _alike_at_start(old: Sequence[_Placed], new: Sequence[_Placed]) -> int:
    pairs = enumerate(zip(old, new, strict=False))
    shorter = min(len(old), len(new))
    return next((n for n, (one, other) in pairs if one.meaning != other.meaning), shorter)


def _in_the_same_order(old: Sequence[_Placed], new: Sequence[_Placed]) -> list[tuple[int, int]]:
    """The numbers of rules that each of the two has once, as many as can be had that stand in one
    order in both (a longest increasing subsequence, by patience)."""
    counts, counts_now = (Counter(placed.meaning for placed in side) for side in (old, new))
    numbers = {placed.meaning: number for number, placed in enumerate(new)}
    lasts: list[int] = []
    tails: list[tuple[int, int]] = []
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for number, (_, meaning) in enumerate(old):
        if counts[meaning] != 1 or counts_now[meaning] != 1:
            continue
        pair = number, numbers[meaning]
        length = bisect_left(lasts, pair[1])
        before[pair] = tails[length - 1] if length else None
        lasts[length : length + 1], tails[length : length + 1] = [pair[1]], [pair]
    kept: list[tuple[int, int]] = []
    pair_before = tails[-1] if tails else None
    while pair_before is not None:
        kept.append(pair_before)
        pair_before = before[pair_before]
    return kept
