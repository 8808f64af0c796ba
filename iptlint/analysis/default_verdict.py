"""What a hook does with a packet nobody wrote a rule for.

A handful of ordinary packets, unlike each other and unlike anything a rule would name,
stand for all of them: what becomes of most is what the hook does by default, be it by
policy, by a closing rule, or by a chain for each interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from itertools import combinations
from typing import TYPE_CHECKING

from iptlint.analysis.hook_verdicts import may_be_dropped, may_end, may_pass, some_pass
from iptlint.memo import memo
from iptlint.model import (
    Chain,
    Decided,
    Family,
    Field,
    Hook,
    Rule,
    Ruleset,
    Uncertain,
    VerdictKind,
    addresses,
)
from iptlint.model.addresses import STRANGERS, AddressKind
from iptlint.model.kinds import examples
from iptlint.model.matches import PACKET_FAMILIES, tests_in
from iptlint.model.names import NoInterface, no_interface
from iptlint.model.owners import owner_of_interface
from iptlint.model.protocols import TCP, tcp_flag_bits
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Hooks, is_early
from iptlint.packets.bdd import union
from iptlint.packets.ordinary import typically_holds
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


ODD_PORTS = (419, 687, 951, 28417, 47363)
"""Nobody's ports, most of them below 1024: stateless rulesets accept whatever is above."""

_FREE = (Field.IIF, Field.OIF)


def is_policy_assumed(ruleset: Ruleset, chain: Chain) -> bool:
    """Whether a script has left the policy as it was, and nobody said how that is."""
    script = ruleset.script
    return script is not None and script.families is None and chain.origin is None


def probes(
    hooks: Hooks,
    hook: Hook,
    state: str,
    *flags: str,
    free: tuple[Field, ...] = _FREE,
    values: Mapping[Field, int] | None = None,
) -> Iterator[PacketSet]:
    """Ordinary tcp packets at the hook of a connection in the state, each free only in its
    interfaces (or what ``free`` says), with ``values`` where they are to be others. Those of an
    established one are answers."""
    asked = (hook, state, flags, free, tuple((values or {}).items()))
    for place in range(len(ODD_PORTS)):
        # A test that is met for the first time gives a packet one thing more that it may be.
        yield _probe(hooks, place, *asked, len(hooks.space.opaques))


@memo
def _probe(
    hooks: Hooks,
    place: int,
    hook: Hook,
    state: str,
    flags: tuple[str, ...],
    free: tuple[Field, ...],
    values: tuple[tuple[Field, int], ...],
    _opaques: int,
) -> PacketSet:
    established = state == "established"
    family, strangers, port = hooks.family, STRANGERS[hooks.family], ODD_PORTS[place]
    client = 40000 + port % 20000
    ordinary = {
        Field.FAMILY: PACKET_FAMILIES.index(family.value),
        Field.CT_DIRECTION: int(established),
        Field.PROTO: TCP,
        Field.TCP_FLAGS: tcp_flag_bits(*flags),
        Field.TTL: 57,
        Field.LENGTH: 60,
        family.saddr: int(ip_address(strangers[place])),
        family.daddr: int(ip_address(strangers[place - len(strangers) + 1])) + 1,
        Field.SPORT: 443 if established else client,
        Field.DPORT: client if established else port,
        **dict(values),
    }
    return _exactly(hooks.space, hook, ordinary, free) & hooks.space.state(state)


def _exactly(
    space: Space, hook: Hook, values: Mapping[Field, int], free: tuple[Field, ...]
) -> PacketSet:
    # From the last variable to the first, so that each step adds few nodes on top.
    packets = space.true
    for test, variable in space.opaques_upward():
        packets = (variable if typically_holds(test, hook) else ~variable) & packets
    for field in reversed(space.fields):
        if field not in free and field is not Field.CT_STATE:
            packets = space.value(field, values.get(field, 0)) & packets
    return packets & space.universe


def public(hooks: Hooks, field: Field) -> PacketSet:
    """The packets with a public address in the field."""
    numbers = (int(ip_address(text)) for text in STRANGERS[hooks.family])
    return hooks.space.ranges(field, tuple((number, number) for number in numbers))


