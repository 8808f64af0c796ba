"""A ruleset without some chains, and without the rules that call them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from iptlint.model import Chain, Ruleset, Table


def without_chains(ruleset: Ruleset, patterns: Sequence[str]) -> Ruleset:
    """``patterns`` with ``*`` and ``?``; a base chain that fits one is left out as well."""
    if not patterns:
        return ruleset
    return replace(ruleset, tables=tuple(_table(table, patterns) for table in ruleset.tables))


def _table(table: Table, patterns: Sequence[str]) -> Table:
    kept = {n: _chain(c, patterns) for n, c in table.chains.items() if not _fits(n, patterns)}
    return replace(table, chains=kept)


def _chain(chain: Chain, patterns: Sequence[str]) -> Chain:
    rules = (rule for rule in chain.rules if not _fits(rule.verdict.chain, patterns))
    return replace(chain, rules=tuple(rules))


def _fits(name: str | None, patterns: Sequence[str]) -> bool:
    return name is not None and any(fnmatchcase(name, pattern) for pattern in patterns)
