"""The rules and policies that people wrote, and not software for its own sake."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.analysis.shares import Share
from iptlint.model import Chain, Rule
from iptlint.model.kinds import rules_testing
from iptlint.model.ownership import holds_user_rules, is_user_rule
from iptlint.netfilter.table_analysis import TableAnalysis


def user_rules_testing(
    analysis: TableAnalysis, holds: Callable[[Rule], bool]
) -> Iterator[tuple[Chain, Rule]]:
    """The rules that people wrote, that packets may match, and that are no copies of others; of
    these those for which it holds, as ``rules_testing`` has them."""
    silent = unmatched_rules(analysis) | later_copies(analysis)
    for chain, rule in rules_testing(analysis.table, holds):
        called = analysis.calls.is_called(chain.name)
        if called and rule not in silent and is_user_rule(analysis.table, chain.name, rule):
            yield chain, rule


def is_user_decision(share: Share) -> bool:
    """Whether people wrote the rule, or the policy."""
    table, chain = share.analysis.table, share.chain.name
    if share.rule is None:
        return holds_user_rules(table, chain)
    return is_user_rule(table, chain, share.rule)
