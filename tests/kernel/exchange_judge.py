"""What is said of exchanges through a host, held against what the kernel makes of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

import iptlint
from iptlint.model import Family, VerdictKind
from tests.kernel.exchange_calls import calls
from tests.kernel.exchange_questions import Saying, of_opening, open_lines
from tests.kernel.exchanges import End, Exchange, Host, Passage
from tests.kernel.following import numbered
from tests.kernel.record import Record
from tests.kernel.restoring import Kind, acceptable
from tests.kernel.topology import Topology
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
    """The kernel did otherwise."""

    why: str
    exchange: Exchange
    said: tuple[Saying, ...]

    def __str__(self) -> str:
        said = "\n  ".join(map(str, self.said)) or "nothing"
        return f"{self.why}: {self.exchange}\n said:\n  {said}"


def judge_exchanges(text: str, kind: Kind, family: str, seed: int, record: Record) -> list[str]:
    """The objections about one ruleset, each with the ruleset; on a host of its own."""
    topology = Topology()
    try:
        with on_one_processor():
            if kind is Kind.NFT:
                text = acceptable(topology, text)
            host = Host.with_rules(topology, text, kind, family)
            asked = None if kind is Kind.NFT else Family(family)
            judge = _Judge(host, asked, record)
            rng = random.Random(f"calls {seed}")
            found = [
                objection
                for call in calls(topology, text, family, rng, CALLS)
                for objection in judge.of_exchange(host.exchange(call))
            ]
    finally:
        topology.close()
    record.rulesets += 1
    return [f"{objection}\n{numbered(host.text)}" for objection in found]


class _Judge:
    def __init__(self, host: Host, family: Family | None, record: Record) -> None:
        self.host, self.record = host, record
        self.ruleset = iptlint.read(host.text, family)
        self.interfaces = host.topology.interfaces
        self.open = open_lines(self.ruleset)
        self.early = {n for n, line in enumerate(host.text.split("\n"), 1) if _BREAKS.search(line)}
        """Rules that are counted before their last test: the key of a map, or a connection."""

    def of_exchange(self, exchange: Exchange) -> Iterator[Objection]:
        self.record.packets += len(exchange.passages)
        self.record.said["works" if exchange.works else "does not work"] += 1
        first = exchange.passages[0]
        if (why := gap(first)) is not None:
            self.record.unjudged[why] += 1
            return
        said = of_opening(self.ruleset, first, self.interfaces)
        wrong = [self._wrong_in(saying, first) for saying in said]
        if len(said) > 1:
            self.record.unjudged["of several outcomes it has one"] += 1
        if all(wrong):
            yield Objection("; ".join(w for w in wrong if w) or "no outcome", exchange, tuple(said))

    def _wrong_in(self, saying: Saying, passage: Passage) -> str | None:
        """What the kernel did otherwise; None where it did so."""
        if passage.end not in _TOLD.get(saying.kind, tuple(End)):
            return f"{saying.kind.value} is said"
        lines = passage.moved
        if passage.telling:  # what was told was counted, too
            lines = lines & saying.lines
        if (lines | saying.lines) & self.open or saying.vague or saying.conditions:
            return None
        if lines - self.early != saying.lines - self.early or saying.lines - lines:
            return f"lines {sorted(saying.lines)} are said, and {sorted(lines)} counted it"
        if passage.heard is None:
            return None
        for said, heard in zip(saying.ends, passage.heard.ends, strict=True):
            if said not in (None, heard):
                return f"{said} is said for {heard}"
        return f"mark {saying.mark} is said" if saying.mark not in (None, passage.mark) else None


def gap(passage: Passage) -> str | None:
    """What ``trace`` is not asked, or leaves out."""
    if passage.hooks[:1] == ("output",) and "prerouting" in passage.hooks:
        return "what goes out by lo comes in again"
    if passage.end is End.EXCEEDED:
        return "a way that is too long is not known to end"
    if len({entry.oif for entry in passage.entries if not entry.iif}) > 1:
        return "what is translated in output leaves by another interface"
    return None
