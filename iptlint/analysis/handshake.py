"""A connection's packets from one hook to the other: what answers to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import is_shut_before, outside, public
from iptlint.analysis.delivery import delivery
from iptlint.analysis.hook_verdicts import may_pass, some_pass
from iptlint.memo import memo
from iptlint.model import (
    EffectKind,
    Family,
    Field,
    Hook,
    Interface,
    Match,
    VerdictKind,
    addresses,
)
from iptlint.model.addresses import AddressKind
from iptlint.model.matches import Sender
from iptlint.model.owners import owner_of_interface
from iptlint.model.protocols import TCP, tcp_flag_bits
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union
from iptlint.packets.mirror import mirrored, mirrored_among
from iptlint.packets.original import opaque_tests
from iptlint.packets.samples import samples as a_few
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_REDIRECTING = ("DNAT", "REDIRECT", "TPROXY")
_SAMPLES = 8


_UNICAST = 0


def flags(space: Space, *names: str) -> PacketSet:
    """The packets with exactly these tcp flags set, of connections: a later fragment has none to
    see, and what was sent to all or to a group is never for tcp (tcp_v4_rcv in tcp_ipv4.c)."""
    packets = space.value(Field.TCP_FLAGS, tcp_flag_bits(*names)) & space.value(Field.FRAGMENT, 0)
    return packets & space.value(Field.PKTTYPE, _UNICAST)


def first_packets(hooks: Hooks, ports: tuple[int, ...] | None = None) -> PacketSet:
    """SYNs that open a connection, to one of the ports where they are given; untracked ones
    too where rules of the family turn tracking off."""
    space = hooks.space
    states = ("new", "untracked") if untracks(hooks) else ("new",)
    packets = space.universe & space.family(hooks.family.value)
    packets = packets & space.value(Field.PROTO, TCP) & flags(space, "syn")
    packets = packets & space.state(*states)
    return packets & space.ranges(Field.DPORT, tuple((p, p) for p in ports)) if ports else packets


@memo
def opening(hooks: Hooks, ports: tuple[int, ...] | None = None) -> PacketSet:
    """``first_packets`` as they come from outside, or go there, between machines."""
    packets = first_packets(hooks, ports) & clients(hooks.space) & outside(hooks.space)
    return packets & between_machines(hooks)


def guests(space: Space) -> PacketSet:
    """The packets from and to what runs on the host itself: containers and virtual machines. By
    tailscale people come in."""
    names = [
        cls.name
        for cls in space.interfaces.classes
        if (owner := owner_of_interface(cls.name)) is not None and owner.name != "tailscale"
    ]
    sides = [space.interface(side, name) for name in names for side in (Field.IIF, Field.OIF)]
    return union(sides, space.false)


@memo
def lets_someone_in(hooks: Hooks) -> bool:
    """Whether some connection may be opened to this host."""
    decided = hooks.deciding_chain(Hook.INPUT) is not None and not is_shut_before(hooks)
    return decided and some_pass(hooks, Hook.INPUT, opening(hooks))


@memo
def is_switched_off(hooks: Hooks) -> bool:
    """Whether IPv6 is: nothing comes past PREROUTING, or nothing leaves, and no rule accepts
    anything but on lo."""
    if hooks.family is not Family.IP6:
        return False
    if is_shut_before(hooks):
        return True
    if hooks.deciding_chain(Hook.OUTPUT) is None:
        return False
    if some_pass(hooks, Hook.OUTPUT, hooks.hook_packets(Hook.OUTPUT) & outside(hooks.space)):
        return False
    accepting = (r for r in hooks.examples() if r.verdict.kind is VerdictKind.ACCEPT)
    return all(any(map(_is_lo, rule.matches)) for rule in accepting)


def _is_lo(match: Match) -> bool:
    return isinstance(match, Interface) and match.name == "lo" and not match.negated


def leads_someone_through(hooks: Hooks) -> bool:
    """Whether some connection may be opened through this host: else nothing is forwarded, and no
    error about it comes."""
    return not is_shut_before(hooks) and some_pass(hooks, Hook.FORWARD, opening(hooks))


@memo
def between_machines(hooks: Hooks) -> PacketSet:
    """The packets from and to addresses that machines have. Only a translated one is to a
    loopback address, and not on the loopback interface: route_localnet."""
    family, space = hooks.family, hooks.space
    nowhere = addresses.ranges(family, AddressKind.NOBODY)
    loopback = addresses.ranges(family, AddressKind.LOOPBACK)
    from_none = space.ranges(family.saddr, nowhere + loopback)
    to_none = space.ranges(family.daddr, nowhere if redirects(hooks) else nowhere + loopback)
    return ~from_none & ~to_none


@memo
def redirects(hooks: Hooks) -> bool:
    """Whether the destination may be another one once PREROUTING is over."""
    return any(rule.verdict.name.upper() in _REDIRECTING for rule in hooks.examples())


def clients(space: Space) -> PacketSet:
    """The packets from a port that a program gets when it asks for none."""
    return space.ranges(Field.SPORT, ((32768, 65535),))


@memo
def untracks(hooks: Hooks) -> bool:
    """Whether a rule of the family, in any table, turns connection tracking off."""
    return any(
        effect.kind is EffectKind.NOTRACK for rule in hooks.testing() for effect in rule.effects
    )


def answers(hooks: Hooks, packets: PacketSet, hook: Hook, *names: str, reply: bool) -> PacketSet:
    """What goes back, at ``hook``, for these packets: addresses, ports and interfaces mirrored.
    What a packet does not share with its answer (marks, lengths, tests the tool does not
    interpret) is left free."""
    return mirrored(hooks.space, packets) & any_answer(hooks, hook, *names, reply=reply)


def any_answer(hooks: Hooks, hook: Hook, *names: str, reply: bool) -> PacketSet:
    """The packets that may be answers at the hook: of an established connection (or untracked,
    where rules turn tracking off), with the tcp flags ``names``."""
    space = hooks.space
    tracked = space.state("established") & space.value(Field.CT_DIRECTION, int(reply))
    state = tracked | space.state("untracked") if untracks(hooks) else tracked
    return hooks.hook_packets(hook) & state & flags(space, *names)


def is_answered(hooks: Hooks, first: PacketSet, hook: Hook) -> bool:
    """Whether answers to some first packets may pass the hook. A few are tried before all
    are: the answers to thousands of address pairs at once are dear."""
    for sample in samples(hooks, first):
        sent = answers(hooks, sample, hook, "syn", "ack", reply=True)
        if may_pass(hooks, hook, sent).satisfiable():
            return True
    passing = may_pass(hooks, hook, any_answer(hooks, hook, "syn", "ack", reply=True))
    return mirrored_among(hooks.space, first, passing).satisfiable()


def is_lost_on_the_way(hooks: Hooks, first: PacketSet, hook: Hook) -> bool:
    """Whether each hook lets answers to the first packets through, and none come through them
    all."""
    if hooks.translates or hooks.decides_alone(hook):
        return False
    return not any(
        delivery(hooks, hook, answers(hooks, packets, hook, "syn", "ack", reply=True)).comes_through
        for packets in (*samples(hooks, first), first)
    )


def samples(hooks: Hooks, packets: PacketSet) -> Iterator[PacketSet]:
    """A few of the packets, from and to public addresses: to try before all are, which is dear."""
    for field in (hooks.family.saddr, hooks.family.daddr):
        left = packets & public(hooks, field)
        for _ in range(_SAMPLES):
            if not left.satisfiable():
                break
            sample = left.pick_cube_dd()
            yield sample
            left = left & ~sample


@memo
def sent_by_root(space: Space) -> PacketSet:
    """What root's programs send, sshd among them: it is root who takes a connection, whoever is
    served by it then (``sk_socket->file->f_cred`` in xt_owner.c)."""
    packets = space.true
    for test in opaque_tests(space.tests):
        if isinstance(test.asks, Sender):
            passes = space.opaque(test.affirmed)
            packets = packets & (passes if test.asks.may_be_root else ~passes)
    return packets


class HandshakeStep(NamedTuple):
    """One packet of the handshake, at its hook: those that are sent, and that may pass."""

    packet: str
    hook: Hook
    sent: PacketSet
    passed: PacketSet

    @property
    def fails(self) -> bool:
        return not self.passed.satisfiable()

    def peers(self, hooks: Hooks, packets: PacketSet) -> PacketSet:
        """Who, on the other side, sends or gets the packets: a set over ``saddr``."""
        if self.hook is Hook.INPUT:
            return hooks.space.project(packets, hooks.family.saddr)
        return mirrored(hooks.space, hooks.space.project(packets, hooks.family.daddr))


def opens(hooks: Hooks, first: PacketSet) -> bool:
    """Whether one of the connections to this host can be opened. A few are tried before all."""
    for some in (*a_few(hooks.space, first), *_let_in(hooks, first), first):
        *_, last = handshake(hooks, some)
        if not last.fails:
            return True
    return False


def _let_in(hooks: Hooks, first: PacketSet) -> Iterator[PacketSet]:
    """Some that a rule is seen to let in."""
    main = hooks.deciding_chain(Hook.INPUT)
    if main is not None:
        sent = first & hooks.hook_packets(Hook.INPUT)
        some = main.analysis.seen_to_take(VerdictKind.ACCEPT, sent)
        yield from () if some is None else (some,)


def handshake(hooks: Hooks, first: PacketSet) -> Iterator[HandshakeStep]:
    """The three steps of a connection to this host; ends with the first that fails."""
    sent = first & hooks.hook_packets(Hook.INPUT)
    step = HandshakeStep("SYN", Hook.INPUT, sent, may_pass(hooks, Hook.INPUT, sent))
    yield step
    if step.fails:
        return
    sent = answers(hooks, step.passed, Hook.OUTPUT, "syn", "ack", reply=True)
    sent = sent & sent_by_root(hooks.space)
    step = HandshakeStep("SYN-ACK", Hook.OUTPUT, sent, may_pass(hooks, Hook.OUTPUT, sent))
    yield step
    if step.fails:
        return
    sent = answers(hooks, step.passed, Hook.INPUT, "ack", reply=False)
    yield HandshakeStep("ACK", Hook.INPUT, sent, may_pass(hooks, Hook.INPUT, sent))
