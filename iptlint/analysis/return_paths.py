"""Connections that a network ACL lets in, or out, and whose answers it stops: it has no memory."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.cloud_sets import CloudSets, cloud_sets, groups_at, names_a_service
from iptlint.model import Field, Rule
from iptlint.model.cloud import Cloud, Filter, FilterKind
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

EPHEMERAL = (1024, 65535)
"""The ports that clients may have; each system takes some of them."""

LINUX = (32768, 60999)
"""Those that Linux takes, unless it is told otherwise (net.ipv4.ip_local_port_range)."""


class Extent(Enum):
    """How many of the client's ports get no answer."""

    ALL = "all"
    MANY = "many"  # of those that Linux takes
    OTHERS = "others"  # only ones that Linux does not take


class LostAnswers(NamedTuple):
    """``inbound``: the connections come in. ``entry``: the rule of the chain that stops most
    answers. ``packets``: what opens the connections."""

    acl: Filter
    inbound: bool
    entry: Rule
    packets: PacketSet
    lost_ports: PacketSet
    extent: Extent


def lost_answers(cloud: Cloud) -> Iterator[LostAnswers]:
    sets = cloud_sets(cloud)
    for acl in cloud.of_kind(FilterKind.ACL):
        for inbound in (True, False):
            lost = _lost(sets, acl, inbound=inbound)
            if lost is not None:
                yield lost


def _lost(sets: CloudSets, acl: Filter, *, inbound: bool) -> LostAnswers | None:
    opened = _opened(sets, acl, inbound=inbound) & sets.client_ports(*EPHEMERAL)
    passes, stops = sets.acl(acl, inbound=not inbound)
    lost = opened & sets.answered(stops) & ~sets.answered(passes)
    if not lost.satisfiable():
        return None
    saved = sets.space.forget(opened & ~lost, (Field.SPORT,))
    all_lost = lost & ~saved
    extent = Extent.OTHERS
    if all_lost.satisfiable():
        lost, extent = all_lost, Extent.ALL
    elif (lost & sets.client_ports(*LINUX)).satisfiable():
        extent = Extent.MANY
    ports = sets.space.project(lost, Field.SPORT)
    return LostAnswers(acl, inbound, _stopper(sets, acl, lost, inbound), lost, ports, extent)


def _opened(sets: CloudSets, acl: Filter, *, inbound: bool) -> PacketSet:
    """Connections to services that entries are for: of the ACL itself, or of groups behind it. An
    entry for many ports may be there for answers only."""
    cloud = sets.cloud
    interfaces = [one for one in cloud.interfaces if cloud.acl_of(one) is acl]
    entries = [e for e in acl.entries(inbound=inbound) if e.allows and names_a_service(e)]
    passes, _ = sets.acl(acl, inbound=inbound)
    passes = passes & ~sets.inside(acl, inbound=inbound)
    of_acl = union([sets.entry(e, inbound=inbound) for e in entries], sets.space.false)
    if not interfaces or not any(cloud.of_kind(FilterKind.GROUP)):
        return of_acl & passes
    groups = [group for each in interfaces for group in groups_at(cloud, each)]
    named = [e for g in groups for e in g.entries(inbound=inbound) if names_a_service(e)]
    of_groups = union([sets.entry(e, inbound=inbound) for e in named], sets.space.false)
    let_by_groups = sets.groups(groups, inbound=inbound)
    return passes & let_by_groups & (of_acl | of_groups)


def _stopper(sets: CloudSets, acl: Filter, lost: PacketSet, inbound: bool) -> Rule:
    """The rule that stops the answers, the first of several."""
    flow = sets.flow(acl, inbound=not inbound)
    for number, rule in enumerate(flow.chain.rules):
        taken = flow.arriving[number] & flow.tests[number].may
        if not rule.verdict.kind.passes and (sets.answered(taken) & lost).satisfiable():
            return rule
    return flow.chain.rules[-1]
