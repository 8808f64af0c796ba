"""What iptlint says of a packet of an exchange: the one place that knows how it is asked."""

from __future__ import annotations

from dataclasses import dataclass

import iptlint
from iptlint.analysis.trace import TraceOutcome
from iptlint.model import Opaque, Ruleset, Uncertain, VerdictKind
from iptlint.packets.packet import Packet
from tests.kernel.datagrams import ICMP, ICMP6, TCP, Datagram
from tests.kernel.exchanges import Passage
from tests.kernel.following import unknown_fields
from tests.kernel.judge import tests_of

_MAIN_HOOKS = ("input", "forward", "output")


@dataclass(frozen=True)
class Saying:
    """One outcome that is said. ``ends``: addresses and ports as they become, None where that is
    not known; ``lines``: of the rules that take it. ``conditions``: what else it depends on."""

    kind: VerdictKind
    ends: tuple[str | int | None, ...]
    mark: int | None
    lines: frozenset[int]
    conditions: tuple[str, ...]
    vague: bool

    def __str__(self) -> str:
        on = f" if {'; '.join(self.conditions)}" if self.conditions else ""
        return f"{self.kind.value} as {self.ends} by lines {sorted(self.lines)}{on}"


def of_opening(ruleset: Ruleset, passage: Passage, interfaces: dict[int, str]) -> list[Saying]:
    """What is said of the first packet of an exchange."""
    packet = question(passage, interfaces, "new")
    return [_saying(outcome, passage.sent) for outcome in iptlint.trace(ruleset, packet).outcomes]


def question(passage: Passage, interfaces: dict[int, str], state: str) -> Packet:
    """The packet as it came, with the way that it took: the kernel knows the routes."""
    sent = passage.sent
    hook = next((hook for hook in passage.hooks if hook in _MAIN_HOOKS), "input")
    entry = next((e for e in passage.entries if e.hook == hook), passage.entries[0])
    with_ports = sent.icmp is None
    kind, code = sent.icmp or (None, None)
    return Packet(
        sent.family,
        hook,
        iif=interfaces.get(entry.iif),
        oif=interfaces.get(entry.oif),
        saddr=sent.saddr,
        daddr=sent.daddr,
        proto=sent.protocol,
        sport=sent.sport if with_ports else None,
        dport=sent.dport if with_ports else None,
        tcp_flags=sent.flag_names if sent.proto == TCP else None,
        icmp_type=kind,
        icmp_code=code,
        ct_state=state,
        mark=0,
    )


def _saying(outcome: TraceOutcome, sent: Datagram) -> Saying:
    became = outcome.becomes or outcome.witness
    unknown = unknown_fields(outcome)
    ends = ("saddr", "sport", "daddr", "dport")
    fixed = (0, 2) if sent.proto in (ICMP, ICMP6) else (0, 1, 2, 3)
    return Saying(
        outcome.kind,
        tuple(
            None if name in unknown or place not in fixed else getattr(became, name)
            for place, name in enumerate(ends)
        ),
        None if "mark" in unknown else became.mark,
        frozenset(
            step.decision.rule.statement.span.line
            for step in outcome.steps
            if step.decision.rule is not None
        ),
        outcome.conditions,
        bool(unknown),
    )


def open_lines(ruleset: Ruleset) -> frozenset[int]:
    """Of rules with a test that the question cannot decide: what becomes of a packet there is one
    of the outcomes."""
    return frozenset(
        rule.statement.span.line
        for _, _, rule in ruleset.rules()
        if any(isinstance(test, Uncertain | Opaque) for test in tests_of(rule.matches))
    )
