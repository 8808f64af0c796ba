"""Chains that no hook and no other chain sends packets to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iptlint.analysis.includes import has_unseen_includes, is_entry_point, loaded_alone
from iptlint.analysis.occasions import is_refused
from iptlint.analysis.session import Context
from iptlint.model import Chain, Ruleset, VerdictKind
from iptlint.model.kinds import examples_in, rules_testing
from iptlint.model.owners import owner_of_name, owner_of_table
from iptlint.model.writes import reads_conntrack
from iptlint.netfilter.table_analysis import TableAnalysis

_HOOKS = {"prerouting", "input", "forward", "output", "postrouting"}


def unused_chains(context: Context) -> Iterator[tuple[TableAnalysis, Chain]]:
    """Those that people wrote. Not among them: chains of a fragment, which another file hooks
    or calls; a base chain of a dormant table; a chain that the text only adds to: it belongs
    to whoever made it; a chain that was meant to be another table's, which the tool refuses; those
    of a script that goes on out of sight.
    """
    alone = {ruleset for ruleset in loaded_alone(context) if _is_whole(ruleset)}
    for analysis in context.analyses():
        script = analysis.ruleset.script
        if script is not None and script.lacks_rules:
            continue
        if not analysis.syntax.makes_base_chains:
            for chain in _without_call(analysis):
                if _is_there_before(analysis, chain) or _is_misplaced(analysis, chain):
                    continue
                if chain.origin is not None:
                    yield analysis, chain
        elif analysis.ruleset in alone and owner_of_table(analysis.table.name) is None:
            for chain in _declared_unhooked(context, analysis):
                yield analysis, chain


def unhooked_by_this_file(context: Context) -> Iterator[tuple[TableAnalysis, Chain]]:
    """Chains named like a hook in a file that may be a part of others, and that read as the whole
    of a firewall: they accept answers and end with a rule that denies the rest."""
    parts = {r for r in loaded_alone(context) if not _is_whole(r) and not has_unseen_includes(r)}
    for analysis in context.analyses():
        if analysis.ruleset in parts and owner_of_table(analysis.table.name) is None:
            for chain in filter(_reads_as_whole, _declared_unhooked(context, analysis)):
                yield analysis, chain


def _declared_unhooked(context: Context, analysis: TableAnalysis) -> Iterator[Chain]:
    """Of a table of nft the chains that it declares, and that no file hooks or calls."""
    for chain in _without_call(analysis):
        declared = chain.origin is not None and chain.type is None
        if declared and not _called_elsewhere(context, analysis, chain):
            yield chain


def _reads_as_whole(chain: Chain) -> bool:
    accepting = (rule for rule in chain.rules if rule.verdict.kind is VerdictKind.ACCEPT)
    closed = bool(chain.rules) and chain.rules[-1].denies_all
    return closed and any(reads_conntrack(rule.matches) for rule in accepting)


def _is_there_before(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether a script of nft empties the chain of a table of which it makes no hook."""
    if not _is_nft(analysis) or any(analysis.table.base_chains()):
        return False
    emptied = rf"flush\s+chain\s[^;\n]*\s{re.escape(chain.name)}\b"
    return re.search(emptied, analysis.ruleset.source.text) is not None


def _is_misplaced(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether it is given a policy, and is no built-in chain of this table, but of another."""
    declared = chain.origin is not None and analysis.syntax.gives_policy(chain.origin)
    return declared and chain.name.lower() in _HOOKS


def named_like_a_hook(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether a chain of nft's has the name of a hook: nft needs more than that to hook it."""
    return _is_nft(analysis) and chain.name.lower() in _HOOKS


def _is_nft(analysis: TableAnalysis) -> bool:
    return bool(analysis.syntax.pick(iptables="", nft="nft"))


def _without_call(analysis: TableAnalysis) -> Iterator[Chain]:
    may_call = analysis.syntax.may_call
    unread = [rule for _, rule in rules_testing(analysis.table, lambda rule: not rule.read)]
    for name, chain in analysis.table.chains.items():
        if chain.hook is not None or analysis.calls.callers(name):
            continue
        if owner_of_name(name) is not None or any(may_call(rule, name) for rule in unread):
            continue
        if not is_refused(analysis.ruleset, name):
            yield chain


def _is_whole(ruleset: Ruleset) -> bool:
    """Whether the text is no fragment for chains that other files declare, and all is there."""
    hooked = any(any(table.base_chains()) for table in ruleset.tables)
    main = (
        hooked or ruleset.syntax.is_listing or ruleset.flush is not None or is_entry_point(ruleset)
    )
    return main and not has_unseen_includes(ruleset)


def _called_elsewhere(context: Context, analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether another file of the run has the chain with a hook, or a call of it."""
    for ruleset in context.rulesets:
        table = ruleset.table(analysis.table.name, analysis.table.family)
        if ruleset is not analysis.ruleset and table is not None:
            other = table.chains.get(chain.name)
            if other is not None and other.hook is not None:
                return True
            if any(rule.verdict.chain == chain.name for _, rule in examples_in(table)):
                return True
    return False
