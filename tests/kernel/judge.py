"""What ``reach`` says of a ruleset, held against what the kernel does with it.

The witness of a reachable rule moves that rule's counter, and no packet ever moves the counter
of a dead rule. Of conditional rules nothing is claimed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import iptlint
from iptlint.analysis.reach import RuleReach, Status
from iptlint.model import AnyOf, Family, Match, Uncertain
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.packet import Packet
from iptlint.packets.witness import witness
from tests.kernel import chance
from tests.kernel.firewall import KernelFirewall
from tests.kernel.gaps import gap
from tests.kernel.record import Record
from tests.kernel.restoring import Kind, acceptable
from tests.kernel.states import Preparation, prepare
from tests.kernel.trial import Loaded, Trial, load, on_one_processor
from tests.kernel.wire import UnsendableError

RANDOM_PACKETS = 20


@dataclass(frozen=True)
class Dispute:
    """The kernel contradicts what is ``said`` of the rule in this line."""

    line: int
    said: str
    packet: Packet
    trial: Trial

    def __str__(self) -> str:
        return (
            f"line {self.line} is {self.said}, but the kernel: {self.trial.fate.value}, "
            f"counted by {sorted(self.trial.moved)}: {self.packet}"
        )


def judge(text: str, kind: Kind, family: str, seed: int, record: Record) -> list[str]:
    """The disputes about one ruleset, each with the ruleset; in a firewall of its own.

    ``family`` is that of the random packets, and of iptables.
    """
    firewall = KernelFirewall()
    try:
        with on_one_processor():
            if kind is Kind.NFT:
                text = acceptable(firewall, text)
            asked = None if kind is Kind.NFT else Family(family)
            case = _Case(load(firewall, text, kind, family), asked, record)
            found = [*case.witness_disputes(), *case.random_disputes(family, random.Random(seed))]
    finally:
        firewall.close()
    record.rulesets += 1
    return [f"{dispute}\n{_numbered(case.loaded.text, dispute.line)}" for dispute in found]


class _Case:
    def __init__(self, loaded: Loaded, family: Family | None, record: Record) -> None:
        self.loaded, self.record = loaded, record
        ruleset = iptlint.read(loaded.text, family)
        self.answers = iptlint.reach(ruleset)
        self.firewall = Firewall(ruleset)
        self.dead = {a.line: a for a in self.answers if a.status is Status.DEAD}
        record.said.update(answer.status.value for answer in self.answers)

    def witness_disputes(self) -> Iterator[Dispute]:
        for answer in self.answers:
            if answer.witness is not None:
                yield from self._of_witness(answer, answer.witness)

    def random_disputes(self, family: str, rng: random.Random) -> Iterator[Dispute]:
        values = chance.Values.of(self.loaded.text, family)
        aimed = [packet for answer in self.dead.values() for packet in self._aimed_at(answer)]
        for packet in aimed:
            yield from self._of_any(packet)
        known = [answer.witness for answer in self.answers if answer.witness is not None]
        known += aimed
        for packet, preparation in chance.packets(values, known, rng, RANDOM_PACKETS):
            try:
                yield from self._dead_that_moved(self._send(packet, preparation), packet)
            except UnsendableError as error:
                self.record.unjudged[str(error)] += 1

    def _aimed_at(self, answer: RuleReach) -> Iterator[Packet]:
        """One that would match the dead rule if no earlier rule took it."""
        walk = self.firewall.analysis(answer.table)
        intended = walk.intended(answer.rule)
        for base in walk.calls.bases_of(answer.chain.name):
            packet = witness(walk.space, intended & walk.base_packets(base), base.hook)
            if packet is not None:
                yield packet
                return

    def _of_any(self, packet: Packet) -> Iterator[Dispute]:
        try:
            yield from self._dead_that_moved(self._send(packet, prepare(packet)), packet)
        except UnsendableError:
            return

    def _send(self, packet: Packet, preparation: Preparation) -> Trial:
        trial = self.loaded.send_prepared(packet, preparation)
        self.record.packets += 1
        return trial

    def _of_witness(self, answer: RuleReach, packet: Packet) -> Iterator[Dispute]:
        unreal, preparation = None, Preparation()
        try:
            preparation = prepare(packet)
        except UnsendableError as error:
            unreal = str(error)  # it is sent without its state: perhaps no rule asks for it
        try:
            trial = self._send(packet, preparation)
        except UnsendableError as error:
            self.record.unjudged[str(error)] += 1
            return
        yield from self._dead_that_moved(trial, packet)
        if not _is_promised(answer):
            return
        if answer.line in trial.moved:
            self.record.witnesses += 1
            return
        why = unreal or gap(packet)
        if why is None:
            yield Dispute(answer.line, "reachable", packet, trial)
        else:
            self.record.unjudged[why] += 1

    def _dead_that_moved(self, trial: Trial, packet: Packet) -> Iterator[Dispute]:
        for line in sorted(trial.moved & self.dead.keys()):
            if self._is_verdict_map(line) and line + 1 in trial.moved:
                continue  # perhaps none of its elements: its counter comes before them
            reason = self.dead[line].reason
            yield Dispute(line, f"dead ({reason.value if reason else '?'})", packet, trial)

    def _is_verdict_map(self, line: int) -> bool:
        return " vmap " in self.loaded.text.split("\n")[line - 1]


def _is_promised(answer: RuleReach) -> bool:
    """Whether the witness has to match: not where the rule's own limit may let it pass."""
    uncertain = any(isinstance(test, Uncertain) for test in tests_of(answer.rule.matches))
    return answer.status is Status.REACHABLE and not uncertain


def tests_of(matches: Iterable[Match]) -> Iterator[Match]:
    """The tests, with those of alternatives."""
    for match in matches:
        yield match
        if isinstance(match, AnyOf):
            for alternative in match.alternatives:
                yield from tests_of(alternative)


def _numbered(text: str, disputed: int) -> str:
    return "\n".join(
        f"{'>>' if number == disputed else '  '} {number:3} {line}"
        for number, line in enumerate(text.splitlines(), 1)
    )
