"""Rules that open services to the world which are seldom public on purpose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import ODD_PORTS
from iptlint.analysis.delivery import is_told_at_once
from iptlint.analysis.exposure import Exposure, exposure_among, external_probes, is_dnat, uplinks
from iptlint.analysis.services import SERVICES, Service
from iptlint.analysis.shares import Share
from iptlint.model import Field, Hook, Rule
from iptlint.model.ownership import is_generated
from iptlint.model.protocols import TCP, UDP
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MANY, _SEVERAL = 64, 4
"""A rule for more ports than this, with so many services among them, is about none of them."""

_RUN = 4
"""A port in the midst of more than so many in a row was hardly meant."""

_PROTOCOLS = (TCP, UDP)


class Open(NamedTuple):
    """A port of a service that is open. ``protocol``: its number."""

    service: Service
    port: int
    protocol: int


class Exposed(NamedTuple):
    """A rule, in ``chain``, that opens services to ``packets``. ``ports``: how many it opens in
    all. ``through``: who accepts what it translates. ``hook`` is PREROUTING for a translation."""

    rule: Rule
    chain: str
    packets: PacketSet
    opened: tuple[Open, ...]
    ports: int
    hook: Hook
    through: tuple[Share, ...] = ()


def exposed_services(hooks: Hooks) -> Iterator[Exposed]:
    """On this host, by rules that name ports, and on hosts behind it."""
    if (on_host := _exposure(hooks, Hook.INPUT)) is not None:
        yield from _accepted(hooks, on_host, Hook.INPUT, on_host.accepted_at_a_rate)
    if (behind := _exposure(hooks, Hook.FORWARD)) is not None:
        yield from _behind(hooks, behind)


def _exposure(hooks: Hooks, hook: Hook) -> Exposure | None:
    if not hooks.translates and not hooks.base_chains(hook):
        return None
    probes = [probe for protocol in _PROTOCOLS for probe in external_probes(hooks, hook, protocol)]
    of_services = union([*probes], hooks.space.false) & _of_services(hooks)
    exposure = exposure_among(hooks, hook, of_services)
    if exposure is None or not is_told_at_once(hooks, hook):
        return exposure
    openers = exposure.accepters(exposure.accepted_at_a_rate & ~exposure.by_policy)
    ports = union([_named_ports(opener) for opener in openers], hooks.space.false)
    return exposure_among(hooks, hook, of_services, ports)


def _named_ports(opener: Share) -> PacketSet:
    """All that the rule opens, to be told from one for many more than a service, is for these."""
    space, rule = opener.analysis.space, opener.rule
    tested = space.universe if rule is None else opener.analysis.tests(rule).may
    return space.project(tested, Field.DPORT)


def _of_services(hooks: Hooks) -> PacketSet:
    ports = tuple((port, port) for service in SERVICES for port in service.ports)
    return hooks.space.ranges(Field.DPORT, ports)


def _behind(hooks: Hooks, exposure: Exposure) -> Iterator[Exposed]:
    space = hooks.space
    translated = union([each.packets for each in exposure.translations], space.false)
    inwards = exposure.accepted_at_a_rate & ~uplinks(hooks, Field.OIF)
    yield from _accepted(hooks, exposure, Hook.FORWARD, inwards & ~translated)
    generated = _generated_rules(hooks)
    for rule, packets in exposure.translations:
        if is_dnat(rule) and rule not in generated:
            sent_on = inwards & packets
            if opened := _services(exposure, sent_on, exposure.now_translated):
                through = tuple(d for d in exposure.accepters(sent_on) if d.rule is not None)
                ports = _count(space, sent_on)
                yield Exposed(rule, "", sent_on, opened, ports, Hook.PREROUTING, through)


def _generated_rules(hooks: Hooks) -> set[Rule]:
    return {
        rule
        for table in hooks.tables()
        for chain, rule in table.rules()
        if is_generated(table, chain.name)
    }


def _accepted(
    hooks: Hooks, exposure: Exposure, hook: Hook, packets: PacketSet
) -> Iterator[Exposed]:
    """What rules that name ports open of ``packets``; behind this host, that name addresses too."""
    space = hooks.space
    to_services = exposure.now(_of_services(hooks))
    if not (packets & to_services).satisfiable():
        return
    for share in exposure.accepters(packets & ~exposure.by_policy, to_services):
        analysis = share.analysis
        if share.rule is None or is_generated(analysis.table, share.chain.name):
            continue
        for chain, rule, opened_to in _naming(share, share.rule):
            named = hook is Hook.INPUT or analysis.restricts(rule, hooks.family.daddr)
            meant = named and not _is_for_all_ports(space, opened_to)
            if meant and (opened := _services(exposure, opened_to, exposure.now)):
                yield Exposed(rule, chain, opened_to, opened, _count(space, opened_to), hook)


def _naming(share: Share, rule: Rule) -> Iterator[tuple[str, Rule, PacketSet]]:
    """The rule, or the calls of its chain where those name the ports that it accepts; each with
    its chain and its packets."""
    analysis, chain, packets = share.analysis, share.chain.name, share.packets
    places = [place for place in analysis.calls.callers(chain) if place.chain != chain]
    if not analysis.restricts(rule, Field.DPORT):
        for place in places:
            call = analysis.table.chains[place.chain].rules[place.number]
            called_with = packets & analysis.tests(call).may
            if called_with.satisfiable() and analysis.restricts(call, Field.DPORT):
                yield place.chain, call, called_with
                packets = packets & ~called_with
    if packets.satisfiable():
        yield chain, rule, packets


def _is_for_all_ports(space: Space, packets: PacketSet) -> bool:
    """Whether ports that are nobody's are accepted too: then it is not about services."""
    ports = space.project(packets, Field.DPORT)
    odd = [(ports & space.value(Field.DPORT, port)).satisfiable() for port in ODD_PORTS]
    return 2 * sum(odd) > len(odd)