def likened(hooks: Hooks, packets: PacketSet, kind: AddressKind = AddressKind.EXAMPLE) -> PacketSet:
    """The packets, where they have addresses of strangers with some of the kind: what a report
    shows is nobody's packet."""
    space, family = hooks.space, hooks.family
    documented = addresses.ranges(family, kind)
    for field, shift in ((family.saddr, 0), (family.daddr, 1)):
        numbers = (int(ip_address(text)) + shift for text in STRANGERS[family])
        strangers = space.ranges(field, tuple((number, number) for number in numbers))
        if not (packets & ~strangers).satisfiable():
            packets = space.forget(packets, (field, Field.TTL)) & space.ranges(field, documented)
    return packets


@memo
def outside(space: Space) -> PacketSet:
    """The packets that are not on the loopback interface, nor on one that nobody has. What a
    template has for a name stands for one that somebody has."""
    nobodys = (
        cls.name
        for cls in space.interfaces.classes
        if no_interface(cls.name) not in (None, NoInterface.PLACEHOLDER)
    )
    left_out = [
        space.interface(side, name) for name in ("lo", *nobodys) for side in (Field.IIF, Field.OIF)
    ]
    return ~union(left_out, space.false)


@memo
def is_shut_before(hooks: Hooks) -> bool:
    """Whether PREROUTING lets nothing from outside on, neither in nor through."""
    return not some_pass(hooks, Hook.PREROUTING, outside(hooks.space)) or _is_shut_early(hooks)


def _is_shut_early(hooks: Hooks) -> bool:
    """Whether a chain before connection tracking drops all that has no connection, as all that
    comes from outside has none there."""
    coming = hooks.hook_packets(Hook.PREROUTING) & outside(hooks.space)
    coming = coming & hooks.space.state("invalid")
    return any(
        is_early(base_chain.chain)
        and not base_chain.is_open
        and not base_chain.surviving(coming).satisfiable()
        for base_chain in hooks.base_chains(Hook.PREROUTING)
    )


def _is_shut_before(hooks: Hooks, hook: Hook) -> bool:
    return hook in (Hook.INPUT, Hook.FORWARD) and is_shut_before(hooks)


@memo
def dropped_by_default(hooks: Hooks, hook: Hook) -> PacketSet:
    """The interfaces (as a set of packets, free in all else) on which most strangers that open
    a connection are certainly turned away at the hook. Empty: the hook accepts by default."""
    return _for_most_strangers(hooks, hook, _turned_away)


@memo
def unsettled_interfaces(hooks: Hooks, hook: Hook) -> PacketSet:
    """The interfaces on which most strangers may be accepted and may be turned away: a rule that
    could not be read comes before what denies them."""
    settled = dropped_by_default(hooks, hook) | accepted_by_default(hooks, hook)
    strangers = hooks.hook_packets(hook) & outside(hooks.space) & ~_of_nobody(hooks.space)
    return strangers & ~settled


def _turned_away(hooks: Hooks, hook: Hook, packets: PacketSet) -> PacketSet:
    packets = packets & hooks.hook_packets(hook) & outside(hooks.space) & ~_of_nobody(hooks.space)
    if _is_shut_before(hooks, hook):
        return packets
    return packets & ~may_pass(hooks, hook, packets)


@memo
def _of_nobody(space: Space) -> PacketSet:
    """The packets on interfaces with names such as software gives, and that it has not made:
    calico turns away what comes by any cali* that it has no chain for."""
    numbers = (
        number
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if cls.wildcard and cls.name and owner_of_interface(cls.name) is not None
    )
    sides = (Field.IIF, Field.OIF)
    return union([space.value(side, n) for n in numbers for side in sides], space.false)


@memo
def hosts(hooks: Hooks, field: Field) -> PacketSet:
    """The packets whose address in the field is one that a host may have, anywhere."""
    space, family = hooks.space, hooks.family
    routed = ~space.ranges(field, addresses.ranges(family, *addresses.UNROUTED))
    return routed & ~space.masked(field, 0xFF, 0xFF) if family is Family.IP else routed


