"""Items about packets that have to pass, and about some that must not."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import outside
from iptlint.analysis.delivery import delivery
from iptlint.analysis.exposure import Exposure, external_probes
from iptlint.analysis.hook_verdicts import may_be_dropped, may_pass
from iptlint.analysis.shares import Share, shares
from iptlint.benchmark import packets
from iptlint.benchmark.answers import (
    Answer,
    Verdict,
    cannot_tell,
    fails,
    on_each_path,
    passes,
    who,
    worst,
)
from iptlint.benchmark.host import BenchmarkHost, Tool
from iptlint.model import Field, Hook
from iptlint.model.addresses import LOOPBACK, written
from iptlint.model.protocols import TCP, UDP
from iptlint.packets import intervals
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

_SHOWN_PORTS = 8


def _lo_is_open(hooks: Hooks) -> Answer:
    return worst(_lo_at(hooks, hook) for hook in (Hook.INPUT, Hook.OUTPUT))


def _lo_at(hooks: Hooks, hook: Hook) -> Answer:
    sent = [*packets.on_loopback(hooks, hook)]
    fate = delivery(hooks, hook, union(sent, hooks.space.false))
    gone = next((each for each in sent if not (each & fate.through).satisfiable()), None)
    if gone is None:
        uncertain = fate.lost.satisfiable()
        return cannot_tell("some of what is sent over lo may be lost") if uncertain else passes()
    deciders = shares(hooks, hook, gone)
    by = f": {who(deciders[0])} {deciders[0].does} it" if deciders else ""
    return fails(f"lo is not open{by}", deciders[0] if deciders else None)


def _no_spoofing(hooks: Hooks) -> Answer:
    way = Exposure(hooks, Hook.INPUT, [packets.spoofed(hooks)])
    passing = [end.packets for end in way.outcomes if not end.kind.denies]
    coming = union(passing, hooks.space.false)
    if not coming.satisfiable():
        return passes()
    accepted = way.accepted_at_a_rate & packets.plain(hooks, Hook.INPUT)
    certain = accepted.satisfiable()
    accepters = way.accepters(accepted if certain else coming)
    source = written(LOOPBACK[hooks.family])
    if not accepters and certain:
        return fails(f"nothing filters what is from {source} by other interfaces")
    if not accepters:
        return cannot_tell(f"a queue or an unknown target decides what is from {source}")
    does = "accepts" if certain else "may accept"
    verdict = Verdict.FAIL if certain else Verdict.CANNOT_TELL
    reason = f"{who(accepters[0])} {does} some from {source} by other interfaces"
    return Answer(verdict, reason, accepters[0].span)


def _loopback(hooks: Hooks) -> Answer:
    return worst((_lo_is_open(hooks), _no_spoofing(hooks)))


lo_is_open = on_each_path(_lo_is_open)
no_spoofing = on_each_path(_no_spoofing)
loopback = on_each_path(_loopback)


class _Share(Enum):
    ALL = "all"
    SOME = "some"
    NONE = "none"


class _Talk(NamedTuple):
    """Packets of a state at a hook. ``name`` has a place for the protocol."""

    hook: Hook
    state: str
    name: str


_NEW = _Talk(Hook.OUTPUT, "new", "new {} connections of this host")
_RUNNING = (
    _Talk(Hook.INPUT, "established", "{} answers to this host"),
    _Talk(Hook.OUTPUT, "established", "{} packets of running connections"),
)
_PROTOCOLS = ("tcp", "udp", "icmp")


def _connections(hooks: Hooks) -> Answer:
    leaving = may_pass(hooks, Hook.OUTPUT, outside(hooks.space))
    if not leaving.satisfiable():
        return cannot_tell("nothing leaves the host: right where it is not to talk")
    new = {protocol: _share(hooks, _NEW, protocol) for protocol in _PROTOCOLS}
    if all(new[protocol] is _Share.NONE for protocol in ("tcp", "udp")):
        return fails("the host can open no connection", _stopping(hooks, _NEW, "tcp"))
    used = [protocol for protocol, share in new.items() if share is not _Share.NONE]
    answers = [_running(hooks, talk, protocol) for talk in _RUNNING for protocol in used]
    return worst((*answers, *(_policy(hooks, protocol, new[protocol]) for protocol in new)))


def _running(hooks: Hooks, talk: _Talk, protocol: str) -> Answer:
    """What belongs to a connection has to pass where connections do."""
    name = talk.name.format(protocol)
    match _share(hooks, talk, protocol):
        case _Share.ALL:
            return passes()
        case _Share.SOME:
            stopper = _stopping(hooks, talk, protocol)
            return cannot_tell(f"{name} pass in part: is that enough?", stopper)
        case _Share.NONE:
            stopper = _stopping(hooks, talk, protocol)
            by = f": {who(stopper)} {stopper.does} them" if stopper else ""
            return fails(f"{name} do not pass{by}", stopper)


def _policy(hooks: Hooks, protocol: str, share: _Share) -> Answer:
    """What a host may send is its site's policy."""
    if share is _Share.ALL:
        return passes()
    how = "in part" if share is _Share.SOME else "not at all"
    reason = f"{_NEW.name.format(protocol)} pass {how}: is that your policy?"
    return cannot_tell(reason, _stopping(hooks, _NEW, protocol))


def _share(hooks: Hooks, talk: _Talk, protocol: str) -> _Share:
    """All: some interface lets all of a few ordinary packets through for certain."""
    space, field = hooks.space, packets.way_field(talk.hook)
    samples = packets.samples(hooks, talk.hook, protocol, talk.state)
    fate = delivery(hooks, talk.hook, union([*samples], space.false))
    open_ = space.true
    for each in samples:
        open_ = open_ & space.project(each & ~fate.lost, field)
    if open_.satisfiable():
        return _Share.ALL
    everything = packets.all_of(hooks, talk.hook, protocol, talk.state)
    passing = may_pass(hooks, talk.hook, everything)
    return _Share.SOME if passing.satisfiable() else _Share.NONE


def _stopping(hooks: Hooks, talk: _Talk, protocol: str) -> Share | None:
    """Who stops most of them."""
    everything = packets.all_of(hooks, talk.hook, protocol, talk.state)
    deciders = shares(hooks, talk.hook, may_be_dropped(hooks, talk.hook, everything))
    return next((decider for decider in deciders if decider.kind.denies), None)


connections = on_each_path(_connections, six=False)


def services(host: BenchmarkHost, tool: Tool) -> Answer:
    """Lists what is open; whether it is needed is for the user to say."""
    all_hooks = (hooks for family in tool.families for hooks in host.all_hooks(tool, family))
    open_ports = [*dict.fromkeys(port for hooks in all_hooks for port in _open_ports(hooks))]
    more = f" and {len(open_ports) - _SHOWN_PORTS} more" if len(open_ports) > _SHOWN_PORTS else ""
    listed = ", ".join(open_ports[:_SHOWN_PORTS]) + more
    return cannot_tell(f"open to the world: {listed or 'nothing'}; is it all needed?")


def _open_ports(hooks: Hooks) -> Iterator[str]:
    bits = hooks.space.fields[Field.DPORT]
    for name, protocol in (("tcp", TCP), ("udp", UDP)):
        way = Exposure(hooks, Hook.INPUT, external_probes(hooks, Hook.INPUT, protocol))
        open_ = way.most(way.accepted_at_a_rate, Field.DPORT)
        for low, high in intervals.ranges(open_, bits):
            yield f"{name} {low}" if low == high else f"{name} {low}-{high}"
