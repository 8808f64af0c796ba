"""How findings speak of rules: their lines, their names, what they do with packets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from iptlint.analysis.later_fragments import BUT_FOR_FRAGMENTS
from iptlint.findings import Finding, Label
from iptlint.model import Rule, VerdictKind
from iptlint.packets.describe.lists import listed

MAX_LABELS = 5
_SHOWN_LINES = 4

_VERBS = {
    VerdictKind.ACCEPT: ("accepts", "accept"),
    VerdictKind.DROP: ("drops", "drop"),
    VerdictKind.REJECT: ("rejects", "reject"),
    VerdictKind.QUEUE: ("queues", "queue"),
    VerdictKind.RETURN: ("returns", "return"),
    VerdictKind.GOTO: ("diverts", "divert"),
    VerdictKind.NAT: ("translates", "translate"),
}
_ANY_VERB = ("takes", "take")


def line(rule: Rule) -> int:
    return rule.origin.span.line


def but_for_fragments(finding: Finding) -> Finding:
    """The finding, which says that a rule is dead, with the accident by which it is not."""
    return replace(finding, message=f"{finding.message}, {BUT_FOR_FRAGMENTS}")


def lines(rules: Iterable[Rule]) -> str:
    """``line 9``, ``lines 9, 12 and 30``, ``12 lines (9, 10, 11 …)``."""
    numbers = [str(number) for number in sorted({line(rule) for rule in rules})]
    if len(numbers) > _SHOWN_LINES:
        return f"{len(numbers)} lines ({', '.join(numbers[: _SHOWN_LINES - 1])} …)"
    return f"line{'s' if len(numbers) > 1 else ''} {listed(numbers)}"


def so_many_others(count: int, only: str) -> str:
    """Who decides the packets that are not decided by the one that is named; ``only``: the name of
    these others, if it is one."""
    return f"{only if count == 1 else f'{count} other rules'} the others"


def verb(kind: VerdictKind, *, plural: bool = False) -> str:
    """``accepts``, ``returns``; without its s for more than one."""
    return _VERBS.get(kind, _ANY_VERB)[plural]


def name(rule: Rule) -> str:
    """What to call a rule by its verdict: ``DROP``, ``jump to web``, ``rule``."""
    verdict = rule.verdict
    if verdict.chain is not None:
        return f"{verdict.kind.value} to {verdict.chain}"
    return verdict.name or "rule"


def actions(
    rules: Sequence[Rule], object: str, where: Callable[[Sequence[Rule]], str] = lambda _: ""
) -> str:
    """``line 9 accepts all of`` the object, or ``line 9 accepts, and line 12 drops, …``.
    ``where``: words behind the lines of rules, as ``" of web"``."""
    by_kind: dict[VerdictKind, list[Rule]] = {}
    for rule in rules:
        by_kind.setdefault(rule.verdict.kind, []).append(rule)
    parts = [_deed(kind, several, where(several)) for kind, several in by_kind.items()]
    if len(parts) == 1:
        return f"{parts[0]} {object}"
    return f"{', '.join(parts[:-1])}, and {parts[-1]}, {object}"


def _deed(kind: VerdictKind, rules: list[Rule], where: str) -> str:
    plural = len({line(rule) for rule in rules}) > 1
    return f"{lines(rules)}{where} {verb(kind, plural=plural)}"


def labels(rules: Sequence[Rule], ending: str) -> tuple[Label, ...]:
    """One at each rule, ``accepts`` and the ending; at most five, the last says how many more."""
    shown = [Label(r.origin.span, f"{verb(r.verdict.kind)} {ending}") for r in rules[:MAX_LABELS]]
    more = len(rules) - len(shown)
    if more:
        shown[-1] = Label(shown[-1].span, f"{shown[-1].message} … and {more} more")
    return tuple(shown)


def counted(number: int, noun: str) -> str:
    """``1 rule``, ``3 rules``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
