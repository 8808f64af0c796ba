"""Whose a chain or a rule is: a person's, or that of software which writes rules of its own.

A table with a name of iptables belongs to nobody: only in nft does software have whole tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from iptlint.model.call_graph import CallGraph
from iptlint.model.kinds import examples_in
from iptlint.model.matches import Interface
from iptlint.model.owners import (
    Owner,
    owner_of_comment,
    owner_of_interface,
    owner_of_name,
    owner_of_table,
)
from iptlint.model.ruleset import Family, Rule, Table

DOCKER_USER = "DOCKER-USER"
"""The chain that docker leaves to the user."""

_DOCKER = owner_of_name("DOCKER")
_FORWARDING = ("PREROUTING", "FORWARD", "POSTROUTING")
_IPTABLES_TABLES = {"filter", "nat", "mangle", "raw", "security"}
_IPTABLES_CHAINS = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}


# -- chains ---------------------------------------------------------------------------------


def owner_of_chain(table: Table, chain: str) -> Owner | None:
    """Whose chain it is: by its name, or because software has the whole table."""
    return owner_of_name(chain) or owner_of_table(table.name)


def is_generated(table: Table, chain: str) -> bool:
    """Whether software writes the chain anew at every start; then a finding there helps nobody."""
    owner = owner_of_chain(table, chain)
    return owner is not None and owner.generates(chain)


def is_user_chain(table: Table, chain: str) -> bool:
    """Whether people write the chain's rules themselves, and not by way of a manager."""
    owner = owner_of_chain(table, chain)
    return owner is None or (owner.transient and owner.leaves_to_user(chain))


def holds_user_rules(table: Table, chain: str) -> bool:
    """Whether the chain is for rules that people decide on, by way of a manager too: as of
    ``ufw-user-input``, which is no user chain."""
    owner = owner_of_chain(table, chain)
    return owner is None or owner.leaves_to_user(chain)


def is_called_from_outside(calls: CallGraph, chain: str) -> bool:
    """Whether software sends packets to the chain by rules of its own that are not here: it is one
    that docker leaves to the user, or is called by it, and nothing here calls that."""
    owners = (
        owner_of_name(name)
        for name in (chain, *calls.leading_to(chain))
        if not calls.is_called(name)
    )
    return any(owner is not None and owner.transient for owner in owners)


def made_by_iptables(table: Table) -> bool:
    """Whether iptables-nft knows the table as its own (iptables/nft.c, xtables_ipv4), and looks
    after it, with its names for everything."""
    names = {chain.name for chain in table.base_chains()}
    of_iptables = table.family in (Family.IP, Family.IP6) and table.name in _IPTABLES_TABLES
    return of_iptables and bool(names) and names <= _IPTABLES_CHAINS


# -- rules ----------------------------------------------------------------------------------


def writer_of(table: Table, chain: str, rule: Rule) -> Owner | None:
    """The software that wrote the rule: known by its table or chain, by where it jumps to, by its
    comment, or by the interface that it is for. None where a person may have."""
    if (owner := owner_of_table(table.name)) is not None:
        return owner
    owner = owner_of_name(chain)
    if owner is not None and not owner.leaves_to_user(chain):
        return owner
    return (
        _owner_of_target(rule)
        or (owner_of_comment(rule.comment) if rule.comment else None)
        or _owner_by_interface(table, chain, rule)
    )


def is_user_rule(table: Table, chain: str, rule: Rule) -> bool:
    """Whether people decided on the rule, which could be read."""
    return rule.read and holds_user_rules(table, chain) and not is_for_software(rule)


def is_for_software(rule: Rule) -> bool:
    """Whether the rule calls a chain of software's or is for an interface of software's, in
    whatever chain it is. It need not have written a rule for its interface at INPUT: a person may
    have, but for its sake."""
    return _owner_of_target(rule) is not None or any(owners_of_interfaces(rule))


def owners_of_interfaces(rule: Rule) -> Iterator[Owner]:
    """The software that makes the interfaces which the rule names."""
    owners = map(owner_of_interface, interface_names(rule))
    return (owner for owner in owners if owner is not None)


def interface_names(rule: Rule) -> Iterator[str]:
    return (match.name for match in rule.matches if isinstance(match, Interface))


def _owner_of_target(rule: Rule) -> Owner | None:
    return owner_of_name(rule.verdict.chain) if rule.verdict.chain else None


def _owner_by_interface(table: Table, chain: str, rule: Rule) -> Owner | None:
    """Software writes for its interfaces to where packets pass; a rule that lets them to the host
    itself may be anyone's."""
    if chain not in _FORWARDING:
        return None
    owner = next(owners_of_interfaces(rule), None)
    if owner is None and chain != "PREROUTING":
        named = not _docker_bridges(table).isdisjoint(interface_names(rule))
        named = named and not _is_between_two(rule)
        return _DOCKER if named else None
    return owner


def _is_between_two(rule: Rule) -> bool:
    """Whether it is for what goes from one interface to another: docker names one alone."""
    ends = (m for m in rule.matches if isinstance(m, Interface) and not m.negated)
    return len({each.name for each in ends}) > 1


@lru_cache(maxsize=32)
def _docker_bridges(table: Table) -> frozenset[str]:
    """The interfaces that docker's chains of the table speak of: a bridge may have any name."""
    return frozenset(
        name
        for chain, rule in examples_in(table)
        if owner_of_name(chain.name) is _DOCKER and chain.name != DOCKER_USER
        for name in interface_names(rule)
        if name != "lo"
    )
