"""What ``trace`` says of packets, held against what the kernel does with them.

The witness of an outcome fares as it says, and moves the counters of the rules in its steps and
no others; any other packet has one of the outcomes of those like it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import iptlint
from iptlint.analysis.trace import Trace
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import Family, Field, Ruleset, Uncertain, VerdictKind
from iptlint.netfilter.packet_group import PacketGroups
from iptlint.netfilter.routing import Routed, Routing
from iptlint.packets.packet import Packet
from iptlint.packets.query import packets_like
from iptlint.packets.space import Space
from tests.kernel import chance
from tests.kernel.firewall import KernelFirewall
from tests.kernel.gaps import gap
from tests.kernel.judge import tests_of
from tests.kernel.record import Record
from tests.kernel.restoring import Kind, acceptable
from tests.kernel.sightings import Eyes
from tests.kernel.states import prepare
from tests.kernel.trial import Fate, Loaded, Trial, load, on_one_processor
from tests.kernel.wire import UnsendableError, is_fragment

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class RoutedAsAsked(Routing):
    """How the harness routes: every packet goes the way that is wanted, whatever its destination.
    Where translation sends packets, the tests with a router ask."""

    def routed(self, groups: PacketGroups, *, to_host: bool) -> Routed:
        nobody = PacketGroups()
        return Routed(groups, nobody) if to_host else Routed(nobody, groups)

    def rerouted(self, groups: PacketGroups) -> PacketGroups:
        return groups


def traced_as_asked(ruleset: Ruleset, packet: Packet) -> Trace:
    with patch("iptlint.analysis.connection_way.Routing", RoutedAsAsked):
        return iptlint.trace(ruleset, packet)


RANDOM_PACKETS = 6
INTERFACES = ("eth0", "eth1", "other0")
QUESTIONS = 2
"""Random packets of which only the protocol and a port are asked, besides one of each hook of
which nothing is."""

DENIED = {
    VerdictKind.DROP: (Fate.DROPPED,),
    # Not everything is answered: no icmp error, no reset, nothing with a wrong checksum.
    VerdictKind.REJECT: (Fate.REJECTED, Fate.DROPPED),
}
"""Of a packet that some hook before postrouting stops."""


@dataclass(frozen=True)
class Protest:
    """The kernel did otherwise."""

    said: str
    packet: Packet
    trial: Trial

    def __str__(self) -> str:
        passed = "passed" if self.trial.passed else self.trial.fate.value
        moved = sorted(self.trial.moved)
        return f"{self.said}, but the kernel: {passed}, counted by {moved}: {self.packet}"


def follow(text: str, kind: Kind, family: str, seed: int, record: Record) -> list[str]:
    """The protests about one ruleset, each with the ruleset; in a firewall of its own."""
    firewall = KernelFirewall()
    try:
        with on_one_processor():
            if kind is Kind.NFT:
                text = acceptable(firewall, text)
            asked = None if kind is Kind.NFT else Family(family)
            follower = Follower(load(firewall, text, kind, family), asked, record)
            rng = random.Random(f"trace {seed}")
            found = [*follower.of_questions(family, rng), *follower.of_packets(family, rng)]
    finally:
        firewall.close()
    record.rulesets += 1
    return [f"{protest}\n{numbered(follower.loaded.text)}" for protest in found]


def follow_changes(text: str, kind: Kind, family: str, seed: int, record: Record) -> list[str]:
    """The same of a ruleset that changes packets: they become what is said, too."""
    firewall = KernelFirewall()
    try:
        with on_one_processor():
            eyes = Eyes(firewall)
            eyes.have_interfaces(*INTERFACES)
            asked = None if kind is Kind.NFT else Family(family)
            follower = Follower(load(firewall, text, kind, family), asked, record, eyes)
            rng = random.Random(f"changes {seed}")
            found = [*follower.of_questions(family, rng), *follower.of_packets(family, rng)]
    finally:
        firewall.close()
    record.rulesets += 1
    return [f"{protest}\n{numbered(follower.loaded.text)}" for protest in found]


class Follower:
    def __init__(
        self, loaded: Loaded, family: Family | None, record: Record, eyes: Eyes | None = None
    ) -> None:
        self.loaded, self.record, self.eyes = loaded, record, eyes
        self.ruleset = iptlint.read(loaded.text, family)
        self.known: list[Packet] = []
        # Their counters come before the last test: of a map, or that there is a connection.
        self.early = {
            number
            for number, line in enumerate(loaded.text.split("\n"), 1)
            if " vmap " in line or "set ct mark" in line
        }
        self.unsure = unsure_lines(self.ruleset)

    def of_questions(self, family: str, rng: random.Random) -> Iterator[Protest]:
        """Who is asked about few fields is told of many outcomes."""
        questions = [Packet(family, hook) for hook in ("input", "forward", "output")]
        values = chance.Values.of(self.loaded.text, family)
        for packet, _ in chance.packets(values, (), rng, QUESTIONS):
            questions.append(Packet(family, packet.hook, proto=packet.proto, dport=packet.dport))
        for question in questions:
            traced = traced_as_asked(self.ruleset, question)
            for outcome in traced.outcomes:
                yield from self.of_outcome(traced, outcome)

    def of_packets(self, family: str, rng: random.Random) -> Iterator[Protest]:
        values = chance.Values.of(self.loaded.text, family)
        for packet, _ in chance.packets(values, self.known, rng, RANDOM_PACKETS):
            yield from self.of_packet(packet)

    def of_outcome(self, traced: Trace, outcome: TraceOutcome) -> Iterator[Protest]:
        """One outcome's witness."""
        trial = self.send(outcome.witness)
        if trial is None:
            return
        self.record.said[outcome.kind.value] += 1
        self.known.append(outcome.witness)
        if outcome.conditions:
            yield from self._of_any([*traced.outcomes], outcome.witness, trial)
            return
        wrong = [*self.wrong_steps(outcome, trial)]
        if not wrong:
            self.record.witnesses += 1
            wrong = [*self._wrong_image(outcome)]
        for said in wrong:
            yield Protest(said, outcome.witness, trial)

    def of_packet(self, packet: Packet) -> Iterator[Protest]:
        trial = self.send(packet)
        if trial is None:
            return
        traced = traced_as_asked(self.ruleset, packet)
        same = point(traced.space, packet)
        outcomes = [o for o in traced.outcomes if (o.packets & same).satisfiable()]
        if packet.family not in traced.space.families:
            if traced.outcomes or trial.moved or not trial.passed:
                yield Protest("no rule is said to see its family", packet, trial)
        elif not outcomes:
            yield Protest("it is said to have no outcome", packet, trial)
        elif len(outcomes) == 1 and _is_like(outcomes[0].witness, packet):
            for said in self.wrong_steps(outcomes[0], trial):
                yield Protest(said, packet, trial)
        else:
            yield from self._of_any(outcomes, packet, trial)

    def _of_any(
        self, outcomes: list[TraceOutcome], packet: Packet, trial: Trial
    ) -> Iterator[Protest]:
        self.record.unjudged["of several outcomes it has one"] += 1
        wrong = [wrong_fate(outcome, trial) for outcome in outcomes]
        if None not in wrong:
            yield Protest(" or ".join(str(said) for said in wrong), packet, trial)

    def send(self, packet: Packet) -> Trial | None:
        """None where there is no such packet."""
        why = gap(packet) or unsendable(packet)
        if self.eyes is not None and packet.ct_state == "related":
            why = "a related one of the harness was never translated, so nf_nat drops it"
        if self.eyes is not None and packet.ct_state == "established":
            why = "its connection is older than the rules; exchanges have running ones"
        if why is None:
            if self.eyes is not None:
                self.eyes.close()
            try:
                trial = self.loaded.send_prepared(packet, prepare(packet))
            except UnsendableError as error:
                why = str(error)
            else:
                self.record.packets += 1
                return trial
        self.record.unjudged[why] += 1
        return None

    def _wrong_image(self, outcome: TraceOutcome) -> Iterator[str]:
        """What the witness has become, where what is written is known."""
        said = outcome.becomes or outcome.witness
        if self.eyes is None or outcome.kind in DENIED or said.dport is None:
            return
        seen = self.eyes.seen(said.family)
        if not seen:
            return
        if unknown_fields(outcome):
            return  # later rules may ask for it, and change more
        (sighting,) = seen
        for name in ("saddr", "daddr", "sport", "dport", "mark"):
            if getattr(sighting, name) != getattr(said, name):
                yield f"{name} is said to become {getattr(said, name)}, and is seen as {sighting}"
        self.record.said["seen as it becomes"] += 1

    def wrong_steps(self, outcome: TraceOutcome, trial: Trial) -> Iterator[str]:
        """Nothing where nothing is wrong."""
        wrong = wrong_fate(outcome, trial)
        if wrong is not None:
            yield wrong
        if outcome.conditions:
            return
        steps = {
            step.decision.rule.statement.span.line
            for step in outcome.steps
            if step.decision.rule is not None
        }
        if (steps ^ trial.moved) & self.unsure:
            return  # a limit let it pass or not, and all else may come of that
        if unknown_fields(outcome):
            return  # later rules may ask for what no ruleset tells: the address of an interface
        if steps - trial.moved:
            yield f"lines {sorted(steps - trial.moved)} are said to take it"
        if trial.moved - steps - self.early:
            yield f"only lines {sorted(steps)} are said to take it"
        decided = outcome.decision and outcome.decision.rule
        if decided and decided.statement.span.line not in trial.moved:
            yield f"line {decided.statement.span.line} is said to decide"


