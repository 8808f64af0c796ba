"""The rules and policies that people wrote, and not software for its own sake."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.analysis.shares import Share
from iptlint.model import Chain, Rule
from iptlint.model.ownership import holds_user_rules, is_user_rule
from iptlint.netfilter.table_analysis import TableAnalysis


def user_rules(analysis: TableAnalysis) -> Iterator[tuple[Chain, Rule]]:
    """The rules that people wrote, that packets may match, and that are no copies of others."""
    silent = unmatched_rules(analysis) | later_copies(analysis)
    for chain in analysis.table.chains.values():
        if analysis.calls.is_called(chain.name):
            for rule in chain.rules:
                if rule not in silent and is_user_rule(analysis.table, chain.name, rule):
                    yield chain, rule


def is_user_decision(share: Share) -> bool:
    """Whether people wrote the rule, or the policy."""
    table, chain = share.analysis.table, share.chain.name
    if share.rule is None:
        return holds_user_rules(table, chain)
    return is_user_rule(table, chain, share.rule)
