"""What happens to packets, rule by rule, and who decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptlint.model import Family, Hook, Rule, Ruleset, VerdictKind
from iptlint.netfilter.course import ROUTES, Course, Decided, End, Step
from iptlint.netfilter.deciders import share
from iptlint.netfilter.luck import Luck
from iptlint.netfilter.stack import Stack
from iptlint.netfilter.walk import at_hook
from iptlint.packets.packet import Packet
from iptlint.packets.question import packets_like
from iptlint.packets.space import Space
from iptlint.packets.witness import packet_of, plainest

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet


@dataclass(frozen=True, slots=True)
class Outcome:
    """``packets``: those it is the outcome of, as they came, luck left out; ``steps``: the way of
    the witness. ``becomes``: the witness as it is in the end, where it was changed.
    ``conditions``: what had to hold, or not, that the packet does not decide."""

    kind: VerdictKind
    decided: Decided | None
    packets: PacketSet
    witness: Packet
    becomes: Packet | None
    conditions: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """``space`` is the one that the outcomes' packets are of; ``asked``: all packets."""

    ruleset: Ruleset
    hook: Hook
    space: Space
    asked: PacketSet
    outcomes: tuple[Outcome, ...]


def trace(ruleset: Ruleset, packet: Packet) -> Trace:
    """What happens to the packets like ``packet``, where None is anything; the outcomes with most
    packets first. ``packet.hook`` is input, forward or output; without it the interfaces tell.
    QuestionError where a value is none."""
    hook = route_of(packet)
    stack, family = Stack(ruleset), Family(packet.family)
    if packet.family not in stack.space.families:
        return Trace(ruleset, hook, stack.space, stack.space.false, ())
    path_packets = at_route(stack, family, hook) & packets_like(stack.space, packet)
    luck = Luck(stack.space)
    ends = Course(stack, family, luck, who=True).follow(ROUTES[hook], path_packets)
    tracer = _Tracer(stack, family, luck, hook)
    found = [tracer.outcome(together) for together in _by_decider(ends)]
    found.sort(key=lambda outcome: -share(outcome.packets))
    return Trace(ruleset, hook, stack.space, path_packets, tuple(found))


def route_of(packet: Packet) -> Hook:
    """To this host, unless an interface that it leaves by says otherwise."""
    if packet.hook is not None:
        return Hook(packet.hook)
    if packet.oif is None:
        return Hook.INPUT
    return Hook.OUTPUT if packet.iif is None else Hook.FORWARD


def at_route(stack: Stack, family: Family, hook: Hook) -> PacketSet:
    """The packets that may take the way with this hook."""
    return at_hook(stack.space, hook) & stack.space.family(family.value)


def _by_decider(ends: list[End]) -> Iterator[list[End]]:
    together: dict[tuple[VerdictKind, int, int], list[End]] = {}
    for end in ends:
        decided = end.decided
        who = (id(decided.chain), id(decided.rule)) if decided else (0, 0)
        together.setdefault((end.kind, *who), []).append(end)
    return iter(together.values())


class _Tracer:
    def __init__(self, stack: Stack, family: Family, luck: Luck, hook: Hook) -> None:
        self.stack = stack
        self.family = family
        self.luck = luck
        self.hook = hook

    def outcome(self, ends: list[End]) -> Outcome:
        space = self.stack.space
        packets = space.false
        for end in ends:
            packets = packets | end.packets
        point = self._point(packets)
        steps, conditions, last = self._follow(point)
        cube = point.pick_cube()
        assert cube is not None
        witness = packet_of(space, cube, self.hook)
        becomes = packet_of(space, _image(space, point, last), self.hook)
        return Outcome(
            ends[0].kind,
            ends[0].decided,
            packets.exists(self.luck.cube),
            witness,
            None if becomes == witness else becomes,
            conditions,
            steps,
        )

    def _point(self, packets: PacketSet) -> PacketSet:
        """One packet, the plainest, with all its luck."""
        space = self.stack.space
        packets = plainest(space, packets, self.hook)
        cube = packets.pick_cube() or []
        point = space.true
        for number in reversed(range(len(cube))):
            one = space.manager.var(number)
            point = (one if cube[number] else ~one) & point
        return point

    def _follow(self, point: PacketSet) -> tuple[tuple[Step, ...], tuple[str, ...], End]:
        steps: list[Step] = []
        open_tests: list[str] = []

        def tell_open(rule: Rule, tests: Sequence[str], held: bool) -> None:
            open_tests.append(_condition(rule, tests, held))

        course = Course(
            self.stack, self.family, self.luck, who=True, tell=steps.append, tell_open=tell_open
        )
        (end,) = course.follow(ROUTES[self.hook], point)
        return tuple(steps), tuple(open_tests), end


def _condition(rule: Rule, tests: Sequence[str], held: bool) -> str:
    verb = "holds" if held else "does not hold"
    return f"line {rule.statement.span.line}: {' and '.join(tests)} {verb}"


def _image(space: Space, point: PacketSet, end: End) -> list[bool | None]:
    """The values of the packet's variables in the end."""
    count = space.manager.num_vars()
    return [(point & end.change.variable(number)).satisfiable() for number in range(count)]
