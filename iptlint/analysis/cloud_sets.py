"""What the filters of a cloud do with packets of both families, in one space, worked out once.

Sets are of packets that open connections, free in all but what clouds look at, and in the address
of the machine: an entry speaks of the other end only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.cloud_layers import answered, of_tuple
from iptlint.analysis.cloud_routes import internet
from iptlint.memo import memo
from iptlint.model import Family, Field, VerdictKind
from iptlint.model.cloud import Cloud, Filter, FilterEntry, FilterKind, IPNetwork, NetInterface
from iptlint.model.cloud_chains import filter_chain, network_tests, rule_of
from iptlint.model.protocols import TCP, UDP
from iptlint.model.writes import Writes
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.packets.bdd import union
from iptlint.packets.match import Matcher
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

FAMILIES = (Family.IP, Family.IP6)
_FEW = 64
"""An entry for more ports than this is about no service of its own: answers come to any port."""


class CloudSets:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.space = Space(("ip", "ip6"), (), defragmented=True)
        self.matcher = Matcher(self.space, Writes())
        opening = self.space.state("new") & self.space.value(Field.FRAGMENT, 0)
        self.every = of_tuple(self.space, self.space.universe & opening)

    # -- entries ------------------------------------------------------------------------------

    @memo
    def entry(self, entry: FilterEntry, *, inbound: bool) -> PacketSet:
        """What an entry may be about."""
        if entry.traffic is None:
            return self.every
        rule = rule_of(self.cloud, entry, inbound=inbound)
        return self.matcher.all_of(rule.matches, self.every).may

    @memo
    def flow(self, filter: Filter, *, inbound: bool) -> ChainFlow:
        return ChainFlow(self.matcher, filter_chain(self.cloud, filter, inbound=inbound), {})

    @memo
    def acl(self, acl: Filter, *, inbound: bool) -> tuple[PacketSet, PacketSet]:
        """The packets that may get through, and those that may not, as they go that way."""
        return _sets(self.flow(acl, inbound=inbound), self.space.universe, self.space)

    def groups(self, groups: Sequence[Filter], *, inbound: bool) -> PacketSet:
        """What one of the groups may let through."""
        entries = (e for group in groups for e in group.entries(inbound=inbound))
        return union([self.entry(each, inbound=inbound) for each in entries], self.space.false)

    def answered(self, answers: PacketSet) -> PacketSet:
        parts = [
            answered(self.space, family, answers & self.space.family(family.value))
            for family in FAMILIES
        ]
        return union(parts, self.space.false) & self.every

    # -- who ----------------------------------------------------------------------------------

    def peers_in(self, networks: Sequence[IPNetwork], *, inbound: bool) -> PacketSet:
        """The packets whose other end is in one of the networks."""
        tests = [
            self.matcher.all_of(network_tests(n, inbound=inbound), self.every) for n in networks
        ]
        return union([each.may for each in tests], self.space.false)

    @memo
    def internet(self) -> PacketSet:
        """The packets from addresses of the internet."""
        parts = [
            self.space.family(family.value) & internet(self.space, family) for family in FAMILIES
        ]
        return union(parts, self.space.false) & self.every

    def whole_internet(self, packets: PacketSet, family: Family) -> bool:
        """Whether they come from every address of the internet."""
        sources = self.space.project(packets & self.internet(), Field.FAMILY, family.saddr)
        world = self.space.project(self.internet(), Field.FAMILY, family.saddr)
        world = world & self.space.family(family.value)
        return not (world & ~sources).satisfiable()

    # -- what for -----------------------------------------------------------------------------

    def ports(self, protocol: int, low: int, high: int) -> PacketSet:
        of_protocol = self.space.value(Field.PROTO, protocol)
        return of_protocol & self.space.fields[Field.DPORT].within(low, high)

    def client_ports(self, low: int, high: int) -> PacketSet:
        return self.space.fields[Field.SPORT].within(low, high)

    def inside(self, filter: Filter, *, inbound: bool) -> PacketSet:
        """What stays in a subnet of the ACL, and so does not meet it."""
        subnets = (self.cloud.subnet(each) for each in filter.subnets)
        networks = [each for subnet in subnets if subnet is not None for each in subnet.prefixes]
        return self.peers_in(networks, inbound=inbound)


def _sets(flow: ChainFlow, within: PacketSet, space: Space) -> tuple[PacketSet, PacketSet]:
    unknown = flow.outcomes.get(VerdictKind.UNKNOWN, space.false)
    passes = flow.outcomes.get(VerdictKind.ACCEPT, space.false) | unknown
    stops = flow.outcomes.get(VerdictKind.DROP, space.false) | flow.returns | unknown
    return of_tuple(space, passes & within), of_tuple(space, stops & within)


@memo
def cloud_sets(cloud: Cloud) -> CloudSets:
    return CloudSets(cloud)


def names_a_service(entry: FilterEntry) -> bool:
    """Whether an entry is for a few ports of tcp or udp, and so for a service."""
    traffic = entry.traffic
    if traffic is None or traffic.ports is None or traffic.protocol not in (TCP, UDP):
        return False
    low, high = traffic.ports
    return high - low < _FEW


def groups_at(cloud: Cloud, interface: NetInterface) -> list[Filter]:
    return [each for each in cloud.filters_of(interface) if each.kind is FilterKind.GROUP]
