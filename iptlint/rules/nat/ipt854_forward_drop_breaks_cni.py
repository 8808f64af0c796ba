"""FORWARD drops what containers send to the world, though their software translates it.

## What it does
Takes the networks whose packets docker, a CNI plugin, flannel or the like translates as they
leave, and asks whether a new connection from there to a public address can pass FORWARD, in all
tables. If none can, from any network of that software, what drops it is reported.

## Why it matters
Containers start, and reach nothing: no name, no registry, no other machine. It comes up when a
firewall is loaded beside the software: a `policy drop` in a table of one's own is asked as well,
and an accept in docker's table does not answer for it.

## Example
```
table inet host {
        chain forward {
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
        }
}
```
beside the table `ip nat` in which docker translates `172.17.0.0/16`.

## Fix
Accept what the software's networks send, and the answers: `iifname "docker0" accept` and
`ct state established,related accept`; with iptables `-A FORWARD -s 10.244.0.0/16 -j ACCEPT`.
Or leave the hook alone: a policy of accept, and drops for what is not wanted.

## When it is wrong
Where containers are meant to reach nothing outside; then let the software say so (docker:
`--internal`). Rules that are left over from a network that is gone are not reported as long as
another network of the same software gets through.

## References
- Docker, packet filtering and firewalls:
  https://docs.docker.com/engine/network/packet-filtering-firewalls/
- nft(8), verdict statements (accept ends one base chain only):
  https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain as chained
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import hosts, outside, public_hosts
from iptlint.analysis.delivery import delivery
from iptlint.analysis.external_interfaces import gives_source
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.nat import address_range
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.analysis.shares import Share, shares
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.per_family import for_each_family
from iptlint.model import Chain, Field, Hook, Interface, Rule, Within
from iptlint.model.kinds import rules_where
from iptlint.model.ownership import writer_of
from iptlint.model.protocols import TCP, UDP
from iptlint.model.software import accepts_of
from iptlint.model.syntax import Suggestion
from iptlint.packets.ordinary import typically_holds
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT854",
    name="forward-drop-breaks-cni",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
)

_OF_CONTAINERS = (
    *("docker", "podman", "CNI", "flannel", "calico", "cilium", "weave", "kube-proxy"),
    *("kube-router", "ip-masq-agent", "libvirt", "LXD", "Incus", "LXC"),
)
_SHOWN = 3


class _Network(NamedTuple):
    """A rule that translates what a network sends; ``source``: its test of the addresses."""

    rule: Rule
    source: Within
    sent: PacketSet


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    if hooks.deciding_chain(Hook.FORWARD) is None:
        return
    for owner, networks in _networks(hooks).items():
        if any(_may_pass(hooks, network.sent) for network in networks):
            continue
        droppers = shares(hooks, Hook.FORWARD, networks[0].sent)
        if droppers:
            yield _finding(hooks, owner, networks, droppers[0])


def _may_pass(hooks: Hooks, sent: PacketSet) -> bool:
    """Whether some of the connections may get through, marked on the way or not."""
    if may_pass(hooks, Hook.FORWARD, sent).satisfiable():
        return True
    space = hooks.space
    for test, variable in space.opaques.items():
        sent = sent & (variable if typically_holds(test, Hook.FORWARD) else ~variable)
    return delivery(hooks, Hook.FORWARD, sent).comes_through


def _networks(hooks: Hooks) -> dict[str, list[_Network]]:
    """By the software that translates for them."""
    by_owner: dict[str, list[_Network]] = defaultdict(list)
    for base_chain in hooks.base_chains(Hook.POSTROUTING):
        analysis = base_chain.analysis
        for chain, rule in rules_where(analysis.table, gives_source):
            if rule in unmatched_rules(analysis):
                continue
            owner = writer_of(analysis.table, chain.name, rule)
            if owner is not None and owner.name in _OF_CONTAINERS:
                for source in _sources(hooks, analysis, chain, rule):
                    sent = _sent(hooks, analysis, rule, source)
                    if sent.satisfiable():
                        by_owner[owner.name].append(_Network(rule, source, sent))
    return by_owner


def _sources(hooks: Hooks, analysis: TableAnalysis, chain: Chain, rule: Rule) -> Iterator[Within]:
    """The networks that the rule is for, or, as netavark writes it, the calls of its chain."""
    calls = (analysis.table.chains[c].rules[n] for c, n in analysis.calls.callers(chain.name))
    own = _source(hooks, rule)
    sources = [own] if own else map(partial(_source, hooks), calls)
    return (source for source in sources if source is not None)


def _source(hooks: Hooks, rule: Rule) -> Within | None:
    """The test of a source network; None for one host, as of rules for a container that calls
    itself."""
    for match in rule.matches:
        if isinstance(match, Within) and match.field is hooks.family.saddr and not match.negated:
            low, high = match.ranges[0]
            return match if high > low else None
    return None


def _sent(hooks: Hooks, analysis: TableAnalysis, rule: Rule, source: Within) -> PacketSet:
    """The connections of the network to the world, as FORWARD sees them."""
    space = hooks.space
    leaving = (
        analysis.intended(rule) & space.state("new") & space.ranges(source.field, source.ranges)
    )
    leaving = space.project(leaving, hooks.family.saddr, hooks.family.daddr, Field.OIF)
    if (bridge := _bridge(hooks, rule, source)) is not None:
        leaving = leaving & space.interface(Field.IIF, bridge)
    return (
        leaving
        & hooks.hook_packets(Hook.FORWARD)
        & space.value(Field.MARK, 0)
        & space.value(Field.CT_MARK, 0)
        & outside(space)
        & space.state("new")
        & (space.value(Field.PROTO, TCP) | space.value(Field.PROTO, UDP))
        & hosts(hooks, hooks.family.saddr)
        & public_hosts(hooks, hooks.family.daddr)
    )


def _finding(hooks: Hooks, owner: str, networks: Sequence[_Network], share: Share) -> Finding:
    names = list(dict.fromkeys(address_range(hooks, network.source.ranges) for network in networks))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    name = share.base(Hook.FORWARD).name
    return META.finding(
        share.span,
        f"no connection from the networks of {owner} ({', '.join(names[:_SHOWN])}{more}) to the"
        f" world gets through {name}: {share.first} them",
        suggestions.first(share, name, _remedy(hooks, networks[0], names[0])),
        related=tuple(
            Label(network.rule.statement.span, f"{owner} translates them as they leave")
            for network in networks[:_SHOWN]
        ),
        witness=witness(hooks.space, share.packets, Hook.FORWARD),
        causes=tuple(Cause(hooks.ruleset, part=rule) for rule in accepts_of(hooks.ruleset, owner)),
    )


def _bridge(hooks: Hooks, rule: Rule, source: Within) -> str | None:
    """The network's own interface: what leaves by it is not translated, or another rule for the
    same addresses says that they come by it."""
    own = (_interfaces(rule, Field.OIF, negated=True),)
    others = (
        _interfaces(other, Field.IIF, negated=False)
        for table in hooks.tables()
        for _, other in table.rules()
        if source in other.matches
    )
    return next(chained.from_iterable((*own, *others)), None)


def _interfaces(rule: Rule, field: Field, *, negated: bool) -> Iterator[str]:
    for match in rule.matches:
        match match:
            case Interface(of, name, wildcard=False) if of is field and match.negated is negated:
                yield name


def _remedy(hooks: Hooks, network: _Network, name: str) -> Suggestion:
    if (bridge := _bridge(hooks, network.rule, network.source)) is not None:
        return Suggestion(f"-i {bridge} -j ACCEPT", f'iifname "{bridge}" accept')
    ip = "ip6" if hooks.family.address_bits > 32 else "ip"
    return Suggestion(f"-s {name} -j ACCEPT", f"{ip} saddr {name} accept")
