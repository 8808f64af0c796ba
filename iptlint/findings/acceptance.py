"""The fix that lets packets in: rules at the top of the chain in which they are lost."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.analysis.before_conntrack import early_chains
from iptlint.analysis.shares import Decider
from iptlint.findings.fix import Change, Fix
from iptlint.findings.suggestions import puts_itself_first
from iptlint.model import Chain, Hook, Rule, Ruleset
from iptlint.model.syntax import Suggestion
from iptlint.model.writes import Writes, reads_conntrack
from iptlint.packets.bdd import union
from iptlint.packets.match import Matcher
from iptlint.source import Edit

_STILL_LOST = ("IPT201", "IPT305", "IPT702", "IPT704")
"""What these tell of a host that lets something in, they do not tell of one that is shut."""


def acceptance(
    share: Decider, hook: Hook, suggestions: Sequence[Suggestion], change: Change
) -> Fix | None:
    """The rules go before all others of the base chain that leads to the share; a rule that denies
    these packets and no others, and would never happen behind them, goes. None where the chain has
    no rules, or one of these shares its line with something else; and where the packets are told
    by a connection that the chain does not see yet."""
    ruleset, base = share.analysis.ruleset, share.base(hook)
    if share.chain.name in early_chains(share.analysis) and any(
        map(reads_conntrack, change.packets)
    ):
        return None
    added = _at_the_top(ruleset, base, suggestions)
    if not added:
        return None
    where = (
        f"before the first rule of {base.name}" if ruleset.script else f"at the top of {base.name}"
    )
    says = f"add {where}: {'; '.join(edit.text.strip() for edit in added)}"
    lost = _lost(share, change)
    if lost is not None:
        deleted = ruleset.syntax.take_out(lost)
        if deleted is None:
            return None
        says += f"; and delete line {lost.origin.span.line}"
        added.append(deleted)
    return Fix(says, tuple(added), False, (change,), leads_to=_STILL_LOST)


def _at_the_top(ruleset: Ruleset, base: Chain, suggestions: Sequence[Suggestion]) -> list[Edit]:
    """Empty where that cannot be said."""
    if not base.rules or puts_itself_first(ruleset, base.rules[0]):
        return []
    edits = [ruleset.syntax.put_before(base.rules[0], suggestion) for suggestion in suggestions]
    known = [edit for edit in edits if edit is not None]
    return known if len(known) == len(edits) else []


def _lost(share: Decider, change: Change) -> Rule | None:
    """The rule that decides the share, if it takes no packet but those that are let in."""
    if share.rule is None or not share.kind.denies:
        return None
    space = share.analysis.space
    matcher = Matcher(space, Writes())
    let_in = [matcher.all_of(tests, space.true).sure for tests in change.packets]
    taken = share.analysis.tests(share.rule).may & space.universe
    return None if (taken & ~union(let_in, space.false)).satisfiable() else share.rule