@memo
def public_hosts(hooks: Hooks, field: Field) -> PacketSet:
    """Of ``hosts``, those with an address that is not a private network's."""
    private = addresses.ranges(hooks.family, AddressKind.PRIVATE)
    return hosts(hooks, field) & ~hooks.space.ranges(field, private)


def denied_destinations(hooks: Hooks, hook: Hook) -> PacketSet:
    """The addresses of hosts (over ``daddr``) to which most strangers are certainly not let
    through on some interface: what a closing rule with ``-d`` protects."""
    space, daddr = hooks.space, hooks.family.daddr
    free = (*_FREE, daddr)
    denied = _for_most_strangers(hooks, hook, _turned_away, free)
    return space.project(denied & hosts(hooks, daddr), daddr)


@memo
def accepted_by_default(hooks: Hooks, hook: Hook) -> PacketSet:
    """The interfaces on which most strangers that open a connection are accepted: by the
    policy, or for certain by a rule."""
    return _for_most_strangers(hooks, hook, _accepted)


@memo
def accepted_strangers(hooks: Hooks, hook: Hook) -> PacketSet:
    """The strangers that open a connection and are accepted."""
    everyone = union(list(probes(hooks, hook, "new", "syn")), hooks.space.false)
    return _accepted(hooks, hook, everyone)


def _accepted(hooks: Hooks, hook: Hook, packets: PacketSet) -> PacketSet:
    if _is_shut_before(hooks, hook):
        return hooks.space.false
    accepted = may_end(hooks, hook, VerdictKind.ACCEPT, packets & outside(hooks.space))
    main = hooks.deciding_chain(hook)
    # A ban that may strike (recent, limit) leaves an open end open.
    by_policy = _open_end(hooks, main, accepted) if main else hooks.space.false
    return by_policy | (accepted & ~may_be_dropped(hooks, hook, accepted))


def _open_end(hooks: Hooks, base_chain: BaseChain, packets: PacketSet) -> PacketSet:
    """Those of the packets that the policy accepts, whichever rules are there."""
    chain = base_chain.chain
    policy = chain.policy
    if (
        policy is None
        or policy.kind is not VerdictKind.ACCEPT
        or any(map(_may_deny, examples(chain)))
    ):
        return hooks.space.false
    analysis = hooks.firewall.by_decision().analysis(base_chain.table)
    left = analysis.flows[chain.name].outcomes_of(packets)[VerdictKind.RETURN]
    return hooks.space.in_every_case(left | ~packets) & packets


def _may_deny(rule: Rule) -> bool:
    """Whether it is for all packets, and nobody knows whether a script makes it: a policy that
    denies, for one."""
    tests = [test for match in rule.matches for test in tests_in(match)]
    doubted = [test for test in tests if isinstance(test, Uncertain) and test.kind == "script"]
    rest = [test for test in tests if test not in doubted and not isinstance(test, Decided)]
    return rule.verdict.kind.denies and bool(doubted) and not rest


def _for_most_strangers(
    hooks: Hooks,
    hook: Hook,
    among: Callable[[Hooks, Hook, PacketSet], PacketSet],
    free: tuple[Field, ...] = _FREE,
) -> PacketSet:
    """The interfaces (or what is free) for which most of the strangers are ``among`` them."""
    space = hooks.space
    verdicts = [
        space.project(among(hooks, hook, stranger), *free)
        for stranger in probes(hooks, hook, "new", "syn", free=free)
    ]
    agreed = [a & b & c for a, b, c in combinations(verdicts, 3)]
    return union(agreed, space.false) & hooks.hook_packets(hook) & outside(space)


_FORWARDING = ("DOCKER", "KUBE-", "cali-", "CILIUM_", "LIBVIRT_", "CNI-", "FLANNEL-", "NETAVARK")


def forwards_on_its_own(hooks: Hooks) -> bool:
    """Whether software that forwards by itself has its chains in the family's tables."""
    return any(
        name.startswith(_FORWARDING)
        for table in hooks.ruleset.tables
        if hooks.family.value in table.family.packets
        for name in table.chains
    )
