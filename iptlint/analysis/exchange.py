"""Whether a connection works: what was let through, and whether the answers come back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from iptlint.analysis.bridges import trace_with_bridges
from iptlint.analysis.trace import Answered, Trace, trace_answer
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.model import Hook
from iptlint.packets.packet import Packet


class Reply(NamedTuple):
    """``lost``: why nobody gets the answer; there is no trace of one that never comes to this
    host. ``is_cut``: the first one is got, and none behind it."""

    trace: Trace | None
    lost: str | None
    is_cut: bool = False

    @property
    def outcomes(self) -> tuple[TraceOutcome, ...]:
        return self.trace.outcomes if self.trace else ()


@dataclass(frozen=True, slots=True)
class Connection:
    """The answers to what was accepted. ``works``: None where it depends on the packet."""

    replies: tuple[Reply, ...]
    works: bool | None

    @property
    def verdict(self) -> str:
        match self.works:
            case True:
                return "the connection works: packets come through, and so do the answers"
            case False:
                return "the connection does not work"
            case _:
                return "some such connections work, and some do not"


def connection(traced: Trace) -> Connection:
    """Whether answers come back: the witnesses of what was accepted, the other way round."""
    accepted = [outcome for outcome in traced.outcomes if outcome.kind.passes]
    replies = tuple(_reply(traced, outcome) for outcome in accepted)
    kinds = [outcome.kind for outcome in traced.outcomes]
    kinds += [outcome.kind for reply in replies for outcome in reply.outcomes]
    answered = [any(o.kind.passes for o in reply.outcomes) and not reply.lost for reply in replies]
    if not any(answered):
        return Connection(replies, works=False)
    certain = all(answered) and all(kind.passes for kind in kinds)
    return Connection(replies, works=True if certain else None)


def _reply(traced: Trace, outcome: TraceOutcome) -> Reply:
    if traced.bridged:
        answer = trace_with_bridges(traced.ruleset, reply_to(outcome), traced.addresses)
        return Reply(answer, None)
    lost = _goes_past_this_host(outcome)
    if lost is not None:
        return Reply(None, lost)
    one = outcome.followed
    answered = Answered(one.packet, one.arrived, one.connection_mark, one.zone)
    answer = trace_answer(traced.ruleset, reply_to(outcome), traced.addresses, answered)
    lost = _is_from_somebody_else(outcome, answer)
    cut = _cut(traced, outcome, answered) if lost is None else None
    return Reply(answer, lost or cut, is_cut=cut is not None)


def _cut(traced: Trace, outcome: TraceOutcome, answered: Answered) -> str | None:
    """Behind a SYN that was left untracked, a tracked answer to it is invalid, and the ACK after
    that opens a connection of its own (nf_conntrack_tcp_loose), with rules and translations for
    such."""
    if outcome.arrived.ct_state != "untracked" or outcome.witness.proto != "tcp":
        return None
    packet = replace(reply_to(outcome), tcp_flags=("ack",), ct_state="new")
    later = trace_answer(traced.ruleset, packet, traced.addresses, answered)
    if not any(end.kind.passes for end in later.outcomes):
        return (
            "what follows the answer is taken for a connection of its own, as the first packet was "
            "left untracked, and is dropped"
        )
    moved = _is_from_somebody_else(outcome, later)
    return moved and f"behind the first answer, {moved}"


def _is_from_somebody_else(outcome: TraceOutcome, answer: Trace) -> str | None:
    """An answer that conntrack does not know for one is not translated back."""
    asked = outcome.witness
    for end in answer.outcomes:
        last = end.arrived
        ends = (last.saddr, last.sport, last.daddr, last.dport)
        if end.kind.passes and ends != (asked.daddr, asked.dport, asked.saddr, asked.sport):
            return (
                "the answer is not translated back, as the host does not know it for one: it goes "
                f"to {_end(last.daddr, last.dport)} from {_end(last.saddr, last.sport)}, and "
                f"{_end(asked.saddr, asked.sport)} waits for {_end(asked.daddr, asked.dport)}"
            )
    return None


def _end(address: str | None, port: int | None) -> str:
    return str(address) if port is None else f"{address} port {port}"


def _goes_past_this_host(outcome: TraceOutcome) -> str | None:
    """A hairpin without source translation: who answers has the client beside it, and answers it
    directly, from an address that the client has not asked."""
    came, last = outcome.witness, outcome.arrived
    turned_back = outcome.way is Hook.FORWARD and came.iif == last.oif
    moved = (came.daddr, came.dport) != (last.daddr, last.dport)
    if not turned_back or not moved or came.saddr != last.saddr:
        return None
    if last.saddr == last.daddr:
        return (
            f"nobody answers: {came.saddr} gets its own packet, with its own address as the source"
        )
    return (
        f"the answer does not come back this way: {last.daddr} and {came.saddr} are both behind "
        f"{came.iif}, so {last.daddr} answers directly, and {came.saddr} waits for {came.daddr}; "
        "translate the source of these packets too (SNAT or MASQUERADE)"
    )


_ANSWERS = {Hook.INPUT: Hook.OUTPUT, Hook.OUTPUT: Hook.INPUT, Hook.FORWARD: Hook.FORWARD}
_UNASKED = {"tcp": "invalid", "icmp": "invalid", "ipv6-icmp": "invalid"}
"""The state of an answer to what was not tracked, if it is tracked itself: others open a connection
(tcp_new, icmp_new)."""


def _as_known(outcome: TraceOutcome) -> Packet:
    last, shown = outcome.arrived, outcome.becomes or outcome.arrived
    return replace(
        last,
        saddr=last.saddr if last.saddr == shown.saddr else None,
        daddr=last.daddr if last.daddr == shown.daddr else None,
        sport=last.sport if last.sport == shown.sport else None,
        dport=last.dport if last.dport == shown.dport else None,
    )


def _state_of_answer(answered: Packet) -> str:
    if answered.ct_state != "untracked":
        return "established"
    return _UNASKED.get(answered.proto or "", "new")


_ECHO = {("icmp", 8): 0, ("ipv6-icmp", 128): 129}


def reply_to(outcome: TraceOutcome) -> Packet:
    """The answer as it comes to this host, or as a program of it sends it: to where the packet
    came from in the end, and from where it went to. What nobody knows of that may be anything."""
    first, last = outcome.witness, _as_known(outcome)
    flags = first.tcp_flags
    return Packet(
        family=first.family,
        hook=_ANSWERS[outcome.way].value,
        iif=last.oif,
        oif=first.iif,
        saddr=last.daddr,
        daddr=last.saddr,
        proto=first.proto,
        sport=last.dport,
        dport=last.sport,
        tcp_flags=flags and (("syn", "ack") if flags == ("syn",) else ("ack",)),
        icmp_type=_ECHO.get((first.proto or "", first.icmp_type or 0), first.icmp_type),
        icmp_code=first.icmp_code,
        ct_state="established"
        if last.ct_state != "untracked"
        else _UNASKED.get(first.proto or "", "new"),
    )
