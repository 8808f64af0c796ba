"""Which source holds the IPv6 rules of the host that another's IPv4 rules are of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple

from iptlint.model import Family, Hook, Ruleset
from iptlint.netfilter.posture import accepted_by_default, denied_by_default
from iptlint.netfilter.walk import Walk
from iptlint.rules.meta import Context

_SIX = re.compile(r"ip6|ipv6|v6|(?<=[a-z])6(?=[-_.]|$)")
_FOUR = re.compile(r"ipv4|v4|(?<=[a-z])4(?=[-_.]|$)")


class LeftOpen(NamedTuple):
    """A host that denies by default over IPv4 and not over IPv6. ``walk``: its IPv6 filter
    table, if it has one."""

    ip: Walk
    beside: Ruleset
    walk: Walk | None


def left_open(context: Context) -> Iterator[LeftOpen]:
    for ruleset in context.rulesets:
        beside = ip6_side(context, ruleset)
        table = ruleset.table("filter", Family.IP)
        if beside is None or table is None:
            continue
        ip = context.walk(ruleset, table)
        if denied_by_default(ip, Hook.INPUT).satisfiable():
            six = beside.table("filter", Family.IP6)
            walk = context.walk(beside, six) if six else None
            if walk is None or _accepts(walk):
                yield LeftOpen(ip, beside, walk)


def _accepts(walk: Walk) -> bool:
    accepted = accepted_by_default(walk, Hook.INPUT).satisfiable()
    return accepted and not denied_by_default(walk, Hook.INPUT).satisfiable()


def ip6_side(context: Context, ruleset: Ruleset) -> Ruleset | None:
    """Where the IPv6 rules of the host with these IPv4 rules are; None if they are not given."""
    if Family.IP not in ruleset.families:
        return None
    if Family.IP6 in ruleset.families:
        return ruleset
    others = [r for r in context.rulesets if r is not ruleset and _speaks_only_ip6(r)]
    return _twin(context, ruleset, others) or _only_neighbour(context, ruleset, others)


def ip_side(context: Context, walk: Walk) -> Walk | None:
    """The IPv4 filter table of the host with these IPv6 rules."""
    for ruleset in context.rulesets:
        table = ruleset.table("filter", Family.IP)
        if table is not None and ip6_side(context, ruleset) is walk.ruleset:
            return context.walk(ruleset, table)
    return None


def _speaks_only_ip6(ruleset: Ruleset) -> bool:
    """By its tables; a source without any by its name."""
    families = ruleset.families
    named = bool(_SIX.search(PurePath(ruleset.source.path).name))
    return families == (Family.IP6,) or (not families and named)


def _twin(context: Context, ruleset: Ruleset, others: list[Ruleset]) -> Ruleset | None:
    """The source with the same name but for the family: in the same directory, or anywhere
    where there is one such pair."""
    name = _familyless(ruleset)
    twins = [r for r in others if _familyless(r) == name]
    near = [r for r in twins if _directory(r) == _directory(ruleset)]
    if near or len(twins) != 1:
        return near[0] if near else None
    rivals = [r for r in context.rulesets if Family.IP in r.families and _familyless(r) == name]
    return twins[0] if len(rivals) == 1 else None


def _directory(ruleset: Ruleset) -> PurePath:
    return PurePath(ruleset.source.path).parent


def _familyless(ruleset: Ruleset) -> str:
    name = PurePath(ruleset.source.path).name
    return _FOUR.sub("", _SIX.sub(lambda six: "ip" if six[0] == "ip6" else "", name))


def _only_neighbour(context: Context, ruleset: Ruleset, others: list[Ruleset]) -> Ruleset | None:
    """The one IPv6 source of a directory that holds one IPv4 source."""
    here = [r for r in context.rulesets if _directory(r) == _directory(ruleset)]
    sixes = [r for r in others if r in here]
    return sixes[0] if len(here) == 2 and len(sixes) == 1 else None
