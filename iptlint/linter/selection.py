"""Which rules run, and whose findings are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iptlint.rules.registry import Profile, rule_of, rules, selected


@dataclass(frozen=True, slots=True)
class Selection:
    """Codes of rules. ``heard``: those that are selected, or that comments may be about;
    ``shown``: those whose findings are shown; ``running``: the heard ones and those that they
    yield to."""

    heard: frozenset[str]
    shown: frozenset[str]
    running: frozenset[str]

    @classmethod
    def of(cls, select: Sequence[str], ignore: Sequence[str], profile: Profile) -> Selection:
        """UnknownRuleError where no rule has one of the codes, prefixes and names."""
        codes = selected(select, ignore, profile)
        heard = {*codes}
        if select and any(rule_of(code).check_comments for code in codes):
            heard.update(selected((), ignore, profile))
        unfinished = [rule.meta.code for rule in rules() if rule.meta.unfinished]
        shown = frozenset((*codes, *selected(unfinished, ignore)))
        return cls(frozenset(heard), shown, frozenset(_with_preceding(heard)))


def _with_preceding(codes: Iterable[str]) -> set[str]:
    """With the rules that they yield to, and that those yield to."""
    running, left = set[str](), [*codes]
    while left:
        code = left.pop()
        if code not in running:
            running.add(code)
            left += rule_of(code).meta.yields_to
    return running
