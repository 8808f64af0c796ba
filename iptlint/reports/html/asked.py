"""What the page answers about packets, as data for its script: asked beforehand, since nothing is
worked out in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iptlint.analysis.answers import Answer, Ending
from iptlint.analysis.graph import Graph
from iptlint.analysis.overview import Overview
from iptlint.model import IP_VERSIONS, Hook, VerdictKind
from iptlint.model.matches import Ranges
from iptlint.model.quotes import one_line
from iptlint.netfilter.packet_group import Decision, TraversalStep
from iptlint.reports.html.services import usual_at
from iptlint.reports.html.sources import Sources
from iptlint.reports.places import EXPIRED, chain_name, verdict
from iptlint.reports.trace import effect
from iptlint.reports.witness import describe

_TO = {Hook.INPUT: "this host", Hook.FORWARD: "others behind it", Hook.OUTPUT: "the internet"}
_WAYS = {
    Hook.INPUT: "comes in to this host",
    Hook.FORWARD: "is forwarded",
    Hook.OUTPUT: "leaves this host",
    Hook.PREROUTING: "before it is routed",
    Hook.INGRESS: "as it comes in",
}
_WIDEST = 240
_MOST_CHIPS = 12
_MOST_OF_A_RULE = 15

Data = dict[str, Any]


def _may_be_open(ending: Ending) -> Ranges:
    return (*ending.sure, *ending.at_a_rate, *ending.usually, *ending.perhaps)


def _singled_out(ending: Ending) -> Ranges:
    """Those of an ending that is for a few ports, as one rule of multiport may name."""
    few = sum(high - low + 1 for low, high in ending.ports) <= _MOST_OF_A_RULE
    return ending.ports if few else ()


def _alone(ports: Ranges) -> list[int]:
    return [low for low, high in ports if low == high]


def _port(asked: tuple[str, int]) -> tuple[int, str]:
    protocol, port = asked
    return port, protocol


def questions(
    hosts: Sequence[Sequence[Overview]], sources: Sources, pictures: Sequence[Graph | None]
) -> Data:
    """``answers`` in the order in which they are offered; ``steps`` of all ways, which endings name
    by their number. ``pictures``: one of each host, in which the ways are found."""
    telling = _Telling(sources, pictures)
    asked = [
        telling.answer(number, answer)
        for number, host in enumerate(hosts)
        for overview in host
        for answer in overview.answers
    ]
    return {"answers": asked, "steps": [*telling.steps.values()], "ports": telling.ports(hosts)}


class _Telling:
    def __init__(self, sources: Sources, pictures: Sequence[Graph | None]) -> None:
        self.sources = sources
        self.pictures = pictures
        self.steps: dict[object, Data] = {}
        self._numbers: dict[object, int] = {}

    def answer(self, host: int, answer: Answer) -> Data:
        caller = answer.caller
        return {
            "host": host,
            "caller": caller.name,
            "version": IP_VERSIONS[caller.family],
            "to": _TO[caller.way],
            "protocol": _PROTOCOLS.get(answer.protocol, answer.protocol),
            "endings": [
                {**self._ending(each), "way": self._way(host, each)} for each in answer.endings
            ],
        }

    def _ending(self, ending: Ending) -> Data:
        return {
            "verdict": verdict(ending.kind),
            "passes": ending.kind.passes,
            "sure": ending.sure,
            "ports": ending.ports,
            "goes": _WAYS[ending.way],
            **self._by(ending),
            "packets": [_cut(text) for text in ending.packets],
            "conditions": [_cut(text) for text in ending.conditions],
            "example": describe(ending.witness),
            "becomes": describe(ending.becomes) if ending.becomes is not None else "",
            "steps": [self._step(step) for step in ending.steps],
        }

    def _way(self, host: int, ending: Ending) -> list[str]:
        """The parts of the host's picture that are on it."""
        picture = self.pictures[host]
        if picture is None:
            return []
        way = picture.way(ending.steps, verdict(ending.kind))
        return [prefixed(host, each) for each in (*way.nodes, *sorted(way.edges))]

    def _by(self, ending: Ending) -> Data:
        decision = ending.decision
        if decision is None:
            return {
                "by": f"as {EXPIRED if ending.expired else 'no chain has a say'}",
                "place": None,
            }
        name = chain_name(decision)
        if decision.rule is None:
            return {"by": f"by the policy of {name}", "place": self._place(decision, ending.kind)}
        return {"by": f"by a rule of {name}", "place": self._place(decision, ending.kind)}

    def _place(self, decision: Decision, kind: VerdictKind | None = None) -> Data:
        span = decision.span
        place = self.sources.place(span, verdict(kind) if kind is not None else "")
        return {
            "path": place.name,
            "line": place.line,
            "anchor": place.anchor,
            "text": _cut(one_line(span.text)),
        }

    def _step(self, step: TraversalStep) -> int:
        key = step.hook, step.decision, step.kind
        if key not in self._numbers:
            self._numbers[key] = len(self.steps)
            self.steps[key] = {
                "hook": step.hook.value,
                "chain": chain_name(step.decision),
                "policy": step.decision.rule is None,
                "does": effect(step),
                **self._place(step.decision),
            }
        return self._numbers[key]

    @staticmethod
    def ports(hosts: Sequence[Sequence[Overview]]) -> list[Data]:
        """Ports worth asking for: those that somebody gets to, those that rules deny or send on by
        number, and that of SSH."""
        endings = [
            (answer.protocol, ending)
            for host in hosts
            for overview in host
            for answer in overview.answers
            if answer.protocol in ("tcp", "udp")
            for ending in answer.endings
        ]
        let_in = {(p, port) for p, each in endings for port in _alone(_may_be_open(each))}
        others = {(p, port) for p, each in endings for port in _alone(_singled_out(each))}
        first = sorted({*let_in, ("tcp", 22)}, key=_port)
        chosen = (first + sorted(others - {*first}, key=_port))[:_MOST_CHIPS]
        return [
            {"protocol": protocol, "port": port, "name": usual_at(protocol, port)}
            for protocol, port in sorted(chosen, key=_port)
        ]


def prefixed(host: int, part: str = "") -> str:
    """The id of a part of the host's picture on the page."""
    return f"g{host}-{part}"


_PROTOCOLS = {"icmp": "ping", "ipv6-icmp": "ping"}


def _cut(text: str) -> str:
    return text[:_WIDEST] + "…" * (len(text) > _WIDEST)
