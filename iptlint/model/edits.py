"""A ruleset without some of its chains and rules: those that a user names, and those that software
puts there anew whenever it starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from iptlint.model.owners import owner_of_name, owner_of_table
from iptlint.model.ownership import interface_names, owners_of_interfaces, writer_of
from iptlint.model.ruleset import Chain, Hook, Rule, Ruleset, Table

_WG_QUICK = "wg-quick(8) rule for "
_NETWORK_MANAGER = "nm-sh-"
"""Begins the chains for a shared connection."""

_TRACES = re.compile(
    r"--match-set ['\"]?(?:crowdsec|sshguard|f2b-)"  # who bans by a set needs no chain
    r"|(?<![\d.])168\.63\.129\.16(?![\d.])"  # the agent of Azure, on each of its machines
)
"""What software writes right into built-in chains."""

_FORWARDING = (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING)


def without_chains(ruleset: Ruleset, patterns: Sequence[str]) -> Ruleset:
    """Without the chains whose names fit one of the patterns, with ``*`` and ``?``, and without
    the rules that call them; a base chain that fits one is left out as well."""

    def fits(name: str | None) -> bool:
        return name is not None and any(fnmatchcase(name, pattern) for pattern in patterns)

    if not patterns:
        return ruleset
    return _kept(
        ruleset,
        ruleset.tables,
        lambda chain: not fits(chain.name),
        lambda _table, _chain, rule: not fits(rule.verdict.chain),
    )


def without_generated(ruleset: Ruleset) -> Ruleset:
    """Without the tables, chains and rules of software, and without the rules that call its
    chains."""
    bridges = frozenset(_bridges(ruleset))
    return _kept(
        ruleset,
        [table for table in ruleset.tables if not _is_generated_table(table)],
        lambda chain: not _is_transient_chain(chain.name),
        lambda table, chain, rule: not _is_generated(table, chain, rule, bridges),
    )


def _kept(
    ruleset: Ruleset,
    tables: Sequence[Table],
    keeps_chain: Callable[[Chain], bool],
    keeps_rule: Callable[[Table, Chain, Rule], bool],
) -> Ruleset:
    def chain_of(table: Table, chain: Chain) -> Chain:
        rules = tuple(rule for rule in chain.rules if keeps_rule(table, chain, rule))
        return replace(chain, rules=rules)

    def table_of(table: Table) -> Table:
        chains = {n: chain_of(table, c) for n, c in table.chains.items() if keeps_chain(c)}
        return replace(table, chains=chains)

    return replace(ruleset, tables=tuple(map(table_of, tables)))


def _is_generated_table(table: Table) -> bool:
    owner = owner_of_table(table.name)
    return owner is not None and owner.transient


def _is_transient_chain(name: str) -> bool:
    """Whether the chain is made anew at every start, be it for rules of the user."""
    owner = owner_of_name(name)
    return name.startswith(_NETWORK_MANAGER) or (owner is not None and owner.transient)


def _is_generated(table: Table, chain: Chain, rule: Rule, bridges: Collection[str]) -> bool:
    writer = writer_of(table, chain.name, rule)
    passing = chain.hook in _FORWARDING and not {*interface_names(rule)}.isdisjoint(bridges)
    return (
        (writer is not None and writer.transient)
        or passing
        or any(owners_of_interfaces(rule))
        or (rule.comment or "").startswith(_WG_QUICK)
        or (rule.verdict.chain or "").startswith(_NETWORK_MANAGER)
        or _TRACES.search(rule.statement.span.text) is not None
    )


def _bridges(ruleset: Ruleset) -> Iterator[str]:
    """The interfaces that rules of software speak of: a network of docker may have any name."""
    for _, chain, rule in ruleset.rules():
        owner = owner_of_name(chain.name)
        if owner is None or owner.leaves_to_user(chain.name):
            target = rule.verdict.chain if chain.hook is Hook.FORWARD else None
            owner = owner_of_name(target) if target else None
        if owner is not None and owner.transient:
            yield from (name for name in interface_names(rule) if name != "lo")
