"""One rule of iptables as rules of nft: mostly one, several where tests are alternatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from iptlint.convert.asking import Asking, Done, line
from iptlint.convert.matches import EXISTENCE, JOINT, SINGLE
from iptlint.convert.noting import WRITING, explain, part_of, written_by_match
from iptlint.convert.recent import recent
from iptlint.convert.targets import TARGETS
from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.iptables.lowering.origins import RuleOrigin
from iptlint.dialects.iptables.lowering.parts import Cell, CoreCell, UnknownCell
from iptlint.dialects.iptables.parsing.tree import Words
from iptlint.dialects.nft.writing.tests import (
    Line,
    Lines,
    joined,
    lines_of,
    protocol_named,
    texts,
)
from iptlint.dialects.nft.writing.values import NoFormError
from iptlint.model import (
    Field,
    Match,
    Opaque,
    Rule,
    Uncertain,
    VerdictKind,
)
from iptlint.model.matches import tests_in

Chains = Mapping[str, str]
"""What nft calls the chains of the table."""


GO_ROUND = "goto <rest>"
"""To the rest of the chain, which then has to be a chain of its own."""


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """``lines``: the rules that nft needs, each its statements in their order. ``strict``: the same
    for packets that connection tracking has not made whole, where that is another thing.
    ``counts``: what it decides depends on the packets it has seen."""

    lines: tuple[tuple[str, ...], ...]
    strict: tuple[tuple[str, ...], ...]
    comment: str | None = None
    counts: bool = False


def written(rule: Rule, asking: Asking, chains: Chains) -> WrittenRule:
    """NoFormError where nft has no words for something of the rule."""
    origin = rule.origin
    if not rule.read:
        raise NoFormError("this rule could not be read")
    if not isinstance(origin, RuleOrigin):
        raise NoFormError("this rule is not one of a file that iptables-save prints")
    words = origin.line.words
    asking = replace(asking, protocol=_protocol(origin, words))
    tests = joined(*(_tests(cell, words, asking) for cell in origin.plan.cells if _tests_in(cell)))
    counts = any(item.counts or item.noting for line in tests for item in line)
    _all_at_once(tests, rule, counts=counts)
    done = _done(rule, origin, words, asking, chains)
    if not (done.words or rule.comment is None or tests):
        done = Done("counter")
    explain(rule, origin, words, asking)
    loose, strict = (_with(done, tests, strict=strict) for strict in (False, True))
    return WrittenRule(loose, strict, rule.comment, counts)


def _with(done: Done, tests: Lines, *, strict: bool) -> tuple[tuple[str, ...], ...]:
    return tuple(each for line in tests for each in _rules_of(line, done, strict=strict))


def _rules_of(line: Line, done: Done, *, strict: bool) -> list[tuple[str, ...]]:
    """Packets that are not meant are sent round the rest; what is noted of packets is noted before
    more is asked of them."""
    rules: list[tuple[str, ...]] = []
    for place, item in enumerate(line):
        before = tuple(each for each in line[:place] if not each.excepted)
        if item.excepted:
            rules.append((*texts((*before, item), strict=strict), GO_ROUND))
        if item.noting:
            rules.append((*texts((*before, item), strict=strict), item.noting))
    meant = texts(tuple(item for item in line if not item.excepted), strict=strict)
    if done.words or not any(item.noting for item in line):
        rules.append((*meant, done.words or "counter"))
    if done.instead:
        rules.append((*meant, done.instead))
    if len(rules) > 1 and any(item.counts and item.text for item in line):
        raise NoFormError("nft would ask twice what counts each time that it is asked")
    return rules


def _protocol(origin: RuleOrigin, words: Words) -> int | None:
    named = (protocol_named(m) for cell in origin.plan.cells for m in part_of(cell, words).matches)
    return next(filter(None, named), None)


# -- tests --------------------------------------------------------------------------------------


def _tests_in(cell: Cell) -> bool:
    return (cell.load is None or not cell.load.target) and cell.extension.name != "comment"


def _tests(cell: Cell, words: Words, asking: Asking) -> Lines:
    name = cell.extension.name
    part = part_of(cell, words)
    if isinstance(cell, UnknownCell):
        assert cell.load is not None
        raise NoFormError(f"nobody here knows the match {cell.load.name.text(words)}")
    if isinstance(cell, CoreCell):
        return lines_of(part.matches, asking.of)
    if name == "recent":
        effects = written_by_match(cell, words)
        return recent(cell.read(words, []), asking, part.matches, effects)
    if written_by_match(cell, words) and name not in WRITING:
        raise NoFormError(f"the match {name} changes something, and nft has nothing like it")
    if name in JOINT:
        return JOINT[name](cell.read(words, []), asking)
    uses = cell.read(words, [])
    if not any((name, option) in SINGLE for option in uses):
        return _fields(cell, uses, part.matches, asking)
    each = (_one(cell, {option: given}, asking) for option, given in uses.items())
    return joined(*each)


def _fields(cell: Cell, uses: Uses, matches: tuple[Match, ...], asking: Asking) -> Lines:
    """What the model says of fields of the packet."""
    name = cell.extension.name
    if not uses and name in EXISTENCE:
        return line(EXISTENCE[name])
    try:
        return lines_of(matches, asking.of)
    except NoFormError as error:
        raise NoFormError(f"the match {name}: {error}") from None


def _one(cell: Cell, uses: Uses, asking: Asking) -> Lines:
    ((option, several),) = uses.items()
    try:
        matches = cell.extension.lower(uses, asking.family).matches
    except (InvalidValueError, LookupError):
        matches = None
    row = SINGLE.get((cell.extension.name, option))
    if row is not None and (matches is None or any(map(_is_uninterpreted, matches))):
        return joined(*(row(given, asking) for given in several))
    if matches is None:
        raise NoFormError(f"nft has nothing like --{option} of {cell.extension.name}")
    return _fields(cell, uses, matches, asking)


def _is_uninterpreted(match: Match) -> bool:
    """Whether fields of a packet do not say it all."""
    return any(isinstance(test, Opaque | Uncertain) for test in tests_in(match))


_CHANGED_BY_CHAINS = {Field.MARK, Field.CT_MARK, Field.TOS, Field.TTL, Field.CT_STATE}


def _all_at_once(tests: Lines, rule: Rule, *, counts: bool) -> None:
    """Each line would count for itself, and a chain that is called may change what the next line
    asks for."""
    if len(tests) > 1 and counts:
        raise NoFormError("nft needs several rules for it, and each would count for itself")
    if len(tests) > 1 and rule.verdict.kind is VerdictKind.JUMP:
        fields = {getattr(match, "field", None) for match in rule.matches}
        if fields & _CHANGED_BY_CHAINS:
            raise NoFormError(
                "nft needs several rules for it, and the chain may change its packets"
            )


# -- what is done ---------------------------------------------------------------------------------


def _done(rule: Rule, origin: RuleOrigin, words: Words, asking: Asking, chains: Chains) -> Done:
    verdict = rule.verdict
    if verdict.chain is not None:
        word = "goto" if verdict.kind is VerdictKind.GOTO else "jump"
        name = chains.get(verdict.chain)
        if name is None:
            raise NoFormError(f"the chain {verdict.chain} is not there")
        return Done(f"{word} {name}")
    cell = origin.plan.target
    if cell is None:
        return Done("")
    if isinstance(cell, UnknownCell):
        assert cell.load is not None
        raise NoFormError(f"nobody here knows the target {cell.load.name.text(words)}")
    row = TARGETS.get(cell.extension.name)
    if row is None:
        raise NoFormError(f"nft has nothing like the target {cell.extension.name}")
    try:
        return row(cell.read(words, []), asking, written_by_match(cell, words))
    except NoFormError as error:
        raise NoFormError(f"the target {cell.extension.name}: {error}") from None


# -- lists that rules share -----------------------------------------------------------------------


def uses_of(rule: Rule, name: str) -> Iterator[Uses]:
    """What the rule gives to a match."""
    origin = rule.origin
    if rule.read and isinstance(origin, RuleOrigin):
        words = origin.line.words
        for cell in origin.plan.cells:
            if cell.extension.name == name and cell.load is not None and not cell.load.target:
                yield cell.read(words, [])
