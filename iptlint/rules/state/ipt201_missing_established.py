"""Packets of running connections are dropped, because no rule accepts their state.

## What it does
Follows the answer to a connection: what this host opens (and OUTPUT lets out) comes back
at INPUT, what INPUT lets in is answered at OUTPUT, and what FORWARD lets through is
answered there. Where such a chain denies by default and no answer can pass, that is
reported, at the policy or the closing rule that drops it. Two milder cases have their own
words: only answers from, or to, certain ports or addresses pass, and established packets pass
but ICMP errors about them (state RELATED) do not; where no connection is led through, there are
none to have errors. A host that lets nothing in at all, as some do over IPv6, gets a warning: what
it opens hangs until it times out.

## Why it matters
A firewall that lets a connection begin and drops its second packet looks strict and is
broken: name lookups, updates and time stop working, and the cause is hard to see from the
rules alone. Without RELATED, "fragmentation needed" is lost and large transfers hang.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
Accept what belongs to a known connection, first in the chain:
```
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
```
in nft `ct state established,related accept`.
This replaces pairs such as `--sport 53`, which any stranger can use to get in.

## When it is wrong
Where the host is meant to open no connection of its own, yet OUTPUT lets it try. Say so in
OUTPUT, or suppress the finding.

## References
- iptables-extensions(8), conntrack: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- RFC 2979, 3.1.1 (path MTU discovery through firewalls): https://www.rfc-editor.org/rfc/rfc2979
- RFC 4890 (ICMPv6 filtering): https://www.rfc-editor.org/rfc/rfc4890
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.answer_ways import come_by_the_card, lost_on, on_some
from iptlint.analysis.connections import decides_by_connections, few_ports, refused_answers
from iptlint.analysis.default_verdict import ODD_PORTS, dropped_by_default, outside, probes, public
from iptlint.analysis.delivery import delivery
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.exposure import invited, same_interface
from iptlint.analysis.external_interfaces import names_all
from iptlint.analysis.handshake import (
    answers,
    any_answer,
    is_answered,
    is_lost_on_the_way,
    is_switched_off,
    leads_someone_through,
    opening,
    untracks,
)
from iptlint.analysis.hook_verdicts import lets_nothing_through, may_end, may_pass
from iptlint.analysis.ipv6_counterpart import is_about_ip6
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, packet_count, shares
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.acceptance import acceptance
from iptlint.findings.fix import Change, Fix, joined
from iptlint.findings.per_family import for_each_family, gravest
from iptlint.model import Family, Field, Hook, VerdictKind, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.protocols import ICMP, ICMP6, UDP
from iptlint.model.syntax import Suggestion
from iptlint.model.writes import reads_conntrack
from iptlint.packets.bdd import union
from iptlint.packets.describe.lists import listed
from iptlint.packets.mirror import mirrored, mirrored_among
from iptlint.packets.space import Space
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.match import Tests

META = Meta(
    code="IPT201",
    name="missing-established",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
    fixable=True,
    yields_to=("IPT209", "IPT304"),
    leaves_to=dict.fromkeys(("IPT607", "IPT703"), "a rule that denies ICMP is a fault of its own"),
)

_EPHEMERAL = (32768, 60999)  # net.ipv4.ip_local_port_range
_ICMP_ERRORS = {
    # RFC 792 destination unreachable, with "fragmentation needed" among its codes.
    Family.IP: (ICMP, (3, 3), "destination unreachable, fragmentation needed"),
    # RFC 4443: unreachable, packet too big, time exceeded, parameter problem.
    Family.IP6: (ICMP6, (1, 4), "destination unreachable, packet too big"),
}
_ANY_ICMP_ERRORS = "destination unreachable, fragmentation needed, packet too big"
_RARE = 100
_NAMED_RULES = 3


class _Way(NamedTuple):
    """New connections are seen at ``there``, their answers at ``back``."""

    there: Hook
    back: Hook
    lost: str


_WAYS = (
    _Way(Hook.OUTPUT, Hook.INPUT, "connections this host opens never come back"),
    _Way(Hook.INPUT, Hook.OUTPUT, "connections that come in never leave"),
    _Way(Hook.FORWARD, Hook.FORWARD, "connections that are let through never return"),
)


def check(context: Context) -> Iterator[Finding]:
    return gravest(for_each_family(context, _check_family))


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    whole = Cause(hooks.ruleset, hooks.family)
    for finding in _missing(hooks):
        yield replace(finding, causes=(whole, *finding.causes))


def _missing(hooks: Hooks) -> Iterator[Finding]:
    if is_switched_off(hooks) or refused_answers(hooks.ruleset):
        return
    denying = [way for way in _WAYS if dropped_by_default(hooks, way.back).satisfiable()]
    yield from _as_one([finding for way in denying for finding in _answers(hooks, way)])
    for way in denying:
        yield from _errors(hooks, way.back)


def _as_one(findings: Sequence[Finding]) -> Iterator[Finding]:
    """That no rule accepts established connections is one fault, in however many chains."""
    grave = [each for each in findings if each.severity is Severity.ERROR]
    if len(grave) < 2:
        yield from findings
        return
    first, *others = grave
    heads = [each.message.partition(":")[0] for each in others]
    fix = joined([each.fix for each in grave])
    steps = [each.fix.says if each.fix else each.advice for each in grave]
    yield replace(
        first,
        message=f"{first.message}; and {listed(heads)}",
        advice="" if fix else "; and ".join(dict.fromkeys(steps)),
        related=(
            *first.related,
            *(Label(f.span, "drops those") for f in others if f.span != first.span),
        ),
        fix=fix,
    )
    yield from (each for each in findings if each not in grave)


def _answers(hooks: Hooks, way: _Way) -> Iterator[Finding]:
    space, denied = hooks.space, dropped_by_default(hooks, way.back)
    new = opening(hooks) & mirrored(space, denied)
    if way.back is Hook.INPUT:
        new = new & space.ranges(Field.SPORT, (_EPHEMERAL,))
    if way.back is Hook.FORWARD:
        new = new & ~same_interface(space, named=True) & _between_named(space)
    elif names_all(hooks):
        field = Field.OIF if way.there is Hook.OUTPUT else Field.IIF
        new = new & ~space.value(field, space.interfaces.count - 1)
    opened = invited(hooks, way.there, may_end(hooks, way.there, VerdictKind.ACCEPT, new))
    if not opened.satisfiable():
        return
    if not is_answered(hooks, opened, way.back):
        sent = _sent(hooks, way, opened)
        droppers = shares(hooks, way.back, sent)
        yield _none(hooks, way, droppers, sent, elsewhere=may_pass(hooks, way.back, outside(space)))
    elif is_lost_on_the_way(hooks, opened, way.back):
        sent = _sent(hooks, way, opened)
        droppers = delivery(hooks, way.back, sent).droppers
        yield _none(hooks, way, droppers, sent, space.false, untracks(hooks))
    elif way.back is Hook.INPUT:
        yield from _few(hooks, way, opened)
    else:
        yield from _hardly_any(hooks, way, opened)


def _between_named(space: Space) -> PacketSet:
    """From one interface that rules name to another, where they name several: there may be no
    further one."""
    names = {cls.name for cls in space.interfaces.classes} - {"", "lo"}
    other = space.interfaces.count - 1
    unnamed = space.value(Field.IIF, other) | space.value(Field.OIF, other)
    return ~unnamed if len(names) > 1 else space.true


def _sent(hooks: Hooks, way: _Way, opened: PacketSet) -> PacketSet:
    return answers(hooks, opened, way.back, "syn", "ack", reply=True)


def _over(
    hooks: Hooks, way: _Way, opened: PacketSet, *fields: Field
) -> tuple[PacketSet, PacketSet]:
    """Over the fields: all answers to what is opened, and those that may pass."""
    every = any_answer(hooks, way.back, "syn", "ack", reply=True)
    passing = may_pass(hooks, way.back, every)
    return (
        mirrored_among(hooks.space, opened, every, *fields),
        mirrored_among(hooks.space, opened, passing, *fields),
    )


def _hardly_any(hooks: Hooks, way: _Way, opened: PacketSet) -> Iterator[Finding]:
    """Answers get to next to no client, as by the rule for some service: its port is also one that
    a client may have."""
    everyone, answered = _over(hooks, way, opened, hooks.family.daddr, Field.DPORT)
    if _RARE * packet_count(answered) < packet_count(everyone):
        rarely = way._replace(lost=way.lost.replace(" never ", " hardly ever "))
        sent = _sent(hooks, way, opened)
        lost = sent & ~may_pass(hooks, way.back, sent)
        finding = _none(hooks, rarely, shares(hooks, way.back, lost), lost, hooks.space.false)
        yield replace(finding, severity=Severity.WARNING)


def _none(
    hooks: Hooks,
    way: _Way,
    droppers: list[Share],
    lost: PacketSet,
    elsewhere: PacketSet,
    untracked: bool = False,
) -> Finding:
    """No answer passes on the interfaces that deny by default. ``untracked``: rules turn the
    tracking of connections off, so that no packet is of an established one. A host that lets
    nothing in was closed on purpose; only that connections go out is left of the fault."""
    where, by_name = lost_on(hooks, way.back, lost, elsewhere)
    share = droppers[0]
    closed = way.back is Hook.INPUT and lets_nothing_through(hooks, Hook.INPUT)
    remedy = suggestions.UNTRACKED if untracked else suggestions.ESTABLISHED
    mend = suggestions.first(share, _chain(hooks, way.back), remedy)
    return META.finding(
        share.span,
        f"answers to {'tcp ' * _udp_passes(hooks, way.back, lost)}{way.lost}{where}: "
        f"{'untracked as they are, ' * untracked}{share.first} them"
        + " and all else, while connections may be opened"
        * closed,
        f"{mend}; or, if all is to be closed, drop in output too" if closed else mend,
        witness=shown_for(hooks, way.back, _plain(hooks, way, share)),
        severity=Severity.WARNING if by_name or closed else None,
        confidence=Confidence.POSSIBLE if by_name else None,
        fix=None if closed or untracked else _fix(share, way.back, remedy, *_OF_CONNECTIONS),
        causes=(Cause(hooks.ruleset, part=share.rule),) if share.rule else (),
    )


_OF_CONNECTIONS = ("established", "related")


def _fix(share: Share, hook: Hook, remedy: Suggestion, *states: str) -> Fix | None:
    """The rule at the top of the chain that drops the answers, for all packets of the states."""
    numbers = tuple((CT_STATES.index(state),) * 2 for state in states)
    test = Within(Field.CT_STATE, numbers)
    change = Change(VerdictKind.ACCEPT, (hook,), ((test,),))
    fix = acceptance(share, hook, [remedy], change)
    if fix is None or hook is not Hook.OUTPUT:
        return fix
    # Who gets answers can try passwords.
    return replace(fix, leads_to=(*fix.leads_to, "IPT604"))


def _udp_passes(hooks: Hooks, hook: Hook, lost: PacketSet) -> bool:
    """Whether answers over udp do where those over tcp are lost, from a port of nobody's."""
    values = {Field.PROTO: UDP, Field.SPORT: ODD_PORTS[0]}
    answers = probes(hooks, hook, "established", values=values)
    interfaces = hooks.space.project(lost, Field.IIF, Field.OIF)
    return all(may_pass(hooks, hook, one & interfaces).satisfiable() for one in answers)


