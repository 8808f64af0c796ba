"""A packet that no rule is for is compared with hundreds of rules before it is decided.

## What it does
Follows the first packet of an ordinary connection, to a port that no rule names, through the
chains of the input and the forward hook and the chains they call, and counts the rules it is
compared with until the policy or a closing rule decides. Over 200 are reported, with the chain
in which most of them are. Rules of chains it is not sent to do not count.

## Why it matters
Rules are compared one by one. A scan or a flood of new connections makes the host do it for
every packet, and new connections of users wait behind.

## Example
```
-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.2/32 -p tcp -m tcp --dport 25 -j ACCEPT
```
… and 300 more.

## Fix
Put lists into sets (`ipset`, sets and verdict maps of nft), and let a jump for an interface, a
protocol or a port stand before the rules that are only for that.

## When it is wrong
Packets of running connections are usually accepted far above, so a host with few new
connections does not feel it. Silent where lists that IPT501 reports are most of it, and where
software wrote the chain.

## References
- iptables(8): rules are examined in order: https://man7.org/linux/man-pages/man8/iptables.8.html
- Jozsef Kadlecsik and György Pásztor, Netfilter Performance Testing:
  https://people.netfilter.org/kadlec/nftest.pdf
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.address_lists import address_lists
from iptlint.analysis.comparisons import Stretch, compared, on_one_way
from iptlint.analysis.default_verdict import likened, outside, probes
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import Chain, Hook, Rule
from iptlint.model.kinds import numbers_where
from iptlint.model.matches import is_decided
from iptlint.model.ownership import is_user_chain
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT504",
    name="long-path",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.SCALE,
    since="0.1.0",
    leaves_to={
        "IPT501": "it says how long the way is without the lists",
    },
)

LIMIT = 200


def check(context: Context) -> Iterator[Finding]:
    yield from for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    if sum(rule.copies for table in hooks.tables() for _, rule in table.rules()) <= LIMIT:
        return
    reported: set[Chain] = set()
    for hook in (Hook.INPUT, Hook.FORWARD):
        packet = _stranger(hooks, hook)
        way = [*compared(hooks, hook, packet)]
        counts = _counts(way)
        total = sum(counts.values())
        if total <= LIMIT:
            continue
        longest = max(way, key=lambda stretch: counts[stretch.chain])
        if longest.chain in reported or _are_lists(way, total):
            continue
        if not is_user_chain(longest.analysis.table, longest.chain.name):
            continue
        reported.add(longest.chain)
        most = counts[longest.chain]
        where = "all" if most == total else f"{most}"
        yield META.finding(
            longest.analysis.declaration_of(longest.chain),
            f"the first packet of a connection that no rule is for is compared with {total} rules"
            f" on its way through {hook.value}, {where} of them in {longest.chain.name}",
            "put lists of addresses and ports into sets, and rules for one interface, protocol or"
            " port into a chain that only its packets are sent to",
            witness=witness(hooks.space, _alike(hooks, hook, packet, total), hook),
        )


def _stranger(hooks: Hooks, hook: Hook) -> PacketSet:
    """A stranger's packet; on interfaces that no rule names, where it may be."""
    packet = next(probes(hooks, hook, "new", "syn")) & outside(hooks.space)
    return on_one_way(hooks, packet & hooks.hook_packets(hook))


def _alike(hooks: Hooks, hook: Hook, packet: PacketSet, total: int) -> PacketSet:
    """The packet with addresses that are nobody's, if it is compared with as many rules."""
    alike = on_one_way(hooks, likened(hooks, packet))
    as_many = sum(_counts(compared(hooks, hook, alike)).values()) == total
    return alike if as_many else packet


def _counts(way: Iterable[Stretch]) -> Counter[Chain]:
    """How many of the kernel's rules of each chain it is; what a script makes of them under
    conditions may not be there."""
    counts: Counter[Chain] = Counter()
    for stretch in way:
        numbers = numbers_where(stretch.chain, _may_not_be_there)
        unsure = {stretch.chain.rules[number] for number in numbers}
        copies = sum(rule.copies for rule in stretch.rules if not unsure or rule not in unsure)
        counts[stretch.chain] += stretch.times * copies
    return counts


def _may_not_be_there(rule: Rule) -> bool:
    return any(map(is_decided, rule.matches))


def _are_lists(way: Iterable[Stretch], total: int) -> bool:
    """Whether most of the way are lists for which sets are proposed already."""
    chains = {stretch.chain for stretch in way}
    analyses = {stretch.analysis for stretch in way}
    saved = (
        addresses.copies - addresses.copies_left
        for analysis in analyses
        for addresses in address_lists(analysis)
        if addresses.chain in chains
    )
    return 2 * sum(saved) > total
