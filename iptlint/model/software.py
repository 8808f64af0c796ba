"""A ruleset without what software puts there anew whenever it starts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from iptlint.model import Chain, Hook, Interface, Rule, Ruleset, Table, VerdictKind
from iptlint.model.ownership import owner_of, owner_of_interface, owner_of_rule, owner_of_table
from iptlint.model.verdicts import Verdict

_ACCEPT = Verdict(VerdictKind.ACCEPT, "ACCEPT")
_WG_QUICK = "wg-quick(8) rule for "
_CHAINS = ("nm-sh-",)  # NetworkManager, for a shared connection
_LOOKS = re.compile(
    r"--match-set ['\"]?(?:crowdsec|sshguard|f2b-)"  # who bans by a set needs no chain
    r"|(?<![\d.])168\.63\.129\.16(?![\d.])"  # the agent of Azure, on each of its machines
)
"""What software writes right into built-in chains."""


def without_generated(ruleset: Ruleset) -> Ruleset:
    """Its tables, chains and rules, and the rules that call its chains, are left out."""
    bridges = frozenset(_bridges(ruleset))
    kept = (table for table in ruleset.tables if not _is_softwares_table(ruleset, table))
    return replace(ruleset, tables=tuple(_table(table, bridges) for table in kept))


def _bridges(ruleset: Ruleset) -> Iterator[str]:
    """The interfaces that rules of software speak of: a network of docker may have any name."""
    for _, chain, rule in ruleset.rules():
        owner = owner_of(chain.name)
        if owner is None or owner.leaves_to_user(chain.name):
            owner = owner_of(rule.verdict.chain or "") if chain.hook is Hook.FORWARD else None
        if owner is not None and owner.transient:
            yield from (name for name in _interfaces(rule) if name != "lo")


def software_in(ruleset: Ruleset) -> tuple[str, ...]:
    """The names of the programs whose rules are left out."""
    names: dict[str, None] = {}
    for table in ruleset.tables:
        owners = [owner_of_table(table.name) if ruleset.is_nft else None]
        for chain in table.chains.values():
            owners.append(owner_of(chain.name))
            owners += (owner_of_rule(chain.name, rule) for rule in chain.rules)
            names |= {name: None for rule in chain.rules for name in _by_interface(rule)}
        names |= {owner.name: None for owner in owners if owner is not None and owner.transient}
    return tuple(names)


def with_open_forward(ruleset: Ruleset) -> Ruleset:
    """With every policy at the forward hook ACCEPT: docker and others set it as they please."""

    def opened(chain: Chain) -> Chain:
        theirs = chain.hook is Hook.FORWARD and chain.policy is not None
        return replace(chain, policy=_ACCEPT) if theirs else chain

    return replace(
        ruleset,
        tables=tuple(
            replace(t, chains={name: opened(c) for name, c in t.chains.items()})
            for t in ruleset.tables
        ),
    )


def decisions(ruleset: Ruleset) -> Iterator[tuple[Table, Chain, Rule | None]]:
    """The rules, and the policies (None) that do not accept."""
    for table in ruleset.tables:
        for chain in table.chains.values():
            yield from ((table, chain, rule) for rule in chain.rules)
            if chain.policy is not None and chain.policy.kind is not VerdictKind.ACCEPT:
                yield table, chain, None


def _is_softwares_table(ruleset: Ruleset, table: Table) -> bool:
    owner = owner_of_table(table.name) if ruleset.is_nft else None
    return owner is not None and owner.transient


def _table(table: Table, bridges: Collection[str]) -> Table:
    kept = {n: _chain(c, bridges) for n, c in table.chains.items() if not _is_softwares_chain(n)}
    return replace(table, chains=kept)


def _is_softwares_chain(name: str) -> bool:
    owner = owner_of(name)
    return name.startswith(_CHAINS) or (owner is not None and owner.transient)


def _chain(chain: Chain, bridges: Collection[str]) -> Chain:
    kept = (r for r in chain.rules if not _by_software(chain.name, r))
    if chain.hook in _PASSING:
        kept = (r for r in kept if not {*_interfaces(r)} & {*bridges})
    return replace(chain, rules=tuple(kept))


_PASSING = (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING)


def _by_software(chain: str, rule: Rule) -> bool:
    owner = owner_of_rule(chain, rule)
    return (
        (owner is not None and owner.transient)
        or any(_by_interface(rule))
        or (rule.comment or "").startswith(_WG_QUICK)
        or (rule.verdict.chain or "").startswith(_CHAINS)
        or _LOOKS.search(rule.statement.span.text) is not None
    )


def _by_interface(rule: Rule) -> Iterator[str]:
    """The software that makes the interface which the rule is for."""
    owners = map(owner_of_interface, _interfaces(rule))
    return (owner for owner in owners if owner is not None)


def _interfaces(rule: Rule) -> Iterator[str]:
    for match in rule.matches:
        match match:
            case Interface(name=name):
                yield name
            case _:
                pass