def _chain(hooks: Hooks, hook: Hook) -> str:
    main = hooks.deciding_chain(hook)
    return main.chain.name if main else hook.name


def _plain(hooks: Hooks, way: _Way, share: Share) -> Share:
    """With answers as they are seen most: from a web server, or to a client's port."""
    space = hooks.space
    port = space.value(Field.SPORT, 443)
    if way.back is Hook.OUTPUT:
        port = space.ranges(Field.DPORT, (_EPHEMERAL,))
    plain = share.packets & port
    return replace(share, packets=plain) if plain.satisfiable() else share


def _few(hooks: Hooks, way: _Way, opened: PacketSet) -> Iterator[Finding]:
    """Most answers from public addresses are lost, though some come back."""
    space, saddr = hooks.space, hooks.family.saddr
    everyone, answered = (
        packets & public(hooks, saddr) for packets in _over(hooks, way, opened, saddr, Field.SPORT)
    )
    if 2 * packet_count(answered) >= packet_count(everyone):
        return
    sent = _sent(hooks, way, opened)
    lost, back = sent & everyone & ~answered, may_pass(hooks, Hook.INPUT, sent)
    share = shares(hooks, Hook.INPUT, lost)[0]
    accepting = [d for d in shares(hooks, Hook.INPUT, back) if d.rule and not d.kind.denies]
    stateless = not any(reads_conntrack(d.rule.matches) for d in accepting if d.rule)
    why = ", since no rule accepts established connections as such" if stateless else ""
    where = on_some(hooks, lost)
    yield META.finding(
        share.span,
        f"answers to connections this host opens come back{where} only from "
        f"{_whom(space, answered)}: "
        f"{share.name} {share.does} the others{why}",
        suggestions.first(share, _chain(hooks, Hook.INPUT), suggestions.ESTABLISHED),
        fix=_fix(share, Hook.INPUT, suggestions.ESTABLISHED, *_OF_CONNECTIONS),
        related=tuple(Label(d.span, "these come back") for d in accepting[:_NAMED_RULES]),
        witness=shown_for(hooks, Hook.INPUT, _plain(hooks, _WAYS[0], share)),
        severity=Severity.WARNING,
        confidence=None if answered.satisfiable() else Confidence.POSSIBLE,
    )


