"""The errors by which routers say that a packet was too big: whether they come through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Family, Field, Hook
from iptlint.netfilter.deciders import Decider, deciders
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
    for hook in _HOOKS:
        main = path.main(hook)
        if main is None or (hook is Hook.FORWARD and forwards_on_its_own(path)):
            continue
        space, passing = path.space, path.may_pass(hook)
        sent = _sent(path, hook, error) & _untrusted(path, hook)
        if not sent.satisfiable() or (sent & passing).satisfiable():
            continue
        if not _runs(path, hook) or _is_of_states(path, hook, error):
            continue
        decider = deciders(path, hook, sent)[0]
        remedy = remedies.RELATED if _knows_states(path) else error.remedy
        advice = remedies.first(decider, main.chain.name, remedy)
        seen = decider.packets & path.hook_packets(hook)
        yield Loss(hook, main.chain.name, decider, advice, witness(space, seen, hook))


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
    passing = path.may_pass(hook) & _untrusted(path, hook)
    each = [*strangers(path, hook, "established", "ack")]
    return 2 * sum((one & passing).satisfiable() for one in each) > len(each)


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
