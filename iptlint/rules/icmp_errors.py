"""The errors by which routers say that a packet was too big: whether they come through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, Family, Field, Hook
from iptlint.netfilter.course import ROUTES
from iptlint.netfilter.deciders import Decider, deciders
from iptlint.netfilter.passage import passage
from iptlint.netfilter.path import Path
from iptlint.netfilter.posture import (
    accepted_by_default,
    denied_by_default,
    forwards_on_its_own,
    outside,
    strangers,
)
from iptlint.packets.bits import union
from iptlint.packets.matcher import reads_conntrack
from iptlint.packets.packet import Packet
from iptlint.packets.witness import witness
from iptlint.rules import remedies
from iptlint.rules.remedies import Remedy

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet

_FREE = (Field.IIF, Field.OIF, Field.CT_DIRECTION, Field.LENGTH, Field.TTL)
_HOOKS = (Hook.INPUT, Hook.FORWARD)


class TooBig(NamedTuple):
    """The error of one family. ``related``: the types that conntrack calls so, of which IPT201
    tells where none of them comes through; ``remedy``: for rules that know no states."""

    family: Family
    protocol: int
    type: int
    code: int
    related: tuple[int, int]
    remedy: Remedy


class Loss(NamedTuple):
    """Who drops the errors at a hook."""

    hook: Hook
    chain: str
    decider: Decider
    advice: str
    witness: Packet | None


def lost(path: Path, error: TooBig) -> Iterator[Loss]:
    """Where errors about connections whose own packets pass are certainly dropped."""
    if path.family is not error.family:
        return
    told: set[int] = set()
    for hook in _HOOKS:
        main = path.main(hook)
        if main is None or (hook is Hook.FORWARD and forwards_on_its_own(path)):
            continue
        sent = _sent(path, hook, error) & _untrusted(path, hook)
        enders = turned_away(path, hook, sent)
        if not enders or not _runs(path, hook) or _is_of_states(path, hook, error):
            continue
        decider = enders[0]
        if decider.rule is not None and id(decider.rule) in told:
            continue
        told.add(id(decider.rule))
        yield _loss(path, hook, decider, error)


def _loss(path: Path, hook: Hook, decider: Decider, error: TooBig) -> Loss:
    base = base_at(decider, hook)
    # The chains of PREROUTING may be asked before anyone knows of connections.
    by_state = base.hook is hook and _knows_states(path)
    advice = remedies.first(decider, base.name, remedies.RELATED if by_state else error.remedy)
    seen = decider.packets & path.hook_packets(hook)
    return Loss(hook, base.name, decider, advice, witness(path.space, seen, hook))


def base_at(decider: Decider, hook: Hook) -> Chain:
    """The base chain that leads to who decides: the one at the hook, if several do."""
    bases = decider.walk.bases_of(decider.chain.name)
    return next((base for base in bases if base.hook is hook), bases[0])


def turned_away(path: Path, hook: Hook, sent: PacketSet) -> list[Decider]:
    """Who ends the packets, which open no connection, on the way with the hook: the largest share
    first, nobody if some may come through."""
    if not sent.satisfiable():
        return []
    if not (sent & path.may_pass(hook)).satisfiable():
        return deciders(path, hook, sent)
    others = (at for at in ROUTES[hook] if at is not hook)
    if not any(path.may_die(at).satisfiable() for at in others):
        return []
    way = passage(path, hook, sent)
    # What belongs to a connection, or has none, never comes to a chain of the type nat.
    translating = (base_at(ender, hook).type == "nat" for ender in way.enders)
    return [] if way.comes_through or any(translating) else way.enders


def _sent(path: Path, hook: Hook, error: TooBig) -> PacketSet:
    values = {
        Field.PROTO: error.protocol,
        Field.ICMP_TYPE: error.type,
        Field.ICMP_CODE: error.code,
        Field.SPORT: 0,
        Field.DPORT: 0,
    }
    each = strangers(path, hook, "related", free=_FREE, values=values)
    return union([*each], path.space.false) & path.hook_packets(hook)


def _runs(path: Path, hook: Hook) -> bool:
    """Whether packets of most established connections come through, where errors do not."""
    side = _untrusted(path, hook)
    each = [one & side for one in strangers(path, hook, "established", "ack")]
    running = [one for one in each if one.satisfiable() and not turned_away(path, hook, one)]
    return 2 * len(running) > len(each)


def _untrusted(path: Path, hook: Hook) -> PacketSet:
    """The packets on interfaces from which not everything is accepted, where some are such."""
    found = outside(path.space)
    denied = denied_by_default(path, hook).satisfiable()
    return found & ~accepted_by_default(path, hook) if denied else found


def _is_of_states(path: Path, hook: Hook, error: TooBig) -> bool:
    """Whether no error at all comes through, because RELATED is missing: IPT201 tells of that."""
    denied = denied_by_default(path, hook)
    if not denied.satisfiable() or not _knows_states(path):
        return False
    space = path.space
    errors = (
        path.hook_packets(hook)
        & denied
        & outside(space)
        & space.value(Field.PROTO, error.protocol)
        & space.ranges(Field.ICMP_TYPE, (error.related,))
        & space.state("related")
    )
    return not (errors & path.may_pass(hook)).satisfiable()


def _knows_states(path: Path) -> bool:
    rules = (rule for table in path.tables() for _, rule in table.rules())
    return any(reads_conntrack(rule.matches) for rule in rules)
