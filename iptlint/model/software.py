"""What software has in a ruleset beside the user's rules, and what is left to compare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from iptlint.model.kinds import examples
from iptlint.model.owners import owner_of_name, owner_of_table
from iptlint.model.ownership import owners_of_interfaces, writer_of
from iptlint.model.ruleset import Chain, Hook, Rule, Ruleset, Table
from iptlint.model.verdicts import Verdict, VerdictKind

_STANDARD_INPUT = "-"
_AT_BOOT = re.compile(r"rules\.v[46]|ip6?tables(?:\.rules)?|nftables\.conf")
_ACCEPT = Verdict(VerdictKind.ACCEPT, "ACCEPT")


def software_in(ruleset: Ruleset) -> tuple[str, ...]:
    """The names of the programs whose rules ``without_generated`` leaves out."""
    names: dict[str, None] = {}
    for table in ruleset.tables:
        owners = [owner_of_table(table.name)]
        for chain in table.chains.values():
            owners.append(owner_of_name(chain.name))
            owners += (writer_of(table, chain.name, rule) for rule in chain.rules)
            makers = (owner for rule in chain.rules for owner in owners_of_interfaces(rule))
            names |= {owner.name: None for owner in makers}
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


def accepts_of(ruleset: Ruleset, software: str) -> Iterator[Rule]:
    """The rules with which the software lets packets through."""
    for table in ruleset.tables:
        for chain, rule in table.rules():
            if rule.verdict.kind is VerdictKind.ACCEPT:
                owner = writer_of(table, chain.name, rule)
                if owner is not None and owner.name == software:
                    yield rule


def is_saved(ruleset: Ruleset) -> bool:
    """Whether it is kept to be loaded, and not a look at what software made: something in it is a
    person's, or it is called like a file that is loaded at boot."""
    path = ruleset.source.path
    if path == _STANDARD_INPUT:
        return False
    return _AT_BOOT.fullmatch(PurePath(path).name) is not None or any(
        _is_a_persons(table, chain) for table in ruleset.tables for chain in table.chains.values()
    )


def _is_a_persons(table: Table, chain: Chain) -> bool:
    """Whether it has rules that no software wrote, or a policy: docker sets that of FORWARD."""
    closed = chain.policy is not None and chain.policy.kind.denies
    return (closed and chain.hook is not Hook.FORWARD) or any(
        writer_of(table, chain.name, rule) is None for rule in examples(chain)
    )