def unknown_fields(outcome: TraceOutcome) -> set[str]:
    """The fields that a rule in the steps writes no known value to."""
    return {
        effect.field.value.removesuffix("6")
        for step in outcome.steps
        if step.decision.rule is not None
        for effect in step.decision.rule.effects
        if effect.field is not None and effect.value is None and not effect.source
    }


def unsure_lines(ruleset: Ruleset) -> set[int]:
    """Of rules that let some packets pass and others not which are the same to iptlint."""
    return {
        rule.statement.span.line
        for _, _, rule in ruleset.rules()
        if any(isinstance(test, Uncertain) for test in tests_of(rule.matches))
    }


def wrong_fate(outcome: TraceOutcome, trial: Trial) -> str | None:
    if is_fate(outcome.kind, trial):
        return None
    line = outcome.decision and outcome.decision.rule and outcome.decision.rule.statement.span.line
    return f"{outcome.kind.value} is said (line {line})"


def is_fate(kind: VerdictKind, trial: Trial) -> bool:
    if kind in DENIED:
        beyond = trial.fate in (Fate.FORWARDED, Fate.SENT)  # stopped in postrouting
        return not trial.passed and (beyond or trial.fate in DENIED[kind])
    return trial.passed


def unsendable(packet: Packet) -> str | None:
    """What the harness cannot do, besides what ``send`` refuses."""
    if packet.oif == "lo":
        return "what goes out by lo comes in again"
    if packet.saddr == packet.daddr and packet.sport == packet.dport:
        return "its own answer would look the same, so its direction is not known"
    return None


_OF_CONNECTIONS = {Field.CT_MARK, Field.CT_SNAT, Field.CT_DNAT}


def point(space: Space, packet: Packet) -> PacketSet:
    """The packets that are the same to every rule as the packet that the harness makes of it: one
    of a connection that nothing is noted of."""
    found = packets_like(space, packet) & space.value(Field.FRAGMENT, int(is_fragment(packet)))
    for field in _OF_CONNECTIONS & space.fields.keys():
        found = found & space.value(field, 0)
    for test, variable in space.opaques.items():
        found = found & (variable if test.key in packet.conditions else ~variable)
    return found


def _is_like(witness: Packet, packet: Packet) -> bool:
    """But for the interfaces: the witness's may be another that no rule tells apart."""
    return replace(witness, iif=packet.iif, oif=packet.oif) == packet


def numbered(text: str) -> str:
    return "\n".join(f"{number:3} {line}" for number, line in enumerate(text.splitlines(), 1))
