"""Who lets everyone in, where a host is meant to deny by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import (
    accepted_strangers,
    dropped_by_default,
    probes,
    unsettled_interfaces,
)
from iptlint.analysis.exposure import uplinks
from iptlint.analysis.shares import Share, shares
from iptlint.model import Field, Hook
from iptlint.model.names import is_inside, is_second, is_tunnel, no_interface
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class LetIn(NamedTuple):
    """``by``: the rule that accepts most strangers at a hook, though what follows it denies them.
    ``denied``: where."""

    by: Share
    denied: Share


def accept_any(hooks: Hooks, hook: Hook) -> LetIn | None:
    """Who lets everyone in at a hook that is meant to deny by default."""
    main, space = hooks.deciding_chain(hook), hooks.space
    if main is None or dropped_by_default(hooks, hook).satisfiable():
        return None
    if unsettled_interfaces(hooks, hook).satisfiable():
        return None
    everyone = accepted_strangers(hooks, hook) & on_unnamed_interfaces(space, hook)
    by = _rule_for_most(hooks, hook, everyone)
    denied = _denying_behind(hooks, hook, main, everyone) if by is not None else None
    return LetIn(by, denied) if by and denied else None


def _rule_for_most(hooks: Hooks, hook: Hook, packets: PacketSet) -> Share | None:
    """The rule that decides most strangers' packets, where most strangers have some of these."""
    if not _is_most(hooks, hook, packets):
        return None
    by = next(iter(shares(hooks, hook, packets)), None)
    if by is None or by.rule is None or not _is_most(hooks, hook, by.packets):
        return None
    return by


def accepted_from_uplinks(hooks: Hooks) -> Share | None:
    """The rule that accepts most strangers by an interface that faces the world, where the host
    denies by default on those that no rule names, and on no other that faces it."""
    return _accepted_by(hooks, uplinks(hooks, Field.IIF))


def accepted_by_only_card(hooks: Hooks) -> Share | None:
    """The same of the one network card that rules name, where nothing tells what is behind it."""
    space = hooks.space
    *named, _ = enumerate(space.interfaces.classes, start=1)
    cards = [(number, cls) for number, cls in named if cls.name != "lo"]
    if len(cards) != 1 or hooks.facing:
        return None
    number, cls = cards[0]
    if cls.wildcard or is_inside(cls.name) or is_second(cls.name) or is_tunnel(cls.name):
        return None
    if no_interface(cls.name) is not None:  # nobody knows what is behind what a template has there
        return None
    return _accepted_by(hooks, space.value(Field.IIF, number))


def _accepted_by(hooks: Hooks, facing: PacketSet) -> Share | None:
    space, denied = hooks.space, dropped_by_default(hooks, Hook.INPUT)
    open_ = accepted_strangers(hooks, Hook.INPUT) & facing
    if (denied & facing).satisfiable() or not (
        denied & on_unnamed_interfaces(space, Hook.INPUT)
    ).satisfiable():
        return None
    return _rule_for_most(hooks, Hook.INPUT, open_)


def on_unnamed_interfaces(space: Space, hook: Hook) -> PacketSet:
    """The packets on interfaces that no rule names."""
    other = space.interfaces.count - 1
    unnamed = space.value(Field.IIF, other)
    return unnamed & space.value(Field.OIF, other) if hook is Hook.FORWARD else unnamed


def _is_most(hooks: Hooks, hook: Hook, packets: PacketSet) -> bool:
    strangers = tuple(probes(hooks, hook, "new", "syn"))
    return sum((each & packets).satisfiable() for each in strangers) > len(strangers) // 2


def _denying_behind(hooks: Hooks, hook: Hook, main: BaseChain, everyone: PacketSet) -> Share | None:
    """Who would deny most of the strangers if no rule took them first."""
    analysis, chain = main.analysis, main.chain
    if chain.policy is not None and chain.policy.kind.denies:
        return Share(analysis, chain, None, chain.policy.kind, everyone)
    for called, rule in main.rules_testing(lambda rule: rule.verdict.kind.denies):
        taken = everyone & analysis.tests(rule).sure & analysis.intended(rule)
        if _is_most(hooks, hook, taken):
            return Share(analysis, called, rule, rule.verdict.kind, taken)
    return None
