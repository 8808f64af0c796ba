"""Rules that stand twice in a chain: the same packets, the same verdict, the same effects."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container, Hashable, Iterable, Iterator, Sequence

from iptlint.analysis.at_a_glance import not_told_apart
from iptlint.memo import memo
from iptlint.model import (
    AnyOf,
    Chain,
    Decided,
    Effect,
    EffectKind,
    Field,
    Match,
    Opaque,
    Rule,
    Uncertain,
)
from iptlint.model.kinds import examples, kinds, numbers_where
from iptlint.model.verdicts import CONTINUE, VerdictKind
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.table_analysis import TableAnalysis

Parts = frozenset[Field | None]
"""Parts of a packet; None stands for what is no field."""

_ALL_PARTS: Parts = frozenset({*Field, None})
_CONNECTION = (Field.CT_STATE, Field.CT_MARK, Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT)


def duplicates(analysis: TableAnalysis) -> Iterator[tuple[Rule, ...]]:
    """The rules that are the same one, in the order of their chain, two or more each time.

    Rules with an uncertain test are not: two limits count apart. Nor are calls of chains with such
    rules, those between which a rule changes what they test, or rules that only count.
    """
    for chain in analysis.table.chains.values():
        if _do_others(chain):
            continue
        several: list[list[int]] = []
        for done, numbers in _doing(chain, _counting_chains(analysis)).items():
            # What rules take is asked only where another one does the same.
            for perhaps in not_told_apart(chain.rules, numbers):
                several += _alike(analysis.flows[chain.name], perhaps, len(done))
        if several:
            yield from _writes(analysis).undisturbed(chain, sorted(several))


def _do_others(chain: Chain) -> bool:
    """Whether it is seen at a glance that each rule does another thing, as in most short chains."""
    rules = chain.rules
    verdicts = {(rule.verdict.kind, rule.verdict.name) for rule in rules[: _SHORT + 1]}
    return len(verdicts) == len(rules)


_SHORT = 16

Done = tuple[Hashable, ...]
"""What each part of a statement does."""


def _doing(chain: Chain, counting: Container[str | None]) -> dict[Done, list[int]]:
    """The first numbers of statements that may stand twice, in order, by what they do."""

    def may_be(rule: Rule) -> bool:
        return _repeatable(rule) and rule.verdict.chain not in counting

    doing: dict[Done, list[int]] = defaultdict(list)
    if all(rule.whole is None for rule in examples(chain)):
        for kind in kinds(chain):
            if may_be(kind.first):
                doing[(_done(kind.first),)] += kind.numbers
        return {done: sorted(numbers) for done, numbers in doing.items()}
    number = 0
    for parts in chain.statements():
        if all(map(may_be, parts)):
            doing[tuple(map(_done, parts))].append(number)
        number += len(parts)
    return doing


def _done(rule: Rule) -> Hashable:
    return rule.verdict, frozenset(rule.effects)


def _alike(flow: ChainFlow, numbers: Sequence[int], parts: int) -> Iterator[list[int]]:
    """The statements, of so many parts, that take the same packets, two or more each time."""
    taking = [_taking(flow, [number + part for number in numbers]) for part in range(parts)]
    alike = defaultdict[Hashable, list[int]](list)
    for number, taken in zip(numbers, zip(*taking, strict=True), strict=True):
        alike[taken].append(number)
    return (several for several in alike.values() if len(several) > 1)


def _taking(flow: ChainFlow, numbers: Sequence[int]) -> Iterator[Hashable]:
    rules = flow.chain.rules
    for number, packets in zip(numbers, flow.taking(numbers), strict=True):
        told = packets is not None and flow.is_certain(number)
        yield packets if told else frozenset(rules[number].matches)


def _repeatable(rule: Rule) -> bool:
    """Whether a second copy would do nothing new."""
    if rule.verdict.kind is VerdictKind.UNKNOWN or (rule.verdict == CONTINUE and not rule.effects):
        return False
    if rule.is_policy or any(map(_uncertain, rule.matches)):
        return False
    return rule.verdict.kind.terminates or all(map(_idempotent, rule.effects))


@memo
def _counting_chains(analysis: TableAnalysis) -> set[str | None]:
    """The chains that may do something else with a packet when it comes there again."""
    counting: set[str | None] = set()
    for name in analysis.calls.order:
        rules = examples(analysis.table.chains[name])
        if any(_counts(rule) or rule.verdict.chain in counting for rule in rules):
            counting.add(name)
    return counting


def _counts(rule: Rule) -> bool:
    return any(map(_uncertain, rule.matches)) or any(effect.counts for effect in rule.effects)


def _uncertain(match: Match) -> bool:
    if isinstance(match, AnyOf):
        return any(_uncertain(test) for tests in match.alternatives for test in tests)
    return isinstance(match, Uncertain)


def _idempotent(effect: Effect) -> bool:
    """``field & ~mask ^ value`` twice is the same as once unless a bit is only flipped."""
    if effect.kind is not EffectKind.WRITE:
        return not effect.counts
    if effect.value is None or effect.mask is None:
        return False
    return not effect.value & ~effect.mask


@memo
def _writes(analysis: TableAnalysis) -> _Writes:
    return _Writes(analysis)


class _Writes:
    """What rules change of a packet, in the chains they call too."""

    def __init__(self, analysis: TableAnalysis) -> None:
        self._by_chain: dict[str, Parts] = {}
        for name in analysis.calls.order:
            self._by_chain[name] = _joined(map(self._of, examples(analysis.table.chains[name])))

    def _of(self, rule: Rule) -> Parts:
        kind, chain = rule.verdict.kind, rule.verdict.chain
        if kind.terminates:
            return frozenset()
        if kind is VerdictKind.UNKNOWN:
            return _ALL_PARTS
        if chain is not None:
            return _written(rule.effects) | self._by_chain.get(chain, _ALL_PARTS)
        logs = any(effect.kind is EffectKind.LOG for effect in rule.effects)
        rest: Parts = frozenset() if logs or not rule.verdict.name else frozenset({None})
        return _written(rule.effects) | rest

    def undisturbed(
        self, chain: Chain, several: Iterable[Sequence[int]]
    ) -> Iterator[tuple[Rule, ...]]:
        """The rules with these numbers, parted where a rule between changes what they test."""
        changing = numbers_where(chain, lambda rule: bool(self._of(rule)))
        changes = [(number, self._of(chain.rules[number])) for number in changing]
        for numbers in several:
            copy = list(_parts(chain, numbers[0]))
            tested = _joined(_tested(match) for rule in copy for match in rule.matches)
            tested |= _joined(_written(rule.effects) for rule in copy)
            run = [numbers[0]]
            for number in numbers[1:]:
                if _disturbed(changes, run[-1], number, tested):
                    yield from _several(chain, run)
                    run = []
                run.append(number)
            yield from _several(chain, run)


def _parts(chain: Chain, number: int) -> Iterator[Rule]:
    """The rule with the number, and the other parts of its statement."""
    statement = chain.rules[number].statement
    while number < len(chain.rules) and chain.rules[number].statement is statement:
        yield chain.rules[number]
        number += 1


def _several(chain: Chain, run: Sequence[int]) -> Iterator[tuple[Rule, ...]]:
    if len(run) > 1:
        yield tuple(chain.rules[number] for number in run)


def _disturbed(
    changes: Sequence[tuple[int, Parts]], first: int, second: int, tested: Parts
) -> bool:
    index = bisect_right(changes, first, key=lambda change: change[0])
    while index < len(changes) and changes[index][0] < second:
        if changes[index][1] & tested:
            return True
        index += 1
    return False


def _tested(match: Match) -> Parts:
    match match:
        case AnyOf(alternatives):
            return _joined(_tested(test) for tests in alternatives for test in tests)
        case Opaque() | Uncertain():
            return frozenset({None})
        case Decided():
            return frozenset()
        case _:
            return frozenset({match.field})


def _written(effects: Iterable[Effect]) -> Parts:
    fields: set[Field | None] = set()
    for effect in effects:
        if effect.kind is EffectKind.WRITE:
            fields.add(effect.field)
        elif effect.kind is EffectKind.NOTRACK:
            fields.update(_CONNECTION)
    return frozenset(fields)


def _joined(parts: Iterable[Parts]) -> Parts:
    return frozenset().union(*parts)
