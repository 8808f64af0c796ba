"""What is said of exchanges through a host, held against what the kernel makes of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import iptlint
from iptlint.analysis.exchange import Reply
from iptlint.analysis.reach import Status, reach
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import Family, VerdictKind
from tests.kernel.datagrams import Datagram
from tests.kernel.exchange_calls import calls
from tests.kernel.exchange_gaps import Gaps
from tests.kernel.exchange_questions import Asker, Saying, is_one_of, is_vague, open_lines, reply_to
from tests.kernel.exchanges import End, Exchange, Host, Passage
from tests.kernel.following import numbered
from tests.kernel.record import Record
from tests.kernel.restoring import Kind, acceptable
from tests.kernel.topology import DOCKER, Topology
from tests.kernel.trial import on_one_processor

CALLS = 6
_BREAKS = re.compile(" map |mark set ct mark")
_TOLD = {
    VerdictKind.ACCEPT: (End.LEFT, End.DELIVERED),
    VerdictKind.DROP: (End.DROPPED, End.EXCEEDED),
    # Not everything is answered.
    VerdictKind.REJECT: (End.RESET, End.UNREACHABLE, End.DROPPED),
}


@dataclass(frozen=True)
class Objection:
    """The kernel did otherwise with the packet of the ``turn``, which counts from 0."""

    why: str
    exchange: Exchange
    turn: int
    said: tuple[Saying, ...]

    def __str__(self) -> str:
        said = "\n  ".join(map(str, self.said)) or "nothing"
        turn = f"packet {self.turn + 1}"
        return f"{turn}: {self.why}: {self.exchange}\n said of {turn}:\n  {said}"


def judge_exchanges(
    text: str, kind: Kind, family: str, seed: int, record: Record, *, followed: bool = True
) -> list[str]:
    """The objections about one ruleset, each with the ruleset; on a host of its own. What is said
    of the rules is judged, and what is said of the packets: of those that a bridge forwards only
    where they are not ``followed`` through ip."""
    topology = Topology()
    try:
        with on_one_processor():
            if kind is Kind.NFT:
                text = acceptable(topology, text)
            host = Host.with_rules(topology, text, kind, family)
            asked = None if kind is Kind.NFT else Family(family)
            judge = Judge(host, family, asked, record)
            rng, within = random.Random(f"calls {seed}"), None if followed else DOCKER
            found = [
                objection
                for call in calls(topology, text, family, rng, CALLS, within=within)
                for objection in judge.of_exchange(host.exchange(call), followed=followed)
            ]
    finally:
        topology.close()
    record.rulesets += 1
    return [f"{objection}\n{numbered(host.text)}" for objection in found]


class Judge:
    def __init__(self, host: Host, family: str, asked: Family | None, record: Record) -> None:
        self.host, self.record = host, record
        self.ruleset = iptlint.read(host.text, asked)
        self.asker = Asker(self.ruleset, family, host.topology.networks)
        self.open = open_lines(self.ruleset)
        self.gaps = Gaps(host.text)
        # The same of any host, and of this one.
        answers = [*reach(self.ruleset), *reach(self.ruleset, self.asker.addresses)]
        self.dead = {answer.line for answer in answers if answer.status is Status.DEAD}
        record.said.update(f"rules {answer.status.value}" for answer in answers)
        self.early = {n for n, line in enumerate(host.text.split("\n"), 1) if _BREAKS.search(line)}
        """Rules that are counted before their last test: the key of a map, or a connection."""

    def of_exchange(self, exchange: Exchange, *, followed: bool) -> Iterator[Objection]:
        self.record.packets += len(exchange.passages)
        self.record.said["works" if exchange.works else "does not work"] += 1
        yield from self._of_dead_rules(exchange)
        yield from self._of_packets(exchange) if followed else self._of_frame(exchange)

    def _of_dead_rules(self, exchange: Exchange) -> Iterator[Objection]:
        """No packet is counted by one, in whatever direction."""
        for turn, passage in enumerate(exchange.passages):
            for line in sorted(passage.moved & self.dead - self.early):
                yield Objection(f"line {line} is said to be dead", exchange, turn, ())

    def _of_packets(self, exchange: Exchange) -> Iterator[Objection]:
        turns = list(enumerate(exchange.passages))
        for (asked_at, asked), answered in zip(turns[::2], [*turns[1::2], None], strict=False):
            if (why := self.gaps.of_turn(exchange, asked_at)) is not None:
                self.record.unjudged[why] += 1
                return
            traced = self.asker.of_continuation(asked) if asked_at else self.asker.of_opening(asked)
            right, objections = self._compare(exchange, asked_at, traced.outcomes)
            yield from objections
            if answered is None or len(right) != 1:
                continue
            if is_vague(right[0]):
                self.record.unjudged["the answer is followed from an example address"] += 1
                return
            yield from self._of_answer(exchange, answered[0], reply_to(traced, right[0]))
            if not answered[1].entries:
                return  # to this host it is still new

    def _of_frame(self, exchange: Exchange) -> Iterator[Objection]:
        """The first packet, if it is from or to a port of the bridge."""
        first, to = exchange.passages[0], None
        for station in DOCKER.stations:
            if exchange.call.daddr in station.addresses.values():
                to = station
        by_port = first.sender in DOCKER.stations
        if not by_port and to is None:
            self.record.unjudged["past the bridge"] += 1
            return
        if first.out == DOCKER.interface and (by_port or first.heard is None) and to is None:
            self.record.unjudged["by which port it leaves is not asked"] += 1
            return
        traced = self.asker.of_frame(first, to)
        _, objections = self._compare(exchange, 0, traced.outcomes)
        yield from objections

    def _of_answer(self, exchange: Exchange, turn: int, reply: Reply) -> Iterator[Objection]:
        passage = exchange.passages[turn]
        if reply.lost is not None:
            if exchange.works if reply.is_cut else exchange.is_answered(turn - 1):
                yield Objection(reply.lost, exchange, turn, ())
        elif passage.bypassed or not passage.entries:  # its neighbour gets it, perhaps by a bridge
            if not (exchange.is_answered(turn - 1) or self.gaps.is_answer_unseen()):
                yield Objection("the host never sees the answer", exchange, turn, ())
        elif (why := self.gaps.of_turn(exchange, turn)) is not None:
            self.record.unjudged[why] += 1
        else:
            _, objections = self._compare(exchange, turn, reply.outcomes)
            yield from objections

    def _compare(
        self, exchange: Exchange, turn: int, outcomes: Sequence[TraceOutcome]
    ) -> tuple[list[TraceOutcome], list[Objection]]:
        """The outcomes that the packet may have had; and what is wrong if it had none."""
        passage = exchange.passages[turn]
        said = tuple(self.asker.saying(outcome) for outcome in outcomes)
        wrong = [self._wrong_in(saying, passage) for saying in said]
        if len(said) > 1:
            self.record.unjudged["of several outcomes it has one"] += 1
        right = [outcome for outcome, why in zip(outcomes, wrong, strict=True) if why is None]
        if right:
            return right, []
        why = "; ".join(each for each in wrong if each) or "no outcome"
        return [], [Objection(why, exchange, turn, said)]

    def _wrong_in(self, saying: Saying, passage: Passage) -> str | None:
        """What the kernel did otherwise; None where it did so."""
        if passage.end not in _TOLD.get(saying.kind, tuple(End)):
            return f"{saying.kind.value} is said"
        if passage.arrived and (passage.end is End.DELIVERED) is not (saying.way == "input"):
            return f"{saying.way} is said"
        if (passage.end is End.EXCEEDED) is not saying.expired:
            return "its way is said to be " + ("too long" if saying.expired else "short enough")
        lines = passage.moved
        if passage.telling:  # what was told was counted, too
            lines = lines & saying.lines
        if (lines | saying.lines) & self.open:
            return None
        if saying.conditions or saying.is_vague:
            return None
        if lines - self.early != saying.lines - self.early or saying.lines - lines:
            return f"lines {sorted(saying.lines)} are said, and {sorted(lines)} counted it"
        return None if passage.heard is None else self._wrong_image(saying, passage, passage.heard)

    def _wrong_image(self, saying: Saying, passage: Passage, heard: Datagram) -> str | None:
        ends = heard.ends if heard.icmp is None else (heard.saddr, None, heard.daddr, None)
        if not all(map(is_one_of, ends, saying.ends)):
            return f"{saying.ends} is said for {ends}"
        if saying.oif != passage.out and self.gaps.says_interface(passage):
            return f"it is said to leave by {saying.oif}"
        if self.gaps.sees_mark and saying.mark not in (None, passage.mark):
            return f"mark {saying.mark} is said"
        return None