def _services(
    exposure: Exposure, packets: PacketSet, now: Callable[[PacketSet], PacketSet]
) -> tuple[Open, ...]:
    """The services that most callers among ``packets`` get to: those that are meant, and among
    very many ports all of several. ``now``: which packets are some others in the end."""
    space = exposure.space

    def to(port: int) -> PacketSet:
        return now(space.value(Field.DPORT, port))

    each = {
        (service, protocol): tuple(Open(service, port, protocol) for port in ports)
        for protocol in _PROTOCOLS
        if (of_protocol := packets & space.value(Field.PROTO, protocol)).satisfiable()
        for service in SERVICES
        if protocol in service.protocols
        if (ports := [p for p in service.ports if _is_open(exposure, of_protocol & to(p))])
    }
    if not is_broad(_count(space, packets), {service for service, _ in each}):
        each = {
            key: opened
            for key, opened in each.items()
            if any(_is_meant(space, one.port, packets) for one in opened)
        }
    return tuple(one for opened in each.values() for one in opened)


def is_broad(ports: int, services: Collection[Service]) -> bool:
    """Whether so many ports are opened that it is about none of the services in particular."""
    return ports > _MANY and len(services) >= _SEVERAL


def _is_open(exposure: Exposure, packets: PacketSet) -> bool:
    return packets.satisfiable() and exposure.is_most(packets)


def _is_meant(space: Space, port: int, packets: PacketSet) -> bool:
    """Whether the port is named, or begins a range, or another was translated to it."""
    ports = space.project(packets, Field.DPORT)

    def has(number: int) -> bool:
        return number >= 0 and (ports & space.value(Field.DPORT, number)).satisfiable()

    if not has(port) or not has(port - 1):
        return True
    before = next(n for n in range(1, _RUN + 2) if n > _RUN or not has(port - n))
    after = next(n for n in range(1, _RUN + 2) if n > _RUN or not has(port + n))
    return before + after - 1 <= _RUN


def _count(space: Space, packets: PacketSet) -> int:
    """How many ports the packets are for."""
    ports = space.project(packets, Field.DPORT)
    return int(ports.sat_count_float(space.fields[Field.DPORT].width))
