"""The errors by which routers say that a packet was too big: whether they come through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.connections import decides_by_connections
from iptlint.analysis.default_verdict import (
    accepted_by_default,
    dropped_by_default,
    forwards_on_its_own,
    outside,
    probes,
)
from iptlint.analysis.delivery import delivery, droppers_at
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.handshake import leads_someone_through, untracks
from iptlint.analysis.hook_verdicts import some_pass
from iptlint.analysis.largest_share import LargestShare, largest_denier, largest_of
from iptlint.analysis.shares import Share
from iptlint.analysis.untracked import untracked_by_rules
from iptlint.model import Family, Field, Hook, Rule
from iptlint.model.protocols import ICMP, ICMP6
from iptlint.model.writes import CONNTRACK_FIELDS
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_FREE = (Field.IIF, Field.OIF, Field.CT_DIRECTION, Field.LENGTH, Field.TTL)
_HOOKS = (Hook.INPUT, Hook.FORWARD)


class TooBig(NamedTuple):
    """The error of one family. ``name``: what to call it."""

    name: str
    family: Family
    protocol: int
    type: int
    code: int


FRAGMENTATION_NEEDED = TooBig(
    '"fragmentation needed" errors (ICMP type 3, code 4)', Family.IP, ICMP, 3, 4
)
PACKET_TOO_BIG = TooBig('"packet too big" errors (ICMPv6 type 2)', Family.IP6, ICMP6, 2, 0)


class Loss(NamedTuple):
    """Who drops the errors at a hook. ``by_state``: a test of the state may let them in there."""

    error: TooBig
    hook: Hook
    chain: str
    share: Share
    by_state: bool
    witness: Packet | None


def lost(hooks: Hooks, error: TooBig) -> Iterator[Loss]:
    """Where errors about connections whose own packets pass are certainly dropped."""
    if hooks.family is not error.family:
        return
    reported: set[Rule] = set()
    for hook in _HOOKS:
        main = hooks.deciding_chain(hook)
        if main is None or (hook is Hook.FORWARD and not _is_led_by_rules(hooks)):
            continue
        sent = _sent(hooks, hook, error) & _untrusted(hooks, hook)
        if not is_turned_away(hooks, hook, sent) or not _runs(hooks, hook):
            continue
        share = turned_away_by(hooks, hook, sent).share_of(sent)
        if share.rule in reported:
            continue
        if share.rule is not None:
            reported.add(share.rule)
        yield _loss(hooks, hook, share, error)


def _is_led_by_rules(hooks: Hooks) -> bool:
    """Whether something is forwarded because rules that are here let it through."""
    return not forwards_on_its_own(hooks) and leads_someone_through(hooks)


def _loss(hooks: Hooks, hook: Hook, share: Share, error: TooBig) -> Loss:
    base = share.base(hook)
    # The chains of PREROUTING may be asked before anyone knows of connections.
    by_state = base.hook is hook and decides_by_connections(hooks)
    return Loss(error, hook, base.name, share, by_state, shown_for(hooks, hook, share))


def is_turned_away(hooks: Hooks, hook: Hook, sent: PacketSet) -> bool:
    """Whether somebody ends the packets, which open no connection, and none comes through."""
    if hooks.decides_alone(hook):
        at_hook = sent & hooks.hook_packets(hook)
        return at_hook.satisfiable() and not some_pass(hooks, hook, sent)
    return sent.satisfiable() and not delivery(hooks, hook, sent).comes_through


def turned_away(hooks: Hooks, hook: Hook, sent: PacketSet) -> list[Share]:
    """Who ends the packets, which open no connection, on the way with the hook: the largest share
    first, nobody if some may come through."""
    if not is_turned_away(hooks, hook, sent):
        return []
    if hooks.decides_alone(hook):
        return droppers_at(hooks, hook, sent)
    return delivery(hooks, hook, sent).droppers


def turned_away_by(hooks: Hooks, hook: Hook, sent: PacketSet) -> LargestShare:
    """Who ends most of packets that are turned away."""
    if hooks.decides_alone(hook):
        most = largest_denier(hooks, hook, sent)
    else:
        most = largest_of(delivery(hooks, hook, sent).droppers)
    assert most is not None
    return most


def _sent(hooks: Hooks, hook: Hook, error: TooBig) -> PacketSet:
    values = {
        Field.PROTO: error.protocol,
        Field.ICMP_TYPE: error.type,
        Field.ICMP_CODE: error.code,
        Field.SPORT: 0,
        Field.DPORT: 0,
    }
    each = probes(hooks, hook, "related", free=_FREE, values=values)
    sent = union([*each], hooks.space.false) & hooks.hook_packets(hook)
    return _as_tracked(hooks, hook, sent)


def _as_tracked(hooks: Hooks, hook: Hook, sent: PacketSet) -> PacketSet:
    """The errors as they come to the hook: of those that rules keep from being tracked nobody
    knows a connection."""
    if not untracks(hooks):
        return sent
    loose = untracked_by_rules(hooks, hook, sent)
    untracked = hooks.space.forget(loose, CONNTRACK_FIELDS) & hooks.space.state("untracked")
    return (sent & ~loose) | (untracked & hooks.space.universe)


def _runs(hooks: Hooks, hook: Hook) -> bool:
    """Whether packets of most established connections come through, where errors do not."""
    side = _untrusted(hooks, hook)
    each = [one & side for one in probes(hooks, hook, "established", "ack")]
    running = [one for one in each if one.satisfiable() and not is_turned_away(hooks, hook, one)]
    return 2 * len(running) > len(each)


def _untrusted(hooks: Hooks, hook: Hook) -> PacketSet:
    """The packets on interfaces from which not everything is accepted, where some are such."""
    packets = outside(hooks.space)
    denied = dropped_by_default(hooks, hook).satisfiable()
    return packets & ~accepted_by_default(hooks, hook) if denied else packets