def _whom(space: Space, answered: PacketSet) -> str:
    if not answered.satisfiable():
        return "certain addresses"
    ports = [str(port) for port in few_ports(space, answered, Field.SPORT)]
    return f"port{'s' * (len(ports) > 1)} {listed(ports)}" if ports else "certain ports"


def _errors(hooks: Hooks, hook: Hook) -> Iterator[Finding]:
    """Established packets pass, and the ICMP errors about them do not."""
    led = hook is Hook.INPUT or (hook is Hook.FORWARD and leads_someone_through(hooks))
    if not led or not decides_by_connections(hooks):
        return
    led_surely = hook is Hook.INPUT or hooks.family is Family.IP or is_about_ip6(hooks)
    space, denied = hooks.space, dropped_by_default(hooks, hook)
    running = union([*probes(hooks, hook, "established", "ack")], space.false) & denied
    running = may_pass(hooks, hook, running)
    protocol, types, what = _ICMP_ERRORS[hooks.family]
    established, related = hooks.ruleset.syntax.pick(
        iptables=("ESTABLISHED", "RELATED"), nft=("established", "related")
    )
    if Family.INET in hooks.ruleset.families:
        what = _ANY_ICMP_ERRORS
    errors = hooks.hook_packets(hook) & denied & outside(space) & space.state("related")
    errors = errors & space.value(Field.PROTO, protocol) & space.ranges(Field.ICMP_TYPE, (types,))
    if not running.satisfiable() or may_pass(hooks, hook, errors).satisfiable():
        return
    if hook is Hook.INPUT and come_by_the_card(hooks, protocol, types):
        return
    share = shares(hooks, hook, errors)[0]
    if share.rule is not None and share.analysis.restricts(share.rule, Field.PROTO):
        return
    accepting = [d for d in shares(hooks, hook, running) if d.rule]
    yield META.finding(
        share.span,
        f"ICMP errors about running connections (state {related}: {what}) are lost: "
        f"{share.name} {share.does} them, so path MTU discovery fails and transfers hang",
        suggestions.first(share, _chain(hooks, hook), suggestions.RELATED),
        related=tuple(
            Label(d.span, _accepts(d.analysis.tests(d.rule), space, established, related))
            for d in accepting[:1]
            if d.rule and not (d.analysis.tests(d.rule).may & errors).satisfiable()
        ),
        witness=shown_for(hooks, hook, share),
        severity=Severity.WARNING,
        confidence=None if led_surely else Confidence.POSSIBLE,
        causes=(Cause(hooks.ruleset, hooks.family, hook),),
        fix=_fix(share, hook, suggestions.RELATED, "related"),
    )


def _accepts(tests: Tests, space: Space, established: str, related: str) -> str:
    """What a rule accepts that none of the errors passes."""
    if (tests.may & space.state("related")).satisfiable():
        return f"accepts what is {related} too, but no ICMP"
    return f"accepts {established} without {related}"
