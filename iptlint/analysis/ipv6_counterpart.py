"""Which source holds the IPv6 rules of the host that another's IPv4 rules are of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple

from iptlint.analysis.default_verdict import accepted_by_default, dropped_by_default
from iptlint.analysis.includes import has_unseen_includes
from iptlint.analysis.session import Context
from iptlint.analysis.spoofing import turns_strangers_away
from iptlint.model import AnyOf, Family, Field, Hook, Masked, Match, Ruleset, Within
from iptlint.model.matches import PACKET_FAMILIES
from iptlint.model.names import is_of_ipv6, without_family
from iptlint.model.protocols import ICMP6
from iptlint.netfilter.firewall import Hooks
from iptlint.source import Span


class LeftOpen(NamedTuple):
    """A host that denies by default over IPv4 and not over IPv6. ``ip6``: what becomes of IPv6
    packets, if any chain decides that."""

    ip: Hooks
    beside: Ruleset
    ip6: Hooks | None


def only_ipv6_open(context: Context) -> Iterator[LeftOpen]:
    """The hosts of the run that deny by default over IPv4 and accept over IPv6."""
    for ruleset in context.rulesets:
        beside = counterpart(context, ruleset)
        ip = context.hooks(ruleset, Family.IP)
        if beside is None or ip is None:
            continue
        if turns_strangers_away(ip):
            ip6 = context.hooks(beside, Family.IP6)
            if ip6 is None:
                yield LeftOpen(ip, beside, None)
            elif _accepts(ip6):
                yield LeftOpen(ip, beside, ip6 if ip6.deciding_chain(Hook.INPUT) else None)


def _accepts(hooks: Hooks) -> bool:
    accepted = accepted_by_default(hooks, Hook.INPUT).satisfiable()
    return accepted and not dropped_by_default(hooks, Hook.INPUT).satisfiable()


def counterpart(context: Context, ruleset: Ruleset) -> Ruleset | None:
    """Where the IPv6 rules of the host with these IPv4 rules are; None if they are not given."""
    if not ruleset.sees(Family.IP):
        return None
    if ruleset.sees(Family.IP6):
        return ruleset
    if _is_all_there_is(ruleset):
        return ruleset
    if ruleset.flush is not None:
        return None
    others = [r for r in context.rulesets if r is not ruleset and _speaks_only_ip6(r)]
    return _twin(context, ruleset, others) or _only_neighbour(context, ruleset, others)


def _is_all_there_is(ruleset: Ruleset) -> bool:
    """Whether what the text does not say is not there: after a flush of everything."""
    flush = ruleset.flush
    everything = flush is not None and ruleset.syntax.flushed_family(flush) is None
    return everything and not has_unseen_includes(ruleset)


def without_ipv4(context: Context) -> Iterator[Span]:
    """Where everything is emptied by the host of the run, if it turns strangers away over IPv6 and
    has nothing that sees IPv4."""
    if len(context.rulesets) == 1:
        (ruleset,) = context.rulesets
        ip6 = context.hooks(ruleset, Family.IP6)
        alone = not ruleset.sees(Family.IP) and _is_all_there_is(ruleset)
        if ip6 and alone and ruleset.flush and turns_strangers_away(ip6):
            yield ruleset.flush.span


def ip_side(context: Context, ip6: Hooks) -> Hooks | None:
    """What becomes of IPv4 packets on the host with these IPv6 rules."""
    for ruleset in context.rulesets:
        if counterpart(context, ruleset) is ip6.ruleset and (
            hooks := context.hooks(ruleset, Family.IP)
        ):
            return hooks
    return None


def _speaks_only_ip6(ruleset: Ruleset) -> bool:
    """By its tables; a source without any by its name."""
    named = is_of_ipv6(PurePath(ruleset.source.path).name)
    families = ruleset.families
    return families == (Family.IP6,) or (not families and named)


def _twin(context: Context, ruleset: Ruleset, others: list[Ruleset]) -> Ruleset | None:
    """The source with the same name but for the family: in the same directory, or anywhere
    where there is one such pair."""
    name = _familyless(ruleset)
    twins = [r for r in others if _familyless(r) == name]
    near = [r for r in twins if _directory(r) == _directory(ruleset)]
    if near or len(twins) != 1:
        return near[0] if near else None
    rivals = [r for r in context.rulesets if r.sees(Family.IP) and _familyless(r) == name]
    return twins[0] if len(rivals) == 1 else None


def _directory(ruleset: Ruleset) -> PurePath:
    return PurePath(ruleset.source.path).parent


def _familyless(ruleset: Ruleset) -> str:
    name = PurePath(ruleset.source.path).name
    return without_family(name)


def _only_neighbour(context: Context, ruleset: Ruleset, others: list[Ruleset]) -> Ruleset | None:
    """The one IPv6 source of a directory that holds one IPv4 source."""
    neighbours = [r for r in context.rulesets if _directory(r) == _directory(ruleset)]
    sixes = [r for r in others if r in neighbours]
    return sixes[0] if len(neighbours) == 2 and len(sixes) == 1 else None


def is_about_ip6(hooks: Hooks) -> bool:
    """Whether someone wrote rules for IPv6, and not just for both."""
    if Family.IP6 in hooks.ruleset.families:
        return True
    return any(_asks_for_ip6(match) for rule in hooks.examples() for match in rule.matches)


def _asks_for_ip6(match: Match) -> bool:
    match match:
        case Within(Field.FAMILY, ranges, negated=False):
            six = PACKET_FAMILIES.index("ip6")
            return ranges == ((six, six),)
        case Within(Field.PROTO, ranges, negated=False):
            return ranges == ((ICMP6, ICMP6),)
        case Within(Field.SADDR6 | Field.DADDR6) | Masked(Field.SADDR6 | Field.DADDR6):
            return True
        case AnyOf(alternatives):
            return any(_asks_for_ip6(test) for tests in alternatives for test in tests)
        case _:
            return False
