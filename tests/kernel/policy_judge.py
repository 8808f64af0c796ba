"""What policy tests say of a host between networks, held against what the kernel does with calls.

A sentence that holds is tried with the call that it is about, and one that fails with the packet
that is shown for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

import iptlint
from iptlint.analysis.session import Context, Settings
from iptlint.model import Family
from iptlint.packets.packet import Packet
from iptlint.policy.file import read_tests
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.judge import judge
from iptlint.policy.results import Result, Status
from tests.kernel.datagrams import ICMP, ICMP6, TCP
from tests.kernel.exchange_calls import calls
from tests.kernel.exchange_gaps import Gaps
from tests.kernel.exchange_questions import Asker
from tests.kernel.exchanges import Call, Exchange, Host
from tests.kernel.following import numbered
from tests.kernel.record import Record
from tests.kernel.restoring import Kind, acceptable
from tests.kernel.topology import Station, Topology, own_address
from tests.kernel.trial import on_one_processor

CALLS = 4
_OF_ANY_PACKET = ("addrtype ", "conntrack --ctorig")
"""Conditions that the packet meets by its addresses and ports."""


def judge_policies(text: str, kind: Kind, family: str, seed: int, record: Record) -> list[str]:
    """The objections about one ruleset, each with the ruleset; on a host of its own."""
    topology = Topology()
    try:
        with on_one_processor():
            if kind is Kind.NFT:
                text = acceptable(topology, text)
            host = Host.with_rules(topology, text, kind, family)
            asked = None if kind is Kind.NFT else Family(family)
            judge = _Judge(host, family, asked, record)
            rng = random.Random(f"policies {seed}")
            found = [
                objection
                for call in calls(topology, text, family, rng, CALLS)
                if call.caller is not None
                for objection in judge.of_call(call, call.caller)
            ]
    finally:
        topology.close()
    record.rulesets += 1
    return [f"{objection}\n{numbered(host.text)}" for objection in found]


@dataclass(frozen=True)
class _Said:
    result: Result
    exchange: Exchange
    why: str

    def __str__(self) -> str:
        said = f"{self.result.status.value}: {self.result.test.sentence} {self.result.message}"
        return f"{self.why}\n  {said}\n  {self.result.witness}\n  {self.exchange}"


class _Judge:
    def __init__(self, host: Host, family: str, asked: Family | None, record: Record) -> None:
        self.host, self.family, self.record = host, family, record
        ruleset = iptlint.read(host.text, asked)
        addresses = Asker(ruleset, family, host.topology.networks).addresses
        self.firewall = PolicyHost("host", Context((ruleset,), Settings()), addresses)
        self.own = {own_address(one, family) for one in host.topology.networks}
        self.gaps = Gaps(host.text)
        self._port = 50000

    def of_call(self, call: Call, caller: Station) -> Iterator[_Said]:
        if call.daddr in self.own:
            yield from self._denied(call, caller, "", "input")
            yield from self._allowed(call, caller, "", sorted(self.own))
        elif any(call.daddr in s.addresses.values() for s in self._stations()):
            yield from self._denied(call, caller, "callee ", "forward")
            yield from self._denied(call, caller, "", "forward")
            yield from self._allowed(call, caller, "callee ", [call.daddr])
        else:
            yield from self._denied(call, caller, "", "forward")

    def _stations(self) -> list[Station]:
        return [station for one in self.host.topology.networks for station in one.stations]

    def _denied(self, call: Call, caller: Station, target: str, way: str) -> Iterator[_Said]:
        result = self._result(f"deny from caller to {target}{_asked(call)} on {way}", call, caller)
        if result.status is Status.HOLDS:
            exchange = self._exchange(call)
            heard = exchange.passages[0].heard
            elsewhere = target and heard is not None and heard.daddr != call.daddr
            if exchange.passages[0].arrived and not elsewhere:
                yield _Said(result, exchange, "it arrives")
        elif result.status is Status.FAILS and self._can_send(result.witness):
            exchange = self._exchange(self._call_of(result.witness, call, caller))
            if self.gaps.of_turn(exchange, 0) is None and not exchange.passages[0].arrived:
                yield _Said(result, exchange, "the packet that is shown does not arrive")

    def _allowed(
        self, call: Call, caller: Station, target: str, addresses: list[str]
    ) -> Iterator[_Said]:
        result = self._result(f"allow from caller to {target}{_asked(call)}", call, caller)
        if result.status is Status.HOLDS:
            tried = [self._exchange(self._again(call, daddr)) for daddr in addresses]
            if any(self.gaps.of_turn(exchange, 0) for exchange in tried):
                self.record.unjudged["what the harness does not see"] += 1
            elif not any(exchange.is_answered(0) for exchange in tried):
                yield _Said(result, tried[-1], "it is not answered")
        elif result.status is Status.FAILS and self._can_send(result.witness):
            exchange = self._exchange(self._call_of(result.witness, call, caller))
            if self.gaps.of_turn(exchange, 0) is None and exchange.works:
                yield _Said(result, exchange, "the packet that is shown is answered")

    def _can_send(self, packet: Packet | None) -> TypeGuard[Packet]:
        """Whether it is one as the harness sends them, with nothing odd about it."""
        if packet is None:
            return False
        odd = [c for c in packet.conditions if not c.startswith(_OF_ANY_PACKET)]
        if odd:
            self.record.unjudged["a packet that the harness does not send"] += 1
        return not odd

    def _exchange(self, call: Call) -> Exchange:
        self.host.forget()
        exchange = self.host.exchange(call)
        self.record.packets += len(exchange.passages)
        return exchange

    def _again(self, call: Call, daddr: str) -> Call:
        self._port += 1
        return Call(call.caller, call.saddr, daddr, call.proto, self._port, call.dport)

    def _call_of(self, packet: Packet, call: Call, caller: Station) -> Call:
        self._port += 1
        daddr = packet.daddr or call.daddr
        sport = packet.sport if packet.sport not in (None, 40000) else self._port
        return Call(caller, call.saddr, daddr, call.proto, sport or 0, packet.dport or 0)

    def _result(self, sentence: str, call: Call, caller: Station) -> Result:
        networks = self.host.topology.networks
        interface = next(one.interface for one in networks if caller.wire in one.wires)
        policy = read_tests(
            f'tests = ["{sentence}"]\nfamilies = ["{self.family}"]\n[zones]\n'
            f'caller = {{ networks = ["{call.saddr}"], interfaces = ["{interface}"] }}\n'
            f'callee = "{call.daddr}"\n'
        )
        (result,) = judge(policy, [self.firewall], changes=False)
        self.record.said[f"{result.test.verb.value} {result.status.value}"] += 1
        return result


def _asked(call: Call) -> str:
    if call.proto in (ICMP, ICMP6):
        return "ping"
    return f"{call.dport}/{'tcp' if call.proto == TCP else 'udp'}"
